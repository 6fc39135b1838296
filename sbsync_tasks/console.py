"""What a user sees and is asked: results on stdout, everything else on stderr."""

from __future__ import annotations

import io
import json
import re
import sys
import textwrap
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from operator import ge
from typing import TYPE_CHECKING, Any

from .errors import InterruptedAtQuestion, RefusedError
from .redaction import Redactor

if TYPE_CHECKING:
    from rich.console import Console as RichConsole
    from rich.progress import Progress
    from rich.table import Table

MARKS = {
    "ok": ("✓", "green"),
    "warning": ("!", "yellow"),
    "error": ("✗", "red"),
    "note": ("·", "dim"),
}


SPARSE = 10.0  # seconds between two lines on how far a step is, in a pipe
COMFORTABLE = 80  # columns from which a table has room between its columns
NARROWEST = 20  # columns that text gets beside its indent, at least
WIDE = 1000  # columns that a table may take in a pipe
TIME = re.compile(r"(?<=\d) s\)")  # stays whole: (1.5 s)
# What a line begins with: further lines stand below what comes after it.
LEADER = re.compile(r" *(?:(?:[-→·✓!✗…]|\d+\.) +)*")


def counted(number: int, noun: str) -> str:
    """A number of things in words: `1 migration`, `3 migrations`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


class Console:
    """Renders messages, asks questions, and collects the steps of a run with their times.

    Args:
        redact: Masks secrets in everything that is shown.
        json_output: stdout is to be one JSON document and nothing else.
        yes: The user has answered every ordinary question beforehand.

    Attributes:
        in_place: Gives each `invoke TASK` in a message the name under which the user has that task.
    """

    def __init__(self, redact: Redactor, *, json_output: bool = False, yes: bool = False) -> None:
        if isinstance(sys.stdout, io.TextIOWrapper):
            # SQL and JSON are UTF-8 wherever they go, whatever the locale says.
            sys.stdout.reconfigure(encoding="utf-8", errors=sys.stdout.errors)
        self.redact = redact
        self.json_output = json_output
        self.yes = yes
        self.in_place: Callable[[str], str] = str
        self.times: list[tuple[str, float, str]] = []
        self._documented = False
        self._progress: Progress | None = None
        self._since: float | None = None
        self._told = 0.0
        self._err = self._make(stderr=True)
        self._to = self._err

    @property
    def interactive(self) -> bool:
        """Whether somebody can be asked: both stdin and stderr are a terminal."""
        return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()

    @contextmanager
    def as_result(self) -> Iterator[None]:
        """What is said inside is the task's result: it goes to stdout, unless that is for a document."""
        if not self.json_output:
            self._to = self._make(stderr=False)
        try:
            yield
        finally:
            self._to = self._err

    def say(self, text: str = "", mark: str = "", indent: int = 0) -> None:
        """One message, wrapped at words.

        Args:
            text: What is said.
            mark: One of ok, warning, error, note; or nothing.
            indent: As for `wrapped`.
        """
        from rich.text import Text

        sign, style = MARKS[mark] if mark else ("", "")
        start = f"{sign} " if sign else ""
        line = Text(self.wrapped(f"{start}{self.redact(self.in_place(text))}", max(indent, len(start))))
        line.stylize(style, 0, len(start))
        self._to.print(line, soft_wrap=True)

    def wrapped(self, text: str, indent: int = 0) -> str:
        """A text that fits the terminal, broken at spaces alone, further lines below what a line begins with.

        A statement stays on one line, so that it can be copied.

        Args:
            text: The text; a pipe gets its lines whole.
            indent: How many columns further lines are indented, at least.
        """
        if not self._to.is_terminal:
            return text
        return "\n".join(_wrapped(line, self._to.width, indent) for line in text.split("\n"))

    def heading(self, text: str) -> None:
        """The title of what follows."""
        from rich.text import Text

        self._to.print(Text(self.wrapped(self.redact(text)), style="bold"), soft_wrap=True)

    def numbered(self, title: str, lines: Iterable[object]) -> None:
        """What is or would be done, in order, under its title."""
        self.heading(title)
        for number, line in enumerate(lines, 1):
            self.say(f"  {number}. {line}")

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A table, one line for each row; where a terminal has no room, all columns but the first are wrapped."""
        from rich.cells import cell_len
        from rich.text import Text

        shown = [[" ".join(self.redact(cell).splitlines()) for cell in row] for row in rows]
        widths = [max(map(cell_len, cells)) for cells in zip(columns, *shown, strict=True)]
        gap = 2 if self._to.width >= COMFORTABLE or not self._to.is_terminal else 1
        if self._to.is_terminal and sum(widths) + gap * (len(widths) - 1) > self._to.width:
            self._to.print(_folded(columns, shown, gap, self._to.width), width=self._to.width)
            return
        head, *lines = (
            (" " * gap).join(cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True))
            for row in (columns, *shown)
        )
        text = Text("\n".join(line.rstrip() for line in (head, *lines)))
        text.stylize("bold", 0, len(head.rstrip()))
        self._to.print(text, soft_wrap=True)

    def sql(self, text: str) -> None:
        """SQL for reading: its lines stay as they are, however long; the terminal breaks them."""
        from rich.syntax import Syntax
        from rich.text import Text

        shown = Text(self.redact(text.strip("\n")))
        if self._to.is_terminal:
            shown = Syntax("", "postgresql", background_color="default").highlight(shown.plain)
            shown.rstrip()
        self._to.print(shown, soft_wrap=True)

    def result(self, text: str) -> None:
        """A result, on stdout; nothing is shown there with `--json`."""
        if text and not self.json_output:
            sys.stdout.write(self.redact(text if text.endswith("\n") else text + "\n"))
            sys.stdout.flush()

    def document(self, data: dict[str, Any]) -> None:
        """The one JSON document of a `--json` run; what comes after the first one is left to stderr."""
        if self.json_output and not self._documented:
            self._documented = True
            text = json.dumps(data, indent=2, ensure_ascii=False, default=str)
            sys.stdout.write(self.redact(text) + "\n")
            sys.stdout.flush()

    @contextmanager
    def step(self, name: str, doing: str) -> Iterator[None]:
        """A step of the run: a live line while it lasts, one line with its time when it is done."""
        line, done, started = _line(name, doing), "failed", time.monotonic()
        self._since = self._told = started
        try:
            with self._live(self.redact(line)) as self._progress:
                yield
            done = "done"
        finally:
            self._since = self._progress = None
            seconds = time.monotonic() - started
            self.times.append((name, seconds, done))
            self.say(f"{line} ({seconds:.1f} s)", "ok" if done == "done" else "error")

    def applying(self, file: str, number: int, of: int) -> None:
        """Say which file the step is at, from 1: in its live line; in a pipe in a line of its own, now and then."""
        far, now = f"{number - 1:,} of {counted(of, 'file')} applied, at {file}", time.monotonic()
        if self._progress:
            self._progress.update(self._progress.task_ids[0], far=f"\n{self.redact(far)}", refresh=True)
        elif self._since is not None and now - self._told >= SPARSE:
            self._told = now
            self.say(f"{far} ({now - self._since:.0f} s)", "note")

    @contextmanager
    def _live(self, line: str) -> Iterator[Progress | None]:
        """What a step does, as long as it does it; nothing in a pipe."""
        if not self._err.is_interactive:
            yield None
            return
        from rich.progress import Progress, SpinnerColumn, TextColumn
        from rich.table import Column

        words = TextColumn(
            "{task.description} ({task.elapsed:.0f} s){task.fields[far]}", markup=False, table_column=Column()
        )
        with Progress(SpinnerColumn(), words, console=self._err, transient=True, refresh_per_second=8) as progress:
            progress.add_task(line, total=None, far="")
            yield progress

    @contextmanager
    def _line_of_its_own(self) -> Iterator[None]:
        """No live line is drawn over what stands on the screen meanwhile."""
        progress = self._progress
        if progress:
            progress.stop()
        yield
        if progress:
            progress.start()

    def confirm(self, question: str, *, refused: str = "Nothing was changed.") -> None:
        """Ask before something is changed; the default is no.

        Raises:
            RefusedError: the answer is no, or nobody can be asked and `--yes` was not given.
        """
        if self.yes:
            return
        if not self.interactive:
            raise RefusedError(
                f"{question} Cannot ask for confirmation: this is not a terminal. {refused}",
                "Check it with --dry-run, then run it again with --yes.",
            )
        if self.ask(f"{question} [y/N] ").strip().lower() not in ("y", "yes"):
            raise RefusedError(f"Declined. {refused}")

    def ask(self, prompt: str) -> str:
        """Read one line from the user; an empty one at the end of input."""
        with self._line_of_its_own():
            sys.stderr.write(f"{self.wrapped(self.redact(prompt).rstrip())} ")
            sys.stderr.flush()
            try:
                return sys.stdin.readline()
            except KeyboardInterrupt:
                sys.stderr.write("\n")  # what is said next is not the rest of the question's line
                raise InterruptedAtQuestion from None

    @staticmethod
    def _make(*, stderr: bool) -> RichConsole:
        from rich.console import Console as RichConsole

        console = RichConsole(stderr=stderr, highlight=False)
        if not console.is_terminal:  # a pipe gets whole lines
            console.soft_wrap, console.width = True, WIDE
        return console


def _folded(columns: Sequence[str], rows: Sequence[Sequence[str]], gap: int, room: int) -> Table:
    """The table for a terminal that it does not fit; rich takes a thousand rows half a second."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0))
    widths = _widths(list(zip(columns, *rows, strict=True)), room - gap * (len(columns) - 1))
    for number, (column, width) in enumerate(zip(columns, widths, strict=True)):
        table.add_column(column, no_wrap=number == 0, overflow="fold", width=width)
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _widths(cells: Sequence[Sequence[str]], room: int) -> Sequence[int | None]:
    """How wide each column is to be, so that words stay whole; None for all where there is no room for that."""
    from rich.cells import cell_len

    wanted = [max(map(cell_len, column)) for column in cells]
    least = [
        wanted[0],
        *(max(cell_len(word) for cell in column for word in (*cell.split(), "")) for column in cells[1:]),
    ]
    widths: list[int] = []
    for number, most in enumerate(wanted):
        widths.append(min(most, room - sum(widths) - sum(least[number + 1 :])))
    return widths if all(map(ge, widths, least)) else [None] * len(cells)


def _wrapped(line: str, width: int, indent: int) -> str:
    if line.endswith(";"):
        return line
    leader = LEADER.match(line)
    hanging = max(indent, leader.end() if leader else 0)
    filled = textwrap.fill(
        TIME.sub("\u00a0s)", line), max(width, hanging + NARROWEST), subsequent_indent=" " * hanging,
        break_long_words=False, break_on_hyphens=False, drop_whitespace=True, replace_whitespace=False,
    )  # fmt: skip
    return filled.replace("\u00a0s)", " s)") or line


def _line(name: str, doing: str) -> str:
    return doing if doing.startswith(f"{name} ") else f"{name}: {doing}"
