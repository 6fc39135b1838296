"""A database's schema in pg_dump's words, in a form in which two equal databases have equal texts."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from sbsync_tasks import sqltext
from sbsync_tasks.endpoint import Endpoint
from sbsync_tasks.platform import MANAGED_SCHEMAS

EXCLUDED = [
    name.replace(".*", "*") for name in MANAGED_SCHEMAS.removeprefix("^(").removesuffix(")$").split("|")
    if name not in ("pg_.*", "auth", "storage", "realtime")
]  # fmt: skip


def dump(tools: Path, endpoint: Endpoint) -> str:
    """What `pg_dump --schema-only` prints, as it is."""
    argv = [
        str(tools / "pg_dump"), "--schema-only", *(f"--exclude-schema={name}" for name in EXCLUDED),
        f"--dbname={endpoint.url}",
    ]  # fmt: skip
    env = {"PATH": os.defpath, "LC_ALL": "C", "PGPASSWORD": endpoint.password}
    return subprocess.run(argv, env=env, capture_output=True, check=True).stdout.decode()


def normalised(text: str) -> list[str]:
    """The statements of a dump, sorted; what pg_dump prints in any order, such as columns and options, sorted too."""
    text = re.sub(r"^\\(un)?restrict .*$", "", text, flags=re.MULTILINE)
    kept = (s for s in sqltext.split(text) if s.kind not in ("SET", "SELECT"))
    return sorted(_normalised(s.text, s.kind) for s in kept)


def _normalised(text: str, kind: str) -> str:
    text = re.sub(r"\b(WITH|SET|OPTIONS) \(([^()]*)\)", lambda m: f"{m[1]} ({_sorted(m[2])})", text)
    if kind == "CREATE POLICY":
        text = re.sub(r" TO ((?:[\w\"]+, )+[\w\"]+)", lambda m: f" TO {_sorted(m[1])}", text)
    if kind in ("CREATE TABLE", "CREATE FOREIGN TABLE"):
        lines = [line.rstrip(",") for line in text.split("\n")]
        text = "\n".join([lines[0], *sorted(lines[1:])])
    return text


def _sorted(listed: str) -> str:
    return ", ".join(sorted(item.strip() for item in listed.split(",")))
