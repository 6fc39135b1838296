"""A program at a real terminal: what is typed when a prompt stands there, and what the screen shows."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pexpect

from tests.support.hints import misled
from tests.support.project import Project

CONTROL = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\r")
LONGEST = 120  # seconds


@dataclass(frozen=True)
class Screen:
    """A program that has ended, and all that stood on its terminal, without colours and cursor movements."""

    code: int
    text: str


def at_a_terminal(
    argv: Sequence[str],
    *typed: tuple[str, str],
    cwd: Path,
    env: Mapping[str, str],
    columns: int = 80,
    patience: float = 0,
) -> Screen:
    """Run a program at a terminal of its own.

    Args:
        argv: The program and its arguments.
        typed: Pairs of what is waited for on the screen, and what is typed then, in their order.
        cwd: Where it runs.
        env: Its environment.
        columns: The terminal's width.
        patience: Seconds before each answer.
    """
    child = pexpect.spawn(
        argv[0], [*argv[1:]], cwd=str(cwd), env={"TERM": "xterm-256color", **env}, dimensions=(50, columns),
        encoding="utf-8", timeout=LONGEST,
    )  # fmt: skip
    text = ""
    try:
        for prompt, answer in typed:
            child.expect_exact(prompt)
            text += f"{child.before}{prompt}"
            time.sleep(patience)
            child.send(answer)
        child.expect_exact(pexpect.EOF)
        text += child.before
    finally:
        child.close()
    return Screen(child.exitstatus if child.exitstatus is not None else -child.signalstatus, CONTROL.sub("", text))


def invoke(
    project: Project, *args: str, typed: Sequence[tuple[str, str]] = (), columns: int = 80, **more: str
) -> Screen:
    """Run `invoke ...` at a terminal in a project."""
    screen = at_a_terminal(
        [sys.executable, "-m", "invoke", *args], *typed, cwd=project.root, columns=columns,
        env={**project.environment(), **more},
    )  # fmt: skip
    assert misled(args, screen.text) == [], screen.text
    return screen
