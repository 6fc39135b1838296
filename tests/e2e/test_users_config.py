"""What stands in the user's `config.toml` stops no call that does not need it; seeds run as the plain CLI runs them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.configs import REFUSED
from tests.support.project import TASKS, Project

OLDER = ("2.122.1", "2.115.0")
ENV_IN_CONFIG = """\
project_id = "env(PROJECT_NAME)"
[api]
port = "env(API_PORT)"
enabled = "env(UNSET_ANYWHERE)"
[db]
port = "env(DB_PORT)"
major_version = 17
[auth.email.smtp]
enabled = "env(SMTP_ENABLED)"
[auth.external.github]
enabled = true
secret = "env(GITHUB_SECRET)"
"""


@pytest.fixture
def made(newest: Path, tmp_path: Path) -> Iterator[Callable[[str, str], Project]]:
    """Makes a project of one migration, with this config.toml, in this folder, for the sandbox."""
    projects = []

    def make(config: str, folder: str = "project") -> Project:
        project = Project(tmp_path / folder, newest)
        projects.append(project)
        project.root.mkdir(parents=True)
        project.write("tasks.py", TASKS)
        project.write("supabase/config.toml", config)
        project.migration("20250101000000", "init", "create table public.t (n int primary key);\n")
        return project

    yield make
    for project in projects:
        project.remove_databases()


# An engine that answers and has nothing in it.
DOCKER = """\
#!/bin/sh
[ "$1" = version ] && echo 28.0.0 && exit 0
echo "Error: No such container" >&2
exit 1
"""


def both_ways(project: Project) -> None:
    project.sync("local-to-remote")
    assert list(project.remote.history()) == list(project.local.history()) == ["20250101000000"]
    project.remote.run("create table public.by_hand (id int)")
    project.sync("remote-to-local", "--no-commit")
    assert project.local.has("public.by_hand")
    assert project.task("verify").code == 0


@pytest.mark.matrix
@pytest.mark.parametrize(  # pairs; the old keys with the newest and the oldest CLI are in test_invariants_targets.py
    ("config", "version"),
    [(REFUSED, OLDER[0]), (ENV_IN_CONFIG, None), (ENV_IN_CONFIG, OLDER[1])],
    ids=["old", "env", "env with 2.115"],
)
def test_no_key_of_the_users_stops_a_run(
    made: Callable[[str], Project], cli: Callable[[str], Path], config: str, version: str | None
) -> None:
    project = made(config)
    project.cli = cli(version) if version else project.cli
    both_ways(project)


def test_a_file_that_is_no_toml_stops_everything_before_anything_is_done(made: Callable[[str], Project]) -> None:
    project = made('project_id = "x"\n[db]\nport = \n')
    for task in ("local-to-remote", "status", "reset"):
        done = project.task(task)
        assert done.code == 3, done.text
        assert "supabase/config.toml, line 3: this is no TOML" in done.stderr
        assert "Traceback" not in done.text
    assert project.clusters.names() == ()


@pytest.mark.matrix
@pytest.mark.parametrize("version", [None, *OLDER])
def test_seeds_run_as_the_plain_cli_runs_them(
    made: Callable[[str, str], Project], cli: Callable[[str], Path], version: str | None, tmp_path: Path
) -> None:
    patterns = '["./seeds/*.sql", "./seeds/**/*.sql", "../data/extra.sql", "../../../packages/*/z.sql", "./none/*.sql"]'
    project = made(f'project_id = "mono"\n[db.seed]\nsql_paths = {patterns}\n', "apps/web")
    project.cli = cli(version) if version else project.cli
    files = ("supabase/seeds/a.sql", "supabase/seeds/deep/b.sql", "data/extra.sql", "../../packages/db/z.sql")
    for number, name in enumerate(files, 1):
        project.write(name, f"insert into public.t values ({number});\n")
    (tmp_path / "apps/web/supabase/migrations/20250102000000_second.sql").write_text("select 1;\n")
    done = project.sync("local-to-remote", "--json")
    assert project.local.rows("select n from public.t order by n") == [(1,), (2,), (3,), (4,)]
    assert f"4 seed files run: {', '.join(files)}" in done.stderr
    assert done.data["seeds"] == list(files)
    assert "warns: no files matched pattern: supabase/none/*.sql" in done.stderr
    told = project.local.rows("select path, hash from supabase_migrations.seed_files order by 1")
    assert project.remote.rows("select n from public.t") == []
    # By hand the CLI finds the same files, and what it would record is what is recorded.
    by_hand = project.supabase("db", "push", "--include-seed", "--dry-run", "--skip-vault", on=project.local)
    assert by_hand.data["seeds"] == []
    assert sorted(path for path, _ in told) == sorted(files)


@pytest.mark.parametrize("version", [None, *(pytest.param(v, marks=pytest.mark.matrix) for v in OLDER)])
def test_doctor_names_what_the_cli_refuses_and_following_it_helps(
    made: Callable[[str], Project], cli: Callable[[str], Path], version: str | None
) -> None:
    project = made(ENV_IN_CONFIG + REFUSED.partition("[db]")[0].partition("\n")[2])
    project.cli = cli(version) if version else project.cli
    project.write("supabase/.env", "API_PORT=54321\nDB_PORT=54322\n")
    before = sorted(project.root.rglob("*"))
    told = [c for c in project.task("doctor", "--json").data["checks"] if c["name"] == "config.toml"]
    assert {c["level"] for c in told[:-1]} == {"warning"}
    assert sorted(project.root.rglob("*")) == before
    lines = {number: c["fix"] for c in told for number in range(30) if f"line {number}:" in c["what"]}
    unset = "Set {} in supabase/.env or in the environment, or write the value itself."
    wanted = {4: unset.format("UNSET_ANYWHERE"), 9: unset.format("SMTP_ENABLED")}
    assert lines == wanted | ({} if version else {13: "Use [local_smtp] instead."}) | {
        number: lines[number]
        for number in (8, 10, 11)
        if number in lines  # of the same tables: a secret, a sender
    }
    text = (project.root / "supabase/config.toml").read_text().replace("[inbucket]", "[local_smtp]")
    project.write("supabase/config.toml", text.partition("[auth.email.smtp]")[0] + text.partition('SECRET)"\n')[2])
    project.write("supabase/.env", "API_PORT=54321\nDB_PORT=54322\nUNSET_ANYWHERE=true\n")
    done = project.task("doctor", "--json")
    assert "refuses" not in done.text


def test_what_needs_the_real_file_stops_before_anything_else(made: Callable[[str], Project], tmp_path: Path) -> None:
    project = made(REFUSED.partition("[db]")[0])
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(DOCKER)
    program.chmod(0o755)
    project.settings["PATH"] = f"{program.parent}:{project.environment()['PATH']}"
    project.settings |= {"SBSYNC_LOCAL": "stack", "SUPABASE_DB_URL": "postgresql://postgres@127.0.0.1:1/none"}
    project.env = "development"
    before = sorted(project.root.rglob("*"))
    for task in (["local-to-remote"], ["remote-to-local"], ["reset"], ["diff", "--start"]):
        done = project.task(*task)
        assert done.code == 3, done.text
        assert "line 2: [inbucket] is no longer supported. Use [local_smtp] instead." in done.stderr
        assert "Nothing was changed" in done.stderr
        assert sorted(project.root.rglob("*")) == before
    for task in (["local-to-remote", "--no-reset"], ["diff"], ["status"]):
        assert "[inbucket]" not in project.task(*task).text
