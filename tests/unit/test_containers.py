"""Whose the shadows in Docker are: the engine is a stand-in that keeps volumes with their labels."""

import os
import shutil
from types import SimpleNamespace

import pytest

from sbsync_tasks.databases.containers import Containers, orphans
from sbsync_tasks.databases.embedded import place
from sbsync_tasks.databases.stack import Docker
from sbsync_tasks.errors import SbsyncError


class Engine(Docker):
    """Keeps volumes, and lists them as `docker volume ls` does."""

    missing = ""

    def __init__(self):
        self.volumes = {}

    def remove_container(self, name):
        pass

    def remove_volume(self, name):
        self.volumes.pop(name, None)

    def attempt(self, argv):
        return SimpleNamespace(ok=argv[-1] in self.volumes)

    def call(self, *argv, env=None):
        if argv[:2] == ("volume", "create"):
            self.volumes[argv[-1]] = dict(word.split("=", 1) for word in argv[3:-1:2])
            return argv[-1]
        assert argv[:2] == ("volume", "ls")
        return "\n".join(
            f"{name} {labels.get('sbsync', '')} {labels.get('sbsync.project', '')}"
            for name, labels in self.volumes.items()
        )


@pytest.fixture
def engine():
    return Engine()


@pytest.fixture
def root(tmp_path, mocker):
    """A project's folder, by an ordinary user's rules."""
    mocker.patch.object(place, "account", return_value=place.Account(os.geteuid(), os.getegid(), dropped=False))
    folder = tmp_path / "a project"
    folder.mkdir()
    return folder


def shadow(root, engine):
    """Make a volume for a shadow of this project; its name."""
    Containers(root, SimpleNamespace(docker=engine))._label("base")
    return [*engine.volumes][-1]


def test_a_moved_project_has_its_own_and_a_copy_or_one_made_anew_has_others(root, engine):
    name = shadow(root, engine)
    moved = root.rename(root.with_name("moved"))
    assert shadow(moved, engine) == name
    shutil.copytree(moved, root)
    copied = shadow(root, engine)
    shutil.rmtree(root)
    root.mkdir()
    assert len({name, copied, shadow(root, engine)}) == 3


def test_a_base_that_could_not_be_made_again_is_none(root, engine, mocker):
    servers = Containers(root, SimpleNamespace(docker=engine))
    servers.__dict__["base_id"] = "of today"
    servers._marker("base").write_text("of today")  # and its volume is gone
    mocker.patch.object(servers, "_make_base", side_effect=SbsyncError("no"))
    with pytest.raises(SbsyncError):
        _ = servers._recipe
    assert engine.volumes
    assert not servers.exists("base")


def test_what_a_project_of_this_machine_has_left_is_known_with_its_path(root, engine):
    other = root.with_name("other")
    other.mkdir()
    kept, left = shadow(other, engine), shadow(root, engine)
    assert orphans(engine) == {}
    shutil.rmtree(root)
    engine.volumes["of-another-machine"] = {"sbsync": "1", "sbsync.project": "elsewhere /nowhere"}
    engine.volumes["of-an-earlier-version"] = {"sbsync": "0a1b2c"}
    assert orphans(engine) == {left: str(root), "of-an-earlier-version": ""}
    assert kept in engine.volumes
