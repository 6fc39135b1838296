"""Whether a migration can come after later ones: what has to do with it, and what cannot be told."""

from __future__ import annotations

import pytest

from sbsync_tasks.findings.independence import dependencies

LATE = "create table public.notes (id int primary key, team int references public.teams (id));\n"


@pytest.mark.parametrize(
    "other",
    [
        "create table public.tasks (id int);",
        "set check_function_bodies = off; create function f() returns int language sql as 'select 1';",
        "-- notes\ncreate index on public.tasks (id);",
        'create policy "all" on public.tasks using (true); grant select on public.tasks to anon;',
    ],
)
def test_independent(other):
    assert dependencies(LATE, [("other", other)]) == ()


@pytest.mark.parametrize(
    "other",
    [
        "alter table teams add column more text;",
        "create view v as select * from notes;",
        "comment on table public.\"notes\" is 'x';",
        "create function f() returns int language sql as $$ select count(*) from public.NOTES $$;",
        "drop table public.teams;",
        "alter table teams_old rename to teams;",
        "drop policy p on public.teams;",
        "comment on column public.teams.id is 'x';",
        "create trigger t after insert on public.teams for each row execute function f();",
    ],
)
def test_dependent(other):
    assert "other.sql has to do with" in dependencies(LATE, [("other.sql", other)])[0]


@pytest.mark.parametrize(
    "opaque",
    [
        "insert into public.tasks values (1);",
        "do $$ begin perform 1; end $$;",
        "select public.f();",
        "drop table public.tasks cascade;",
        "alter table public.tasks drop column x cascade;",
        "grant select on all tables in schema public to anon;",
        "alter default privileges in schema public grant select on tables to anon;",
        "set search_path = app;",
        'create table public."My tasks" (id int);',
        'create table u&"t\\0061sks" (id int);',
        "create extension pgcrypto;",
        "this is no sql",
    ],
)
def test_what_cannot_be_told_counts_as_dependent(opaque):
    assert "cannot be told" in dependencies(LATE, [("other", opaque)])[0]
    assert "cannot be told" in dependencies(opaque, [("other", LATE)])[0]
