"""The user's own way into a database of the run: a URL for libpq programs, or psql itself."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from .. import process
from ..databases import Database
from ..endpoint import Endpoint
from ..errors import SbsyncError
from ..paths import state_dir
from .run import Run


def database(run: Run, *, remote: bool) -> Database:
    """The database that a run would use, and no other one; an embedded one is started."""
    return run.remote if remote else run.local


def url(run: Run, *, remote: bool) -> None:
    """Print a URL for libpq programs; the password stands in a private file that it names."""
    found = database(run, remote=remote)
    shown = url_of(run, found.endpoint, f"{run.settings.env}-{found.side}")
    run.console.result(shown)
    run.console.document({"database": found.label, "url": shown})


def url_of(run: Run, endpoint: Endpoint, name: str) -> str:
    """A URL without the password, which is written into a private file of that name."""
    path = passfile(run, name)
    path.touch(mode=0o600)
    path.write_text(endpoint.passfile_line + "\n", encoding="utf-8")
    return replace(endpoint, options={**endpoint.options, "passfile": str(path)}).url


def passfile(run: Run, name: str) -> Path:
    """Where the password of a database stands for libpq programs, once its URL was asked for."""
    return state_dir(run.settings.root, "passfiles") / name


def psql(run: Run, *, remote: bool) -> None:
    """Hand the terminal over to psql.

    Raises:
        MissingToolError: there is no psql.
        SbsyncError: it failed.
    """
    found = database(run, remote=remote)
    program = _program(run, found)
    run.console.say(found.label, "note")
    code = process.hand_over([program, found.endpoint.url], {"PGPASSWORD": found.endpoint.password})
    if code:
        raise SbsyncError(f"psql ended with exit status {code}.")


def _program(run: Run, found: Database) -> str:
    """`SBSYNC_PG_BINDIR`'s psql, the one on PATH, else whichever there is, such as the wheel's own."""
    from ..databases.embedded import find_client_tools

    at_hand = "" if run.settings.pg_bindir else shutil.which("psql")
    return at_hand or str(find_client_tools(run.major(found), run.settings.pg_bindir) / "psql")
