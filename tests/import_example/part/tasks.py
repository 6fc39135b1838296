"""A project with tasks of its own that has the collection as a part, under the name `db`."""

from invoke.collection import Collection
from invoke.context import Context
from invoke.tasks import task

import sbsync_tasks


@task
def build(context: Context) -> None:
    """Build the application."""
    context.run("echo built")


ns = Collection(build)
ns.add_collection(Collection.from_module(sbsync_tasks), "db")
# Invoke takes what the root says for the whole of `sbsync`, so a collection's own defaults must not live there.
ns.configure({"sbsync": {"backup": "full"}})
