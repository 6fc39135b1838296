"""Starting and stopping the server of one data directory.

What runs is read from the machine itself, never from a note.
"""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path
from typing import NamedTuple

from sbsync_tasks import process
from sbsync_tasks.errors import SbsyncError

from .place import account, text_of

HOST = "127.0.0.1"
START_SECONDS = 60.0
STOP_SECONDS = 30.0
POLL_SECONDS = 0.005
# In postmaster.pid: process, folder, start time, port, socket, address, shared memory, state.
READY_LINES = 8
# Linux; elsewhere `ps` is asked.
PROC = Path("/proc")
PS = "/bin/ps"
# In /proc/PID/stat: a process that has ended and whose parent has not noticed.
ENDED = ("Z", "X")
PORT_TRIES = 8
# No process has such a number (Linux stops at 4194304, macOS at 99999).
NOBODYS_PID = 4194305
SETTINGS = {"LC_ALL": "C", "TZ": "UTC"}
# `$0` is the log; the server keeps nothing of our input, output and errors open.
DETACH = '"$@" </dev/null >"$0" 2>&1 & echo $!'
PORT_TAKEN = "Address already in use"
ORPHANS_LEFT = "pre-existing shared memory block"
THROW_AWAY = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "autovacuum=off")


class Running(NamedTuple):
    """A server that is up: its first process, and where it listens on 127.0.0.1."""

    pid: int
    port: int


def run(argv: list[str]) -> str:
    """What one of the server's programs prints, run to its end as the server's user.

    Raises:
        SbsyncError: it failed; the message has the last line it wrote.
    """
    done = _run(argv)
    if not done.ok:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["it said nothing"]
        raise SbsyncError(f"{Path(argv[0]).name} failed: {lines[-1]}")
    return done.stdout


def _run(argv: list[str], *, detached: bool = False) -> process.Completed:
    how: process.How = {**account().run_as(), "start_new_session": detached}
    return process.run(argv, env=SETTINGS, cwd="/", **how)


def find_running(data: Path) -> Running | None:
    """The server of this data directory, when it is up and takes connections."""
    lines = _pid_lines(data)
    if len(lines) < READY_LINES or lines[7].strip() != "ready":
        return None
    pid, port = _number(lines[0]), _number(lines[3])
    return Running(pid, port) if _is_server_of(pid, data) else None


def start(bindir: Path, data: Path, log: Path, *, durable: bool, port: int = 0) -> Running:
    """Start the server of a data directory on a free port of 127.0.0.1, in a session of its own.

    Args:
        bindir: The server's programs.
        data: The data directory; no server of it is running.
        log: Where the server writes its messages.
        durable: False switches off all that only protects data from a crash.
        port: The port to try first, such as the one it had; 0 takes any.

    Raises:
        SbsyncError: it did not start; the message has the server's reason.
    """
    _disarm_stale_pid(data)
    reason = ""
    for attempt in range(PORT_TRIES):
        chosen = port if port and attempt == 0 else free_port()
        pid = _launch(bindir, data, log, chosen, durable=durable)
        if _wait_until_ready(pid, data):
            return Running(pid, chosen)
        reason = text_of(log, "replace")
        if ORPHANS_LEFT in reason:
            time.sleep(0.5)
        elif PORT_TAKEN not in reason:
            break
    raise SbsyncError(f"The embedded PostgreSQL in {data} did not start: {_fatal(reason)}", f"Its log is {log}.")


def stop(data: Path, *, at_once: bool = False) -> None:
    """Stop the server of a data directory, `at_once` without a checkpoint; nothing to do when none is running.

    Raises:
        SbsyncError: it is still running afterwards.
    """
    pid = _number((_pid_lines(data) or [""])[0])
    if not _is_server_of(pid, data):
        return
    for how in (signal.SIGQUIT,) if at_once else (signal.SIGINT, signal.SIGQUIT):
        os.kill(pid, how)
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline:
            if not _is_server_of(pid, data):
                return
            time.sleep(POLL_SECONDS)
    raise SbsyncError(
        f"The embedded PostgreSQL in {data} does not stop (process {pid}).",
        f"End it: kill -9 {pid}",
    )


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _launch(bindir: Path, data: Path, log: Path, port: int, *, durable: bool) -> int:
    """Start the server through a shell, which ends and leaves it behind as nobody's child."""
    options = [f"port={port}", *(() if durable else THROW_AWAY)]
    argv = [str(bindir / "postgres"), "-D", str(data), *(w for o in options for w in ("-c", o))]
    pid = _number(_run(["/bin/sh", "-c", DETACH, str(log), *argv], detached=True).stdout)
    if not pid:
        raise SbsyncError(f"The shell that starts {argv[0]} did not say its process; whether it runs is not known.")
    return pid


def _wait_until_ready(pid: int, data: Path) -> bool:
    """Whether the new process takes connections (True) or ended (False)."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if (found := find_running(data)) and found.pid == pid:
            return True
        if not _is_alive(pid):
            return False
        time.sleep(POLL_SECONDS)
    os.kill(pid, signal.SIGQUIT)
    raise SbsyncError(f"The embedded PostgreSQL in {data} was not ready after {START_SECONDS:.0f} s.")


def _disarm_stale_pid(data: Path) -> None:
    """Take the number, which may be another program's by now, out of the pid file of a server that was killed.

    The file is not removed: by the shared memory that it names PostgreSQL sees that no orphan still writes.
    """
    lines = _pid_lines(data)
    path = data / "postmaster.pid"
    if len(lines) < READY_LINES - 1:
        path.unlink(missing_ok=True)
    else:
        path.write_text("\n".join([str(NOBODYS_PID), *lines[1:]]) + "\n", encoding="utf-8")


def _pid_lines(data: Path) -> list[str]:
    return text_of(data / "postmaster.pid").splitlines()


def _number(text: str) -> int:
    return int(text) if text.strip().isdigit() else 0


def _is_server_of(pid: int, data: Path) -> bool:
    """Whether this process is the server of this data directory, not just of the same number.

    A server works in its directory, also in one that was moved since it was started. Without `/proc`, or where that may
    not be read (root's own in a container), the command line has to do.
    """
    command = f"{_command(pid)} " if pid > 0 else ""
    try:
        return " -D " in command and (PROC / str(pid) / "cwd").samefile(data)
    except OSError:
        return f" -D {data} " in command


def _is_alive(pid: int) -> bool:
    """Whether the process has not ended; its command line is empty for a moment while it starts a program."""
    if not (PROC / "self").exists():
        return bool(_command(pid))
    state = text_of(PROC / str(pid) / "stat").rpartition(")")[2].split()
    return bool(state) and state[0] not in ENDED


def _command(pid: int) -> str:
    """The process's command line; empty when it has ended, even if its parent has not noticed."""
    if (PROC / "self").exists():
        return text_of(PROC / str(pid) / "cmdline").replace("\0", " ").strip()
    told = process.run([PS, "-ww", "-o", "command=", "-p", str(pid)], cwd="/", timeout=process.ANSWER).stdout
    shown = told.strip()
    if not told.endswith("\n") and _exists(pid):  # else its server would be taken for one that has ended
        raise SbsyncError(f"{PS} says nothing of process {pid}, which is there.", f"Is {PS} the system's own?")
    return "" if "<defunct>" in shown or shown == "(postgres)" else shown


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError as error:
        return isinstance(error, PermissionError)
    return True


def _fatal(log: str) -> str:
    """The line that says why, out of the server's log."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    reasons = [line for line in lines if "FATAL:" in line or "PANIC:" in line]
    return (reasons or lines or ["it wrote no reason"])[-1].split("FATAL:")[-1].strip()
