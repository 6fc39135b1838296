"""The texts that migrations have had in git: on every branch, in every commit, asked with two processes."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..state.migrations import FILE_PATTERN, Migration
from .repository import must, unreadable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from .repository import Repository

# A line of `git log --raw` before the file's name.
RAW_ENTRY = re.compile(r":[0-7]{6} [0-7]{6} [0-9a-f]+ (?P<hash>[0-9a-f]{40,64}) [A-Z]")


@dataclass(frozen=True)
class Candidate:
    """A text that a migration's file has, or once had, on some branch.

    Attributes:
        branch: `main`, or `origin/main` for a remote-tracking one.
        author: Who committed it there.
        date: When, as `YYYY-MM-DD` in the author's time zone.
        migration: The file.
    """

    branch: str
    author: str
    date: str
    migration: Migration

    def __str__(self) -> str:
        return f"branch {self.branch} ({self.author}, {self.date})"


def earlier_texts(repository: Repository, versions: Collection[str]) -> dict[str, tuple[Candidate, ...]]:
    """Every text that files of these versions have had in any commit that git has, by version, the newest first.

    Nothing is fetched. A text that is not UTF-8 is left out.
    """
    if not repository.holds(repository.migrations):
        return dict.fromkeys(versions, ())
    rows = [
        (file, blob, commit)
        for name, blob, commit in _committed(repository)
        if (file := FILE_PATTERN.fullmatch(name)) and file[1] in versions
    ]
    texts = _blobs(repository, {blob for _, blob, _ in rows})
    found: dict[str, dict[Migration, Candidate]] = {version: {} for version in versions}
    for file, blob, (branch, author, date) in rows:
        if blob in texts:
            made = Migration(file[1], file[2], texts[blob])
            found[made.version].setdefault(made, Candidate(branch, author, date, made))
    return {version: tuple(these.values()) for version, these in found.items()}


def _committed(repository: Repository) -> Iterator[tuple[str, str, tuple[str, str, str]]]:
    """Each migration file of each commit: its name, its text's hash; the commit's branch, author and date."""
    listed = must(
        repository.root, "log", "--exclude=refs/remotes/*/HEAD", "--all", "--full-history", "--source", "--raw", "-z",
        "--no-show-signature", "--no-renames", "--no-abbrev", "--diff-filter=AM", "--date=short",
        "--format=%x01%S%x02%an%x02%ad", "--", f":(literal){repository.migrations}",
    )  # fmt: skip
    tokens = (token.removeprefix("\n") for token in listed.names)
    commit = ("", "", "")
    for token in tokens:
        if token.startswith("\x01"):
            ref, author, date = token[1:].split("\x02")
            commit = (re.sub("^refs/(heads/|remotes/)?", "", ref), author, date)
            continue
        raw = RAW_ENTRY.fullmatch(token)
        name = next(tokens, "")
        if not (raw and name and commit[0]):
            raise unreadable("log")
        yield Path(name).name, raw["hash"], commit


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
