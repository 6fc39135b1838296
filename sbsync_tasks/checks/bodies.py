"""SQL inside of SQL: `DO` blocks, and functions of the text that the text itself calls."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sbsync_tasks.platform import is_managed
from sbsync_tasks.sqltext import UnparsableSql, enum_name, plpgsql, standard_body, walk

from . import expressions, names
from .expressions import Around, Each, Place, each_of, every_row
from .finding import Finding, Severity, finding, shortened
from .plpgsql import queries

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sbsync_tasks.sqltext import Node, Parsed

    from .known import Scope


_UNSEEN = "Read it by hand; the proof afterwards shows what it did to the schemas, not to the rows."
# PostgreSQL's TRIGGER_TYPE bits of the statements that fire a trigger.
_EVENTS = {"InsertStmt": 4, "DeleteStmt": 8, "UpdateStmt": 16, "MergeStmt": 4 | 8 | 16}
_GIVEN_BACK = frozenset(["FUNC_PARAM_OUT", "FUNC_PARAM_TABLE"])
_ROW_TYPE = re.compile(r"""[\w."]+%rowtype\b""", re.IGNORECASE)


@dataclass(frozen=True)
class Inner:
    """SQL that runs with a statement.

    Attributes:
        sql: Its text.
        line: Where it stands in the whole text, from 1.
        around: What is known of the variables in it.
        expression: Of a text with parts that are not known (`expressions.UNKNOWN`): the expression that makes it.
        elsewhere: It stands in the database; `line` is that of the statement that runs it.
    """

    sql: str
    line: int
    around: Around = field(default_factory=Around)
    expression: str = ""
    elsewhere: bool = False


def run_by(parsed: Parsed, scope: Scope) -> Iterator[Inner | Finding]:
    """What a statement runs beyond its own words; a finding stands for what cannot be seen."""
    if parsed.name == "do_stmt":
        yield from _body(parsed, parsed.node.args, scope, Around())
    elif parsed.name == "call_stmt":
        function = _name(parsed.node.funccall, scope)
        if not scope.definitions(function):
            why = "It calls a procedure whose text does not stand here."
            about = f"procedure {function}"
            yield finding(parsed, "call", Severity.OPAQUE, about, why, _UNSEEN)
    yield from _called(parsed, scope)
    yield from _fired(parsed, scope)


def dynamic_function(parsed: Parsed, scope: Scope) -> Iterator[Finding]:
    """A function whose body puts SQL together at run time."""
    definition = _text_of(parsed.node.options)
    words = definition.lower().split()
    if _language(parsed.node.options) == "plpgsql" and "execute" in words:
        parts = names.called(parsed.node)
        why = "Its body builds SQL at run time: what it does cannot be seen from the text."
        about = f"function {scope.qualified(parts)}"
        yield finding(parsed, "dynamic-sql-function", Severity.NOTE, about, why)


def _called(parsed: Parsed, scope: Scope) -> Iterator[Inner | Finding]:
    for call in calls(parsed):
        function = _name(call, scope)
        if found := scope.definitions(function):
            for body in found:
                yield from _run(body, parsed, scope, _given(call, body, parsed, scope))
        elif parsed.name == "select_stmt" and _is_users(function, scope) and not is_harmless(call):
            why = "It calls a function whose text does not stand here."
            yield finding(parsed, "call", Severity.OPAQUE, f"function {function}", why, _UNSEEN)


def _given(call: Node, body: Parsed, parsed: Parsed, scope: Scope) -> Around:
    """What a function's parameters stand for: in a query over all rows of a table, for each row in turn."""
    shown = (
        every_row(parsed.node, Place(scope))
        if parsed.name == "select_stmt" and parsed.node.from_clause
        else frozenset()
    )
    rows = frozenset(Each(e.table) for e in shown)
    known = dict(scope.around.each)
    parameters = [p.function_parameter for p in body.node.parameters]
    taken = [p.name for p in parameters if enum_name(p, "mode") not in _GIVEN_BACK]
    each: dict[str, frozenset[Each]] = {}
    for number, argument in enumerate(call.args):
        column = names.column(argument)[-1:]
        found = frozenset(e.part(*column) for e in rows if column) or each_of(argument, Place(scope), known)
        each.update({n: found for n in (f"${number + 1}", *taken[number : number + 1]) if n and found})
    return Around(tuple(sorted(each.items())))


def _fired(parsed: Parsed, scope: Scope) -> Iterator[Inner | Finding]:
    """What triggers do when the statement writes to their table."""
    for kind, node in () if parsed.name in STORED else parsed.acts:
        for trigger in scope.triggers_on(scope.name(node.relation)) if kind in _EVENTS else ():
            if trigger.node.events & _EVENTS[kind]:
                for function in scope.definitions(_name(trigger.node, scope)):
                    yield from _run(function, parsed, scope, Around())


def _run(function: Parsed, by: Parsed, scope: Scope, around: Around) -> Iterator[Inner | Finding]:
    """What a function does; of one that the database has, all at the place of the statement that calls it."""
    here = _name(function.node, scope) in scope.bodies
    for found in _body(function, function.node.options, scope, around):
        if here:
            yield found
        elif isinstance(found, Inner):
            yield replace(found, line=by.statement.line, elsewhere=True)
        else:
            yield replace(found, line=by.statement.line)


def _is_users(function: str, scope: Scope) -> bool:
    """Whether it is one that the database has, and neither PostgreSQL's nor Supabase's own."""
    known = scope.met is not None and f"function {function}" in scope.met.objects
    return known and not is_managed(function.partition(".")[0])


def _name(call: Node, scope: Scope) -> str:
    return scope.qualified(names.called(call))


def _body(parsed: Parsed, options: Sequence[Node], scope: Scope, around: Around) -> Iterator[Inner | Finding]:
    text, language = _text_of(options), _language(options)
    before = parsed.statement.text.partition(text)[0].count("\n") if text else 0
    first = parsed.statement.line + before
    if names.option(options, "as") is None and parsed.name == "create_function_stmt":
        yield from (Inner(sql, first, around) for sql in standard_body(parsed.node))
    elif language == "sql":
        yield Inner(text, first, around)
    elif language == "plpgsql":
        yield from _of_plpgsql(parsed, first, scope, around)
    else:
        why = f"Its body is written in {language}, which cannot be looked into."
        yield finding(parsed, "opaque-body", Severity.OPAQUE, parsed.statement.kind, why, _UNSEEN)


def _of_plpgsql(parsed: Parsed, first: int, scope: Scope, around: Around) -> Iterator[Inner | Finding]:
    try:
        # The parser knows no tables, so that the fields of such a variable would be unknown to it.
        tree = plpgsql(_ROW_TYPE.sub("record", parsed.statement.text))
    except UnparsableSql as error:
        why = f"Its body cannot be read: {error.reason}."
        yield finding(parsed, "opaque-body", Severity.OPAQUE, parsed.statement.kind, why, _UNSEEN)
        return
    # What is called often is read once; a view may lead its names elsewhere.
    key = (parsed.statement, around, scope.schema, frozenset(scope.shows.items()))
    if key not in scope.walked:
        scope.walked[key] = tuple(queries(tree, scope, around))
    for query in scope.walked[key]:
        place = first + query.line - 1
        for sql in (query.sql,) if query.texts is None else query.texts:
            if sql is None:
                yield unseen(parsed, query.sql, place, "SQL")
            else:
                yield Inner(sql, place, query.around, query.sql if expressions.UNKNOWN in sql else "")


def unseen(parsed: Parsed, expression: str, line: int, what: str) -> Finding:
    """The finding for SQL that cannot be seen because it is put together at run time."""
    why = f"It builds {what} at run time: what it does cannot be seen from the text."
    return replace(finding(parsed, "dynamic-sql", Severity.OPAQUE, shortened(expression), why, _UNSEEN), line=line)


def _text_of(options: Sequence[Node]) -> str:
    body = names.option(options, "as")
    return names.parts(body.arg)[0] if body is not None else ""


def _language(options: Sequence[Node]) -> str:
    language = names.option(options[::-1], "language")  # the parser takes the last; PostgreSQL refuses a second
    return language.arg.string.sval.lower() if language is not None else "plpgsql"


STORED = frozenset(
    ["alter_policy_stmt", "comment_stmt", "create_domain_stmt", "create_function_stmt", "create_policy_stmt",
     "create_publication_stmt", "create_schema_stmt", "create_stats_stmt", "create_stmt", "create_trig_stmt",
     "index_stmt", "prepare_stmt", "rule_stmt", "view_stmt"]
)  # fmt: skip
"""Statements that hold others, or expressions, without running them on rows now.

PostgreSQL lets an index call immutable functions only.
"""

# Functions of pg_catalog; it is searched before every other schema.
_BUILT_IN = """
abs age array_agg array_append array_length array_position array_remove array_to_json array_to_string avg
bool_and bool_or btrim cardinality ceil ceiling char_length character_length chr clock_timestamp concat
concat_ws count current_database current_schema current_setting currval date_part date_trunc decode dense_rank
encode extract first_value floor format format_type gen_random_uuid generate_series has_schema_privilege
has_table_privilege initcap json_agg json_build_array json_build_object json_typeof jsonb_agg
jsonb_array_elements jsonb_array_elements_text jsonb_array_length jsonb_build_array jsonb_build_object
jsonb_each jsonb_each_text jsonb_object_agg jsonb_object_keys jsonb_set jsonb_strip_nulls jsonb_typeof lag
last_value lastval lead left length like_escape lower lpad ltrim make_date make_interval make_timestamptz max
md5 min mod nextval now obj_description octet_length overlay pg_advisory_lock pg_advisory_unlock
pg_advisory_xact_lock pg_get_constraintdef pg_get_functiondef pg_get_serial_sequence pg_notify pg_typeof
position power quote_ident quote_literal random rank regexp_match regexp_matches regexp_replace
regexp_split_to_array regexp_split_to_table repeat replace reverse right round row_number row_to_json rpad rtrim
set_config setval sha256 similar_to_escape split_part sqrt statement_timestamp string_agg string_to_array strpos
substr substring sum timezone to_char to_date to_json to_jsonb to_number to_regclass to_regprocedure to_regrole
to_regtype to_timestamp to_tsquery to_tsvector transaction_timestamp translate trim trunc unnest upper uuidv4
uuidv7 version
"""
# Of the extensions that Supabase installs, in the search path too.
_EXTENSIONS = ("crypt", "digest", "gen_random_bytes", "gen_random_uuid", "gen_salt", "uuid_generate_v4")
_AUTH = ("email", "jwt", "role", "uid")
_HARMLESS = frozenset(
    [
        *((n,) for n in (*_BUILT_IN.split(), *_EXTENSIONS)),
        *(("pg_catalog", n) for n in _BUILT_IN.split()),
        *(("extensions", n) for n in _EXTENSIONS),
        *(("auth", n) for n in _AUTH),
    ]
)


def calls(parsed: Parsed) -> Iterator[Node]:
    """The function calls that a statement makes when it is run."""
    if parsed.name in STORED:
        return
    if parsed.name != "alter_table_stmt":
        yield from (node for kind, node in parsed.acts if kind == "FuncCall")
        return
    for item in parsed.node.cmds:
        if enum_name(item.alter_table_cmd, "subtype") != "AT_ColumnDefault":
            yield from (node for kind, node in walk(item.alter_table_cmd) if kind == "FuncCall")


def is_harmless(call: Node) -> bool:
    """Whether a call is one of a short list of functions that change no row."""
    parts = names.called(call)
    return parts in _HARMLESS and (parts[-1] != "set_config" or _keeps_search_path(call))


def is_readable(body: Parsed) -> bool:
    """Whether a function's body says by itself which tables it means.

    With a search path of its own, names without a schema mean something else in it than outside.
    """
    settings = [o.def_elem.arg.variable_set_stmt for o in body.node.options if o.def_elem.defname == "set"]
    paths = [[a.a_const.sval.sval for a in s.args] for s in settings if s.name == "search_path"]
    return all(p[:1] in ([], [""], [names.PUBLIC], ["pg_catalog"]) for p in paths)


def _keeps_search_path(call: Node) -> bool:
    """Whether names without a schema mean the same after `set_config`; none are left with ''."""
    if len(call.args) < 2 or call.args[0].a_const.WhichOneof("val") != "sval":  # noqa: PLR2004
        return False
    value = call.args[1].a_const
    return call.args[0].a_const.sval.sval.lower() != "search_path" or (
        value.WhichOneof("val") == "sval" and not value.sval.sval
    )


RULES = {"create_function_stmt": (dynamic_function,)}
