"""What the Supabase CLI's answers mean; the texts are those of 2.115.0, 2.122.1 and 3.1.0."""

import json

import pytest

from sbsync_tasks.supabase_cli import CliError, EngineRefusedError
from tests.unit.supabase_cli.calls import CALLS, FIRST, HERE, TARGET

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
