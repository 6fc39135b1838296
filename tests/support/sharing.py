"""Which tests one worker runs in a row: those of a file that share what is made once for it. All others are free.

pytest-xdist has this as `--dist=loadgroup`, which renames the tests to tell their groups, and so finds none of them
with pytest 9.2. Here the first worker writes them down, and the process that deals the tests out reads them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

GROUPS = "groups.json"


def write_groups(run: Path, items: Iterable[pytest.Item]) -> None:
    """Write down the group of each test that is in one."""
    groups = {item.nodeid: found for item in items if isinstance(item, pytest.Function) and (found := group_of(item))}
    (run / GROUPS).write_text(json.dumps(groups), encoding="utf-8")


def group_of(item: pytest.Function) -> str:
    """The file of the test, and the parameters of the fixtures that it shares with others there; empty for none."""
    definitions = item._fixtureinfo.name2fixturedefs
    shared = [name for name, found in definitions.items() if found[-1].scope == "module"]
    if not shared:
        return ""
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    return " ".join([str(item.path), *(str(parameters[name]) for name in shared if name in parameters)])


class Groups(LoadScopeScheduling):
    """Deals out groups first, the largest one before all others, then test by test.

    Args:
        run: The folder that all workers share.
    """

    def __init__(self, config: pytest.Config, log: object, run: Path) -> None:
        super().__init__(config, log)  # type: ignore[arg-type]
        self._run = run
        self._groups: dict[str, str] | None = None

    def _split_scope(self, nodeid: str) -> str:
        if self._groups is None:
            self._groups = json.loads((self._run / GROUPS).read_text(encoding="utf-8"))
        return self._groups.get(nodeid, nodeid)
