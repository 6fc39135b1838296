"""What stands at the end of a run: the proof in words or as JSON, and the exit code it means."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .console import counted
from .databases.catalog import Difference, told
from .databases.hosted import migrations_page
from .errors import SbsyncError
from .paths import shown
from .proof import EXPOSED, NOT_COMPARED_IN_SHORT, Proof
from .steps import commit
from .steps.run import Run, Work

LISTED = 20


def scenario(run: Run, work: Work) -> None:
    """The end of a scenario.

    Raises:
        SbsyncError: the proof failed; says whether the remote was changed.
    """
    console = run.console
    console.document(document(run, work))
    if run.options.dry_run and work.plan:
        console.say("Dry run: nothing was written.", "ok")
        return
    for made in work.backups:
        console.say(f"backup: {shown(run.settings.root, made.path)}", "note")
    if work.committed and work.committed.commit:
        console.say(f"committed {', '.join(work.committed.files)} as {work.committed.commit}", "ok")
    if work.proof is None:
        _tell_pulled(run, work)
        return
    proof(run, work.proof)
    _warn_uncommitted(run, work)
    if work.pushed and (ref := run.settings.required_remote().ref):
        console.say(f"the migrations on the dashboard: {migrations_page(ref)}", "note")
    if not work.proof.holds:
        raise _failed(run, work)


def _tell_pulled(run: Run, work: Work) -> None:
    """The end of a pull alone, which makes no proof."""
    names = ", ".join(m.file_name for m in work.to_write)
    if not names:
        run.console.say(f"Nothing to pull: {run.remote.name} has no change that the files lack.", "ok")
    elif run.options.dry_run:
        run.console.say(f"A run would write {names} into supabase/migrations.", "ok")
    for known in work.unrecorded_remotely:
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
    console.say(f"not compared: {NOT_COMPARED_IN_SHORT} (--json has the whole list)", "note")


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
        console.say(f"the platform's own: {_count(made.platform)} differ, which stops nothing (see --json)", "note")


def _count(platform: tuple[Difference, ...]) -> str:
    return counted(len({d.object.object for d in platform}), "object")


def document(run: Run, work: Work) -> dict[str, Any]:
    """The run as JSON data."""
    return {
        "environment": run.settings.env,
        "local": run.local_label or None,
        "remote": run.remote.label,
        "dry_run": run.options.dry_run,
        "plan": list(work.plan),
        "migrations": {
            "new": [m.file_name for m in work.new],
            "pulled": [m.file_name for m in work.pulled],
            "adopted": [m.file_name for m in work.adopted],
            "renamed": [[old.file_name, new.file_name] for old, new in work.renamed],
        },
        "pushed": list(work.pushed),
        "recorded": list(work.recorded),
        "backups": [shown(run.settings.root, b.path) for b in work.backups],
        "seeds": list(work.seeds),
        "commit": work.committed.commit if work.committed else "",
        "steps": [{"name": n, "seconds": round(s, 2), "outcome": o} for n, s, o in run.console.times],
        "proof": work.proof.document() if work.proof else None,
    }


def _failed(run: Run, work: Work) -> SbsyncError:
    if work.pushed or work.recorded:
        done = [f"{', '.join(work.pushed)} pushed"] if work.pushed else []
        done += [f"{', '.join(work.recorded)} recorded in its history"] if work.recorded else []
        return SbsyncError(
            f"{run.remote.name} WAS changed ({'; '.join(done)}), and the proof failed.",
            "`invoke verify --json` shows what differs; the backup taken before the push is named above.",
        )
    return SbsyncError(
        "The proof failed: the databases differ as listed above.",
        "Nothing was committed, and nothing was recorded on the remote." if work.to_write or work.to_record else "",
    )


def _warn_uncommitted(run: Run, work: Work) -> None:
    try:
        committed = {Path(name).name for name in (work.committed.files if work.committed else ())}
        files = [path for path in commit.not_in_git(run, work.files) if path.name not in committed]
    except SbsyncError as error:  # the run is done, whatever is the matter with git
        run.console.say(f"whether git has the migrations cannot be told: {error.message}", "warning")
        return
    if files:
        names = ", ".join(p.name for p in files)
        run.console.say(f"not in git yet: {names} (`invoke commit`)", "warning")
