"""The guide as tasks: its two scenarios, and its steps, each of which is useful alone."""

from __future__ import annotations

from collections.abc import Sequence

from invoke.context import Context
from invoke.exceptions import Exit

from .. import errors
from ..options import Options
from .session import INSTALLS, session, task

RESETS = "rebuild the local database; --no-reset keeps its data and applies what is missing"


@task(reset=RESETS, commit="commit the new migration files to git")
def local_to_remote(
    context: Context,
    *,
    env: str | None = None,
    env_file: Sequence[str] | None = None,
    name: str | None = None,
    yes: bool = False,
    dry_run: bool = False,
    json: bool = False,
    start: bool = False,
    reset: bool = True,
    commit: bool = False,
    allow_data_loss: Sequence[str] | None = None,
    ignore_drift: bool = False,
    include_all: bool = False,
) -> None:
    """Bring local changes to the remote, and prove it.

    The guide's first scenario: preflight, diff, review, reset of the local database (backed up first), backup of
    the remote, push, verify. What was already done by an earlier run that was cut off is not done again.
    """
    from ..run import scenarios

    flags = Options(
        yes=yes, dry_run=dry_run, start=start, name=name or "", reset=reset, commit=commit,
        allow_data_loss=tuple(allow_data_loss or ()), ignore_drift=ignore_drift, include_all=include_all,
    )  # fmt: skip
    with session(context, flags, env=env, env_file=env_file, json=json) as run:
        scenarios.local_to_remote(run)


@task(
    reset=RESETS,
    commit="commit the new migration files to git; --no-commit leaves them uncommitted",
    record="record the pulled versions in the remote's history; --no-record does not",
    keep_local="record unrecorded local changes as a migration first",
    discard_local="drop unrecorded local changes (after a backup)",
)
def remote_to_local(
    context: Context,
    *,
    env: str | None = None,
    env_file: Sequence[str] | None = None,
    name: str | None = None,
    yes: bool = False,
    dry_run: bool = False,
    json: bool = False,
    start: bool = False,
    reset: bool = True,
    commit: bool = True,
    record: bool = True,
    keep_local: bool = False,
    discard_local: bool = False,
) -> None:
    """Bring remote changes to the local database and git.

    The guide's second scenario: preflight, pull, diff, review, reset of the local database (backed up first), verify,
    commit. The remote's schema is only read; its history gets the new versions recorded, one by one.
    """
    from ..run import scenarios

    flags = Options(
        yes=yes, dry_run=dry_run, start=start, name=name or "", reset=reset, commit=commit, record=record,
        keep_local=keep_local, discard_local=discard_local,
    )  # fmt: skip
    with session(context, flags, env=env, env_file=env_file, json=json) as run:
        scenarios.remote_to_local(run)


@task(
    name="write the SQL as migration files with this name, proved on a fresh shadow first",
    remote="look at the remote's unrecorded changes instead of the local database's",
    exit_code="exit with 2 if there are changes",
    verbatim="print the CLI engine's own SQL, neither completed nor proved; writes no file",
    yes=INSTALLS,
)
def diff(
    context: Context,
    *,
    env: str | None = None,
    env_file: Sequence[str] | None = None,
    name: str | None = None,
    remote: bool = False,
    exit_code: bool = False,
    verbatim: bool = False,
    yes: bool = False,
    dry_run: bool = False,
    json: bool = False,
    start: bool = False,
) -> None:
    """Show the database's unrecorded changes as SQL.

    The database is compared with a shadow of its own history, so a migration that is merely pending never comes out
    as something to drop. The SQL goes to stdout; with --name it becomes migration files.
    """
    from ..run import steps

    flags = Options(yes=yes, dry_run=dry_run, start=start, name=name or "")
    with session(context, flags, env=env, env_file=env_file, json=json) as run:
        found = steps.diff(run, remote=remote, verbatim=verbatim)
        if exit_code and found:
            raise Exit(code=errors.DIFFERENCES)


@task(file="a version, or the path of a SQL file (default: everything pending on the remote)")
def review(
    context: Context,
    *,
    file: str | None = None,
    env: str | None = None,
    env_file: Sequence[str] | None = None,
    yes: bool = False,
    dry_run: bool = False,
    json: bool = False,
    allow_data_loss: Sequence[str] | None = None,
) -> None:
    """Show a migration, its statements and its dangers.

    Exit code 4 where data could be lost that is not allowed by name, or where a statement cannot be read.
    """
    from ..run import review as step

    flags = Options(yes=yes, dry_run=dry_run, allow_data_loss=tuple(allow_data_loss or ()))
    with session(context, flags, env=env, env_file=env_file, json=json) as run:
        step.review_files(run, file)


@task()
def reset(
    context: Context,
    *,
    env: str | None = None,
    env_file: Sequence[str] | None = None,
    yes: bool = False,
    dry_run: bool = False,
    json: bool = False,
    start: bool = False,
) -> None:
    """Rebuild the local database from the migrations.

    All its data is backed up first; afterwards it holds the migrations and the seeds, and nothing else.
    """
    from ..run import steps as step

    with session(context, Options(yes=yes, dry_run=dry_run, start=start), env=env, env_file=env_file, json=json) as run:
        step.reset(run)


@task()
def push(
    context: Context,
    *,
    env: str | None = None,
    env_file: Sequence[str] | None = None,
    yes: bool = False,
    dry_run: bool = False,
    json: bool = False,
    allow_data_loss: Sequence[str] | None = None,
    ignore_drift: bool = False,
    include_all: bool = False,
) -> None:
    """Push pending migration files to the remote.

    The files are proved on a fresh shadow, reviewed, and the remote is backed up, as in local-to-remote; there need
    not be a local database.
    """
    from ..run import scenarios

    flags = Options(
        yes=yes, dry_run=dry_run, reset=False, allow_data_loss=tuple(allow_data_loss or ()),
        ignore_drift=ignore_drift, include_all=include_all,
    )  # fmt: skip
    with session(context, flags, env=env, env_file=env_file, json=json) as run:
        scenarios.push(run)


@task()
def pull(
    context: Context,
    *,
    env: str | None = None,
    env_file: Sequence[str] | None = None,
    name: str | None = None,
    yes: bool = False,
    dry_run: bool = False,
    json: bool = False,
    start: bool = False,
) -> None:
    """Write the remote's changes as migration files.

    The remote and the local database are only read; nothing is recorded anywhere. `remote-to-local` does the rest.
    """
    from ..run import scenarios

    flags = Options(yes=yes, dry_run=dry_run, start=start, name=name or "")
    with session(context, flags, env=env, env_file=env_file, json=json) as run:
        scenarios.pull(run)


@task(message="the commit's message (default: names the migration, or counts them)")
def commit(
    context: Context,
    *,
    message: str | None = None,
    env: str | None = None,
    env_file: Sequence[str] | None = None,
    yes: bool = False,
    dry_run: bool = False,
    json: bool = False,
) -> None:
    """Commit the migration files that git does not have yet.

    Only these files: other staged work stays staged, and hooks run as always.
    """
    from ..run import steps as step

    flags = Options(yes=yes, dry_run=dry_run, commit=True, message=message or "")
    with session(context, flags, env=env, env_file=env_file, json=json) as run:
        step.commit(run)


@task(remote="compare the remote with the migration files; needs no local database", yes=INSTALLS)
def verify(
    context: Context,
    *,
    env: str | None = None,
    env_file: Sequence[str] | None = None,
    remote: bool = False,
    yes: bool = False,
    json: bool = False,
    start: bool = False,
) -> None:
    """Prove that local and remote are in sync.

    Exit code 0 where they are, 2 where anything differs or is pending.
    """
    from ..run import proof

    with session(context, Options(yes=yes, start=start), env=env, env_file=env_file, json=json) as run:
        made = proof.look_and_prove(run, remote=remote)
        run.console.document(made.document())
        with run.console.as_result():
            proof.tell(run, made)
        if not made.in_sync:
            raise Exit(code=errors.DIFFERENCES)


@task(
    local="back up the local database instead of the remote",
    schema_only="leave out the rows",
    list="list the backups that there are, and take none",
    yes=INSTALLS,
)
def backup(
    context: Context,
    *,
    env: str | None = None,
    env_file: Sequence[str] | None = None,
    local: bool = False,
    schema_only: bool = False,
    list: bool = False,  # noqa: A002 - the name is that of the flag
    yes: bool = False,
    json: bool = False,
    start: bool = False,
) -> None:
    """Back up the remote (or the local) database.

    Roles, schema, history and rows, through pg_dump, checked to be complete and readable.
    """
    from ..run import steps
    from ..run.backup import show_list

    with session(context, Options(yes=yes, start=start), env=env, env_file=env_file, json=json) as run:
        if list:
            show_list(run)
        else:
            steps.back_up(run, local=local, schema_only=schema_only)


@task(
    backup="the backup: its folder, its name, or the beginning of its name (`backup --list` has them)",
    table="bring back the rows of this table alone, such as public.t (repeatable)",
    to_scratch="into a scratch database that stays up, and print its URL; the local one is not touched",
)
def restore(
    context: Context,
    *,
    backup: str | None = None,
    table: Sequence[str] | None = None,
    to_scratch: bool = False,
    env: str | None = None,
    env_file: Sequence[str] | None = None,
    yes: bool = False,
    dry_run: bool = False,
    json: bool = False,
    start: bool = False,
) -> None:
    """Bring a backup back into the local database.

    All of it, or the rows of single tables; the local database is backed up first. Never into a remote.
    """
    from ..run import steps as step

    with session(context, Options(yes=yes, dry_run=dry_run, start=start), env=env, env_file=env_file, json=json) as run:
        step.restore(run, backup or "", tuple(table or ()), to_scratch=to_scratch)


@task(exit_code="exit with 2 if anything is pending or differs", yes=INSTALLS)
def status(
    context: Context,
    *,
    env: str | None = None,
    env_file: Sequence[str] | None = None,
    exit_code: bool = False,
    yes: bool = False,
    json: bool = False,
    start: bool = False,
) -> None:
    """Show each migration's state: file, local, remote.

    And whether each database differs from its own history. Where there is no local database, the remote's alone.
    """
    from ..run.look import status as show

    with session(context, Options(yes=yes, start=start), env=env, env_file=env_file, json=json) as run:
        found = show(run)
        if exit_code and found:
            raise Exit(code=errors.DIFFERENCES)
