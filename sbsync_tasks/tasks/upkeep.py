"""What a project needs around the guide's steps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from invoke.context import Context
from invoke.exceptions import Exit

from .. import errors
from ..options import Options
from .session import INSTALLS, boundary, root_of, session, settings_of, task


@task()
def doctor(
    context: Context, *, env: str | None = None, env_file: Sequence[str] | None = None, json: bool = False
) -> None:
    """Check tools, settings, secret files and databases.

    Each line is ok, a warning or an error with its fix. Nothing is installed, started or changed. Exit code 1 where
    there is an error.
    """
    from ..checkup import Subject, attempt
    from ..checkup.examine import examine
    from ..console import Console
    from ..redaction import Redactor
    from ..settings import NoProjectError, Root

    console = Console(Redactor(), json_output=json)
    with boundary(context, console):
        missing = None
        try:
            root = root_of(context)
        except NoProjectError as error:
            root, missing = Root(Path.cwd()), error
        resolved = attempt(lambda: settings_of(context, env, env_file, root))
        if not examine(Subject(root.path, console, resolved, env_file or (), missing)):
            raise Exit(code=errors.FAILED)


@task()
def resolve(
    context: Context,
    *,
    env: str | None = None,
    env_file: Sequence[str] | None = None,
    yes: bool = False,
    dry_run: bool = False,
    json: bool = False,
    start: bool = False,
) -> None:
    """Explain history conflicts, and cure them.

    Missing and lost files, edited, renamed and misnamed ones, versions out of order or twice: whose each is, what
    differs, and the way out, done after one question. The remote is only read; replaced files and history rows are
    kept in .sbsync. Exit code 4 where something is left that you have to decide.
    """
    from ..run import steps as step

    with session(context, Options(yes=yes, dry_run=dry_run, start=start), env=env, env_file=env_file, json=json) as run:
        step.resolve(run)


@task(yes=INSTALLS)
def url(
    context: Context,
    *,
    env: str | None = None,
    env_file: Sequence[str] | None = None,
    remote: bool = False,
    yes: bool = False,
    json: bool = False,
    start: bool = False,
) -> None:
    """Print a URL of the local database or the remote.

    For psql and every program that uses libpq. The password is not in it: it stands in a private file that the URL
    names.
    """
    from ..run import reach

    with session(context, Options(yes=yes, start=start), env=env, env_file=env_file, json=json) as run:
        reach.url(run, remote=remote)


@task(yes=INSTALLS)
def psql(
    context: Context,
    *,
    env: str | None = None,
    env_file: Sequence[str] | None = None,
    remote: bool = False,
    yes: bool = False,
    start: bool = False,
) -> None:
    """Open psql on the local database or the remote.

    It gets the terminal, or what is piped into it.
    """
    from ..run import reach

    with session(context, Options(yes=yes, start=start), env=env, env_file=env_file) as run:
        reach.psql(run, remote=remote)


@task(positional=["name"], yes=INSTALLS)
def new(
    context: Context,
    *,
    name: str | None = None,
    env: str | None = None,
    env_file: Sequence[str] | None = None,
    yes: bool = False,
    dry_run: bool = False,
    json: bool = False,
    start: bool = False,
) -> None:
    """Write an empty migration, and open it in the editor.

    Its version is later than every one that the files and both databases know. The path goes to stdout; the editor
    opens only at a terminal.
    """
    from ..run import steps as step
    from ..state.migrations import checked_name

    with session(context, Options(yes=yes, dry_run=dry_run, start=start), env=env, env_file=env_file, json=json) as run:
        step.new(run, checked_name(name or "", "NAME"))


@task(keep="keep the scratch project and its databases so that you can look at them")
def demo(context: Context, *, keep: bool = False) -> None:
    """Try both scenarios on a scratch project.

    Real databases (embedded PostgreSQL), the real Supabase CLI, a git repository of its own. Needs no Docker and no
    account, touches nothing of yours, and leaves nothing behind.
    """
    from ..console import Console
    from ..demo import run_demo
    from ..redaction import Redactor

    console = Console(Redactor(), yes=True)
    with boundary(context, console):
        run_demo(console, keep)
