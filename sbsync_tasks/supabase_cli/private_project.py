"""The project folder that a call to the CLI sees: ours, with only what the call needs.

Nothing in it leads to the user's tree. It lies below the call's private folder as the real project lies below `/`, so
that paths of seed files that lead above the project mean the same; of the files there it has copies of those that
the patterns may match, and which of them do match is left to the CLI.
"""

from __future__ import annotations

import glob
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..settings.project import ConfigToml
from ..state.migrations import Migration, read_sql, write_sql

# The CLI takes any database that listens on this machine at the port of its config.toml for its own stack, and a
# reset then asks Docker for it. No database listens here.
NO_STACK = 1
MAJORS = (15, 17)  # others are refused by the CLI
# Within a pattern: an escaped character, or one out of a set. `?` stands for both.
ONE_OF = re.compile(r"\\.|\[[^\]]*\]")
NEVER_COPIED = ("config.toml", "migrations", ".temp", ".branches")


def fill(place: Path, config: ConfigToml, migrations: Iterable[Migration], *, seed: bool = False) -> Path:
    """Make the folder for one call.

    Args:
        place: The private folder to make it in.
        config: The user's configuration.
        migrations: What stands in `supabase/migrations`: exactly these.
        seed: The call runs the seeds, so their files are there.

    Returns:
        The project folder.

    Raises:
        SbsyncError: `roles.sql` or a seed file cannot be read as UTF-8.
    """
    project = below(place, config.root)
    supabase = project / "supabase"
    (supabase / "migrations").mkdir(parents=True)
    (supabase / "config.toml").write_text(configuration(config), encoding="utf-8")
    roles = config.root / "supabase" / "roles.sql"
    if roles.is_file():
        _copy(roles, supabase / "roles.sql")
    for file in _seed_files(config) if seed else ():
        _copy(file, below(place, file))
    _write(supabase / "migrations", migrations)
    return project


def _write(folder: Path, migrations: Iterable[Migration]) -> None:
    """One file for each text, with as many names as migrations have it: a thousand names cost less than ten files."""
    written: dict[str, Path] = {}
    for migration in migrations:
        file = folder / migration.file_name
        first = written.setdefault(migration.sql, file)
        if first is file:
            write_sql(file, migration.sql)
        else:
            file.hardlink_to(first)


def _copy(file: Path, copy: Path) -> None:
    if file.suffix.lower() == ".sql":
        read_sql(file)  # the CLI would take U+FFFD for what is no UTF-8, and run that
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, copy)


def configuration(config: ConfigToml) -> str:
    """The `config.toml` of a call that names its database by URL."""
    schemas, major = config.get("api", "schemas"), config.number("db", "major_version")
    lines = [f"project_id = {_text(re.sub(r'[^a-zA-Z0-9_.-]+', '_', config.project_id) or 'sbsync')}"]
    if isinstance(schemas, list) and all(isinstance(schema, str) for schema in schemas):
        lines += ["[api]", f"schemas = {_text(schemas)}"]
    lines += ["[db]", f"port = {NO_STACK}"]
    lines += [f"major_version = {major}"] if major in MAJORS else []
    lines += ["[db.migrations]", f"enabled = {_text(config.switch('db', 'migrations', 'enabled'))}"]
    seeds = _patterns(config)
    lines += ["[db.seed]", f"enabled = {_text(bool(seeds))}", f"sql_paths = {_text(seeds)}"]
    return "\n".join(lines) + "\n"


def _text(value: object) -> str:
    """A TOML value; for texts, lists of them and booleans it is written as in JSON."""
    return json.dumps(value, ensure_ascii=False)


def below(place: Path, path: Path) -> Path:
    """Where a path is in the copy of the tree of files that a private folder holds."""
    return place / "tree" / path.relative_to(path.anchor)


def _patterns(config: ConfigToml) -> list[str]:
    """The patterns of the seed files, none of them with more steps upwards than lead to `/`."""
    own = str(config.root / "supabase")
    return [
        pattern if Path(pattern).is_absolute() else os.path.relpath(os.path.normpath(f"{own}/{pattern}"), own)
        for pattern in config.seeds
    ]


def _seed_files(config: ConfigToml) -> Iterator[Path]:
    """The files that the patterns may match: the CLI's `**` is a `*`, and of a folder all files below it count."""
    own = config.root / "supabase"
    for pattern in _patterns(config):
        if Path(pattern).is_absolute():  # read where it is
            continue
        wanted = Path(os.path.normpath(f"{glob.escape(str(own))}/{ONE_OF.sub('?', pattern).replace('**', '*')}"))
        for found in Path(wanted.anchor).glob(str(wanted.relative_to(wanted.anchor))):
            yield from (file for file in _files(found) if _may_be_copied(file, own))


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    for folder, _, names in os.walk(path):
        yield from (file for file in (Path(folder, name) for name in names) if file.is_file() and not file.is_symlink())


def _may_be_copied(file: Path, own: Path) -> bool:
    """Whether a seed file is no file that the CLI would take for settings or for a migration."""
    inside = file.relative_to(own).parts[0] if file.is_relative_to(own) else ""
    return inside not in NEVER_COPIED and not file.name.startswith(".env")
