"""The embedded database that is about to become the local one, built while the run goes on."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from ..state.migrations import Migration
from ..supabase_cli import SupabaseCli
from .pushed import push

if TYPE_CHECKING:
    from .embedded import Clusters

NAME = "local-next"


class NextLocal:
    """A copy of a shadow, filled with the seeds beside whatever else goes on; thrown away unless it is used.

    Args:
        clusters: The project's embedded servers.
        cli: Runs the seeds.
        shadow: The cluster that holds the migrations; it is stopped for the copy.
        migrations: These migrations.
    """

    def __init__(self, clusters: Clusters, cli: SupabaseCli, shadow: str, migrations: Sequence[Migration]) -> None:
        self.migrations = tuple(migrations)
        self._clusters = clusters
        self._cli = cli
        clusters.remove(NAME)  # a run that was cut off may have left one
        clusters.clone(shadow, NAME)
        self._unwanted = False
        self._thread = ThreadPoolExecutor(1)
        self._built = self._thread.submit(self._build)

    def _build(self) -> tuple[str, ...]:
        endpoint = self._clusters.start(NAME)
        if self._unwanted:
            return ()
        pushed = push(self._cli, endpoint, "the next local database", self.migrations, (), fresh=True, seed=True)
        self._clusters.stop(NAME)
        return pushed.seeds

    def replace(self, name: str) -> tuple[str, ...]:
        """Let it take the place of the cluster `name`, once it is complete.

        Returns:
            The seed files that were run.

        Raises:
            CliError: the seeds do not fit the migrations.
        """
        seeds = self._built.result()
        self._clusters.replace(name, by=NAME)
        return seeds

    def close(self) -> None:
        """Remove what has not been used, without waiting for seeds that may take long."""
        self._unwanted = True
        self._clusters.remove(NAME)  # its server is gone then, and the CLI's call ends
        self._thread.shutdown()
        self._clusters.remove(NAME)  # once more: it may just have been about to start
