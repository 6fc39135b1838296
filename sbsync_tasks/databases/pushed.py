"""Reading a history back after a push: the CLI also says that all is well where it has recorded nothing."""

from __future__ import annotations

from collections.abc import Iterable

from .. import histories
from ..endpoint import Endpoint
from ..migrations import Migration
from ..supabase_cli import CliError
from .connection import connect


def read_back(endpoint: Endpoint, label: str, expected: Iterable[Migration]) -> None:
    """See that a database has recorded what was to be pushed to it.

    Of a file that ends inside of a transaction of its own, the CLI reports it and all later ones as applied
    (supabase/cli#5047, measured with 2.122.1 and 3.1.0), and none of them is.

    Args:
        endpoint: The database.
        label: What it is called on screen.
        expected: What was to be pushed.

    Raises:
        CliError: a migration is not recorded, or with other statements than its file has.
        NoConnectionError: the database does not answer any more.
    """
    with connect(endpoint, label) as connection:
        history = histories.read(connection)
    lacking = [m for m in expected if m.version not in history or not history[m.version].matches(m)]
    if lacking:
        names = ", ".join(m.file_name for m in lacking)
        raise CliError(
            f"The CLI gave no error, and {label} has not recorded {names} as it was sent.",
            f"A statement in {lacking[0].file_name}, or in what it calls, opens or ends a transaction (BEGIN, COMMIT, "
            "ROLLBACK) or changes the history: take it out, then run again.",
        )
