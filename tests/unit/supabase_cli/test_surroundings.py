"""What a call of the Supabase CLI sees: a private project and environment, of which nothing stays."""

import tempfile
from pathlib import Path

import pytest

from sbsync_tasks.errors import SbsyncError
from sbsync_tasks.settings.project import ConfigToml
from sbsync_tasks.state.migrations import Migration
from sbsync_tasks.supabase_cli import Binary, CliError, LocalStackCli
from sbsync_tasks.supabase_cli.config import fill
from tests.support.played import put
from tests.unit.supabase_cli.calls import CALLS, FIRST, HERE, SECOND, TARGET, V3


def test_a_call_gets_its_passwords_in_a_private_file_that_is_gone_afterwards(cli, played):
    CALLS["diff"](cli())
    (call,) = played.calls
    assert call["passfile"] == f"{HERE.passfile_line}\n{TARGET.passfile_line}\n"
    assert call["modes"] == [0o700, 0o600]
    assert not Path(call["env"]["PGPASSFILE"]).exists()
    assert not Path(call["cwd"]).exists()


def test_nothing_stays_after_a_failure_whatever_the_cli_left_among_temporary_files(cli, played, root):
    played.answers("", "boom", 1)
    with pytest.raises(CliError):
        CALLS["push"](cli())
    with pytest.raises(CliError):
        LocalStackCli(Binary(played.path, V3, "a test"), ConfigToml(root)).stop()
    push, stop = (Path(call["env"]["TMPDIR"]) for call in played.calls)
    assert push == Path(played.calls[0]["env"]["PGPASSFILE"]).parent
    assert tempfile.gettempdir() not in (str(push), str(stop))
    assert not push.exists()
    assert not stop.exists()


def test_a_call_sees_nothing_of_the_shell(cli, played, monkeypatch):
    strays = {
        "PGHOST": "x", "PGPASSWORD": "x", "PGOPTIONS": "-c a=b", "PGSSLMODE": "x", "SUPABASE_ACCESS_TOKEN": "x",
        "SUPABASE_PROJECT_ID": "x", "SUPABASE_DB_PASSWORD": "x", "SUPABASE_ENV": "x", "SUPABASE_YES": "x",
        "SUPABASE_WORKDIR": "x", "NODE_ENV": "production", "DOTENV_CONFIG_PATH": "x", "CLAUDECODE": "1",
    }  # fmt: skip
    for key, value in strays.items():
        monkeypatch.setenv(key, value)
    CALLS["mark_applied"](cli())
    (call,) = played.calls
    assert not set(strays) & set(call["env"])
    ours = {key for key in call["env"] if key.startswith(("PG", "SUPABASE_"))}
    assert ours == {"PGPASSFILE", "SUPABASE_TELEMETRY_DISABLED", "SUPABASE_NO_UPDATE_NOTIFIER"}
    assert (call["in_cwd"], call["stdin"]) == ([], "")


def test_a_call_sees_exactly_the_given_migrations(cli, played, root):
    put(root, "supabase/migrations/20250101000000_on_disk.sql", "drop table a;\n")
    put(root, "supabase/.temp/project-ref", "abcdefghijklmnopqrst")
    cli().push(TARGET, (FIRST, SECOND))
    files = played.calls[0]["files"]
    assert {name: text for name, text in files.items() if name.startswith("supabase/migrations/")} == {
        f"supabase/migrations/{m.file_name}": m.sql for m in (FIRST, SECOND)
    }
    assert not [name for name in files if ".temp" in name]


def test_files_with_one_text_are_one_file_with_many_names(root, tmp_path):
    """Making a thousand files for each call took longer than the call."""
    texts = ["select 1;\n", "select 2;\n", "select 1;\n"]
    made = [Migration(f"{number}", "x", text) for number, text in enumerate(texts)]
    folder = fill(tmp_path / "place", ConfigToml(root), made) / "supabase" / "migrations"
    assert [(folder / m.file_name).read_text(encoding="utf-8") for m in made] == texts
    assert [(folder / m.file_name).stat().st_nlink for m in made] == [2, 1, 2]


@pytest.mark.parametrize(("text", "said"), [(b"-- M\xfcller\n", "is not valid UTF-8"), (b"select 1;\0", "a zero byte")])
def test_a_seed_file_that_the_cli_would_garble_is_refused(cli, root, text, said):
    """It reads each byte that is no UTF-8 as U+FFFD, and runs that."""
    put(root, "supabase/config.toml", '[db.seed]\nsql_paths = ["seeds/*"]\n')
    put(root, "supabase/seeds/a.sql", "")
    (root / "supabase/seeds/a.sql").write_bytes(text)
    (root / "supabase/seeds/picture.png").write_bytes(b"\x89PNG")
    with pytest.raises(SbsyncError, match=said):
        cli().push(TARGET, (FIRST,), seed=True)


def test_roles_and_seeds_are_the_projects_own_its_settings_and_env_files_are_not_seen(cli, played, root):
    put(
        root,
        "supabase/config.toml",
        'project_id = "mine"\n[inbucket]\n[db.seed]\nsql_paths = ["seeds", "../x/*.sql"]\n',
    )
    put(root, "supabase/roles.sql", "create role app;\n")
    put(root, "supabase/seeds/a.sql", "insert into a values (1);\n")
    put(root, "x/more.sql", "insert into b values (1);\n")
    for name in (".env", ".env.local", "supabase/.env", "supabase/seeds/.env.staging.local"):
        put(root, name, "SUPABASE_DB_URL=postgresql://elsewhere\n")
    put(root, "supabase/templates/invite.html", "x")
    cli().push(TARGET, (FIRST,), seed=True, roles=True)
    files = played.calls[0]["files"]
    assert files["supabase/roles.sql"] == "create role app;\n"
    assert files["supabase/seeds/a.sql"] == "insert into a values (1);\n"
    assert files["x/more.sql"] == "insert into b values (1);\n"
    assert 'project_id = "mine"' in files["supabase/config.toml"]
    assert set(files) - {"supabase/config.toml", f"supabase/migrations/{FIRST.file_name}"} == {
        "supabase/roles.sql", "supabase/seeds/a.sql", "x/more.sql"
    }  # fmt: skip


def test_a_project_without_a_supabase_folder_gets_a_minimal_one(cli, played, root):
    (root / "supabase/migrations").rmdir()
    (root / "supabase").rmdir()
    cli().push(TARGET, (FIRST,))
    assert set(played.calls[0]["files"]) == {"supabase/config.toml", f"supabase/migrations/{FIRST.file_name}"}
    assert not (root / "supabase").exists()
