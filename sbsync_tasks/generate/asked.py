"""A query on a database, whose names come out qualified."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..databases.catalog.model import MANAGED_SCHEMAS, SERVICE_ROLES

if TYPE_CHECKING:
    import psycopg


def asked(connection: psycopg.Connection[Any], query: str) -> list[tuple[Any, ...]]:
    """All rows of a query, in which `sbsync.managed` and `sbsync.service_roles` tell what is the platform's.

    Nothing is written, and settings are as before afterwards; an open transaction stays open.
    """
    with connection.transaction(force_rollback=True):
        for key, value in (
            ("search_path", ""), ("sbsync.managed", MANAGED_SCHEMAS), ("sbsync.service_roles", SERVICE_ROLES),
        ):  # fmt: skip
            connection.execute("select set_config(%s, %s, true)", (key, value), prepare=False)
        return connection.execute(query.encode(), prepare=False).fetchall()
