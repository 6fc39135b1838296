"""What many migrations cost: `diff`, `status` and `local-to-remote` with 1,000 of them against 10.

`python -m benchmarks.sizes` prints each ratio, and how much of either time the Supabase CLI had: it reads every file
and every row of a history at each call, and that part is its own.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks.run import Call, busy, change, invoke, read_calls, scratch_project, timed

FEW, MANY, REPEATS = 10, 1000, 3
TASKS = ("diff", "status", "local-to-remote")
# About 1 KB. What grows is the number of files, not of objects: those are the work of the catalogs and of the engine.
TEXT = """\
-- {words}
create or replace function public.f{place}(a bigint) returns bigint language sql stable as $$ select a + {number} $$;
comment on function public.f{place}(bigint) is 'made by migration {number}';
revoke all on function public.f{place}(bigint) from public, anon;
"""
PLACES = 20


def main() -> None:
    """Measure few, then many, and print the ratios."""
    with tempfile.TemporaryDirectory(prefix="sbsync-bench-") as folder:
        few, many = (measure(Path(folder) / str(count), count) for count in (FEW, MANY))
    for task in TASKS:
        (whole, cli), (base, base_cli) = many[task], few[task]
        sys.stdout.write(
            f"{whole / base:5.2f}  {task}, {MANY} / {FEW} migrations: {whole:.2f} s / {base:.2f} s; in the CLI "
            f"{cli:.2f} s / {base_cli:.2f} s; our own part {whole - cli:.2f} s / {base - base_cli:.2f} s\n"
        )


def measure(folder: Path, count: int) -> dict[str, tuple[float, float]]:
    """For each task the median time in seconds, and that of the CLI's calls in it."""
    folder.mkdir()
    with scratch_project(folder, lambda root: add(root, count)) as (root, log, environment):
        found = {}
        for task in TASKS:
            runs = []
            for repeat in range(REPEATS):
                if task != "status":
                    change(root, "", f"{task.replace('-', '_')}_{repeat}", environment)
                log.write_text("", encoding="utf-8")
                yes = " --yes" if task == "local-to-remote" else ""
                whole = timed(lambda: invoke(root, f"{task} --env sandbox{yes}", environment))  # noqa: B023
                runs.append((whole, busy(calls_in(log))))
            found[task] = (statistics.median(r[0] for r in runs), statistics.median(r[1] for r in runs))
    return found


def calls_in(log: Path) -> list[Call]:
    """The calls but those that only ask for the version."""
    return [call for call in read_calls(log) if not call.name.startswith("--version")]


def add(root: Path, count: int) -> None:
    """Fill the project's migrations up to `count` of them."""
    folder = root / "supabase" / "migrations"
    for number in range(count - len(list(folder.glob("*.sql")))):
        text = TEXT.format(number=number, place=number % PLACES, words="many words " * 50)
        (folder / f"20260201{number:06}_t{number}.sql").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
