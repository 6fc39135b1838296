"""What an edit leaves out: the local database has it, the files have it not, and the rebuild is from the files."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..console import counted
from ..databases.catalog import Difference, told
from .losses import Weigher
from .run import Run

HOLDS = re.compile(r"(table|column) (.+?)(?=: only on )")


def left_out(run: Run, differences: Iterable[Difference]) -> tuple[str, ...]:
    """What the local database is going to lose, each thing in a line, tables and columns with what they hold.

    Args:
        run: The run.
        differences: Between a shadow of the files and the local database.
    """
    lines = told(d for d in differences if d.right is not None)
    with run.local.connection() as connection:
        weigher = Weigher(connection)
        return tuple(HOLDS.sub(lambda m: _counted(weigher, m), line, count=1) for line in lines)


def _counted(weigher: Weigher, found: re.Match[str]) -> str:
    held = weigher.held(found[2])
    noun = "row" if found[1] == "table" else "value"
    return found[0] if held is None else f"{found[0]}, {counted(held, noun)}"
