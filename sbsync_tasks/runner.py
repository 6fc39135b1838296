"""The one place that runs programs through Invoke: quoting, environment, redaction, dry runs, encoding."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from invoke.context import Context
from invoke.exceptions import CommandTimedOut, Failure, ThreadException

from .errors import MissingToolError, SbsyncError

MASK = "***"
# Everybody's first password: masking it would mask the name of the role `postgres` everywhere.
NOT_SECRET = {"", "postgres"}
# What a child needs from the user's environment; everything else is left out, so that no stray PG* or
# SUPABASE_* key can turn a call to another database, and no secret reaches a program that needs none.
KEPT = (
    "HOME", "PATH", "USER", "LOGNAME", "SHELL", "TMPDIR", "LANG", "LC_ALL", "LC_CTYPE", "TZ",
    "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "XDG_CACHE_HOME", "XDG_CONFIG_HOME",
)  # fmt: skip


@dataclass(frozen=True)
class Completed:
    """A program that has ended.

    Attributes:
        argv: What was run.
        code: Its exit status.
        stdout: Its output, UTF-8, secrets not masked.
        stderr: Its messages, UTF-8, secrets not masked.
    """

    argv: tuple[str, ...]
    code: int
    stdout: str
    stderr: str

    @property
    def ok(self) -> bool:
        """Whether it succeeded."""
        return self.code == 0


class Redactor:
    """Masks every secret that it was told of: plain, percent-encoded, or as it stands in a JSON string."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: set[str] = set()
        self.add(secrets)

    def add(self, secrets: Iterable[str]) -> None:
        """Learn further secrets."""
        for secret in secrets:
            if secret not in NOT_SECRET:
                in_json = json.dumps(secret, ensure_ascii=False)[1:-1]
                self._secrets |= {secret, quote(secret, safe=""), quote(secret), in_json}

    def __call__(self, text: str) -> str:
        """The text with each secret replaced by `***`."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, MASK)
        return text

    def holds(self, text: str) -> bool:
        """Whether a secret stands in the text."""
        return any(secret in text for secret in self._secrets)


class Runner:
    """Runs programs for one task."""

    def __init__(self, context: Context, redact: Redactor | None = None) -> None:
        self._context = context
        self.redact = redact or Redactor()

    def run(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        timeout: float | None = None,
    ) -> Completed:
        """Run a program to its end, with nothing on stdin and its output kept.

        Reads and throw-away work alike go through here, also under `invoke --dry`: what must not happen
        in a dry run is decided where the plan is made, never by handing back an empty answer.

        Args:
            argv: The program and its arguments; never holds a secret.
            env: Variables on top of the few that are kept from the user's environment.
            cwd: Where it runs.
            timeout: Seconds until it is killed; None waits.

        Raises:
            SbsyncError: it could not be run, or took too long.
            MissingToolError: there is no such program.
        """
        environment = {**kept_environment(), **(env or {})}
        if any(self.redact.holds(word) for word in argv):
            raise SbsyncError(
                f"Refused to put a secret into a command line: {argv[0]}.",
                "A password that is part of a user's, database's or folder's name cannot be told from it: change one.",
            )
        if shutil.which(argv[0], path=environment.get("PATH")) is None:
            raise MissingToolError(f"{argv[0]} could not be run: there is no such program.")
        # Invoke leaves a pipe open on stdin, and a program that reads it would wait for ever. After a timeout it
        # kills what it started: that has to be the program, not a shell around it.
        command = f"exec {shlex.join(argv)} </dev/null"
        if cwd is not None:
            command = f"cd {shlex.quote(str(cwd))} && {command}"
        try:
            with _interrupts_afterwards():
                result = self._context.run(
                    command, env=environment, replace_env=True, hide=True,
                    warn=True, in_stream=False, encoding="utf-8", dry=False, timeout=timeout, pty=False,
                    echo=False,
                )  # fmt: skip
        except CommandTimedOut:
            raise SbsyncError(f"{Path(argv[0]).name} gave no answer within {timeout:.0f} s.") from None
        except (Failure, ThreadException, OSError) as error:
            raise SbsyncError(f"{argv[0]} could not be run: {self.redact(str(error))}") from None
        if result is None:  # invoke < 3 says so of a disowned run only
            raise SbsyncError(f"{argv[0]} could not be run.")
        return Completed(tuple(argv), result.exited, result.stdout, result.stderr)


@contextmanager
def _interrupts_afterwards() -> Iterator[None]:
    """Hold Ctrl-C back until the program has ended, and raise it then.

    A terminal sends it to the program, too. Invoke would swallow it, and the run would go on as after any failure
    (https://docs.pyinvoke.org/en/stable/api/runners.html, `send_interrupt`).

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed meanwhile.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _frame: held.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if held:
            raise KeyboardInterrupt


def kept_environment() -> dict[str, str]:
    """The part of the user's environment that every child gets."""
    return {key: os.environ[key] for key in KEPT if key in os.environ}
