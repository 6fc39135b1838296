"""Invoke tasks that keep a local and a remote Supabase database in step, and prove it.

In a `tasks.py`, either `from sbsync_tasks import ns`, or as a part of another collection
`ns.add_collection(Collection.from_module(sbsync_tasks), "db")`, or single tasks:
`from sbsync_tasks import local_to_remote, remote_to_local`.
"""

from .tasks import ns
from .tasks.guide import (
    backup,
    commit,
    diff,
    local_to_remote,
    pull,
    push,
    remote_to_local,
    reset,
    restore,
    review,
    status,
    verify,
)  # fmt: skip
from .tasks.upkeep import doctor, new, psql, resolve, url

__version__ = "0.1.0"

__all__ = [
    "__version__", "backup", "commit", "diff", "doctor", "local_to_remote", "new", "ns", "psql", "pull", "push",
    "remote_to_local", "reset", "resolve", "restore", "review", "status", "url", "verify",
]  # fmt: skip
