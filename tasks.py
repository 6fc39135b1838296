"""This repository's own tasks: the collection, plus `check`, `lint`, `test` and `bench`."""

from __future__ import annotations

import sys

from invoke.context import Context
from invoke.tasks import task

from sbsync_tasks import ns

PYTHON = f"{sys.executable} -m"


@task
def lint(context: Context) -> None:
    """Check style and types."""
    context.run(f"{PYTHON} ruff check . && {PYTHON} ruff format --check . && {PYTHON} mypy")


@task(help={"args": "further arguments for pytest"})
def test(context: Context, args: str = "") -> None:  # noqa: PT028
    """Run the tests."""
    context.run(f"{PYTHON} pytest {args}", pty=sys.stdout.isatty())


@task
def bench(context: Context) -> None:
    """Measure what is said of speed."""
    context.run(f"{PYTHON} benchmarks.run")


ns.add_task(lint)
ns.add_task(test)
ns.add_task(bench)
