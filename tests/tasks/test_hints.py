"""Each flag that a message names exists: for the task that it names, or for the one that says it.

What a run has said is looked at after every run of every test (`Project.invoke`, the `invoke` of these tests).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.hints import FLAG, wrong_flags

PACKAGE = Path(__file__).parents[2] / "sbsync_tasks"
SCENARIOS = ("local-to-remote", "remote-to-local")
ASKING = (*SCENARIOS, "push")
# Who says what: the tasks that each text with a flag that stands alone is for.
SAID_BY = {
    "backups": ("restore",),
    "console.py": ("sandbox.reset", *ASKING),
    "plan/goals.py": ("remote-to-local",),
    "run/backup.py": ("restore",),
    "run/execute.py": SCENARIOS,
    "run/generate.py": ("diff", "pull", *ASKING),
    "run/proof.py": ("verify", "push", *SCENARIOS),
    "run/reset.py": SCENARIOS,
    "run/review.py": ("reset", "commit", "restore", "resolve", *ASKING),
    "run/scenarios.py": SCENARIOS,
    "run/steps.py": ("diff",),
    "settings": ("status", "diff", "review", "psql", "pull", "verify", "backup", "restore", *ASKING),
}
# Of one direction alone, in modules that serve both.
PUSHING, PULLING = ("local-to-remote", "push"), ("remote-to-local",)
OTHERS = {
    "--allow-data-loss": (*PUSHING, "review"), "--ignore-drift": PUSHING,
    "--discard-local": PULLING, "--no-commit": PULLING,
}  # fmt: skip


def texts(tree: ast.AST) -> Iterator[str]:
    """Every text of a module but its docstrings; what is filled in is `{}`."""
    parts = {id(v) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for v in node.values}
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(v.value) if isinstance(v, ast.Constant) else "{}" for v in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts | said:
            yield node.value


def messages() -> Iterator[tuple[str, str]]:
    """Where in the package a text stands that names flags, and the text; words of a command line are none."""
    for path in sorted(PACKAGE.rglob("*.py")):
        where = path.relative_to(PACKAGE).as_posix()
        if not where.startswith("tasks/"):
            found = texts(ast.parse(path.read_text(encoding="utf-8")))
            yield from ((where, text) for text in found if " " in text and FLAG.search(text) and "=%" not in text)


MESSAGES = tuple(messages())


def test_the_messages_are_found():
    assert len(MESSAGES) > 40
    assert [place for place in SAID_BY if not any(where.startswith(place) for where, _ in MESSAGES)] == []


@pytest.mark.parametrize(("where", "text"), MESSAGES)
def test_each_flag_that_a_message_names_exists_for_its_task(where, text):
    assert wrong_flags(text) == []
    home = next((tasks for place, tasks in SAID_BY.items() if where.startswith(place)), None)
    if home is None:
        assert [f for f in FLAG.findall(text) if wrong_flags(text, "demo")] == [], "name the task, or say who says it"
        return
    flags = FLAG.findall(text)
    tasks = next((OTHERS[flag] for flag in flags if flag in OTHERS), home)
    assert [wrong for task in tasks for wrong in wrong_flags(text, task)] == []


@pytest.mark.parametrize(
    ("text", "task", "wrong"),
    [
        ("leave --no-commit out", "local-to-remote", ["local-to-remote --no-commit"]),
        ("leave --no-commit out", "remote-to-local", []),
        ("`invoke diff --remote --force`", "status", ["diff --force"]),
        ("`invoke db.sandbox.url --remote`", "db.status", []),
        ("A task with --yes installs it.", "doctor", []),
        ("A task with --no installs it.", "doctor", ["--no"]),
        ("`npm install --save-dev supabase`, git rm --cached x", "status", []),
    ],
)
def test_what_counts_as_wrong(text, task, wrong):
    assert wrong_flags(text, task) == wrong
