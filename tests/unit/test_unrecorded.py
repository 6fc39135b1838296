"""What `invoke diff` says of what it found."""

import pytest

from sbsync_tasks.console import Console
from sbsync_tasks.databases.catalog import CatalogObject, Difference
from sbsync_tasks.options import Options
from sbsync_tasks.redaction import Redactor
from sbsync_tasks.run import steps as step
from sbsync_tasks.run.session import Run
from sbsync_tasks.state import Side, State
from sbsync_tasks.state.migrations import Folder
from tests.support.settings import Project

DIFFERENCE = Difference(
    CatalogObject("operator", "public.===", "definition"), None, "create operator", ("files", "local")
)


@pytest.mark.parametrize("name", ["", "changes"])
def test_nothing_to_write_is_not_called_a_secret(tmp_path, capsys, mocker, name):
    run = Run(Project(tmp_path).settings(), Console(Redactor()), Options(name=name))
    database = mocker.Mock(side="local", **{"history.return_value": {}})
    mocker.patch.object(Run, "local", database)
    mocker.patch.object(step, "look", return_value=State.of(Folder((), ()), {"local": Side({})}))
    mocker.patch.object(step, "changes", return_value=mocker.Mock(differences=(DIFFERENCE,), by_hand=(), base=()))
    made = mocker.Mock(migrations=(), parts=(), unwritable=(DIFFERENCE,))
    mocker.patch.object(step, "generate", return_value=made)
    assert step.diff(run, remote=False, verbatim=False)
    err = capsys.readouterr().err
    assert "wrote" not in err
    assert "password" not in err
    assert "could not be carried into a migration" in err
    assert ("no file was made" in err) is bool(name)
