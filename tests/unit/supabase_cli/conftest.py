"""The Supabase CLI, played by a small real program."""

import pytest

from sbsync_tasks.process import for_task
from sbsync_tasks.redaction import Redactor
from sbsync_tasks.settings.project import ConfigToml
from sbsync_tasks.supabase_cli import Binary, SupabaseCli
from tests.support.played import Played
from tests.unit.supabase_cli.calls import OTHER_PASSWORD, PASSWORD, V3


@pytest.fixture
def played(tmp_path):
    return Played(tmp_path / "program")


@pytest.fixture
def root(tmp_path):
    (tmp_path / "project/supabase/migrations").mkdir(parents=True)
    return tmp_path / "project"


@pytest.fixture(autouse=True)
def secrets():
    with for_task(Redactor([PASSWORD, OTHER_PASSWORD])):
        yield


@pytest.fixture
def cli(played, root):
    return lambda version=V3: SupabaseCli(Binary(played.path, version, "a test"), ConfigToml(root))
