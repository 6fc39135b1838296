"""Measure the two claims about speed, as ratios within one run.

1. `invoke --list` with the collection against an empty `tasks.py`: it runs at every TAB.
2. Each scenario against the bare Supabase CLI calls that it makes: what backups, shadows, reviews and proofs add.

The machine's speed cancels out of a ratio; its other work does not, so let it be idle.
Nor does this: ext4 does not take the inodes of files deleted in the last minutes for new ones, and looks past each of
them for every file it creates. A run copies two small clusters and removes as many, and here one run follows another,
so that a copy takes up to ten times as long as at other times (`perf record cp -a`: `recently_deleted`).
"""

from __future__ import annotations

import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sbsync_tasks.supabase_cli.binary import NEWEST_KNOWN, install, native

REPEATS = 5
LISTS = 15
EXAMPLE = Path(__file__).parents[1] / "supabase"

# Logs when each call started and ended, in seconds, then hands its exit status on.
WRAPPER = """\
#!/usr/bin/env bash
started=$EPOCHREALTIME
{binary} "$@"
code=$?
echo "$1 $2 $started $EPOCHREALTIME" >>{log}
exit $code
"""


@dataclass(frozen=True)
class Call:
    """One call of the CLI: what it was, and when it started and ended, in seconds."""

    name: str
    start: float
    end: float


def main() -> None:
    """Print both measurements."""
    with tempfile.TemporaryDirectory(prefix="sbsync-bench-") as folder:
        list_ratio(Path(folder))
        with scratch_project(Path(folder)) as project:
            scenario_ratios(*project)


def list_ratio(folder: Path) -> None:
    """`invoke --list`: the collection against an empty `tasks.py`, taken in turns."""
    empty, full = folder / "empty", folder / "full"
    for path, text in ((empty, ONE_TASK), (full, COLLECTION)):
        path.mkdir()
        (path / "tasks.py").write_text(text, encoding="utf-8")
    times: dict[Path, list[float]] = {empty: [], full: []}
    for _ in range(LISTS):
        for path in (empty, full):
            times[path].append(timed(lambda: invoke(path, "--list")))  # noqa: B023
    show("invoke --list, collection / empty tasks.py", statistics.median(times[full]), statistics.median(times[empty]))


# Invoke refuses to list nothing.
ONE_TASK = 'from invoke import task\n\n\n@task\ndef one(c):\n    "One task."\n'
COLLECTION = "from sbsync_tasks import ns\n"


@contextmanager
def scratch_project(
    folder: Path, prepare: Callable[[Path], None] = lambda _root: None
) -> Iterator[tuple[Path, Path, dict[str, str]]]:
    """A copy of the example project, its sandbox filled, and a CLI that logs how long each call takes.

    `prepare` gets the project's root before the sandbox is filled.
    """
    root, log, wrapper = folder / "project", folder / "calls.jsonl", folder / "supabase"
    shutil.copytree(EXAMPLE, root / "supabase")
    (root / "tasks.py").write_text(COLLECTION, encoding="utf-8")
    binary = native(install(NEWEST_KNOWN))
    wrapper.write_text(WRAPPER.format(binary=shlex.quote(str(binary)), log=shlex.quote(str(log))), encoding="utf-8")
    wrapper.chmod(0o755)
    prepare(root)
    environment = {**os.environ, "SBSYNC_SUPABASE_BIN": str(wrapper)}
    for command in ("init --quiet", "config user.name Bench", "config user.email bench@example.com"):
        subprocess.run(["git", "-C", str(root), *shlex.split(command)], check=True)
    try:
        invoke(root, "local-to-remote --env sandbox --yes", environment)
        yield root, log, environment
    finally:
        invoke(root, "sandbox.down", environment)


def scenario_ratios(root: Path, log: Path, environment: dict[str, str]) -> None:
    """Both scenarios, each after a change of its own, against the calls they make.

    A call counts in full also where it ran beside another one, and slower for it than it would have run alone:
    how long that was is shown, too.
    """
    for scenario, side in (("local-to-remote", ""), ("remote-to-local", "--remote")):
        runs: list[tuple[float, list[Call]]] = []
        for number in range(REPEATS):
            change(root, side, f"{scenario.replace('-', '_')}_{number}", environment)
            log.write_text("", encoding="utf-8")
            whole = timed(lambda: invoke(root, f"{scenario} --env sandbox --yes", environment))  # noqa: B023
            runs.append((whole, read_calls(log)))
        whole, calls = sorted(runs, key=lambda run: run[0] / total(run[1]))[len(runs) // 2]
        names = ", ".join(call.name for call in calls)
        beside = total(calls) - busy(calls)
        show(f"{scenario} / its {len(calls)} CLI calls ({names}; {beside:.2f} s side by side)", whole, total(calls))


def read_calls(log: Path) -> list[Call]:
    """What the wrapper has logged."""
    rows = (line.split() for line in log.read_text(encoding="utf-8").splitlines())
    return [Call(f"{first} {second}", float(start), float(end)) for first, second, start, end in rows]


def total(calls: list[Call]) -> float:
    """The seconds that the calls took, added up."""
    return sum(call.end - call.start for call in calls)


def busy(calls: list[Call]) -> float:
    """The seconds in which at least one call ran."""
    seconds, until = 0.0, 0.0
    for call in sorted(calls, key=lambda call: call.start):
        seconds += max(0.0, call.end - max(call.start, until))
        until = max(until, call.end)
    return seconds


def change(root: Path, side: str, name: str, environment: dict[str, str]) -> None:
    """Make a change that a scenario has to carry over."""
    url = invoke(root, f"sandbox.url {side}", environment).strip()
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"create table public.{name} (id bigint primary key, note text)".encode())


def invoke(root: Path, command: str, environment: dict[str, str] | None = None) -> str:
    """Run invoke in a project as a user would; its stdout."""
    argv: Sequence[str] = [sys.executable, "-m", "invoke", *shlex.split(command)]
    done = subprocess.run(
        argv, cwd=root, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SystemExit(f"invoke {command} failed:\n{done.stderr}")
    return done.stdout


def timed(work: Callable[[], object]) -> float:
    """Seconds that something takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def show(what: str, ours: float, base: float) -> None:
    """One line of the result."""
    sys.stdout.write(f"{ours / base:5.2f}  {what}: {ours:.2f} s / {base:.2f} s\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
