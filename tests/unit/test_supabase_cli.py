"""The Supabase CLI, played by a small real program: how it is found, what it is given, what its answers mean."""

import inspect
import json
import stat
import sys
from pathlib import Path

import pytest
from invoke.context import Context

from sbsync_tasks.endpoint import Endpoint
from sbsync_tasks.errors import ConfigError, MissingToolError, SbsyncError
from sbsync_tasks.migrations import Migration
from sbsync_tasks.runner import Redactor, Runner
from sbsync_tasks.supabase_cli import NEWEST_KNOWN, OLDEST_SUPPORTED, Binary, CliError, SupabaseCli, Version, find
from sbsync_tasks.supabase_cli.binary import install
from sbsync_tasks.supabase_cli.dialect import target_flags

PASSWORD = "p@ss:w/o%r#d'\"$ \\x"
OTHER_PASSWORD = "s3cond-tr0ub4dor"
TARGET = Endpoint("db.example.com", 6543, "app", "ann", PASSWORD)
HERE = Endpoint("127.0.0.1", 54322, "postgres", "postgres", OTHER_PASSWORD)
FIRST = Migration("20260101000000", "first", "create table a (id int);\n")
SECOND = Migration("20260201000000", "second", "create table b (id int);\n")
V2, V3 = Version(2, 115, 0), Version(3, 1, 0)

# Writes down all that it sees, then answers as it is told to.
PLAYED = """#!{python}
import json, os, pathlib, stat, sys
calls = pathlib.Path({folder!r}, "calls.jsonl")
project = sys.argv[sys.argv.index("--workdir") + 1] if "--workdir" in sys.argv else None
seen = {{"argv": sys.argv[1:], "env": dict(os.environ), "cwd": os.getcwd(), "in_cwd": os.listdir("."),
        "stdin": sys.stdin.read(), "files": {{}}}}
if project:
    place = pathlib.Path(project).parent
    seen["modes"] = [stat.S_IMODE(p.stat().st_mode) for p in (place, pathlib.Path(os.environ["PGPASSFILE"]))]
    seen["passfile"] = pathlib.Path(os.environ["PGPASSFILE"]).read_text()
    for folder, _, names in os.walk(project, followlinks=True):
        for name in names:
            path = pathlib.Path(folder, name)
            seen["files"][str(path.relative_to(project))] = path.read_text()
with calls.open("a") as file:
    file.write(json.dumps(seen) + "\\n")
answer = json.loads(pathlib.Path({folder!r}, "answer.json").read_text())
sys.stdout.write(answer["stdout"])
sys.stderr.write(answer["stderr"])
sys.exit(answer["code"])
"""


class Played:
    """A program in a folder of its own."""

    def __init__(self, folder):
        self.folder = folder
        self.path = folder / "supabase"
        folder.mkdir(parents=True, exist_ok=True)
        self.path.write_text(PLAYED.format(python=sys.executable, folder=str(folder)))
        self.path.chmod(0o755)
        self.answers("{}")

    def answers(self, stdout, stderr="", code=0):
        (self.folder / "answer.json").write_text(json.dumps({"stdout": stdout, "stderr": stderr, "code": code}))

    @property
    def calls(self):
        path = self.folder / "calls.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def played(tmp_path):
    return Played(tmp_path / "program")


@pytest.fixture
def root(tmp_path):
    (tmp_path / "project/supabase/migrations").mkdir(parents=True)
    return tmp_path / "project"


@pytest.fixture
def runner():
    return Runner(Context(), Redactor([PASSWORD, OTHER_PASSWORD]))


@pytest.fixture
def cli(played, root, runner):
    return lambda version=V3: SupabaseCli(Binary(played.path, version, "a test"), runner, root)


def put(root, name, text):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


# --- every call names its database (and no call holds a password) ---

CALLS = {
    "diff": lambda cli: cli.diff(HERE, TARGET, ("public", "app")),
    "push": lambda cli: cli.push(TARGET, (FIRST,), seed=True, roles=True, include_all=True, lock_timeout="5s"),
    "mark_applied": lambda cli: cli.mark_applied(TARGET, (FIRST, SECOND)),
    "reset": lambda cli: cli.reset(TARGET, (FIRST,)),
}


def test_every_public_method_is_among_the_calls_below():
    methods = {n for n, _ in inspect.getmembers(SupabaseCli, inspect.isfunction) if not n.startswith("_")}
    assert methods == set(CALLS)


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
    played.answers('{"upToDate":true}\n')
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
    for empty in ('{"diff":""}', '{"diff":null}', "{}"):
        played.answers(empty)
        assert cli().diff(HERE, TARGET, ("public", "app")) == ""
    argv = played.calls[-1]["argv"]
    assert argv[argv.index("--schema") + 1] == "public,app"


def test_reset_may_leave_the_seeds_out(cli, played):
    cli().reset(HERE, (FIRST,))
    cli().reset(HERE, (FIRST,), seed=False)
    assert ["--no-seed" in call["argv"] for call in played.calls] == [False, True]


# --- what a call sees ---


def test_a_call_gets_its_passwords_in_a_private_file_that_is_gone_afterwards(cli, played):
    CALLS["diff"](cli())
    (call,) = played.calls
    assert call["passfile"] == f"{HERE.passfile_line}\n{TARGET.passfile_line}\n"
    assert call["modes"] == [0o700, 0o600]
    assert not Path(call["env"]["PGPASSFILE"]).exists()
    assert not Path(call["cwd"]).exists()


def test_nothing_stays_after_a_failure(cli, played):
    played.answers("", "boom", 1)
    with pytest.raises(CliError):
        CALLS["push"](cli())
    assert not Path(played.calls[0]["env"]["PGPASSFILE"]).parent.exists()


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


def test_settings_roles_and_seeds_are_the_projects_own_and_its_env_files_are_not_seen(cli, played, root):
    put(root, "supabase/config.toml", 'project_id = "mine"\n')
    put(root, "supabase/roles.sql", "create role app;\n")
    put(root, "supabase/seeds/a.sql", "insert into a values (1);\n")
    put(root, "database/more.sql", "insert into b values (1);\n")
    for name in (".env", ".env.local", ".env.staging", "supabase/.env", "supabase/.env.staging.local"):
        put(root, name, "SUPABASE_DB_URL=postgresql://elsewhere\n")
    put(root, ".sbsync/backups/dump.sql", "x")
    put(root, ".git/config", "x")
    cli().push(TARGET, (FIRST,), seed=True, roles=True)
    files = played.calls[0]["files"]
    assert files["supabase/config.toml"] == 'project_id = "mine"\n'
    assert files["supabase/roles.sql"] == "create role app;\n"
    assert files["supabase/seeds/a.sql"] == "insert into a values (1);\n"
    assert files["database/more.sql"] == "insert into b values (1);\n"
    assert not [name for name in files if ".env" in name or name.startswith((".git", ".sbsync"))]


def test_a_project_without_a_supabase_folder_gets_a_minimal_one(cli, played, root):
    (root / "supabase/migrations").rmdir()
    (root / "supabase").rmdir()
    cli().push(TARGET, (FIRST,))
    assert set(played.calls[0]["files"]) == {"supabase/config.toml", f"supabase/migrations/{FIRST.file_name}"}
    assert not (root / "supabase").exists()


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


# --- finding it ---


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """A machine without any CLI: nothing on PATH, an empty cache."""
    (tmp_path / "bin").mkdir()
    for name in ("sh", "bash"):
        (tmp_path / "bin" / name).symlink_to(f"/bin/{name}")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def versioned(path, version):
    """A program at a path that knows its version, and counts how often it was asked."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho asked >> {path.parent}/asked-{path.name}\necho 'supabase {version}'\n")
    path.chmod(0o755)
    return path


def asked(path):
    trace = path.parent / f"asked-{path.name}"
    return len(trace.read_text().splitlines()) if trace.exists() else 0


def never():
    raise AssertionError("nobody should be asked")


def test_where_it_is_looked_for_in_which_order(nowhere, root, runner):
    places = {
        "SBSYNC_SUPABASE_BIN": versioned(root / "tools/supabase", "2.115.0"),
        "the project's node_modules": versioned(root / "node_modules/.bin/supabase", "2.116.0"),
        "PATH": versioned(nowhere / "bin/supabase", "2.117.0"),
        f"this tool's cache ({NEWEST_KNOWN})": versioned(
            nowhere / f"cache/sbsync/supabase-cli/{NEWEST_KNOWN}/node_modules/.bin/supabase", "3.1.0"
        ),
    }
    for source, path in places.items():
        setting = "tools/supabase" if source == "SBSYNC_SUPABASE_BIN" else ""
        binary = find(runner, root, setting, never)
        assert (binary.path, binary.source) == (path, source)
        path.unlink()


def test_a_setting_that_leads_nowhere(nowhere, root, runner):
    versioned(nowhere / "bin/supabase", "3.1.0")
    with pytest.raises(ConfigError, match="SBSYNC_SUPABASE_BIN names none/supabase") as caught:
        find(runner, root, "none/supabase", never)
    assert caught.value.exit_code == 3


def test_the_platforms_binary_behind_npms_shim(nowhere, root, runner, mocker):
    mocker.patch("platform.machine", return_value="x86_64")
    mocker.patch("sys.platform", "linux")
    modules = root / "node_modules"
    native = versioned(modules / "@supabase/cli-linux-x64/bin/supabase", "3.1.0")
    shim = modules / "supabase/dist/cli.js"
    put(root, "node_modules/supabase/dist/cli.js", "#!/usr/bin/env node\n")
    shim.chmod(0o755)
    (modules / ".bin").mkdir()
    (modules / ".bin/supabase").symlink_to(shim)
    assert find(runner, root, "", never).path == native


@pytest.mark.parametrize("version", ["2.114.9", "1.200.3"])
def test_one_that_is_too_old(nowhere, root, runner, version):
    versioned(nowhere / "bin/supabase", version)
    with pytest.raises(MissingToolError) as caught:
        find(runner, root, "", never)
    assert f"Supabase CLI {version} (PATH) is too old: {OLDEST_SUPPORTED}" in caught.value.message
    assert f"npm install --save-dev supabase@{NEWEST_KNOWN}" in caught.value.hint


def test_one_that_is_something_else(nowhere, root, runner):
    versioned(nowhere / "bin/supabase", "unknown")
    with pytest.raises(MissingToolError, match="--version gives no version: supabase unknown"):
        find(runner, root, "", never)


def test_the_version_is_asked_once_for_each_file(nowhere, root, runner):
    path = versioned(nowhere / "bin/supabase", "3.0.0")
    for _ in range(3):
        assert find(runner, root, "", never).version == Version(3, 0, 0)
    assert asked(path) == 1
    versioned(path, "3.1.00000")  # another size
    assert find(runner, root, "", never).version == Version(3, 1, 0)
    assert asked(path) == 2


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": 1}', "\udcff"])
def test_a_broken_memory_of_versions_is_no_obstacle(nowhere, root, runner, text):
    path = versioned(nowhere / "bin/supabase", "3.1.0")
    memory = nowhere / "cache/sbsync/cli-versions.json"
    memory.parent.mkdir(parents=True)
    memory.write_bytes(text.encode(errors="surrogateescape"))
    assert find(runner, root, "", never).version == Version(3, 1, 0)
    assert find(runner, root, "", never).version == Version(3, 1, 0)
    assert asked(path) == 1


@pytest.mark.parametrize(
    ("text", "version"),
    [("2.115.0", V2), ("supabase v3.1.0\n", V3), ("3.1.0-beta.4", V3), ("3.1", None), ("", None)],
)
def test_a_version_in_a_text(text, version):
    assert Version.parse(text) == version


# --- installing it ---

NPM = """#!/bin/sh
echo "$@" >> {trace}
{fail}
while [ "$1" != --prefix ]; do shift; done
/bin/mkdir -p "$2/node_modules/.bin"
printf '#!/bin/sh\\necho 3.1.0\\n' > "$2/node_modules/.bin/supabase"
/bin/chmod 755 "$2/node_modules/.bin/supabase"
"""


def npm(folder, fail=""):
    path = folder / "bin/npm"
    path.write_text(NPM.format(trace=folder / "npm-calls", fail=fail))
    path.chmod(0o755)


def npm_calls(folder):
    trace = folder / "npm-calls"
    return trace.read_text().splitlines() if trace.exists() else []


def test_it_is_installed_after_asking_and_only_once(nowhere, root, runner):
    npm(nowhere)
    asks = []
    binary = find(runner, root, "", lambda: asks.append(1) or True)
    assert binary.source == f"installed from npm ({NEWEST_KNOWN})"
    assert binary.path.is_relative_to(nowhere / "cache/sbsync/supabase-cli")
    (call,) = npm_calls(nowhere)
    assert call.startswith("install --prefix ")
    assert call.endswith(f" --ignore-scripts supabase@{NEWEST_KNOWN}")
    assert find(runner, root, "", never).version == V3
    install(runner, NEWEST_KNOWN)
    assert (len(asks), len(npm_calls(nowhere))) == (1, 1)


def test_nothing_is_installed_where_that_is_not_wanted(nowhere, root, runner):
    npm(nowhere)
    with pytest.raises(MissingToolError) as caught:
        find(runner, root, "", lambda: False)
    assert "SBSYNC_SUPABASE_BIN" in caught.value.hint
    assert caught.value.exit_code == 5
    assert npm_calls(nowhere) == []


def test_without_npm_the_error_says_how_to_get_it(nowhere, root, runner, mocker):
    mocker.patch("importlib.util.find_spec", return_value=None)
    with pytest.raises(MissingToolError, match="without npm it cannot be installed") as caught:
        find(runner, root, "", never)
    assert "sbsync-tasks[node]" in caught.value.hint


def test_an_install_that_fails_leaves_nothing_that_looks_installed(nowhere, root, runner):
    npm(nowhere, fail="echo 'npm error 404 not found' >&2; exit 1")
    with pytest.raises(SbsyncError, match=rf"npm could not install supabase@{NEWEST_KNOWN}: npm error 404"):
        find(runner, root, "", lambda: True)
    npm(nowhere)
    assert find(runner, root, "", lambda: True).version == V3


def test_the_cache_is_private(nowhere, root, runner):
    npm(nowhere)
    find(runner, root, "", lambda: True)
    assert stat.S_IMODE((nowhere / "cache/sbsync").stat().st_mode) == 0o700
