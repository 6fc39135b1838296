"""SQL text to findings: what a migration can lose, expose, lock or hide. Pure.

Every statement goes past every rule, from top to bottom, with all that runs inside of it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sbsync_tasks.sqltext import UnparsableSql, adds_enum_value, enum_name, is_transactional, parse, stands_alone

from . import bodies, exposure, finding, losses, names, transactions
from .bodies import Inner
from .finding import Finding, Met, Review, Severity, by_gravity, has_secret, mask, secrets, unparsable
from .losses import PROBABLE_RENAME, unallowed
from .scope import LEARNERS, Scope
from .transactions import unseen

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from sbsync_tasks.sqltext import Node, Parsed

    Rule = Callable[[Parsed, Scope], Iterable[Finding]]

__all__ = [
    "PROBABLE_RENAME", "Finding", "Met", "Review", "Rows", "Severity", "changed_rows", "has_secret", "mask", "review",
    "review_together", "unallowed", "unseen",
]  # fmt: skip
_BY_NAME: dict[str, list[Rule]] = defaultdict(list)
for _table in (losses.RULES, exposure.RULES, transactions.RULES, bodies.RULES):
    for _name, _rules in _table.items():
        _BY_NAME[_name] += _rules
_LEARNERS = (LEARNERS, exposure.LEARNERS)
_AT_END = (*losses.AT_END, *exposure.AT_END)
_GRAVE = frozenset([Severity.DATA_LOSS, Severity.EXPOSURE, Severity.OPAQUE])
# Findings that are none where the object is made again later, as diffs and idempotent files do it.
_PUT_RIGHT = frozenset(
    ["drop-constraint", "drop-function", "drop-materialized-view", "drop-policy", "drop-procedure",
     "drop-publication", "drop-trigger", "drop-view"]
)  # fmt: skip


def review(sql: str, met: Met | None = None) -> Review:
    """Judge the statements of one migration; see `review_together`."""
    return review_together((sql,), met)[0]


def review_together(texts: Sequence[str], met: Met | None = None) -> tuple[Review, ...]:
    """Judge files that are applied one after the other, each by what stands before it, and what a later one puts right.

    Never raises: a text that PostgreSQL's parser refuses yields one blocking finding, `unparsable`.

    Args:
        texts: The files.
        met: What the database has that they are going to meet; None where that is not known.
    """
    scope = Scope(met)
    files = [_file(text, scope) for text in texts]
    places = {id(this): findings for parsed, findings in files for this in parsed}
    for inside, outer in scope.within:
        places[id(inside)] = places[id(outer)]
    for at_end in _AT_END:
        for this, found in at_end(scope):
            places[id(this)].append(found)
    return tuple(_reviewed(parsed, findings, scope.made_again) for parsed, findings in files)


def _file(sql: str, scope: Scope) -> tuple[tuple[Parsed, ...], list[Finding]]:
    """The statements of a file with what is found in them; the scope learns from each."""
    parsed: tuple[Parsed, ...] = ()
    found = [*secrets(sql)]
    try:
        parsed = parse(sql)
        found += _findings(parsed, scope, transactional=is_transactional(sql))
    except UnparsableSql as error:
        found.append(unparsable(sql, error))
    scope.next_file()
    return parsed, found


def _reviewed(parsed: Iterable[Parsed], findings: Iterable[Finding], made_again: Collection[str]) -> Review:
    """The findings, the gravest first; of what was dropped and made again only a loss is one."""
    found = (f for f in dict.fromkeys(findings) if not _is_put_right(f, made_again))
    return Review(tuple(p.statement for p in parsed), by_gravity(found))


def _is_put_right(found: Finding, made_again: Collection[str]) -> bool:
    kind, _, label = found.object.partition(" ")
    dropped = f"{kind} {label.partition('(')[0]}" if kind in {"function", "procedure"} else found.object
    return f"{found.rule} {found.object}" in made_again or (found.rule in _PUT_RIGHT and dropped in made_again)


def _findings(parsed: Sequence[Parsed], scope: Scope, *, transactional: bool) -> Iterator[Finding]:
    seen = set[Inner]()
    for this in parsed:
        if transactional and this.node is not None:
            for rule in transactions.IN_TRANSACTION:
                yield from rule(this, scope)
        yield from _of_statement(this, scope, seen)
        learn(scope, this)
    if transactional:
        yield from transactions.not_alone(parsed)
        yield from transactions.own(parsed)


def _by_rules(parsed: Parsed, scope: Scope) -> Iterator[Finding]:
    for rule in (*_BY_NAME.get(parsed.name, ()), *losses.ALWAYS):
        yield from rule(parsed, scope)


def _of_statement(parsed: Parsed, scope: Scope, seen: set[Inner], judge: Rule = _by_rules) -> Iterator[Finding]:
    """What is found in a statement and in all that runs inside of it."""
    if parsed.node is None:
        why = "It is nested too deeply to be looked into."
        yield finding.finding(parsed, "too-deep", Severity.OPAQUE, parsed.statement.kind, why)
        return
    yield from judge(parsed, scope)
    for found in bodies.run_by(parsed, scope):
        if isinstance(found, Finding):
            yield found
        elif found not in seen:  # functions may call themselves
            seen.add(found)
            yield from _inside(parsed, found, scope, seen, judge)


def _inside(outer: Parsed, found: Inner, scope: Scope, seen: set[Inner], judge: Rule) -> Iterator[Finding]:
    """The findings of SQL that a statement runs; what it creates counts for nothing outside."""
    try:
        parsed = parse(found.sql)
    except UnparsableSql as error:
        if found.expression:
            yield bodies.dynamic(outer, found.expression, found.line, "SQL")
            return
        why = f"SQL inside of it cannot be read: {error.reason}."
        yield finding.finding(outer, "opaque-body", Severity.OPAQUE, outer.statement.kind, why)
        return
    before, scope.around = scope.around, found.around
    for this in parsed:
        line = found.line + (0 if found.elsewhere else this.statement.line - 1)
        placed = replace(this, statement=replace(this.statement, line=line))
        inner = _of_statement(placed, scope, seen, judge)
        if found.expression:
            yield from _in_part(outer, placed, found.expression, scope, inner)
        else:
            scope.within.append((placed, outer))
            yield from inner
            learn(scope, placed, inside=True)
    scope.around = before


def _in_part(outer: Parsed, this: Parsed, expression: str, scope: Scope, found: Iterable[Finding]) -> Iterator[Finding]:
    """Of a statement whose objects are not known: that it cannot be seen what it does, where that can be grave."""
    if any(f.severity in _GRAVE for f in found):
        yield bodies.dynamic(outer, expression, this.statement.line, this.statement.kind)
    if this.name in {"rename_stmt", "alter_object_schema_stmt"}:
        scope.met = None  # what is there, and under which name, can no longer be told


def learn(scope: Scope, parsed: Parsed, *, inside: bool = False) -> None:
    """Take note of what a statement does; what one inside of another makes does not count as new afterwards."""
    if parsed.name == "transaction_stmt" or stands_alone(parsed):
        scope.enum_values.clear()  # what was added before is committed
    learners = [table[parsed.name] for table in _LEARNERS if parsed.name in table]
    makes = bool(learners) and (parsed.name != "select_stmt" or parsed.node.HasField("into_clause"))
    before = set(scope.created) if inside and makes else None
    for learner in learners:
        learner(scope, parsed)
    scope.created = scope.created if before is None else before


_WRITES = frozenset(["InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"])
_CHANGING_COMMANDS = frozenset(["AT_DropColumn", "AT_AlterColumnType", "AT_SetExpression"])
_PARTING_COMMANDS = frozenset(["AT_DetachPartition", "AT_DropInherit"])
_NEVER_KNOWN = frozenset(["alter_extension_stmt", "dropdb_stmt", "drop_owned_stmt", "load_stmt"])


@dataclass(frozen=True)
class Rows:
    """What a text can do to rows that stood there before it.

    What does not stand in the text is not in here: triggers, rules, event triggers and views that the
    database has already, and foreign keys that pass a change on. A table stands for its partitions
    and heirs as well. A name that is no table of the database (a view, say) has to be taken as
    `unknown`.

    Attributes:
        tables: The tables whose rows can be changed or removed, such as `public.t`, by the names
            that they have before the text runs.
        cascades: Those of them that are emptied with `TRUNCATE … CASCADE`.
        unknown: Something in the text has an effect on rows that cannot be told from it.
    """

    tables: frozenset[str]
    cascades: frozenset[str]
    unknown: bool


def changed_rows(*texts: str) -> Rows:
    """The tables whose rows files can change or remove that are applied one after the other.

    Those that the files create are left out. Never raises: a text that cannot be read is `unknown`.
    """
    scope, seen = Scope(), set[Inner]()
    reader = _Reader(scope)
    for text in texts:
        try:
            for parsed in parse(text):
                if [*_of_statement(parsed, scope, seen, reader.read)]:
                    reader.unknown = True
                learn(scope, parsed)
        except UnparsableSql:
            reader.unknown = True
        scope.next_file()
        reader.several = False
    return Rows(frozenset(reader.tables), frozenset(reader.cascades), reader.unknown)


class _Reader:
    """What has been read so far."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.tables = set[str]()
        self.cascades = set[str]()
        self.unknown = False
        self.reaching = set[str]()  # views of this text, and tables with partitions and heirs that it gave them
        self.triggered = set[str]()  # tables with triggers or rules that this text gave them
        self.old_names = dict[str, str]()  # of tables, by the names that this text gave them
        self.defined = Counter[str]()  # how often the text defines each function
        self.several = False  # the search path has several schemas, so that names without one are not certain

    def read(self, parsed: Parsed, _scope: Scope) -> Iterable[Finding]:
        """Take in one statement; what there is to say of it stands in the attributes."""
        self.unknown |= parsed.name in _NEVER_KNOWN
        self._make(parsed.name, parsed.node)
        self._change(parsed)
        for kind, node in () if parsed.name in bodies.STORED else parsed.acts:
            if kind in _WRITES:
                parts = names.parts(node.relation)
                self._fire(parts)
                if _changes_old_rows(kind, node):
                    self._lose(parts)
            self.unknown |= kind == "ExecuteStmt"  # as in CREATE TABLE … AS EXECUTE
        for call in bodies.calls(parsed):
            name = self.scope.name(call.funcname)
            body = self.scope.bodies.get(name)
            known = names.is_harmless(call) if body is None else self.defined[name] == 1 and _is_readable(body)
            self.unknown |= not known
        return ()

    def _make(self, name: str, node: Node) -> None:
        """Take note of what later changes of rows reach."""
        match name:
            case "view_stmt":
                self.reaching.add(self.scope.name(node.view))
            case "create_trig_stmt" | "rule_stmt":
                self.triggered.add(self.scope.name(node.relation))
            case "create_function_stmt":
                self.defined[self.scope.name(node.funcname)] += 1
            case "variable_set_stmt" if node.name == "search_path":
                paths = [a.a_const.sval.sval for a in node.args]
                self.several = paths[:1] not in ([], [names.PUBLIC], ["$user"]) and len(paths) > 1
            case "rename_stmt" | "alter_object_schema_stmt":
                self._move(node)

    def _change(self, parsed: Parsed) -> None:
        """Take note of rows that the statement changes otherwise than by writing them."""
        node = parsed.node
        match parsed.name:
            case "truncate_stmt":
                for item in node.relations:
                    self._fire(names.parts(item))
                    self._lose(names.parts(item), cascade=enum_name(node, "behavior") == "DROP_CASCADE")
            case "drop_stmt":
                self._drop(node)
            case "alter_table_stmt" if enum_name(node, "objtype") == "OBJECT_TYPE":
                self.unknown |= not self.scope.is_new(self.scope.label("type", node.relation))
            case "alter_table_stmt":
                for item in node.cmds:
                    self._alter(node.relation, item.alter_table_cmd)
            case "alter_enum_stmt" if not adds_enum_value(parsed):
                self.unknown |= not self.scope.is_new(self.scope.label("type", node.type_name))
            case "copy_stmt":
                self.unknown |= bool(node.is_from or node.is_program)

    def _lose(self, parts: tuple[str, ...], *, cascade: bool = False) -> None:
        """Note that the rows of a table can change."""
        name = self.scope.qualified(parts)
        is_new = self.scope.is_new(name)
        self.unknown |= (
            name in self.reaching or (cascade and is_new) or (self.several and len(parts) == 1 and not is_new)
        )
        if not is_new:
            old = self.old_names.get(name, name)
            self.tables.add(old)
            self.cascades.update([old] if cascade else [])

    def _fire(self, parts: tuple[str, ...]) -> None:
        """Note that a table is written to, so that its triggers and rules run."""
        self.unknown |= self.scope.qualified(parts) in self.triggered

    def _drop(self, node: Node) -> None:
        kind, cascade = names.kind_word(node, "remove_type"), enum_name(node, "behavior") == "DROP_CASCADE"
        for item in node.objects:
            if kind == "table":
                self._lose(names.parts(item))
            if not self.scope.is_new(self.scope.label(kind, item)):
                cascades = cascade and kind not in losses.CASCADE_TAKES_NO_ROWS
                self.unknown |= cascades or kind in {"schema", "extension"}

    def _alter(self, relation: Node, command: Node) -> None:
        table, kind = self.scope.name(relation), enum_name(command, "subtype")
        is_new = f"{table}.{names.quoted(command.name)}" in self.scope.created
        if kind in _PARTING_COMMANDS or (kind in _CHANGING_COMMANDS and not is_new):
            self._lose(names.parts(relation))
        elif kind == "AT_AttachPartition":
            self.reaching.add(table)
        elif kind == "AT_AddInherit":
            self.reaching.add(self.scope.name(getattr(command, "def").range_var))

    def _move(self, node: Node) -> None:
        """A table or view gets another name or another schema."""
        kind, parts = names.altered(node)
        renames = node.DESCRIPTOR.name == "RenameStmt"
        if kind == "schema" and renames:
            self.unknown |= not self.scope.is_new(f"schema {names.quoted(node.subname)}")
        if kind not in {"table", "view"}:
            return
        new = self.scope.qualified((*parts[:-1], node.newname) if renames else (node.newschema, parts[-1]))
        old = self.scope.qualified(parts)
        for names_now in (self.reaching, self.triggered):
            names_now.update([new] if old in names_now else [])
        if self.scope.is_new(old):
            self.old_names.pop(new, None)
        else:
            self.old_names[new] = self.old_names.pop(old, old)


def _is_readable(body: Parsed) -> bool:
    """Whether a function's body says by itself which tables it means.

    With a search path of its own, names without a schema mean something else in it than outside.
    """
    settings = [o.def_elem.arg.variable_set_stmt for o in body.node.options if o.def_elem.defname == "set"]
    paths = [[a.a_const.sval.sval for a in s.args] for s in settings if s.name == "search_path"]
    return all(p[:1] in ([], [""], [names.PUBLIC], ["pg_catalog"]) for p in paths)


def _changes_old_rows(kind: str, node: Node) -> bool:
    if kind == "InsertStmt":
        return enum_name(node.on_conflict_clause, "action") == "ONCONFLICT_UPDATE"
    if kind == "MergeStmt":
        commands = {enum_name(c.merge_when_clause, "command_type") for c in node.merge_when_clauses}
        return not commands.isdisjoint({"CMD_UPDATE", "CMD_DELETE"})
    return True
