"""The sandbox: a local and a remote database on embedded PostgreSQL, to try everything without an account."""

from __future__ import annotations

from invoke.context import Context

from ..options import Options
from .session import INSTALLS, session, task


@task(yes=INSTALLS)
def up(context: Context, *, yes: bool = False, json: bool = False) -> None:
    """Start the sandbox's local and remote databases."""
    from ..run.reach import up

    with session(context, Options(yes=yes), env="sandbox", json=json) as run:
        up(run)


@task()
def down(context: Context, *, json: bool = False) -> None:
    """Stop every embedded database of this project."""
    from ..run.reach import down

    with session(context, Options(), env="sandbox", json=json) as run:
        down(run)


@task()
def reset(context: Context, *, yes: bool = False, dry_run: bool = False, json: bool = False) -> None:
    """Throw the sandbox's databases away and start afresh."""
    from ..run.reach import reset

    with session(context, Options(yes=yes, dry_run=dry_run), env="sandbox", json=json) as run:
        reset(run)


@task()
def status(context: Context, *, json: bool = False) -> None:
    """Show which embedded databases there are."""
    from ..run.reach import status

    with session(context, Options(), env="sandbox", json=json) as run:
        status(run)


@task(yes=INSTALLS)
def url(context: Context, *, remote: bool = False, yes: bool = False, json: bool = False) -> None:
    """Print a URL of the sandbox, as `url --env sandbox`."""
    from ..run import reach

    with session(context, Options(yes=yes), env="sandbox", json=json) as run:
        reach.url(run, remote=remote)
