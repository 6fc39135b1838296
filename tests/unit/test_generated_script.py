"""The text of a generated migration, and what its comments say."""

import pytest

from sbsync_tasks import sqltext
from sbsync_tasks.generate import added, changes_alone, engine_parts, enum_values_apart, replaces, text_of


def test_a_line_end_in_a_name_does_not_end_the_comment() -> None:
    part = added(
        'comment on table public."a\n; drop table t" is null', 'the comment on table public."a\r\n; drop table t"'
    )
    (statement,) = sqltext.split(text_of([part]))
    assert statement.text == part.text


def test_a_rule_of_several_statements_stands_in_a_block_since_the_push_cuts_at_semicolons() -> None:
    rule = "create rule r as on delete to v do instead (delete from t; insert into l values ('$rule$'))"
    (statement,) = sqltext.split(text_of([added(rule, "why")]))
    assert statement.text == f"DO $rule_$ BEGIN\n{rule};\nEND $rule_$"
    one = "create rule r as on delete to v do instead delete from t"
    assert text_of([added(one, "why")]) == f"-- added: why\n{one};\n"


def test_new_values_come_first_and_say_so_only_where_they_stood_elsewhere() -> None:
    values, rest = enum_values_apart(engine_parts("alter type e add value 'x'; create table t (id int);"))
    assert [part.origin for part in (*values, *rest)] == ["engine", "engine"]
    values, rest = enum_values_apart(engine_parts("create table t (id int); alter type e add value 'x';"))
    assert [(part.origin, part.why) for part in values] == [("moved", "a new value comes before what may use it")]
    assert [part.origin for part in rest] == ["engine"]


def test_what_is_dropped_beside_one_that_is_made_may_be_the_same() -> None:
    enum, table = "create type e as enum ('a');", "create table t (a int);"
    assert not replaces(engine_parts(enum + table), "TYPE")
    assert not replaces(engine_parts(enum + table), "TABLE")
    assert replaces(engine_parts(f"alter type e rename to f; {enum} drop type f;"), "TYPE")
    assert replaces(engine_parts(f"drop table u; {table}"), "TABLE")


@pytest.mark.parametrize(
    ("sql", "kept"),
    [
        ('CREATE ROLE "loc" NOLOGIN;\n\nCREATE TABLE t (id int);', "CREATE TABLE t (id int);"),
        ("CREATE ROLE app;\n\nGRANT SELECT ON t TO app;", "CREATE ROLE app;\n\nGRANT SELECT ON t TO app;"),
        ("DROP ROLE a, b;\n\nALTER ROLE c SET work_mem = '1MB';\n\nALTER ROLE c LOGIN;", ""),
        ("create rol x;", "create rol x;"),
        ("COMMENT ON EXTENSION http IS 'x';\n\nCOMMENT ON TABLE t IS 'y';", "COMMENT ON TABLE t IS 'y';"),
        ("COMMENT ON EXTENSION http IS 'x';", ""),
    ],
)
def test_what_the_change_has_nothing_to_do_with_is_left_out(sql: str, kept: str) -> None:
    assert changes_alone(sql).strip() == kept
