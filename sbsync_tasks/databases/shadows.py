"""Shadow databases: throw-away ones, each built from exactly the migrations it is asked for.

A shadow is filled by the CLI's own push, so that statements are split and wrapped in transactions as a push
does it. It is cached under the hash of all that it holds; a longer list of migrations starts from the longest
cached beginning of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from ..endpoint import Endpoint
from ..errors import ConfigError, MissingToolError, RefusedError, SbsyncError
from ..folders import locked, state_dir
from ..state.migrations import Migration
from ..supabase_cli import SupabaseCli
from .database import Install, install_nothing, push
from .failures import SHADOW

if TYPE_CHECKING:
    from .containers import Containers
    from .embedded import Clusters

    # What they are built on: servers by name, each a copy of one pristine base.
    Servers: TypeAlias = Clusters | Containers

PLATFORM_MAJORS = (15, 17)
NEXT_LOCAL = "local-next"
WAIT = 60.0  # seconds that a run waits for another one in the same project
SCRATCH = "scratch"
FILLED = 2  # how a shadow is filled: 2 since its history is read back; one filled otherwise is another
CACHED = 8  # shadows kept between runs; one of the example project takes about 30 MB


@contextmanager
def only_run(root: Path) -> Iterator[None]:
    """Keep other runs in this project waiting: two would build and drop each other's databases.

    Raises:
        RefusedError: another one does not end.
    """
    held = ExitStack()
    try:
        held.enter_context(locked(state_dir(root, "shadows") / ".lock", wait=WAIT))
    except SbsyncError:
        raise RefusedError(
            "Another run is under way in this project. Nothing was changed.",
            "Wait until it has ended (it may be asking its user something), then run again.",
        ) from None
    with held:
        yield


class Shadows:
    """The shadows of one run.

    Args:
        root: The project's root.
        cli: Fills the shadows.
        pg_bindir: `SBSYNC_PG_BINDIR`, where it is set.
        containers: Servers of the local stack's image, where the local database is the stack: for every database
            of its major version they have the extensions and the base that an embedded server lacks.
        install: Asks the user, and installs an embedded server of a major version that is missing.
    """

    def __init__(
        self,
        root: Path,
        cli: SupabaseCli,
        pg_bindir: str = "",
        containers: Containers | None = None,
        install: Install = install_nothing,
    ) -> None:
        self._root = root
        self._cli = cli
        self._pg_bindir = pg_bindir
        self._containers = containers
        self._install = install
        self._clusters: dict[int, Servers] = {}
        self._started: set[tuple[int, str]] = set()
        self._complete = state_dir(root, "shadows")  # a file for each that is: written last
        self._hold = ExitStack()
        self._hold.enter_context(only_run(root))

    def get(self, migrations: Sequence[Migration], major: int, seeds: str = "") -> Endpoint:
        """A running shadow that holds exactly these migrations, in their order.

        Args:
            migrations: Oldest first.
            major: PostgreSQL's major version of the database that it will be compared with.
            seeds: A hash of the seeds; where it is given, they are run as well.

        Raises:
            MissingToolError: no server of that major version is at hand.
            CliError: a migration could not be applied.
        """
        clusters, name = self.clusters(major), self.name(migrations, major, seeds)
        self._started.add((major, name))  # first: one that cannot be filled has been started, too
        if not ((self._complete / name).exists() and clusters.exists(name)):
            if seeds:
                self.get(migrations, major)
            self._build(clusters, name, migrations, major, seed=bool(seeds))
            if seeds:
                self.get(migrations, major)  # copying it has stopped it
        (self._complete / name).touch()
        return clusters.start(name)

    @contextmanager
    def scratch(self, migrations: Sequence[Migration], major: int, seeds: str = "") -> Iterator[Endpoint]:
        """A copy of the shadow that holds these migrations, to try statements on; removed at the end of the block."""
        self.get(migrations, major, seeds)
        clusters = self.clusters(major)
        clusters.remove(SCRATCH)  # of a run that was cut off
        clusters.clone(self.name(migrations, major, seeds), SCRATCH)
        try:
            yield clusters.start(SCRATCH)
        finally:
            clusters.remove(SCRATCH)

    def name(self, migrations: Sequence[Migration], major: int, seeds: str = "") -> str:
        """The cluster's name of the shadow that holds these migrations."""
        name = self._names(self.clusters(major), migrations)[-1]
        return f"shadow-{hashlib.sha256(f'{name}{seeds}'.encode()).hexdigest()[:16]}" if seeds else name

    def clusters(self, major: int) -> Servers:
        """The servers of one major version."""
        if major not in self._clusters:
            stack = self._containers
            self._clusters[major] = stack if stack is not None and stack.major == major else self._embedded(major)
        return self._clusters[major]

    def _embedded(self, major: int) -> Servers:
        from .embedded import Clusters
        from .embedded.base import asked_for
        from .embedded.binaries import find_or_install

        if major not in PLATFORM_MAJORS:
            raise ConfigError(
                f"The database runs PostgreSQL {major}; Supabase runs "
                f"{' and '.join(map(str, PLATFORM_MAJORS))}, and nothing else is compared.",
                "Upgrade the database, or name another one.",
            )
        try:
            binaries = find_or_install(major, self._pg_bindir, self._install, asked_for(self._root))
            return Clusters(self._root, binaries, durable=False)
        except MissingToolError as error:
            raise MissingToolError(
                f"A shadow database needs PostgreSQL {major}, as the database it is compared with: {error.message}",
                error.hint,
            ) from None

    def close(self) -> None:
        """Stop the shadows of this run, drop the oldest cached ones, and let the next run go on."""
        with self._hold:
            for major, name in sorted(self._started):
                self._clusters[major].stop(name)
            self._started.clear()
            markers = sorted(self._complete.glob("shadow-*"), key=lambda p: p.stat().st_mtime)
            for marker in markers[:-CACHED]:
                if holder := next((c for c in self._clusters.values() if c.exists(marker.name)), None):
                    holder.remove(marker.name)
                    marker.unlink()

    def _build(self, clusters: Servers, name: str, migrations: Sequence[Migration], major: int, *, seed: bool) -> None:
        if clusters.exists(name):  # half-made: its marker is written last
            clusters.remove(name)
        start, had = self._longest_cached(clusters, migrations, whole=seed)
        if start:
            clusters.clone(start, name)
        endpoint = clusters.start(name)
        roles = not start and (self._root / "supabase" / "roles.sql").is_file()
        try:
            if migrations or roles or seed:
                push(
                    self._cli, endpoint, SHADOW, migrations, migrations[had:], fresh=True, roles=roles, seed=seed,
                    throw_away=True,
                )  # fmt: skip
        except SbsyncError:
            clusters.remove(name)
            raise
        (self._complete / name).write_text(f"{major}\n", encoding="utf-8")

    def _longest_cached(self, clusters: Servers, migrations: Sequence[Migration], *, whole: bool) -> tuple[str, int]:
        """The cached shadow that holds the most of these migrations, with `whole` all, and how many it holds."""
        for length, name in reversed([*enumerate(self._names(clusters, migrations if whole else migrations[:-1]))]):
            if (self._complete / name).exists() and clusters.exists(name):
                return name, length
        return "", 0

    def _names(self, clusters: Servers, migrations: Sequence[Migration]) -> list[str]:
        """What the shadows of none of these migrations, of the first, of the first two, … are called."""
        digest = hashlib.sha256(f"{FILLED}\0{clusters.base_id}".encode())
        roles = self._root / "supabase" / "roles.sql"
        digest.update(roles.read_bytes() if roles.is_file() else b"")
        digests = [digest.hexdigest()]
        for migration in migrations:
            digest.update(f"\0{migration.file_name}\0{migration.sql}".encode())
            digests.append(digest.hexdigest())
        return [f"shadow-{found[:16]}" for found in digests]


class NextLocal:
    """A copy of a shadow, filled with the seeds beside whatever else goes on; thrown away unless it is used.

    The shadow, a cluster that holds these migrations, is stopped for the copy.
    """

    def __init__(self, clusters: Clusters, cli: SupabaseCli, shadow: str, migrations: Sequence[Migration]) -> None:
        self.migrations = tuple(migrations)
        self._clusters = clusters
        self._cli = cli
        clusters.remove(NEXT_LOCAL)  # a run that was cut off may have left one
        clusters.clone(shadow, NEXT_LOCAL)
        self._unwanted = False
        self._thread = ThreadPoolExecutor(1)
        self._built = self._thread.submit(self._build)

    def _build(self) -> tuple[str, ...]:
        endpoint = self._clusters.start(NEXT_LOCAL)
        if self._unwanted:
            return ()
        pushed = push(self._cli, endpoint, "the next local database", self.migrations, (), fresh=True, seed=True)
        self._clusters.stop(NEXT_LOCAL)
        return pushed.seeds

    def replace(self, name: str) -> tuple[str, ...]:
        """Let it take the place of the cluster `name`, once it is complete.

        Returns:
            The seed files that were run.

        Raises:
            CliError: the seeds do not fit the migrations.
        """
        seeds = self._built.result()
        self._clusters.replace(name, by=NEXT_LOCAL)
        return seeds

    def close(self) -> None:
        """Remove what has not been used, without waiting for seeds that may take long."""
        self._unwanted = True
        self._clusters.remove(NEXT_LOCAL)  # its server is gone then, and the CLI's call ends
        self._thread.shutdown()
        self._clusters.remove(NEXT_LOCAL)  # once more: it may just have been about to start
