"""The `config.toml` that a call of the CLI sees, with the folder around it, and what the CLI refuses in the user's.

Nothing in the folder of a call leads to the user's tree. It lies below the call's private folder as the real project
lies below `/`, so that paths of seed files that lead above the project mean the same; of the files there it has copies
of those that the patterns may match, and which of them do match is left to the CLI.

What the CLI refuses in the user's file, it names one key at a time: so that key is taken out of a copy, and the CLI is
asked again until it takes the rest.
"""

from __future__ import annotations

import copy
import glob
import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..folders import private_tempdir
from ..settings.project import NAME, ConfigToml
from ..state.migrations import Migration, read_sql, write_sql

if TYPE_CHECKING:
    from . import LocalStackCli

# The CLI takes any database that listens on this machine at the port of its config.toml for its own stack, and a
# reset then asks Docker for it. No database listens here.
NO_STACK = 1
MAJORS = (15, 17)  # others are refused by the CLI
# Within a pattern: an escaped character, or one out of a set. `?` stands for both.
ONE_OF = re.compile(r"\\.|\[[^\]]*\]")
NEVER_COPIED = ("config.toml", "migrations", ".temp", ".branches")
# Where the CLI gives the place apart from the sentence: `at ["db"]["port"]`.
_PLACE = re.compile(r'\n\s*at ((?:\["[^"\n]*"\])+)')
_KEY = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")
# `[old]: use [new] instead.`, a line for each.
_ONE_OF_MANY = re.compile(r"\n\s*(\[[^\]\n]+\]): u(se .+)")
_LEAD = re.compile(r"^failed (?:to read|reading) config: ", re.IGNORECASE)


def fill(place: Path, config: ConfigToml, migrations: Iterable[Migration], *, seed: bool = False) -> Path:
    """Make the project folder for one call in its private folder: with exactly these migrations, and seeds if asked.

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
    for file in seed_files(config) if seed else ():
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
    lines = [f"project_id = {_toml(re.sub(r'[^a-zA-Z0-9_.-]+', '_', config.project_id) or 'sbsync')}"]
    if isinstance(schemas, list) and all(isinstance(schema, str) for schema in schemas):
        lines += ["[api]", f"schemas = {_toml(schemas)}"]
    lines += ["[db]", f"port = {NO_STACK}"]
    lines += [f"major_version = {major}"] if major in MAJORS else []
    lines += ["[db.migrations]", f"enabled = {_toml(config.switch('db', 'migrations', 'enabled'))}"]
    seeds = _patterns(config)
    lines += ["[db.seed]", f"enabled = {_toml(bool(seeds))}", f"sql_paths = {_toml(seeds)}"]
    return "\n".join(lines) + "\n"


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


def seed_files(config: ConfigToml, *, absolute: bool = False) -> Iterator[Path]:
    """The files that the patterns may match: the CLI's `**` is a `*`, and of a folder all files below it count.

    Args:
        config: The user's `config.toml`.
        absolute: With those that absolute patterns match, which the CLI reads where they are.
    """
    own = config.root / "supabase"
    for pattern in _patterns(config):
        if Path(pattern).is_absolute() and not absolute:
            continue
        wanted = Path(os.path.normpath(Path(glob.escape(str(own)), ONE_OF.sub("?", pattern).replace("**", "*"))))
        for found in Path(wanted.anchor).glob(str(wanted.relative_to(wanted.anchor))):
            yield from (file for file in _files(found) if _may_be_copied(file, own))


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    for folder, _, inside in os.walk(path):
        yield from (
            file for file in (Path(folder, name) for name in inside) if file.is_file() and not file.is_symlink()
        )


def _may_be_copied(file: Path, own: Path) -> bool:
    """Whether a seed file is no file that the CLI would take for settings or for a migration."""
    inside = file.relative_to(own).parts[0] if file.is_relative_to(own) else ""
    return inside not in NEVER_COPIED and not file.name.startswith(".env")


# --- what the CLI refuses ---


@dataclass(frozen=True)
class Refusal:
    """One thing in the file that the CLI does not take; on line 0 where the CLI does not say what it is about."""

    line: int
    what: str
    fix: str


def refused_keys(cli: LocalStackCli, config: ConfigToml) -> tuple[Refusal, ...]:
    """Everything that stops the CLI from reading the file, in the order in which it comes upon it.

    Raises:
        CliError: its answer cannot be read.
    """
    said, found, data = cli.refusal(), [], copy.deepcopy(dict(config.data))
    with private_tempdir() as place:

        def ask(part: Mapping[str, Any]) -> str:
            return cli.elsewhere(ConfigToml(_written(place, config, part))).refusal()

        while said:
            text = _plain(said, config).replace(f"{place / 'tree'}/", "/")
            path = _path(text, data) or _searched(data, ask, said)
            found.append(_refusal(config, path, text))
            if not path:
                break
            _take_out(data, path)
            said = ask(data)
    return tuple(found)


def _plain(said: str, config: ConfigToml) -> str:
    """One refusal as one sentence, without the values of variables: they may be secrets."""
    for name in config.variables:
        if value := config.variable(name):
            said = said.replace(f'"{value}"', f'"env({name})"')
    first = _ONE_OF_MANY.search(said)
    return f"{first[1]} is no longer supported. U{first[2]}" if first else said


def _path(said: str, data: Mapping[str, Any]) -> tuple[str, ...]:
    """The key that an error is about, as far as it is in the file: of one that is missing, the table it belongs to."""
    place = _PLACE.search(said)
    named = [tuple(re.findall(r'\["([^"]*)"\]', place[1]))] if place else []
    named += [tuple(word.split(".")) for word in _KEY.findall(said)]
    return next(filter(None, (_there(path, data) for path in named)), ())


def _searched(data: Mapping[str, Any], ask: Callable[[dict[str, Any]], str], said: str) -> tuple[str, ...]:
    """The first key that is refused so where it stands alone: 2.115.0 does not say which one it means."""
    found = next((key for key, value in data.items() if ask({key: value}) == said), None)
    if found is None:
        return ()
    inner = data[found]
    return (found, *(_searched(inner, lambda part: ask({found: part}), said) if isinstance(inner, dict) else ()))


def _there(path: tuple[str, ...], data: Mapping[str, Any]) -> tuple[str, ...]:
    if not path or path[0] not in data:
        return ()
    below_it = data[path[0]]
    return (path[0], *(_there(path[1:], below_it) if isinstance(below_it, dict) else ()))


def _refusal(config: ConfigToml, path: tuple[str, ...], said: str) -> Refusal:
    text = _LEAD.sub("", _PLACE.sub("", said)).replace(f" in {NAME}", "").strip()
    what, use, instead = text.partition(" Use ")
    key = ".".join(path)
    what = what if key in what else f"{key}: {what}"
    value = config.raw(*path)
    variable = re.fullmatch(r"env\((.*)\)", value) if isinstance(value, str) else None
    if use:
        fix = f"Use {instead}"
    elif variable:
        fix = f"Set {variable[1]} in supabase/.env or in the environment, or write the value itself."
    elif key.endswith("_path"):
        fix = "Correct the path, or put the file there."
    else:
        fix = "Correct it, or take it out."
    return Refusal(config.line(*path), what, fix)


def _take_out(data: dict[str, Any], path: tuple[str, ...]) -> None:
    for key in path[:-1]:
        data = data[key]
    del data[path[-1]]


def _written(place: Path, config: ConfigToml, data: Mapping[str, Any]) -> Path:
    """A copy of the project as far as the file leads to it."""
    root = below(place, config.root)
    shutil.rmtree(place / "tree", ignore_errors=True)
    (root / "supabase").mkdir(parents=True)
    for base in (config.root, config.root / "supabase"):
        named = (Path(os.path.normpath(base / text)) for text in _texts(data) if _leads_on(text))
        for file in (*base.glob(".env*"), *named):
            if file.is_file() and not below(place, file).exists():
                below(place, file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, below(place, file))
    lines = [f"{json.dumps(key)} = {_toml(value)}" for key, value in data.items()]
    (root / NAME).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return root


def _leads_on(text: str) -> bool:
    return bool(text) and "\0" not in text and not Path(text).is_absolute()


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(part)


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_toml(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str | bool | int | float) else str(value)
