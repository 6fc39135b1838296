"""Projects on Supabase's platform: where their databases listen, and how they are reached without IPv6.

Addresses, ports and the pooler's modes: https://supabase.com/docs/guides/database/connecting-to-postgres
"""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

from ..endpoint import DEFAULT_PORT, Endpoint, parse_url
from ..errors import ConfigError
from ..settings.keys import DB_PASSWORD, DB_URL, PROJECT_ID
from ..settings.remote import RemoteSpec, ref_of

# Written by `supabase link`: the session pooler's URL, without a password.
POOLER_URL = "supabase/.temp/pooler-url"
PLACEHOLDER = ":[YOUR-PASSWORD]@"
TRANSACTION_PORT = 6543
ENCRYPTED = {"sslmode": "require"}


def by_ref(spec: RemoteSpec, root: Path) -> Endpoint:
    """Where the database of a project listens that is named by its ref.

    That is the direct connection; where this machine has no way to it (it has an IPv6 address only) and the project
    was linked, it is the session pooler that `supabase link` noted.

    Raises:
        ConfigError: there is no password.
    """
    if not spec.password:
        raise _no_password(spec)
    direct = Endpoint(f"db.{spec.ref}.supabase.co", DEFAULT_PORT, "postgres", "postgres", spec.password, ENCRYPTED)
    if has_route(direct):
        return direct
    pooler = saved_pooler(root, spec.ref)
    return pooler.with_password(spec.password) if pooler else direct


def has_route(endpoint: Endpoint) -> bool:
    """Whether this machine knows a way to one of the host's addresses; nothing is sent to it."""
    try:
        found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_DGRAM)
    except OSError:
        return False
    return any(_routed(family, address) for family, _, _, _, address in found)


def _routed(family: int, address: tuple[str | int, ...] | tuple[int, bytes]) -> bool:
    """Whether a datagram could be sent; to connect a socket of datagrams sends none."""
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect(address)
    except OSError:
        return False
    return True


def saved_pooler(root: Path, ref: str) -> Endpoint | None:
    """The session pooler of this very project as `supabase link` noted it; None without such a note."""
    path = root / POOLER_URL
    if not path.is_file():
        return None
    text = path.read_text(encoding="utf-8", errors="replace").strip().replace(PLACEHOLDER, "@")
    try:
        noted = parse_url(text, POOLER_URL)
    except ConfigError:
        return None
    if ref_of(noted) != ref:
        return None
    return replace(noted, port=DEFAULT_PORT, options=ENCRYPTED)


def by_url(endpoint: Endpoint, root: Path, source: str) -> Endpoint:
    """The place that a URL names, made fit for programs that run in other folders; to a hosted one only encrypted.

    Args:
        endpoint: As the URL says.
        root: The project's root; the path in `sslrootcert` is relative to it.
        source: Where the URL stands.

    Raises:
        ConfigError: it is a pooler in transaction mode, or the file of `sslrootcert` is not there.
    """
    _refuse_transaction_mode(endpoint, source)
    options = dict(ENCRYPTED if ref_of(endpoint) else {}) | dict(endpoint.options)
    if "sslrootcert" in options:
        options["sslrootcert"] = _certificate(root, options["sslrootcert"], source)
    return replace(endpoint, options=options)


def _refuse_transaction_mode(endpoint: Endpoint, source: str) -> None:
    """Supabase's poolers listen on port 6543 for it; the user of a shared one is `postgres.` and the project."""
    pooled = "." in endpoint.user or ref_of(endpoint)
    if endpoint.port == TRANSACTION_PORT and pooled:
        raise ConfigError(
            f"{DB_URL} ({source}) leads to the pooler in transaction mode (port {TRANSACTION_PORT}): the lock that "
            "keeps two runs apart, and settings such as lock_timeout, do not hold there.",
            f"Use the session mode, the shared pooler's URL with port {DEFAULT_PORT}, or the direct connection.",
        )


def _certificate(root: Path, name: str, source: str) -> str:
    path = root / Path(name).expanduser()
    if not path.is_file():
        raise ConfigError(
            f"sslrootcert in {DB_URL} ({source}) names no file: {path}.",
            "Name the file with the authority's certificate, from the project's root on; the Supabase CLI reads "
            "nothing else (`system` neither).",
        )
    return str(path)


def migrations_page(ref: str) -> str:
    """The dashboard's page with a project's applied migrations."""
    return f"https://supabase.com/dashboard/project/{ref}/database/migrations"


def _no_password(spec: RemoteSpec) -> ConfigError:
    linked = spec.kind == "linked"
    where = "in .env.local or in the process environment" if linked else f"beside {PROJECT_ID}, in the same place"
    return ConfigError(
        f"The project {spec.ref} ({spec.source}) is named without its database password. Without it there is no "
        "backup, no comparison with what the database holds, and no lock against a second run: nothing was started.",
        f"Set {DB_PASSWORD} {where}; the dashboard's database settings can set a new one.",
    )
