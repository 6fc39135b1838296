"""Migrations generated and tried on one server, where a whole project would take ten times as long.

The engine is the real CLI's and the databases are real; only what the CLI's push does is done here, file by file, each
in a transaction. Roles are the server's: all databases share them.
"""

from __future__ import annotations

import difflib
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg

from sbsync_tasks.console import Console
from sbsync_tasks.databases.catalog import MIGRATIONS, compare, in_line_ends_alone
from sbsync_tasks.databases.connection import disconnect
from sbsync_tasks.databases.database import Database
from sbsync_tasks.databases.embedded import Clusters, as_admin, superuser
from sbsync_tasks.databases.embedded.binaries import find_binaries, find_client_tools
from sbsync_tasks.databases.embedded.place import place_of
from sbsync_tasks.databases.embedded.privileged import is_privileged
from sbsync_tasks.endpoint import Endpoint
from sbsync_tasks.redaction import Redactor
from sbsync_tasks.run.generate import Generated, generate
from sbsync_tasks.run.session import Run
from sbsync_tasks.settings import resolve
from sbsync_tasks.state.migrations import Migration
from sbsync_tasks.supabase_cli import CliError
from tests.support.dumped import dump, normalised
from tests.support.values import Values, lost, values

BASE = "20250101000000"


class Lab:
    """One server for many pairs of databases; close it.

    Args:
        root: An empty folder.
        cli: The CLI whose engine is asked.
    """

    def __init__(self, root: Path, cli: Path) -> None:
        root = root.resolve()
        (root / "supabase" / "migrations").mkdir(parents=True)
        self.root = root
        self.tools = find_client_tools(17)
        self._clusters = Clusters(root, find_binaries(None))
        self.server = self._clusters.start("lab")
        self._folder = place_of(root) / "lab"
        self.use(cli)
        self._number = 0

    def use(self, cli: Path) -> None:
        """Ask another CLI's engine from now on."""
        self.settings = resolve(root=self.root, env="sandbox", process={"SBSYNC_SUPABASE_BIN": str(cli)})

    def close(self) -> None:
        """Stop the server and remove it."""
        self._clusters.remove_all()

    @contextmanager
    def pair(self, base: str, change: str, rows: str = "") -> Iterator[Pair]:
        """A database of the base with its rows, and a copy of it that was changed by hand."""
        self._number += 1
        pair = Pair(self, f"p{self._number}", base, rows)
        try:
            pair.target = pair.changed(change)
            yield pair
        finally:
            pair.drop()

    def copy(self, name: str, template: str) -> Endpoint:
        """Make a database that is a copy of another one, to which nobody is connected."""
        disconnect()
        with as_admin(self._folder, self.server.port) as admin:
            admin.execute(f'create database "{name}" template "{template}" owner postgres')  # type: ignore[arg-type]
        return self.endpoint(name)

    def drop(self, name: str) -> None:
        """Drop a database."""
        with as_admin(self._folder, self.server.port) as admin:
            admin.execute(f'drop database if exists "{name}" with (force)')  # type: ignore[arg-type]

    def endpoint(self, name: str) -> Endpoint:
        """How `postgres` reaches a database."""
        server = self.server
        return Endpoint(server.host, server.port, name, server.user, server.password, server.options)

    def privileged(self, sql: str) -> Any:
        """`postgres` as a superuser, where the platform lets it do what stands in the text."""
        asked = is_privileged(Migration(BASE, "asked", sql))
        return superuser(self._folder, self.server.port) if asked else nullcontext()

    def apply(self, endpoint: Endpoint, text: str) -> None:
        """Apply a file in one transaction, as the CLI's push does."""
        with self.privileged(text), psycopg.connect(**endpoint.conninfo(), autocommit=True) as connection:
            connection.execute(text.encode())

    def by_hand(self, endpoint: Endpoint, text: str) -> None:
        """Run statements one after the other, as a person does."""
        argv = [str(self.tools / "psql"), "-XqAt", "--set=ON_ERROR_STOP=1", f"--dbname={endpoint.url}"]
        with self.privileged(text):
            done = subprocess.run(
                argv, env={"PGPASSWORD": endpoint.password}, input=text.encode(), capture_output=True, check=False
            )
        assert done.returncode == 0, done.stderr.decode()


class Pair:
    """A base, what a person has made of it, and the migration that is generated from that."""

    def __init__(self, lab: Lab, name: str, base: str, rows: str) -> None:
        self.lab = lab
        self.name = name
        self.base = Migration(BASE, "base", base)
        self.names = [f"{name} empty", f"{name} rows"]
        self.empty = lab.copy(self.names[0], "postgres")
        lab.apply(self.empty, base)
        self.filled = lab.copy(self.names[1], self.names[0])
        lab.by_hand(self.filled, rows)
        self.target: Database | None = None
        self.scratches = 0

    def drop(self) -> None:
        for name in self.names:
            self.lab.drop(name)

    def another(self, template: str) -> Endpoint:
        self.names.append(f"{self.name} {len(self.names)}")
        return self.lab.copy(self.names[-1], template)

    def changed(self, change: str) -> Database:
        endpoint = self.another(self.names[1])
        self.lab.by_hand(endpoint, change)
        return Database("local", "embedded", endpoint, "local", "local", cluster=self.names[-1])

    def generated(self) -> Generated:
        """What is generated for the changed database."""
        console = Console(Redactor(), json_output=False, yes=True)
        run = OneServer(self.lab.settings, console)
        run.pair = self
        self.run = run
        assert self.target
        return generate(run, self.target, (self.base,), "change", (BASE,))

    def check(self, made: Generated, *, rows: bool = True) -> None:
        """Fail where the migration does not make the base what the changed database is, or loses values on the way.

        Args:
            made: The migration.
            rows: Whether the base has its rows.
        """
        assert self.target
        there = self.another(self.names[1] if rows else self.names[0])
        before = self.values(there)
        for migration in made.migrations:
            self.lab.apply(there, migration.sql)
        unequal = self.unequal(there)
        assert not unequal, unequal
        texts = [normalised(dump(self.lab.tools, e)) for e in (there, self.target.endpoint)]
        differing = "\n".join(difflib.unified_diff(*texts, "there", "changed", lineterm="", n=0))
        assert not differing, differing
        gone = [*lost(before, self.values(there), self.values(self.target.endpoint))]
        assert not gone, gone

    def unequal(self, there: Endpoint) -> tuple[object, ...]:
        """What the catalogs of the newest database, `there`, and of the changed one do not share."""
        assert self.target
        arrived = Database("shadow", "embedded", there, "there", "there", cluster=self.names[-1])
        left, right = self.run.catalog(arrived), self.run.catalog(self.target)
        return (*compare(left, right), *in_line_ends_alone(left, right))

    def is_enough(self, script: str) -> bool:
        """Whether a script alone makes the base, rows included, what the changed database is."""
        assert self.target
        there = self.another(self.names[1])
        try:
            self.lab.apply(there, script)
        except psycopg.Error:
            return False
        return not self.unequal(there) and self.values(there) == self.values(self.target.endpoint)

    def values(self, endpoint: Endpoint) -> Values:
        """What the tables of a database hold."""
        with psycopg.connect(**endpoint.conninfo()) as connection:
            return values(connection)


class OneServer(Run):
    """A run whose shadows are databases of the lab's server."""

    pair: Pair

    @cached_property
    def shadows(self) -> Any:
        return self

    def major(self, database: Database) -> int:
        return 17

    def shadow(self, migrations: Sequence[Migration], major: int, of: Database | None = None) -> Database:
        self.claims.add(m.sql for m in migrations)
        lab, pair = self.pair.lab, self.pair
        made = [m for m in sorted(migrations) if m != pair.base]
        endpoint, name = pair.empty, pair.names[0]
        if made:
            endpoint = pair.another(name)
            name = pair.names[-1]
            for migration in made:
                try:
                    lab.apply(endpoint, migration.sql)
                except psycopg.Error as error:
                    raise CliError(str(error), sqlstate=error.sqlstate or "") from error
        return Database("shadow", "embedded", endpoint, MIGRATIONS, "shadow", cluster=name)

    @contextmanager
    def scratch(self, migrations: Sequence[Migration], major: int, seeds: str = "") -> Iterator[Endpoint]:
        self.pair.scratches += 1
        yield self.pair.another(self.pair.names[0])
