"""Settings and the files they come from: who says what, and who else can read the secrets."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

from .. import git
from ..errors import ConfigError, SbsyncError
from ..settings import Value, layers, masked
from ..settings.keys import KEYS
from ..supabase_cli import LocalStackCli, refused_keys
from .subject import Check, Server, Subject, attempt

OTHERS = 0o077
TEMPLATES = (".example", ".sample", ".template")
# `$NAME` without braces: godotenv, which the Supabase CLI reads these files with, puts a value in for it.
BARE = re.compile(r"(?<!\\)\$[A-Z0-9_]")
CONFIG = Path("supabase", "config.toml")
DECLARATIVE = Path("supabase", "schemas")


def project(subject: Subject) -> list[Check]:
    """Where the project is; the tools can be looked at without one."""
    if (missing := subject.no_project) is not None:
        return [Check("warning", f"{missing.message} Every task but this one and `demo` needs one.", missing.hint)]
    return [Check("ok", f"The project is {subject.root}.")]


def settings(subject: Subject) -> list[Check]:
    """Every value, masked, and where it comes from; or what is wrong with the settings."""
    if subject.settings is None:
        problem = subject.problem or ConfigError("The settings cannot be resolved.")
        return [
            Check("error", problem.message, problem.hint),
            Check("warning", "Without settings the databases were not looked at.", "Fix the settings first."),
        ]
    read = ", ".join(_shown(subject, path) for path in subject.settings.files_read)
    values = subject.settings.values.values()
    return [
        Check("ok", f"Dotenv files, the strongest first: {read or 'none'}."),
        *(Check("ok", f"{value.key} = {masked(value) or '(empty)'} ({value.source})") for value in values),
    ]


def dotenv_files(subject: Subject) -> list[Check]:
    """Values that the Supabase CLI would read differently. The value itself is never shown."""
    return [
        Check(
            "warning",
            f"{entry} holds a $ before a name: it is taken as it is here, while the Supabase CLI may put a variable's "
            "value in.",
            "Put the value in single quotes, or write ${NAME} where a variable is meant.",
        )
        for path in _files(subject)
        for entry in _entries(subject, path)
        if not entry.literal and BARE.search(entry.text)
    ]


def secret_files(subject: Subject) -> list[Check]:
    """Files with secrets that other users can read, or that git tracks."""
    found = attempt(lambda: git.dotenv_files(subject.root))
    # Without git there is nothing tracked; the check of git says what is wrong with it.
    names = () if isinstance(found, SbsyncError) else found
    lines = []
    for path in _files(subject):
        name, holds = _shown(subject, path), _holds_secret(subject, path)
        if holds:
            lines += _mode(path, name, "600")
        if name in names and (holds or git.SECRET_FILE.fullmatch(name)):
            lines.append(_tracked(name))
    state = subject.root / ".sbsync"
    lines += _mode(state, ".sbsync", "700") if state.is_dir() else []
    return lines or [Check("ok", "No file with secrets is open to other users or tracked by git.")]


def config_toml(subject: Subject) -> list[Check]:
    """What the CLI refuses in `supabase/config.toml`, and the major version there against the remote's."""
    path = subject.root / CONFIG
    if subject.no_project:
        return []
    if not path.is_file():
        return [Check("warning", f"There is no {CONFIG}.", "`supabase init` makes it.")]
    try:
        config = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return [Check("error", f"{CONFIG} cannot be read: {error}.", "Correct it; the Supabase CLI needs it too.")]
    section = config.get("db", {})
    named = section.get("major_version") if isinstance(section, dict) else None
    remote = subject.remote if subject.settings else None
    return [*_refused(subject), _major(named, remote), *_declarative(subject.root, section)]


def _declarative(root: Path, section: object) -> list[Check]:
    """Where a project describes its schema in files of another kind: no task reads them."""
    migrations = section.get("migrations") if isinstance(section, dict) else None
    named = migrations.get("schema_paths") if isinstance(migrations, dict) else None
    if not named and not any((root / DECLARATIVE).rglob("*.sql")):
        return []
    where = "[db.migrations] schema_paths" if named else str(DECLARATIVE)
    what = f"{where} describes the schema: these tasks read migrations alone, so a change there has to become one first"
    return [Check("ok", f"{what} (`supabase db schema declarative sync`, or `invoke new`).")]


def _refused(subject: Subject) -> list[Check]:
    """Each key that stops the local stack; where that is not the local database, nothing else needs it."""
    if subject.settings is None or isinstance(subject.cli, SbsyncError):
        return []
    settings, version = subject.settings, subject.cli.version
    found = refused_keys(LocalStackCli(subject.cli, settings.config), settings.config)
    needed = settings.local.kind == "stack"
    told = f"{'' if needed else 'The local stack would not start: '}Supabase CLI {version} refuses {CONFIG}"
    return [
        Check(
            "error" if needed else "warning",
            f"{told}{f', line {one.line}' if one.line else ''}: {one.what}", one.fix,
        )
        for one in found
    ]  # fmt: skip


def _major(named: object, remote: Server | SbsyncError | None) -> Check:
    says = f"[db] major_version is {named}" if named is not None else "[db] names no major_version"
    if not isinstance(remote, Server):
        return Check("ok", f"{says}.")
    major = remote.identity.major
    if named == major:
        return Check("ok", f"{says}, as on the remote.")
    return Check(
        "warning", f"{says}, and the remote is PostgreSQL {major}: the CLI's local stack should be of the same.",
        f"Set major_version = {major} under [db] in {CONFIG}. The local stack then starts without its data: "
        "`invoke backup --local` first.",
    )  # fmt: skip


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


def _shown(subject: Subject, path: Path) -> str:
    return str(path.relative_to(subject.root) if path.is_relative_to(subject.root) else path)


def _entries(subject: Subject, path: Path) -> tuple[Value, ...]:
    """What stands in a file; nothing where it is malformed: whoever reads it as settings says so."""
    found = attempt(lambda: layers.read(path, _shown(subject, path)))
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
        "error", f"{name} is a file for secrets, and git tracks it.",
        f"git rm --cached {shlex.quote(name)}, name it in .gitignore, and change the secrets that were committed: "
        "the history keeps them.",
    )  # fmt: skip
