"""The keys that can be set, and a value of one: where it stands, what it has to look like, what is shown of it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from urllib.parse import unquote

from ..endpoint import parse_url
from ..errors import ConfigError
from ..redaction import MASK, NOT_SECRET

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
ENV = "SBSYNC_ENV"
WORKDIR = "SUPABASE_WORKDIR"  # names the project, so it cannot stand in the project's files; see project.py

# What together names one remote: it has to come from one layer.
IDENTITY = (DB_URL, PROJECT_ID, DB_PASSWORD)
# These choose what is read, so they cannot stand in what is read.
PROCESS_ONLY = (ENV, "SUPABASE_ENV", "SBSYNC_DEBUG")
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


class Layer(Enum):
    """The layers, of which one has to name the whole of a remote."""

    PROCESS = "the process environment"
    ENV_FILE = "--env-file"
    NAMED = "the environment's own files"
    UNNAMED = ".env and .env.local"
    INVOKE = "the Invoke config"
    BUILT_IN = "this tool"


@dataclass(frozen=True)
class Value:
    """A value in the place that sets it.

    Attributes:
        key: Such as `SBSYNC_LOCAL`; in a dotenv file any name, as another value may refer to it.
        text: The value; as it is written until its references are put in (`Layers.value`).
        source: The place, such as `process environment`, `.env.staging:3` or `default`.
        layer: The layer that the place belongs to.
        literal: `${NAME}` in it is taken as it is.
        own: The place is a file of the chosen environment itself.
    """

    key: str
    text: str
    source: str
    layer: Layer = Layer.BUILT_IN
    literal: bool = True
    own: bool = False

    def __str__(self) -> str:
        return f"{self.key} ({self.source})"

    def __repr__(self) -> str:
        return f"Value(key={self.key!r}, text={masked(self)!r}, source={self.source!r})"


# --- names ---


def check_name(name: str, source: str, *, in_file: bool) -> None:
    """Refuse a name that looks like one of ours but is none, and a process-only one in a file.

    Other names, `SUPABASE_*` ones included, belong to the application and pass.

    Raises:
        ConfigError: with the nearest key.
    """
    if in_file and name in PROCESS_ONLY:
        raise ConfigError(
            f"{name} may not stand in a file ({source}).",
            "It chooses which files are read: take it out. A task with --env chooses as well, and so does the process "
            "environment.",
        )
    known = name in KEYS or (not in_file and (name in PROCESS_ONLY or name.startswith(_TEST_PREFIX)))
    if not known and name.upper().startswith("SBSYNC_"):
        raise unknown_key(name, source, KEYS if in_file else [*KEYS, *PROCESS_ONLY])


def unknown_key(name: str, source: str, names: Iterable[str]) -> ConfigError:
    """The error for a name that is none of `names`."""
    by_small = {known.lower(): known for known in names}
    nearest = by_small[difflib.get_close_matches(name.lower(), by_small, n=1, cutoff=0.0)[0]]
    return ConfigError(f"Unknown setting {name} ({source}).", f"Did you mean {nearest}?")


# --- what a value has to look like; each raises a ConfigError that names the value's place and not its text ---

_WORDS = {"true": True, "yes": True, "on": True, "1": True} | {
    "false": False, "no": False, "off": False, "0": False,
}  # fmt: skip
_REF = re.compile(r"[a-z]{20}")
_MILLISECONDS = {"ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
_LONGEST = 2_147_483_647


def checked(value: Value) -> Value:
    """Refuse what no key may hold (a pasted line break, a quote left open), and nothing where something is needed."""
    default = KEYS[value.key].default
    if re.search(r"[\x00-\x1f\x7f]", value.text):
        raise ConfigError(
            f"{value} holds a line break or another control character.",
            "Look for a quotation mark that is not closed, or a line break that was pasted along.",
        )
    if default and not value.text:
        raise ConfigError(
            f"{value.key} is set to nothing ({value.source}).",
            f"Remove it there (the default is {default}) or give it a value.",
        )
    return value


def boolean(value: Value) -> bool:
    """A yes or a no, in words of either case."""
    word = _WORDS.get(value.text.lower())
    if word is None:
        raise ConfigError(f"{value} is neither true nor false.", f"Use {' or '.join(_WORDS)}.")
    return word


def project_ref(value: Value) -> str:
    """A project's ref: 20 small letters (the Supabase CLI accepts nothing else either)."""
    if not _REF.fullmatch(value.text):
        raise ConfigError(
            f"{value} is no project ref: that is 20 letters from a to z.",
            "It stands in the dashboard's address, https://supabase.com/dashboard/project/REF.",
        )
    return value.text


def expectation(value: Value) -> str:
    """Whom the remote has to be: a project's ref or a system identifier; empty for anyone."""
    if value.text and not (_REF.fullmatch(value.text) or re.fullmatch(r"[0-9]{1,20}", value.text)):
        raise ConfigError(
            f"{value} is neither a project ref nor a system identifier.",
            "A ref is 20 letters from a to z; the identifier is the number that "
            "`select system_identifier from pg_control_system()` returns.",
        )
    return value.text


def count(value: Value) -> int:
    """A whole number above 0."""
    if not re.fullmatch(r"[1-9][0-9]{0,5}", value.text):
        raise ConfigError(f"{value} is no whole number above 0.", "Write one, such as 10.")
    return int(value.text)


def duration(value: Value) -> str:
    """A PostgreSQL duration with its unit, at most what an integer of milliseconds holds.

    A bare number would be milliseconds to PostgreSQL and seconds to most readers: only 0 passes.
    """
    match = re.fullmatch(r"([0-9]{1,10})(ms|s|min|h|d)", value.text)
    if value.text != "0" and (not match or int(match[1]) * _MILLISECONDS[match[2]] > _LONGEST):
        raise ConfigError(
            f"{value} is no duration.",
            "Write a whole number and its unit (ms, s, min, h, d), such as 10s; 0 waits for ever.",
        )
    return value.text


def one_of(value: Value, choices: tuple[str, ...]) -> str:
    """One of some words."""
    if value.text not in choices:
        raise ConfigError(f"{value} is not one of its values.", f"Use {' or '.join(choices)}.")
    return value.text


def names(value: Value) -> tuple[str, ...]:
    """Names between commas, each once, in their order."""
    return tuple(dict.fromkeys(name.strip() for name in value.text.split(",") if name.strip()))


# --- what may be shown of a value ---

_PASSWORD_IN_URL = re.compile(r"[a-z]+://[^:/?#@]*:(.*)@[^@]*", re.DOTALL | re.IGNORECASE)


def masked(value: Value) -> str:
    """What may be shown of a value: no password, no token, and nothing of a key that is not ours."""
    key = KEYS.get(value.key)
    if key and key.url and "://" in value.text:
        return _masked_url(value.text)
    shown = not key.secret if key else value.key in (*PROCESS_ONLY, WORKDIR)
    return value.text if shown or not value.text else MASK


def _masked_url(url: str) -> str:
    try:
        endpoint = parse_url(url, "")
    except ConfigError:
        return MASK
    return endpoint.url.replace("@", f":{MASK}@", 1) if endpoint.password else endpoint.url


def secrets(value: Value) -> Iterator[str]:
    """The secrets in a value of one of our keys; that of a URL also decoded. A malformed URL is searched too."""
    key = KEYS[value.key]
    found = value.text if key.secret else ""
    if key.url and (match := _PASSWORD_IN_URL.fullmatch(value.text)):
        found = match[1]
    yield from {found, unquote(found) if key.url else found} - NOT_SECRET
