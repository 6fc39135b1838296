"""`invoke url` and `invoke psql`: they lead to the databases that a run uses, of each environment."""

import sys
from pathlib import Path

import psycopg

from tests.support.project import Data, Project
from tests.support.terminal import at_a_terminal, invoke


def test_they_lead_to_the_databases_of_the_environment(project: Project) -> None:
    password = project.remote.endpoint.password
    project.write(".env.staging", f"SUPABASE_DB_URL={project.remote.endpoint.url}\nSUPABASE_DB_PASSWORD={password}\n")
    project.settings["SBSYNC_LOCAL"] = "embedded"
    local = project.invoke("url", "--env", "staging")
    assert local.code == 0, local.text
    with psycopg.connect(local.stdout.strip(), autocommit=True) as connection:
        connection.execute("create table public.mine (id int)")
    assert Data(project.clusters.start("local")).has("public.mine")  # the one that the run uses
    assert not project.clusters.running("sandbox-local")

    remote = project.invoke("url", "--env", "staging", "--remote", "--json")
    assert password not in remote.text
    with psycopg.connect(remote.data["url"]) as connection:
        assert connection.execute("select to_regclass('public.teams')").fetchone() == ("teams",)
    assert {p.stat().st_mode & 0o777 for p in (project.root / ".sbsync/passfiles").iterdir()} == {0o600}

    asked = (("=>", "select count(*) as mine from pg_class where relname = 'mine';\n"), ("1 row", "\\q\n"))
    screen = invoke(project, "psql", "--env", "staging", typed=asked)
    assert screen.code == 0, screen.text
    assert "local (embedded PostgreSQL, port" in screen.text
    assert "1\n(1 row)" in screen.text
    assert password not in screen.text


def test_psql_takes_what_is_piped_into_it(project: Project) -> None:
    line = f"echo 'create table public.mine (id int)' | {sys.executable} -m invoke psql --env sandbox --remote"
    screen = at_a_terminal(["/bin/sh", "-c", line], cwd=project.root, env=project.environment())
    assert screen.code == 0, screen.text
    assert project.remote.has("public.mine")
    assert not project.local.has("public.mine")


def test_without_a_psql_on_path_the_wheels_own_is_run(project: Project, tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "sh").symlink_to("/bin/sh")
    line = f"echo 'select 6 * 7' | {sys.executable} -m invoke psql --env sandbox"
    screen = at_a_terminal(["/bin/sh", "-c", f"PATH={folder}; export PATH; {line.replace('echo', '/bin/echo')}"],
                           cwd=project.root, env=project.environment())  # fmt: skip
    assert (screen.code, "42" in screen.text) == (0, True), screen.text
