"""`invoke status`: every version's state in files, local and remote, and each database's drift."""

from __future__ import annotations

from typing import Any

from ..databases.catalog import told
from ..histories import Row, Verdict
from ..proof import EXPOSED
from . import preflight
from .diff import Changes, changes, listed
from .files import tell_skipped
from .run import Run

COLUMNS = ("version", "name", "file", "local", "remote", "state")


def status(run: Run) -> bool:
    """Show every version's state, and each database's drift.

    Returns:
        Whether anything is pending or differs.
    """
    work = preflight.look(run)
    local = changes(run, run.local, work.local_history, work.files)
    remote = changes(run, run.remote, work.remote_history, work.files)
    rows = [_cells(row) for row in work.rows]
    console = run.console
    run.introduce()
    console.table(COLUMNS, rows)
    tell_skipped(run, work.folder)
    for label, found in ((run.local.name, local), (run.remote.name, remote)):
        _tell_drift(run, label, found)
    console.document(
        {
            "local": run.local.label, "remote": run.remote.label,
            "versions": [dict(zip(COLUMNS, row, strict=True)) for row in rows],
            "local_changes": _drift_data(local), "remote_changes": _drift_data(remote),
            "misnamed": [s.name for s in work.folder.misnamed], "duplicates": list(work.folder.duplicates),
        }
    )  # fmt: skip
    applied = all(row.verdict is Verdict.APPLIED for row in work.rows) and not work.folder.misnamed
    return not (applied and local.none and remote.none)


def _cells(row: Row) -> list[str]:
    return [row.version, row.name, _tick(row.file), _tick(row.local), _tick(row.remote), row.verdict.value]


def _tick(value: object) -> str:
    return "✓" if value else "-"


def _tell_drift(run: Run, label: str, found: Changes) -> None:
    if found.none:
        run.console.say(f"{label} is what its history says.", "ok")
    for migration in found.by_hand:
        run.console.say(f"{label} has {migration.file_name} without having recorded it.", "warning")
    if found.differences:
        run.console.say(
            f"{label} differs from its history:\n" + listed(told(found.differences)),
            "warning",
        )
    for right in found.exposed:
        run.console.say(f"{label}: {right}. {EXPOSED}", "warning")


def _drift_data(found: Changes) -> dict[str, Any]:
    return {
        "differences": told(found.differences),
        "exposed": list(found.exposed),
        "unrecorded_files": [m.file_name for m in found.by_hand],
    }
