"""Which databases a project's folder has: its own, whatever became of it, and never those of another one."""

import os
import shutil
import stat
import subprocess

import pytest

from sbsync_tasks.databases.embedded import place as place_module
from sbsync_tasks.databases.embedded.place import (
    NOWHERE,
    Account,
    identify,
    is_there,
    make_place,
    orphans,
    place_of,
)


@pytest.fixture(params=["root", "ordinary"])
def root(request, tmp_path, mocker):
    """A project's folder; as root its databases are elsewhere, as for an ordinary user they are in it."""
    me = Account(os.geteuid(), os.getegid(), dropped=request.param == "root")
    mocker.patch.object(place_module, "account", return_value=me)
    mocker.patch.object(place_module, "ROOT_HOME", tmp_path / "shared")
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def use(root):
    """Put a database there that knows whose it is, where there is none; the name of its maker."""
    database = make_place(root) / "database"
    if not database.exists():
        database.write_text(str(root))
    assert place_of(root) == database.parent
    return database.read_text()


def copied(root, name):
    shutil.copytree(root, root.with_name(name), symlinks=True)
    return root.with_name(name)


def test_looking_makes_nothing(root):
    assert place_of(root) == NOWHERE
    assert list(root.iterdir()) == []


def test_it_is_found_again_and_the_id_is_private(root):
    assert use(root) == use(root) == str(root)
    ours = root / ".sbsync" / "id"
    assert stat.S_IMODE(ours.stat().st_mode) == 0o600
    assert orphans() == {}


def test_a_folder_made_anew_meets_no_old_databases(root):
    use(root)
    (place_of(root) / "database").write_text("old")
    shutil.rmtree(root)
    root.mkdir()
    assert place_of(root) == NOWHERE
    assert use(root) == str(root)


def test_two_clones_have_their_own(root):
    use(root)
    git = ["git", "-c", "user.name=T", "-c", "user.email=t@example.org", "-C", str(root)]
    (root / "tasks.py").write_text("from sbsync_tasks import ns\n")
    for words in (["init", "-q"], ["add", "--all"], ["commit", "-qm", "Start"]):
        subprocess.run([*git, *words], check=True)
    for name in ("one", "two"):
        subprocess.run(["git", "clone", "-q", str(root), str(root.with_name(name))], check=True)
        assert use(root.with_name(name)) == str(root.with_name(name))
    assert use(root) == str(root)


def test_a_folder_that_was_moved_keeps_its_own(root):
    use(root)
    moved = root.rename(root.with_name("moved"))
    assert place_of(moved).is_dir()
    assert use(moved) == str(root)
    root.mkdir()
    assert use(root) == str(root)
    (place_of(root) / "database").write_text("new")
    assert (use(root), use(moved)) == ("new", str(root))
    assert orphans() == {}


def test_a_folder_moved_to_another_file_system_keeps_its_own(root):
    use(root)
    moved = copied(root, "moved")
    shutil.rmtree(root)
    assert use(moved) == str(root)


def test_a_copy_gets_fresh_ones(root):
    use(root)
    copy = copied(root, "copy")
    assert place_of(copy) == NOWHERE
    assert use(copy) == str(copy)
    assert (use(root), use(copy)) == (str(root), str(copy))


def test_a_copy_in_the_originals_place_leaves_it_its_own(root):
    use(root)
    original = root.rename(root.with_name("original"))
    copied(original, root.name)
    assert use(original) == str(root)
    (place_of(original) / "database").write_text("mine")
    assert use(root) == str(root)
    assert use(original) == "mine"


def test_of_two_copies_one_has_them(root):
    """Nobody can tell which was the original; that both would have them is what must not be."""
    use(root)
    one, two = copied(root, "one"), copied(root, "two")
    shutil.rmtree(root)
    use(one), use(two)
    assert place_of(one) != place_of(two)


def test_one_folder_by_two_paths_is_one(root, mocker):
    """As in a container that sees it where the machine has it, and elsewhere as well."""
    use(root)
    other = root.with_name("mounted")
    other.symlink_to(root)
    mocker.patch("sbsync_tasks.databases.embedded.place._file", return_value="another device's number")
    assert use(other) == str(root)


@pytest.mark.parametrize("root", ["root"], indirect=True)  # an ordinary user's databases go with the folder
def test_what_is_left_of_a_project_that_is_gone_is_named(root):
    use(root)
    place, old = place_of(root), place_module.ROOT_HOME / "clusters" / "of-an-earlier-version"
    (old / "local").mkdir(parents=True)
    shutil.rmtree(root / ".sbsync")
    use(root)
    assert orphans() == {place: str(root), old: ""}


def test_a_project_without_databases_leaves_nothing_to_delete(root):
    identify(root)
    shutil.rmtree(root)
    assert orphans() == {}


def test_the_id_stays_with_the_project_and_no_copy_has_it(root):
    name = identify(root)
    moved = root.rename(root.with_name("moved"))
    assert identify(moved) == name
    assert not is_there(str(root), name)
    assert is_there(str(moved), name)
    assert identify(copied(moved, "copy")) != name
    root.mkdir()
    assert identify(root) != name
