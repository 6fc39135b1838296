"""The Supabase CLI, played by a small real program: what it is given, what its answers mean."""

import inspect
import json
import tempfile
from pathlib import Path

import pytest

from sbsync_tasks.endpoint import Endpoint
from sbsync_tasks.errors import MissingToolError, SbsyncError
from sbsync_tasks.migrations import Migration
from sbsync_tasks.process import for_task
from sbsync_tasks.redaction import Redactor
from sbsync_tasks.settings.config_toml import ConfigToml
from sbsync_tasks.supabase_cli import (
    NEWEST_KNOWN,
    OLDEST_SUPPORTED,
    Binary,
    CliError,
    EngineRefusedError,
    SupabaseCli,
    Version,
)
from sbsync_tasks.supabase_cli.dialect import target_flags
from sbsync_tasks.supabase_cli.local_stack import LocalStackCli
from sbsync_tasks.supabase_cli.private_project import fill
from tests.support.played import Played, put

PASSWORD = "p@ss:w/o%r#d'\"$ \\x"
OTHER_PASSWORD = "s3cond-tr0ub4dor"
TARGET = Endpoint("db.example.com", 6543, "app", "ann", PASSWORD)
HERE = Endpoint("127.0.0.1", 54322, "postgres", "postgres", OTHER_PASSWORD)
FIRST = Migration("20260101000000", "first", "create table a (id int);\n")
SECOND = Migration("20260201000000", "second", "create table b (id int);\n")
V2, V3 = Version(2, 115, 0), Version(3, 1, 0)


@pytest.fixture
def played(tmp_path):
    return Played(tmp_path / "program")


@pytest.fixture
def root(tmp_path):
    (tmp_path / "project/supabase/migrations").mkdir(parents=True)
    return tmp_path / "project"


@pytest.fixture(autouse=True)
def secrets():
    with for_task(Redactor([PASSWORD, OTHER_PASSWORD])):
        yield


@pytest.fixture
def cli(played, root):
    return lambda version=V3: SupabaseCli(Binary(played.path, version, "a test"), ConfigToml(root))


# --- every call names its database (and no call holds a password) ---

CALLS = {
    "diff": lambda cli: cli.diff(HERE, TARGET, ("public", "app")),
    "push": lambda cli: cli.push(TARGET, (FIRST,), seed=True, roles=True, include_all=True, lock_timeout="5s"),
    "mark_applied": lambda cli: cli.mark_applied(TARGET, (FIRST, SECOND)),
    "reset": lambda cli: cli.reset(TARGET, (FIRST,)),
}


def test_every_public_method_is_among_the_calls_below():
    methods = {n for n, _ in inspect.getmembers(SupabaseCli, inspect.isfunction) if not n.startswith("_")}
    assert methods - {"expect", "hear"} == set(CALLS)  # which only make a push tell how far it is


@pytest.mark.parametrize("version", [V2, Version(2, 122, 1), Version(3, 0, 0), V3], ids=str)
@pytest.mark.parametrize("name", CALLS)
def test_each_call_names_its_database_and_holds_no_password(cli, played, name, version):
    CALLS[name](cli(version))
    (call,) = played.calls
    argv = call["argv"]
    if name == "diff":
        assert argv[argv.index("--from") + 1] == f"{HERE.url}?sslmode=disable"  # on loopback nobody speaks TLS
        assert argv[argv.index("--to") + 1] == TARGET.url
        assert ("--use-pg-delta" in argv) == (version.major == 2)
    elif version.major == 2:
        assert argv[argv.index("--db-url") + 1] == TARGET.url
    else:
        assert f"--remote={TARGET.url}" in argv
        assert "--db-url" not in argv
    assert not {"--local", "--linked", "--remote"} & set(argv)
    shown = json.dumps({**call, "passfile": "", "env": {**call["env"], "PATH": ""}}, ensure_ascii=False)
    for secret in (PASSWORD, json.dumps(PASSWORD)[1:-1], OTHER_PASSWORD):
        assert secret not in shown


@pytest.mark.parametrize("name", CALLS)
def test_each_call_asks_for_json_and_passes_no_agent_off(cli, played, name):
    CALLS[name](cli())
    argv = played.calls[0]["argv"]
    assert argv[argv.index("--output-format") + 1] == "json"
    assert argv[argv.index("--agent") + 1] == "no"
    assert ("--yes" in argv) == (name != "diff")


def test_how_a_database_is_named():
    assert target_flags(V2, "postgresql://u@h:1/d") == ["--db-url", "postgresql://u@h:1/d"]
    assert target_flags(V3, "postgresql://u@h:1/d") == ["--remote=postgresql://u@h:1/d"]


@pytest.mark.parametrize(
    ("endpoint", "flag"),
    [
        (HERE, "--remote=postgresql://postgres@127.0.0.1:54322/postgres?sslmode=disable"),
        (TARGET, "--remote=postgresql://ann@db.example.com:6543/app"),
        (
            Endpoint("localhost", 1, "d", "u", "p", {"application_name": "x"}),
            "--remote=postgresql://u@localhost:1/d?application_name=x&sslmode=disable",
        ),
        (
            Endpoint("::1", 1, "d", "u", "p", {"sslmode": "require"}),
            "--remote=postgresql://u@[::1]:1/d?sslmode=require",
        ),
    ],
)
def test_tls_is_only_given_up_on_this_machine(cli, played, endpoint, flag):
    cli().push(endpoint, ())
    assert flag in played.calls[0]["argv"]


# --- what each call asks for ---


def test_push_asks_for_what_is_wanted_and_never_for_the_vault(cli, played):
    cli().push(TARGET, (FIRST,))
    cli().push(TARGET, (FIRST,), seed=True, roles=True, include_all=True, lock_timeout="5s")
    plain, full = played.calls
    assert plain["argv"][:3] == ["db", "push", "--skip-vault"]
    assert not {"--include-seed", "--include-roles", "--include-all"} & set(plain["argv"])
    assert {"--skip-vault", "--include-seed", "--include-roles", "--include-all"} <= set(full["argv"])
    assert "PGOPTIONS" not in plain["env"]
    assert full["env"]["PGOPTIONS"] == "-c lock_timeout=5s"


def test_push_says_what_it_did(cli, played):
    played.answers('{"upToDate":false,"migrations":["20260101000000_first.sql"],"seeds":["supabase/seed.sql"]}\n')
    pushed = cli().push(TARGET, (FIRST,), seed=True)
    assert (pushed.migrations, pushed.seeds) == (("20260101000000_first.sql",), ("supabase/seed.sql",))
    played.answers('{"upToDate":true,"migrations":[],"seeds":[]}\n')
    assert cli().push(TARGET, ()).migrations == ()


def test_versions_are_named_one_by_one(cli, played):
    cli().mark_applied(TARGET, (FIRST, SECOND))
    argv = played.calls[0]["argv"]
    assert argv[:4] == ["migration", "repair", "--status", "applied"]
    assert argv[argv.index(FIRST.version) + 1] == SECOND.version


def test_a_history_is_never_changed_without_a_version(cli, played):
    """Without one the CLI replaces the whole history."""
    with pytest.raises(SbsyncError, match="No version was named"):
        cli().mark_applied(TARGET, ())
    assert played.calls == []


def test_diff_answers_with_sql(cli, played):
    played.answers('{"diff":"create table a ();\\n\\n","warnings":[]}\n')
    assert cli().diff(HERE, TARGET) == "create table a ();"
    assert "--schema" not in played.calls[0]["argv"]
    played.answers('{"diff":""}')
    assert cli().diff(HERE, TARGET, ("public", "app")) == ""
    argv = played.calls[-1]["argv"]
    assert argv[argv.index("--schema") + 1] == "public,app"


# --- what a call sees ---


def test_a_call_gets_its_passwords_in_a_private_file_that_is_gone_afterwards(cli, played):
    CALLS["diff"](cli())
    (call,) = played.calls
    assert call["passfile"] == f"{HERE.passfile_line}\n{TARGET.passfile_line}\n"
    assert call["modes"] == [0o700, 0o600]
    assert not Path(call["env"]["PGPASSFILE"]).exists()
    assert not Path(call["cwd"]).exists()


def test_the_file_that_is_applied_is_told_with_its_number(played, root):
    told = []
    cli = SupabaseCli(Binary(played.path, V3, "a test"), ConfigToml(root), at=lambda *at: told.append(at))
    applied = [f"Applying migration {m.file_name}...\n" for m in (FIRST, SECOND)]
    played.answers(json.dumps({"migrations": [], "seeds": []}), "".join(["Connecting\n", *applied]))
    cli.expect((SECOND,))
    cli.push(TARGET, (FIRST, SECOND))
    assert told == [(SECOND.file_name, 1, 1)]  # the other one was there
    cli.reset(TARGET, (FIRST, SECOND))
    LocalStackCli(cli.binary, ConfigToml(root), hears=cli.hear).reset()
    assert told[1:] == 2 * [(FIRST.file_name, 1, 2), (SECOND.file_name, 2, 2)]


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


def test_each_warning_of_the_cli_is_told_once(played, root):
    told = []
    cli = SupabaseCli(Binary(played.path, V3, "a test"), ConfigToml(root), told.append)
    stderr = (
        "Target: custom Postgres\nWARN: no files matched pattern: supabase/a.sql\n"
        "no files matched pattern: supabase/b.sql\nSeeding data from supabase/c.sql...\nWARNING (01000): odd\n"
    )
    played.answers('{"migrations":[],"seeds":[]}', stderr)
    cli.push(TARGET, (FIRST,), seed=True)
    cli.push(TARGET, (FIRST,), seed=True)
    assert told == [
        "The Supabase CLI warns: no files matched pattern: supabase/a.sql",
        "The Supabase CLI warns: no files matched pattern: supabase/b.sql",
        "The Supabase CLI warns: (01000): odd",
    ]
    played.answers('{"error":{"code":"X","message":"no"}}', "Warning: told of a failure, too\n", 1)
    with pytest.raises(CliError):
        cli.push(TARGET, ())
    assert told[-1] == "The Supabase CLI warns: told of a failure, too"


# --- what its answers mean; the texts are those of 2.115.0, 2.122.1 and 3.1.0 ---

DIVISION = "ERROR: division by zero (SQLSTATE 22012)\\nAt statement: 1\\nselect 1/0"
ENUM = 'ERROR: unsafe use of new value \\"b\\" of enum type kind (SQLSTATE 55P04)\\nAt statement: 2'
REFUSED = (
    "failed to connect to postgres: failed to connect to `host=127.0.0.1 user=postgres database=postgres`: "
    "dial error (connect ECONNREFUSED 127.0.0.1:1)"
)


@pytest.mark.parametrize(
    ("stdout", "code", "sqlstate", "said"),
    [
        (
            f'{{"_tag":"Error","error":{{"code":"LegacyDbPushApplyError","message":"{DIVISION}"}}}}\n',
            "LegacyDbPushApplyError", "22012", "division by zero",
        ),
        (
            f'{{"_tag":"Error","error":{{"code":"DbPushApplyError","message":"{DIVISION}"}}}}\n',
            "DbPushApplyError", "22012", "select 1/0",
        ),
        (
            '{"target":{"kind":"db-url","host":"127.0.0.1","port":5},"_tag":"Error","error":'
            f'{{"code":"DbPushApplyError","message":"{ENUM}"}}}}',
            "DbPushApplyError", "55P04", "unsafe use of new value",
        ),
        (
            f'{{"_tag":"Error","error":{{"code":"DbConnectError","message":"{REFUSED}","suggestion":"Make sure"}}}}',
            "DbConnectError", "", "ECONNREFUSED",
        ),
        (
            'a warning on stdout\n{"_tag":"Error","error":{"code":"DbPushMissingLocalError","message":"Remote"}}\n',
            "DbPushMissingLocalError", "", "Remote",
        ),
    ],
)  # fmt: skip
def test_an_error_in_the_answer(cli, played, stdout, code, sqlstate, said):
    played.answers(stdout, "Applying migration 20260101000000_first.sql...\n", 1)
    with pytest.raises(CliError) as caught:
        cli().push(TARGET, (FIRST,))
    error = caught.value
    assert (error.code, error.sqlstate, error.exit_code) == (code, sqlstate, 1)
    assert error.message.startswith("`supabase db push` failed: ")
    assert said in error.message
    assert "Make sure" not in error.message + error.hint  # the CLI's hints are not passed on


def test_an_error_counts_whatever_the_exit_status(cli, played):
    played.answers('{"_tag":"Error","error":{"code":"X","message":"no"}}', "", 0)
    with pytest.raises(CliError, match="failed: no"):
        cli().push(TARGET, (FIRST,))


def test_a_failure_without_json_shows_the_end_of_what_it_said(cli, played):
    played.answers("", "".join(f"line {n}\n" for n in range(20)) + "ERROR: x (SQLSTATE 42P01)\n", 1)
    with pytest.raises(CliError) as caught:
        cli().push(TARGET, (FIRST,))
    assert "line 19\nERROR: x" in caught.value.message
    assert "line 5\n" not in caught.value.message
    assert caught.value.sqlstate == "42P01"
    played.answers("", "", 1)
    with pytest.raises(CliError, match="it said nothing"):
        cli().push(TARGET, (FIRST,))


UNREADABLE = {
    "empty": "",
    "blank": "\n\n",
    "cut": '{"diff":"create table a (',
    "no JSON": "Finished supabase db push.\n",
    "no object": "[]\n",
    "cut behind its first line": '{"diff":"create table a (",\n',
    "without its fields": "{}",
    "null": '{"diff":null,"migrations":null}',
    "another kind": '{"diff":[],"migrations":"all"}',
}


@pytest.mark.parametrize("stdout", UNREADABLE.values(), ids=UNREADABLE)
@pytest.mark.parametrize("name", ["diff", "push"])
def test_an_unreadable_answer_is_an_error_whatever_the_exit_status(cli, played, name, stdout):
    """It is never "no difference" or "nothing was pending"."""
    played.answers(stdout)
    with pytest.raises(CliError, match=f"`supabase db {name}` ended without an error, and its answer cannot be read"):
        CALLS[name](cli())


@pytest.mark.parametrize(
    "stdout", [s for n, s in UNREADABLE.items() if s[:1] not in ("{", "") or n in ("empty", "cut")]
)
@pytest.mark.parametrize("name", ["mark_applied", "reset"])
def test_a_call_whose_answer_is_only_looked_at_for_errors_has_to_answer_too(cli, played, name, stdout):
    played.answers(stdout)
    with pytest.raises(CliError, match="its answer cannot be read"):
        CALLS[name](cli())


@pytest.mark.parametrize("character", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\r"])
def test_only_a_line_feed_ends_a_line_of_json(cli, played, character):
    """The CLI prints U+2028, U+2029 and U+0085 as they are."""
    sql = f"comment on table a is 'one{character}two';"
    played.answers("a warning\n" + json.dumps({"diff": sql}, ensure_ascii=False) + "\n")
    assert cli().diff(HERE, TARGET) == sql


# --- a version that was not tested ---


@pytest.mark.parametrize("name", sorted(set(CALLS) - {"diff"}))
def test_a_newer_major_writes_nothing(cli, played, name):
    with pytest.raises(MissingToolError, match="only reads are allowed"):
        CALLS[name](cli(Version(4, 0, 0)))
    assert played.calls == []
    CALLS["diff"](cli(Version(4, 0, 0)))
    assert len(played.calls) == 1


@pytest.mark.parametrize(
    ("version", "notice", "may_write"),
    [
        (NEWEST_KNOWN, "", True),
        (Version(3, 9, 0), "", True),
        (OLDEST_SUPPORTED, f"keep the CLI updated|{NEWEST_KNOWN}", True),
        (Version(4, 0, 0), "newer than any that was tested|only reads", False),
    ],
    ids=str,
)
def test_what_a_version_deserves_to_be_told(version, notice, may_write):
    binary = Binary(Path("supabase"), version, "PATH")
    assert bool(binary.notice) == bool(notice)
    assert all(words in binary.notice for words in notice.split("|"))
    assert binary.may_write is may_write


def test_an_engine_that_refuses_is_told_from_a_call_that_failed(cli, played):
    said = 'Database diff failed: capability: cannot set owner of schema:s to role "r" — applier "postgres" is …'
    refused = {"_tag": "Error", "error": {"code": "PgDeltaEngineError", "message": said}}
    played.answers(json.dumps(refused), code=1)
    with pytest.raises(EngineRefusedError, match="The schema s belongs to the role r"):
        cli().diff(HERE, TARGET)
    failed = {"_tag": "Error", "error": {"code": "DbConnectError", "message": "no connection"}}
    played.answers(json.dumps(failed), code=1)
    with pytest.raises(CliError, match="no connection") as caught:
        cli().diff(HERE, TARGET)
    assert not isinstance(caught.value, EngineRefusedError)
