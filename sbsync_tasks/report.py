"""What stands at the end of a run: the proof in words or as JSON, and the exit code it means."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .console import counted
from .databases.catalog import Difference, told
from .databases.open import migrations_page
from .errors import SbsyncError
from .paths import shown
from .plan.actions import writing
from .proof import EXPOSED, NOT_COMPARED_IN_SHORT, Proof
from .state import Origin
from .steps import commit
from .steps.done import Done
from .steps.run import Run

LISTED = 20


def scenario(run: Run, done: Done) -> None:
    """The end of a scenario.

    Raises:
        SbsyncError: the proof failed; says whether the remote was changed.
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
