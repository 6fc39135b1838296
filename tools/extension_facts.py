"""Write a stand-in for an extension from the catalogs of a server that has it.

    python tools/extension_facts.py URL EXTENSION > sbsync_tasks/databases/embedded/stand_ins/EXTENSION.sql

Printed are the extension's composite types and its functions with their real signatures and defaults, which
answer with NULL or no rows. Names that begin with `_` are the extension's own affair and left out. What more a
stand-in should do is written by hand. Bodies are not read.
"""

from __future__ import annotations

import re
import sys
from typing import Any

import psycopg

MEMBERS = "select d.objid from pg_depend d where d.deptype = 'e' and d.refclassid = 'pg_extension'::regclass \
and d.refobjid = (select oid from pg_extension where extname = %(name)s) and d.classid = %(class)s::regclass"

TYPES = f"""
select t.typname, string_agg(quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod), ', '
  order by a.attnum)
from pg_class c join pg_type t on t.oid = c.reltype join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
where c.relkind = 'c' and t.oid in ({MEMBERS}) group by 1 order by 1
"""
FUNCTIONS = f"""
select p.proname, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid), p.proretset,
  p.prorettype = 'void'::regtype, p.provolatile, p.proisstrict, p.prorettype = 'trigger'::regtype
from pg_proc p where p.prokind = 'f' and p.proname !~ '^_' and p.oid in ({MEMBERS})
order by 1, pg_get_function_identity_arguments(p.oid)
"""
VOLATILITY = {"i": " immutable", "s": " stable", "v": ""}


def facts(connection: psycopg.Connection[Any], name: str) -> str:
    """The stand-in's script."""
    version, schema = connection.execute(
        "select extversion, extnamespace::regnamespace::text from pg_extension where extname = %s", [name]
    ).fetchone() or ("", "")
    lines = [f"-- {name} {version}: signatures alone. Written by tools/extension_facts.py."]
    types = connection.execute(TYPES, {"name": name, "class": "pg_type"})
    lines += [f"create type {typename} as ({columns});" for typename, columns in types]
    lines += [_function(*row) for row in connection.execute(FUNCTIONS, {"name": name, "class": "pg_proc"})]
    own = re.compile(rf"\b{re.escape(schema)}\.(?=\w)") if schema != "pg_catalog" else re.compile(r"(?!)")
    return own.sub("@extschema@.", "\n".join(lines)) + "\n"


def _function(
    name: str, arguments: str, result: str, many: bool, void: bool, volatility: str, strict: bool, trigger: bool
) -> str:
    body = "begin return; end" if many or void else "begin return null; end"
    if any(f"{word} " in arguments for word in ("OUT", "INOUT")) and not many:
        body = "begin return; end"
    head = f'create function "{name}"({arguments}) returns {result} language plpgsql'
    return f"{head}{VOLATILITY[volatility]}{' strict' if strict and not trigger else ''} as '{body}';"


if __name__ == "__main__":
    url, extension = sys.argv[1:]
    with psycopg.connect(url) as session:
        session.execute("set search_path = ''")
        sys.stdout.write(facts(session, extension))
