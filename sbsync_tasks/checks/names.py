"""Names of database objects and types: out of a parse tree, and as the user writes them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from sbsync_tasks.sqltext import enum_name, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sbsync_tasks.sqltext import Node


PUBLIC = "public"
REACHABLE = frozenset(["anon", "authenticated", PUBLIC])
"""The roles that anybody can act as through the API, with the public key or a sign-up."""
_PLAIN = re.compile(r"[a-z_][a-z0-9_$]*")
WITHOUT_SCHEMA = frozenset(
    ["access method", "database", "event trigger", "extension", "fdw", "foreign data wrapper", "foreign server",
     "language", "owned by", "publication", "role", "schema", "subscription", "tablespace", "transform"]
)  # fmt: skip
"""Kinds whose names have no schema."""
_WORDS = {"matview": "materialized view", "fdw": "foreign data wrapper"}
_SERIAL = frozenset((t,) for t in ("serial", "serial2", "serial4", "serial8", "bigserial", "smallserial"))
_ON = frozenset(["true", "on", "yes", "1"])
ON_TABLE = frozenset(["policy", "trigger", "rule"])
"""Kinds that are named together with their table."""
_CALLED = frozenset(["function", "procedure", "routine", "aggregate"])
_GIVEN_BACK = frozenset(["FUNC_PARAM_OUT", "FUNC_PARAM_TABLE"])
# By kind of node: the field that holds the name.
_NAMED_BY = {"List": "items", "TypeName": "names", "ObjectWithArgs": "objname"}


@lru_cache(4096)
def quoted(name: str) -> str:
    """An identifier, in quotes only where SQL needs them."""
    return name if _PLAIN.fullmatch(name) else '"' + name.replace('"', '""') + '"'


def dotted(parts: Sequence[str]) -> str:
    """A name of several parts, such as `public.t`."""
    return ".".join(quoted(p) for p in parts)


def kind_word(node: Node, field: str) -> str:
    """The kind of object in a field such as `remove_type`, in words: `materialized view`."""
    word = enum_name(node, field).removeprefix("OBJECT_").replace("_", " ").lower()
    return _WORDS.get(word, word)


def parts(node: Node) -> tuple[str, ...]:
    """The parts of the name in whatever names an object: a node, several, or a text; as they stand in the SQL."""
    if isinstance(node, str):
        return (node,)
    kind = node.DESCRIPTOR.name if hasattr(node, "DESCRIPTOR") else ""
    if not kind:
        return tuple(p for n in node for p in parts(n))
    if kind == "RangeVar":
        return tuple(filter(None, (node.schemaname, node.relname)))
    within = node.WhichOneof("node") if kind == "Node" else _NAMED_BY.get(kind)
    if within == "string":
        return (node.string.sval,)
    return parts(getattr(node, within)) if within else ()


def column(node: Node) -> tuple[str, ...]:
    """The parts of a column's name, such as `("t", "id")`; none where it is anything else."""
    return parts(node.column_ref.fields)


def altered(node: Node) -> tuple[str, tuple[str, ...]]:
    """The kind and the name of what `ALTER … RENAME`, `SET SCHEMA` or `OWNER TO` is about."""
    kind = kind_word(node, "rename_type" if node.DESCRIPTOR.name == "RenameStmt" else "object_type")
    return kind, parts(node.relation if node.HasField("relation") else node.object)


def taken(function: Node) -> list[Node]:
    """The parameters of a function that a call of it gives a value to."""
    found = (p.function_parameter for p in function.parameters)
    return [p for p in found if enum_name(p, "mode") not in _GIVEN_BACK]


def roles(nodes: Sequence[Node]) -> tuple[str, ...]:
    """The names in a list of roles; `public` stands for everyone."""
    found = [n.role_spec for n in nodes]
    return tuple(PUBLIC if enum_name(r, "roletype") == "ROLESPEC_PUBLIC" else r.rolename for r in found)


def is_serial(type_name: Node) -> bool:
    """Whether a column's type is one that comes with a sequence of its own."""
    return parts(type_name)[-1:] in _SERIAL


def option(nodes: Sequence[Node], name: str) -> Node | None:
    """The argument of an option such as `security_invoker`: its `DefElem`, or None without it."""
    return next((n.def_elem for n in nodes if n.def_elem.defname.lower() == name), None)


def language(options: Sequence[Node]) -> str:
    """The language of a function or block, in lower case; without one, a block has PL/pgSQL, a standard body SQL."""
    named = option(options[::-1], "language")  # the parser takes the last; PostgreSQL refuses a second
    if named is None:
        return "plpgsql" if option(options, "as") else "sql"
    return str(named.arg.string.sval.lower())


def is_on(element: Node) -> bool:
    """Whether an option is on: named alone, or true, on, yes or 1 as PostgreSQL reads them."""
    if element.arg.WhichOneof("node") is None:
        return True
    values = {element.arg.string.sval.lower(), str(element.arg.integer.ival)}
    return element.arg.boolean.boolval or not values.isdisjoint(_ON)


def arguments(kind: str, node: Node) -> str:
    """What tells one function from others of its name, such as `(int4, app.mood[])`; empty where nothing is said.

    They stand as the parser has them: `int` is `int4`, and `pg_catalog` and `public` are left out.
    """
    if kind not in _CALLED or node.object_with_args.args_unspecified:
        return ""
    return signature(n.type_name for n in node.object_with_args.objargs)


def signature(types: Iterable[Node]) -> str:
    """A function's argument types, as `arguments` has them."""
    return f"({', '.join(map(_type, types))})"


def _type(node: Node) -> str:
    found = parts(node)
    if len(found) > 1 and found[0] in {"pg_catalog", PUBLIC}:
        found = found[1:]
    return dotted(found) + "[]" * len(node.array_bounds)


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
_HARMLESS = {
    "": {*_BUILT_IN.split(), *_EXTENSIONS},
    "pg_catalog": {*_BUILT_IN.split()},
    "extensions": {*_EXTENSIONS},
    "auth": {"email", "jwt", "role", "uid"},
}


def is_harmless(call: Node) -> bool:
    """Whether a call is one of a short list of functions that change no row."""
    *schema, name = parts(call.funcname)
    return name in _HARMLESS.get(".".join(schema), ()) and (name != "set_config" or _keeps_search_path(call))


def _keeps_search_path(call: Node) -> bool:
    """Whether names without a schema mean the same after `set_config`; none are left with ''."""
    setting, value, *_ = (*(_constant(a) for a in call.args), None, None)
    return setting is not None and (setting.lower() != "search_path" or value == "")


def _constant(node: Node) -> str | None:
    return node.a_const.sval.sval if node.a_const.WhichOneof("val") == "sval" else None


# Every type turns into these without losing anything.
_TAKE_ALL = frozenset(["text", "varchar", "citext"])
_WIDER = {
    "int2": ("int4", "int8", "float4", "float8"),
    "int4": ("int8", "float8"),
    "float4": ("float8",),
    "date": ("timestamp", "timestamptz"),
    "timestamp": ("timestamptz",),
    "cidr": ("inet",),
}
_DIGITS = {"int2": (5,), "int4": (10,), "int8": (19,)}
_MEASURED = frozenset(["varchar", "bpchar", "varbit", "time", "timetz", "timestamp", "timestamptz"])


def takes_all(new: Node, old: str) -> bool:
    """Whether no value of the old type is cut, rounded or refused.

    Args:
        new: The new type's node.
        old: The old type, as PostgreSQL's `format_type` writes it; empty where it is not known.
    """
    to, room = read_type(new)
    if is_text(new) or not old:
        return is_text(new)
    before = parse(f"select null::{old}")[0].node.target_list[0].res_target.val.type_cast.type_name
    was, size = read_type(before)
    if bool(new.array_bounds) != bool(before.array_bounds):
        return False
    if (was, size) == (to, room) or (to in _TAKE_ALL and not room and was in {*_TAKE_ALL, "bpchar"}):
        return True
    sizes = {**_DIGITS, "numeric": size}
    if to == "numeric" and was in sizes:
        return all(a <= b for a, b in zip(_digits(sizes[was]), _digits(room), strict=True))
    if to == was:
        return to in _MEASURED and (not room or (bool(size) and room >= size))
    return to in _WIDER.get(was, ()) and not room


def is_text(node: Node) -> bool:
    """Whether a type is text of any length."""
    name, room = read_type(node)
    return name in _TAKE_ALL and not room and not node.array_bounds


def read_type(node: Node) -> tuple[str, tuple[int, ...]]:
    """A type's name, without the schemas that are always searched, and its length or precision."""
    found = parts(node)
    known = found[:-1] in {(), ("pg_catalog",), (PUBLIC,)} or found[-1] == "citext"
    return found[-1] if known else dotted(found), tuple(m.a_const.ival.ival for m in node.typmods)


def _digits(size: tuple[int, ...]) -> tuple[float, float]:
    """How many digits stand before and behind the point of a numeric."""
    if not size:
        return float("inf"), float("inf")
    precision, scale, *_ = (*size, 0)
    return precision - scale, scale
