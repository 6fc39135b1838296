"""What a user sees and is asked: results on stdout, everything else on stderr."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .errors import RefusedError
from .redaction import Redactor

if TYPE_CHECKING:
    from rich.console import Console as RichConsole

MARKS = {
    "ok": ("✓", "green"),
    "warning": ("!", "yellow"),
    "error": ("✗", "red"),
    "note": ("·", "dim"),
}


def counted(number: int, noun: str) -> str:
    """A number of things in words: `1 migration`, `3 migrations`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


class Console:
    """Renders messages, asks questions, and collects the steps of a run with their times.

    Args:
        redact: Masks secrets in everything that is shown.
        json_output: stdout is to be one JSON document and nothing else.
        yes: The user has answered every ordinary question beforehand.
    """

    def __init__(self, redact: Redactor, *, json_output: bool = False, yes: bool = False) -> None:
        self.redact = redact
        self.json_output = json_output
        self.yes = yes
        self.times: list[tuple[str, float, str]] = []
        self._documented = False
        self._err = self._make(stderr=True)

    @property
    def interactive(self) -> bool:
        """Whether somebody can be asked: both stdin and stderr are a terminal."""
        return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()

    def say(self, text: str = "", mark: str = "") -> None:
        """One message; `mark` is one of ok, warning, error, note."""
        from rich.text import Text

        line = Text(self.redact(text))
        if mark:
            sign, style = MARKS[mark]
            line = Text.assemble((f"{sign} ", style), line)
        self._err.print(line)

    def heading(self, text: str) -> None:
        """The title of what follows."""
        from rich.text import Text

        self._err.print(Text(self.redact(text), style="bold"))

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A small table."""
        from rich import box
        from rich.table import Table
        from rich.text import Text

        table = Table(*columns, box=box.SIMPLE_HEAD)
        for row in rows:
            table.add_row(*(Text(self.redact(cell)) for cell in row))
        self._err.print(table)

    def sql(self, text: str) -> None:
        """SQL for reading, on stderr."""
        from rich.syntax import Syntax

        shown = self.redact(text.strip("\n"))
        if self._err.is_terminal:
            self._err.print(Syntax(shown, "postgresql", background_color="default", word_wrap=True))
        else:
            sys.stderr.write(shown + "\n")
            sys.stderr.flush()

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
        started = time.monotonic()
        done = "failed"
        try:
            if self._err.is_terminal:
                with self._err.status(self.redact(_line(name, doing))):
                    yield
            else:
                yield
            done = "done"
        finally:
            seconds = time.monotonic() - started
            self.times.append((name, seconds, done))
            mark = "ok" if done == "done" else "error"
            self.say(f"{_line(name, doing)} ({seconds:.1f} s)", mark)

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
        sys.stderr.write(self.redact(prompt))
        sys.stderr.flush()
        try:
            return sys.stdin.readline()
        except KeyboardInterrupt:
            sys.stderr.write("\n")  # what is said next is not the rest of the question's line
            raise

    @staticmethod
    def _make(*, stderr: bool) -> RichConsole:
        from rich.console import Console as RichConsole

        console = RichConsole(stderr=stderr, highlight=False)
        console.soft_wrap = not console.is_terminal  # a pipe gets whole lines
        return console


def _line(name: str, doing: str) -> str:
    return doing if doing.startswith(f"{name} ") else f"{name}: {doing}"
