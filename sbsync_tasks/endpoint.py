"""Where a PostgreSQL server listens and who connects: a URL, its password kept aside."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit

from .errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_PORT = 5432
# What a URL may carry besides; both the CLI and libpq know these.
KNOWN_OPTIONS = (
    "sslmode",
    "sslrootcert",
    "connect_timeout",
    "options",
    "application_name",
    "target_session_attrs",
)
# No commas (libpq reads several hosts), no slashes (a socket's folder): one server, over TCP.
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*)|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")
_NOT_IN_A_URL = re.compile(r"[\x00-\x20\x7f]")
# A control character would end a line of a PGPASSFILE, or a C string.
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})|%[01][0-9A-Fa-f]|%7[Ff]")


@dataclass(frozen=True)
class Endpoint:
    """One database on one server, as one role.

    The host is a name or an address, the password is kept out of every repr, URL and argument list, and the options are
    those of the URL's query, such as `sslmode`.
    """

    host: str
    port: int
    database: str
    user: str
    password: str = field(default="", repr=False)
    options: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def url(self) -> str:
        """The URL without its password: it may stand in an argument list."""
        user, database = quote(self.user, safe=""), quote(self.database, safe="")
        query = f"?{urlencode(self.options, quote_via=quote)}" if self.options else ""
        return f"postgresql://{user}@{self._host}:{self.port}/{database}{query}"

    @property
    def label(self) -> str:
        """How it is shown on screen."""
        return f"{self.user}@{self._host}:{self.port}/{self.database}"

    @property
    def _host(self) -> str:
        """As it stands in a URL: an IPv6 address in brackets."""
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def is_loopback(self) -> bool:
        """Whether the server is on this machine, as far as its name tells.

        Only `localhost` and addresses count: a name such as `127.example.com` may be anywhere.
        """
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def passfile_line(self) -> str:
        r"""The line of a PGPASSFILE with this password; libpq wants `:` and `\` escaped."""
        parts = (self.host, str(self.port), self.database, self.user, self.password)
        return ":".join(p.replace("\\", "\\\\").replace(":", "\\:") for p in parts)

    def conninfo(self) -> dict[str, str | int]:
        """Keyword arguments for `psycopg.connect`."""
        return {
            "host": self.host, "port": self.port, "dbname": self.database, "user": self.user,
            "password": self.password, **self.options,
        }  # fmt: skip


def parse_url(url: str, source: str) -> Endpoint:
    """Take a Postgres URL apart.

    Args:
        url: `postgresql://user[:password]@host[:port]/database[?options]`, percent-encoded.
        source: Where the value stands, for the error.

    Raises:
        ConfigError: it is no such URL. The value is never part of the message.
    """
    parts, port = _split(url, source)
    if parts.scheme not in ("postgresql", "postgres"):
        raise _malformed(source, "it does not start with postgresql://")
    if not parts.hostname or not parts.username:
        raise _malformed(source, "it names no host or no user")
    if parts.fragment or "/" in parts.path[1:] or "@" in parts.path:
        raise _malformed(source, "a character in it is not percent-encoded")
    if not _HOST.fullmatch(parts.hostname):
        raise _malformed(source, "its host is neither one name nor one address")
    return Endpoint(
        host=parts.hostname,
        port=port,
        database=_decoded(parts.path[1:], source) or "postgres",
        user=_decoded(parts.username, source),
        password=_decoded(parts.password or "", source),
        options=_options(parts.query, source),
    )


def _split(url: str, source: str) -> tuple[SplitResult, int]:
    """The URL's parts and its port."""
    # urlsplit would silently leave out line breaks and tabs.
    if _NOT_IN_A_URL.search(url):
        raise _malformed(source, "it holds a space or a control character")
    try:
        parts = urlsplit(url)
        port = DEFAULT_PORT if parts.port is None else parts.port
    except ValueError:
        raise _malformed(source, "its port or host cannot be read") from None
    if port == 0:
        raise _malformed(source, "its port is 0")
    return parts, port


def _decoded(text: str, source: str) -> str:
    if _BAD_PERCENT.search(text):
        raise _malformed(source, "a % in it starts no character that may stand there")
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise _malformed(source, "what is percent-encoded in it is not UTF-8") from None


def _options(query: str, source: str) -> Mapping[str, str]:
    """What stands after the `?`; `host`, `user`, `password` and the like are not taken there."""
    _decoded(query, source)
    pairs = parse_qsl(query, keep_blank_values=True)
    names = [name for name, _ in pairs]
    # The names are not shown: after a stray `?` they may be the rest of a password.
    if set(names) - set(KNOWN_OPTIONS):
        raise _malformed(source, f"after ? it has something else than {', '.join(KNOWN_OPTIONS)}")
    if len(set(names)) < len(names):
        raise _malformed(source, "it has the same option twice")
    return MappingProxyType(dict(pairs))


def _malformed(source: str, why: str) -> ConfigError:
    return ConfigError(
        f"{source} is no Postgres URL: {why}.",
        "Write postgresql://USER@HOST:PORT/DATABASE and put the password, as it is, in "
        "SUPABASE_DB_PASSWORD; in a URL each special character has to be percent-encoded "
        "(@ is %40, # is %23).",
    )
