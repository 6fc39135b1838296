"""What the tasks ask of git: is it ready, what does it have, one commit of exactly the given files.

git and the hooks that it runs get no secret: their environment is made from a list of names. What
git found is read from exit codes and NUL-separated output; sentences only explain a failure.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from . import process
from .errors import ConfigError, MissingToolError, RefusedError, SbsyncError
from .migrations import migrations_dir

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
# What `git show` says of a branch or a file that is gone.
NOT_THERE = re.compile(r"invalid object name|unknown revision|bad revision|does not exist|exists on disk, but not in")
# A line of `ls-tree`.
TREE_ENTRY = re.compile(r"[0-7]{6} (blob|tree|commit) (?P<hash>[0-9a-f]{40,64})\t(?P<name>.+)", re.DOTALL)
SECRET_FILE = re.compile(r"(supabase/)?\.env(\.(.+\.)?local)?")
LAST_LINES = 20
BRANCH_LIMIT = 100
FOUND_LIMIT = 10


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


@dataclass(frozen=True)
class Found:
    """A migration file on a branch.

    Attributes:
        branch: `main`, or `origin/main` for a remote-tracking one.
        author: Who added the file there.
        date: When, as `YYYY-MM-DD` in the author's time zone.
        path: The file, relative to the project's root.
    """

    branch: str
    author: str
    date: str
    path: str


@dataclass(frozen=True)
class _Answer:
    """What a call of git gave: exit code, stdout, and both outputs as a person reads them."""

    code: int
    out: str
    text: str

    @property
    def names(self) -> tuple[str, ...]:
        """The NUL-separated names in the output."""
        return tuple(name for name in self.out.split("\0") if name)


def _git(root: Path, *args: str) -> _Answer:
    """Run git in `root`, without a terminal; a failure is the caller's to judge.

    Raises:
        MissingToolError: git is not there.
    """
    try:
        done = process.run(["git", "-C", str(root), *args], sees=process.PERSONAL, env=SETTINGS)
    except MissingToolError:
        raise MissingToolError("git was not found.", "Install git, or put it on PATH.") from None
    return _Answer(done.code, os.fsdecode(done.output), (done.stdout + done.stderr).strip())


def must(root: Path, *args: str) -> _Answer:
    """Run git and take a failure for an error of its own, with what git said."""
    answer = _git(root, *args)
    if answer.code:
        raise SbsyncError(f"git {args[0]} failed in {root}:\n{_tail(answer.text)}")
    return answer


def _line(answer: _Answer, what: str) -> str:
    """The one line of an answer that always has one; without it nothing is known.

    Raises:
        SbsyncError: git printed nothing.
    """
    found = answer.out.removesuffix("\n")
    if not found.strip():
        raise _unreadable(what)
    return found


def _unreadable(what: str) -> SbsyncError:
    return SbsyncError(
        f"git ended without an error, and its answer to `git {what}` cannot be read.",
        "Is `git` on PATH the real one? Run the command by hand; nothing is concluded from such an answer.",
    )


def _tail(text: str) -> str:
    return "\n".join(text.splitlines()[-LAST_LINES:])


def repository(root: Path) -> Path | None:
    """The top level of the work tree that `root` is in; None when it is in none.

    Raises:
        MissingToolError: git is not there.
        ConfigError: git refuses the repository because another user owns it (as in containers).
        SbsyncError: git cannot read the repository.
    """
    answer = _git(root, "rev-parse", "--show-toplevel")
    if answer.code and "safe.directory" in answer.text:
        raise ConfigError(
            f"git refuses to work in {root}: the repository belongs to another user.",
            f"If you trust it: git config --global --add safe.directory '{root.resolve()}'",
        )
    if answer.code and NO_REPOSITORY.search(answer.text):
        return None
    if answer.code:
        raise SbsyncError(f"git cannot work in {root}:\n{_tail(answer.text)}")
    return Path(_line(answer, "rev-parse --show-toplevel"))


def _top(root: Path) -> Path:
    top = repository(root)
    if top is None:
        raise ConfigError(
            f"{root} is not in a git repository.",
            "Run `git init` there, or leave the commit out.",
        )
    return top


def check_ready(root: Path, files: Sequence[Path] = ()) -> tuple[str, ...]:
    """Look whether a migration could be committed now.

    Args:
        root: The project's root.
        files: Those that will be, whether or not they are there yet.

    Returns:
        Warnings: sentences about what does not prevent a commit.

    Raises:
        MissingToolError: git is not there.
        ConfigError: no repository, no identity, or migrations are ignored or outside of the repository.
        RefusedError: a merge, rebase, cherry-pick or revert is waiting for its end. git makes no
            partial commit in a merge, and in the others one would end the user's own work.
    """
    _top(root)
    _refuse_half_done(root)
    _refuse_nameless(root)
    names = [_probe(root), *(part for file in files for part in _parts(root, file))]
    for folder in {str(Path(name).parent): None for name in names}:
        _refuse_elsewhere(root, f"{folder}/x")
    _refuse_ignored(root, names)
    if _git(root, "symbolic-ref", "--quiet", "HEAD").code:
        return ("HEAD is detached: a commit would be on no branch. `git switch -c NAME` makes one.",)
    return ()


def _refuse_half_done(root: Path) -> None:
    folder = Path(_line(must(root, "rev-parse", "--absolute-git-dir"), "rev-parse --absolute-git-dir"))
    for name, (what, command) in HALF_DONE.items():
        if (folder / name).exists():
            raise RefusedError(
                f"A {what} is in progress in {root}: nothing is committed in the middle of it.",
                f"Finish it (`{command} --continue`) or give it up (`{command} --abort`).",
            )


def _refuse_nameless(root: Path) -> None:
    for ident in ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"):
        if _git(root, "var", ident).code:
            raise ConfigError(
                "git does not know who commits: user.name or user.email is not set.",
                'git config user.name "Your Name" && git config user.email you@example.org',
            )


def _probe(root: Path) -> str:
    """A migration that is not there, which git can be asked about."""
    return _name(root, migrations_dir(root) / "20000101000000_probe.sql")


def _refuse_elsewhere(root: Path, name: str) -> None:
    path = Path(os.path.normpath(root / name))
    if not _is_here(root, name):
        owner = repository(_nearest(path.parent))
        which = f"that of {owner}, a repository of its own" if owner else "outside of it"
        raise ConfigError(
            f"{path.parent} is not part of the repository {_top(root)}: it is {which}.",
            f"Commit in {owner} yourself." if owner else "Bring it into the repository.",
        )


def _is_here(root: Path, name: str) -> bool:
    """Whether a file belongs to the repository of the project, and not to a submodule, another one, or none."""
    return repository(_nearest((root / name).parent)) == _top(root)


def _nearest(folder: Path) -> Path:
    """The folder, or what is there of the way to it."""
    return next(place for place in (folder, *folder.parents) if place.is_dir())


def _refuse_ignored(root: Path, names: Sequence[str]) -> None:
    """`--verbose` alone answers for `!` rules too."""
    answer = _git(root, "check-ignore", "--", *names)
    if answer.code > 1:
        raise SbsyncError(f"git check-ignore failed in {root}:\n{_tail(answer.text)}")
    if answer.code:  # none is
        return
    name = next(name for name in names if not _git(root, "check-ignore", "--quiet", "--", name).code)
    rule = must(root, "check-ignore", "--verbose", "--", name).out.split("\t")[0]
    where = str(Path(name).parent)
    # A rule within a folder that is ignored itself is not looked at.
    open_ = _git(root, "check-ignore", "--quiet", "--", where).code and rule.startswith(".gitignore:")
    more = f", or add `!{where}/*.sql` after it" if open_ and not where.startswith("..") else ""
    raise ConfigError(f"git ignores {os.path.normpath(root / where)} (rule {rule}).", f"Take the rule out{more}.")


def untracked_or_modified(root: Path, files: Sequence[Path]) -> tuple[Path, ...]:
    """Those of the files that HEAD does not have, or has with another text, staged or not.

    Args:
        root: The project's root; it may be a folder inside the repository.
        files: Absolute paths, or paths relative to `root`.

    Raises:
        ConfigError: `root` is in no repository.
    """
    _top(root)
    parts = {file: _parts(root, file) for file in files}
    here = {
        folder: _is_here(root, f"{folder}/x") for folder in {str(Path(n).parent) for p in parts.values() for n in p}
    }
    names = [name for found in parts.values() for name in found if here[str(Path(name).parent)]]
    there = [name for name in names if (root / name).is_file()]
    now = dict(zip(there, _hashes(root, there), strict=True))
    recorded = _recorded(root, names)
    same = {name for name in names if now.get(name) == recorded.get(name)}
    return tuple(file for file, found in parts.items() if not same.issuperset(found))


def tracks(path: Path) -> bool:
    """Whether git has a file, or anything in a folder; without git or a repository: no."""
    place = Path(os.path.realpath(path.parent))
    try:
        if repository(place) is None:
            return False
    except MissingToolError:
        return False
    return bool(must(place, "ls-files", "-z", "--", *_literal([path.name])).names)


def renamed_away(root: Path, files: Sequence[Path]) -> tuple[Path, ...]:
    """What HEAD has beside these files and the work tree no longer has, where one of them has its very text.

    Args:
        root: The project's root.
        files: Absolute paths of files that are there.
    """
    names = [_name(root, file) for file in files]
    texts = set(_hashes(root, names))
    beside = _recorded(root, sorted({f"{Path(name).parent}/" for name in names})) if names else {}
    return tuple(root / name for name, text in beside.items() if text in texts and not (root / name).exists())


def _name(root: Path, file: Path) -> str:
    """A file's way from the root, through no link: git goes through none."""
    path = root / file
    return os.path.relpath(Path(os.path.realpath(path.parent)) / path.name, os.path.realpath(root))


def _parts(root: Path, file: Path) -> list[str]:
    """What git has to have of a file: the file, and where it is a link, what it leads to."""
    found = [_name(root, file)]
    while (path := root / found[-1]).is_symlink() and path.exists():
        found.append(_name(root, path.parent / path.readlink()))
    return found


def _literal(names: Sequence[str]) -> list[str]:
    return [f":(literal){name}" for name in names]


def _hashes(root: Path, names: Sequence[str]) -> list[str]:
    """The hash that each file would be stored under, after the filters that git applies to it; a link is its text."""
    links = {name for name in names if (root / name).is_symlink()}
    files = [name for name in names if name not in links]
    found = must(root, "hash-object", "--", *files).out.split() if files else []
    if len(found) != len(files):
        raise _unreadable("hash-object")
    known = dict(zip(files, found, strict=True))
    known |= {name: _hash_of_link(root, root / name) for name in links}
    return [known[name] for name in names]


def _hash_of_link(root: Path, link: Path) -> str:
    """As gitformat-pack(5) and the repository's kind of hash have it."""
    what = ("rev-parse", "--show-object-format")
    text = os.fsencode(link.readlink())
    return hashlib.new(_line(must(root, *what), " ".join(what)), b"blob %d\0" % len(text) + text).hexdigest()


def _recorded(root: Path, names: Sequence[str]) -> dict[str, str]:
    """The hash of each file in HEAD, by its name from `root`; a branch without commits has none."""
    if _git(root, "rev-parse", "--quiet", "--verify", "HEAD").code:
        return {}
    lines = must(root, "ls-tree", "-z", "HEAD", "--", *names).names
    found = [TREE_ENTRY.fullmatch(line) for line in lines]
    if not all(found):
        raise _unreadable("ls-tree")
    return {entry["name"]: entry["hash"] for entry in found if entry}


def commit(root: Path, files: Sequence[Path], message: str) -> Committed:
    """Commit exactly these files; whatever else is staged or changed stays as it is.

    Hooks run. What one of them stages is committed too, as with `git commit` itself.

    Args:
        root: The project's root.
        files: Absolute paths, or paths relative to `root`; the work tree's text is committed.
        message: The commit's message.

    Returns:
        The commit, or one with an empty hash when HEAD has all of it already.

    Raises:
        ConfigError, RefusedError, MissingToolError: as `check_ready`.
        SbsyncError: git or a hook refused; nothing was committed and the index is as before.
    """
    check_ready(root, files)
    pending = untracked_or_modified(root, files)
    names = list(dict.fromkeys(part for file in pending for part in _parts(root, file)))
    if not names:
        return Committed("", ())
    before = _texts(root, names)
    _commit_only(root, before, message)
    # `commit --only` puts the text from before the hooks into the index: without this, a file that
    # a hook has formatted and staged would stand there as a staged step back.
    _git(root, "reset", "--quiet", "--", *_literal(names))
    short = _line(must(root, "rev-parse", "--short", "HEAD"), "rev-parse --short HEAD")
    return Committed(short, _files_of_head(root), _rewritten(root, before))


def _commit_only(root: Path, before: Mapping[str, bytes], message: str) -> None:
    """Announce new files to the index, commit, and take that back if it does not end well."""
    names = list(before)
    known = must(root, "ls-files", "-z", "--", *_literal(names)).names
    # A removal that is staged already stands in no index, and cannot be announced.
    new = [name for name in names if name not in known and (root / name).exists()]
    try:
        if new:
            must(root, "add", "--intent-to-add", *_sparse(root), "--", *_literal(new))
        answer = _git(root, "commit", "--only", "--message", message, "--", *_literal(names))
        if answer.code:
            raise _refused(root, answer.text, _rewritten(root, before))
    finally:
        _take_back(root, new)


def _sparse(root: Path) -> list[str]:
    """In a sparse checkout, new files count wherever they are."""
    on = _git(root, "config", "--type=bool", "core.sparseCheckout").out.strip() == "true"
    return ["--sparse"] if on else []


def _take_back(root: Path, names: Sequence[str]) -> None:
    """Remove from the index what is only announced; a committed file is no longer only that."""
    if not names:
        return
    listed = _git(root, "status", "--porcelain", "-z", "--no-renames", "--", *_literal(names)).names
    if any(entry.startswith(" A ") for entry in listed):
        _git(root, "update-index", "--force-remove", "--", *names)


def _refused(root: Path, text: str, rewritten: Sequence[str]) -> SbsyncError:
    signing = _git(root, "config", "--type=bool", "commit.gpgsign").out.strip() == "true"
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


def _texts(root: Path, names: Sequence[str]) -> dict[str, bytes]:
    return {name: (root / name).read_bytes() if (root / name).is_file() else b"" for name in names}


def _rewritten(root: Path, before: Mapping[str, bytes]) -> tuple[str, ...]:
    now = _texts(root, list(before))
    return tuple(name for name, text in before.items() if now[name] != text)


def _files_of_head(root: Path) -> tuple[str, ...]:
    """What the last commit changed, relative to `root`; the first commit of all has no parent."""
    listed = must(
        root,
        "diff-tree",
        "--root",
        "--no-commit-id",
        "--name-only",
        "--no-renames",
        "-r",
        "-z",
        "HEAD",
    )
    prefix = must(root, "rev-parse", "--show-prefix").out.removesuffix("\n")
    return tuple(os.path.relpath(name, prefix or ".") for name in listed.names)


def find_in_branches(root: Path, version: str) -> tuple[Found, ...]:
    """Which branches hold the migration of this version, newest branch first.

    Looks at the tips of the `BRANCH_LIMIT` branches, local and remote-tracking, that were committed
    to last, and stops after `FOUND_LIMIT` finds. Nothing is fetched. Outside a repository: nothing.
    """
    if repository(root) is None or not _is_here(root, _probe(root)):
        return ()
    found: list[Found] = []
    for branch, ref in _branches(root):
        found += [_found(root, branch, ref, path) for path in _paths_on(root, ref, version)]
        if len(found) >= FOUND_LIMIT:
            break
    return tuple(found)


def _branches(root: Path) -> list[tuple[str, str]]:
    """Short and full names; `origin/HEAD`, which only points to another branch, is left out."""
    listed = must(
        root, "for-each-ref", f"--count={BRANCH_LIMIT}", "--sort=-committerdate",
        "--format=%(symref)%09%(refname:lstrip=2)%09%(refname)", "refs/heads", "refs/remotes",
    )  # fmt: skip
    rows = [line.split("\t") for line in listed.out.split("\n") if line]
    if any(len(row) != 3 for row in rows):  # noqa: PLR2004 - the format above
        raise _unreadable("for-each-ref")
    return [(short, full) for symbolic, short, full in rows if not symbolic]


def _paths_on(root: Path, ref: str, version: str) -> list[str]:
    folder = f"{Path(_probe(root)).parent}/"
    names = must(root, "ls-tree", "-z", "--name-only", ref, "--", folder).names
    start = f"{folder}{version}_"
    return [name for name in names if name.startswith(start) and name.endswith(".sql")]


def _found(root: Path, branch: str, ref: str, path: str) -> Found:
    """Who added the file on that branch: the newest commit there that did."""
    told = must(
        root, "log", "-1", "--no-show-signature", "--diff-filter=A", "--date=short",
        "--format=%an%x00%ad", ref, "--", *_literal([path]),
    ).out.strip("\n")  # fmt: skip
    author, _, date = told.partition("\0")
    return Found(branch, author, date, path)


def text_on_branch(root: Path, found: Found) -> str | None:
    """The text of a file that `find_in_branches` found; None where it is no valid UTF-8, or no longer there.

    Raises:
        SbsyncError: git cannot tell.
    """
    for namespace in ("heads", "remotes"):
        answer = _git(root, "show", "--no-textconv", f"refs/{namespace}/{found.branch}:./{found.path}")
        if not answer.code:
            return answer.out if _is_unicode(answer.out) else None
        if not NOT_THERE.search(answer.text):
            break
    else:
        return None
    raise SbsyncError(f"git show failed in {root}:\n{_tail(answer.text)}")


def _is_unicode(text: str) -> bool:
    # Bytes that are no UTF-8 stand in git's output as lone surrogates.
    return not any("\ud800" <= character <= "\udfff" for character in text)


def tracked_dotenv_files(root: Path) -> tuple[str, ...]:
    """The files whose names start with `.env`, in the project's root and `supabase/`, that git tracks.

    A staged file counts; outside a repository there are none.
    """
    if repository(root) is None:
        return ()
    own = str(Path(_name(root, root / "supabase" / ".env")).parent)  # without links
    places = [":(glob).env*", *([f":(glob){own}/.env*"] if _is_here(root, f"{own}/.env") else [])]
    names = must(root, "ls-files", "-z", "--", *places).names
    return tuple(name if "/" not in name else f"supabase/{Path(name).name}" for name in names)


def tracked_secret_files(root: Path) -> tuple[str, ...]:
    """Those of them that are meant for secrets: `.env`, `.env.local`, `.env.<name>.local`."""
    return tuple(name for name in tracked_dotenv_files(root) if SECRET_FILE.fullmatch(name))
