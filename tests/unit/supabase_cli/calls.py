"""Every public call of the CLI, and what it is given."""

from sbsync_tasks.endpoint import Endpoint
from sbsync_tasks.state.migrations import Migration
from sbsync_tasks.supabase_cli import Version

PASSWORD = "p@ss:w/o%r#d'\"$ \\x"
OTHER_PASSWORD = "s3cond-tr0ub4dor"
TARGET = Endpoint("db.example.com", 6543, "app", "ann", PASSWORD)
HERE = Endpoint("127.0.0.1", 54322, "postgres", "postgres", OTHER_PASSWORD)
FIRST = Migration("20260101000000", "first", "create table a (id int);\n")
SECOND = Migration("20260201000000", "second", "create table b (id int);\n")
V2, V3 = Version(2, 115, 0), Version(3, 1, 0)
CALLS = {
    "diff": lambda cli: cli.diff(HERE, TARGET, ("public", "app")),
    "push": lambda cli: cli.push(TARGET, (FIRST,), seed=True, roles=True, include_all=True, lock_timeout="5s"),
    "mark_applied": lambda cli: cli.mark_applied(TARGET, (FIRST, SECOND)),
    "reset": lambda cli: cli.reset(TARGET, (FIRST,)),
}
