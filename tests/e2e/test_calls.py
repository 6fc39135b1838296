"""How often a scenario starts the CLI: each call costs more than a second, so that none is added unseen."""

from pathlib import Path

import pytest

from sbsync_tasks.supabase_cli.binary import native
from tests.support.project import Project
from tests.support.watch import Recorder

pytestmark = [pytest.mark.cli, pytest.mark.e2e]
# With one change, the proof included. Lower them when a call is saved; never raise them.
CALLS = {"local-to-remote": 6, "remote-to-local": 6}


@pytest.mark.parametrize(("task", "side"), [("local-to-remote", "local"), ("remote-to-local", "remote")])
def test_a_scenario_with_one_change(project: Project, tmp_path: Path, task: str, side: str) -> None:
    recorder = Recorder(tmp_path / "bin")
    project.cli = recorder.stand_in(native(project.cli))
    project.database(side).run("create table public.made (id int primary key)")
    project.sync(task)
    for database in (project.local, project.remote):
        assert database.has("public.made")
    calls = [" ".join(call.argv[:2]) for call in recorder.calls("supabase") if call.argv != ["--version"]]
    assert len(calls) <= CALLS[task], calls
