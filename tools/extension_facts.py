"""What an extension brings, read from the catalogs of a server that has it: the facts that stand-ins are held to.

    python tools/extension_facts.py URL EXTENSION > tests/facts/EXTENSION.txt
    python tools/extension_facts.py --loadable FOLDER SHARE

Printed is a line for each type, table, view, function, operator, cast and operator class, as it would be declared.
Bodies are not read. Where no package brings an extension, `--loadable` copies its published control file and scripts
into a server's `share/extension`, its C functions bound to something that is there: it can be created and read then,
and does nothing. tests/e2e/test_stand_ins.py compares each stand-in with these files.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import psycopg

MEMBERS = """
with members as (
  select d.classid, d.objid from pg_depend d join pg_extension e on e.oid = d.refobjid
  where d.deptype = 'e' and d.refclassid = 'pg_extension'::regclass and e.extname = %(name)s
)
"""
KINDS = (
    """
    select 'function ' || p.oid::regproc::text || '(' || pg_get_function_arguments(p.oid) || ')'
      || coalesce(' returns ' || pg_get_function_result(p.oid), '')
      || case p.prokind when 'a' then ' aggregate' when 'p' then ' procedure' else '' end
    from pg_proc p join members m on m.objid = p.oid and m.classid = 'pg_proc'::regclass
    """,
    """
    select 'type ' || t.oid::regtype::text || case t.typtype
      when 'e' then ' enum ' || (select string_agg(l.enumlabel, ', ' order by l.enumsortorder) from pg_enum l
        where l.enumtypid = t.oid)
      when 'd' then ' domain ' || format_type(t.typbasetype, t.typtypmod) || coalesce((
        select string_agg(' ' || pg_get_constraintdef(c.oid), '' order by c.conname) from pg_constraint c
        where c.contypid = t.oid), '')
      else ' base' end
    from pg_type t join members m on m.objid = t.oid and m.classid = 'pg_type'::regclass
    where t.typtype in ('e', 'd') or (t.typtype = 'b' and t.typelem = 0)
    """,
    """
    select case c.relkind when 'c' then 'type ' when 'v' then 'view ' when 'S' then 'sequence ' else 'table ' end
      || c.oid::regclass::text || coalesce(' (' || (
        select string_agg(
          quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod)
          || case when a.attnotnull and c.relkind = 'r' then ' not null' else '' end
          || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), ''), ', ' order by a.attnum)
        from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and c.relkind <> 'S'
      ) || ')', '') || coalesce((
        select string_agg(', ' || pg_get_constraintdef(k.oid), '' order by pg_get_constraintdef(k.oid))
        from pg_constraint k where k.conrelid = c.oid and k.contype in ('p', 'u', 'c', 'f')
      ), '')
    from pg_class c join members m on m.objid = coalesce((select r.oid from pg_type r where r.typrelid = c.oid
        and c.relkind = 'c'), c.oid)
      and m.classid = case c.relkind when 'c' then 'pg_type'::regclass else 'pg_class'::regclass end
    where c.relkind in ('r', 'v', 'c', 'S')
    """,
    """
    select 'operator ' || o.oid::regoperator::text || ' returns ' || format_type(o.oprresult, null)
    from pg_operator o join members m on m.objid = o.oid and m.classid = 'pg_operator'::regclass
    """,
    """
    select 'cast ' || format_type(c.castsource, null) || ' as ' || format_type(c.casttarget, null)
      || case c.castcontext when 'i' then ' implicit' when 'a' then ' assignment' else '' end
    from pg_cast c join members m on m.objid = c.oid and m.classid = 'pg_cast'::regclass
    """,
    """
    select 'operator class ' || o.opcname || ' for ' || format_type(o.opcintype, null) || ' using ' || a.amname
      || case when o.opcdefault then ' default' else '' end
    from pg_opclass o join pg_am a on a.oid = o.opcmethod
    join members m on m.objid = o.oid and m.classid = 'pg_opclass'::regclass
    """,
)
# What only the server itself calls: functions of a type, an index method or a language, and those of C alone
INTERNAL = re.compile(r"\b(internal|cstring|language_handler|index_am_handler)\b")
IN_C = re.compile(
    r"(?P<index>returns\s+index_am_handler\s+)?(?P<body>as\s+'(?:MODULE_PATHNAME|\$libdir/\w+|pg_net)'(?:\s*,\s*(?:'\w+'|\$\$\w+\$\$))?)"
    r"|\blanguage\s+(?:'c'|c\b)",
    re.IGNORECASE,
)


def facts(connection: psycopg.Connection[Any], name: str) -> list[str]:
    """The extension's facts, a line for each, sorted; what only the server calls is left out."""
    connection.execute("set search_path = ''")
    schema = connection.execute(
        "select quote_ident(n.nspname) from pg_extension e join pg_namespace n on n.oid = e.extnamespace"
        " where e.extname = %s and not exists (select from pg_depend d where d.classid = 'pg_namespace'::regclass"
        " and d.objid = n.oid and d.refobjid = e.oid and d.deptype = 'e')",
        [name],
    ).fetchone()
    lines = {str(row[0]) for kind in KINDS for row in connection.execute(MEMBERS + kind, {"name": name})}
    own = re.compile(rf"\b{re.escape(schema[0])}\.(?=[\w\"])") if schema else re.compile(r"(?!)")
    return sorted(" ".join(own.sub("", line).split()) for line in lines if not INTERNAL.search(line))


def make_loadable(folder: Path, share: Path) -> None:
    """Copy an extension's control file and scripts so that it can be created without its library."""
    for path in (*folder.glob("*.control"), *folder.glob("*.sql")):
        text = path.read_text(encoding="utf-8")
        text = re.sub(r"(?m)^\s*module_pathname.*$|^\s*requires.*$", "", text) if path.suffix == ".control" else text
        (share / path.name).write_text(IN_C.sub(_bound, text), encoding="utf-8")


def _bound(found: re.Match[str]) -> str:
    if not found["body"]:
        return "language internal"
    # An index method's handler is called when an operator class is made; GiST's takes any
    return f"{found['index']}as 'gisthandler'" if found["index"] else "as 'pg_backend_pid'"


if __name__ == "__main__":
    if sys.argv[1] == "--loadable":
        make_loadable(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        with psycopg.connect(sys.argv[1]) as session:
            version = session.execute("select extversion from pg_extension where extname = %s", [sys.argv[2]])
            print(f"# {sys.argv[2]} {(version.fetchone() or [''])[0]}")
            print("\n".join(facts(session, sys.argv[2])))
