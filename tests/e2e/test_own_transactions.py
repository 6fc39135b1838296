"""Files with transactions of their own: refused before anything runs, or applied whole; never recorded without rows."""

import pytest

from tests.support.project import Project

# After a public report: the CLI says that it has applied all three, records the first, and the UPDATE never happens.
INIT = (
    "create table public.jobs (id int primary key, state text not null default 'raw');\n"
    "alter table public.jobs enable row level security;\ninsert into public.jobs values (1);\n"
)
MORE = (
    "alter table public.jobs add column if not exists note text;\n"
    "commit;\nbegin;\nupdate public.jobs set state = 'half' where id = 1;\n"
)
AFTER = "create table public.later (id int primary key);\nalter table public.later enable row level security;\n"
FIRST, SECOND, THIRD = "20990101000000", "20990102000000", "20990103000000"
STATE = "select state from public.jobs"


def write(project: Project, more: str = MORE) -> None:
    project.migration(FIRST, "init", INIT)
    project.migration(SECOND, "more", more)
    project.migration(THIRD, "after", AFTER)


def arrived(project: Project) -> None:
    """All of it has happened, on both sides, and the histories say so."""
    for side in (project.local, project.remote):
        assert side.value(STATE) == "half"
        assert side.has("public.later")
        assert list(side.history()) == project.versions
    again = project.sync("local-to-remote", "--json")
    assert (again.data["plan"], again.data["proof"]["in_sync"]) == ([], True)


def is_refused(project: Project) -> None:
    """By every task that would run it, before anything is run, with the line."""
    before = project.snapshot()
    for task in (["local-to-remote", "--yes"], ["push", "--yes"], ["remote-to-local", "--yes"]):
        done = project.task(*task)
        assert done.code == 4, done.text
        assert f"{SECOND}_more.sql, line 2: `commit` ends a transaction that the file has not begun" in done.text
        assert "line 3: `begin` opens a transaction that the file does not end" in done.text
        assert "Take these statements out" in done.text
    done = project.task("reset", "--yes")
    assert (done.code, "line 2: `commit`" in done.text) == (4, True), done.text
    assert project.snapshot() == before


def is_pushed_as_advised(project: Project) -> None:
    """The advice, word for word: the statements are taken out."""
    write(project, "".join(line for line in MORE.splitlines(True) if line not in ("commit;\n", "begin;\n")))
    project.sync("local-to-remote")
    arrived(project)


def test_it_is_refused_with_its_line(project: Project) -> None:
    write(project)
    before = project.snapshot()
    done = project.task("local-to-remote", "--yes")
    assert done.code == 4, done.text
    assert f"{SECOND}_more.sql, line 2: `commit` ends a transaction that the file has not begun" in done.text
    assert project.snapshot() == before


@pytest.mark.matrix
def test_every_task_refuses_it(with_release: Project) -> None:
    write(with_release)
    is_refused(with_release)
    is_pushed_as_advised(with_release)


@pytest.mark.matrix
def test_after_the_plain_cli_has_pushed_it_its_rows_are_not_taken_for_written(with_release: Project) -> None:
    project = with_release
    write(project)
    pushed = project.supabase("db", "push", "--yes", "--skip-vault")
    assert (pushed.code, len(pushed.data["migrations"])) == (0, 3)  # it says so
    assert (project.remote.value(STATE), project.remote.has("public.later")) == ("raw", False)
    assert SECOND not in project.remote.history()
    write(project, "".join(line for line in MORE.splitlines(True) if line not in ("commit;\n", "begin;\n")))

    before = project.snapshot()
    done = project.task("local-to-remote", "--yes")
    assert done.code == 4, done.text
    assert f"has what {SECOND}_more.sql does to the schemas, without having recorded it" in done.text
    assert "(line 2: UPDATE), and whether that was done cannot be told" in done.text
    assert project.snapshot() == before

    # The advice, word for word.
    schema, rows = project.migrations[f"{SECOND}_more.sql"].splitlines(True)
    project.migration(SECOND, "more", schema)
    project.migration("20990104000000", "rows", rows)
    project.sync("local-to-remote")
    arrived(project)


@pytest.mark.matrix
def test_drift_that_is_ignored_pushes_what_can_be_run_twice(with_release: Project) -> None:
    project = with_release
    write(project)
    assert project.supabase("db", "push", "--yes", "--skip-vault").code == 0
    write(project, "".join(line for line in MORE.splitlines(True) if line not in ("commit;\n", "begin;\n")))
    project.sync("local-to-remote", "--ignore-drift")
    arrived(project)


@pytest.mark.matrix
@pytest.mark.parametrize("with_release", ["3.1.0"], indirect=True)  # what is noted is our own reading of the text
@pytest.mark.parametrize(
    "sql",
    [
        "begin;\nalter table public.jobs add note text;\nupdate public.jobs set state = 'half';\ncommit;\n",
        "alter table public.jobs add note text;\nstart transaction;\nupdate public.jobs set state = 'half';\nend;\n",
        "begin;\nalter table public.jobs add note text;\nsavepoint s;\ndelete from public.jobs;\nrollback to s;\n"
        "update public.jobs set state = 'half';\ncommit and chain;\nselect 1;\ncommit;\n",
        "alter table public.jobs add note text;\ndo $$ begin update public.jobs set state = 'half'; commit; end $$;\n",
    ],
)
def test_complete_transactions_pass_with_a_note(with_release: Project, sql: str) -> None:
    write(with_release, sql)
    done = with_release.sync("local-to-remote")
    assert "so the file is not applied all or nothing" in done.text
    arrived(with_release)


@pytest.mark.matrix
def test_what_the_text_does_not_show_is_found_when_the_history_is_read_back(with_release: Project) -> None:
    """A function that forgets the version, in the place of all that ends a recording unseen: no shadow is kept."""
    project = with_release
    forget = (
        "create function public.forget() returns trigger language plpgsql as $$ begin return null; end $$;\n"
        "create trigger forget before insert on supabase_migrations.schema_migrations for each row\n"
        f"when (new.version = '{SECOND}') execute function public.forget();\n"
    )
    project.migration(FIRST, "init", INIT + forget)
    project.migration(SECOND, "more", "alter table public.jobs add note text;\n")
    before = project.snapshot()
    for _ in range(2):  # it is not cached as complete
        done = project.task("local-to-remote", "--yes")
        assert done.code == 1, done.text
        assert f"the shadow database has not recorded {SECOND}_more.sql as it was sent" in done.text
    assert project.snapshot() == before
