"""A scratch project as a user has it: the example's files, a git repository, two databases; run from outside."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from sbsync_tasks.databases.catalog import Catalog, read_catalog
from sbsync_tasks.databases.embedded import Clusters
from sbsync_tasks.databases.embedded.binaries import find_binaries, find_client_tools
from sbsync_tasks.databases.embedded.place import make_place, place_of
from sbsync_tasks.endpoint import Endpoint
from sbsync_tasks.folders import copy_tree, spread
from sbsync_tasks.state.migrations import FILE_PATTERN
from sbsync_tasks.supabase_cli.binary import QUICK
from tests.support.hints import misled

REPOSITORY = Path(__file__).parents[2]
TASKS = "from sbsync_tasks import ns\n"
IDENTITY = (("user.name", "Test"), ("user.email", "test@example.org"), ("commit.gpgsign", "false"))
NAMES = {"local": "sandbox-local", "remote": "sandbox-remote"}


@dataclass(frozen=True)
class Done:
    """A task that has ended: exit code and both outputs."""

    code: int
    stdout: str
    stderr: str

    @property
    def text(self) -> str:
        """Both outputs."""
        return self.stdout + self.stderr

    @property
    def data(self) -> Any:
        """stdout as the one JSON document that `--json` promises."""
        return json.loads(self.stdout)


class Data:
    """Direct access to one database, as `postgres`."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection[Any]]:
        """An open connection in autocommit mode."""
        with psycopg.connect(**self.endpoint.conninfo(), autocommit=True) as connection:
            yield connection

    def run(self, *statements: str) -> None:
        """Run SQL, each text on its own."""
        with self.connection() as connection:
            for statement in statements:
                connection.execute(statement)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with self.connection() as connection:
            return connection.execute(query).fetchall()

    def value(self, query: str) -> Any:
        """The first column of the first row."""
        return self.rows(query)[0][0]

    def has(self, relation: str) -> bool:
        """Whether there is a table, view or index of that name."""
        return bool(self.value(f"select to_regclass('{relation}') is not null"))

    def history(self) -> dict[str, dict[str, Any]]:
        """The rows of `schema_migrations`, by version."""
        if not self.has("supabase_migrations.schema_migrations"):
            return {}
        with self.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
            rows = cursor.execute("select * from supabase_migrations.schema_migrations order by version").fetchall()
        return {row["version"]: row for row in rows}

    def forget(self, version: str) -> None:
        """Take one version out of the history, as a run does that was cut off before recording it."""
        self.run(f"delete from supabase_migrations.schema_migrations where version = '{version}'")

    def catalog(self) -> Catalog:
        """The fingerprint of the schema."""
        with self.connection() as connection:
            return read_catalog(connection)


@dataclass(frozen=True)
class Snapshot:
    """Everything that a run may change: files, git, and both databases."""

    files: dict[str, str]
    log: str
    status: str
    schemas: tuple[Catalog, Catalog] = field(repr=False)
    histories: tuple[dict[str, Any], dict[str, Any]] = field(repr=False)


class Project:
    """A project in a folder of its own.

    Args:
        root: Where it is, or will be.
        cli: The Supabase CLI that the tasks use.
        env: The environment that every task is given.
        settings: Further variables for every task.
    """

    def __init__(self, root: Path, cli: Path, env: str = "sandbox", settings: Mapping[str, str] | None = None) -> None:
        self.root = root
        self.cli = cli
        self.env = env
        self.settings = dict(settings or {})
        self.urls: dict[str, Endpoint] = {}

    # --- files and git ---

    def create(self) -> None:
        """Fill the folder with the example and commit it."""
        shutil.copytree(REPOSITORY / "supabase", self.root / "supabase", ignore=shutil.ignore_patterns(".temp"))
        self.write("tasks.py", TASKS)
        self.write(".gitignore", ".sbsync/\n__pycache__/\n.env.*\n")
        self.git("init", "--quiet", "--initial-branch=main")
        for key, value in IDENTITY:
            self.git("config", key, value)
        self.commit_all("Start")

    def write(self, path: str, text: str) -> Path:
        """Write a file below the root."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        return target

    def migration(self, version: str, name: str, sql: str) -> Path:
        """Write a migration file, as a user or a `git pull` does."""
        return self.write(f"supabase/migrations/{version}_{name}.sql", sql)

    @property
    def migrations(self) -> dict[str, str]:
        """The migration files: name to text."""
        folder = self.root / "supabase" / "migrations"
        return {p.name: p.read_text(encoding="utf-8") for p in sorted(folder.glob("*.sql"))}

    @property
    def versions(self) -> list[str]:
        """The versions of the well-named migration files."""
        return sorted(m[1] for name in self.migrations if (m := FILE_PATTERN.fullmatch(name)))

    def version_of(self, name: str) -> str:
        """The version of the one migration file of that name."""
        (found,) = [f for f in self.migrations if f.endswith(f"_{name}.sql")]
        return found.split("_")[0]

    def git(self, *args: str) -> str:
        """Run git in the project, with no settings of the user's."""
        done = subprocess.run(
            ["git", *args], cwd=self.root, env=self.environment(), capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def commit_all(self, message: str) -> None:
        """Commit everything."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    @property
    def head(self) -> tuple[str, list[str]]:
        """The last commit: its message and the files in it."""
        return self.git("log", "-1", "--format=%s"), self.git(
            "show", "--name-only", "--format=", "--no-renames", "HEAD"
        ).splitlines()

    # --- databases ---

    @property
    def clusters(self) -> Clusters:
        """The embedded servers of the project."""
        return Clusters(self.root, find_binaries(None))

    def database(self, side: str) -> Data:
        """The local or the remote database as it is now (a rebuilt one has another port), or a further one."""
        if side in self.urls:
            return Data(self.urls[side])
        return Data(self.clusters.start(NAMES.get(side, side) if self.env == "sandbox" else side))

    @property
    def local(self) -> Data:
        """The local database."""
        return self.database("local")

    @property
    def remote(self) -> Data:
        """The remote database."""
        return self.database("remote")

    def stop(self) -> None:
        """Stop the servers; the data stays."""
        self.clusters.stop_all()

    def remove_databases(self) -> None:
        """Stop and remove the servers, and the folder that holds them."""
        self.clusters.remove_all()

    def copy_to(self, root: Path) -> Project:
        """A copy of the project and of its stopped databases, under another root."""
        root.parent.mkdir(exist_ok=True)
        copy_tree(self.root, root)
        copied = Project(root, self.cli, self.env, self.settings)
        target = make_place(copied.root.resolve())  # a copy would get fresh ones
        spread(target)
        place = place_of(self.root.resolve())
        for folder in place.iterdir() if place.is_dir() else ():
            if folder.is_dir():
                apart = target / f"{folder.name}.{root.parent.name}"
                copy_tree(folder, apart)
                apart.rename(target / folder.name)
        for port in target.glob("*/port"):  # two servers would want the same one
            port.unlink()
        return copied

    def snapshot(self) -> Snapshot:
        """Everything that a run may change."""
        local, remote = self.local, self.remote
        return Snapshot(
            self.migrations,
            self.git("log", "--format=%H %s"),
            self.git("status", "--short"),
            (local.catalog(), remote.catalog()),
            (local.history(), remote.history()),
        )

    # --- running ---

    def environment(self) -> dict[str, str]:
        """What a task gets to see of the environment: nothing of the tester's own settings."""
        home, temporary = self.root.parent / "home", self.root.parent / "tmp"
        home.mkdir(exist_ok=True)
        temporary.mkdir(exist_ok=True)
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(home),
            "TMPDIR": str(temporary),
            "LANG": "C.UTF-8",
            "XDG_CACHE_HOME": os.environ["XDG_CACHE_HOME"],
            "PYTHONPATH": str(REPOSITORY),
            "PYTHONDONTWRITEBYTECODE": "1",
            "SBSYNC_SUPABASE_BIN": str(self.cli),
            **self.settings,
        }

    def invoke(self, *args: str, cwd: Path | None = None, settings: Mapping[str, str] | None = None) -> Done:
        """Run `invoke ...` as a user does, without a terminal."""
        done = self._run([sys.executable, "-m", "invoke", *args], cwd or self.root, settings or {})
        assert misled(args, done.stderr) == [], done.stderr
        return done

    def task(self, name: str, *args: str) -> Done:
        """Run one task in the project's environment."""
        return self.invoke(name, "--env", self.env, *args)

    def sync(self, direction: str, *args: str) -> Done:
        """Run a scenario with `--yes`; fail the test where it does not end with 0."""
        done = self.task(direction, "--yes", *args)
        assert done.code == 0, done.text
        return done

    def script(self, text: str, *args: str) -> Done:
        """Run a small Python program in the project, in a task's place."""
        return self._run([sys.executable, "-c", text, *args], self.root, {})

    def supabase(self, *args: str, on: Data | None = None) -> Done:
        """Run the real CLI by hand in the project's folder, on one database (the remote)."""
        endpoint = (on or self.remote).endpoint
        target = ["--db-url", endpoint.url] if self._is_2x else [f"--remote={endpoint.url}"]
        return self._cli([*args, *target], endpoint)

    def supabase_diff(self, source: Data, target: Data) -> str:
        """What `supabase db diff --from ... --to ...` prints as SQL, run by hand."""
        flags = ["--use-pg-delta"] if self._is_2x else []
        urls = ["--from", source.endpoint.url, "--to", target.endpoint.url]
        done = self._cli(["db", "diff", *flags, *urls], source.endpoint, target.endpoint)
        assert done.code == 0, done.text
        return str(done.data["diff"] or "")

    @property
    def _is_2x(self) -> bool:
        version = re.search(r"/(\d+)\.\d+\.\d+/", str(self.cli))
        assert version
        return version[1] == "2"

    def _cli(self, args: Sequence[str], *endpoints: Endpoint) -> Done:
        passfile = self.root.parent / f"passfile-{os.getpid()}"  # workers share a project
        passfile.touch(mode=0o600)
        passfile.write_text("".join(f"{e.passfile_line}\n" for e in endpoints), encoding="utf-8")
        argv = [str(self.cli), *args, "--workdir", str(self.root), "--agent", "no", "--output-format", "json"]
        return self._run(argv, self.root, {"PGPASSFILE": str(passfile), **QUICK})

    def _run(self, argv: Sequence[str], cwd: Path, settings: Mapping[str, str]) -> Done:
        done = subprocess.run(
            argv, cwd=cwd, env={**self.environment(), **settings}, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, check=False, timeout=300,
        )  # fmt: skip
        return Done(done.returncode, done.stdout, done.stderr)


def text_of(backup: Path) -> str:
    """Everything that a backup holds, as text: what a restore of it would write."""
    tools = find_client_tools(find_binaries(None).major)
    texts = []
    for path in sorted(backup.iterdir()):
        argv = [str(tools / "pg_restore"), "--file=-", str(path)] if path.suffix == ".dump" else ["cat", str(path)]
        texts.append(subprocess.run(argv, capture_output=True, text=True, check=True).stdout)
    return "\n".join(texts)
