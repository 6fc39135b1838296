"""What the tasks ask of git: is it ready, what does it have, one commit of exactly the given files.

A question costs a process, so the repository is found once, and one look answers for all migration files.

git and the hooks that it runs get no secret: their environment is made from a list of names. What
git found is read from exit codes and NUL-separated output; sentences only explain a failure.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from .. import process
from ..errors import ConfigError, MissingToolError, RefusedError, SbsyncError
from ..process import Completed
from ..state.migrations import migrations_dir

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# No question on the terminal, and messages in English, so that a failed signature is known.
SETTINGS = {"GIT_TERMINAL_PROMPT": "0", "LANGUAGE": "en"}
# What stands in the git directory while something waits for its end: gitrepository-layout(5).
HALF_DONE = {
    "MERGE_HEAD": ("merge", "git merge"),
    "CHERRY_PICK_HEAD": ("cherry-pick", "git cherry-pick"),
    "REVERT_HEAD": ("revert", "git revert"),
    "rebase-merge": ("rebase", "git rebase"),
    "rebase-apply": ("rebase", "git rebase"),
}
# What git says where there is simply no work tree; any other failure is one.
NO_REPOSITORY = re.compile(r"not a git repository|must be run in a work tree|cannot change to .*: No such file")
# A line of `git ls-tree`.
TREE_ENTRY = re.compile(r"[0-7]{6} (blob|tree|commit) (?P<hash>[0-9a-f]{40,64})\t(?P<name>.+)", re.DOTALL)
LAST_LINES = 20
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


def _git(root: Path, *args: str, given: bytes = b"") -> Completed:
    """Run git in `root`, without a terminal, with `given` to read; a failure is the caller's to judge.

    Raises:
        MissingToolError: git is not there.
    """
    try:
        return process.run(["git", "-C", str(root), *args], sees=process.PERSONAL, env=SETTINGS, given=given)
    except MissingToolError:
        raise MissingToolError("git was not found.", "Install git, or put it on PATH.") from None


def must(root: Path, *args: str, given: bytes = b"") -> Completed:
    """Run git and take a failure for an error of its own, with what git said."""
    answer = _git(root, *args, given=given)
    if answer.code:
        raise SbsyncError(f"git {args[0]} failed in {root}:\n{_tail(answer.said)}")
    return answer


def unreadable(what: str) -> SbsyncError:
    """An error: git ended well, and its answer is not one."""
    return SbsyncError(
        f"git ended without an error, and its answer to `git {what}` cannot be read.",
        "Is `git` on PATH the real one? Run the command by hand; nothing is concluded from such an answer.",
    )


def _tail(text: str) -> str:
    return "\n".join(text.splitlines()[-LAST_LINES:])


def repository(root: Path) -> Repository | None:
    """The repository that the project's migrations are in; None when they are in none.

    Args:
        root: The project's root; it may be a folder inside the repository.

    Raises:
        MissingToolError: git is not there.
        ConfigError: git refuses the repository because another user owns it (as in containers).
        SbsyncError: git cannot read the repository.
    """
    asked = ("rev-parse", "--show-toplevel", "--absolute-git-dir", "--show-prefix")
    answer = _git(root, *asked)
    if answer.code and "safe.directory" in answer.said:
        raise ConfigError(
            f"git refuses to work in {root}: the repository belongs to another user.",
            f"If you trust it: git config --global --add safe.directory '{root.resolve()}'",
        )
    if answer.code and NO_REPOSITORY.search(answer.said):
        return None
    if answer.code:
        raise SbsyncError(f"git cannot work in {root}:\n{_tail(answer.said)}")
    try:
        top, folder, prefix = os.fsdecode(answer.output).removesuffix("\n").split("\n")
    except ValueError:
        raise unreadable(" ".join(asked)) from None
    if not (top and folder):
        raise unreadable(" ".join(asked))
    return Repository(root, Path(top), Path(folder), prefix)


def needed(root: Path) -> Repository:
    """The same, where there has to be one.

    Raises:
        ConfigError: there is none.
    """
    found = repository(root)
    if found is None:
        raise ConfigError(
            f"{root} is not in a git repository.",
            "Run `git init` there, or leave the commit out.",
        )
    return found


@dataclass(frozen=True)
class Repository:
    """The repository of a project.

    Attributes:
        root: The project's root.
        top: The top level of the work tree.
        folder: The git directory.
        prefix: The way from `top` to `root`; empty, or with a slash at its end.
    """

    root: Path
    top: Path
    folder: Path
    prefix: str

    def name(self, file: Path) -> str:
        """A file's way from the root, through no link: git goes through none."""
        path = self.root / file
        if path.parent not in self._folders:  # a look asks for each migration
            self._folders[path.parent] = os.path.relpath(os.path.realpath(path.parent), os.path.realpath(self.root))
        return str(Path(self._folders[path.parent], path.name))

    @cached_property
    def _folders(self) -> dict[Path, str]:
        """The ways of folders from the root, as far as somebody has asked."""
        return {}

    def parts(self, file: Path) -> list[str]:
        """What git has to have of a file: the file, and where it is a link, what it leads to."""
        found = [self.name(file)]
        while (path := self.root / found[-1]).is_symlink() and path.exists():
            found.append(self.name(path.parent / path.readlink()))
        return found

    @property
    def migrations(self) -> str:
        """The folder of the migrations, from the root on."""
        return str(Path(self.name(migrations_dir(self.root) / "x")).parent)

    def holds(self, folder: str) -> bool:
        """Whether a folder belongs to this repository, and not to a submodule, another one, or none."""
        here, top = Path(os.path.realpath(self.root / folder)), Path(os.path.realpath(self.top))
        between = [place for place in (here, *here.parents) if place != top and place.is_relative_to(top)]
        return here.is_relative_to(top) and not any((place / ".git").exists() for place in between)

    def look(self) -> Migrations:
        """What git has of the migration files, at this moment."""
        files = [f for f in sorted(migrations_dir(self.root).glob("*.sql")) if f.is_file() or f.is_symlink()]
        names = list(dict.fromkeys(name for file in files for name in self.parts(file)))
        folders = dict.fromkeys([self.migrations, *(str(Path(name).parent) for name in names)])
        held = [folder for folder in folders if self.holds(folder)]
        tree = self._in_tree([name for name in names if str(Path(name).parent) in held and (self.root / name).exists()])
        return Migrations(self, self._in_head([f"{folder}/" for folder in held]) if held else {}, tree)

    def _in_tree(self, names: Sequence[str]) -> dict[str, str]:
        """The hash that each file would be stored under, after git's filters for it; a link is its text."""
        links = [name for name in names if (self.root / name).is_symlink()]
        files = [name for name in names if name not in links]
        found = must(self.root, "hash-object", "--", *files).output.decode().split() if files else []
        if len(found) != len(files):
            raise unreadable("hash-object")
        return dict(zip(files, found, strict=True)) | {name: self._hash_of_link(self.root / name) for name in links}

    def _hash_of_link(self, link: Path) -> str:
        """As gitformat-pack(5) and the repository's kind of hash have it."""
        what = ("rev-parse", "--show-object-format")
        kind, text = must(self.root, *what).said, os.fsencode(link.readlink())
        if kind not in hashlib.algorithms_available:
            raise unreadable(" ".join(what))
        return hashlib.new(kind, b"blob %d\0" % len(text) + text).hexdigest()

    def _in_head(self, folders: Sequence[str]) -> dict[str, str]:
        """The hash of each file in HEAD; a branch without commits has none."""
        answer = _git(self.root, "ls-tree", "-z", "HEAD", "--", *folders)
        if answer.code and _git(self.root, "rev-parse", "--quiet", "--verify", "HEAD").code:
            return {}
        found = [TREE_ENTRY.fullmatch(line) for line in answer.names]
        if answer.code or not all(found):
            raise unreadable("ls-tree")
        return {entry["name"]: entry["hash"] for entry in found if entry}

    def check_ready(self, files: Sequence[Path] = ()) -> tuple[str, ...]:
        """Look whether a migration could be committed now.

        Args:
            files: Those that will be, whether or not they are there yet.

        Returns:
            Warnings: sentences about what does not prevent a commit.

        Raises:
            ConfigError: no identity, or migrations are ignored or outside of the repository.
            RefusedError: a merge, rebase, cherry-pick or revert is waiting for its end. git makes no
                partial commit in a merge, and in the others one would end the user's own work.
        """
        self.check_who()
        names = [self.name(migrations_dir(self.root) / PROBE), *(part for file in files for part in self.parts(file))]
        self._refuse_elsewhere(names)
        self._refuse_ignored(names)
        if not (self.folder / "HEAD").read_text(encoding="utf-8").startswith("ref:"):
            return ("HEAD is detached: a commit would be on no branch. `git switch -c NAME` makes one.",)
        return ()

    def check_who(self) -> None:
        """The part of it that needs no files, and is asked of git once.

        Raises:
            ConfigError: no identity.
            RefusedError: as for `check_ready`.
        """
        self._refuse_half_done()
        _ = self._named

    def _refuse_half_done(self) -> None:
        for name, (what, command) in HALF_DONE.items():
            if (self.folder / name).exists():
                raise RefusedError(
                    f"A {what} is in progress in {self.root}: nothing is committed in the middle of it.",
                    f"Finish it (`{command} --continue`) or give it up (`{command} --abort`).",
                )

    @cached_property
    def _named(self) -> bool:
        for ident in ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"):
            if _git(self.root, "var", ident).code:
                raise ConfigError(
                    "git does not know who commits: user.name or user.email is not set.",
                    'git config user.name "Your Name" && git config user.email you@example.org',
                )
        return True

    def _refuse_elsewhere(self, names: Sequence[str]) -> None:
        for folder in dict.fromkeys(str(Path(name).parent) for name in names):
            if not self.holds(folder):
                place = Path(os.path.normpath(self.root / folder))
                owner = repository(next(p for p in (place, *place.parents) if p.is_dir()))
                which = f"that of {owner.top}, a repository of its own" if owner else "outside of it"
                raise ConfigError(
                    f"{place} is not part of the repository {self.top}: it is {which}.",
                    f"Commit in {owner.top} yourself." if owner else "Bring it into the repository.",
                )

    def _refuse_ignored(self, names: Sequence[str]) -> None:
        """A rule with `!` takes files out of others; one within a folder that is ignored itself is not looked at."""
        given = "".join(f"{name}\0" for name in names).encode()
        answer = _git(self.root, "check-ignore", "--verbose", "-z", "--stdin", given=given)
        if answer.code > 1:
            raise SbsyncError(f"git check-ignore failed in {self.root}:\n{_tail(answer.said)}")
        told = os.fsdecode(answer.output).split("\0")
        if answer.code == 0 and (len(told) == 1 or len(told) % 4 != 1):
            raise unreadable("check-ignore")
        for source, line, pattern, name in zip(told[::4], told[1::4], told[2::4], told[3::4], strict=False):
            if pattern.startswith("!"):
                continue
            where = str(Path(name).parent)
            shut = _git(self.root, "check-ignore", "--quiet", "--", where).code == 0
            own = not shut and source == ".gitignore" and not where.startswith("..")
            raise ConfigError(
                f"git ignores {os.path.normpath(self.root / where)} (rule {source}:{line}:{pattern}).",
                f"Take the rule out{f', or add `!{where}/*.sql` after it' if own else ''}.",
            )

    def commit(self, files: Sequence[Path], message: str) -> Committed:
        """Commit exactly these files; whatever else is staged or changed stays as it is.

        Hooks run. What one of them stages is committed too, as with `git commit` itself. Where one of the files was
        given another name, the old one goes with the same commit.

        Args:
            files: Absolute paths, or paths relative to the root; the work tree's text is committed.
            message: The commit's message.

        Returns:
            The commit, or one with an empty hash when HEAD has all of it already.

        Raises:
            ConfigError, RefusedError: as `check_ready`.
            SbsyncError: git or a hook refused; nothing was committed and the index is as before. Or a hook has taken a
                file out of the commit.
        """
        self._refuse_half_done()
        now = self.look()
        pending = now.lacking(files)
        names = list(dict.fromkeys(p for file in (*pending, *now.renamed_away(pending)) for p in self.parts(file)))
        self._refuse_elsewhere(names)
        if not names:
            return Committed("", ())
        before = self._texts(names)
        self._commit_only(before, message)
        rewritten = self._rewritten(before)
        if rewritten:
            # `commit --only` puts the text from before the hooks into the index: without this, a file that
            # a hook has formatted and staged would stand there as a staged step back.
            _git(self.root, "reset", "--quiet", "--", *literal(names))
        made = self._last(rewritten)
        self._refuse_incomplete(made, pending)
        return made

    def _refuse_incomplete(self, made: Committed, files: Iterable[Path]) -> None:
        lacking = [file.name for file in files if set(self.parts(file)).isdisjoint(made.files)]
        if lacking:
            raise SbsyncError(
                f"git's commit {made.commit} does not have {', '.join(lacking)}: a hook has taken that out.",
                "Let the hook leave these files alone (with pre-commit: `exclude: ^supabase/migrations/`); then "
                "`invoke resolve` brings back what is gone, and `invoke commit` commits it.",
            )

    def _commit_only(self, before: Mapping[str, bytes], message: str) -> None:
        """Announce new files to the index, commit, and take that back if it does not end well."""
        names = list(before)
        known = must(self.root, "ls-files", "-z", "--", *literal(names)).names
        # A removal that is staged already stands in no index, and cannot be announced.
        new = [name for name in names if name not in known and (self.root / name).exists()]
        try:
            if new:
                must(self.root, "add", "--intent-to-add", *self._sparse(), "--", *literal(new))
            answer = _git(self.root, "commit", "--only", "--message", message, "--", *literal(names))
            if answer.code:
                raise self._refused(answer.said, self._rewritten(before))
        except BaseException:
            self._take_back(new)
            raise

    def _sparse(self) -> list[str]:
        """In a sparse checkout, new files count wherever they are."""
        return ["--sparse"] if (self.folder / "info" / "sparse-checkout").exists() else []

    def _take_back(self, names: Sequence[str]) -> None:
        """Remove from the index what is only announced; a committed file is no longer only that."""
        if not names:
            return
        listed = _git(self.root, "status", "--porcelain", "-z", "--no-renames", "--", *literal(names)).names
        if any(entry.startswith(" A ") for entry in listed):
            _git(self.root, "update-index", "--force-remove", "--", *names)

    def _refused(self, text: str, rewritten: Sequence[str]) -> SbsyncError:
        signing = _git(self.root, "config", "--type=bool", "commit.gpgsign").output.strip() == b"true"
        if signing and "failed to write commit object" in text:
            hint = (
                "Commits are signed here (commit.gpgsign) and signing failed: check user.signingkey "
                "and that its key can be used without a terminal, or commit the files yourself."
            )
        elif rewritten:
            hint = f"A hook changed {', '.join(rewritten)}: look at the change, then run again."
        else:
            hint = "Fix what git or its hook reports, then run again; the files stay where they are."
        return SbsyncError(f"git did not commit; nothing was changed in git. It said:\n{_tail(text)}", hint)

    def _texts(self, names: Sequence[str]) -> dict[str, bytes]:
        paths = {name: self.root / name for name in names}
        return {name: path.read_bytes() if path.is_file() else b"" for name, path in paths.items()}

    def _rewritten(self, before: Mapping[str, bytes]) -> tuple[str, ...]:
        now = self._texts(list(before))
        return tuple(name for name, text in before.items() if now[name] != text)

    def _last(self, rewritten: tuple[str, ...]) -> Committed:
        """The last commit and what it changed; the first commit of all changed everything."""
        asked = ("log", "-1", "--no-show-signature", "--root", "--format=%h", "--name-only", "--no-renames", "-z")
        short, *files = [name.strip("\n") for name in must(self.root, *asked, "HEAD").names] or [""]
        if not re.fullmatch("[0-9a-f]+", short):
            raise unreadable("log")
        return Committed(short, tuple(os.path.relpath(name, self.prefix or ".") for name in files), rewritten)


@dataclass(frozen=True)
class Migrations:
    """What git and the work tree had of the migration files at one moment.

    Attributes:
        repository: The repository.
        head: The hash of each file's text in HEAD, by its name.
        tree: That of its text in the work tree.
    """

    repository: Repository
    head: Mapping[str, str]
    tree: Mapping[str, str]

    def lacking(self, files: Iterable[Path]) -> tuple[Path, ...]:
        """Those of the files that HEAD does not have, or has with another text, staged or not.

        A file that was written since then is one of them.

        Args:
            files: Absolute paths, or paths relative to the root.
        """
        return tuple(file for file in files if not self._has(file))

    def had(self, file: Path) -> bool:
        """Whether HEAD had a file as the work tree had it, whatever became of it since."""
        name = self.repository.name(file)
        return name in self.head and self.tree.get(name) == self.head[name]

    def _has(self, file: Path) -> bool:
        return all(self._has_part(name) for name in self.repository.parts(file))

    def _has_part(self, name: str) -> bool:
        there = (self.repository.root / name).is_file()
        if there and name not in self.tree:  # written since then, or not in this repository
            return False
        return self.tree.get(name) == self.head.get(name)

    def renamed_away(self, files: Sequence[Path]) -> tuple[Path, ...]:
        """What HEAD has and the work tree no longer has, where one of these files has its very text."""
        root = self.repository.root
        texts = {self.tree.get(self.repository.name(file)) for file in files}
        return tuple(root / name for name, text in self.head.items() if text in texts and not (root / name).exists())


def literal(names: Sequence[str]) -> list[str]:
    """Names that git is to take as they are, not as patterns."""
    return [f":(literal){name}" for name in names]
