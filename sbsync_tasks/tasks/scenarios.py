"""The two commands: `local-to-remote` and `remote-to-local`."""

from __future__ import annotations

from collections.abc import Sequence

from invoke.context import Context
from invoke.tasks import task

from ..options import Options
from .session import ASKS, COMMON, LOCAL, NAME, PUSHES, session

SCENARIO = {
    **COMMON,
    **LOCAL,
    **ASKS,
    **NAME,
    "reset": "rebuild the local database; --no-reset keeps its data and applies what is missing",
    "commit": "commit the new migration files to git",
}


@task(
    help={**SCENARIO, **PUSHES},
    iterable=["env_file", "allow_data_loss"],
    positional=[],
    auto_shortflags=False,
)
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
    from ..run import local_to_remote as step
    from ..run import report

    flags = Options(
        yes=yes, dry_run=dry_run, start=start, name=name or "", reset=reset, commit=commit,
        allow_data_loss=tuple(allow_data_loss or ()), ignore_drift=ignore_drift, include_all=include_all,
    )  # fmt: skip
    with session(context, flags, env=env, env_file=env_file, json=json) as run:
        report.scenario(run, step.local_to_remote(run))


@task(
    help={
        **SCENARIO,
        "commit": "commit the new migration files to git; --no-commit leaves them uncommitted",
        "record": "record the pulled versions in the remote's history; --no-record does not",
        "keep-local": "record unrecorded local changes as a migration first",
        "discard-local": "drop unrecorded local changes (after a backup)",
    },
    iterable=["env_file"],
    positional=[],
    auto_shortflags=False,
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
    from ..run import remote_to_local as step
    from ..run import report

    flags = Options(
        yes=yes, dry_run=dry_run, start=start, name=name or "", reset=reset, commit=commit, record=record,
        keep_local=keep_local, discard_local=discard_local,
    )  # fmt: skip
    with session(context, flags, env=env, env_file=env_file, json=json) as run:
        report.scenario(run, step.remote_to_local(run))
