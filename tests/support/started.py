"""Tasks that run beside the test, and a second checkout of its project."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable

from tests.support.project import Done, Project


class Started:
    """A task that runs beside the test, in a process group of its own."""

    def __init__(self, project: Project, *args: str, settings: dict[str, str] | None = None) -> None:
        self._log = project.root.parent / f"{time.monotonic_ns()}.log"
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "invoke", *args], cwd=project.root, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, env={**project.environment(), **(settings or {})}, start_new_session=True,
            )  # fmt: skip

    @property
    def text(self) -> str:
        """What it has said so far."""
        return self._log.read_text(encoding="utf-8")

    def until(self, reached: Callable[[], bool]) -> None:
        """Wait until something is reached; fail where the task ends before."""
        while not reached():
            assert self.process.poll() is None, f"ended too early: {self.text}"
            time.sleep(0.02)

    def kill(self, process: int) -> None:
        """Kill one of its processes."""
        os.kill(process, signal.SIGKILL)

    def signal(self, number: signal.Signals) -> Done:
        """Send a signal to the whole group, as a terminal does; wait for the end."""
        os.killpg(self.process.pid, number)
        return self.end()

    def end(self) -> Done:
        """Wait for the end."""
        code = self.process.wait(timeout=120)
        return Done(code, "", self.text)


def other_checkout(project: Project) -> Project:
    """The same migrations in another folder, as a colleague or a CI job has them; the same remote, as a URL."""
    other = Project(
        project.root.parent / "other", project.cli, "shared", {**project.settings, "SBSYNC_LOCAL": "embedded"}
    )
    shutil.copytree(project.root, other.root, ignore=shutil.ignore_patterns(".sbsync", "__pycache__"))
    remote = project.remote.endpoint
    other.write(".env.shared.local", f"SUPABASE_DB_URL={remote.url}\nSUPABASE_DB_PASSWORD={remote.password}\n")
    return other
