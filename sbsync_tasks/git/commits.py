"""Whether a commit could be made now, and one commit of exactly the given files: what else is staged stays as it is."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import ConfigError, RefusedError, SbsyncError
from ..state.migrations import migrations_dir
from . import Repository, ask, find_repository, literal, must, tail, unreadable

# What stands in the git directory while something waits for its end: gitrepository-layout(5).
HALF_DONE = {
    "MERGE_HEAD": ("merge", "git merge"),
    "CHERRY_PICK_HEAD": ("cherry-pick", "git cherry-pick"),
    "REVERT_HEAD": ("revert", "git revert"),
    "rebase-merge": ("rebase", "git rebase"),
    "rebase-apply": ("rebase", "git rebase"),
}
PROBE = "20000101000000_probe.sql"  # a migration that is not there, which git can be asked about


@dataclass(frozen=True)
class Committed:
    """What `commit` did.

    Attributes:
        commit: The short hash; empty when there was nothing to commit.
        files: What the commit holds, relative to the project's root; a hook may have added to it.
        rewritten: Those of the given files whose text a hook has changed: not what was reviewed.
    """

    commit: str
    files: tuple[str, ...]
    rewritten: tuple[str, ...] = ()


def check_ready(repository: Repository, files: Sequence[Path] = ()) -> tuple[str, ...]:
    """Look whether a migration could be committed now.

    Args:
        repository: The repository.
        files: Those that will be, whether or not they are there yet.

    Returns:
        Warnings: sentences about what does not prevent a commit.

    Raises:
        ConfigError: no identity, or migrations are ignored or outside of the repository.
        RefusedError: a merge, rebase, cherry-pick or revert is waiting for its end. git makes no
            partial commit in a merge, and in the others one would end the user's own work.
    """
    check_who(repository)
    names = [
        repository.name(migrations_dir(repository.root) / PROBE),
        *(part for file in files for part in repository.parts(file)),
    ]
    _refuse_elsewhere(repository, names)
    _refuse_ignored(repository, names)
    if not (repository.folder / "HEAD").read_text(encoding="utf-8").startswith("ref:"):
        return ("HEAD is detached: a commit would be on no branch. `git switch -c NAME` makes one.",)
    return ()


def check_who(repository: Repository) -> None:
    """The part of it that needs no files, and is asked of git once.

    Raises:
        ConfigError: no identity.
        RefusedError: as for `check_ready`.
    """
    _refuse_half_done(repository)
    if repository.lacks_identity:
        raise ConfigError(
            "git does not know who commits: user.name or user.email is not set.",
            'git config user.name "Your Name" && git config user.email you@example.org',
        )


def _refuse_half_done(repository: Repository) -> None:
    for name, (what, command) in HALF_DONE.items():
        if (repository.folder / name).exists():
            raise RefusedError(
                f"A {what} is in progress in {repository.root}: nothing is committed in the middle of it.",
                f"Finish it (`{command} --continue`) or give it up (`{command} --abort`).",
            )


def _refuse_elsewhere(repository: Repository, names: Sequence[str]) -> None:
    for folder in dict.fromkeys(str(Path(name).parent) for name in names):
        if not repository.holds(folder):
            place = Path(os.path.normpath(repository.root / folder))
            owner = find_repository(next(p for p in (place, *place.parents) if p.is_dir()))
            which = f"that of {owner.top}, a repository of its own" if owner else "outside of it"
            raise ConfigError(
                f"{place} is not part of the repository {repository.top}: it is {which}.",
                f"Commit in {owner.top} yourself." if owner else "Bring it into the repository.",
            )


def _refuse_ignored(repository: Repository, names: Sequence[str]) -> None:
    """A rule with `!` takes files out of others; one within a folder that is ignored itself is not looked at."""
    given = "".join(f"{name}\0" for name in names).encode()
    answer = ask(repository.root, "check-ignore", "--verbose", "-z", "--stdin", given=given)
    if answer.code > 1:
        raise SbsyncError(f"git check-ignore failed in {repository.root}:\n{tail(answer.said)}")
    told = os.fsdecode(answer.output).split("\0")
    if answer.code == 0 and (len(told) == 1 or len(told) % 4 != 1):
        raise unreadable("check-ignore")
    for source, line, pattern, name in zip(told[::4], told[1::4], told[2::4], told[3::4], strict=False):
        if pattern.startswith("!"):
            continue
        where = str(Path(name).parent)
        shut = ask(repository.root, "check-ignore", "--quiet", "--", where).code == 0
        own = not shut and source == ".gitignore" and not where.startswith("..")
        raise ConfigError(
            f"git ignores {os.path.normpath(repository.root / where)} (rule {source}:{line}:{pattern}).",
            f"Take the rule out{f', or add `!{where}/*.sql` after it' if own else ''}.",
        )


def commit(repository: Repository, files: Sequence[Path], message: str) -> Committed:
    """Commit exactly these files; whatever else is staged or changed stays as it is.

    Hooks run. What one of them stages is committed too, as with `git commit` itself. Where one of the files was
    given another name, the old one goes with the same commit.

    Args:
        repository: The repository.
        files: Absolute paths, or paths relative to the root; the work tree's text is committed.
        message: The commit's message.

    Returns:
        The commit, or one with an empty hash when HEAD has all of it already.

    Raises:
        ConfigError, RefusedError: as `check_ready`.
        SbsyncError: git or a hook refused; nothing was committed and the index is as before. Or a hook has taken a
            file out of the commit.
    """
    _refuse_half_done(repository)
    now = repository.look()
    pending = now.lacking(files)
    names = list(dict.fromkeys(p for file in (*pending, *now.renamed_away(pending)) for p in repository.parts(file)))
    _refuse_elsewhere(repository, names)
    if not names:
        return Committed("", ())
    before = _texts(repository, names)
    _commit_only(repository, before, message)
    rewritten = _rewritten(repository, before)
    if rewritten:
        # `commit --only` puts the text from before the hooks into the index: without this, a file that
        # a hook has formatted and staged would stand there as a staged step back.
        ask(repository.root, "reset", "--quiet", "--", *literal(names))
    made = _last(repository, rewritten)
    lacking = [file.name for file in pending if set(repository.parts(file)).isdisjoint(made.files)]
    if lacking:
        raise SbsyncError(
            f"git's commit {made.commit} does not have {', '.join(lacking)}: a hook has taken that out.",
            "Let the hook leave these files alone (with pre-commit: `exclude: ^supabase/migrations/`); then "
            "`invoke resolve` brings back what is gone, and `invoke commit` commits it.",
        )
    return made


def _commit_only(repository: Repository, before: Mapping[str, bytes], message: str) -> None:
    """Announce new files to the index, commit, and take that back if it does not end well."""
    names = list(before)
    known = must(repository.root, "ls-files", "-z", "--", *literal(names)).names
    # A removal that is staged already stands in no index, and cannot be announced.
    new = [name for name in names if name not in known and (repository.root / name).exists()]
    try:
        if new:
            # In a sparse checkout, new files count wherever they are.
            sparse = ["--sparse"] if (repository.folder / "info" / "sparse-checkout").exists() else []
            must(repository.root, "add", "--intent-to-add", *sparse, "--", *literal(new))
        answer = ask(repository.root, "commit", "--only", "--message", message, "--", *literal(names))
        if answer.code:
            raise _refused(repository, answer.said, _rewritten(repository, before))
    except BaseException:
        _take_back(repository, new)
        raise


def _take_back(repository: Repository, names: Sequence[str]) -> None:
    """Remove from the index what is only announced; a committed file is no longer only that."""
    if not names:
        return
    listed = ask(repository.root, "status", "--porcelain", "-z", "--no-renames", "--", *literal(names)).names
    if any(entry.startswith(" A ") for entry in listed):
        ask(repository.root, "update-index", "--force-remove", "--", *names)


def _refused(repository: Repository, text: str, rewritten: Sequence[str]) -> SbsyncError:
    signing = ask(repository.root, "config", "--type=bool", "commit.gpgsign").output.strip() == b"true"
    if signing and "failed to write commit object" in text:
        hint = (
            "Commits are signed here (commit.gpgsign) and signing failed: check user.signingkey "
            "and that its key can be used without a terminal, or commit the files yourself."
        )
    elif rewritten:
        hint = f"A hook changed {', '.join(rewritten)}: look at the change, then run again."
    else:
        hint = "Fix what git or its hook reports, then run again; the files stay where they are."
    return SbsyncError(f"git did not commit; nothing was changed in git. It said:\n{tail(text)}", hint)


def _texts(repository: Repository, names: Iterable[str]) -> dict[str, bytes]:
    paths = {name: repository.root / name for name in names}
    return {name: path.read_bytes() if path.is_file() else b"" for name, path in paths.items()}


def _rewritten(repository: Repository, before: Mapping[str, bytes]) -> tuple[str, ...]:
    now = _texts(repository, before)
    return tuple(name for name, text in before.items() if now[name] != text)


def _last(repository: Repository, rewritten: tuple[str, ...]) -> Committed:
    """The last commit and what it changed; the first commit of all changed everything."""
    asked = ("log", "-1", "--no-show-signature", "--root", "--format=%h", "--name-only", "--no-renames", "-z")
    short, *files = [name.strip("\n") for name in must(repository.root, *asked, "HEAD").names] or [""]
    if not re.fullmatch("[0-9a-f]+", short):
        raise unreadable("log")
    return Committed(short, tuple(os.path.relpath(name, repository.prefix or ".") for name in files), rewritten)
