"""The diagnosis of history conflicts: from files, histories and branches to causes and ways out."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from sbsync_tasks import replaced
from sbsync_tasks.earlier import Candidate
from sbsync_tasks.errors import RefusedError, SbsyncError
from sbsync_tasks.histories import Recorded
from sbsync_tasks.migrations import Folder, Migration, Skipped
from sbsync_tasks.plan import edits
from sbsync_tasks.plan.conflicts import asks_branches, diagnose
from sbsync_tasks.plan.model import Drift, Facts, Kind, Put, Rerecord
from sbsync_tasks.plan.numbering import Pending, renumber

NOW = datetime(2026, 6, 1, tzinfo=UTC)
NEW = "20260601000000"
A, B, C = (Migration(f"2026010{n}000000", name, f"create table {name} (id int);\n") for n, name in enumerate("abc", 1))


def recorded(migration, version="", statements=()):
    return Recorded(version or migration.version, migration.name, statements or (migration.sql.strip().rstrip(";"),))


def history(*migrations):
    rows = [m if isinstance(m, Recorded) else recorded(m) for m in migrations]
    return {row.version: row for row in rows}


def facts(files, local, remote, *, misnamed=(), branches=None, drift=(), ways=None):
    folder = Folder(tuple(sorted(files)), misnamed)
    return Facts(folder, history(*local), history(*remote), "staging", branches or {}, Drift(drift), ways or {})


def one(*args, **more):
    (found,) = diagnose(facts(*args, **more), NOW)
    return found


def moved(migration, version):
    return Migration(version, migration.name, migration.sql)


def on_branch(migration):
    return {migration.version: (Candidate("feature", "Ann", "2026-05-01", migration),)}


# --- no conflict ---


@pytest.mark.parametrize(
    ("files", "local", "remote"),
    [
        ([A, B], [A, B], [A, B]),
        ([A, B], [A, B], [A]),  # pending
        ([A, B], [A], [A, B]),  # not applied locally
        ([A, B], [A], [A]),
        ([A, B], [A, recorded(B, statements=("select 1",))], [A]),  # edited since it was applied locally
        ([], [], []),
        ([A], [], []),
    ],
)
def test_what_the_scenarios_do_by_themselves_is_no_conflict(files, local, remote):
    assert diagnose(facts(files, local, remote), NOW) == ()


# --- recorded, no file ---


def test_missing_with_a_branch_that_has_it():
    on_it = Migration(B.version, "b", f"-- Ann's.\n{B.sql}")
    found = one([A], [A], [A, B], branches=on_branch(on_it))
    assert (found.kind, found.version, found.name) == (Kind.MISSING, B.version, "b")
    assert "Branch feature (Ann, 2026-05-01) has had it, with these very statements." in found.what
    assert found.actions == (Put(on_it, source="branch feature (Ann, 2026-05-01)"),)


def test_missing_with_a_branch_that_has_something_else():
    found = one([A], [A], [A, B], branches=on_branch(Migration(B.version, "b", "select 1;")))
    assert "has a file of it, with other statements" in found.what
    (put,) = found.actions
    assert put.source == "the history of staging"
    assert put.migration == Migration(B.version, "b", "create table b (id int);\n\n")


def test_missing_where_no_branch_was_looked_at_says_nothing_of_branches():
    assert "branch" not in one([A], [A], [A, B]).what
    assert "No branch has had it." in one([A], [A], [A, B], branches={B.version: ()}).what


def test_missing_without_statements():
    bare = Recorded(B.version, "b", None)
    assert one([A], [A], [A, bare], branches={B.version: ()}).actions == ()
    found = one([A], [A], [A, bare], branches=on_branch(B))
    assert "taken at its word" in found.what
    assert found.actions[0].migration == B


def test_recorded_only_locally():
    found = one([A], [A, B], [A])
    assert found.kind is Kind.LOCAL_ONLY
    assert found.actions == (
        Put(Migration(B.version, "b", "create table b (id int);\n\n"), "", found.actions[0].source),
    )
    assert "local database" in found.actions[0].source
    assert "invoke reset" in found.ways[1].title


def test_recorded_only_locally_and_too_late():
    found = one([C], [C, B], [C], branches=on_branch(B))
    put = Put(moved(B, NEW), source="branch feature (Ann, 2026-05-01)")
    assert found.actions == (put, Rerecord(B.version, NEW))


def test_what_stays_pending_and_is_brought_back_moves_with_what_it_comes_after():
    tight = moved(C, str(int(B.version) + 1))
    found = diagnose(facts([A, B], [B, tight], [B]), NOW)
    late, lost = (c.actions for c in found)
    assert late == (Put(moved(A, NEW), A.file_name),)
    (put, rerecord) = lost
    assert put.migration == Migration("20260601000001", "c", "create table c (id int);\n\n")
    assert rerecord == Rerecord(tight.version, "20260601000001")


def test_which_versions_are_worth_looking_for():
    edited = Migration(A.version, "a", "select 1;")
    assert asks_branches(facts([edited, C], [A], [A, B])) == (A.version, B.version)


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "a\\b", "a\0b", "a\nb"])
def test_a_recorded_name_makes_no_path(name):
    made = Recorded("20260101000000", name, ("select 1",)).as_migration()
    assert Path(made.file_name).name == made.file_name
    assert not set(made.file_name) & set("\\\0\n")


@pytest.mark.parametrize("version", ["../1", "", "1a", "1 "])
def test_a_recorded_version_is_made_of_digits(version):
    with pytest.raises(SbsyncError, match="no version"):
        Recorded(version, "a", ("select 1",)).as_migration()


# --- renamed ---


def test_renamed_after_the_remote_had_it():
    other = Migration(C.version, "b_now", B.sql)
    found = one([A, other], [A, other], [A, B])
    assert found.kind is Kind.RENAMED
    back = Migration(B.version, "b_now", B.sql)
    assert found.actions == (Put(back, other.file_name), Rerecord(other.version, B.version))


def test_renamed_after_only_the_local_database_had_it():
    other = moved(B, C.version)
    found = one([A, other], [A, B], [A])
    assert (found.kind, found.actions) == (Kind.RENAMED, (Rerecord(B.version, other.version),))


def test_a_late_file_renamed_by_hand_is_only_recorded_anew():
    other = moved(A, B.version)
    assert one([C, other], [C, A], [C]).actions == (Rerecord(A.version, other.version),)


def test_a_row_without_statements_is_nobodys_other_name():
    found = diagnose(facts([A, C], [A], [A, Recorded(B.version, "b", None)]), NOW)
    assert [c.kind for c in found] == [Kind.MISSING]


# --- edited ---


def test_edited():
    edited = Migration(A.version, "a", "create table a (id bigint);\n")
    found = one([edited], [A], [A], branches=on_branch(A))
    assert found.kind is Kind.EDITED
    assert found.details == ("recorded: create table a (id int)", "in the file: create table a (id bigint)")
    assert found.actions == (Put(A, A.file_name, "branch feature (Ann, 2026-05-01)"),)
    assert "1 statement differs." in found.what


@pytest.mark.parametrize(
    ("sql", "changes"),
    [
        ("-- words\nselect 1;\n\nselect 2;;", ()),
        ("select 1; select 2; select 3 ; -- end", (("", "select 3"),)),
        ("select 1;", (("select 2", ""),)),
        ("select 0; select 1; select 2;", (("", "select 0"),)),
        ("select 1; select 'ü'; select 2; select 3", (("", "select 'ü'"), ("", "select 3"))),
        ("select 1; select 22; select 3", (("select 2", "select 22"), ("", "select 3"))),
        ("select 1; selec", (("select 1\n;\nselect 2", "select 1; selec"),)),
    ],
)
def test_the_comparison_of_statements(sql, changes):
    assert edits.compare(sql, ("select 1", "select 2")) == changes


# --- one version, two migrations ---


@pytest.mark.parametrize("mine", [C, moved(C, B.version), Migration(B.version, "b", C.sql)])
def test_an_edit_is_told_from_another_migration(mine):
    """By its statements, and what they are about, rather than its name, which may be the default one."""
    assert edits.is_another(mine, recorded(B))


@pytest.mark.parametrize(
    ("sql", "name"),
    [
        ("create table b (id bigint);", "b"),  # about the same
        (f"{B.sql}create table c (id int);", "other"),  # a statement is the same
        (B.sql, "other"),
        ("select 1;", "b"),  # about nothing that is known
        ("selec", "other"),
    ],
)
def test_what_may_be_an_edit_is_one(sql, name):
    assert not edits.is_another(Migration(B.version, name, sql), recorded(B))


def test_nothing_recorded_is_nothing_else():
    assert not edits.is_another(B, None)
    assert not edits.is_another(C, Recorded(B.version, "", None))


@pytest.mark.parametrize("name", ["b", "mine"])
@pytest.mark.parametrize("applied", [True, False])
def test_of_two_migrations_of_one_version_neither_is_dropped(name, applied):
    mine = Migration(B.version, name, C.sql)
    found = one([A, mine], [A, mine] if applied else [A, B], [A, B], branches=on_branch(B))
    assert found.kind is Kind.DUPLICATE
    rerecord = (Rerecord(B.version, NEW),) if applied else ()
    assert found.actions == (
        Put(moved(mine, NEW), mine.file_name), *rerecord, Put(B, source="branch feature (Ann, 2026-05-01)"),
    )  # fmt: skip
    assert "gets a later version" in found.ways[0].title


def test_a_file_that_was_renamed_over_another_one_is_not_applied_twice():
    over = Migration(C.version, "b", B.sql)
    found = diagnose(facts([A, over], [A, B, C], [A, B, C]), NOW)
    assert [c.kind for c in found] == [Kind.MISSING, Kind.EDITED]
    assert [a.migration.version for c in found for a in c.actions] == [B.version, C.version]


def test_what_builds_upon_a_migration_that_moves_stays_behind_it():
    mine, next_one = Migration(B.version, "b", C.sql), Migration(str(int(B.version) + 1), "next", "select 1;")
    found = one([A, mine, next_one], [A], [A, B])
    assert [a.migration.file_name for a in found.actions] == [f"{NEW}_b.sql", "20260601000001_next.sql", B.file_name]


def test_two_recorded_migrations_of_one_version_without_a_file():
    mine = Migration(B.version, "b", C.sql)
    found = one([A], [A, mine], [A, B])
    assert found.kind is Kind.MISSING
    new, rerecord, back = found.actions
    assert (new.migration.file_name, rerecord) == (f"{NEW}_b.sql", Rerecord(B.version, NEW))
    assert "create table c" in new.migration.sql
    assert (back.migration.version, "create table b" in back.migration.sql) == (B.version, True)


# --- a version and nothing else ---


def test_a_version_without_a_name_gets_an_empty_file():
    found = one([A], [A], [A, Recorded(B.version, "", None)], branches={B.version: ()})
    (put,) = found.actions
    assert put.migration.file_name == f"{B.version}_unknown.sql"
    assert all(line.startswith("--") for line in put.migration.sql.splitlines())
    assert "`invoke remote-to-local`" in found.ways[0].title


# --- out of order ---


def test_out_of_order():
    found = one([A, B], [B], [B])
    assert (found.kind, found.actions) == (Kind.OUT_OF_ORDER, (Put(moved(A, NEW), A.file_name),))
    assert "--include-all" in found.ways[1].title


@pytest.mark.parametrize("had", [A, recorded(A, statements=("select 1",))])
def test_out_of_order_and_applied_locally(had):
    assert one([A, B], [had, B], [B]).actions == (Put(moved(A, NEW), A.file_name), Rerecord(A.version, NEW))


def test_several_late_files_keep_their_order_and_stand_before_what_is_pending():
    late = Migration("20990101000000", "z", "select 1;")
    found = diagnose(facts([A, B, C, late], [], [C]), NOW)
    assert [a.migration.file_name for c in found for a in c.actions] == [f"{NEW}_a.sql", "20260601000001_b.sql"]


# --- duplicates ---


def test_a_duplicate_of_what_was_applied():
    twin = Migration(B.version, "aa", C.sql)
    found = one([A, B, twin], [A, B], [A, B])
    assert (found.kind, found.actions) == (Kind.DUPLICATE, (Put(moved(twin, NEW), twin.file_name),))


def test_duplicates_of_which_none_was_applied():
    twin = Migration(B.version, "a_first", C.sql)
    assert one([A, B, twin], [A], [A]).actions == (Put(moved(B, NEW), B.file_name),)


def test_duplicates_each_of_which_one_database_has():
    twin = Migration(B.version, "twin", C.sql)
    found = one([A, B, twin], [A, twin], [A, B])
    assert found.actions == (Put(moved(twin, NEW), twin.file_name), Rerecord(B.version, NEW))


def test_late_duplicates_all_move():
    twin = Migration(A.version, "twin", C.sql)
    found = one([A, twin, B], [B], [B])
    assert [a.migration.file_name for a in found.actions] == [f"{NEW}_a.sql", "20260601000001_twin.sql"]


@pytest.mark.parametrize("rows", [[], [B]])
def test_of_two_equal_files_only_the_user_knows_the_superfluous_one(rows):
    twin = Migration(B.version, "twin", f"-- the same\n{B.sql}")
    assert one([A, B, twin], [A, *rows], [A, *rows]).actions == ()


def test_a_duplicate_of_an_edited_file_is_told_by_the_name():
    edited, twin = Migration(B.version, "b", "select 1;"), Migration(B.version, "twin", C.sql)
    assert one([A, edited, twin], [A], [A, B]).actions == (Put(moved(twin, NEW), twin.file_name),)
    other = Migration(B.version, "other", "select 1;")
    assert one([A, other, twin], [A], [A, B]).actions == ()


# --- squashed ---


@pytest.mark.parametrize("applied", [True, False])
def test_a_squash_is_explained_and_never_undone(applied):
    whole = Migration(B.version, "b", f"{A.sql}{B.sql}")
    found = one([whole, C], [whole] if applied else [A, B], [A, B, C], branches=on_branch(A))
    assert (found.kind, found.version, found.actions) == (Kind.SQUASHED, B.version, ())
    assert f"reverted {A.version}`" in found.ways[0].title
    assert f"applied {B.version}`" in found.ways[0].title


def test_a_file_that_is_gone_beside_an_edited_one_is_no_squash():
    edited = Migration(C.version, "c", "create table c (id bigint);")
    found = diagnose(facts([A, edited], [A, B, C], [A, B, C]), NOW)
    assert [c.kind for c in found] == [Kind.MISSING, Kind.EDITED]


def test_neither_a_renamed_file_nor_another_migration_is_a_squash():
    edited, later = Migration(B.version, "b", "create table b (id bigint);"), moved(A, C.version)
    assert [c.kind for c in diagnose(facts([edited, later], [], [A, B]), NOW)] == [Kind.RENAMED, Kind.EDITED]
    mine = moved(C, B.version)
    assert [c.kind for c in diagnose(facts([mine], [], [A, B]), NOW)] == [Kind.MISSING, Kind.DUPLICATE]


def test_pending_work_beside_lost_files_is_no_squash():
    assert [c.kind for c in diagnose(facts([C], [], [A, B]), NOW)] == [Kind.MISSING, Kind.MISSING]


# --- misnamed ---


def test_a_misnamed_file_is_explained():
    skipped = Skipped("add things.sql", "is not named <version>_<name>.sql")
    found = one([A], [A], [A], misnamed=(skipped,), ways={"add things.sql": "`mv it`"})
    assert (found.kind, found.name, found.actions) == (Kind.MISNAMED, "add things.sql", ())
    assert found.what == "supabase/migrations/add things.sql is not named <version>_<name>.sql."
    assert found.ways[0].title == "`mv it`"


# --- first pull and drift ---


def test_a_first_pull_with_history():
    found = one([], [], [A, B], branches=on_branch(B))
    assert (found.kind, found.actions) == (Kind.FIRST_PULL, ())
    assert "2 recorded migrations" in found.what
    assert "remote-to-local" in found.ways[0].title
    assert "Branch feature" in found.ways[1].title


def test_a_first_pull_without_history():
    assert one([], [], [], drift=("table public.t: only there",)).kind is Kind.FIRST_PULL


def test_an_empty_folder_with_local_work_is_no_first_pull():
    assert [c.kind for c in diagnose(facts([], [A, B], [A]), NOW)] == [Kind.MISSING, Kind.LOCAL_ONLY]


def test_drift():
    found = one([A], [A], [A], drift=("table public.t: only there",))
    assert (found.kind, found.details, found.actions) == (Kind.DRIFT, ("table public.t: only there",), ())


# --- new versions ---


def numbers(*pending, head=C.version, known=()):
    taken = {head, *known, *(p.migration.version for p in pending)}
    return [[new.file_name for _, new in group] for group in renumber(pending, head, taken, now=NOW)]


def pending(version, name, moves=False):
    return Pending(Migration(version, name, ""), f"{version}_{name}.sql", moves)


def test_what_stays_is_left_alone():
    assert numbers(pending("20260801000000", "z"), pending(A.version, "late", moves=True)) == [[f"{NEW}_late.sql"]]


def test_without_room_what_comes_after_moves_too():
    tight = str(int(C.version) + 1)
    found = numbers(pending(tight, "z"), pending(A.version, "late", moves=True))
    assert found == [[f"{NEW}_late.sql", "20260601000001_z.sql"]]


def test_what_moves_itself_bounds_no_other():
    found = numbers(pending(A.version, "late", moves=True), pending("20260401000000", "twice", moves=True))
    assert found == [[f"{NEW}_late.sql"], ["20260601000001_twice.sql"]]


def test_a_version_that_is_taken_is_never_given():
    found = numbers(pending(A.version, "late", moves=True), known=[NEW, "20260701000000"])
    assert found == [["20260701000001_late.sql"]]


def test_of_one_version_the_file_that_stays_is_first():
    found = numbers(pending("20260801000000", "z"), pending("20260801000000", "a", moves=True))
    assert found == [["20260801000001_a.sql"]]


# --- files that give way ---


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "supabase" / "migrations"
    folder.mkdir(parents=True)
    (folder / A.file_name).write_bytes(b"-- by\xff hand\r\nselect 1;")
    return tmp_path


def names(root):
    return sorted(p.name for p in (root / "supabase" / "migrations").iterdir())


def test_a_renamed_file_keeps_its_bytes_and_leaves_a_copy(root):
    kept = replaced.put(root, moved(A, NEW), A.file_name)
    assert names(root) == [f"{NEW}_a.sql"]
    for path in (kept, root / "supabase" / "migrations" / f"{NEW}_a.sql"):
        assert path.read_bytes() == b"-- by\xff hand\r\nselect 1;"


def test_replaced_text_is_kept_each_time(root):
    first = replaced.put(root, A, A.file_name)
    second = replaced.put(root, Migration(A.version, "a", "select 2;"), A.file_name)
    assert first != second
    assert first.read_bytes() == b"-- by\xff hand\r\nselect 1;"
    assert second.read_text() == A.sql
    assert (root / "supabase" / "migrations" / A.file_name).read_text() == "select 2;"
    assert list((root / ".sbsync" / "drafts").iterdir()) == []


def test_no_file_is_overwritten(root):
    (root / "supabase" / "migrations" / B.file_name).write_text("precious")
    for name in ("", A.file_name):
        with pytest.raises(RefusedError, match="is there already"):
            replaced.put(root, B, name)
    assert (root / "supabase" / "migrations" / B.file_name).read_text() == "precious"
    assert names(root) == [A.file_name, B.file_name]


def test_a_file_that_only_the_squash_could_have_taken_in_is_no_sign_of_another_name():
    bare = Recorded(A.version, "a", None)
    whole = Migration(B.version, "b", A.sql + B.sql)
    (found,) = diagnose(facts([whole], [bare, B], [bare, B]), NOW)
    assert found.kind is Kind.SQUASHED


def test_statements_that_came_or_went_are_told_apart():
    longer = Migration(A.version, "a", A.sql + "select 1;\n")
    found = one([longer], [A], [A])
    assert found.details == ("added in the file: select 1",)
    shorter = recorded(A, statements=(A.sql.strip().rstrip(";"), "select 1"))
    assert one([A], [A], [shorter]).details == ("gone from the file: select 1",)


def test_what_a_push_that_failed_has_left_is_told_with_the_way_on():
    left = Drift(("index public.i: only on staging",), "Invalid: public.i.", "  1. Run it again.")
    made = facts([A], [A], [A])
    (found,) = diagnose(Facts(made.folder, made.local, made.remote, "staging", drift=left), NOW)
    assert "A push that failed leaves such things. Invalid: public.i." in found.what
    assert found.ways[0].title == "The way on:\n  1. Run it again."
