"""Files that one or both databases have not had yet."""

import pytest

from tests.support.changes import BY_HAND
from tests.support.project import Project

COLLEAGUE = "create table public.colleague (id int primary key);\n"


def test_a_colleagues_file_arrives_on_both_sides(project: Project) -> None:
    project.migration("20260401000000", "colleague", COLLEAGUE)
    project.local.run("create table public.mine (id int primary key)")
    project.sync("local-to-remote")
    for database in (project.local, project.remote):
        assert database.has("public.colleague")
        assert database.has("public.mine")
        assert list(database.history()) == project.versions
    assert project.version_of("local_changes") > "20260401000000"
    assert "colleague" not in project.migrations[f"{project.version_of('local_changes')}_local_changes.sql"]


@pytest.mark.matrix
def test_a_pulled_version_stands_before_what_is_pending(project: Project) -> None:
    project.migration("20990101000000", "colleague", COLLEAGUE)
    head = max(project.remote.history())
    project.remote.run(BY_HAND)
    project.sync("remote-to-local")
    pulled = project.version_of("remote_changes")
    assert head < pulled < "20990101000000"
    assert set(project.remote.history()) == set(project.versions) - {"20990101000000"}
    assert project.local.has("public.colleague")
    assert not project.remote.has("public.colleague")
    assert project.task("verify").code == 2  # pending is not in sync

    by_hand = project.supabase("db", "push", "--dry-run", "--skip-vault")
    assert by_hand.data["migrations"] == ["20990101000000_colleague.sql"]
    done = project.sync("local-to-remote", "--json")
    assert done.data["pushed"] == ["20990101000000"]
    assert project.remote.has("public.colleague")
    assert list(project.remote.history()) == project.versions


@pytest.mark.matrix
def test_without_room_unapplied_files_get_later_versions(project: Project) -> None:
    head = max(project.remote.history())
    tight = str(int(head) + 1)
    project.migration(tight, "colleague", COLLEAGUE)
    project.commit_all("A colleague's migration")
    project.remote.run(BY_HAND)
    project.sync("remote-to-local")
    pulled, moved = project.version_of("remote_changes"), project.version_of("colleague")
    assert head < pulled < moved
    assert moved != tight
    assert project.migrations[f"{moved}_colleague.sql"] == COLLEAGUE
    assert list(project.local.history()) == project.versions
    assert set(project.remote.history()) == set(project.versions) - {moved}
    message, files = project.head
    assert message == "Add migration for remote changes"
    assert sorted(files) == sorted(
        f"supabase/migrations/{name}"
        for name in (f"{tight}_colleague.sql", f"{moved}_colleague.sql", f"{pulled}_remote_changes.sql")
    )
    assert project.git("status", "--short") == ""


@pytest.mark.matrix
def test_pending_files_are_reviewed_together(project: Project) -> None:
    project.migration("20260401000000", "made", "create table public.made (id int);\ncreate table public.open (id int)")
    project.migration("20260402000000", "secured", "alter table public.made enable row level security")
    reviewed = project.task("review", "--json")
    assert reviewed.code == 0, reviewed.text
    first, second = reviewed.data["migrations"]
    assert [(f["rule"], f["object"], f["line"]) for f in first["findings"]] == [("table-without-rls", "public.open", 2)]
    assert second["findings"] == []
    for args in (("--dry-run",), ("--yes",)):
        done = project.task("local-to-remote", *args)
        assert done.code == 0, done.text
        assert "public.open: Default privileges" in done.text
        assert "public.made: Default privileges" not in done.text
    query = "select relname, relrowsecurity from pg_class where relname in ('made', 'open') order by 1"
    for database in (project.local, project.remote):
        assert database.rows(query) == [("made", True), ("open", False)]


# --- no room for a pulled version: pending files get later ones ---


def pulled_without_room(project: Project) -> tuple[str, str]:
    """A pull before a pending file that has to give way, beside staged work: the pulled file and the renamed one."""
    project.write("notes.txt", "the user's own")
    project.git("add", "notes.txt")
    project.remote.run(BY_HAND)
    project.sync("remote-to-local", "--name", "pulled")
    pulled, renamed = project.version_of("pulled"), project.version_of("colleague")
    assert pulled < renamed
    assert project.local.has("public.colleague")
    assert not project.remote.has("public.colleague")
    return f"supabase/migrations/{pulled}_pulled.sql", f"supabase/migrations/{renamed}_colleague.sql"


@pytest.mark.matrix
def test_a_rename_is_committed_as_one(project: Project) -> None:
    old = project.migration(str(int(max(project.remote.history())) + 1), "colleague", COLLEAGUE)
    project.git("add", "supabase")
    project.git("commit", "--quiet", "--message", "Pending")
    pulled, renamed = pulled_without_room(project)
    assert project.head == (
        "Add migration for remote changes",
        [f"supabase/migrations/{old.name}", pulled, renamed],
    )
    assert project.git("status", "--short") == "A  notes.txt"


@pytest.mark.matrix
def test_a_renamed_file_that_the_user_has_not_committed_is_not_committed(project: Project) -> None:
    project.migration(str(int(max(project.remote.history())) + 1), "colleague", COLLEAGUE)
    pulled, renamed = pulled_without_room(project)
    assert project.head == ("Add migration for remote changes", [pulled])
    assert project.git("status", "--short") == f"A  notes.txt\n?? {renamed}"


@pytest.mark.matrix
def test_nor_is_one_that_was_edited_since(project: Project) -> None:
    old = project.migration(str(int(max(project.remote.history())) + 1), "colleague", COLLEAGUE)
    project.git("add", "supabase")
    project.git("commit", "--quiet", "--message", "Pending")
    old.write_text(f"-- Half a thought.\n{COLLEAGUE}", encoding="utf-8")
    pulled, renamed = pulled_without_room(project)
    assert project.head == ("Add migration for remote changes", [pulled])
    status = project.git("status", "--short").splitlines()
    assert sorted(line.strip() for line in status) == sorted(
        ["A  notes.txt", f"D supabase/migrations/{old.name}", f"?? {renamed}"]
    )
