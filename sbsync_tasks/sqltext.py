"""SQL text as PostgreSQL itself reads it: statements, tokens, trees.

The one module that knows postgast, which wraps the parser of PostgreSQL 18 (libpg_query). Its
offsets count bytes of UTF-8, not characters. Everything here is pure.
"""

from __future__ import annotations

import gc
import json
import re
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib import import_module
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING, Any, TypeAlias

from .errors import SbsyncError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

Node: TypeAlias = Any
"""A message of the parse tree; its fields are those of PostgreSQL's own nodes, in snake case."""
_Piece: TypeAlias = tuple[int, int, Node]  # a statement's byte offset, its length, its tree

BOM = "\ufeff"
_NOT_TRANSACTIONAL = re.compile(r"^--\s*pg-delta:.*\btransaction=false\b", re.MULTILINE)
# Nodes that change rows or run something else, wherever in a statement they stand.
_ACTS = frozenset(["FuncCall", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "ExecuteStmt"])
_LEAVES = frozenset(["A_Const", "ColumnRef"])
_WORD = re.compile(r"\w+")
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
# Words between CREATE or ALTER and the kind of object.
_MODIFIERS = re.compile(r"OR|REPLACE|TEMP|TEMPORARY|GLOBAL|LOCAL|UNLOGGED|UNIQUE|RECURSIVE|CONSTRAINT|TRUSTED")
_TWO_WORDS = re.compile(r"(MATERIALIZED|FOREIGN|EVENT|DEFAULT|TEXT|ACCESS|USER|OWNED) ")
_HOLDS_BODY = {"do_stmt": "args", "create_function_stmt": "options"}
_REST_OF_LINE = re.compile(rb"[ \t;]*(--[^\n]*)?")
_CLOSED_TWICE = re.compile(r"(?:\{\}\},)+")
_NEVER_IN_TRANSACTION = frozenset(
    ["createdb_stmt", "dropdb_stmt", "alter_system_stmt", "create_table_space_stmt", "drop_table_space_stmt"]
)
# The trees of a text of so many characters are many objects that stay: looking for rubbish in them finds none.
_LARGE = 10_000
_REMEMBERED = 16_000_000  # characters of SQL; their trees take some 25 bytes for each


class UnparsableSql(SbsyncError):  # noqa: N818 - the name says what the text is
    """PostgreSQL's parser does not accept the text, so nothing can be said about it.

    Attributes:
        line: The line of the fault, counted from 1; 0 where it is not known.
        reason: The parser's own words.
    """

    def __init__(self, line: int, reason: str, hint: str = "") -> None:
        place = f"line {line}: " if line else ""
        super().__init__(f"The SQL cannot be read: {place}{reason}", hint)
        self.line = line
        self.reason = reason


@dataclass(frozen=True)
class Statement:
    """One SQL statement.

    Attributes:
        text: The statement without its semicolon and without leading comments.
        line: The line on which it begins, counted from 1.
        kind: What it is, such as `CREATE TABLE` or `GRANT`.
    """

    text: str
    line: int
    kind: str


@dataclass(frozen=True)
class Parsed:
    """A statement with its parse tree.

    Attributes:
        statement: The statement.
        name: The tree's kind in PostgreSQL's terms, such as `drop_stmt`; empty without a `node`.
        node: The tree; None for a statement that is nested too deeply to be handed over.
        end: The byte offset behind the statement, before its semicolon.
    """

    statement: Statement
    name: str
    node: Node
    end: int

    @cached_property
    def acts(self) -> tuple[tuple[str, Node], ...]:
        """The calls of functions and the writing statements in it, itself included, as `walk` has them."""
        return tuple(found for found in walk(self.node) if found[0] in _ACTS)


def parse(sql: str) -> tuple[Parsed, ...]:
    """Parse a text into its statements. Each text is parsed once, whoever asks: what is handed out must not be changed.

    Raises:
        UnparsableSql: PostgreSQL's parser refuses the text, or the text holds a NUL character.
    """
    return _KNOWN.of(sql)


class _Known:
    """Parsed texts; when there are too many, all are forgotten."""

    def __init__(self) -> None:
        self._texts: dict[str, tuple[Parsed, ...]] = {}
        self._characters = 0

    def of(self, sql: str) -> tuple[Parsed, ...]:
        found = self._texts.get(sql)
        if found is None:
            found = _parse(sql)
            if self._characters + len(sql) > _REMEMBERED:
                self._texts, self._characters = {}, 0
            self._texts[sql] = found
            self._characters += len(sql)
            if len(sql) > _LARGE:
                gc.freeze()
        return found


_KNOWN = _Known()


def _parse(sql: str) -> tuple[Parsed, ...]:
    library = _postgast()
    data = _encoded(sql)
    text = data.decode()
    try:
        tree = library.parse(text)
    except library.PgQueryError as error:
        raise _unparsable(data.decode(), error.message, error.cursorpos) from None
    except _too_deep():
        return tuple(_parsed(data, _one_by_one(text)))
    whole = len(data)
    return tuple(_parsed(data, ((s.stmt_location, s.stmt_len or whole - s.stmt_location, s.stmt) for s in tree.stmts)))


def split(sql: str) -> tuple[Statement, ...]:
    """The statements of a text.

    Raises:
        UnparsableSql: PostgreSQL's parser refuses the text.
    """
    return tuple(p.statement for p in parse(sql))


def tokens(sql: str) -> tuple[str, ...]:
    """The tokens of a text without comments, white space and semicolons.

    Raises:
        UnparsableSql: the text cannot be cut into tokens, as with an open quote.
    """
    return tuple(text for text, _, _ in scan(sql) if text != ";")


def scan(sql: str) -> Iterator[tuple[str, int, int]]:
    """Tokens with their byte offsets, comments left out.

    Raises:
        UnparsableSql: the text cannot be cut into tokens, as with an open quote.
    """
    library = _postgast()
    data = _encoded(sql)
    comments = {library.pg_query_pb2.SQL_COMMENT, library.pg_query_pb2.C_COMMENT}
    try:
        found = library.scan(data.decode()).tokens
    except library.PgQueryError as error:
        raise _unparsable(data.decode(), error.message, error.cursorpos) from None
    for token in found:
        if token.token not in comments:
            yield data[token.start : token.end].decode(), token.start, token.end


def is_transactional(sql: str) -> bool:
    """Whether the CLI runs a file in one transaction, by the pg-delta header."""
    return not _NOT_TRANSACTIONAL.search(_header(sql))


def _header(sql: str) -> str:
    """The comment lines at the top of a text, such as `-- pg-delta: transaction=false`."""
    top = takewhile(lambda line: not line.strip() or line.startswith("--"), sql.removeprefix(BOM).split("\n"))
    return "\n".join(line.rstrip() for line in top if line.strip())


def without(sql: str, numbers: Collection[int]) -> str:
    """A text without the statements of these numbers, counted from 0; a header of the CLI's stays on top.

    Raises:
        UnparsableSql: PostgreSQL's parser refuses the text.
    """
    header = _header(sql)
    kept = [chunk for i, chunk in enumerate(_chunks(sql, parse(sql))) if i not in numbers]
    text = "".join(kept).strip("\n") + "\n"
    return text if is_transactional(sql) or text.startswith(header) else f"{header}\n\n{text}"


def adds_enum_value(parsed: Parsed) -> bool:
    """Whether the statement is `ALTER TYPE … ADD VALUE`."""
    return parsed.name == "alter_enum_stmt" and not parsed.node.old_val


def stands_alone(parsed: Parsed) -> bool:
    """Whether PostgreSQL refuses to run the statement inside a transaction block.

    The list follows the notes "cannot be executed inside a transaction block" of PostgreSQL's SQL
    reference.
    """
    name, node = parsed.name, parsed.node
    if name == "vacuum_stmt":
        return bool(node.is_vacuumcmd)
    if name == "reindex_stmt":
        whole = enum_name(node, "kind") in {"REINDEX_OBJECT_DATABASE", "REINDEX_OBJECT_SYSTEM"}
        return whole or any(p.def_elem.defname == "concurrently" for p in node.params)
    if name in {"index_stmt", "drop_stmt"}:
        return bool(node.concurrent)
    if name == "alter_table_stmt":
        commands = (c.alter_table_cmd for c in node.cmds)
        return any(getattr(c, "def").partition_cmd.concurrent for c in commands)
    return name in _NEVER_IN_TRANSACTION


def enum_name(node: Node, field: str) -> str:
    """The name of an enumerated field's value, such as `OBJECT_TABLE`."""
    kind = node.DESCRIPTOR.fields_by_name[field].enum_type
    return str(kind.values_by_number[getattr(node, field)].name)


def walk(node: Node) -> Iterator[tuple[str, Node]]:
    """`node` and all nodes below it, each with PostgreSQL's name of its kind (`DeleteStmt`).

    What a constant and a column's name are made of is left out.
    """
    left = [node]
    while left:
        found = left.pop()
        kind = found.DESCRIPTOR.name
        if kind != "Node":  # a mere wrapper
            yield kind, found
        if kind in _LEAVES:
            continue
        for field, value in reversed(found.ListFields()):
            if field.message_type is None:
                continue
            if hasattr(value, "ListFields"):
                left.append(value)
            else:
                left += value[::-1]


def literal(text: str) -> str:
    """A text as a constant."""
    return "'" + text.replace("'", "''") + "'"


def condition(node: Node) -> str:
    """An expression of a tree as SQL."""
    tree = _postgast().parse("select 1 where true")
    tree.stmts[0].stmt.select_stmt.where_clause.CopyFrom(node)
    return str(_postgast().deparse(tree)).partition(" WHERE ")[2]


def written(parsed: Parsed) -> str:
    """A statement as SQL, from its tree, which may have been changed."""
    return _written(parsed.name, parsed.node)


def _written(name: str, node: Node) -> str:
    tree = _postgast().parse("select 1")
    getattr(tree.stmts[0].stmt, name).CopyFrom(node)
    return str(_postgast().deparse(tree))


def standard_body(node: Node) -> Iterator[str]:
    """The statements of a function's body in the form of standard SQL: `BEGIN ATOMIC`, or `RETURN` alone.

    Args:
        node: The tree of the `CREATE FUNCTION`.
    """
    body = node.sql_body
    parts = [part for each in body.list.items for part in each.list.items]  # of a RETURN alone there is no list
    for item in parts if body.WhichOneof("node") == "list" else [body]:
        name = item.WhichOneof("node")
        if name == "return_stmt":
            yield f"SELECT {condition(item.return_stmt.returnval)}"
        elif name:
            yield _written(name, getattr(item, name))


@lru_cache(256)
def plpgsql(definition: str) -> Any:  # noqa: ANN401 - JSON
    """The body of one `DO` or `CREATE FUNCTION … LANGUAGE plpgsql` statement, as the parser's JSON, not to be changed.

    Raises:
        UnparsableSql: the body is refused.
    """
    library = _postgast()
    text = _encoded(definition).decode()
    for this in (p for p in parse(definition) if p.node is not None and p.name in _HOLDS_BODY):
        options = getattr(this.node, _HOLDS_BODY[this.name])
        if all(o.def_elem.defname != "as" for o in options):  # of which the library would end the process
            raise UnparsableSql(0, "the block has no body")
    with suppress(ValueError, RecursionError):
        try:
            return library.parse_plpgsql(text)
        except library.PgQueryError as error:
            raise _unparsable(text, error.message, error.cursorpos) from None
        except json.JSONDecodeError as error:
            # Of a trigger function: the library closes the variables that it does not write (`tg_op`) twice.
            return json.loads(_CLOSED_TWICE.sub(lambda m: m[0].replace("}}", "}"), error.doc, count=1))
    raise UnparsableSql(0, "the body cannot be analysed")


def _postgast() -> Any:  # noqa: ANN401 - its stub file is no valid Python and would stop mypy
    return import_module("postgast")


def _too_deep() -> type[Exception]:
    error: type[Exception] = import_module("google.protobuf.message").DecodeError
    return error


def _encoded(sql: str) -> bytes:
    # The C library stops at a NUL: what follows would pass unseen. The CLI drops a byte order mark.
    if "\0" in sql:
        raise UnparsableSql(sql[: sql.index("\0")].count("\n") + 1, "a NUL character")
    try:
        return sql.removeprefix(BOM).encode()
    except UnicodeEncodeError as error:
        line = sql[: error.start].count("\n") + 1
        raise UnparsableSql(line, "a character that UTF-8 does not have") from None


def _unparsable(sql: str, reason: str, position: int) -> UnparsableSql:
    # Other than the offsets in a tree, this position counts characters (from 1; 0 for none).
    before, rest = sql[: max(position - 1, 0)], sql[max(position - 1, 0) :]
    hint = "Correct the SQL."
    if rest.startswith("\\") or re.search(r"\bfrom\s+stdin\b", before, re.IGNORECASE):
        hint = "psql commands and the data of COPY … FROM stdin cannot stand in a migration."
    return UnparsableSql(before.count("\n") + 1 if position else 0, reason, hint)


def _one_by_one(sql: str) -> Iterator[_Piece]:
    """Parse each statement by itself, as the tree of one is deeper than protobuf's 100 levels."""
    library = _postgast()
    position = 0
    starts = (start for text, start, _ in scan(sql) if text != ";")
    for text in library.split(sql):
        start = next(s for s in starts if s >= position)
        length = len(text.encode())
        try:
            tree = library.parse(text).stmts[0].stmt
        except _too_deep():
            tree = None
        yield start, length, tree
        position = start + length


def _parsed(data: bytes, pieces: Iterable[_Piece]) -> Iterator[Parsed]:
    line, counted = 1, 0
    for start, length, tree in pieces:
        line, counted = line + data.count(b"\n", counted, start), start
        text = _trimmed(data[start : start + length])
        name: str = tree.WhichOneof("node") if tree is not None else ""
        statement = Statement(text, line, _kind(text, name))
        yield Parsed(statement, name, getattr(tree, name) if name else None, start + length)


def _trimmed(data: bytes) -> str:
    """A statement without the comments behind it."""
    if b"--" not in data and b"/*" not in data:
        return data.decode().rstrip(" \t\n\r\f\v")
    return data[: max(end for _, _, end in scan(data.decode()))].decode()


def _kind(text: str, name: str) -> str:
    # The first few words are wanted, and they stand before anything that is quoted.
    words: list[str] = _WORD.findall(_COMMENT.sub(" ", text[:400])[:120].upper())
    if text.startswith("("):
        return "SELECT"
    if words[0] in {"WITH", "VALUES", "TABLE"} and name:
        return name.removesuffix("_stmt").upper()
    if words[0] not in {"CREATE", "ALTER", "DROP"}:
        return words[0]
    rest = [w for w in words[1:] if not _MODIFIERS.fullmatch(w)]
    return " ".join([words[0], *rest[: 2 if _TWO_WORDS.match(" ".join(rest)) else 1]])


def _chunks(sql: str, parsed: Sequence[Parsed]) -> list[str]:
    """The text, cut behind each statement's semicolon and the comment on the same line."""
    data = _encoded(sql)
    scanned = scan(sql)
    starts, position = [], 0
    for this in parsed:
        starts.append(position)
        semicolon = next((e for t, s, e in scanned if s >= this.end and t == ";"), len(data))
        rest = _REST_OF_LINE.match(data, semicolon)
        position = rest.end() if rest else semicolon
    return [data[a:b].decode() for a, b in pairwise([*starts, len(data)])]
