"""What can go wrong, as exceptions that carry a message, the way out and an exit code.

`boundary` (tasks/session.py) is the one place where they become an `invoke.Exit`: no traceback reaches a user.
"""

from __future__ import annotations

OK = 0
FAILED = 1
DIFFERENCES = 2
CONFIGURATION = 3
REFUSED = 4
TOOL_MISSING = 5
INTERRUPTED = 130


class SbsyncError(Exception):
    """Something failed (exit code 1).

    Attributes:
        message: What is wrong, one sentence, naming the value's source where there is one.
        hint: How to go on; empty where the message says it.
        exit_code: The documented exit code of this kind of error.
    """

    exit_code = FAILED

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InterruptedAtQuestion(KeyboardInterrupt):
    """Ctrl-C at a question: nothing has been begun."""


class NoConnectionError(SbsyncError):
    """A server could not be reached, or let nobody in (exit code 1)."""


class ConfigError(SbsyncError):
    """A setting is wrong or missing (exit code 3)."""

    exit_code = CONFIGURATION


class RefusedError(SbsyncError):
    """A safety check refused, or the user declined (exit code 4)."""

    exit_code = REFUSED


class MissingToolError(SbsyncError):
    """A program that the work needs is not there (exit code 5)."""

    exit_code = TOOL_MISSING
