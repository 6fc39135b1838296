"""README.md and docs/, taken apart: pages, links, headings, code blocks, and the commands that are shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PAGES = (REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md")))
NAMES = [str(page.relative_to(REPOSITORY)) for page in PAGES]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language and its text."""

    language: str
    text: str


@dataclass(frozen=True)
class Command:
    """A command of a console block, with the output that is shown below it."""

    text: str
    output: tuple[str, ...]


@dataclass(frozen=True)
class Page:
    """One page."""

    path: Path
    text: str

    @property
    def blocks(self) -> list[Block]:
        """Its fenced blocks, in order."""
        return [Block(*found) for found in _FENCE.findall(self.text)]

    @property
    def prose(self) -> str:
        """Everything but the fenced blocks."""
        return _FENCE.sub("", self.text)

    @property
    def commands(self) -> list[Command]:
        """Every command of its console blocks, in order."""
        return [c for block in self.blocks if block.language == "console" for c in _commands(block.text)]

    @property
    def code(self) -> list[str]:
        """What stands in backquotes, and every command."""
        return [*_CODE.findall(self.prose), *(c.text for c in self.commands)]

    @property
    def links(self) -> list[str]:
        """The targets of its links."""
        return _LINK.findall(self.prose)

    @property
    def anchors(self) -> set[str]:
        """What a link can name on this page, as GitHub makes it from the headings."""
        titles = re.findall(r"^#+ (.+)$", self.prose, re.MULTILINE)
        return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}

    def rows(self, first_column: str) -> Iterator[list[str]]:
        """The cells of every table whose first column has this heading."""
        inside = False
        for line in self.prose.splitlines():
            cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
            if inside and cells and set(cells[0]) - set("-: "):
                yield cells
            inside = bool(cells) and (inside or cells[0] == first_column)


def page(name: str) -> Page:
    """A page by its path in the repository."""
    path = REPOSITORY / name
    return Page(path, path.read_text(encoding="utf-8"))


def _commands(text: str) -> Iterator[Command]:
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, *output = part.splitlines()
        yield Command(command, tuple(output))
