"""Whether two texts say the same to PostgreSQL's parser, and whether a file is what was recorded of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbsync_tasks import sqltext
from sbsync_tasks.sqltext import split
from sbsync_tasks.state.histories import Recorded
from sbsync_tasks.state.migrations import Migration
from sbsync_tasks.state.same_sql import recorded_as_written, same

DEEP = "select " + " || ".join(["'a'"] * 90)

# What the CLI stored for FILE, measured with 2.122.1 and 3.1.0.
FILE = """-- leading comment; with semicolon
create table t (id int, "näme" text default E'a\\'b;c', -- inner ; comment
  c text /* block /* nested */ ; */);;

/* tail */ create function f() returns void language plpgsql as $fn$ begin
  -- inside ;
  perform 1;
end $fn$;
create function g() returns int language sql begin atomic select 1; select 2; end;
insert into t values (1, 'é;', $$a;b$$)
;
select U&'\\0061;', B'01';
-- trailing
"""
RECORDED = (
    """-- leading comment; with semicolon
create table t (id int, "näme" text default E'a\\'b;c', -- inner ; comment
  c text /* block /* nested */ ; */)""",
    """/* tail */ create function f() returns void language plpgsql as $fn$ begin
  -- inside ;
  perform 1;
end $fn$""",
    "create function g() returns int language sql begin atomic select 1; select 2; end",
    "insert into t values (1, 'é;', $$a;b$$)",
    "select U&'\\0061;', B'01'",
    "-- trailing",
)
STATEMENTS = [
    "create table t (id int)",
    "insert into t values (1, 'é;')",
    "select $$a;b$$",
    "-- a comment; of its own\ndrop table t",
    "select E'it\\'s;', U&'\\0061'",
    "create function g() returns int language sql begin atomic select 1; select 2; end",
    DEEP,
]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("select 1", " select\n1 ;; -- x"),
        ("select $$a\r\nb$$;\r\n", "select $$a\nb$$"),
        ("-- only", "/* nothing */ ;"),
        ("\\restrict a\nselect  1;", "\\restrict a\nselect 1"),
        ("select  'open", "select 'open;"),
        ("select 1", "SELECT 1"),
        ("\ufeffselect 1", "select 1;\r\n"),
        ("create table Ab.C (D int)", "CREATE TABLE ab.c (d INT)"),
        ("select e'x\\n', b'01', u&'\\0061', n'y', 1e3", "SELECT E'x\\n', B'01', U&'\\0061', N'y', 1E3"),
        ('select "a" from "b"."c"', "select a from b.c"),
        ("select cast(a as int) where b != 1", "select a::int WHERE (b <> 1)"),
        ("select 1 x", "select 1 as x"),
        (
            "create function f() returns int language sql as 'select 1'",
            "CREATE FUNCTION f() RETURNS int LANGUAGE SQL AS $q$select 1$q$",
        ),
        ("comment on table a is 'x\r\ny'", "comment on table a is 'x\ny'"),
        (f"{DEEP} -- a", DEEP.upper().replace("'A'", "'a'")),
    ],
)
def test_same(left, right):
    assert same(left, right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("select 'a b'", "select 'a  b'"),
        ("select '--a'", "select '--b'"),
        ("select $$ -- a\n$$", "select $$ $$"),
        ("create schema s create table t ()", "create schema s; create table t ()"),
        ("select 'a' 'open", "select 'b' 'open"),
        ("select 1", "select 1\0; drop table t"),
        ("select 1", ""),
        ("select 'a'", "select 'A'"),
        ("select $$a$$", "select $$A$$"),
        ('select "A"', 'select "a"'),
        ('select "A"', "select A"),
        ("select É", "select é"),  # the parser folds the letters of ASCII alone
        ("select E'a\\r\\nb'", "select E'a\\nb'"),
        ("select 'a\rb'", "select 'a\nb'"),
        ("select 1 -- \r\n+1", "select 1 -- +1"),
        ("drop table a", "drop table if exists a"),
        ("select 1; select 2", "select 2; select 1"),
        (f"{DEEP}, a", f"{DEEP}, b"),
    ],
)
def test_not_same(left, right):
    assert not same(left, right)


def recorded_equals(sql, statements):
    return Recorded("1", "", statements).matches(Migration("1", "", sql))


def test_a_file_equals_what_the_cli_recorded_of_it():
    assert recorded_equals(FILE, RECORDED)
    assert recorded_equals(FILE.replace("\n", "\r\n"), RECORDED)
    assert not recorded_equals(FILE.replace("perform 1", "perform 2"), RECORDED)
    assert not recorded_equals(FILE, RECORDED[:-2])
    assert not recorded_equals(FILE, ())


def test_what_is_written_letter_by_letter_is_told_from_what_says_the_same():
    assert recorded_as_written(FILE, RECORDED)
    assert recorded_as_written("\ufeff" + FILE, RECORDED)
    assert not recorded_as_written(FILE.replace("\n", "\r\n"), RECORDED)
    assert not recorded_as_written(FILE.replace("select", "SELECT"), RECORDED)
    assert recorded_as_written("\n;\n", ())
    assert not recorded_as_written("-- a", ())
    # Only one of them ends what stands before it.
    assert not recorded_as_written("select 1 select 2", ("select 1", "select 2"))
    assert not recorded_as_written("select 1 -- a;\nselect 2", ("select 1 -- a", "select 2"))
    assert not recorded_as_written("select 1", ("select 1", ""))


def test_what_a_database_recorded_is_not_parsed_where_the_file_has_it_letter_by_letter(mocker):
    scan = mocker.spy(sqltext, "scan")
    assert recorded_equals(FILE + "-- of this test alone", (*RECORDED[:-1], "-- trailing\n-- of this test alone"))
    assert scan.call_count == 0


def test_each_text_is_parsed_once(mocker):
    scan = mocker.spy(sqltext, "scan")
    texts = [f"select '{n}', 'parsed once'" for n in range(3)]
    for _ in range(5):
        for left in texts:
            for right in texts:
                assert same(left, right.upper().replace("'PARSED ONCE'", "'parsed once'")) is (left == right)
    trees = len(texts) * 2  # the tokens differ, so the trees are asked, too
    assert scan.call_count <= len(texts) * 2 + trees * 3


@given(st.lists(st.sampled_from(STATEMENTS), max_size=6))
def test_splitting_and_joining_changes_nothing(statements):
    sql = ";\n".join(statements)
    assert same(sql, ";".join(s.text for s in split(sql)))
    assert recorded_equals(sql, tuple(statements))
