"""What a call to the CLI says: its answer, its warnings, its errors, and what its diff engine refuses, in sentences."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from ..errors import SbsyncError
from ..process import Completed
from ..state.migrations import Migration

# How the CLI marks a warning on stderr; one about seed files goes on over the next lines.
WARNING = re.compile(r"(?:WARN(?:ING)?|Warning)\b:?\s*(.+)|(no files matched pattern: .+)")

SEEDING = re.compile(r"^Seeding data from (.+)\.\.\.$", re.MULTILINE)
# What a push or a reset was at: a migration, `roles.sql`, or a seed file.
AT = re.compile(r"^(Applying migration|Seeding globals from|Seeding data from) (.+)\.\.\.$", re.MULTILINE)

REFUSED = "PgDeltaEngineError"  # the CLI's word for it; that of 2.115 has `Legacy` before it
_OWNER = re.compile(r'cannot set owner of (.+?) to role "(.+?)" — applier "(.+?)"')
_NEEDS = re.compile(
    r"missing requirement: .*(?:produces (.+?), which depends on|consumes) (.+?)(?:, which| — )", re.DOTALL
)
_PREFIX = "Database diff failed: "
_IN_NO_SCHEMA = ("extension", "role", "publication", "event trigger", "foreign server", "foreign data wrapper")

At = Callable[[str, int, int], None]
T = TypeVar("T")


class CliError(SbsyncError):
    """A call to the CLI failed.

    Attributes:
        code: The CLI's own word for it, such as `DbPushApplyError`; empty where it gave none.
        sqlstate: PostgreSQL's error code where one stands in the message, such as `55P04`.
        said: What it said, without our words around it.
        file: The file that it was at, such as `20260101000000_a.sql` or `supabase/seed.sql`; empty for none.
    """

    def __init__(
        self, message: str, hint: str = "", *, code: str = "", sqlstate: str = "", said: str = "", file: str = ""
    ) -> None:
        super().__init__(message, hint)
        self.code = code
        self.sqlstate = sqlstate
        self.said = said or message
        self.file = file


class EngineRefusedError(CliError):
    """The diff engine wrote nothing, for a cause that is told; databases and connections are well.

    Attributes:
        about: The object that it stumbled over, such as `schema app`; empty where it named none.
    """

    def __init__(self, cause: str, way_out: str, about: str) -> None:
        super().__init__(cause, way_out, code=REFUSED)
        self.about = about


def progress(at: At, expected: Sequence[Migration]) -> Callable[[str], None]:
    """Hears the lines of a call's messages, and tells `at` the file it is at, its number, and that of all of them."""
    numbers = {m.file_name: n for n, m in enumerate(expected, 1)}

    def hear(line: str) -> None:
        found = AT.match(line)
        if found and found[2] in numbers:
            at(found[2], numbers[found[2]], len(numbers))

    return hear


def unheard(*_: object) -> None:
    """For whoever does not want to hear warnings, or how far a call is."""


def warnings(done: Completed) -> tuple[str, ...]:
    """The warnings that a call printed, without the CLI's mark."""
    found = (WARNING.match(line) for line in done.stderr.splitlines())
    return tuple(match[1] or match[2] for match in found if match)


def seeded(done: Completed) -> tuple[str, ...]:
    """The seed files that a reset has run; its answer does not name them."""
    return tuple(SEEDING.findall(done.stderr))


def answer(done: Completed) -> dict[str, object]:
    """The JSON object that a call printed.

    Raises:
        CliError: the call failed, or its answer cannot be read: then nothing is known of what it did.
    """
    data = json_of(done.stdout)
    error = data.get("error") if data else None
    said = error if isinstance(error, dict) else {}
    if done.ok and not error and (data or {}).get("_tag") != "Error":
        if data is None:
            raise _unreadable(done, "no JSON object" if done.stdout.strip() else "nothing")
        return data
    message = str(said.get("message") or "") or _last_lines(done.stderr or done.stdout)
    raise CliError(
        f"`supabase {_command(done)}` failed: {message}",
        code=str(said.get("code") or ""), sqlstate=_sqlstate(message + done.stderr), said=message,
        file=next((name for _, name in reversed(AT.findall(done.stderr))), ""),
    )  # fmt: skip


def field(done: Completed, name: str, kind: type[T]) -> T:
    """One field of the answer of a call that always has it.

    Raises:
        CliError: as `answer`; or the field is not there, or is no `kind`.
    """
    found = answer(done).get(name)
    if not isinstance(found, kind):
        raise _unreadable(done, f"JSON without {name!r}")
    return found


def _unreadable(done: Completed, printed: str) -> CliError:
    return CliError(
        f"`supabase {_command(done)}` ended without an error, and its answer cannot be read: it printed {printed}.",
        "Nothing is concluded from it. Run again; if it comes again, use another version of the CLI, or update "
        "sbsync_tasks.",
    )


def _command(done: Completed) -> str:
    return " ".join(word for word in done.argv[1:3] if not word.startswith("-"))


def names(done: Completed, key: str) -> tuple[str, ...]:
    """A list of names in the answer, such as those of the seed files that were run."""
    return tuple(map(str, field(done, key, list)))


def json_of(text: str) -> dict[str, object] | None:
    """The JSON object on the last line of stdout; None where there is none.

    Its lines end at LF and nowhere else: U+2028, U+2029 and U+0085 stand in the CLI's JSON as they are.
    """
    try:
        data = json.loads(text.strip("\r\n \t").rpartition("\n")[2])
    except ValueError:
        return None
    return data if isinstance(data, dict) else None


def _last_lines(text: str, count: int = 8) -> str:
    return "\n".join(line for line in text.strip().splitlines()[-count:] if line.strip()) or "it said nothing"


def _sqlstate(text: str) -> str:
    match = re.search(r"SQLSTATE ([0-9A-Z]{5})", text)
    return match[1] if match else ""


def is_refusal(code: str, message: str) -> bool:
    """Whether the engine refuses to write something; a connection that failed has the same code."""
    return code.endswith(REFUSED) and message.startswith(_PREFIX)


def engine_refusal(message: str, schemas: Sequence[str]) -> tuple[str, str, str]:
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
            f"again. {_without(what, schemas)}",
            _spoken(what),
        )
    if needs := _NEEDS.search(message):
        return _left_out(needs[1], needs[2], schemas)
    return f"The CLI's diff engine could not write the difference: {message.removeprefix(_PREFIX)}", "", ""


def _without(what: str, schemas: Sequence[str]) -> str:
    """How to go on without an object of a schema, `schema:app` or `table:app.t`."""
    kind, _, name = what.partition(":")
    schema = name.partition(".")[0]
    if kind in _IN_NO_SCHEMA:
        return ""
    if schemas:
        return f"Without {schema} in SBSYNC_SCHEMAS all else goes on."
    return f"All else goes on with SBSYNC_SCHEMAS: the schemas to compare, such as public, without {schema}."


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
