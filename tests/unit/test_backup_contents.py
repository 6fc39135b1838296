"""What an archive lists, and which of it a restore takes."""

from __future__ import annotations

import pytest

from sbsync_tasks.backups.programs import Entry, entries, roles_in, without_foreign_keys
from sbsync_tasks.backups.restore import is_made_anew

ROLES = ("postgres", "supabase_admin", "my role", "role")
LISTED = """\
;
; Archive created at 2026-01-01 00:00:00 UTC
;     dbname: postgres
;
8; 2615 16430 SCHEMA - app postgres
9; 2615 16431 SCHEMA - my schema my role
3; 3079 16400 EXTENSION - pgcrypto 
4; 0 0 COMMENT - EXTENSION pgcrypto 
220; 1259 16450 TABLE public people postgres
221; 1259 16451 TABLE my schema a b my role
3500; 0 16450 TABLE DATA public people postgres
3501; 0 0 SEQUENCE SET public people_id_seq postgres
3300; 2606 16460 FK CONSTRAINT public people people_team_fkey postgres
240; 1255 16461 FUNCTION app f(integer, text) role
3400; 0 0 ACL - SCHEMA app postgres
3401; 826 16470 DEFAULT ACL public DEFAULT PRIVILEGES FOR TABLES supabase_admin
"""  # noqa: W291 - as pg_restore prints what has no owner


def test_each_entry_is_taken_apart_though_names_hold_spaces() -> None:
    found = [(e.kind, e.schema, e.name, e.owner) for e in entries(LISTED, ROLES)]
    assert found == [
        ("SCHEMA", "", "app", "postgres"),
        ("SCHEMA", "", "my schema", "my role"),
        ("EXTENSION", "", "pgcrypto", ""),
        ("COMMENT", "", "EXTENSION pgcrypto", ""),
        ("TABLE", "public", "people", "postgres"),
        ("TABLE", "my schema", "a b", "my role"),
        ("TABLE DATA", "public", "people", "postgres"),
        ("SEQUENCE SET", "public", "people_id_seq", "postgres"),
        ("FK CONSTRAINT", "public", "people people_team_fkey", "postgres"),
        ("FUNCTION", "app", "f(integer, text)", "role"),
        ("ACL", "", "SCHEMA app", "postgres"),
        ("DEFAULT ACL", "public", "DEFAULT PRIVILEGES FOR TABLES", "supabase_admin"),
    ]
    assert [e.line for e in entries(LISTED, ROLES)] == [line for line in LISTED.splitlines() if line[0] != ";"]


PLAIN = (("postgres",), ("auth", "extensions", "vault"), {("auth", "users kept")})
ADMIN = (("postgres", "supabase_admin", "supabase_auth_admin"), ("extensions", "vault"), {("auth", "users kept")})


@pytest.mark.parametrize(
    ("entry", "plain", "admin"),
    [
        ("TABLE|public|a|postgres", True, True),
        ("TABLE|public|a|somebody", False, False),
        ("EXTENSION||pgcrypto|", True, True),
        ("COMMENT||EXTENSION pgcrypto|", False, False),
        ("SCHEMA||app|postgres", True, True),
        ("SCHEMA||auth|supabase_admin", False, True),
        ("SCHEMA||extensions|postgres", False, False),
        ("ACL||SCHEMA auth|supabase_admin", False, True),
        ("ACL||SCHEMA vault|supabase_admin", False, False),
        ("TABLE|auth|users|supabase_auth_admin", False, True),
        ("TABLE|auth|mine|postgres", True, True),
        ("TABLE|vault|mine|postgres", False, False),
        ("TRIGGER|auth|users made_anew|supabase_auth_admin", True, True),
        ("TRIGGER|auth|users kept|supabase_auth_admin", False, True),
        ("FUNCTION|extensions|mine()|postgres", True, True),
        ("FUNCTION|extensions|grant_pg_net_access()|supabase_admin", False, False),
        ("EVENT TRIGGER||issue_pg_net_access|supabase_admin", False, False),
        ("EVENT TRIGGER||mine|postgres", True, True),
        ("PUBLICATION||supabase_realtime|postgres", True, True),
        ("DEFAULT ACL|public|DEFAULT PRIVILEGES FOR TABLES|supabase_admin", False, True),
        ("DEFAULT ACL||DEFAULT PRIVILEGES FOR TABLES|postgres", True, True),
    ],
)
def test_what_is_restored_is_what_was_cleared(entry: str, plain: bool, admin: bool) -> None:
    kind, schema, name, owner = entry.split("|")
    made = Entry("", kind, schema, name, owner)
    assert (is_made_anew(made, *PLAIN), is_made_anew(made, *ADMIN)) == (plain, admin)


def test_the_statements_about_a_role_are_such_as_need_no_superuser() -> None:
    script = """\
CREATE ROLE anon;
ALTER ROLE anon WITH NOSUPERUSER INHERIT NOCREATEROLE NOCREATEDB NOLOGIN NOREPLICATION NOBYPASSRLS;
CREATE ROLE "my ""role";
ALTER ROLE "my ""role" WITH NOSUPERUSER INHERIT NOCREATEROLE NOCREATEDB LOGIN NOREPLICATION BYPASSRLS;
ALTER ROLE "my ""role" SET statement_timeout TO '3s';
GRANT anon TO "my ""role" WITH INHERIT TRUE GRANTED BY supabase_admin;
GRANT anon TO authenticator;
"""
    assert roles_in(script) == {
        "anon": ("CREATE ROLE anon;", "ALTER ROLE anon WITH INHERIT NOLOGIN;"),
        'my "role': (
            'CREATE ROLE "my ""role";',
            'ALTER ROLE "my ""role" WITH INHERIT LOGIN BYPASSRLS;',
            'ALTER ROLE "my ""role" SET statement_timeout TO \'3s\';',
            'GRANT anon TO "my ""role" WITH INHERIT TRUE;',
        ),
    }


def test_foreign_keys_are_left_out_with_what_is_said_about_them() -> None:
    listed = """\
1; 2606 1 CONSTRAINT public teams teams_pkey postgres
2; 2606 2 FK CONSTRAINT public teams Käptn postgres
3; 0 0 COMMENT public CONSTRAINT "Käptn" ON teams postgres
4; 0 0 COMMENT public CONSTRAINT teams_pkey ON teams postgres
5; 2606 5 FK CONSTRAINT app teams teams_pkey postgres
"""
    assert [e.line[0] for e in without_foreign_keys(entries(listed, ROLES))] == ["1", "4"]
