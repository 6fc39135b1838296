"""A push by the CLI: its errors in the words of the file that failed, its success as the history has it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from ..endpoint import Endpoint
from ..state import histories
from ..state.migrations import Migration
from ..supabase_cli import CliError, Pushed, SupabaseCli
from .connection import connection_to
from .failures import explained

# What the CLI sees of a file that it is not to run: it compares versions alone (measured, 2.115.0 to 3.1.0). Should it
# come to run one all the same, the push fails.
RECORDED = "do $$ begin raise exception 'It was recorded as applied when the push began, and is no longer'; end $$;\n"


def push(
    cli: SupabaseCli,
    endpoint: Endpoint,
    label: str,
    migrations: Sequence[Migration],
    expected: Sequence[Migration],
    *,
    fresh: bool = False,
    **options: Any,  # noqa: ANN401 - those of `SupabaseCli.push`
) -> Pushed:
    """Push, and read the history back: the CLI also says that all is well where it has recorded nothing.

    Args:
        cli: The CLI.
        endpoint: The database.
        label: What it is called on screen.
        migrations: All the migrations that the CLI is to know of.
        expected: Those of them that the database has not had; of the others the CLI gets the names alone.
        fresh: It holds nothing but what the files make: whatever fails there is the files' fault.
        options: What `SupabaseCli.push` takes besides.

    Raises:
        FileFailedError: a file failed: which, where in it, on what, and the way out.
        CliError: the push failed otherwise, or did not do what it says.
    """
    cli.expect(expected)
    wanted = {m.version for m in expected}
    seen = [m if m.version in wanted else replace(m, sql=RECORDED) for m in migrations]
    with explained(migrations, label, fresh=fresh):
        done = cli.push(endpoint, seen, **options)
    done.refuse_left_out(expected)
    read_back(endpoint, label, expected, migrations)
    return done


def read_back(
    endpoint: Endpoint, label: str, expected: Sequence[Migration], migrations: Iterable[Migration] = ()
) -> None:
    """See that a database has recorded what was to be pushed to it.

    Of a file that ends inside of a transaction of its own, the CLI reports it and all later ones as applied
    (supabase/cli#5047, measured with 2.122.1 and 3.1.0), and none of them is.

    Args:
        endpoint: The database.
        label: What it is called on screen.
        expected: What was to be pushed.
        migrations: What is to be recorded after that, in whatever words.

    Raises:
        CliError: a migration is not recorded, no longer, or with other statements than its file has.
        NoConnectionError: the database does not answer any more.
    """
    with connection_to(endpoint, label) as connection:
        history = histories.read(connection)
    lacking = [m for m in expected if m.version not in history or not history[m.version].matches(m)]
    if lacking:
        names = ", ".join(m.file_name for m in lacking)
        raise CliError(
            f"The CLI gave no error, and {label} has not recorded {names} as it was sent.",
            f"A statement in {lacking[0].file_name}, or in what it calls, opens or ends a transaction (BEGIN, COMMIT, "
            "ROLLBACK) or changes the history: take it out, then run again.",
        )
    gone = [m.file_name for m in migrations if m.version not in history]
    if gone:
        culprit = " or ".join(m.file_name for m in expected) or "a seed file"
        raise CliError(
            f"{label} no longer has {', '.join(gone)} in its history.",
            f"A statement in {culprit}, or in what it calls, changes the history: take it out, then run again.",
        )
