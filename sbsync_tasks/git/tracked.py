"""Which files git tracks: those that hold secrets must not be among them."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ..errors import MissingToolError
from . import literal, must, repository

SECRET_FILE = re.compile(r"(supabase/)?\.env(\.(.+\.)?local)?")


def tracks(path: Path) -> bool:
    """Whether git has a file, or anything in a folder; without git or a repository: no."""
    place = Path(os.path.realpath(path.parent))
    try:
        if repository(place) is None:
            return False
    except MissingToolError:
        return False
    return bool(must(place, "ls-files", "-z", "--", *literal([path.name])).names)


def dotenv_files(root: Path) -> tuple[str, ...]:
    """The files whose names start with `.env`, in the project's root and `supabase/`, that git tracks.

    A staged file counts; outside a repository there are none.
    """
    found = repository(root)
    if found is None:
        return ()
    own = str(Path(found.name(root / "supabase" / ".env")).parent)  # without links
    places = [":(glob).env*", *([f":(glob){own}/.env*"] if found.holds(own) else [])]
    names = must(root, "ls-files", "-z", "--", *places).names
    return tuple(name if "/" not in name else f"supabase/{Path(name).name}" for name in names)


def secret_files(root: Path) -> tuple[str, ...]:
    """Those of them that are meant for secrets: `.env`, `.env.local`, `.env.<name>.local`."""
    return tuple(name for name in dotenv_files(root) if SECRET_FILE.fullmatch(name))
