"""A project on the CLI's local stack, and a remote of the stack's own image; all of it is removed afterwards."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from sbsync_tasks.databases.containers import DATA, Containers
from sbsync_tasks.databases.embedded.place import identify, make_place
from sbsync_tasks.databases.stack import Docker, Stack
from sbsync_tasks.endpoint import Endpoint
from sbsync_tasks.settings.project import ConfigToml
from sbsync_tasks.supabase_cli import LocalStackCli, find
from tests.e2e.conftest import cli, newest, tools
from tests.support import hosted
from tests.support.project import Data, Done, Project

__all__ = ["cli", "newest", "tools"]  # fixtures

REPOSITORY = "/supabase/postgres"
# The tags that these releases ask for, besides those that a stand-in image comes with.
TAGS = {"2.115.0": "15.8.1.085", "3.0.0": "15.19.0.016"}
SERVICES = ("api", "auth", "realtime", "storage", "studio", "local_smtp", "edge_runtime", "analytics")
MAJOR = 15


def docker(*argv: str) -> list[str]:
    """What a docker command prints, word by word."""
    done = subprocess.run(["docker", *argv], capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.fixture(scope="session", autouse=True)
def engine() -> None:
    """Skip all of this where no Docker engine answers."""
    missing = Docker().missing
    if missing:
        pytest.skip(f"needs a Docker engine: {missing}")


def tag_stand_in(version: str) -> None:
    """Let a stand-in image serve this release of the CLI, too; an engine with real images is left alone.

    A stand-in carries every tag: one image for two major versions of PostgreSQL. An image that is there stays.
    """
    listed = docker("images", "--no-trunc", "--format", "{{.Repository}} {{.Tag}} {{.ID}}")
    images = [row for row in zip(*[iter(listed)] * 3, strict=True) if row[0].endswith(REPOSITORY)]
    wanted = TAGS.get(version)
    if wanted is None or wanted in {tag for _, tag, _ in images}:
        return
    for repository, tag, image in images:
        majors = {other.split(".")[0] for _, other, same in images if same == image}
        if len(majors) > 1:
            docker("tag", f"{repository}:{tag}", f"{repository}:{wanted}")
            return


class StackProject(Project):
    """A project whose local database is the CLI's stack, under a project id and on ports of its own."""

    def __init__(self, root: Path, cli: Path) -> None:
        engine = {key: value for key, value in os.environ.items() if key.startswith("DOCKER_")}
        super().__init__(root, cli, "alone", engine)
        self.id = f"sbsync-test-{secrets.token_hex(4)}"
        self.port, self.shadow_port = free_port(), free_port()
        self.remote_root = root.parent / "remote"
        self.started: Done | None = None

    @property
    def cli_major(self) -> int:
        """The CLI's major version."""
        return 2 if self._is_2x else 3

    def create(self) -> None:
        """The example on the stack; `alone` is an environment without a remote."""
        super().create()
        lines = [
            f'project_id = "{self.id}"', "[db]", f"port = {self.port}", f"shadow_port = {self.shadow_port}",
            f"major_version = {MAJOR}", "[db.seed]", "enabled = true", 'sql_paths = ["./seed.sql"]',
            *(line for service in SERVICES for line in (f"[{service}]", "enabled = false")),
        ]  # fmt: skip
        self.write("supabase/config.toml", "\n".join(lines) + "\n")
        self.write(".env.alone", "SBSYNC_LOCAL=stack\n")
        self.commit_all("Configure the stack")
        self.urls["local"] = Endpoint("127.0.0.1", self.port, "postgres", "postgres", "postgres")

    def start_remote(self) -> Data:
        """A second server of the stack's image, as a remote that is reached by its URL."""
        self.remote_root.mkdir()
        binary = find(self.root, str(self.cli), lambda: False)
        stack = Stack(ConfigToml(self.root), Docker(), lambda config: LocalStackCli(binary, config))
        endpoint = self.urls["remote"] = Containers(self.remote_root, stack).start("remote")
        return Data(endpoint)

    @contextmanager
    def reached_by(self, way: str) -> Iterator[None]:
        """An environment that names the remote: by its `url`, by a `ref`, or by a `link`; gone afterwards."""
        ref = hosted.new_ref()
        files = {
            "url": (".env.plain", f"SUPABASE_DB_URL={self.urls['remote'].url}"),
            "ref": (".env.staging", f"SUPABASE_PROJECT_ID={ref}"),
            "link": (".env.local", ""),
        }
        name, line = files[way]
        made = self.write(name, f"SBSYNC_LOCAL=stack\nSUPABASE_DB_PASSWORD=postgres\n{line}\n")
        made.chmod(0o600)
        link = self.root / "supabase" / ".temp" / "project-ref"
        if way == "link":
            self.write(str(link.relative_to(self.root)), ref)
        self.env = {"url": "plain", "ref": "staging", "link": "development"}[way]
        try:
            with nullcontext() if way == "url" else self._platform(hosted.host_of(ref)):
                yield
        finally:
            self.env = "alone"
            made.unlink()
            link.unlink(missing_ok=True)

    @contextmanager
    def _platform(self, host: str) -> Iterator[None]:
        """The remote's server under the name of a project on the platform, with TLS as there."""
        self._encrypt_remote(host)
        gate = hosted.Gate(self.urls["remote"].port, hosted.new_address(), hosted.PORT)
        with gate, hosted.named(str(gate.server_address[0]), host):
            yield

    def _encrypt_remote(self, host: str) -> None:
        (container,) = docker("ps", "--quiet", "--filter", f"label=sbsync={identify(self.remote_root.resolve())}")
        folder = self.root.parent / host
        folder.mkdir()
        for path in hosted.certificate(folder, [host]):
            put = ["docker", "exec", "--interactive", "--user", "postgres", container, "sh", "-c"]
            script = f"umask 077; cat >{DATA}/{path.name}"
            subprocess.run([*put, script], input=path.read_bytes(), check=True)
        admin = replace(self.urls["remote"], user="supabase_admin")
        Data(admin).run("alter system set ssl = on", "select pg_reload_conf()")

    def by_hand(self, *args: str) -> Done:
        """Run the real CLI in the project, on its local stack."""
        done = self._cli([*args])
        assert done.code == 0, done.text
        return done

    def left(self, *what: str) -> list[str]:
        """The project's shadow containers or volumes, as a docker listing has them."""
        return docker(*what, "--filter", f"label=sbsync={identify(self.root.resolve())}")

    def destroy(self) -> None:
        """Remove the stack, the remote, and what is cached.

        The CLI's own stop may leave the stopped container: it prunes, and an engine prunes for one program at a time.
        """
        self._cli(["stop", "--no-backup"])
        keys = (f"sbsync={identify(root.resolve())}" for root in (self.root, self.remote_root) if root.is_dir())
        for label in (*keys, f"com.supabase.cli.project={self.id}"):
            for name in docker("ps", "--all", "--quiet", "--filter", f"label={label}"):
                docker("rm", "--force", "--volumes", name)
            for name in docker("volume", "ls", "--quiet", "--filter", f"label={label}"):
                docker("volume", "rm", name)
        for root in (self.root, self.remote_root):
            if root.is_dir():
                shutil.rmtree(make_place(root.resolve()), ignore_errors=True)
        shutil.rmtree(self.root, ignore_errors=True)


def free_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def stopped(newest: Path, tmp_path: Path) -> Iterator[StackProject]:
    """A project whose stack has never been started."""
    made = StackProject(tmp_path / "project", newest)
    made.create()
    yield made
    made.remove_databases()  # shadows, for what is asked of the remote and the files alone
    shutil.rmtree(made.root, ignore_errors=True)
