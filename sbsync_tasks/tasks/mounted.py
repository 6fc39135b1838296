"""What the tasks are called where the user's `tasks.py` has put them, for the hints that name one."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping

NAMED = re.compile(r"\binvoke (?P<task>[a-z][a-z0-9.-]*[a-z])")


def in_place(text: str, names: Mapping[str, str]) -> str:
    """A text in which each `invoke TASK` has the name under which that task is mounted."""
    return NAMED.sub(lambda found: f"invoke {names.get(found['task'], found['task'])}", text)


def names() -> Mapping[str, str]:
    """Each task's own name, and the one in the collection that Invoke runs; empty where Invoke runs none."""
    from invoke.executor import Executor

    from . import ns

    frame = inspect.currentframe()  # Invoke hands its collection to no task
    while frame is not None and not isinstance(frame.f_locals.get("self"), Executor):
        frame = frame.f_back
    if frame is None:
        return {}
    collection = frame.f_locals["self"].collection
    mounted = {collection[name].body: name for name in collection.task_names}
    return {name: mounted[ns[name].body] for name in ns.task_names if ns[name].body in mounted}
