"""What a run really starts: recording stand-ins for programs, and a look at every process's argument list."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sbsync_tasks.endpoint import Endpoint
from tests.support.project import Project

# What the CLI advises where histories conflict; each of these can do harm unseen.
ADVICE = ("migration repair", "supabase migration", "db pull", "--status reverted")
# Recorded before the real program takes over: what it was given, and what it would find around it.
STAND_IN = """#!{python} -ISE
import json, os, sys
argv, cwd, env = sys.argv[1:], os.getcwd(), dict(os.environ)
workdir = argv[argv.index("--workdir") + 1] if "--workdir" in argv else ""
passfile = env.get("PGPASSFILE", "")
seen = {{
    "program": {name!r}, "argv": argv, "cwd": cwd, "env": env, "cwd_entries": os.listdir(cwd),
    "place_mode": os.stat(os.path.dirname(cwd)).st_mode & 0o777,
    "passfile_mode": os.stat(passfile).st_mode & 0o777 if os.path.exists(passfile) else 0,
    "workdir_files": [os.path.join(f, n) for f, _, names in os.walk(workdir) for n in names] if workdir else [],
}}
with os.fdopen(os.open({log!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "a") as log:
    log.write(json.dumps(seen) + "\\n")
{instead}
os.execv({real!r}, [{real!r}, *argv])
"""


@dataclass(frozen=True)
class Call:
    """One start of a recorded program.

    Attributes:
        program: Its name.
        argv: Its arguments, without the program itself.
        cwd: Where it was started.
        env: Its whole environment.
        cwd_entries: What stood in its working directory.
        place_mode: The mode of the folder above its working directory.
        passfile_mode: The mode of the PGPASSFILE it was given; 0 for none.
        workdir_files: All files below its `--workdir`.
    """

    program: str
    argv: list[str]
    cwd: str
    env: dict[str, str]
    cwd_entries: list[str]
    place_mode: int
    passfile_mode: int
    workdir_files: list[str]


class Recorder:
    """Makes stand-ins that note how they are called and then run the real program.

    Args:
        folder: Where the stand-ins and their log are kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "calls.jsonl"
        folder.mkdir(parents=True, exist_ok=True)

    def stand_in(self, real: Path, name: str = "", instead: str = "", into: Path | None = None) -> Path:
        """A recording stand-in for a program.

        Args:
            real: The program.
            name: The stand-in's name; the program's own where empty.
            instead: Python to run after the note was made, with `argv` and `env` at hand; it may end the process.
            into: The folder it is made in; the recorder's own where None.
        """
        name = name or real.name
        path = (into or self.folder) / name
        path.unlink(missing_ok=True)
        text = STAND_IN.format(python=sys.executable, name=name, log=str(self.log), real=str(real), instead=instead)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)
        return path

    def calls(self, program: str = "") -> list[Call]:
        """The calls so far, of one program or of all, in their order."""
        lines = self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []
        found = [Call(**json.loads(line)) for line in lines]
        return [call for call in found if program in ("", call.program)]

    def clear(self) -> None:
        """Forget the calls."""
        self.log.unlink(missing_ok=True)


class ArgumentLists:
    """Every distinct argument list that was seen on the machine, as text, while it was looked at."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self._over = threading.Event()

    def holding(self, *needles: str) -> list[str]:
        """The argument lists in which one of these texts stands."""
        return sorted(text for text in self.seen.copy() if any(needle in text for needle in needles))

    def look(self) -> None:
        """Read the argument lists of all processes once."""
        for process in Path("/proc").iterdir():
            if process.name.isdigit():
                with suppress(OSError):
                    raw = (process / "cmdline").read_bytes()
                    self.seen.add(raw.replace(b"\0", b" ").decode("utf-8", "replace"))

    def watch(self) -> None:
        """Look again and again, until `stop`."""
        while not self._over.wait(0.02):
            self.look()

    def stop(self) -> None:
        """End `watch`."""
        self._over.set()


@contextmanager
def argument_lists() -> Iterator[ArgumentLists]:
    """Within the block the argument lists of all processes are collected (Linux: `/proc`)."""
    lists = ArgumentLists()
    thread = threading.Thread(target=lists.watch, daemon=True)
    thread.start()
    try:
        yield lists
    finally:
        lists.stop()
        thread.join()


def files_holding(folder: Path, *needles: str) -> list[Path]:
    """The files below a folder (git's packed objects aside) in which one of these texts stands."""
    encoded = [needle.encode() for needle in needles]
    found = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and not p.is_symlink()):
        with suppress(OSError):
            content = path.read_bytes()
            if any(needle in content for needle in encoded):
                found.append(path)
    return found


def dump(tools: Path, endpoint: Endpoint) -> str:
    """Everything in a database, rows and histories included, as pg_dump writes it."""
    done = subprocess.run(
        [tools / "pg_dump", "--no-password", f"--dbname={endpoint.url}"],
        env={"PGPASSWORD": endpoint.password}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    # Newer ones begin and end with a random key.
    return "\n".join(line for line in done.stdout.splitlines() if not line.startswith(("\\restrict", "\\unrestrict")))


def evidence(project: Project, tools: Path) -> dict[str, object]:
    """All that a run could change: both databases with their rows, every file but our own state, and git."""
    files = (p for p in project.root.rglob("*") if p.is_file())
    own = (".sbsync", ".git", "__pycache__")
    return {
        "local": dump(tools, project.local.endpoint),
        "remote": dump(tools, project.remote.endpoint),
        "files": {
            str(p.relative_to(project.root)): p.read_bytes()
            for p in files
            if not set(p.relative_to(project.root).parts) & set(own)
        },
        "commits": project.git("log", "--all", "--format=%H %s"),
        "index": project.git("ls-files", "--stage"),
        "status": project.git("status", "--short"),
    }


def at_terminal(project: Project, answers: Sequence[tuple[str, str]], *args: str) -> tuple[int, str]:
    """Run a task at a pseudo-terminal and answer its questions.

    Args:
        project: Where.
        answers: Each a part of the prompt that is waited for, and the line that is typed then; `\\x04` ends the input.
        args: The task and its flags.

    Returns:
        The exit code and all that was shown.
    """
    import pexpect

    child = pexpect.spawn(
        sys.executable, ["-m", "invoke", *args], cwd=str(project.root), env=project.environment(), encoding="utf-8",
        timeout=120, dimensions=(50, 200),
    )  # fmt: skip
    shown = ""
    for prompt, answer in answers:
        child.expect_exact(prompt)
        shown += (child.before or "") + prompt
        if answer == "\x04":
            child.sendeof()
        else:
            child.sendline(answer)
    child.expect(pexpect.EOF)
    shown += child.before or ""
    child.close()
    return int(child.exitstatus if child.exitstatus is not None else -(child.signalstatus or 0)), shown
