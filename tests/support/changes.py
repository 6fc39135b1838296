"""Changes that people make, as SQL, and what has to be found where they arrived."""

from tests.support.project import Data

TAGS = "create table public.tags (id bigint primary key, label text not null)"
BY_HAND = "create table public.by_hand (id int primary key, note text)"
# Text of a migration file that a user has written; it may not run in a transaction.
CONCURRENT = "-- pg-delta: transaction=false\ncreate index concurrently teams_name_idx on public.teams (name);\n"
# An enum value cannot be used in the transaction that adds it.
ENUM_USED = (
    "alter type public.invoice_status add value 'overdue'",
    "create table public.reminders (id int primary key, status public.invoice_status not null default 'overdue')",
)


def change(name: str, value: str) -> tuple[str, ...]:
    """One change with an object of each kind that a project is made of."""
    return (
        f"create table public.{name} (id bigint generated always as identity primary key,"
        " team_id bigint not null references public.teams (id), title text not null,"
        " status public.invoice_status not null default 'draft')",
        f"alter table public.{name} enable row level security",
        f'create policy "members see {name}" on public.{name} for select to authenticated'
        " using (public.my_role(team_id) is not null)",
        f"create index {name}_team_idx on public.{name} (team_id)",
        f"create trigger {name}_touch before update on public.{name} for each row"
        " execute function public.set_updated_at()",
        f"revoke all on public.{name} from anon",
        f"grant select (title) on public.{name} to anon",
        f"alter table public.customers add column {name}_note text default 'none'",
        f"create function public.{name}_count() returns bigint language sql stable set search_path = ''"
        f" as $$ select count(*) from public.{name} $$",
        f"revoke execute on function public.{name}_count() from public, anon",
        f"create view public.{name}_titles with (security_invoker = true) as select id, title from public.{name}",
        f"alter type public.team_role add value '{value}'",
    )


def arrived(database: Data, name: str, value: str) -> None:
    """Look into the database for every object of the change."""
    facts = database.rows(
        "select relrowsecurity, has_table_privilege('anon', c.oid, 'select'),"
        " has_column_privilege('anon', c.oid, 'title', 'select'),"
        " has_table_privilege('authenticated', c.oid, 'select')"
        f" from pg_class c where c.oid = 'public.{name}'::regclass"
    )
    assert facts == [(True, False, True, True)]
    assert database.rows(f"select policyname, roles::text from pg_policies where tablename = '{name}'") == [
        (f"members see {name}", "{authenticated}")
    ]
    assert database.has(f"public.{name}_team_idx")
    assert database.rows(
        f"select tgname from pg_trigger where tgrelid = 'public.{name}'::regclass and not tgisinternal"
    ) == [(f"{name}_touch",)]
    assert (
        database.value(
            "select pg_get_expr(adbin, adrelid) from pg_attrdef"
            " join pg_attribute on attrelid = adrelid and attnum = adnum"
            f" where adrelid = 'public.customers'::regclass and attname = '{name}_note'"
        )
        == "'none'::text"
    )
    assert database.value(f"select public.{name}_count()") == 0
    assert database.value(f"select has_function_privilege('anon', 'public.{name}_count()', 'execute')") is False
    assert database.value(f"select reloptions from pg_class where oid = 'public.{name}_titles'::regclass") == [
        "security_invoker=true"
    ]
    assert value in database.value("select enum_range(null::public.team_role)::text")
