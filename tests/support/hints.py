"""The flags that a message names: whether the task that says so has them, read from the collection."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence

from sbsync_tasks import ns

FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
COMMAND = re.compile(
    r"`[^`]*`|^invoke .*|(?:\b(?:git|cat-file|npm|docker|adduser|supabase|pg_\w+)|^\{\}(?= --version)) [^\n;,]*",
    re.MULTILINE,
)
INVOKE = re.compile(r"(?:`|^)invoke (?P<task>[a-z][a-z0-9.-]*)(?P<rest>[^`\n]*)", re.MULTILINE)
# `A task with --yes installs it`: said of every task, whether or not of this one.
OF_SOME = re.compile(r"\b[Aa] task with (?P<flag>--[a-z-]+)")


def _flags(task: str) -> set[str]:
    parameters = inspect.signature(ns[task].body).parameters.values()  # Invoke's own way takes the help texts away
    flags = {p.name.replace("_", "-"): p.default for p in parameters if p.name != "context"}
    return {f"--{name}" for name in flags} | {f"--no-{name}" for name, default in flags.items() if default is True}


FLAGS = {task: _flags(task) for task in ns.task_names}
EVERY = set().union(*FLAGS.values())


def known(task: str) -> str:
    """A task's own name, from the one under which it is mounted; empty for no task of ours."""
    while task not in FLAGS and "." in task:
        task = task.partition(".")[2]
    return task if task in FLAGS else ""


def wrong_flags(text: str, task: str = "") -> list[str]:
    """The flags that a text names and that are none.

    Args:
        text: What is said. `invoke TASK --flag` names the task; of `a task with --flag`, one has to have it.
        task: The one that says it, which has every flag that stands alone; nothing for any.
    """
    wrong = []
    for found in INVOKE.finditer(text):
        if name := known(found["task"]):
            wrong += [f"{found['task']} {flag}" for flag in FLAG.findall(found["rest"]) if flag not in FLAGS[name]]
    wrong += [flag for flag in OF_SOME.findall(text) if flag not in EVERY]
    alone = FLAG.findall(OF_SOME.sub("", COMMAND.sub("", text)))
    return wrong + [f"{task} {flag}".strip() for flag in alone if flag not in FLAGS.get(known(task), EVERY)]


def misled(arguments: Sequence[str], said: str) -> list[str]:
    """The flags that a run has named to its user, and that are none of its task's.

    Args:
        arguments: What follows `invoke`.
        said: What it has said, results aside.
    """
    task = next((known(word) for word in arguments if known(word)), "")
    echoed = {"--echo", "--help", "--list"} & {*arguments}  # programs that are run, and Invoke's own words
    return [] if echoed or not task or said.startswith("No idea what") else wrong_flags(said, task)
