"""What each call asks the Supabase CLI for: it names its database, and holds no password."""

import inspect
import json

import pytest

from sbsync_tasks.endpoint import Endpoint
from sbsync_tasks.errors import MissingToolError, SbsyncError
from sbsync_tasks.supabase_cli import SupabaseCli, Version
from tests.unit.supabase_cli.calls import CALLS, FIRST, HERE, OTHER_PASSWORD, PASSWORD, SECOND, TARGET, V2, V3


def test_every_public_method_is_among_the_calls():
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


@pytest.mark.parametrize("name", sorted(set(CALLS) - {"diff"}))
def test_a_newer_major_writes_nothing(cli, played, name):
    with pytest.raises(MissingToolError, match="only reads are allowed"):
        CALLS[name](cli(Version(4, 0, 0)))
    assert played.calls == []
    CALLS["diff"](cli(Version(4, 0, 0)))
    assert len(played.calls) == 1
