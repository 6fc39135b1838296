"""The commands of README.md and docs/, typed into a shell at a terminal as they are shown, page by page.

A page's commands run in order and in one shell; each has to succeed, and what the page shows of its output has to come
in that order: numbers, names of files and addresses aside, and `…` for whatever is left out.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pexpect
import pytest

from sbsync_tasks.databases.embedded.binaries import find_binaries, find_client_tools
from tests.support.documents import NAMES, REPOSITORY, Command, page
from tests.support.project import Project

# What cannot be run here, or is run elsewhere.
NOT_RUN = {
    "docker volume rm $(docker volume ls --quiet --filter label=sbsync)": "another test's shadows may be among them",
    "export STAGING_DB_PASSWORD='…'": "a password of the reader's",
    "source <(invoke --print-completion-script bash)": "it changes the shell",
    ".venv/bin/pytest": "that is this very run",
    "python3 -m venv .venv && .venv/bin/pip install -e '.[dev]' && .venv/bin/pytest": "that is this very run",
}
PLATFORM = "--env staging"  # a project on the platform
# What the page says that somebody did before.
PAYMENTS = (
    "create table public.payments (id bigint generated always as identity primary key,"
    " invoice_id bigint not null references public.invoices, amount numeric(12,2) not null)"
)
BEFORE = {
    "invoke local-to-remote --env sandbox --name payments --commit": ("local", PAYMENTS),
    "invoke remote-to-local --env sandbox --name vat-number": (
        "remote", "alter table public.customers add column vat_number text",
    ),
}  # fmt: skip
ALONE = ("README.md", "docs/contributing.md")  # begin with a clone
QUICK = ("docs/databases.md",)
QUESTION = re.compile(r"(.*\[N\]o: )(\w+)$")
CLONED = f"file://localhost{REPOSITORY}"
PROMPT, LONGEST = "sbsync-ready> ", 120  # seconds


class Shell:
    """A shell at a terminal that is wide enough for what the pages show."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.child = pexpect.spawn(
            "bash", ["--norc", "--noprofile", "-i"], cwd=str(folder), encoding="utf-8", echo=False, timeout=LONGEST,
            dimensions=(60, 200), env={**environment, "PS1": PROMPT, "TERM": "dumb", "COLUMNS": "200", "LINES": "60"},
        )  # fmt: skip
        self.child.expect_exact(PROMPT)

    def type(self, command: Command) -> list[str]:
        """Run a command, answer its questions as the page does; its output, line by line."""
        answers = [found[2] for line in command.output if (found := QUESTION.match(line))]
        self.child.sendline(command.text.replace("<URL>", CLONED).replace("/path/to/sbsync_tasks", str(REPOSITORY)))
        text = ""
        while self.child.expect_exact([PROMPT, "[N]o: "]):
            answer = answers.pop(0) if answers else "y"
            text += f"{self.child.before}[N]o: {answer}\n"
            self.child.sendline(answer)
        text += self.child.before
        self.child.sendline("echo code=$?")
        self.child.expect(r"code=(\d+)\r\n")
        code = int(self.child.match[1])
        self.child.expect_exact(PROMPT)
        assert code == 0, f"$ {command.text}\n{text}"
        return text.splitlines()


@contextmanager
def shell(folder: Path, given: Mapping[str, str]) -> Iterator[Shell]:
    """A shell that ends with the test."""
    typed = Shell(folder, given)
    try:
        yield typed
    finally:
        typed.child.close(force=True)


def runs(command: Command) -> bool:
    return command.text not in NOT_RUN and PLATFORM not in command.text


def alike(line: str) -> str:
    """A line without what differs from run to run."""
    return re.sub(r"\b[0-9a-f]{7}\b|\d[\dTZ]*", "#", line.strip())


def assert_shown(command: Command, lines: list[str]) -> None:
    """What the page shows has come, in its order."""
    left = iter([alike(line) for line in lines])
    for line in command.output:
        if line.strip() and line != "…":
            assert alike(line) in left, f"$ {command.text}\nnot in the output: {line}\n" + "\n".join(lines)


def walk(commands: Iterable[Command], typed: Shell, project: Project) -> None:
    for command in filter(runs, commands):
        if command.text in BEFORE:
            side, sql = BEFORE[command.text]
            project.database(side).run(sql)
        assert_shown(command, typed.type(command))


def environment(project: Project) -> dict[str, str]:
    """The project's, with this installation's commands and PostgreSQL's programs on the path."""
    tools = find_client_tools(find_binaries(None).major)
    path = os.pathsep.join([str(Path(sys.executable).parent), str(tools), os.environ["PATH"]])
    return {**project.environment(), "PATH": path}


# --- pages that are walked through in the example project, in its sandbox ---

IN_THE_SANDBOX = [n for n in NAMES if any(runs(c) for c in page(n).commands) and n not in ALONE]


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n in QUICK else pytest.mark.matrix) for n in IN_THE_SANDBOX]
)
def test_a_page(project, name):
    with shell(project.root, environment(project)) as typed:
        walk(page(name).commands, typed, project)


# --- from nothing ---


@pytest.mark.matrix
def test_the_readme(project, tmp_path):
    """As somebody does who has just found it: clone, demo, a project of their own, both scenarios."""
    commands = [c for c in page("README.md").commands if runs(c)]
    own = next(i for i, c in enumerate(commands) if c.text.startswith("pip install"))
    with shell(tmp_path, {**environment(project), "PATH": os.environ["PATH"]}) as typed:
        for command in commands[:own]:
            assert_shown(command, typed.type(command))
    (project.root / "tasks.py").unlink()
    with shell(project.root, environment(project)) as typed:
        typed.type(Command("python3 -m venv .venv && . .venv/bin/activate", ()))
        project.write("tasks.py", next(b.text for b in page("README.md").blocks if b.language == "python"))
        walk(commands[own:], typed, project)
        assert "sbsync-tasks" in "\n".join(typed.type(Command("pip freeze --all", ())))
