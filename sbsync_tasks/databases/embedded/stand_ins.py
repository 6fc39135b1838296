"""Extensions of the platform that plain PostgreSQL lacks, and what stands in for them in an embedded database.

A stand-in has the real one's schemas, types, tables and functions with their signatures and defaults; its calls
have no effect outside the database. Where the server at hand brings the real extension, that one is used, unless it
works only when it is preloaded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ...state.migrations import migrations_dir
from .binaries import ICU

CREATED = re.compile(rb'create\s+extension\s+(?:if\s+not\s+exists\s+)?"?([a-z0-9_-]+)', re.IGNORECASE)
OF_ICU = re.compile(rb"\bprovider\s*=\s*'?icu\b|-x-icu\"", re.IGNORECASE)
SQL = Path(__file__).parent / "stand_ins"
# What the server says of one (`pg_available_extensions.comment`); catalog/sql/stand_ins.sql looks for it.
COMMENT = "a stand-in for "


@dataclass(frozen=True)
class StandIn:
    """One stand-in.

    Attributes:
        version: The version of the real extension that it follows.
        schema: The schema that it has to be in; empty for any.
        requires: Extensions that come first.
        preloaded: The real one works only in a server that was started with it.
        pinned: Further versions that `create extension … version` may ask for.
        relocatable: `alter extension … set schema` can move it.
    """

    version: str
    schema: str = ""
    requires: tuple[str, ...] = ()
    preloaded: bool = False
    pinned: tuple[str, ...] = ()
    relocatable: bool = False


# Facts: each script names its sources. Versions: supabase/postgres, ansible/vars.yml and nix/ext.
STAND_INS = {
    "http": StandIn("1.6", pinned=("1.3", "1.4", "1.5")),
    "hypopg": StandIn("1.4.1", pinned=("1.3.1", "1.4.0")),
    "index_advisor": StandIn("0.2.0", requires=("hypopg",), pinned=("0.1.0", "0.1.1")),
    "pg_cron": StandIn("1.6.4", preloaded=True, pinned=("1.4", "1.4-1", "1.5", "1.6")),
    "pg_graphql": StandIn("1.5.11", schema="graphql", pinned=("1.4.0", "1.5.0", "1.5.4", "1.5.7", "1.5.9")),
    "pg_hashids": StandIn("1.3", pinned=("1.2.1",)),
    "pg_jsonschema": StandIn("0.3.3", pinned=("0.1.4", "0.2.0", "0.3.0", "0.3.1")),
    "pg_net": StandIn(
        "0.19.5",
        preloaded=True,
        pinned=("0.6.0", "0.7", "0.7.1", "0.8.0", "0.10.0", "0.11.0", "0.13.0", "0.14.0", "0.19.3"),
    ),
    "pgjwt": StandIn("0.2.0", requires=("pgcrypto",), pinned=("0.1.1",)),
    "pgmq": StandIn("1.5.1", schema="pgmq", pinned=("1.4.4", "1.5.0")),
    "pgsodium": StandIn("3.1.9", schema="pgsodium", preloaded=True, pinned=("3.1.5", "3.1.6", "3.1.7", "3.1.8")),
    "pgtap": StandIn("1.2.0", pinned=("1.1.0", "1.3.3")),
    "supabase_vault": StandIn("0.3.1", schema="vault", preloaded=True, pinned=("0.2.8", "0.2.9")),
    "vector": StandIn("0.8.0", pinned=("0.4.0", "0.5.0", "0.5.1", "0.6.0", "0.6.2", "0.7.0", "0.7.4")),
    "wrappers": StandIn("0.5.3", pinned=("0.1.19", "0.2.0", "0.3.0", "0.4.1", "0.4.3", "0.5.0", "0.5.1", "0.5.2")),
}
# The rest of the platform's list (https://supabase.com/docs/guides/database/extensions): enough for migrations that
# create one and use nothing of it.
EMPTY = (
    "address_standardizer", "address_standardizer_data_us", "pg_backtrace", "pg_partman", "pg_repack",
    "pg_stat_monitor", "pg_tle", "pgaudit", "pgroonga", "pgroonga_database", "plcoffee", "plls", "plpgsql_check", "rum",
    "supautils",
)  # fmt: skip
EMPTY_IN = {"pg_tle": "pgtle"}  # the schema that its control file names, needed where the search_path is empty
# Types, planner and storage of their own: nothing written in SQL can stand in for these.
WITHOUT = ("pgrouting", "plv8", "postgis", "postgis_raster", "postgis_sfcgal", "postgis_tiger_geocoder",
           "postgis_topology", "timescaledb")  # fmt: skip


def better_real(names: Iterable[str]) -> frozenset[str]:
    """The extensions for which a server that brings the real one is better than any other."""
    return frozenset(n for n in names if n in (*EMPTY, *WITHOUT) or (n in STAND_INS and not STAND_INS[n].preloaded))


@cache
def asked_for(root: Path) -> frozenset[str]:
    """The same of those that a project's migrations create, looked at once per process: no run changes its server.

    `icu` is among them where a collation needs it. A word in a comment may be, too: it only decides which of several
    servers is taken.
    """
    texts = [path.read_bytes() for path in migrations_dir(root).glob("*.sql") if path.is_file()]
    named = better_real({name.decode().lower() for text in texts for name in CREATED.findall(text)})
    return named | ({ICU} if any(map(OF_ICU.search, texts)) else frozenset())


def without_stand_in(asked: frozenset[str], brought: frozenset[str]) -> list[str]:
    """What migrations ask for, no server brings and nothing stands in for, sorted."""
    return sorted((asked - brought) & {*WITHOUT, ICU})


def add(folder: Path) -> None:
    """Write what a server lacks into its folder of extensions.

    Args:
        folder: `share/extension` of the copied server.
    """
    for name, one in STAND_INS.items():
        if one.preloaded or not (folder / f"{name}.control").exists():
            _write(folder, name, one, (SQL / f"{name}.sql").read_text(encoding="utf-8"))
    for name in EMPTY:
        if not (folder / f"{name}.control").exists():
            _write(folder, name, StandIn("1.0", schema=EMPTY_IN.get(name, ""), relocatable=name not in EMPTY_IN), "")


def _write(folder: Path, name: str, one: StandIn, script: str) -> None:
    control = [
        f"comment = '{COMMENT}{name}: its calls have no effect outside this database'",
        f"default_version = '{one.version}'",
        f"relocatable = {str(one.relocatable).lower()}",
        "trusted = true",
        *([f"schema = '{one.schema}'"] if one.schema else []),
        *([f"requires = '{', '.join(one.requires)}'"] if one.requires else []),
    ]
    (folder / f"{name}.control").write_text("\n".join(control) + "\n", encoding="utf-8")
    for version in (one.version, *one.pinned):
        (folder / f"{name}--{version}.sql").write_text(script, encoding="utf-8")
