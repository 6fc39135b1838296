"""The one way to start a program: a list of arguments, an environment made by one policy, no terminal.

No program outlives a run that is interrupted, and Invoke's `--echo` shows each one. Ctrl-C reaches a program from the
terminal, too; SIGTERM reaches only us, so that what is running has to be ended from here.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, TypedDict, TypeVar, Unpack

from .errors import MissingToolError, SbsyncError
from .redaction import MASK, Redactor

# What a program sees of the user's environment, by what it is. Everything else is left out, so that no stray PG* or
# SUPABASE_* key can turn a call to another database, and no secret reaches a program that needs none.
LOCAL = r"HOME|PATH|USER|LOGNAME|SHELL|TMPDIR|LANG|LC_ALL|LC_CTYPE|TZ"
# The CLI, docker and npm: how to reach a network.
NETWORK = LOCAL + (
    r"|DOCKER_(HOST|CONTEXT|CONFIG|CERT_PATH|TLS_VERIFY)|HTTPS?_PROXY|NO_PROXY|https?_proxy|no_proxy"
    r"|SSL_CERT_(FILE|DIR)|NODE_EXTRA_CA_CERTS|XDG_(CACHE|CONFIG)_HOME"
)
# The user's own: git, its hooks, what signs a commit, the editor. Where the tasks run inside a hook, the names that
# git sets would lead to another repository (`git rev-parse --local-env-vars`, without those that carry configuration).
PERSONAL = LOCAL + (
    r"|TERM|NO_COLOR|EDITOR|VISUAL|PAGER|PSQLRC|EMAIL|CI|SKIP"
    r"|HUSKY|LEFTHOOK|VIRTUAL_ENV|GNUPGHOME|GPG_TTY|DISPLAY|WAYLAND_DISPLAY|DBUS_SESSION_BUS_ADDRESS"
    r"|(SSH|LC|XDG|PRE_COMMIT|PSQL)_.+|GIT_(?!(DIR|WORK_TREE|INDEX_FILE|PREFIX|COMMON_DIR|NAMESPACE|OBJECT_DIRECTORY"
    r"|QUARANTINE_PATH|ALTERNATE_OBJECT_DIRECTORIES|(LITERAL|GLOB|NOGLOB|ICASE)_PATHSPECS)$).+"
)
# Seconds that a program has to end by itself: asked to, git removes its index.lock.
GRACE = 5.0
# And to answer a question such as `--version`.
ANSWER = 30.0
# What is masked by its name when a call is shown: Docker's shadows get secrets that no setting holds.
SECRET = re.compile(r".*(PASSWORD|SECRET|TOKEN|KEY).*")

A = TypeVar("A")
B = TypeVar("B")


class How(TypedDict, total=False):
    """What `subprocess` is told besides: as whom a program runs, and in which session."""

    user: int
    group: int
    extra_groups: list[int]
    umask: int
    start_new_session: bool


@dataclass(frozen=True)
class Completed:
    """A program that has ended: its exit status, its output and its messages as they came, secrets not masked."""

    argv: tuple[str, ...]
    code: int
    output: bytes
    errors: bytes

    @property
    def ok(self) -> bool:
        """Whether it succeeded."""
        return self.code == 0

    @property
    def stdout(self) -> str:
        """Its output, read as UTF-8."""
        return self.output.decode("utf-8", "replace")

    @property
    def stderr(self) -> str:
        """Its messages, read as UTF-8."""
        return self.errors.decode("utf-8", "replace")

    @property
    def said(self) -> str:
        """Both, as a person reads them."""
        return (self.stdout + self.stderr).strip()

    @property
    def names(self) -> tuple[str, ...]:
        """The NUL-separated names in its output."""
        return tuple(os.fsdecode(name) for name in self.output.split(b"\0") if name)


@dataclass
class _Task:
    """What holds for all calls of the task that runs now."""

    redact: Redactor = field(default_factory=Redactor)
    echo: bool = False
    interrupted: int = 0  # how often
    starting: bool = False  # the main thread is about to know of a program


_task = _Task()
_running: set[subprocess.Popen[bytes]] = set()


@contextmanager
def for_task(redact: Redactor, *, echo: bool = False) -> Iterator[None]:
    """What holds for the calls inside the block; Ctrl-C and SIGTERM end them all and raise `KeyboardInterrupt`.

    Args:
        redact: The secrets, which no argument may hold.
        echo: Show each call on stderr, redacted, as it can be given to a shell.
    """
    global _task  # noqa: PLW0603 - tasks run one after the other
    outer, _task = _task, _Task(redact, echo)
    ours = threading.current_thread() is threading.main_thread()
    # One that is ignored stays so: `nohup`, or a shell's background job.
    numbers = [n for n in (signal.SIGINT, signal.SIGTERM) if ours and signal.getsignal(n) is not signal.SIG_IGN]
    before = {number: signal.signal(number, _interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _task = outer


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    _task.interrupted += 1
    for child in list(_running):  # those of other threads, too: this one waits for them
        child.terminate()
    if not _task.starting:  # else `_start` raises it
        raise KeyboardInterrupt


def run(
    argv: Sequence[str],
    *,
    sees: str = LOCAL,
    env: Mapping[str, str] | None = None,
    cwd: str | Path | None = None,
    timeout: float | None = None,
    given: bytes = b"",
    hears: Callable[[str], None] | None = None,
    **how: Unpack[How],
) -> Completed:
    """Run a program to its end and keep its output.

    Reads and throw-away work alike go through here, also under `invoke --dry`: what must not happen
    in a dry run is decided where the plan is made, never by handing back an empty answer.

    Args:
        argv: The program and its arguments; never holds a secret.
        sees: What it gets of the user's environment: `LOCAL`, `NETWORK` or `PERSONAL`.
        env: Variables on top of these.
        cwd: Where it runs.
        timeout: Seconds until it is ended; None waits.
        given: What it can read on stdin.
        hears: Told each line of its messages when it comes; such a program is given nothing, and waited for.
        how: As whom it runs.

    Raises:
        SbsyncError: it could not be run, or took too long.
        MissingToolError: there is no such program.
    """
    try:
        with started(argv, sees=sees, env=env, cwd=cwd, fed=bool(given), **how) as child:
            output, errors = _listen(child, hears) if hears else child.communicate(given or None, timeout)
    except subprocess.TimeoutExpired:
        raise SbsyncError(f"{Path(argv[0]).name} gave no answer within {timeout:.0f} s.") from None
    return Completed(tuple(argv), child.returncode, output, errors)


def _listen(child: subprocess.Popen[bytes], hears: Callable[[str], None]) -> tuple[bytes, bytes]:
    """Its output and its messages, each line of these told at once."""
    out, err = child.stdout, child.stderr
    assert out is not None  # noqa: S101 - both are pipes
    assert err is not None  # noqa: S101
    output, errors = list[bytes](), list[bytes]()
    # Nobody waits for this one where we are interrupted: the program is ended then.
    reader = threading.Thread(target=lambda: output.append(out.read()), daemon=True)
    reader.start()
    for line in err:
        errors.append(line)
        hears(line.decode("utf-8", "replace").rstrip("\r\n"))
    reader.join()
    child.wait()
    return b"".join(output), b"".join(errors)


def printed(argv: Sequence[str], **how: Unpack[How]) -> str:
    """What a program prints when it is asked for something; empty where it cannot say."""
    try:
        done = run(argv, cwd="/", timeout=ANSWER, **how)
    except SbsyncError:
        return ""
    return done.stdout.strip() if done.ok else ""


@contextmanager
def started(
    argv: Sequence[str],
    *,
    sees: str = LOCAL,
    env: Mapping[str, str] | None = None,
    cwd: str | Path | None = None,
    fed: bool = False,
    **how: Unpack[How],
) -> Iterator[subprocess.Popen[bytes]]:
    """A program that runs beside the block; it has ended when the block is left, whatever happens there.

    Its stdin is closed, or is the block's to write to where it is `fed`. Arguments and errors are those of `run`.
    """
    environment = _checked(argv, sees, env, cwd)
    try:
        child = _start(
            argv, env=environment, cwd=cwd, stdin=subprocess.PIPE if fed else subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **how,
        )  # fmt: skip
    except OSError as error:
        raise SbsyncError(f"{argv[0]} could not be run: {_task.redact(str(error))}") from None
    with _ended_with_us(child):
        yield child


def hand_over(argv: Sequence[str], env: Mapping[str, str] | None = None) -> int:
    """Run a program that talks to the user: it gets the terminal, and Ctrl-C is for it alone.

    Only the editor and psql are such. git's hooks and what signs a commit open the terminal themselves. It sees the
    user's own environment, with `env` on top. Returns its exit status; errors are those of `run`.
    """
    environment = _checked(argv, PERSONAL, env, None)
    before = signal.signal(signal.SIGINT, lambda _number, _frame: None)
    try:
        with _ended_with_us(_start(argv, env=environment)) as child:
            return child.wait()
    except OSError as error:
        raise SbsyncError(f"{argv[0]} could not be run: {error}") from None
    finally:
        signal.signal(signal.SIGINT, before)


def environment(sees: str = LOCAL) -> dict[str, str]:
    """The part of the user's environment that a program gets."""
    return {key: value for key, value in os.environ.items() if re.fullmatch(sees, key)}


@contextmanager
def _ended_with_us(child: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    with child:
        try:
            yield child
        except BaseException:
            _end(child)
            raise
        finally:
            _running.discard(child)


def _start(argv: Sequence[str], **how: Any) -> subprocess.Popen[bytes]:  # noqa: ANN401 - as `Popen` has them
    """Start a program. One that we are interrupted beside is ended here: nobody knew of it to tell it."""
    before, main = _task.interrupted, threading.current_thread() is threading.main_thread()
    _task.starting |= main
    child = None
    try:
        child = subprocess.Popen(argv, **how)
        _running.add(child)
    finally:
        _task.starting &= not main
        if _task.interrupted != before:
            if child:
                _end(child)
                _running.discard(child)
            raise KeyboardInterrupt
    return child


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(GRACE)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        child.kill()


def _checked(argv: Sequence[str], sees: str, env: Mapping[str, str] | None, cwd: str | Path | None) -> dict[str, str]:
    """The environment of a call that may be made, and has been shown."""
    if any(_task.redact.holds(word) for word in argv):
        raise SbsyncError(
            f"Refused to put a secret into a command line: {argv[0]}.",
            "A password that is part of a user's, database's or folder's name cannot be told from it: change one.",
        )
    made = {**environment(sees), **(env or {})}
    if shutil.which(argv[0], path=made.get("PATH")) is None:
        raise MissingToolError(f"{argv[0]} could not be run: there is no such program.")
    if _task.echo:
        print(_shown(argv, env or {}, cwd), file=sys.stderr, flush=True)
    return made


def _shown(argv: Sequence[str], env: Mapping[str, str], cwd: str | Path | None) -> str:
    """A call as a shell takes it; each word is masked before it is quoted, which would hide a secret from the mask."""
    redact = _task.redact
    variables = [f"{key}={shlex.quote(MASK if SECRET.fullmatch(key) else redact(value))}" for key, value in env.items()]
    line = " ".join([*variables, shlex.join(map(redact, argv))])
    return f"(cd {shlex.quote(redact(str(cwd)))} && {line})" if cwd else line


def in_parallel(here: Callable[[], A], there: Callable[[], B]) -> tuple[A, B]:
    """What two calls return, the first made in this thread and the second beside it.

    Both have ended when this does, whatever happens; an error of the first is raised before one of the second.
    """
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(there)
        return here(), other.result()
