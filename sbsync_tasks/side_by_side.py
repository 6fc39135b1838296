"""Doing things that do not depend on each other at the same time: mostly waiting for programs and servers."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


def side_by_side(here: Callable[[], A], there: Callable[[], B]) -> tuple[A, B]:
    """What two calls return, the first made in this thread and the second beside it.

    Both have ended when this does, whatever happens; an error of the first is raised before one of the second.
    """
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(there)
        return here(), other.result()
