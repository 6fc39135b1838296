"""A copy of what the migrations make and the changed database, asked the same."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..platform import MANAGED_SCHEMAS, SERVICE_ROLES

if TYPE_CHECKING:
    import psycopg

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Both:
    """The two of them.

    Attributes:
        scratch: A connection to the copy.
        target: A connection to the changed database.
        schemas: The only schemas to look at; empty for all of the user's.
    """

    scratch: psycopg.Connection[Any]
    target: psycopg.Connection[Any]
    schemas: Sequence[str] = ()
    _there: dict[str, Rows] = field(default_factory=dict, init=False, repr=False, compare=False)

    def read(self, query: str) -> tuple[Rows, Rows]:
        """All rows of a query, from the copy and from the changed database.

        Names come out qualified. `sbsync.managed` and `sbsync.service_roles` tell the query which schemas and roles
        are not the user's. Nothing is written, and settings are as before afterwards; an open transaction stays open.
        The changed database is asked each query once: only the copy is written to meanwhile.
        """
        if query not in self._there:
            self._there[query] = self._read(self.target, query)
        return self._read(self.scratch, query), self._there[query]

    def _read(self, connection: psycopg.Connection[Any], query: str) -> Rows:
        others = f"|^(?!({'|'.join(map(re.escape, self.schemas))})$)" if self.schemas else ""
        settings = (
            ("search_path", ""), ("sbsync.managed", MANAGED_SCHEMAS + others), ("sbsync.service_roles", SERVICE_ROLES),
        )  # fmt: skip
        with connection.transaction(force_rollback=True):
            for setting in settings:
                connection.execute("select set_config(%s, %s, true)", setting, prepare=False)
            return connection.execute(query.encode(), prepare=False).fetchall()
