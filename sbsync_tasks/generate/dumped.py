"""Objects in pg_dump's words: the entry of its archive for one object, found by its oid."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from functools import cached_property
from pathlib import Path

from .. import process, sqltext
from ..backups.programs import program, started
from ..endpoint import Endpoint
from ..errors import SbsyncError
from ..paths import private_tempdir
from ..platform import MANAGED_SCHEMAS

# A line of the archive's list: its number, the object's catalog and oid, what it is.
_ENTRY = re.compile(rb"^\d+; (\d+) (\d+) .*$", re.MULTILINE)
_FRAME = re.compile(r"^\s*(SET\s|SELECT pg_catalog\.set_config)", re.IGNORECASE)
_META = re.compile(rb"^\\(un)?restrict .*$\n?", re.MULTILINE)
_NO_DATA = re.compile(r"\s+WITH NO DATA$")


class Archive:
    """The schema of one database, as pg_dump writes it.

    Args:
        tools: Finds the folder of pg_dump and pg_restore.
        endpoint: The database.
    """

    def __init__(self, tools: Callable[[], Path], endpoint: Endpoint) -> None:
        self._find_tools = tools
        self._endpoint = endpoint

    @cached_property
    def _tools(self) -> Path:
        return self._find_tools()

    def statements(
        self, oids: Iterable[tuple[int, ...]], managed: Collection[str] = ()
    ) -> dict[tuple[int, ...], tuple[str, ...]]:
        """What makes these objects, each by its catalog and oid; without owners, privileges and comments.

        Args:
            oids: Which ones.
            managed: The managed schemas that some of them stand in.

        Raises:
            SbsyncError: pg_dump is missing, is older than the server, or failed.
        """
        with private_tempdir() as place:
            archive = place / "schema.dump"
            # Exclusions, not a choice of schemas: that would leave out casts and whatever stands in no schema.
            argv = [
                program(self._tools, "pg_dump"), "--format=custom", "--schema-only", f"--file={archive}",
                *(f"--exclude-schema={name}" for name in _managed() if name not in managed),
            ]  # fmt: skip
            with started(self._endpoint, [argv]):
                pass
            listed = self._restore("--list", str(archive))
            if b"Archive created" not in listed:
                raise SbsyncError("pg_restore ended without an error, and gave no list of what pg_dump has written.")
            entries = {(int(m[1]), int(m[2])): m[0] for m in _ENTRY.finditer(listed)}
            return {key: self._written(archive, entries[key]) for key in oids if key in entries}

    def _written(self, archive: Path, entry: bytes) -> tuple[str, ...]:
        chosen = archive.with_name("list")
        chosen.write_bytes(entry + b"\n")
        text = self._restore(
            f"--use-list={chosen}", "--no-owner", "--no-privileges", "--no-comments", "--file=-", str(archive)
        )
        texts = [statement.text for statement in sqltext.split(_META.sub(b"", text).decode())]
        return tuple(_NO_DATA.sub("", text) for text in texts if not _FRAME.match(text))

    def _restore(self, *arguments: str) -> bytes:
        argv = [program(self._tools, "pg_restore"), *arguments]
        done = process.run(argv, env={"LC_ALL": "C"})
        if not done.ok:
            raise SbsyncError(f"pg_restore failed: {done.stderr.strip()}")
        return done.output


def _managed() -> list[str]:
    """The schemas that are left out, as pg_dump's patterns."""
    names = MANAGED_SCHEMAS.removeprefix("^(").removesuffix(")$").split("|")
    return [name.replace(".*", "*") for name in names if name != "pg_.*"]
