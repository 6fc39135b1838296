"""The ways in which the plain commands destroy work, beside what these tasks do with the same databases.

The Docker shadow of `supabase db diff` is stood in for by an embedded one that holds all files, as that one does.
"""

import re
from pathlib import Path

import pytest

from tests.support.project import Data, Project

MADE_REMOTELY = ("create table public.remote_made (id int primary key)", "insert into public.remote_made values (1)")
COLLEAGUE = "create table public.colleague (id int primary key);\n"


def shadow_of_all_files(project: Project) -> Data:
    """A database built from every file in the folder, by the real CLI."""
    name = f"naive-{len(project.migrations)}"
    shadow = project.database(name)
    done = project.supabase("db", "push", "--yes", "--skip-vault", "--include-all", on=shadow)
    assert done.code == 0, done.text
    return shadow


def push(project: Project, on: Data | None = None) -> None:
    done = project.supabase("db", "push", "--yes", "--skip-vault", "--include-all", on=on)
    assert done.code == 0, done.text


def naive_copy(project: Project, folder: Path) -> Project:
    """The same situation once more, for the plain commands."""
    project.stop()
    return project.copy_to(folder / "naive" / "project")


@pytest.mark.matrix
def test_a_second_diff_after_a_pull_drops_what_was_pulled(project: Project, tmp_path: Path) -> None:
    project.remote.run(*MADE_REMOTELY)
    naive = naive_copy(project, tmp_path)
    try:
        pulled = naive.supabase_diff(shadow_of_all_files(naive), naive.remote)
        naive.migration("20260401000000", "pulled", pulled)
        naive.remote.run("insert into supabase_migrations.schema_migrations (version) values ('20260401000000')")
        second = naive.supabase_diff(shadow_of_all_files(naive), naive.local)  # the guide's next command
        assert re.search(r'drop table "?public"?\."?remote_made"?', second, re.IGNORECASE)
        naive.migration("20260401000001", "second", second)
        push(naive)
        assert not naive.remote.has("public.remote_made")
    finally:
        naive.remove_databases()

    project.sync("remote-to-local")
    project.sync("local-to-remote")
    assert project.remote.rows("select * from public.remote_made") == [(1,)]
    assert project.local.has("public.remote_made")
    assert "DROP" not in "".join(project.migrations.values()).upper().replace("DROPPED", "")


@pytest.mark.matrix
def test_a_diff_against_all_files_drops_what_a_colleague_has_pushed(project: Project, tmp_path: Path) -> None:
    project.migration("20260401000000", "colleague", COLLEAGUE)  # by `git pull`; the local database has not had it
    push(project)  # as the colleague did
    project.remote.run("insert into public.colleague values (1)")
    project.local.run("create table public.mine (id int primary key)")
    naive = naive_copy(project, tmp_path)
    try:
        sql = naive.supabase_diff(shadow_of_all_files(naive), naive.local)
        naive.migration("20260401000001", "mine", sql)
        push(naive)
        assert naive.remote.has("public.mine")
        assert not naive.remote.has("public.colleague")  # with its row
    finally:
        naive.remove_databases()

    project.sync("local-to-remote")
    assert project.remote.rows("select * from public.colleague") == [(1,)]
    assert project.remote.has("public.mine")
    assert project.local.has("public.colleague")
    assert project.local.has("public.mine")


@pytest.mark.matrix
def test_a_pull_against_all_files_drops_what_was_not_pushed_yet(project: Project, tmp_path: Path) -> None:
    project.migration("20990101000000", "unpushed", "create table public.unpushed (id int primary key);\n")
    push(project, on=project.local)
    project.local.run("insert into public.unpushed values (1)")
    project.remote.run(*MADE_REMOTELY)
    naive = naive_copy(project, tmp_path)
    try:
        pulled = naive.supabase_diff(shadow_of_all_files(naive), naive.remote)
        naive.migration("20990101000001", "pulled", pulled)
        push(naive, on=naive.local)
        assert naive.local.has("public.remote_made")
        assert not naive.local.has("public.unpushed")  # with its row
    finally:
        naive.remove_databases()

    project.sync("remote-to-local", "--no-reset")
    assert project.local.rows("select * from public.unpushed") == [(1,)]
    assert project.local.has("public.remote_made")
    assert project.remote.rows("select * from public.remote_made") == [(1,)]
    assert not project.remote.has("public.unpushed")  # still pending

    project.sync("local-to-remote", "--no-reset")
    assert project.remote.has("public.unpushed")
    assert project.remote.rows("select * from public.remote_made") == [(1,)]
