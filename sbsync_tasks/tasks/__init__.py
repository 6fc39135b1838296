"""Every task, and the collection that holds them."""

from invoke.collection import Collection

from . import guide, sandbox, upkeep

ns = Collection("sbsync", sandbox)
for _module in (guide, upkeep):
    for _task in Collection.from_module(_module).tasks.values():
        ns.add_task(_task)
