"""Keeping two processes from working on the same cluster at once."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sbsync_tasks.errors import SbsyncError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WAIT_SECONDS = 120.0
POLL_SECONDS = 0.02


@contextmanager
def locked(path: Path, *, wait: float = WAIT_SECONDS) -> Iterator[None]:
    """Hold the lock file `path`, waiting for whoever holds it now.

    The lock goes with the process: nothing is left behind by one that was killed.

    Args:
        path: The lock file; made when absent, never removed.
        wait: How long to wait, in seconds.

    Raises:
        SbsyncError: it was still held after `wait` seconds.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _take(handle, path, time.monotonic() + wait)
        yield
    finally:
        os.close(handle)


def _take(handle: int, path: Path, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise SbsyncError(
                    f"Another process has worked on this embedded database too long ({path}).",
                    "Wait for it, or end it, and run the command again.",
                ) from None
            time.sleep(POLL_SECONDS)
        else:
            return
