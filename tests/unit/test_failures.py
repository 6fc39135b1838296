"""What a file's failure is told as; the answers are those of 2.122.1 and 3.1.0, word for word."""

import pytest

from sbsync_tasks.databases.failures import SHADOW, FileFailedError, explained, offending, read
from sbsync_tasks.state.migrations import Migration
from sbsync_tasks.supabase_cli import CliError

FILE = "supabase/migrations/2_b.sql"


def failed(sql, said, sqlstate, *, fresh=False, file="2_b.sql"):
    error = CliError("`supabase db push` failed: x", sqlstate=sqlstate, said=said, file=file)
    with pytest.raises(FileFailedError) as caught, explained([Migration("2", "b", sql)], "staging", fresh=fresh):
        raise error
    assert "supabase db push" not in caught.value.message
    return caught.value


def answer(text, sqlstate, number, statement):
    return f"ERROR: {text} (SQLSTATE {sqlstate})\nAt statement: {number}\n{statement}", sqlstate


PLACES = {
    "a caret": (
        "create table public.u (id int);\n\ncreate tabel public.v (id int);\n",
        answer('syntax error at or near "tabel"', "42601", 1, "create tabel public.v (id int)\n       ^"), 3,
    ),
    "a caret behind comments": (
        "\n\n-- c\ncreate tabel public.v (id int);\n",
        answer('syntax error at or near "tabel"', "42601", 0, "-- c\ncreate tabel public.v (id int)\n       ^"), 4,
    ),
    "a caret within a statement": (
        "select 1;\ncreate function f() returns int language sql as $$\nselect a from nowhere $$;\nselect 2;\n",
        answer('relation "nowhere" does not exist', "42P01", 1,
               "create function f() returns int language sql as $$\nselect a from nowhere $$\n              ^"), 3,
    ),
    "no caret": (
        "-- hello\n/* multi\nline */\nselect 1;\n\n-- second\nselect 1/0;\n",
        answer("division by zero", "22012", 1, "-- second\nselect 1/0"), 7,
    ),
    "the same twice": (
        "insert into t values (1);\nselect 1;\ninsert into t values (1);\n",
        answer('duplicate key value violates unique constraint "t_pkey"', "23505", 2, "insert into t values (1)"), 3,
    ),
    "CR LF": ("select 1;\r\nselect 1/0;\r\n", answer("division by zero", "22012", 1, "select 1/0"), 2),
    "another text than the file's": ("select 1;\n", answer("division by zero", "22012", 7, "select 1/0"), 0),
}  # fmt: skip


@pytest.mark.parametrize(("sql", "said", "line"), PLACES.values(), ids=PLACES)
def test_the_file_and_the_line_are_named_and_where_it_was_tried(sql, said, line):
    error = failed(sql, *said)
    first = error.message.split("\n")[0]
    assert first.startswith(f"{FILE} failed on staging: {f'line {line}: ' if line else ''}ERROR: ")


@pytest.mark.parametrize(("before", "said"), [(0, "to a new database"), (2, "after the 2 before it")])
def test_on_a_shadow_it_is_said_what_was_tried_and_that_nobodys_database_has_had_it(before, said):
    files = [*(Migration(f"1{n}", "a", "select 1;\n") for n in range(before)), Migration("2", "b", "select 1/0;\n")]
    text, state = answer("division by zero", "22012", 0, "select 1/0")
    with pytest.raises(FileFailedError) as caught, explained([*files, Migration("3", "c", "")], SHADOW, fresh=True):
        raise CliError("failed", sqlstate=state, said=text, file="2_b.sql")
    assert caught.value.message.startswith(f"{FILE} does not apply {said}: line 1: ERROR: division by zero")
    assert caught.value.hint.startswith("It was tried on a throw-away database; yours have not had it. Rows that the")


ROLE = ("grant select on t to app;\n", *answer('role "app" does not exist', "42704", 0, "grant select on t to app"))
HINTS = {
    "lock": (("x;", *answer("canceling statement due to lock timeout", "55P03", 0, "x")), "SBSYNC_LOCK_TIMEOUT", ""),
    "rows": (("x;", *answer('column "n" of relation "t" contains null values', "23502", 0, "x")), "Rows that staging",
             "Rows that the files themselves write"),
    "role": (ROLE, 'Create it on staging, with the rights that it needs there: `create role "app";`', "roles.sql"),
    "extension": (("x;", *answer('extension "y" is not available', "0A000", 0, "x")), "Switch the extension on",
                  "SBSYNC_PG_BINDIR"),
    "object": (("x;", *answer('relation "y" does not exist', "42P01", 0, "x")), "staging lacks what the earlier files",
               "No earlier file makes it"),
    "twice": (("x;", *answer('relation "y" already exists', "42P07", 0, "x")), "`invoke remote-to-local`",
              "An earlier file makes it"),
    "a role twice": (("x;", *answer('role "app" already exists', "42710", 0, "x")),
                     "`do $$ begin if to_regrole('\"app\"') is null then create role \"app\"; end if; end $$;`",
                     "supabase/roles.sql or an earlier file"),
    "psql": (("x;", *answer('syntax error at or near "\\"', "42601", 0, "\\restrict x\n^")), "for psql alone", ""),
    "conflict": (("x;", *answer('syntax error at or near "<<<<<<<"', "42601", 0, "x")), "conflict markers", ""),
    "block": (("x;", *answer("LOCK TABLE can only be used in transaction blocks", "25P01", 0, "x")), "`begin;`", ""),
    "database": (("x;", *answer("CREATE DATABASE cannot be executed within a pipeline", "25001", 0, "x")),
                 "about one database", ""),
    "template": (("x;", *answer('template database "template1" does not exist', "3D000", 0, "x")),
                 "about one database", ""),
    "no input": (("x;", *answer("COPY from stdin failed: No source stream defined", "57014", 0, "x")), "INSERT", ""),
    "protocol": (("x;", *answer("invalid message format", "08P01", 0, "x")), "Correct the file", ""),
    "syntax": (("x;", *answer("syntax error", "42601", 0, "x")), "Correct the file", "Correct the file"),
    "permission": (("x;", *answer("permission denied for schema auth", "42501", 0, "x")), "may not do this", ""),
    "lost": (("x;", *answer("terminating connection", "57P01", 0, "x")), "broke off", ""),
    "lost without a code": (("x;", "Connection terminated unexpectedly", ""), "broke off", "broke off"),
    "disk": (("x;", *answer("could not extend file", "53100", 0, "x")), "disk is full", ""),
    "statement timeout": (("x;", *answer("canceling statement due to statement timeout", "57014", 0, "x")),
                          f"Begin {FILE} with `set statement_timeout = 0;`", ""),
    "user": (("x;", *answer("canceling statement due to user request", "57014", 0, "x")), "Correct the file", ""),
    "raised": (("x;", *answer("no way", "P0001", 0, "x")), "Correct the file", "Correct the file"),
}  # fmt: skip


@pytest.mark.parametrize(("given", "there", "on_a_fresh_one"), HINTS.values(), ids=HINTS)
def test_the_cause_decides_the_advice(given, there, on_a_fresh_one):
    assert there in failed(*given).hint
    assert (on_a_fresh_one or there) in failed(*given, fresh=True).hint


def test_what_the_cli_itself_writes_is_not_shown_as_the_files():
    insert = "INSERT INTO supabase_migrations.schema_migrations(version, name, statements) VALUES($1, $2, $3)\n     ^"
    said = answer("permission denied for schema supabase_migrations", "42501", 2, insert)
    error = failed("select 1;\nset role authenticated;\n", *said)
    assert error.message == (
        f"{FILE} was run to its end and could not be recorded on staging: ERROR: permission denied for schema "
        "supabase_migrations (SQLSTATE 42501)"
    )
    assert error.hint.startswith(f"`set role authenticated;` (line 2) still holds then: end {FILE} with `reset role;`")


def test_the_clis_own_advice_is_not_passed_on():
    said = "ERROR: LOCK TABLE can only be … (SQLSTATE 25P01)\nHint: This statement must run inside"
    error = failed(
        "lock table t;", f"{said} an explicit BEGIN;\n\nthe CLI adds none.\nAt statement: 0\nlock table t", "25P01"
    )
    assert "CLI" not in error.message
    assert error.message.endswith("\n  lock table t")


def test_what_the_cli_writes_of_a_seed_file_is_not_its_either():
    error = failed(
        "",
        "ERROR: permission denied for schema supabase_migrations (SQLSTATE 42501)",
        "42501",
        file="supabase/seed.sql",
    )
    assert error.message.startswith("supabase/seed.sql was run to its end and could not be recorded on staging")
    assert "a SET ROLE without `reset role;`" in error.hint


@pytest.mark.parametrize(
    ("text", "sqlstate", "hint"),
    [
        (
            "permission denied for table schema_migrations",
            "42501",
            "may not write to supabase_migrations.schema_migrations on",
        ),
        ('null value in column "who"', "23502", "supabase_migrations.schema_migrations on staging does not take what"),
    ],
)
def test_a_history_that_takes_no_row_is_not_the_files_fault(text, sqlstate, hint):
    insert = "INSERT INTO supabase_migrations.schema_migrations(version, name, statements) VALUES($1, $2, $3)"
    error = failed("select 1;\n", *answer(text, sqlstate, 1, insert))
    assert hint in error.hint
    assert f" in {FILE}, " in failed("select 1;\n", *answer(text, sqlstate, 1, insert), fresh=True).hint
    assert "Correct the file" not in error.hint


def test_other_files_and_other_errors():
    assert failed("x;", "ERROR: no", "", file="supabase/seed.sql").message.startswith("supabase/seed.sql failed on")
    assert failed("x;", "ERROR: no", "", file="roles.sql").message.startswith("supabase/roles.sql failed on staging")
    with pytest.raises(CliError, match=r"^The CLI failed on staging: no$"), explained([], "staging"):
        raise CliError("`supabase db push` failed: no", said="no")
    with pytest.raises(CliError, match=r"^The CLI failed on staging") as caught, explained([], "staging"):
        raise CliError("x", code="DbConnectError", said="failed to connect")
    assert "run the same command again" in caught.value.hint
    with pytest.raises(CliError, match=r"^its answer cannot be read$"), explained([], "staging"):
        raise CliError("its answer cannot be read")


def test_credentials_of_a_file_are_not_shown():
    key = "sb_secret_" + "a1" * 12
    text = f"select vault.create_secret('{key}', 'x')"
    assert key not in failed(f"{text};", *answer("no such function", "42883", 0, text)).message


QUERIES = {
    'alter table "T" alter n set not null': (
        '23502 column "n" of relation "T" contains null values', 'select * from "T" where n is null'),
    "create unique index i on public.t (a, b)": (
        "23505 Key (a, b)=(1, 2) is duplicated.",
        "select a, b, count(*) from public.t group by a, b having count(*) > 1"),
    "alter table public.t add constraint c check (n > 3)": (
        '23514 check constraint "c" of relation "t" is violated by some row',
        "select * from public.t where not (n > 3)"),
    "alter table public.t add constraint c foreign key (a) references public.p (id)": (
        '23503 insert or update on table "t" violates foreign key constraint "c"',
        "select * from public.t c where c.a is not null and not exists (select from public.p p where p.id = c.a)"),
    "alter table public.t add constraint c foreign key (a) references public.p": (
        '23503 insert or update on table "t" violates foreign key constraint "c"', ""),
    "do $$ begin update t set n = null; end $$": ('23502 column "n" of relation "t"', ""),
    "not sql": ('23514 constraint "c"', ""),
}  # fmt: skip


@pytest.mark.parametrize("statement", QUERIES)
def test_a_query_shows_the_rows(statement):
    said, query = QUERIES[statement]
    error = CliError("x", sqlstate=said[:5], said=f"{said[6:]}\nAt statement: 0\n{statement}", file="2_b.sql")
    assert offending(read(error, [Migration("2", "b", f"{statement};\n")])) == query


def test_an_extension_that_nothing_but_its_name_stands_for_is_named():
    sql = 'create extension if not exists "pg_tle";\nselect pgtle.available_extensions();\n'
    said, state = answer('schema "pgtle" does not exist', "3F000", 1, "select pgtle.available_extensions()")
    hint = failed(sql, said, state, fresh=True).hint
    assert hint.startswith("If it belongs to pg_tle: here an empty extension stands in")
    assert "pg_tle" not in failed(sql, said, state).hint
    assert "stands in" not in failed(sql.replace("pg_tle", "pg_cron"), said, state, fresh=True).hint


def test_a_server_without_icu_is_told_as_such():
    said, state = answer("ICU is not supported in this build", "0A000", 0, "create collation c (provider = icu)")
    assert "SBSYNC_PG_BINDIR" in failed("create collation c (provider = icu);\n", said, state, fresh=True).hint
