"""Every task, and the collection that holds them."""

from invoke.collection import Collection

from . import sandbox
from .guide import backup, commit, diff, pull, push, reset, restore, review, status, verify
from .scenarios import local_to_remote, remote_to_local
from .upkeep import demo, doctor, new, psql, resolve, url

ns = Collection("sbsync")
for _task in (
    local_to_remote, remote_to_local, diff, review, reset, push, pull, commit, verify, backup, restore, status, doctor,
    new, resolve, url, psql, demo,
):  # fmt: skip
    ns.add_task(_task)
ns.add_collection(Collection.from_module(sandbox), "sandbox")

__all__ = [
    "backup", "commit", "demo", "diff", "doctor", "local_to_remote", "new", "ns", "psql", "pull", "push",
    "remote_to_local", "reset", "resolve", "restore", "review", "sandbox", "status", "url", "verify",
]  # fmt: skip
