"""What stands at the end of a run, and what `status` shows: in words or as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..console import counted
from ..databases.catalog import Difference, told
from ..databases.open import migrations_page
from ..errors import SbsyncError
from ..paths import shown
from ..plan import writing
from ..state import Origin
from ..state.histories import Row, Status
from . import commit
from .look import Changes, changes, listed, look, tell_skipped
from .proof import EXPOSED, NOT_COMPARED_IN_SHORT, Proof
from .session import Done, Run

LISTED = 20


def scenario(run: Run, done: Done) -> None:
    """The end of a scenario.

    Raises:
        SbsyncError: the proof failed; says whether the remote was changed. Or git has another text than the databases.
    """
    console = run.console
    console.document(document(run, done))
    if run.options.dry_run and writing(done.plan):
        console.say("Dry run: nothing was written.", "ok")
        return
    for made in done.backups:
        console.say(f"backup: {shown(run.settings.root, made.path)}", "note")
    if done.committed and done.committed.commit:
        console.say(f"committed {', '.join(done.committed.files)} as {done.committed.commit}", "ok")
    if done.proof is None:
        _tell_pulled(run, done)
        return
    proof(run, done.proof)
    _warn_uncommitted(run, done)
    if done.pushed and (ref := run.settings.required_remote().ref):
        console.say(f"the migrations on the dashboard: {migrations_page(ref)}", "note")
    if not done.proof.holds:
        raise _failed(run, done)
    if done.rewritten:
        raise SbsyncError(*commit.told_rewritten(done.rewritten))


def _tell_pulled(run: Run, done: Done) -> None:
    """The end of a pull alone, which makes no proof."""
    names = ", ".join(m.file_name for m in done.state.to_write)
    if not names:
        run.console.say(f"Nothing to pull: {run.remote.name} has no change that the files lack.", "ok")
    elif run.options.dry_run:
        run.console.say(f"A run would write {names} into supabase/migrations.", "ok")
    pulled = done.state.made(Origin.REMOTE)
    for known in (m for m in done.state.to_record if m not in pulled):
        run.console.say(f"{run.remote.name} has {known.file_name} without having recorded it.", "note")


def proof(run: Run, made: Proof) -> None:
    """The proof in words."""
    console = run.console
    if made.holds:
        console.say(f"{made.databases[1]} and {made.databases[0]} are {made.verdict}.", "ok")
    else:
        console.say(f"{made.databases[1]} and {made.databases[0]} are different:", "error")
        lines = made.lines()
        for line in lines[:LISTED]:
            console.say(f"    {line}")
        if len(lines) > LISTED:
            console.say(f"    … and {len(lines) - LISTED} more (--json has all)")
    for names, word in (
        (made.pending, "pending on the remote"),
        (made.unrecorded, "not recorded on the remote"),
    ):
        for name in names:
            console.say(f"{word}: {name}", "note")
    if made.unrecorded:
        console.say("the next run of either scenario records them there (without running them)", "note")
    _aside(run, made)
    console.say(f"compared: {made.compared_in_short}", "note")
    console.say(f"not compared: {NOT_COMPARED_IN_SHORT} (`invoke verify --json` has the whole list)", "note")


def _aside(run: Run, made: Proof) -> None:
    """What does not count, and what exposes data whether or not it differs."""
    console = run.console
    for line in told(made.known_drift):
        console.say(f"drift, ignored as asked: {line}", "warning")
    for it in made.line_ends[:LISTED]:
        console.say(f"the same but for its line ends (CR LF against LF): {it}", "note")
    if made.refused:
        console.say(f"without the CLI's diff engine: {made.refused}", "note")
    for database, right in made.exposed:
        console.say(f"{database}: {right}. {EXPOSED}", "warning")
    for database in made.databases:
        if names := [extension for where, extension in made.stand_ins if where == database]:
            console.say(f"stand-ins on {database}, not the real extensions: {', '.join(names)}", "note")
    if made.platform:
        more = "`invoke verify --json` names them"
        console.say(f"the platform's own: {_count(made.platform)} differ, which stops nothing ({more})", "note")


def _count(platform: tuple[Difference, ...]) -> str:
    return counted(len({d.object.object for d in platform}), "object")


def document(run: Run, done: Done) -> dict[str, Any]:
    """The run as JSON data."""
    state = done.state
    return {
        "environment": run.settings.env,
        "local": run.local_label or None,
        "remote": run.remote.label,
        "dry_run": run.options.dry_run,
        "plan": done.document(),
        "migrations": {
            "new": [m.file_name for m in state.made(Origin.LOCAL)],
            "pulled": [m.file_name for m in state.made(Origin.REMOTE)],
            "adopted": [m.file_name for m in state.made(Origin.HISTORY)],
            "renamed": [[old.file_name, new.file_name] for old, new in state.renamed],
        },
        "pushed": list(done.pushed),
        "recorded": list(done.recorded),
        "backups": [shown(run.settings.root, b.path) for b in done.backups],
        "seeds": list(done.seeds),
        "commit": done.committed.commit if done.committed else "",
        "rewritten": list(done.rewritten),
        "steps": [{"name": n, "seconds": round(s, 2), "outcome": o} for n, s, o in run.console.times],
        "proof": done.proof.document() if done.proof else None,
    }


def _failed(run: Run, done: Done) -> SbsyncError:
    if done.pushed or done.recorded:
        what = [f"{', '.join(done.pushed)} pushed"] if done.pushed else []
        what += [f"{', '.join(done.recorded)} recorded in its history"] if done.recorded else []
        return SbsyncError(
            f"{run.remote.name} WAS changed ({'; '.join(what)}), and the proof failed.",
            "`invoke verify --json` shows what differs; the backup taken before the push is named above.",
        )
    planned = done.state.to_write or done.state.to_record
    return SbsyncError(
        "The proof failed: the databases differ as listed above.",
        "Nothing was committed, and nothing was recorded on the remote." if planned else "",
    )


def _warn_uncommitted(run: Run, done: Done) -> None:
    try:
        committed = {Path(name).name for name in (done.committed.files if done.committed else ())}
        files = [path for path in commit.not_in_git(run, done.state.files) if path.name not in committed]
    except SbsyncError as error:  # the run is done, whatever is the matter with git
        run.console.say(f"whether git has the migrations cannot be told: {error.message}", "warning")
        return
    if files:
        more = f" and {len(files) - LISTED} earlier ones" if len(files) > LISTED else ""
        names = ", ".join(p.name for p in files[-LISTED:])
        run.console.say(f"not in git yet: {names}{more} (`invoke commit`)", "warning")


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
