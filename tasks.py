"""This repository's own tasks: the collection, plus `lint`, `test` and `bench`."""

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


@task(
    help={
        "matrix": "also the variations: older CLIs, Docker, a sample of each random campaign",
        "campaign": "the same, with all rounds of each random campaign",
        "args": "further arguments for pytest",
    }
)
def test(context: Context, matrix: bool = False, campaign: bool = False, args: str = "") -> None:  # noqa: PT028
    """Run the tests, and say which were the slowest."""
    sizes = [flag for flag, wanted in (("--matrix", matrix), ("--campaign", campaign)) if wanted]
    context.run(" ".join([PYTHON, "pytest", "--durations=20", *sizes, args]), pty=sys.stdout.isatty())


@task
def bench(context: Context) -> None:
    """Measure what is said of speed."""
    context.run(f"{PYTHON} benchmarks.run && {PYTHON} benchmarks.sizes")


ns.add_task(lint)
ns.add_task(test)
ns.add_task(bench)
