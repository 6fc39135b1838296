"""What shadow databases are built on: servers by name, each a copy of one pristine base."""

from __future__ import annotations

from typing import Protocol

from ..endpoint import Endpoint


class Provider(Protocol):
    """Servers of one project and one major version: embedded ones, or containers of the local stack's image."""

    @property
    def base_id(self) -> str:
        """A hash of everything that determines the base."""

    def start(self, name: str) -> Endpoint:
        """Have the server running, made from the base when absent; its database, as `postgres`."""

    def stop(self, name: str) -> None:
        """Stop it; its data stays. Nothing to do when it is down or absent."""

    def remove(self, name: str) -> None:
        """Stop it and delete its data; nothing to do when it is absent."""

    def exists(self, name: str) -> bool:
        """Whether there is a complete one of that name."""

    def clone(self, source: str, target: str) -> None:
        """Copy one, roles and all. The source is stopped for it, and stays stopped."""
