"""Which server each environment led to at its last successful run: a note that only ever leads to a warning.

`.sbsync/known.json` holds for each environment the system identifier and the database's name, as the server said them,
and the place as it is shown; no secret.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from ..paths import STATE, state_dir

FILE = "known.json"


@dataclass(frozen=True)
class Known:
    """A server as an earlier run met it.

    Attributes:
        system: Its system identifier.
        database: The database's name.
        where: What it was called on screen.
    """

    system: str
    database: str
    where: str

    def is_same(self, other: Known) -> bool:
        """Whether it is the same database; it may have been reached under another name."""
        return (self.system, self.database) == (other.system, other.database)


def recall(root: Path, env: str) -> Known | None:
    """What is remembered of an environment's remote; None where nothing is, or where it cannot be read."""
    entry = _read(root / STATE / FILE).get(env)
    if not isinstance(entry, dict):
        return None
    return Known(*(str(entry.get(key, "")) for key in ("system", "database", "where")))


def remember(root: Path, env: str, known: Known) -> None:
    """Note an environment's remote; a reader finds the old file or the new one, never half of it."""
    path = state_dir(root) / FILE
    entries = {**_read(path), env: asdict(known)}
    draft = path.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps(entries, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    draft.replace(path)


def _read(path: Path) -> dict[str, object]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
