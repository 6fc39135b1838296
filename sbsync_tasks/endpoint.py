"""Where a PostgreSQL server listens and who connects: a URL taken apart, its password kept aside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from .errors import ConfigError

DEFAULT_PORT = 5432
LOOPBACK = ("localhost", "127.0.0.1", "::1")
# What a URL may carry besides; both the CLI and libpq know these.
KNOWN_OPTIONS = ("sslmode", "sslrootcert", "connect_timeout", "options", "application_name", "target_session_attrs")


@dataclass(frozen=True)
class Endpoint:
    """One database on one server, as one role.

    Attributes:
        host: A name or an address.
        port: TCP port.
        database: The database's name.
        user: The role that connects.
        password: Kept out of every repr, URL and argument list.
        options: Further connection options from the URL's query, such as `sslmode`.
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
        host = f"[{self.host}]" if ":" in self.host else self.host
        user, database = quote(self.user, safe=""), quote(self.database, safe="")
        query = f"?{urlencode(self.options, quote_via=quote)}" if self.options else ""
        return f"postgresql://{user}@{host}:{self.port}/{database}{query}"

    @property
    def label(self) -> str:
        """How it is shown on screen."""
        return f"{self.user}@{self.host}:{self.port}/{self.database}"

    @property
    def is_loopback(self) -> bool:
        """Whether the server is on this machine, as far as its name tells."""
        return self.host in LOOPBACK or self.host.startswith("127.")

    @property
    def passfile_line(self) -> str:
        """The line of a PGPASSFILE that holds this password; `:` and `\\` are escaped as libpq asks."""
        parts = (self.host, str(self.port), self.database, self.user, self.password)
        return ":".join(p.replace("\\", "\\\\").replace(":", "\\:") for p in parts)

    def conninfo(self) -> dict[str, str | int]:
        """Keyword arguments for `psycopg.connect`."""
        return {
            "host": self.host, "port": self.port, "dbname": self.database, "user": self.user,
            "password": self.password, **self.options,
        }  # fmt: skip

    def with_password(self, password: str) -> Endpoint:
        """The same endpoint with another password."""
        return replace(self, password=password)


def parse_url(url: str, source: str) -> Endpoint:
    """Take a Postgres URL apart.

    Args:
        url: `postgresql://user[:password]@host[:port]/database[?options]`, percent-encoded.
        source: Where the value stands, for the error.

    Raises:
        ConfigError: it is no such URL. The value is never part of the message.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or DEFAULT_PORT
    except ValueError:
        raise _malformed(source, "its port or host cannot be read") from None
    if parts.scheme not in ("postgresql", "postgres"):
        raise _malformed(source, "it does not start with postgresql://")
    if not parts.hostname or not parts.username:
        raise _malformed(source, "it names no host or no user")
    if parts.fragment or "/" in parts.path.lstrip("/") or "@" in parts.path:
        raise _malformed(source, "a character in it is not percent-encoded")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = sorted(set(options) - set(KNOWN_OPTIONS))
    if unknown:
        raise _malformed(source, f"it has an unknown option ({', '.join(unknown)})")
    return Endpoint(
        host=parts.hostname, port=port, database=unquote(parts.path.lstrip("/")) or "postgres",
        user=unquote(parts.username), password=unquote(parts.password or ""),
        options=MappingProxyType(options),
    )  # fmt: skip


def _malformed(source: str, why: str) -> ConfigError:
    return ConfigError(
        f"{source} is no Postgres URL: {why}.",
        "Write postgresql://USER@HOST:PORT/DATABASE and put the password, as it is, in SUPABASE_DB_PASSWORD; "
        "in a URL each special character has to be percent-encoded (@ is %40, # is %23).",
    )
