"""Measure the two claims about speed, as ratios within one run.

1. `invoke --list` with the collection against an empty `tasks.py`: it runs at every TAB.
2. Each scenario against the bare Supabase CLI calls that it makes: what backups, shadows, reviews and proofs add.

The machine's speed cancels out of a ratio; its other work does not, so let it be idle.
"""

from __future__ import annotations

import json
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
from pathlib import Path

from invoke.context import Context

from sbsync_tasks.runner import Runner
from sbsync_tasks.supabase_cli.binary import NEWEST_KNOWN, install, native

REPEATS = 5
LISTS = 15
EXAMPLE = Path(__file__).parents[1] / "supabase"

# Logs when each call started and ended, then hands its exit status on.
WRAPPER = """\
#!{python} -S
import json, subprocess, sys, time
started = time.time()
code = subprocess.call([{binary!r}, *sys.argv[1:]])
with open({log!r}, "a") as log:
    log.write(json.dumps([sys.argv[1:3], time.time() - started]) + "\\n")
sys.exit(code)
"""


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
def scratch_project(folder: Path) -> Iterator[tuple[Path, Path, dict[str, str]]]:
    """A copy of the example project, its sandbox filled, and a CLI that logs how long each call takes."""
    root, log, wrapper = folder / "project", folder / "calls.jsonl", folder / "supabase"
    shutil.copytree(EXAMPLE, root / "supabase")
    (root / "tasks.py").write_text(COLLECTION, encoding="utf-8")
    binary = native(install(Runner(Context()), NEWEST_KNOWN))
    wrapper.write_text(WRAPPER.format(python=sys.executable, binary=str(binary), log=str(log)), encoding="utf-8")
    wrapper.chmod(0o755)
    environment = {**os.environ, "SBSYNC_SUPABASE_BIN": str(wrapper)}
    for command in ("init --quiet", "config user.name Bench", "config user.email bench@example.com"):
        subprocess.run(["git", "-C", str(root), *shlex.split(command)], check=True)
    try:
        invoke(root, "local-to-remote --env sandbox --yes", environment)
        yield root, log, environment
    finally:
        invoke(root, "sandbox.down", environment)


def scenario_ratios(root: Path, log: Path, environment: dict[str, str]) -> None:
    """Both scenarios, each after a change of its own, against the calls they make."""
    for scenario, side in (("local-to-remote", ""), ("remote-to-local", "--remote")):
        ratios, whole, calls = [], [], []
        for number in range(REPEATS):
            change(root, side, f"{scenario.replace('-', '_')}_{number}", environment)
            log.write_text("", encoding="utf-8")
            whole.append(timed(lambda: invoke(root, f"{scenario} --env sandbox --yes", environment)))  # noqa: B023
            calls.append(sum(json.loads(line)[1] for line in log.read_text(encoding="utf-8").splitlines()))
            ratios.append(whole[-1] / calls[-1])
        middle = ratios.index(statistics.median_low(ratios))
        names = [" ".join(json.loads(line)[0]) for line in log.read_text(encoding="utf-8").splitlines()]
        show(f"{scenario} / its {len(names)} CLI calls ({', '.join(names)})", whole[middle], calls[middle])


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
