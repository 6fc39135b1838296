"""What the CLI's `db reset` by a URL leaves behind (measured with 2.122.1, 3.0.0 and 3.1.0), told before it is run.

It drops the user's schemas, extensions, publications and policies, and in `public` some kinds of objects. Roles are the
server's, and the rest of the database stays: a rebuild upon it would not be what the migrations say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from .. import sqltext
from ..databases.catalog import Difference, told
from ..errors import RefusedError
from ..platform import is_managed
from ..state import State
from ..state.migrations import Migration
from .diff import listed
from .run import Run

KEPT = ("default acl", "foreign data wrapper", "foreign server")
KEPT_IN_PUBLIC = (
    "collation", "conversion", "operator", "operator class", "operator family", "sequence", "text search configuration",
    "text search dictionary",
)  # fmt: skip
CALLED = re.compile(r"EXECUTE FUNCTION (\w+)\.")


def refuse(run: Run, state: State) -> None:
    """Stop a rebuild of a local database by URL that could not end in what the migrations say.

    Raises:
        RefusedError: the database has something that stays, and that no migration makes; or a role that one makes.
    """
    if run.local.kind != "url":
        return
    shadow = run.shadow(state.files, run.local_identity.major)
    kept = told(d for d in run.differences(shadow, run.local, ()) if stays(d))
    kept += [f"role {role}: this server has it, and {file} makes it" for role, file in _roles(run, state.files)]
    if kept:
        raise RefusedError(
            f"The CLI's reset of a database by its URL would leave this in {run.local.label}, which no migration "
            "makes, or which one would make again:\n" + listed(kept) + "\nNothing was changed.",
            "Drop it there yourself, or name a new database in SBSYNC_LOCAL; roles belong to the server, so let a "
            "migration make one only where it is missing.",
        )


def stays(this: Difference) -> bool:
    """Whether the local database (the second one) has this beyond the shadow, and would still have it."""
    kind, schema, about = this.object.kind, this.object.schema, this.object.about
    if this.right is None or (this.left is not None and kind not in ("acl", "default acl")):
        return False
    to_be_revoked = kind == "acl" and this.object.whose  # only what a migration claims is a difference there
    if to_be_revoked or not _words(this.right) - _words(this.left or ""):
        return False
    if kind == "trigger":
        called = CALLED.search(this.right)
        return bool(called and is_managed(called[1]))
    if is_managed(schema):
        return kind != "policy"
    if schema == "public":
        # A sequence that is about a table goes with it.
        return (kind in KEPT_IN_PUBLIC and not about) or (about == "schema public" and kind != "owner")
    return kind in KEPT


def _words(definition: str) -> set[str]:
    return set(re.split(r"\n|, ", definition)) - {""}


def _roles(run: Run, files: Iterable[Migration]) -> Iterator[tuple[str, str]]:
    """Roles that a file makes in every case, and that the server has."""
    made = {
        parsed.node.role: file.file_name
        for file in files
        for parsed in sqltext.parse(file.sql)
        if parsed.name == "create_role_stmt"
    }
    if made:
        with run.local.connection() as connection:
            rows = connection.execute("select rolname from pg_roles where rolname = any(%s)", (list(made),)).fetchall()
        yield from ((role, made[role]) for (role,) in rows)
