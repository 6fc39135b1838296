"""`invoke status`: every version's state in files, local and remote, and each database's drift."""

from __future__ import annotations

from typing import Any

from ..databases.catalog import told
from ..proof import EXPOSED
from ..state.histories import Row, Status
from .diff import Changes, changes, listed
from .files import tell_skipped
from .preflight import look
from .run import Run

COLUMNS = ("version", "name", "file", "local", "remote", "state")


def status(run: Run) -> bool:
    """Show every version's state, and each database's drift; the remote's alone where there is no local database.

    Returns:
        Whether anything is pending or differs.
    """
    absent = run.why_no_local()
    state = look(run, ["remote"]) if absent else look(run)
    local = None if absent else changes(run, state, "local")
    remote = changes(run, state, "remote")
    rows = [_cells(row, local is not None) for row in state.rows]
    console = run.console
    with console.as_result():
        run.introduce()
        console.table([c for c in COLUMNS if local or c != "local"], [_shown(row) for row in rows])
        tell_skipped(run, state.folder)
        if absent:
            console.say(f"{absent} The files are compared with {run.remote.name} alone.", "note")
        if local:
            _tell_drift(run, run.local.name, local)
        _tell_drift(run, run.remote.name, remote)
    console.document(
        {
            "local": run.local_label or None, "remote": run.remote.label,
            "versions": rows,
            "local_changes": _drift_data(local) if local else None,
            "remote_changes": _drift_data(remote),
            "misnamed": [s.name for s in state.folder.misnamed], "duplicates": list(state.folder.duplicates),
        }
    )  # fmt: skip
    applied = all(row.status is Status.APPLIED for row in state.rows) and not (
        state.folder.misnamed or state.folder.duplicates
    )
    return not (applied and (local is None or local.none) and remote.none)


def _cells(row: Row, local: bool) -> dict[str, Any]:
    """A version's state as data; without a local database, nothing of that."""
    there = {"file": bool(row.file), "local": bool(row.local), "remote": bool(row.remote)}
    if not local:
        del there["local"]
    return {"version": row.version, "name": row.name, **there, "state": row.status.value}


def _shown(row: dict[str, Any]) -> list[str]:
    return [value if isinstance(value, str) else ("✓" if value else "-") for value in row.values()]


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
