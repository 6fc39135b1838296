"""What README.md and docs/ci.md say, word for word, in a container with Python and git, an empty home and no Docker."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.documents import REPOSITORY, page
from tests.support.plain_server import PlainServer
from tests.support.project import TASKS, Data, Done

pytestmark = pytest.mark.docker
IMAGE = "sbsync-test-clean"
PUBLIC = "python:3.13"
SUITE, MIRROR = "bookworm", "http://deb.debian.org/debian"
PROGRAMS = "python3,python3-venv,git,ca-certificates"
INSTALL = "pip install 'sbsync-tasks[embedded,node] @ git+<URL>'"
# Where this machine's network has certificates of its own.
CERTIFICATES = ("PIP_CERT", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE")
HERE = ("/etc/ssl/certs", "/usr/local/share/ca-certificates")
FIRST = "20260201090000_first.sql"


def made_by_debootstrap(folder: Path) -> bool:
    """Make the image of nothing but a distribution's packages; False where that cannot be done."""
    program = shutil.which("debootstrap")
    if program is None or os.geteuid() != 0:
        return False
    argv = [program, "--variant=minbase", f"--include={PROGRAMS}", SUITE, str(folder), MIRROR]
    try:
        if subprocess.run(argv, capture_output=True, check=False).returncode != 0:
            return False
        with subprocess.Popen(["tar", "-C", str(folder), "-c", "."], stdout=subprocess.PIPE) as packed:
            loaded = subprocess.run(
                ["docker", "import", "-", IMAGE], stdin=packed.stdout, capture_output=True, check=False
            )
        return loaded.returncode == 0
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An image with Python and git; it stays, for the next run."""
    for name in (IMAGE, PUBLIC):
        if subprocess.run(["docker", "image", "inspect", name], capture_output=True, check=False).returncode == 0:
            return name
    if made_by_debootstrap(tmp_path_factory.mktemp("image") / "root"):
        return IMAGE
    if subprocess.run(["docker", "pull", PUBLIC], capture_output=True, check=False).returncode == 0:
        return PUBLIC
    pytest.skip(f"no image with Python and git: debootstrap does not make one here, and {PUBLIC} cannot be pulled")


class Machine:
    """A container that stays up, on this machine's network, with the repository as it is now at `/repository`."""

    def __init__(self, image: str, shared: Path) -> None:
        own = [name for name in CERTIFICATES if os.environ.get(name)]
        folders = [f"--volume={path}:{path}:ro" for path in HERE if own and Path(path).is_dir()]
        argv = [
            "docker", "run", "--rm", "--detach", "--network=host", f"--volume={shared}:/repository:ro", *folders,
            *(f"--env={name}" for name in own), "--env=HOME=/home/new", "--env=LANG=C.UTF-8", image, "sleep", "1800",
        ]  # fmt: skip
        self.name = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()

    def run(self, script: str, folder: str = "/home/new/project", **env: str) -> Done:
        """Run a command in a shell there, without a terminal, in the virtual environment."""
        given = [word for key, value in env.items() for word in ("--env", f"{key}={value}")]
        argv = ["docker", "exec", "--workdir", folder, *given, self.name, "bash", "-c", script]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=300)
        return Done(done.returncode, done.stdout, done.stderr)

    def must(self, script: str, folder: str = "/home/new/project", **env: str) -> Done:
        """The same, and it has to succeed."""
        done = self.run(script, folder, **env)
        assert done.code == 0, f"{script}\n{done.text}"
        return done

    def gone(self) -> None:
        """Take the container away."""
        subprocess.run(["docker", "rm", "--force", self.name], capture_output=True, check=False)


@pytest.fixture
def machine(image: str, tmp_path: Path) -> Iterator[Machine]:
    """A clean machine."""
    left_out = shutil.ignore_patterns(".git", ".venv", ".sbsync", "*_cache", "__pycache__", "*.egg-info")
    shared = tmp_path / "repository"
    shutil.copytree(REPOSITORY, shared, ignore=left_out)
    for words in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message=all"]):
        author = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
        subprocess.run(["git", "-C", str(shared), *author, *words], check=True)
    made = Machine(image, shared)
    try:
        yield made
    finally:
        made.gone()


def project(machine: Machine, remote: Data) -> None:
    """The example as a repository of the user's that somebody has checked out, with a migration of their own."""
    endpoint = remote.endpoint
    url = f"postgresql://{endpoint.user}@{endpoint.host}:{endpoint.port}/{endpoint.database}?sslmode=disable"
    staging = f"SUPABASE_DB_URL={url}\\nSUPABASE_DB_PASSWORD=${{STAGING_DB_PASSWORD}}\\n"
    machine.must(
        "git config --global safe.directory '*' && git config --global user.name New"
        " && git config --global user.email new@example.org && mkdir project && cd project && git init --quiet"
        f" && cp -r /repository/supabase . && printf '{TASKS}' >tasks.py && printf '{staging}' >.env.staging"
        " && git add --all && git commit --quiet --message=start",
        "/home/new",
    )


def test_the_ci_recipe_the_sandbox_and_psql(machine: Machine) -> None:
    with PlainServer("p@ss word") as server:
        remote = Data(server.create_database("staging"))
        secret = {"STAGING_DB_PASSWORD": remote.endpoint.password}
        machine.must("mkdir -p /home/new", "/")
        project(machine, remote)
        assert INSTALL in page("README.md").text
        assert INSTALL in page("docs/ci.md").text
        install = INSTALL.replace("<URL>", "file://localhost/repository")
        active = ". /home/new/venv/bin/activate && "
        machine.must(f"python3 -m venv /home/new/venv && {active}{install}")

        without = machine.run(f"{active}invoke push --env staging", **secret)
        assert without.code == 5, without.text
        assert "A task with --yes installs it from npm" in without.stderr
        commands = [command.text for command in page("docs/ci.md").commands]
        assert len(commands) == 5
        looking = [c for c in commands if "review" in c or "--dry-run" in c]
        for command in looking:  # a pull request's job, before anything was installed or pushed
            machine.must(active + command, **secret)
        assert not remote.has("public.teams")
        refused = machine.run(f"{active}invoke push --env staging", **secret)
        assert (refused.code, remote.has("public.teams")) == (4, False), refused.text

        pushed = machine.must(active + commands[0], **secret)
        assert "equal as far as compared" in pushed.stderr
        assert remote.endpoint.password not in pushed.text
        assert remote.has("public.teams")
        versions = sorted(p.name.split("_")[0] for p in (REPOSITORY / "supabase" / "migrations").glob("*.sql"))
        assert list(remote.history()) == versions
        for command in commands[1:]:
            machine.must(active + command, **secret)
        remote.run("alter table public.teams add column by_hand text")
        for command in commands[-2:]:
            assert machine.run(active + command, **secret).code == 2
        assert "by_hand" in machine.must(f"{active}invoke status --env staging", **secret).stdout

        machine.must(f"{active}invoke local-to-remote --env sandbox --yes")
        asked = machine.must(f"{active}echo 'select count(*) from public.teams' | invoke psql --env sandbox --yes")
        assert "1 row" in asked.stdout, asked.text
        assert machine.must(f"{active}invoke sandbox.down").code == 0
        assert machine.must("git status --short").stdout == ""
