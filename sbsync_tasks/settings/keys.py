"""The keys that can be set, and what a single value of each has to look like."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from ..endpoint import parse_url
from ..errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT_ID = "SUPABASE_PROJECT_ID"
DB_PASSWORD = "SUPABASE_DB_PASSWORD"  # noqa: S105 - the key's name
DB_URL = "SUPABASE_DB_URL"
LOCAL = "SBSYNC_LOCAL"
PROTECTED = "SBSYNC_PROTECTED"
EXPECT = "SBSYNC_EXPECT"
SCHEMAS = "SBSYNC_SCHEMAS"
BACKUP = "SBSYNC_BACKUP"
BACKUP_DIR = "SBSYNC_BACKUP_DIR"
BACKUP_KEEP = "SBSYNC_BACKUP_KEEP"
LOCK_TIMEOUT = "SBSYNC_LOCK_TIMEOUT"
SUPABASE_BIN = "SBSYNC_SUPABASE_BIN"
PG_BINDIR = "SBSYNC_PG_BINDIR"
WORKDIR = "SUPABASE_WORKDIR"  # names the project, so it cannot stand in the project's files; see root.py

# What together names one remote: it has to come from one layer.
IDENTITY = (DB_URL, PROJECT_ID, DB_PASSWORD)
# These choose what is read, so they cannot stand in what is read.
PROCESS_ONLY = ("SBSYNC_ENV", "SUPABASE_ENV", "SBSYNC_DEBUG")
_TEST_PREFIX = "SBSYNC_TEST_"


@dataclass(frozen=True)
class Key:
    """One setting.

    Attributes:
        name: As it is written in a dotenv file and in the process environment.
        default: What counts when nothing sets it. A key with a default may not be set to nothing.
        secret: Its value is never shown.
        url: Its value may be a URL with a password in it.
        in_invoke: It may stand in the Invoke config, which is committed and knows no environments.
    """

    name: str
    default: str = ""
    secret: bool = False
    url: bool = False
    in_invoke: bool = True

    @property
    def short(self) -> str:
        """Its name in the Invoke config: without the prefix, in small letters."""
        return self.name.split("_", 1)[1].lower()


KEYS = {
    key.name: key
    for key in (
        Key(DB_URL, url=True, in_invoke=False),
        Key(PROJECT_ID, in_invoke=False),
        Key(DB_PASSWORD, secret=True, in_invoke=False),
        Key(LOCAL, default="stack", url=True),
        Key(PROTECTED),
        Key(EXPECT),
        Key(SCHEMAS),
        Key(BACKUP, default="auto"),
        Key(BACKUP_DIR, default=".sbsync/backups"),
        Key(BACKUP_KEEP, default="10"),
        Key(LOCK_TIMEOUT, default="10s"),
        Key(SUPABASE_BIN),
        Key(PG_BINDIR),
    )
}
BY_SHORT_NAME = {key.short: key for key in KEYS.values()}

_WORDS = {"true": True, "yes": True, "on": True, "1": True} | {
    "false": False, "no": False, "off": False, "0": False,
}  # fmt: skip
_REF = re.compile(r"[a-z]{20}")
_SYSTEM_IDENTIFIER = re.compile(r"[0-9]{1,20}")
_COUNT = re.compile(r"[1-9][0-9]{0,5}")
_DURATION = re.compile(r"([0-9]{1,10})(ms|s|min|h|d)")
_MILLISECONDS = {"ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
_LONGEST = 2_147_483_647
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_PASSWORD_IN_URL = re.compile(r"[a-z]+://[^:/?#@]*:(.*)@[^@]*", re.DOTALL | re.IGNORECASE)
# The CLI's local stack uses it on every machine: hiding it would only garble what is printed.
_NO_SECRETS = ("", "postgres")


def check_name(name: str, source: str, *, in_file: bool) -> None:
    """Refuse a name that looks like one of ours but is none, and a process-only one in a file.

    Other names, `SUPABASE_*` ones included, belong to the application and pass.

    Raises:
        ConfigError: with the nearest key.
    """
    if in_file and name in PROCESS_ONLY:
        raise ConfigError(
            f"{name} may not stand in a file ({source}).",
            "It chooses which files are read: give --env, or set it in the process environment.",
        )
    known = name in KEYS or (not in_file and (name in PROCESS_ONLY or name.startswith(_TEST_PREFIX)))
    if not known and name.upper().startswith("SBSYNC_"):
        names = [*KEYS] if in_file else [*KEYS, *PROCESS_ONLY]
        raise unknown_key(name, source, names)


def unknown_key(name: str, source: str, names: list[str]) -> ConfigError:
    """The error for a name that is none of `names`."""
    by_small = {known.lower(): known for known in names}
    nearest = by_small[difflib.get_close_matches(name.lower(), by_small, n=1, cutoff=0.0)[0]]
    return ConfigError(f"Unknown setting {name} ({source}).", f"Did you mean {nearest}?")


def check_text(key: Key, text: str, source: str) -> None:
    """Refuse what no key may hold, and nothing where something is needed.

    Raises:
        ConfigError: a control character (a pasted line break, a quote left open), or an empty value
            of a key that has a default.
    """
    if _CONTROL.search(text):
        raise ConfigError(
            f"{key.name} ({source}) holds a line break or another control character.",
            "Look for a quotation mark that is not closed, or a line break that was pasted along.",
        )
    if key.default and not text:
        raise ConfigError(
            f"{key.name} is set to nothing ({source}).",
            f"Remove it there (the default is {key.default}) or give it a value.",
        )


def parse_bool(key: str, text: str, source: str) -> bool:
    """A yes or a no, in words of either case; any other word is a ConfigError."""
    word = _WORDS.get(text.lower())
    if word is None:
        raise ConfigError(f"{key} ({source}) is neither true nor false.", f"Use {_either(_WORDS)}.")
    return word


def parse_ref(key: str, text: str, source: str) -> str:
    """A project's ref: 20 small letters (the Supabase CLI accepts nothing else either)."""
    if not _REF.fullmatch(text):
        raise ConfigError(
            f"{key} ({source}) is no project ref: that is 20 letters from a to z.",
            "It stands in the dashboard's address, https://supabase.com/dashboard/project/REF.",
        )
    return text


def parse_expect(text: str, source: str) -> str:
    """Whom the remote has to be: a project's ref or a system identifier; empty for anyone."""
    if text and not (_REF.fullmatch(text) or _SYSTEM_IDENTIFIER.fullmatch(text)):
        raise ConfigError(
            f"{EXPECT} ({source}) is neither a project ref nor a system identifier.",
            "A ref is 20 letters from a to z; the identifier is the number that "
            "`select system_identifier from pg_control_system()` returns.",
        )
    return text


def parse_count(key: str, text: str, source: str) -> int:
    """A whole number above 0."""
    if not _COUNT.fullmatch(text):
        raise ConfigError(f"{key} ({source}) is no whole number above 0.", "Write one, such as 10.")
    return int(text)


def parse_duration(key: str, text: str, source: str) -> str:
    """A PostgreSQL duration with its unit, at most what an integer of milliseconds holds.

    A bare number would be milliseconds to PostgreSQL and seconds to most readers: only 0 passes.
    """
    match = _DURATION.fullmatch(text)
    if text != "0" and (not match or int(match[1]) * _MILLISECONDS[match[2]] > _LONGEST):
        raise ConfigError(
            f"{key} ({source}) is no duration.",
            "Write a whole number and its unit (ms, s, min, h, d), such as 10s; 0 waits for ever.",
        )
    return text


def parse_choice(key: str, text: str, source: str, choices: tuple[str, ...]) -> str:
    """One of some words; any other is a ConfigError."""
    if text not in choices:
        raise ConfigError(f"{key} ({source}) is not one of its values.", f"Use {_either(choices)}.")
    return text


def parse_names(text: str) -> tuple[str, ...]:
    """Names between commas, each once, in their order."""
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def _either(words: dict[str, bool] | tuple[str, ...]) -> str:
    return " or ".join(words)


def masked_text(name: str, text: str) -> str:
    """What may be shown of a value."""
    key = KEYS.get(name)
    if key is None and name not in PROCESS_ONLY:
        return "***" if text else ""
    if key and key.secret:
        return "***" if text else ""
    if key and key.url and "://" in text:
        return _masked_url(text)
    return text


def _masked_url(url: str) -> str:
    try:
        endpoint = parse_url(url, "")
    except ConfigError:
        return "***"
    if not endpoint.password:
        return endpoint.url
    scheme, rest = endpoint.url.split("://", 1)
    user, place = rest.split("@", 1)
    return f"{scheme}://{user}:***@{place}"


def secret_forms(name: str, text: str) -> Iterator[str]:
    """The secrets in a value, each also percent-encoded, as it stands in a URL.

    Args:
        name: The value's key.
        text: The value; a malformed URL is searched too.
    """
    key = KEYS[name]
    secret = text if key.secret else ""
    if key.url and (match := _PASSWORD_IN_URL.fullmatch(text)):
        secret = match[1]
    for form in (secret, *((unquote(secret),) if key.url else ())):
        if form not in _NO_SECRETS:
            yield from (form, quote(form, safe=""), quote(form))
