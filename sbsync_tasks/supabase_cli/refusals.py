"""What the CLI's diff engine refuses to write, in sentences: the cause, and the way out."""

from __future__ import annotations

import re
from collections.abc import Sequence

REFUSED = "PgDeltaEngineError"  # the CLI's word for it; that of 2.115 has `Legacy` before it
_OWNER = re.compile(r'cannot set owner of (.+?) to role "(.+?)" — applier "(.+?)"')
_NEEDS = re.compile(
    r"missing requirement: .*(?:produces (.+?), which depends on|consumes) (.+?)(?:, which| — )", re.DOTALL
)
_PREFIX = "Database diff failed: "
_IN_NO_SCHEMA = ("extension", "role", "publication", "event trigger", "foreign server", "foreign data wrapper")


def is_refusal(code: str, message: str) -> bool:
    """Whether the engine refuses to write something; a connection that failed has the same code."""
    return code.endswith(REFUSED) and message.startswith(_PREFIX)


def explained(message: str, schemas: Sequence[str]) -> tuple[str, str, str]:
    """The cause behind the engine's words, the way out, and the object that they are about.

    Args:
        message: The engine's words.
        schemas: The only schemas that it was told to look at (`SBSYNC_SCHEMAS`); empty for all of the user's.
    """
    if owner := _OWNER.search(message):
        what, role, user = owner.groups()
        return (
            f"The {_spoken(what)} belongs to the role {role}, and {user} is no member of that role: a migration cannot "
            "give it this owner.",
            f'Run `grant "{role}" to "{user}";` on the database that has it, or give it another owner there, and run '
            "again.",
            _spoken(what),
        )
    if needs := _NEEDS.search(message):
        return _left_out(needs[1], needs[2], schemas)
    return f"The CLI's diff engine could not write the difference: {message.removeprefix(_PREFIX)}", "", ""


def _left_out(what: str | None, needed: str, schemas: Sequence[str]) -> tuple[str, str, str]:
    about = _spoken(what) if what else ""
    thing = f"The {about}" if about else "A new object"
    kind, _, name = needed.partition(":")
    schema = "" if kind in _IN_NO_SCHEMA else name.partition(".")[0]
    if not schemas:
        return (
            f"{thing} needs the {_spoken(needed)}, which the CLI's diff engine leaves out.",
            f"Write a migration by hand that makes the {_spoken(needed)} (`invoke new`), and run again.",
            about,
        )
    where = f"the schema {schema}" if schema else "what stands in no schema"
    return (
        f"{thing} needs the {_spoken(needed)}, and SBSYNC_SCHEMAS ({', '.join(schemas)}) leaves out {where}.",
        f"Add {schema} to SBSYNC_SCHEMAS, and run again." if schema else "Unset SBSYNC_SCHEMAS, and run again.",
        about,
    )


def _spoken(named: str) -> str:
    """`column:public.t.a`, as the engine writes it, in words."""
    kind, _, name = named.partition(":")
    return f"{kind} {name}" if name else named
