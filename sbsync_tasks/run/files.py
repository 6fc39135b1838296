"""The migration files of a run: what the CLI would skip, writing them, and committing exactly them."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from .. import git
from ..checks import has_secret
from ..errors import RefusedError, SbsyncError
from ..folders import state_dir
from ..git import commits
from ..plan import Commit, Put, Write
from ..plan.goals import uncommitted
from ..state import InGit, State
from ..state.migrations import (
    DOWN,
    OLD_INIT,
    Folder,
    Migration,
    Skipped,
    migrations_dir,
    next_version,
    read_folder,
    read_sql,
    write_file,
    write_sql,
)
from ..state.same_sql import same
from .session import Done, Run

FOR_EVER = "A commit stays in git for ever: keep the value in Supabase Vault"
WHOLE = re.compile(r"(?P<version>[0-9]{14,}|[0-9]+(?=_))(?P<name>.*)", re.DOTALL)


def read_files(run: Run) -> Folder:
    """Read the folder; its sub-folders, and schemas declared beside it, are named once in a run."""
    folder = read_folder(run.settings.root)
    if folder.beside:
        run.say_once(f"left alone in supabase/migrations, as the CLI does: {', '.join(folder.beside)}")
    if run.settings.config.declares_schemas:
        run.say_once(
            "not looked at: the declared schemas in supabase/schemas. What they say counts once a migration says it, "
            "or the local database has it"
        )
    return folder


def problems(run: Run, folder: Folder) -> tuple[RefusedError, ...]:
    """What the CLI would skip, or fail at, each with its way out."""
    root = run.settings.root
    twice = (
        RefusedError(
            f"Version {version} stands on more than one file in supabase/migrations.",
            "The CLI would apply the first and fail at the second: `invoke resolve` explains and cures this.",
        )
        for version in folder.duplicates
    )
    ours = (RefusedError(f"supabase/migrations/{s.name} {s.why}.", way_out(root, folder, s)) for s in folder.misnamed)
    return (*twice, *ours)


def tell_skipped(run: Run, folder: Folder) -> None:
    """The same as warnings, where nothing is changed."""
    for problem in problems(run, folder):
        run.console.say(f"{problem.message} {problem.hint}", "warning")


def way_out(root: Path, folder: Folder, skipped: Skipped) -> str:
    """What happens to it as it is, and the command, to be run in the working directory."""
    path = migrations_dir(root) / skipped.name
    if not skipped.there:
        way = "bring that file back, or take the link out" if path.is_symlink() else "take it out"
        return f"The CLI would fail at it: {way}: {_command(path, None)}"
    if skipped.name.endswith(f"{DOWN}.sql"):
        return f"Put it elsewhere: {_command(path, migrations_dir(root).parent / path.name)}"
    if "/" not in skipped.name:
        target = path.with_name(_new_name(folder, path.name))
        return f"The CLI would skip it without a word: {_command(path, target)} (or move it elsewhere)."
    same = [s.name for s in folder.misnamed if s.name.startswith(f"{path.parent.name}/")]
    if len(same) == 1:
        target = path.parent.with_name(_new_name(folder, f"{path.parent.name}.sql"))
        return f"The CLI looks at no folder, and would skip it without a word: {_command(path, target)}"
    # What is run and what takes it back stand side by side: which is which is the user's to say.
    aside = _command(path.parent, migrations_dir(root).parent / path.parent.name)
    return (
        f"The CLI looks at no folder. Put what is to be run into {_new_name(folder, f'{path.parent.name}.sql')}, and "
        f"the folder elsewhere: {aside}"
    )


def _new_name(folder: Folder, name: str) -> str:
    """A well-formed name, with the version that stands in the old one where no other file has it."""
    stem = re.sub(r"\.sql$", "", name.strip(), flags=re.IGNORECASE)
    match = WHOLE.fullmatch(stem)
    taken = [m.version for m in folder.migrations]
    version = match["version"] if match and match["version"] not in taken else next_version(taken)
    rest = re.sub(r"[^A-Za-z0-9]+", "_", match["name"] if match else stem).strip("_") or "unnamed"
    return f"{version}_{'initial' if rest == OLD_INIT else rest}.sql"


def _command(path: Path, target: Path | None) -> str:
    """`git mv` where git has the file, else `mv`; without a target it is removed."""
    known = git.tracks(path)
    words = ["git"] if known else []
    words += ["mv" if target else "rm", "--", *(_from_here(p) for p in (path, target) if p)]
    return f"`{shlex.join(words)}`"


def _from_here(path: Path) -> str:
    """As it is reached from the working directory; git goes through no link."""
    return os.path.relpath(Path(os.path.realpath(path.parent)) / path.name, Path.cwd())


# --- writing them ---


def write_files(run: Run, _state: State, action: Write, _done: Done) -> None:
    """Write the new files; a renamed one keeps a copy under its old name in `.sbsync/replaced`.

    Each is one move, the latest first: cut off at any point, every migration is there under one of its names, and
    none that is pending stands before one that was pulled.
    """
    root = run.settings.root
    for old, new in sorted(action.renamed, reverse=True):
        write_file(root, new, old.file_name)
    renamed = {new for _, new in action.renamed}
    for migration in action.migrations:
        if migration not in renamed:
            write_file(root, migration)


def put_aside(run: Run, folder: str, migrations: Sequence[Migration]) -> str:
    """Write migrations into a folder of `.sbsync`, and no other one; what the files are called."""
    paths = [state_dir(run.settings.root, folder) / m.file_name for m in migrations]
    for path, migration in zip(paths, migrations, strict=True):
        write_sql(path, migration.sql)
    return ", ".join(f".sbsync/{folder}/{path.name}" for path in paths)


def put_file(run: Run, _state: State, action: Put, done: Done) -> None:
    """Write one file; what it takes the place of is kept."""
    kept = write_file(run.settings.root, action.migration, action.replaces)
    done.kept = (*done.kept, *([kept] if kept else []))


# --- committing them ---


def _paths(run: Run, migrations: Iterable[Migration]) -> list[Path]:
    return [migrations_dir(run.settings.root) / m.file_name for m in migrations]


def not_in_git(run: Run, migrations: Iterable[Migration]) -> list[Path]:
    """The files of these migrations that git does not have as they are; empty outside a repository."""
    there = (path for path in _paths(run, migrations) if path.exists())
    return list(run.in_git.lacking(there)) if run.in_git else []


def look_at_git(run: Run, state: State) -> State:
    """The same with what git has of the files, where they are to be committed."""
    if not run.options.commit or run.in_git is None:
        return state
    folder, git_has = migrations_dir(run.settings.root), run.in_git
    lacks = {path.name for path in not_in_git(run, state.folder.migrations)}
    had = {was.file_name for was, _ in state.renamed if git_has.had(folder / was.file_name)}
    secret = {m.file_name for m in state.folder.migrations if m.file_name in lacks and _holds_secret(run, m)}
    gone = git_has.renamed_away([folder / name for name in lacks - secret])
    return replace(
        state, in_git=InGit(frozenset(lacks), frozenset(had), frozenset(secret), tuple(path.name for path in gone))
    )


def check_commit(run: Run, state: State, migrations: Collection[Migration], otherwise: str) -> None:
    """Before anything is done: could the commit of these be made at its end?

    An SbsyncError says what stands against it (no identity, a merge in progress, migrations ignored, a credential),
    and `otherwise`, the way on without a commit.
    """
    if run.options.commit and migrations and run.in_git is None:
        run.console.say("This is not a git repository: the migrations will not be committed.", "warning")
    lacking = uncommitted(state, migrations) if run.options.commit else ()
    if not lacking:
        return
    with_secret = [m.file_name for m in lacking if _holds_secret(run, m)]
    if with_secret:
        raise RefusedError(
            f"{', '.join(with_secret)} holds what looks like a credential, and would be committed. "
            "Nothing was changed.",
            f"{FOR_EVER}; or {otherwise}.",
        )
    if run.in_git is None:
        return
    with _saying(otherwise):
        warnings = commits.check_ready(run.in_git.repository, _paths(run, lacking))
    for warning in warnings:
        run.console.say(warning, "warning")


def check_commit_early(run: Run, otherwise: str) -> None:
    """Before new migrations are made, which takes a while: could they be committed, as far as that needs no files?"""
    if run.options.commit and run.in_git:
        with _saying(otherwise):
            commits.check_who(run.in_git.repository)


@contextmanager
def _saying(otherwise: str) -> Iterator[None]:
    try:
        yield
    except SbsyncError as error:
        raise type(error)(f"{error.message} Nothing was changed.", f"{error.hint} Or {otherwise}.") from None


def _holds_secret(run: Run, migration: Migration) -> bool:
    """Whether it looks so, or a password or token of the settings stands in it."""
    return run.console.redact.holds(migration.sql) or has_secret(migration.sql)


def commit(run: Run, state: State, action: Commit, done: Done) -> None:
    """Commit those of these migrations that git does not have yet, and nothing else."""
    paths = [path for path in _paths(run, action.migrations) if path.exists()]
    repository = run.in_git.repository if run.in_git else git.needed(run.settings.root)
    made = commits.commit(repository, paths, action.message)
    done.committed, done.rewritten = made, _rewritten(run, made, state.files)


def _rewritten(run: Run, made: commits.Committed, migrations: Iterable[Migration]) -> tuple[str, ...]:
    """The files that a hook has changed beyond blanks, comments and the case of keywords, which count for nothing."""
    before = {m.file_name: m.sql for m in migrations}
    changed = ((run.settings.root / name, before.get(Path(name).name)) for name in made.rewritten)
    return tuple(
        path.name for path, old in changed if old is not None and path.is_file() and not same(old, read_sql(path))
    )


def told_rewritten(names: Iterable[str]) -> tuple[str, str]:
    """What these mean that a hook has changed, and what to do, a sentence or two each."""
    return (
        f"A hook changed what {', '.join(names)} does: git has another text now than the one that was reviewed, and "
        "than any database has that recorded it.",
        "Let the hook leave these files alone (with pre-commit: `exclude: ^supabase/migrations/`); then `invoke "
        "resolve` brings back the text that the databases have, and `invoke commit` commits it.",
    )
