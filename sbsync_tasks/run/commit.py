"""Committing exactly the migration files of a run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from .. import git
from ..checks import has_secret
from ..errors import RefusedError, SbsyncError
from ..git import commits
from ..plan import Commit
from ..plan.goals import uncommitted
from ..state import InGit, State
from ..state.migrations import Migration, migrations_dir, read_sql
from ..state.same_sql import same
from .session import Done, Run

FOR_EVER = "A commit stays in git for ever: keep the value in Supabase Vault"


def not_in_git(run: Run, migrations: Iterable[Migration]) -> list[Path]:
    """The files of these migrations that git does not have as they are; empty outside a repository."""
    folder = migrations_dir(run.settings.root)
    paths = [folder / m.file_name for m in migrations]
    return list(run.in_git.lacking(p for p in paths if p.exists())) if run.in_git else []


def look(run: Run, state: State) -> State:
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


def check(run: Run, state: State, migrations: Collection[Migration], otherwise: str) -> None:
    """Before anything is done: could the commit of these be made at its end?

    Args:
        run: The run.
        state: What is known.
        migrations: What will be committed.
        otherwise: The way on without a commit.

    Raises:
        SbsyncError: it could not (no identity, a merge in progress, migrations ignored).
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
    folder = migrations_dir(run.settings.root)
    with _saying(otherwise):
        warnings = commits.check_ready(run.in_git.repository, [folder / m.file_name for m in lacking])
    for warning in warnings:
        run.console.say(warning, "warning")


def check_early(run: Run, otherwise: str) -> None:
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
    folder = migrations_dir(run.settings.root)
    paths = [folder / m.file_name for m in action.migrations]
    repository = run.in_git.repository if run.in_git else git.needed(run.settings.root)
    made = commits.commit(repository, [p for p in paths if p.exists()], action.message)
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
