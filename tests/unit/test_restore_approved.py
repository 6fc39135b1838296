"""What a restore is held to once it is approved: the database that answers, and neither files nor what is there."""

from types import SimpleNamespace

import pytest

from sbsync_tasks.console import Console
from sbsync_tasks.databases.database import Identity
from sbsync_tasks.errors import RefusedError
from sbsync_tasks.plan import BackUp, Restore
from sbsync_tasks.redaction import Redactor
from sbsync_tasks.run.execute import PERFORM, execute
from sbsync_tasks.run.look import who_answers
from sbsync_tasks.run.session import Run
from sbsync_tasks.state import Risk
from tests.support.settings import Project

PLAN = (BackUp("local", Risk(None), "local", "before-restore"), Restore("backup", "local", "everything"))


@pytest.fixture
def did(monkeypatch):
    """The actions that were carried out."""
    done = []
    for kind in (BackUp, Restore):
        monkeypatch.setitem(PERFORM, kind, lambda _run, _state, action, _done: done.append(action))
    return done


@pytest.fixture
def run(tmp_path):
    migrations = tmp_path / "supabase" / "migrations"
    migrations.mkdir(parents=True)
    (migrations / "20260101000000_latin.sql").write_bytes(b"-- \xe9\n")
    database = SimpleNamespace(label="local (url)", identity=lambda: Identity("1", "1", "postgres", 17, "17.10"))
    return Run(Project(tmp_path).settings(), Console(Redactor(), yes=True), _local=database)


def test_files_that_cannot_be_read_stop_no_restore(run, did):
    execute(run, who_answers(run, ["local"]), PLAN)
    assert did == [*PLAN]


def test_another_database_at_the_same_place_stops_it(run, did):
    state = who_answers(run, ["local"])
    run.local.identity = lambda: Identity("2", "1", "postgres", 17, "17.10")
    with pytest.raises(RefusedError, match="another server answers there"):
        execute(run, state, PLAN)
    assert did == []
