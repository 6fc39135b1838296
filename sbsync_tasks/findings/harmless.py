"""Calls in a statement, and those that are known to leave the rows of tables alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sbsync_tasks.sqltext import enum_name, walk

from . import names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sbsync_tasks.sqltext import Node, Parsed

STORED = frozenset(
    [
        "alter_policy_stmt",
        "comment_stmt",
        "create_domain_stmt",
        "create_function_stmt",
        "create_policy_stmt",
        "create_publication_stmt",
        "create_schema_stmt",
        "create_stats_stmt",
        "create_stmt",
        "create_trig_stmt",
        "index_stmt",
        "prepare_stmt",
        "rule_stmt",
        "view_stmt",
    ]
)
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
