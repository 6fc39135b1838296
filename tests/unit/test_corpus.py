"""The labelled statements of `tests/corpus`: what a careful reviewer wants to be told of each, and nothing else.

`pytest -s tests/unit/test_corpus.py` prints recall and precision of each rule.
"""

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from sbsync_tasks.checks import Met, Severity, review_together

CORPUS = Path(__file__).parents[1] / "corpus"
GRAVE = (Severity.DATA_LOSS, Severity.EXPOSURE)
# The database that the files meet: relations with columns, and all else.
RELATIONS = {
    "public.customers": "id bigint,name character varying(40),email text,age integer,balance numeric(8.2),doc json,"
    "joined timestamp without time zone,seen timestamp with time zone,born date,mood public.mood,code character(3),"
    "tags character varying(10)[],ratio real",
    "public.orders": "id integer,customer_id bigint,total numeric,state text",
    "public.events": "id integer,at timestamp with time zone",
    "public.events_2025": "id integer,at timestamp with time zone",
    "public.profiles": "id uuid",
    "public.address": "street text",
    "app.secrets": "id integer,value text",
    "storage.buckets": "id text,public boolean",
    "storage.objects": "id uuid,bucket_id text,owner uuid",
    "auth.users": "id uuid",
    "realtime.messages": "topic text",
    **dict.fromkeys(
        ["public.active_customers", "public.totals", "public.counter", "public.orders_id_seq", "public.orders_state",
         "public.remote"], "id integer",
    ),
}  # fmt: skip
OTHERS = [
    *(f"schema {s}" for s in ("public", "app", "auth", "storage", "realtime", "extensions", "vault", "cron")),
    *(f"extension {e}" for e in ("pg_cron", "vector", "pg_trgm")),
    *(f"type public.{t}" for t in ("mood", "address")),
    *(f"function public.{f}" for f in ("total", "purge")),
    "domain public.positive",
    "procedure public.tidy",
]
# As in a new project, but for `orders`, which was hardened.
RIGHTS = {
    ("public.customers", "anon"): frozenset(["select", "insert", "update", "delete", "truncate"]),
    ("public.customers", "authenticated"): frozenset(["select", "insert", "update", "delete"]),
    ("function public.purge", "public"): frozenset(["execute"]),
    **{
        ("default privileges in public", role): frozenset(["select", "insert", "update", "delete"])
        for role in ("anon", "authenticated")
    },
    ("default privileges in extensions", "anon"): frozenset(["select"]),
    ("schema public", "public"): frozenset(["usage"]),
}
MET = Met(
    frozenset([*RELATIONS, *OTHERS]),
    {
        f"{relation}.{name}": written.replace(".2)", ",2)")
        for relation, columns in RELATIONS.items()
        for name, _, written in (c.partition(" ") for c in columns.split(","))
    },
    RIGHTS,
    frozenset(["policy locked on public.orders"]),
    {
        "app.forget": ["create function app.forget(int) returns void language sql as 'delete from public.orders'"],
        "app.spare": ["create function app.spare() returns void language sql as "
                      "'delete from public.orders where id = 1'"],
        "app.clean": ["create procedure app.clean()\nlanguage plpgsql as $$ begin\ntruncate public.events; end $$"],
        "app.swept": ["create function app.swept() returns trigger language plpgsql as "
                      "$$ begin delete from app.secrets; return null; end $$"],
    },
    {"public.profiles": ["create trigger swept after delete on public.profiles execute function app.swept()"]},
)  # fmt: skip


def cases():
    for path in sorted(CORPUS.glob("*.sql")):
        text = path.read_text(encoding="utf-8")
        starts = [m.start() for m in re.finditer(r"^-- finds:", text, re.MULTILINE)]
        for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
            line, _, sql = text[start:end].partition("\n")
            expected = [f.strip() for f in line.removeprefix("-- finds:").split(";") if f.strip() != "nothing"]
            place = f"{path.name}:{text.count(chr(10), 0, start) + 1}"
            yield pytest.param(re.split(r"^-- then\n", sql, flags=re.MULTILINE), expected, id=place)


CASES = list(cases())


def found(files, met=MET):
    """`rule object`, with `(note)` behind a drop or a grant that can be graver elsewhere."""
    findings = [f for reviewed in review_together(files, met) for f in reviewed.findings]
    soft = {f for f in findings if f.severity is Severity.NOTE and f.rule.startswith(SOMETIMES_GRAVE)}
    return [(f"{f.rule} {f.object}{' (note)' if f in soft else ''}", f.severity) for f in findings]


SOMETIMES_GRAVE = (
    *(f"drop-{k}" for k in ("schema", "type", "domain", "extension", "view", "materialized", "index")),
    *("drop-trigger", "drop-function", "drop-foreign", "drop-policy", "default-privileges", "change-owner"),
)


@pytest.mark.parametrize(("files", "expected"), CASES)
def test_each_is_told_what_it_deserves(files, expected):
    assert sorted(text for text, _ in found(files)) == sorted(expected)


@pytest.mark.parametrize(("files", "expected"), [c for c in CASES if c.id.startswith("documented")])
def test_what_the_guides_recommend_is_no_loss_and_no_exposure(files, expected):
    assert [text for text, severity in found(files) if severity in GRAVE] == []


@pytest.mark.parametrize("files", [c.values[0] for c in CASES], ids=[c.id for c in CASES])
def test_without_a_database_no_loss_is_missed(files):
    text_alone = replace(MET, functions={}, triggers={})
    known, unknown = (Counter(t for t, s in found(files, met) if s is Severity.DATA_LOSS) for met in (text_alone, None))
    assert not known - unknown


def test_recall_and_precision_of_each_rule():
    rows = {}
    for case in CASES:
        files, expected = case.values
        wanted, told = Counter(expected), Counter(text for text, _ in found(files))
        for text in wanted | told:
            hits, misses, wrong = rows.setdefault(text.split()[0], [0, 0, 0])
            hit = min(wanted[text], told[text])
            rows[text.split()[0]] = [hits + hit, misses + wanted[text] - hit, wrong + told[text] - hit]
    print(f"\n{len(CASES)} cases, {sum('-- ' not in f for c in CASES for f in c.values[0])} files")
    for rule, (hits, misses, wrong) in sorted(rows.items()):
        recall, precision = (f"{hits / (hits + n):.0%}" if hits + n else "-" for n in (misses, wrong))
        print(
            f"{rule:26} {hits:3} found {misses:3} missed {wrong:3} wrong   recall {recall:>4}  precision {precision:>4}"
        )
    assert len(CASES) >= 650
