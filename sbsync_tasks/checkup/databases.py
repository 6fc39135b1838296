"""The two databases: who answers, as whom, how safely, and are they a pair that can be kept in step."""

from __future__ import annotations

from ..databases.open import clusters_of, local_cluster
from ..errors import ConfigError, SbsyncError
from ..settings import Settings
from .subject import Check, Server, Subject, attempt, remote_cluster


def remote(subject: Subject) -> list[Check]:
    """The remote that the settings name."""
    settings = subject.run.settings
    if settings.remote is None:
        missing = attempt(settings.required_remote)
        return [Check("warning", missing.message, missing.hint)] if isinstance(missing, SbsyncError) else []
    server = subject.remote
    if server is None:
        return [_asleep(settings, remote_cluster(settings))]
    if isinstance(server, SbsyncError):
        return [Check("error", server.message, server.hint)]
    return [*_answers(server), *_encryption(server), *_expectation(subject)]


def local(subject: Subject) -> list[Check]:
    """The local database."""
    settings = subject.run.settings
    server = subject.local
    if server is None:
        return [_asleep(settings, local_cluster(settings))]
    if isinstance(server, SbsyncError):
        return [Check("error", server.message, server.hint)]
    return _answers(server)


def pair(subject: Subject) -> list[Check]:
    """That local and remote are two databases, of one major version."""
    one, two = subject.local, subject.remote
    if not (isinstance(one, Server) and isinstance(two, Server)):
        return []
    if one.identity.same_database(two.identity):
        return [
            Check(
                "error", f"Local and remote are the same database (system {one.identity.system}, database "
                f"{one.identity.database}).",
                "Check SBSYNC_LOCAL and the remote of this environment.",
            )
        ]  # fmt: skip
    majors = f"PostgreSQL {one.identity.major} locally, {two.identity.major} on the remote"
    if one.identity.major != two.identity.major:
        return [
            Check(
                "warning", f"{majors}: a migration may work on one and fail on the other.",
                "Let the local database be of the remote's major version.",
            )
        ]  # fmt: skip
    return [Check("ok", f"Two databases; {majors}.")]


def _asleep(settings: Settings, cluster: str) -> Check:
    """An embedded database that is not running: there is nothing wrong with that."""
    state = "is not running" if clusters_of(settings).exists(cluster) else "has not been made yet"
    return Check("ok", f"The embedded database {cluster} {state}; a task that needs it sees to that.")


def _answers(server: Server) -> list[Check]:
    identity = server.identity
    found = Check(
        "ok", f"{server.database.label}: PostgreSQL {identity.version}, system identifier {identity.system}, "
        f"as {server.user}.",
    )  # fmt: skip
    if server.is_postgres:
        return [found]
    return [
        found,
        Check(
            "warning", f"{server.user} is neither postgres nor a member of it: what migrations make would belong to "
            "another role than on the platform.",
            "Connect as postgres, or grant that role.",
        ),
    ]  # fmt: skip


def _encryption(server: Server) -> list[Check]:
    endpoint = server.database.endpoint
    if endpoint.is_loopback:
        return []
    if server.encrypted:
        return [Check("ok", f"The connection is encrypted (sslmode={endpoint.options.get('sslmode', 'prefer')}).")]
    return [
        Check(
            "warning", f"The connection to {endpoint.host} is not encrypted.",
            "Add ?sslmode=require to the URL, and switch TLS on at the server.",
        )
    ]  # fmt: skip


def _expectation(subject: Subject) -> list[Check]:
    expected = subject.run.settings.expect
    if not expected:
        return []
    identity = attempt(lambda: subject.run.remote_identity)
    if isinstance(identity, ConfigError):
        return [Check("error", identity.message, "Correct SBSYNC_EXPECT, or what names the remote.")]
    if isinstance(identity, SbsyncError):
        return [Check("error", identity.message, identity.hint)]
    return [Check("ok", f"It is {expected}, as SBSYNC_EXPECT says.")]
