"""Random schemas of a small grammar, as SQL: two of them share most names, and little of what stands behind these."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

LABELS = ("new", "open", "done", "gone", "held")
# Most changes of a column's type are ones that PostgreSQL has a cast for.
FAMILIES = {"a": ("int", "bigint", "numeric"), "b": ("text", "varchar(20)"), "c": ("boolean", "text"), "d": ("date",)}
# What three rows hold. As text, each value is what its column's other types hold too.
VALUES = {
    "int": ("1", "2", "3"), "bigint": ("1", "2", "3"), "numeric": ("1", "2", "3"), "text": ("'p'", "'q'", "'r'"),
    "varchar(20)": ("'p'", "'q'", "'r'"), "boolean": ("true", "false", "true"),
    "date": ("'2024-02-01'", "'2024-02-02'", "'2024-02-03'"), "text[]": ("'{p}'", "'{q,r}'", "'{}'"),
}  # fmt: skip
DEFAULTS = {
    "int": "7", "bigint": "8", "numeric": "1.5", "text": "'x'", "varchar(20)": "'y'", "boolean": "true",
    "date": "'2024-01-01'", "text[]": "'{a}'",
}  # fmt: skip
EXPRESSIONS = {
    "int": "({0} * 2)::text", "bigint": "({0} + 1)::text", "numeric": "{0}::text", "text": "upper({0})",
    "varchar(20)": "lower({0})", "boolean": "{0}::text", "text[]": "{0}[1]",
}  # fmt: skip


class Schema:
    """One schema.

    Args:
        random: What it is drawn from.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._columns: dict[str, dict[str, str]] = {}
        self._enums: dict[str, list[str]] = {}
        self._views: list[tuple[str, list[str]]] = []
        self._partitioned_ids: tuple[int, ...] = ()

    def sql(self) -> str:
        """Statements that make it in an empty database."""
        return "".join(f"{statement};\n" for statement in self._statements())

    def rows(self) -> str:
        """Statements that give each table up to three rows with a value in every column; after `sql`."""
        return "".join(f"{statement};\n" for statement in self._inserts())

    def _inserts(self) -> Iterator[str]:
        for table, columns in self._columns.items():
            named = [column for column, kind in columns.items() if kind != "made"]
            ids = self._partitioned_ids if table == "parts" else (5, 15, 25)
            for number, id_ in enumerate(ids):
                values = ", ".join(self._value(column, columns[column], number, id_) for column in named)
                yield f"insert into public.{table} ({', '.join(named)}) values ({values})"

    def _value(self, column: str, kind: str, number: int, id_: int) -> str:
        if column == "id" or kind == "key":
            return str(id_)
        if column == "c" and kind in FAMILIES["c"]:
            return f"'{VALUES['boolean'][number]}'"
        labels = self._enums.get(kind.removeprefix("public."))
        if labels:  # mostly one that every enum has, or the rows would forbid most changes
            return repr(self._one(*labels) if self._maybe(0.1) else LABELS[0])
        return repr(LABELS[0]) if column == "b" and kind in FAMILIES["b"] else VALUES[kind][number]

    def _maybe(self, chance: float = 0.5) -> bool:
        return self._random.random() < chance

    def _one(self, *choices: str) -> str:
        return self._random.choice(choices)

    def _statements(self) -> Iterator[str]:
        for name in ("mood", "stage"):
            if self._maybe(0.8):
                self._enums[name] = [LABELS[0], *self._random.sample(LABELS[1:], self._random.randint(0, 3))]
                self._random.shuffle(self._enums[name])
                yield f"create type public.{name} as enum ({', '.join(map(repr, self._enums[name]))})"
        yield from self._functions()
        for name in ("alpha", "beta", "gamma"):
            if self._maybe(0.8):
                yield from self._table(name)
        if self._maybe(0.6):
            yield from self._partitioned()
        for number in range(4):
            if self._columns and self._maybe(0.7):
                yield from self._view(f"v{number}")
        for name, columns in self._columns.items():
            yield from self._policies(name, [*columns])
            yield from self._triggers(name, [*columns])

    def _functions(self) -> Iterator[str]:
        kind, value = self._random.choice((("int", "n"), ("bigint", "n + 1"), ("text", "n::text")))
        yield f"create function public.step(n int) returns {kind} language sql immutable as $$ select {value} $$"
        arguments = self._one("n int", "n int, m int default 0", "other int")
        yield f"create function public.allowed({arguments}) returns boolean language sql stable as $$ select true $$"
        body = self._one("return new", "return old")
        yield f"create function public.touch() returns trigger language plpgsql as $$ begin {body}; end $$"
        for name, labels in self._enums.items():
            if self._maybe(0.3):
                yield (
                    f"create function public.is_{name}(e public.{name}) returns boolean language sql immutable"
                    f" as $$ select e = {self._one(*labels)!r}::public.{name} $$"
                )

    def _table(self, name: str) -> Iterator[str]:
        columns = {"id": "int"}
        wanted = self._random.sample(sorted(FAMILIES), self._random.randint(1, 4))
        lines = ["id int primary key", *[self._column(column, columns) for column in wanted]]
        source = self._one(*columns)
        if columns[source] in EXPRESSIONS and self._maybe():
            steps = columns[source] == "int" and self._maybe()
            expression = f"public.step({source})::text" if steps else EXPRESSIONS[columns[source]].format(source)
            columns["made"] = "made"
            lines.append(f"made text generated always as ({expression}) stored")
        if self._columns and self._maybe():
            other = self._one(*self._columns)
            action = self._one("", " on delete cascade", " on delete set null", " deferrable")
            columns[f"{other}_id"] = "key"
            lines.append(f"{other}_id int references public.{other} (id){action}")
        yield f"create table public.{name} ({', '.join(lines)})"
        self._columns[name] = columns
        yield from self._on_table(name, [*columns])

    def _column(self, column: str, columns: dict[str, str]) -> str:
        if self._enums and column == "b" and self._maybe(0.6):
            name = self._one(*self._enums)
            columns[column] = f"public.{name}"
            default = f" default {self._one(*self._enums[name])!r}" if self._maybe() else ""
            return f"{column} public.{name}{default}"
        kind = self._one(*(DEFAULTS if self._maybe(0.04) else FAMILIES[column]))
        columns[column] = kind
        if self._maybe():
            return f"{column} {kind}"
        return f"{column} {kind} default {DEFAULTS[kind]}{self._one('', ' not null')}"

    def _on_table(self, name: str, columns: Sequence[str]) -> Iterator[str]:
        table, number = f"public.{name}", self._random.randint(1, 3)
        if self._maybe():
            yield f"create index {name}_some on {table} ({self._one(*columns)}{self._one('', ' desc')})"
        if self._maybe(0.4):
            condition = f"{self._one(*columns)} is not null or id > {number}"
            yield f"alter table {table} add constraint {name}_check check ({condition})"
        if self._maybe(0.3):
            yield f"comment on table {table} is 'table {number}'"
        if self._maybe(0.3):
            yield f"comment on column {table}.{self._one(*columns)} is 'column {number}'"
        if self._maybe(0.3):
            yield f"revoke {self._one('all', 'insert')} on {table} from {self._one('anon', 'authenticated')}"
        if self._maybe(0.3):
            yield f"alter table {table} alter {self._one(*columns)} set statistics {number}"

    def _partitioned(self) -> Iterator[str]:
        extra = self._one(
            "", ", note text", ", note text default 'n'", ", made int generated always as (id * 2) stored"
        )
        yield f"create table public.parts (id int not null, day date not null{extra}) partition by range (id)"
        step, count = 20 if self._maybe(0.1) else 10, self._random.randint(0, 3)
        self._partitioned_ids = tuple(id_ for id_ in (5, 15) if id_ < step * count)
        for number in range(count):
            bound = f"from ({number * step}) to ({number * step + step})"
            yield f"create table public.parts_{number} partition of public.parts for values {bound}"
        if self._maybe():
            self._partitioned_ids += (1005,)  # where no other partition will be
            yield "create table public.parts_rest partition of public.parts default"
        if self._maybe():
            yield "create index parts_day on public.parts (day)"
        if self._maybe(0.3):
            yield "alter table public.parts add primary key (id, day)"
        self._columns["parts"] = {"id": "int", "day": "date"}
        if extra:
            self._columns["parts"] |= {"made": "made"} if "made" in extra else {"note": "text"}

    def _view(self, name: str) -> Iterator[str]:
        sources = [*((f"public.{table}", [*columns]) for table, columns in self._columns.items()), *self._views]
        source, columns = self._random.choice(sources)
        chosen = self._random.sample(columns, self._random.randint(1, len(columns)))
        conditions = ["", f" where {self._one(*columns)} is not null"]
        query = f"select {', '.join(chosen)} from {source}"
        query += self._one(*conditions, " where public.allowed(id)") if "id" in columns else self._one(*conditions)
        if self._maybe(0.2):
            yield f"create materialized view public.{name} as {query}"
            if self._maybe():
                yield f"create index {name}_ix on public.{name} ({chosen[0]})"
        else:
            yield f"create view public.{name}{self._one('', ' with (security_invoker = true)')} as {query}"
        self._views.append((f"public.{name}", chosen))
        if self._maybe(0.3):
            yield f"grant select ({chosen[0]}) on public.{name} to anon"

    def _policies(self, table: str, columns: Sequence[str]) -> Iterator[str]:
        if self._maybe(0.6):
            yield f"alter table public.{table} enable row level security"
        for name in ("read", "write"):
            if self._maybe():
                command, role = self._one("all", "select", "update"), self._one("public", "anon", "anon, authenticated")
                using = self._one("true", "public.allowed(id)", f"{self._one(*columns)} is not null")
                yield f'create policy "{name} it" on public.{table} for {command} to {role} using ({using})'

    def _triggers(self, table: str, columns: Sequence[str]) -> Iterator[str]:
        if self._maybe():
            return
        column = self._one(*(c for c in columns if c != "made"))
        event = self._one("before", "after") + " update" + self._one("", f" of {column}")
        when = self._one("", f" when (new.{column} is not null)")
        yield (f"create trigger touched {event} on public.{table} for each row{when} execute function public.touch()")
        if self._maybe(0.3):
            yield f"alter table public.{table} {self._one('disable', 'enable always')} trigger touched"
