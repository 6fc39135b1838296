"""Which roles pending files need, and what is to be run for them; never with a password."""

import pytest

from sbsync_tasks.run.push import _made, _makes, _needed, _statements
from sbsync_tasks.state.migrations import Migration

NEEDS = {
    "select 1;\ngrant select on t to app;": {"app": "1_a.sql, line 2"},
    "create policy p on t to app using (true);": {"app": "1_a.sql, line 1"},
    'set role "App";': {"App": "1_a.sql, line 1"},
    "alter table t owner to app;": {"app": "1_a.sql, line 1"},
    "create role app; grant select on t to app;": {},
    "do $$ begin if not exists (select from pg_roles where rolname = 'app') then create role app; end if; end $$;\n"
    "grant select on t to app;": {},
    "grant app to postgres;": {"app": "1_a.sql, line 1", "postgres": "1_a.sql, line 1"},
    "drop role if exists app;": {},
    "grant select on t to public, current_user;": {},
    "create tabel x;": {},
    "reset role;": {},
}


@pytest.mark.parametrize("sql", NEEDS)
def test_roles_that_a_file_takes_for_granted(sql):
    assert _needed([Migration("1", "a", sql)]) == NEEDS[sql]


MAKES = {
    "select 1;\ncreate role app;": {"app": "1_a.sql, line 2"},
    "CREATE USER app;": {"app": "1_a.sql, line 1"},
    "drop role if exists app; create role app;": {},
    "do $$ begin create role app; end $$;": {},
    "create rol app;": {},
}


@pytest.mark.parametrize("sql", MAKES)
def test_roles_that_a_file_makes(sql):
    assert {role: place for role, (place, _) in _made([Migration("1", "a", sql)]).items()} == MAKES[sql]


def test_a_role_that_another_file_makes_is_not_needed():
    files = [Migration("2", "b", "grant select on t to app;"), Migration("1", "a", "CREATE USER app LOGIN;")]
    assert _needed(files) == {}
    assert not _makes("create role app_reader;", "app")


STATEMENTS = {
    "create role app nologin;\nalter role app set statement_timeout = '9s';\nalter role other set work_mem = '1MB';": [
        "create role app nologin",
        "alter role app set statement_timeout = '9s'",
    ],
    "create user app with login password 'hush' connection limit 3;": ["CREATE USER app WITH LOGIN CONNECTION LIMIT 3"],
    "create role app;\nalter role app password 'hush';": ["create role app"],
    "do $$ begin create role app; end $$;": ["do $$ begin create role app; end $$"],
    "do $$ begin create role app password 'hush'; end $$;": ["create role app"],
    "create role app;\ngrant app to authenticator;": ["create role app", "grant app to authenticator"],
    "": ["create role app"],
    "create rol app;": ["create role app"],
}


@pytest.mark.parametrize("sql", STATEMENTS)
def test_what_is_to_be_run_on_the_remote(sql):
    found = list(_statements(sql, ["app"]))
    assert found == STATEMENTS[sql]
    assert "hush" not in "".join(found)
