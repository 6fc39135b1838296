"""Projects that give new objects no rights, beside those that do: the setting is nobody's change, all else is."""

import pytest

from sbsync_tasks.databases.catalog import CatalogObject, Claims, compare, nobodys, platform, without_platform

ROLES = ("anon", "authenticated", "service_role")
ALL = "DELETE, INSERT, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE"
LESS = "REFERENCES, TRIGGER, TRUNCATE"


def catalog(default, rights, **others):
    """A database with one table, whose roles have these rights on it, and on new tables by default."""
    lines = "\n".join(f"{role}: {default}" for role in ROLES)
    acl = dict.fromkeys(ROLES, rights) | others
    return {
        CatalogObject("table", "public.t", "public"): "access method heap",
        CatalogObject("default acl", "postgres in schema public: tables", "public"): lines,
        CatalogObject("default acl", "postgres in schema public: functions", "public"): "\n".join(
            f"{role}: EXECUTE" for role in ROLES
        ),
    } | {
        CatalogObject("acl", f"{role} on table public.t", "public", "table public.t"): text
        for role, text in acl.items()
        if text
    }


ON, OFF, OFF_LATER = catalog(ALL, ALL), catalog(LESS, LESS), catalog(LESS, ALL)


def claims(*texts):
    found = Claims()
    found.add(texts)
    return found


@pytest.mark.parametrize("pair", [(ON, OFF), (OFF, ON), (ON, OFF_LATER), (OFF, OFF_LATER)])
@pytest.mark.parametrize("hardened", ["", "alter default privileges in schema public revoke all on tables from public"])
def test_the_setting_is_nobodys_change(pair, hardened):
    assert compare(*pair, claims(hardened)) == ()
    assert platform(*pair, claims(hardened))


@pytest.mark.parametrize(
    ("one", "other", "sql"),
    [
        (ON, catalog(ALL, ALL, anon=LESS), ""),  # both give the rights, so somebody has taken them
        (ON, catalog(LESS, LESS, anon=f"{LESS}, SELECT"), ""),
        (ON, catalog(LESS, LESS, anon=""), ""),
        (OFF, catalog(LESS, LESS, guest="SELECT"), ""),
        (ON, OFF, "grant all on public.t to anon"),
        (ON, OFF, "grant select on public.t to anon"),
        (ON, catalog(f"{LESS}, MAINTAIN", LESS), ""),
        (OFF, catalog(LESS, LESS, anon=ALL), ""),  # where it is off in both, a right of one role is somebody's
        (ON, catalog(LESS, ALL, anon=LESS), ""),
    ],
)
def test_what_somebody_does_is_a_difference(one, other, sql):
    for pair in ((one, other), (other, one)):
        assert compare(*pair, claims(sql))


def test_a_right_that_a_migration_grants_is_compared_and_the_others_are_not():
    granted = catalog(LESS, LESS, anon=f"{LESS}, SELECT")
    assert compare(ON, granted, claims("grant select on public.t to anon")) == ()


def test_the_engines_statements_about_it_are_left_out():
    take = "REVOKE SELECT, INSERT, UPDATE, DELETE ON TABLE public.t FROM anon;\n"
    default = "ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA public REVOKE SELECT ON TABLES FROM anon;\n"
    assert without_platform(take + default, ON, OFF) == ""
    assert without_platform(take, ON, catalog(ALL, LESS)) == take
    ours = ["grant select on public.t to guest", "create table public.u ()", "this is no SQL"]
    assert nobodys([take, default, *ours], ON, OFF) == {take, default}
    assert nobodys([take, default], ON, ON) == frozenset()


def test_rights_on_a_platforms_object_that_one_age_gives_to_postgres_are_nobodys():
    grant, comment = "grant execute on function auth.f() to anon", "comment on schema public is 'mine'"
    users, services = ({CatalogObject("function", "auth.f()", "auth", whose=whose): ""} for whose in ("", "service"))
    for pair in ((users, services), (services, users)):
        assert nobodys([grant, comment], *pair) == {grant}
        assert nobodys([grant], *pair, claims(grant)) == frozenset()
    assert nobodys([grant], users, users) == frozenset()
