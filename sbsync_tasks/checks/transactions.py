"""How a file runs: its transactions, what blocks a busy table or fails because of its rows, and what leaves no trace.

The CLI makes one transaction of each file. Measured with 2.122.1 and 3.1.0: of a file that ends inside of a transaction
that it has opened, the CLI says that it was applied. Neither it nor any later file is recorded, and what they do is
rolled back.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from sbsync_tasks.sqltext import UnparsableSql, enum_name, literal, parse, plpgsql, scan, stands_alone, walk

from . import names
from .finding import Finding, Severity, finding, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sbsync_tasks.sqltext import Node, Parsed

    from ..state.migrations import Migration
    from .scope import Scope


WAY_OUT = (
    "Take these statements out: the CLI makes one transaction of each file. What has to be committed first goes into "
    "an earlier file."
)
_FIRST_WORDS = {"begin", "start", "commit", "end", "rollback", "abort", "savepoint", "release", "prepare"}
_OPENS = {"TRANS_STMT_BEGIN", "TRANS_STMT_START"}
_ENDS = {"TRANS_STMT_COMMIT", "TRANS_STMT_ROLLBACK"}
_TWO_PHASE = {"TRANS_STMT_PREPARE", "TRANS_STMT_COMMIT_PREPARED", "TRANS_STMT_ROLLBACK_PREPARED"}
_ATOMIC = "the file is not applied all or nothing: where it fails, what was committed before stays."
_FAULT = "open-transaction"


@lru_cache(4096)
def faults(sql: str) -> tuple[Finding, ...]:
    """What is wrong with the transactions of a file; nothing where each BEGIN has its COMMIT or ROLLBACK.

    A text that the parser refuses has none: it fails wherever it is run.
    """
    try:
        if _FIRST_WORDS.isdisjoint(_first_words(sql)):
            return ()
        return tuple(f for f in _judged(parse(sql)) if f.rule == _FAULT)
    except UnparsableSql:
        return ()


def problem(migration: Migration) -> str:
    """The faults of a migration in one line, with the file's name; empty for none."""
    found = "; ".join(f"line {f.line}: {f.why.rstrip('.')}" for f in faults(migration.sql))
    return f"supabase/migrations/{migration.file_name}, {found}." if found else ""


def own(parsed: Sequence[Parsed]) -> Iterator[Finding]:
    """For the review: the faults, or else that a file with complete transactions of its own is not atomic."""
    found = [*_judged(parsed)]
    wrong = [f for f in found if f.rule == _FAULT]
    first = next((this for this in parsed if this.name == "transaction_stmt"), None)
    if first and not wrong:
        why = f"It has a transaction of its own, so {_ATOMIC}"
        yield finding(first, "explicit-transaction", Severity.NOTE, "file", why, "Take BEGIN and COMMIT out.")
    yield from wrong or found
    for this in parsed:
        if this.name == "do_stmt" and _ends_transactions(this.statement.text):
            why = f"The DO block ends transactions, so {_ATOMIC}"
            yield finding(this, "explicit-transaction", Severity.NOTE, "file", why)


def _ends_transactions(block: str) -> bool:
    """Whether a `DO` block has `COMMIT` or `ROLLBACK` among its statements."""
    if not re.search(r"\b(commit|rollback)\b", block, re.IGNORECASE):
        return False
    try:
        body = json.dumps(plpgsql(block))
    except UnparsableSql:
        return False
    return '"PLpgSQL_stmt_commit"' in body or '"PLpgSQL_stmt_rollback"' in body


def _first_words(sql: str) -> Iterator[str]:
    before = ";"
    for token, _, _ in scan(sql):
        if before == ";":
            yield token.lower()
        before = token


def _judged(parsed: Sequence[Parsed]) -> Iterator[Finding]:
    """The faults, and where a transaction of the file's own is taken back."""
    opened: Parsed | None = None
    for this in (p for p in parsed if p.name == "transaction_stmt"):
        kind = enum_name(this.node, "kind")
        if kind in _TWO_PHASE:
            yield _fault(this, "is of two-phase commit, which a migration cannot use")
        elif kind in _OPENS:
            opened = opened or this
        elif opened is None:
            yield _fault(this, f"{'ends' if kind in _ENDS else 'needs'} a transaction that the file has not begun")
        elif kind in _ENDS:
            if kind == "TRANS_STMT_ROLLBACK":
                why = f"It takes back what the file does from line {opened.statement.line} on: nothing of that stays."
                yield finding(this, "taken-back", Severity.NOTE, "file", why, "Write COMMIT if it is to stay.")
            opened = this if this.node.chain else None
    if opened is not None:
        yield _fault(opened, "opens a transaction that the file does not end")


def _fault(this: Parsed, why: str) -> Finding:
    return finding(this, _FAULT, Severity.OPAQUE, "file", f"`{shortened(this.statement.text)}` {why}.", WAY_OUT)


_NOT_ATOMIC = (
    "It runs outside of a transaction, so the file is not applied all or nothing: where a later statement fails, this "
    "one and those before it stay."
)
_REFUSED = "PostgreSQL refuses it beside other statements: the file fails."
_SPLIT = "Put it into a migration file of its own."


def copied(parsed: Parsed, scope: Scope) -> Iterator[Finding]:
    """`COPY … FROM stdin`: a migration has no input."""
    if parsed.name == "copy_stmt" and parsed.node.is_from and not parsed.node.filename and not parsed.node.is_program:
        why = "A migration has no input to copy from: it fails."
        yield finding(parsed, "copy-stdin", Severity.NOTE, scope.name(parsed.node.relation), why, "Use INSERT.")


def used_enum_value(parsed: Parsed, scope: Scope) -> Iterator[Finding]:
    """A text that holds an enum value which the same transaction added (55P04)."""
    # The body of a PL/pgSQL function is not looked into before it is called.
    later = parsed.name == "create_function_stmt" and names.language(parsed.node.options) == "plpgsql"
    if parsed.name == "alter_enum_stmt" or later:
        return
    for value in scope.enum_values:
        constant = literal(value)
        if constant in parsed.statement.text:
            why = f"PostgreSQL refuses to use {constant} in the transaction that added it (55P04)."
            yield finding(parsed, "enum-value-used", Severity.NOTE, constant, why, _SPLIT)


def not_alone(parsed: Sequence[Parsed]) -> Iterator[Finding]:
    """Statements that cannot run in a transaction, in a file with others.

    Measured with 2.122.1 and 3.1.0: the CLI commits what stands before them, all but `DETACH … CONCURRENTLY`.
    """
    for this in parsed if len(parsed) > 1 else ():
        if stands_alone(this):
            why = _REFUSED if this.name == "alter_table_stmt" else _NOT_ATOMIC
            yield finding(this, "not-alone", Severity.NOTE, this.statement.kind, why, _SPLIT)


_CHECKED = frozenset(["CONSTR_CHECK", "CONSTR_FOREIGN"])
_INDEXED = frozenset(["CONSTR_PRIMARY", "CONSTR_UNIQUE", "CONSTR_EXCLUSION"])
_FILLED = frozenset(["CONSTR_DEFAULT", "CONSTR_GENERATED", "CONSTR_IDENTITY"])
_NEEDED = frozenset(["CONSTR_NOTNULL", "CONSTR_PRIMARY"])

# Functions that people take for defaults and that are computed for every row.
_VOLATILE = frozenset(["clock_timestamp", "gen_random_uuid", "nextval", "random", "uuid_generate_v4"])


def blocking(parsed: Parsed, scope: Scope) -> Iterator[Finding]:
    """`ALTER TABLE` forms that read or rewrite the table, or that rows can make fail."""
    for kind, command, table, column in scope.altered(parsed.node):
        match kind:
            case "AT_SetNotNull":
                why = "Fails where a row has NULL, and reads the whole table under lock."
                way_out = "Fill the column first; on a big table validate a CHECK beforehand."
                yield finding(parsed, "set-not-null", Severity.LOCKING, column, why, way_out)
            case "AT_AddColumn":
                yield from _added_column(parsed, getattr(command, "def").column_def, table)
            case "AT_AddConstraint":
                yield from _added_constraint(parsed, getattr(command, "def").constraint, table)


def _added_column(parsed: Parsed, column: Node, table: str) -> Iterator[Finding]:
    kinds = {enum_name(c.constraint, "contype") for c in column.constraints}
    serial = names.is_serial(column.type_name)
    about = f"{table}.{names.quoted(column.colname)}"
    if kinds & _NEEDED and not kinds & _FILLED and not serial:
        why = "Fails where the table has rows: they would have no value."
        way_out = "Give it a DEFAULT, or add it without NOT NULL and fill it first."
        yield finding(parsed, "required-column", Severity.LOCKING, about, why, way_out)
    for constraint in (c.constraint for c in column.constraints):
        # PostgreSQL knows that a column without values breaks no foreign key.
        if enum_name(constraint, "contype") != "CONSTR_FOREIGN" or kinds & _FILLED:
            yield from _added_constraint(parsed, constraint, table)
    if serial or kinds & {"CONSTR_GENERATED", "CONSTR_IDENTITY"} or _has_volatile_default(column):
        why = "The whole table is rewritten while it is locked."
        yield finding(parsed, "table-rewrite", Severity.LOCKING, about, why)


def _has_volatile_default(column: Node) -> bool:
    called = (node for kind, node in walk(column) if kind == "FuncCall")
    return any(names.parts(call.funcname[-1])[-1] in _VOLATILE for call in called)


def _added_constraint(parsed: Parsed, constraint: Node, table: str) -> Iterator[Finding]:
    kind = enum_name(constraint, "contype")
    if kind in _CHECKED and not constraint.skip_validation:
        why = "Fails where a row breaks it, and reads the whole table under lock."
        way_out = "Add it NOT VALID, and VALIDATE CONSTRAINT in a later migration."
        yield finding(parsed, "validated-constraint", Severity.LOCKING, table, why, way_out)
    elif kind in _INDEXED and not constraint.indexname:
        why = "Builds an index while nobody can write; fails where rows collide."
        way_out = "CREATE UNIQUE INDEX CONCURRENTLY first, then ADD … USING INDEX."
        yield finding(parsed, "indexed-constraint", Severity.LOCKING, table, why, way_out)


def built_index(parsed: Parsed, scope: Scope) -> Iterator[Finding]:
    """`CREATE INDEX` without `CONCURRENTLY` on a table that was there before."""
    table = scope.name(parsed.node.relation)
    if not parsed.node.concurrent and not scope.is_new(table):
        why = "Nobody can write to the table until the index is built."
        way_out = "On a big table: CREATE INDEX CONCURRENTLY, alone in its own migration."
        if parsed.node.unique:
            why, way_out = f"{why} Fails where rows collide.", f"Look for duplicates first. {way_out}"
        rule = "unique-index" if parsed.node.unique else "blocking-index"
        yield finding(parsed, rule, Severity.LOCKING, table, why, way_out)


def rewritten(parsed: Parsed, scope: Scope) -> Iterator[Finding]:
    """`LOCK`, `CLUSTER`, `REFRESH MATERIALIZED VIEW` and `REINDEX`."""
    node = parsed.node
    if parsed.name == "refresh_mat_view_stmt" and node.concurrent:
        return
    if parsed.name == "reindex_stmt" and any(p.def_elem.defname == "concurrently" for p in node.params):
        return
    for relation in node.relations if parsed.name == "lock_stmt" else [node.relation]:
        about = scope.name(relation) if names.parts(relation) else "database"
        if not scope.is_new(about):
            rule = parsed.statement.kind.lower().replace(" ", "-")
            why = "Others wait for it until the migration's transaction ends."
            yield finding(parsed, rule, Severity.LOCKING, about, why)


# Statements whose whole effect a comparison of two catalogs shows, or that leave none. Whatever is not here may change
# rows, or what is not compared: roles, settings of databases, subscriptions, versions of extensions.
_SHOWN = """
alter_collation_stmt alter_default_privileges_stmt alter_domain_stmt alter_enum_stmt alter_event_trig_stmt
alter_function_stmt alter_object_depends_stmt alter_object_schema_stmt alter_operator_stmt alter_owner_stmt
alter_policy_stmt alter_publication_stmt alter_seq_stmt alter_stats_stmt alter_table_stmt alter_tsconfiguration_stmt
alter_tsdictionary_stmt alter_type_stmt check_point_stmt cluster_stmt comment_stmt composite_type_stmt
constraints_set_stmt create_cast_stmt create_conversion_stmt create_domain_stmt create_enum_stmt create_event_trig_stmt
create_extension_stmt create_foreign_table_stmt create_function_stmt create_op_class_stmt create_policy_stmt
create_publication_stmt create_range_stmt create_schema_stmt create_seq_stmt create_stats_stmt create_stmt
create_table_as_stmt create_trig_stmt deallocate_stmt define_stmt discard_stmt drop_stmt grant_stmt index_stmt
listen_stmt lock_stmt notify_stmt prepare_stmt reindex_stmt rename_stmt rule_stmt select_stmt transaction_stmt
unlisten_stmt vacuum_stmt variable_set_stmt variable_show_stmt view_stmt
"""
_SETTING: tuple[tuple[str, ...], ...] = (("set_config",), ("pg_catalog", "set_config"))


def unseen(sql: str) -> str:
    """The first thing that a migration does and that leaves no trace in the schemas; empty for none.

    Rows above all. What cannot be seen through (a `DO` block, a call of a function) counts as such a thing.

    Returns:
        Where it stands and what it is, such as `line 3: UPDATE`.
    """
    try:
        parsed = parse(sql)
    except UnparsableSql as error:
        return f"line {error.line}: {error.reason}"
    first = next((this for this in parsed if not _shown(this)), None)
    return f"line {first.statement.line}: {first.statement.kind}" if first else ""


def _shown(this: Parsed) -> bool:
    if this.name not in _SHOWN.split():
        return False
    if this.name == "create_table_as_stmt":
        return enum_name(this.node, "objtype") == "OBJECT_MATVIEW"
    if this.name == "select_stmt":
        return all(_reads_nothing(kind, node) for kind, node in walk(this.node))
    if this.name in ("alter_seq_stmt", "alter_table_stmt"):  # a sequence's position is no part of a schema
        return all(kind != "DefElem" or node.defname != "restart" for kind, node in walk(this.node))
    return True


def _reads_nothing(kind: str, node: Node) -> bool:
    if kind == "FuncCall":
        return names.parts(node.funcname) in _SETTING
    return kind not in ("IntoClause", "RangeVar")  # a view may call anything


RULES = {
    "alter_table_stmt": (blocking,),
    "index_stmt": (built_index,),
    **dict.fromkeys(["lock_stmt", "cluster_stmt", "refresh_mat_view_stmt", "reindex_stmt"], (rewritten,)),
}
# Of files that the CLI runs in a transaction, and of all statements.
IN_TRANSACTION = (copied, used_enum_value)
