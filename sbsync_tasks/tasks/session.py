"""From a task's flags to a run and back to an exit code: the frame around every task."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import Task

from .. import errors
from ..errors import ConfigError, InterruptedAtQuestion, SbsyncError
from ..options import Options

if TYPE_CHECKING:
    from ..console import Console
    from ..run.session import Run
    from ..settings import Root, Settings

# What the flags mean that several tasks have.
HELP = {
    "env": "environment, such as staging: reads .env.staging (default: development)",
    "env-file": "read this dotenv file instead of the environment's own (repeatable)",
    "json": "print one JSON document on stdout and nothing else",
    "start": "start the CLI's local stack first if it is not running",
    "yes": "answer yes to every ordinary question (needed without a terminal)",
    "dry-run": "only look: show what would be done, write nothing",
    "name": "name of a new migration (letters, digits, underscores)",
    "remote": "the remote database instead of the local one",
    "allow-data-loss": "accept losing this object on the remote, such as public.t (repeatable)",
    "ignore-drift": "continue even if the remote differs from its own history",
    "include-all": "also push files older than the remote's newest version, if the order does not matter",
}
INSTALLS = "install a program that is missing without asking"  # `yes` of a task that asks nothing else
REPEATABLE = {"env_file", "allow_data_loss", "table"}

# What a message calls a task.
NAMED = re.compile(r"\binvoke (?P<task>[a-z][a-z0-9.-]*[a-z])")


def task(positional: Sequence[str] = (), **meanings: str) -> Callable[[Callable[..., None]], Task[Callable[..., None]]]:
    """Invoke's decorator, with the help of every flag and without short forms, which are one slip from one another.

    The meanings are those of flags of which `HELP` says nothing or something else.
    """

    def made(body: Callable[..., None]) -> Task[Callable[..., None]]:
        _context, *flags = inspect.signature(body).parameters
        own = {flag.replace("_", "-"): text for flag, text in meanings.items()}
        told = {flag: own.get(flag) or HELP[flag] for flag in (name.replace("_", "-") for name in flags)}
        repeatable = REPEATABLE.intersection(flags)
        return Task(body, help=told, iterable=repeatable, positional=positional, auto_shortflags=False)

    return made


@contextmanager
def session(
    context: Context,
    options: Options,
    *,
    env: str | None = None,
    env_file: Sequence[str] | None = None,
    json: bool = False,
) -> Iterator[Run]:
    """Resolve the settings and hand out a run; close it, and turn every error into an exit code.

    The name in the options is checked, and Invoke's own `--dry` counts as `dry_run`.
    """
    from ..console import Console
    from ..redaction import Redactor
    from ..run.session import Run
    from ..settings.keys import WORKDIR
    from ..state.migrations import checked_name

    redact = Redactor()
    console = Console(redact, json_output=json, yes=options.yes)
    with boundary(context, console):
        settings = settings_of(context, env, env_file)
        redact.add(settings.secrets)
        _ = settings.config.data  # a file that is no TOML stops everything, before anything else
        name = checked_name(options.name) if options.name else ""
        if (named := settings.values.get(WORKDIR)) and settings.root != Path.cwd():
            console.say(f"project {settings.root} ({named.source})", "note")
        dry = options.dry_run or bool(context.config.run.dry)
        with closing(Run(settings, console, replace(options, name=name, dry_run=dry))) as run:
            yield run


def settings_of(
    context: Context, env: str | None, env_file: Sequence[str] | None, root: Root | None = None
) -> Settings:
    """The settings that a task's flags lead to, in the project of the working directory; or a ConfigError."""
    from ..settings import resolve

    root = root or root_of(context)
    config = {key: value for key, value in _config(context).items() if key != "workdir"}
    return resolve(
        root=root.path, root_source=root.source, env_files=env_file or (), env=env, process=os.environ,
        invoke_config=config,
    )  # fmt: skip


def root_of(context: Context) -> Root:
    """The project that the working directory or a setting leads to.

    Raises:
        NoProjectError: there is none; every other ConfigError is a setting that is wrong.
    """
    from ..settings import find_root

    named = _config(context).get("workdir") or ""
    if not isinstance(named, str):
        raise ConfigError("`sbsync.workdir` in the Invoke config is no text.", "Write it like this: `services/a`.")
    # Where Invoke found `tasks.py`, and looks for `invoke.yaml`; unknown where it was given a collection.
    tasks = getattr(context.config, "_project_prefix", None)
    return find_root(Path.cwd(), os.environ, named, Path(tasks) if tasks else None)


@contextmanager
def boundary(context: Context, console: Console) -> Iterator[None]:
    """The one place where errors become messages and exit codes; `SBSYNC_DEBUG=1` shows the traceback.

    Invoke's `--echo` shows the programs that are run inside; SIGTERM ends them and the task, as Ctrl-C does.

    Raises:
        Exit: with the documented code.
    """
    debug = os.environ.get("SBSYNC_DEBUG") == "1"
    from ..process import for_task

    names = _names()
    # Each `invoke TASK` has the name under which that task is mounted.
    console.in_place = lambda text: NAMED.sub(lambda m: f"invoke {names.get(m['task'], m['task'])}", text)
    try:
        with for_task(console.redact, echo=bool(context.config.run.echo)):
            yield
    except SbsyncError as error:
        if debug:
            raise
        raise _exit(console, error.message, error.hint, error.exit_code) from None
    except InterruptedAtQuestion:
        raise _exit(console, "Interrupted. Nothing was changed.", "", errors.INTERRUPTED) from None
    except KeyboardInterrupt:
        hint = (
            "A statement that a server has already received may still be carried out. Run the command again: "
            "it reads from the databases what is true, and goes on from there."
        )
        raise _exit(console, "Interrupted.", hint, errors.INTERRUPTED) from None
    except Exit:
        raise
    except Exception as error:
        import psycopg

        from ..databases.connection import way_on

        if debug or not isinstance(error, OSError | psycopg.Error):  # a mistake in this code
            raise
        raise _exit(console, _first_line(error), way_on(str(error)), errors.FAILED) from None


def _first_line(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}." if error.filename else f"{error.strerror}."
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else 'no details'}"


def _exit(console: Console, message: str, hint: str, code: int) -> Exit:
    message, hint = console.in_place(message), console.in_place(hint)
    console.document({"error": {"message": message, "hint": hint, "exit_code": code}})
    text = console.wrapped(console.redact(f"error: {message}" + (f"\n{hint}" if hint else "")))
    return Exit(text, code=code)


def _config(context: Context) -> Mapping[str, object]:
    found = context.config.get("sbsync") or {}
    try:
        return dict(found)
    except (TypeError, ValueError):
        raise ConfigError(
            "`sbsync` in the Invoke config is not a mapping.", "Write it like this: `sbsync: {lock_timeout: 5s}`."
        ) from None


def _names() -> Mapping[str, str]:
    """Each task's own name, and the one in the collection that Invoke runs; empty where Invoke runs none."""
    from invoke.executor import Executor

    from . import ns

    frame = inspect.currentframe()  # Invoke hands its collection to no task
    while frame is not None and not isinstance(frame.f_locals.get("self"), Executor):
        frame = frame.f_back
    if frame is None:
        return {}
    collection = frame.f_locals["self"].collection
    mounted = {collection[name].body: name for name in collection.task_names}
    return {name: mounted[ns[name].body] for name in ns.task_names if ns[name].body in mounted}
