"""Review: any text is read or blocks, however odd, deep or broken it is; nothing is raised."""

from hypothesis import example, given
from hypothesis import strategies as st

from sbsync_tasks.checks import Severity, review
from tests.support.reviewed import check, found

LOSS, OPAQUE, NOTE = Severity.DATA_LOSS, Severity.OPAQUE, Severity.NOTE


def test_what_cannot_be_read_blocks():
    reviewed = review("select 1;\n\\restrict x\n")
    (blocking,) = reviewed.blocking
    assert (blocking.rule, blocking.line, blocking.statement) == ("unparsable", 2, "\\restrict x")
    assert reviewed.statements == ()
    assert reviewed.findings == (blocking,)


def test_a_statement_nested_too_deeply_is_opaque_and_hides_nothing():
    deep = "select " + " || ".join(["'a'"] * 90)
    assert found(f"{deep}; drop table t") == [
        (LOSS, "drop-table public.t"),
        (OPAQUE, "too-deep SELECT"),
    ]


PIECES = [
    *"drop alter table column add t a . , ; ( ) $$ ' select delete from where true create do as é".split(),  # noqa: SIM905
    "\0",
    "\ud800",
]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map(" ".join))
@example("select 1\0; drop table t")
def test_any_text_is_read_or_blocked(sql):
    reviewed = review(sql)
    assert bool(reviewed.blocking) == (not reviewed.statements and bool(reviewed.findings))


@check(
    [
        (
            "do $$ declare r record; begin for r in select id from t tablesample system(10) loop\n"
            "delete from t where id = r.id; end loop; end $$",
            [],
        ),
        ("update storage.buckets set (name, public) = (select 'a', true)", ["public-bucket storage.buckets"]),
        ("update storage.buckets set (name, public) = (select 'a', false)", []),
        ("update storage.buckets set (name, public) = (values ('a', true)) where id = 'a'", []),
        ("select set_config('search_path'); drop table t", ["drop-table public.t"]),
        ("select set_config()", []),
        ("do language plpgsql $$ begin end $$ language c", ["opaque-body DO"]),
        ("do language 'plpgsql'", ["opaque-body DO"]),
        ("update storage.buckets set public = excluded.public where id = 'a'", []),
        ("do $$ declare x text[] := string_to_array('a'); begin drop table t; end $$", ["drop-table public.t"]),
        ("do $$ declare c cursor for select array_agg() from t; begin drop table t; end $$", ["drop-table public.t"]),
    ],
)
def test_odd_forms_are_read(sql, expected):
    assert [text for severity, text in found(sql) if severity is not NOTE and not text.startswith("update")] == expected
