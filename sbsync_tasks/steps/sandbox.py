"""Starting, stopping and naming the embedded databases of a project."""

from __future__ import annotations

from ..databases import containers
from ..databases.embedded import orphans
from ..databases.open import RESTORED, SANDBOX_LOCAL, SANDBOX_REMOTE, clusters_of
from ..databases.stack import Docker
from . import reach
from .run import Run

BOTH = (SANDBOX_LOCAL, SANDBOX_REMOTE)
SHADOWS = "shadow-"  # how the names of those begin that runs keep for themselves


def up(run: Run) -> None:
    """Start both databases of the sandbox."""
    if run.options.dry_run:
        run.console.say(f"A run would start {' and '.join(BOTH)}.", "ok")
        return
    started = {}
    for name, remote in ((SANDBOX_REMOTE, True), (SANDBOX_LOCAL, False)):  # which is of the remote's major version
        with run.console.step("sandbox", f"start {name}"):
            started[name] = reach.database(run, remote=remote).endpoint
    run.console.say(
        "`invoke psql --env sandbox` opens the local one, `invoke psql --env sandbox --remote` the other.", "note"
    )
    run.console.document({name: endpoint.url for name, endpoint in started.items()})


def down(run: Run) -> None:
    """Stop every embedded database of the project; their data stays, but for what `restore --to-scratch` made."""
    clusters = clusters_of(run.settings)
    running = [name for name in clusters.names() if clusters.running(name)]
    if run.options.dry_run:
        run.console.say(f"A run would stop {', '.join(running) or 'nothing'}.", "ok")
        return
    clusters.stop_all()
    scratch = clusters.exists(RESTORED)
    clusters.remove(RESTORED)
    reach.passfile(run, RESTORED).unlink(missing_ok=True)
    for name in running:
        run.console.say(f"{name} is stopped{' and removed' if name == RESTORED else ''}", "ok")
    run.console.document({"stopped": running, "removed": [RESTORED] if scratch else []})


def reset(run: Run) -> None:
    """Throw both databases of the sandbox away and make them anew."""
    clusters = clusters_of(run.settings)
    there = [name for name in BOTH if clusters.exists(name)]
    if run.options.dry_run:
        run.console.say(f"A run would throw away {', '.join(there) or 'nothing'}.", "ok")
        return
    if there:
        run.console.confirm(f"Throw away {' and '.join(there)} with all their data?")
    for name in there:
        clusters.remove(name)
    up(run)


def status(run: Run) -> None:
    """List the embedded databases of the project, and those that a project which is gone has left behind."""
    clusters = clusters_of(run.settings)
    names = [name for name in clusters.names() if not name.startswith(SHADOWS)]
    states = {name: "running" if clusters.running(name) else "stopped" for name in names}
    if states:
        with run.console.as_result():
            run.console.table(["database", "state"], [*states.items()])
    else:
        run.console.say("There are no embedded databases yet: `invoke sandbox.up` makes them.", "note")
    run.console.document({"databases": states, **_left(run)})


def _left(run: Run) -> dict[str, dict[str, str]]:
    """Tell what projects that are gone have left behind, with the commands that delete it."""
    places, docker = orphans(), Docker()
    volumes = {} if docker.missing else containers.orphans(docker)
    for place, project in places.items():
        run.console.say(f"There are databases {_whose(project)}. This deletes them:\n    rm -r {place}", "warning")
    if places:
        run.console.say("A project that was moved has its databases again as soon as a task there uses them.", "note")
    for project in sorted(set(volumes.values())):
        names = " ".join(volume for volume, of in volumes.items() if of == project)
        run.console.say(
            f"There are shadows {_whose(project)}. This deletes them:\n    docker volume rm {names}", "warning"
        )
    return {"orphans": {str(place): project for place, project in places.items()}, "orphaned_volumes": volumes}


def _whose(project: str) -> str:
    return f"of {project}, where that project is no longer" if project else "that an earlier version made"
