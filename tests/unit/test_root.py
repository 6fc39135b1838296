"""Which folder is the project: found, named, or neither."""

import os
import re
from pathlib import Path

import pytest

from sbsync_tasks.errors import ConfigError
from sbsync_tasks.settings import NoProjectError, Root, find_root


def project(folder, mark="supabase/config.toml"):
    path = folder / mark
    if path.suffix:
        path.parent.mkdir(parents=True)
        path.touch()
    else:
        path.mkdir(parents=True)
    return folder


@pytest.fixture
def mono(tmp_path):
    """A monorepo: the tasks at its root, two projects, and what looks like one and is none."""
    (tmp_path / "tasks.py").touch()
    project(tmp_path / "services/a")
    project(tmp_path / "services/b", "supabase/migrations")
    project(tmp_path / "node_modules/x")
    project(tmp_path / ".git/x")
    project(tmp_path / "env/lib/x")
    (tmp_path / "env/pyvenv.cfg").touch()
    project(tmp_path / "1/2/3/4/5")
    (tmp_path / "docs/supabase").mkdir(parents=True)  # holds neither
    (tmp_path / "loop").symlink_to(tmp_path)
    return tmp_path.resolve()


def test_the_nearest_with_a_configuration_upwards(mono):
    (mono / "services/a/src/deep").mkdir(parents=True)
    assert find_root(mono / "services/a/src/deep", {}) == Root(mono / "services/a")
    assert find_root(mono / "services/b", {}) == Root(mono / "services/b")


def test_a_configuration_further_up_wins_over_migrations_as_for_the_cli(mono):
    project(mono)
    assert find_root(mono / "services/b", {}) == Root(mono)


def test_without_a_project_those_below_are_named(mono):
    with pytest.raises(NoProjectError) as caught:
        find_root(mono, {})
    assert caught.value.message.endswith("Below are: services/a, services/b.")
    assert "`cd services/a`" in caught.value.hint
    assert "`export SUPABASE_WORKDIR=services/a`" in caught.value.hint
    assert "`sbsync: {workdir: services/a}` in invoke.yaml" in caught.value.hint


def test_folders_that_may_not_be_looked_into_are_passed_over(mono, monkeypatch):
    real = Path.exists

    def denied(path: Path, **how: bool) -> bool:
        if path.is_relative_to(mono / "docs"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, **how)

    monkeypatch.setattr(Path, "exists", denied)
    with pytest.raises(NoProjectError, match="Below are: services/a"):
        find_root(mono, {})


def test_the_paths_are_those_of_the_working_directory(mono):
    with pytest.raises(NoProjectError) as caught:
        find_root(mono / "docs", {})
    assert "Below are: ../services/a, ../services/b." in caught.value.message
    assert "`export SUPABASE_WORKDIR=../services/a`, or `sbsync: {workdir: services/a}` in ../invoke.yaml." in (
        caught.value.hint
    )


def test_where_there_is_none_at_all(tmp_path):
    with pytest.raises(NoProjectError) as caught:
        find_root(tmp_path, {})
    assert "Below" not in caught.value.message
    assert "`supabase init`" in caught.value.hint


def test_many_are_counted(tmp_path):
    for number in range(13):
        project(tmp_path / f"p{number:02}")
    with pytest.raises(NoProjectError, match=r"p09 and 3 more\.$"):
        find_root(tmp_path, {})


def test_a_folder_that_cannot_be_read_is_passed_over(mono, mocker):
    real = os.scandir

    def refused(path):
        if str(path).endswith("docs"):
            raise PermissionError(13, "no")
        return real(path)

    mocker.patch("os.scandir", refused)
    with pytest.raises(NoProjectError, match="services/a"):
        find_root(mono, {})


def test_the_process_names_it_from_the_working_directory_and_wins(mono):
    named = {"SUPABASE_WORKDIR": "../b"}
    source = "SUPABASE_WORKDIR, process environment"
    assert find_root(mono / "services/a", named, "services/a") == Root(mono / "services/b", source)
    assert find_root(mono / "docs", {"SUPABASE_WORKDIR": str(mono / "services/a")}).path == mono / "services/a"
    assert find_root(mono / "services/a", {"SUPABASE_WORKDIR": ""}) == Root(mono / "services/a")


def test_the_invoke_config_names_it_from_the_folder_of_the_tasks(mono):
    source = "invoke config sbsync.workdir"
    for start in (mono, mono / "docs"):
        assert find_root(start, {}, "services/a") == Root(mono / "services/a", source)
        assert find_root(start, {}, "services/a", mono) == Root(mono / "services/a", source)
    assert find_root(mono / "docs", {"INVOKE_SBSYNC_WORKDIR": "services/b"}, "services/a") == Root(
        mono / "services/b", "INVOKE_SBSYNC_WORKDIR"
    )


def test_a_project_that_is_nearer_than_the_invoke_config_wins(mono):
    """Who stands in one project and pushes another has lost."""
    assert find_root(mono / "services/b", {}, "services/a", mono) == Root(mono / "services/b")  # without a config.toml
    project(mono / "services/c")
    assert find_root(mono / "services/c", {}, "services/a", mono) == Root(mono / "services/c")
    project(mono)
    assert find_root(mono, {}, "services/a", mono).path == mono / "services/a"
    assert find_root(mono / "services/c", {"SUPABASE_WORKDIR": "."}, "services/a").path == mono / "services/c"


@pytest.mark.parametrize(
    ("text", "hint"), [("nowhere", "supabase init"), ("docs", "supabase init"), ("services/a/supabase", "services/a$")]
)
def test_what_is_named_has_to_be_one(mono, text, hint):
    for process, workdir in (({"SUPABASE_WORKDIR": text}, ""), ({}, text)):
        with pytest.raises(ConfigError) as caught:
            find_root(mono, process, workdir)
        assert not isinstance(caught.value, NoProjectError)
        assert str(mono / text) in caught.value.message
        assert re.search(hint, caught.value.hint)


def test_links_are_resolved(mono, tmp_path):
    assert find_root(mono / "loop/services/a", {}).path == mono / "services/a"
    assert find_root(mono, {"SUPABASE_WORKDIR": "loop/services/a"}).path == mono / "services/a"
