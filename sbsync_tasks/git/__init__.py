"""What the tasks ask of git: the repository, what it has of the migrations and once had, which files it tracks.

A question costs a process, so the repository is found once, and one look answers for all migration files.

git and the hooks that it runs get no secret: their environment is made from a list of names. What
git found is read from exit codes and NUL-separated output; sentences only explain a failure.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from .. import process
from ..errors import ConfigError, MissingToolError, SbsyncError
from ..process import Completed
from ..state.migrations import FILE_PATTERN, Migration, migrations_dir

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

# No question on the terminal, and messages in English, so that a failed signature is known.
SETTINGS = {"GIT_TERMINAL_PROMPT": "0", "LANGUAGE": "en"}
# Files that are meant for secrets: `.env`, `.env.local`, `.env.<name>.local`.
SECRET_FILE = re.compile(r"(supabase/)?\.env(\.(.+\.)?local)?")
# What git says where there is simply no work tree; any other failure is one.
NO_REPOSITORY = re.compile(r"not a git repository|must be run in a work tree|cannot change to .*: No such file")
# A line of `git log --raw` before the file's name.
RAW_ENTRY = re.compile(r":[0-7]{6} [0-7]{6} [0-9a-f]+ (?P<hash>[0-9a-f]{40,64}) [A-Z]")
# A line of `git ls-tree`.
TREE_ENTRY = re.compile(r"[0-7]{6} (blob|tree|commit) (?P<hash>[0-9a-f]{40,64})\t(?P<name>.+)", re.DOTALL)
LAST_LINES = 20


def ask(root: Path, *args: str, given: bytes = b"") -> Completed:
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
    answer = ask(root, *args, given=given)
    if answer.code:
        raise SbsyncError(f"git {args[0]} failed in {root}:\n{tail(answer.said)}")
    return answer


def unreadable(what: str) -> SbsyncError:
    """An error: git ended well, and its answer is not one."""
    return SbsyncError(
        f"git ended without an error, and its answer to `git {what}` cannot be read.",
        "Is `git` on PATH the real one? Run the command by hand; nothing is concluded from such an answer.",
    )


def tail(text: str) -> str:
    """The last lines of what git or a hook has said."""
    return "\n".join(text.splitlines()[-LAST_LINES:])


def find_repository(root: Path) -> Repository | None:
    """The repository that the project's migrations are in; None when they are in none.

    Args:
        root: The project's root; it may be a folder inside the repository.

    Raises:
        MissingToolError: git is not there.
        ConfigError: git refuses the repository because another user owns it (as in containers).
        SbsyncError: git cannot read the repository.
    """
    asked = ("rev-parse", "--show-toplevel", "--absolute-git-dir", "--show-prefix")
    answer = ask(root, *asked)
    if answer.code and "safe.directory" in answer.said:
        raise ConfigError(
            f"git refuses to work in {root}: the repository belongs to another user.",
            f"If you trust it: git config --global --add safe.directory '{root.resolve()}'",
        )
    if answer.code and NO_REPOSITORY.search(answer.said):
        return None
    if answer.code:
        raise SbsyncError(f"git cannot work in {root}:\n{tail(answer.said)}")
    match os.fsdecode(answer.output).removesuffix("\n").split("\n"):
        case [top, folder, prefix] if top and folder:
            return Repository(root, Path(top), Path(folder), prefix)
    raise unreadable(" ".join(asked))


def needed(root: Path) -> Repository:
    """The same, where there has to be one.

    Raises:
        ConfigError: there is none.
    """
    found = find_repository(root)
    if found is None:
        raise ConfigError(f"{root} is not in a git repository.", "Run `git init` there, or leave the commit out.")
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
    _folders: dict[Path, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    def name(self, file: Path) -> str:
        """A file's way from the root, through no link: git goes through none."""
        path = self.root / file
        if path.parent not in self._folders:  # a look asks for each migration
            self._folders[path.parent] = os.path.relpath(os.path.realpath(path.parent), os.path.realpath(self.root))
        return str(Path(self._folders[path.parent], path.name))

    def parts(self, file: Path) -> list[str]:
        """What git has to have of a file: the file, and where it is a link, what it leads to."""
        found = [self.name(file)]
        while (path := self.root / found[-1]).is_symlink() and path.exists():
            found.append(self.name(path.parent / path.readlink()))
        return found

    @cached_property
    def lacks_identity(self) -> bool:
        """Whether git does not know who commits."""
        return any(ask(self.root, "var", ident).code for ident in ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"))

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
        found = must(self.root, "hash-object", "--", *files).stdout.split() if files else []
        for link in links:
            text = os.fsencode((self.root / link).readlink())
            found += must(self.root, "hash-object", "--stdin", given=text).stdout.split()
        if len(found) != len(names):
            raise unreadable("hash-object")
        return dict(zip((*files, *links), found, strict=True))

    def _in_head(self, folders: Sequence[str]) -> dict[str, str]:
        """The hash of each file in HEAD; a branch without commits has none."""
        answer = ask(self.root, "ls-tree", "-z", "HEAD", "--", *folders)
        if answer.code and ask(self.root, "rev-parse", "--quiet", "--verify", "HEAD").code:
            return {}
        found = [TREE_ENTRY.fullmatch(line) for line in answer.names]
        if answer.code or not all(found):
            raise unreadable("ls-tree")
        return {entry["name"]: entry["hash"] for entry in found if entry}


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
        return tuple(file for file in files if not all(map(self._has, self.repository.parts(file))))

    def had(self, file: Path) -> bool:
        """Whether HEAD had a file as the work tree had it, whatever became of it since."""
        name = self.repository.name(file)
        return name in self.head and self.tree.get(name) == self.head[name]

    def _has(self, name: str) -> bool:
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


def tracks(path: Path) -> bool:
    """Whether git has a file, or anything in a folder; without git or a repository: no."""
    place = Path(os.path.realpath(path.parent))
    with suppress(MissingToolError):
        if find_repository(place):
            return bool(must(place, "ls-files", "-z", "--", *literal([path.name])).names)
    return False


def dotenv_files(root: Path) -> tuple[str, ...]:
    """The files whose names start with `.env`, in the project's root and `supabase/`, that git tracks.

    A staged file counts; outside a repository there are none.
    """
    found = find_repository(root)
    if found is None:
        return ()
    own = str(Path(found.name(root / "supabase" / ".env")).parent)  # without links
    places = [":(glob).env*", *([f":(glob){own}/.env*"] if found.holds(own) else [])]
    names = must(root, "ls-files", "-z", "--", *places).names
    return tuple(name if "/" not in name else f"supabase/{Path(name).name}" for name in names)


# --- the texts that migrations have had, on every branch and in every commit ---


def earlier_texts(repository: Repository, versions: Collection[str]) -> dict[str, dict[Migration, str]]:
    """Every text that files of these versions have had in any commit that git has, by version, the newest first.

    Nothing is fetched. A text that is not UTF-8 is left out.

    Returns:
        Each text as a file, with where it stands: `branch main (Ann, 2026-05-01)`, or `origin/main` for a
        remote-tracking branch; who committed it there and when, in the author's time zone.
    """
    found: dict[str, dict[Migration, str]] = {version: {} for version in versions}
    if not repository.holds(repository.migrations):
        return found
    rows = [
        (file, blob, where)
        for name, blob, where in _committed(repository)
        if (file := FILE_PATTERN.fullmatch(name)) and file[1] in versions
    ]
    texts = _blobs(repository, {blob for _, blob, _ in rows})
    for file, blob, where in rows:
        if blob in texts:
            found[file[1]].setdefault(Migration(file[1], file[2], texts[blob]), where)
    return found


def _committed(repository: Repository) -> Iterator[tuple[str, str, str]]:
    """Each migration file of each commit: its name, its text's hash, and where it stands."""
    listed = must(
        repository.root, "log", "--exclude=refs/remotes/*/HEAD", "--all", "--full-history", "--source", "--raw", "-z",
        "--no-show-signature", "--no-renames", "--no-abbrev", "--diff-filter=AM", "--date=short",
        "--format=%x01%S (%an, %ad)", "--", f":(literal){repository.migrations}",
    )  # fmt: skip
    tokens = (token.removeprefix("\n") for token in listed.names)
    where = ""
    for token in tokens:
        if token.startswith("\x01"):
            where = f"branch {re.sub('^refs/(heads/|remotes/)?', '', token[1:])}"
            continue
        raw = RAW_ENTRY.fullmatch(token)
        name = next(tokens, "")
        if not (raw and name and where):
            raise unreadable("log")
        yield Path(name).name, raw["hash"], where


def _blobs(repository: Repository, hashes: Collection[str]) -> dict[str, str]:
    """The texts by their hashes, as far as they are UTF-8."""
    if not hashes:
        return {}
    rest = must(repository.root, "cat-file", "--batch", given="".join(f"{h}\n" for h in hashes).encode()).output
    found = {}
    for wanted in hashes:
        head, _, rest = rest.partition(b"\n")
        match = re.fullmatch(rb"([0-9a-f]+) blob ([0-9]+)", head)
        if not match or match[1].decode() != wanted:
            raise unreadable("cat-file --batch")
        data, rest = rest[: int(match[2])], rest[int(match[2]) + 1 :]
        with suppress(UnicodeDecodeError):
            found[wanted] = data.decode()
    return found
