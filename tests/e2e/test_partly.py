"""A push that failed and left something behind: it is named, and the printed way on, word for word, ends in a proof."""

from __future__ import annotations

import re

import pytest

from tests.support.project import Project

FUTURE = "20990101000000"
FILE = f"{FUTURE}_names.sql"
ALONE = "create unique index concurrently teams_note on public.teams (note);\n"
TWO = f"alter table public.teams add column extra int;\n{ALONE}"
TRANSACTIONS = (
    "begin;\nalter table public.teams add column extra int;\ncommit;\n"
    "begin;\ncreate unique index teams_note on public.teams (note);\ncommit;\n"
)
ROWS = (
    "alter table public.teams add column extra int;\nupdate public.teams set extra = 1 where extra is null;\n" + ALONE
)


@pytest.fixture
def failed(project: Project, request: pytest.FixtureRequest) -> Project:
    """A project whose push has failed at rows that only the remote has, and whose remote has been mended since."""
    project.local.run("alter table public.teams add column note text")
    project.sync("local-to-remote")
    project.remote.run("insert into public.teams (name, note) values ('one', 'x'), ('two', 'x')")
    project.migration(FUTURE, "names", request.param)
    done = project.task("local-to-remote", "--yes")
    assert done.code == 1, done.text
    assert "There more than once: 1 value." in done.stderr
    assert "goes on from there" not in done.stderr
    assert FUTURE not in project.remote.history()
    project.said = done.stderr  # type: ignore[attr-defined]
    project.remote.run("update public.teams set note = 'y' where name = 'two'")
    return project


def everywhere(project: Project) -> str:
    """The way on, as the failure says it, and as every task says it that meets what was left."""
    said: str = project.said  # type: ignore[attr-defined]
    before = project.snapshot()
    steps: str = re.findall(r"(?m)((?:^  \d\. .*\n)+(?:^Or .*\n)?)", said)[-1]
    for task in ("local-to-remote", "remote-to-local", "resolve"):
        again = project.task(task, "--yes")
        assert again.code == 4, again.text
        assert steps in again.text, (steps, again.text)
    assert project.snapshot() == before
    return steps


def by_hand(project: Project, steps: str) -> None:
    """What the steps say is to be run on the remote."""
    for statement in re.findall(r"Run on sandbox: `(.+)`", steps):
        project.remote.run(statement)
    for line in re.findall(rf"what is left of supabase/migrations/{FILE}, line (\d+):", steps):
        rest = "\n".join(project.migrations[FILE].splitlines()[int(line) - 1 :])
        project.remote.run(*re.split(r";\s*", rest.strip().rstrip(";")))


def tasks(project: Project, steps: str) -> None:
    """The tasks that the steps name."""
    for task in re.findall(r"`invoke ([a-z-]+)`", steps):
        project.sync(task)


def proved(project: Project) -> None:
    assert project.task("verify").code == 0
    assert project.task("resolve").code == 0
    assert list(project.local.history()) == list(project.remote.history()) == project.versions
    for side in (project.local, project.remote):
        assert side.value("select indisvalid and indisunique from pg_index where indexrelid = 'teams_note'::regclass")


@pytest.mark.matrix
@pytest.mark.parametrize("failed", [ALONE], indirect=True)
def test_an_invalid_index_alone(failed: Project) -> None:
    assert "index public.teams_note: only on sandbox" in failed.said  # type: ignore[attr-defined]
    steps = everywhere(failed)
    by_hand(failed, steps)
    tasks(failed, steps)
    proved(failed)


@pytest.mark.matrix
@pytest.mark.parametrize("failed", [TWO, TRANSACTIONS], indirect=True)
def test_the_first_part_of_a_file_finished_by_hand(failed: Project) -> None:
    assert "column public.teams.extra: only on sandbox" in failed.said  # type: ignore[attr-defined]
    ignoring = failed.task("local-to-remote", "--yes", "--ignore-drift")
    assert ignoring.code == 1, ignoring.text
    steps = everywhere(failed)
    assert steps in ignoring.stderr
    steps = steps.partition("Or adopt")[0]
    by_hand(failed, steps)
    tasks(failed, steps)
    proved(failed)


@pytest.mark.matrix
@pytest.mark.parametrize("failed", [TWO, TRANSACTIONS, ROWS], indirect=True)
def test_the_first_part_of_a_file_adopted(failed: Project) -> None:
    steps = everywhere(failed)
    first, _, adopt = steps.partition("Or adopt")
    by_hand(failed, "\n".join(step for step in first.splitlines() if "what is left" not in step))
    taken = int((re.search(r"its first (\d*)", adopt or first) or [0, 1])[1] or 1)
    rest = failed.migrations[FILE].splitlines(keepends=True)[taken:]
    failed.migration(FUTURE, "names", "".join(rest))
    tasks(failed, adopt or first)
    proved(failed)


@pytest.mark.matrix
def test_rows_that_a_first_transaction_has_left_are_warned_of(project: Project) -> None:
    project.migration(
        FUTURE, "names",
        "begin;\ninsert into public.teams (name) values ('kept');\ncommit;\n"
        "begin;\nalter table public.teams add constraint short check (name <> 'forbidden');\ncommit;\n",
    )  # fmt: skip
    project.remote.run("insert into public.teams (name) values ('forbidden')")
    done = project.task("local-to-remote", "--yes")
    assert done.code == 1, done.text
    assert project.remote.value("select count(*) from public.teams where name = 'kept'") == 1
    assert f"{FILE} is not applied all or nothing" in done.stderr
    assert "goes on from there" not in done.stderr
