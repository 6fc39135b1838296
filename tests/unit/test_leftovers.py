"""What the CLI's reset by a URL leaves, decided from the catalogs' differences; measured in tests/e2e/test_reset.py."""

import pytest

from sbsync_tasks.databases.catalog import CatalogObject, Difference
from sbsync_tasks.run.reset import stays


def local(kind, name, schema="", about="", left=None, right="x", whose=""):
    """A fact of the local database, which the shadow has not, or has as `left`."""
    return Difference(CatalogObject(kind, name, schema, about, whose), left, right)


@pytest.mark.parametrize(
    "fact",
    [
        local("default acl", "postgres: tables"),
        local("default acl", "postgres: tables", left="postgres: SELECT", right="anon: SELECT\npostgres: SELECT"),
        local("collation", "public.c", "public"),
        local("sequence", "public.s", "public"),
        local("function", "auth.f()", "auth"),
        local("acl", "anon on schema public", "public", "schema public", "USAGE", "CREATE, USAGE"),
        local("trigger", "t on auth.users", "auth", "table auth.users", right="CREATE … EXECUTE FUNCTION auth.f()"),
        local("foreign server", "s"),
    ],
    ids=str,
)
def test_what_stays(fact):
    assert stays(fact)


@pytest.mark.parametrize(
    "fact",
    [
        local("table", "public.t", "public"),
        local("sequence", "public.t_id_seq", "public", "table public.t"),
        local("table", "own.t", "own"),
        local("schema", "own", "own"),
        local("acl", "anon on table public.t", "public", "table public.t"),
        local("policy", '"p" on auth.users', "auth", "table auth.users"),
        local("trigger", "t on auth.users", "auth", "table auth.users", right="CREATE … EXECUTE FUNCTION public.f()"),
        local("extension", "citext"),
        local("publication", "p"),
        # What only the shadow has, or has more of, the migrations make.
        local("function", "auth.f()", "auth", left="x", right=None),
        local("function", "auth.f()", "auth", left="old", right="new"),
        local("default acl", "postgres: tables", left="anon: SELECT\npostgres: SELECT", right="postgres: SELECT"),
        local("acl", "anon on schema public", "public", "schema public", "CREATE, USAGE", "USAGE"),
        # A right on an object of the platform's counts only where a migration has a REVOKE, which will be run.
        local("acl", "anon on schema extensions", "extensions", "schema extensions", right="USAGE", whose="service"),
    ],
    ids=str,
)
def test_what_goes_or_is_made_again(fact):
    assert not stays(fact)
