"""Which project a folder is, and where its clusters are. They belong to the project, whatever path its folder has.

`.sbsync/id` names the project; a file beside its clusters says which folder they belong to. So a folder that was made
anew meets no old databases, one that was moved keeps its own, and a copy gets fresh ones: the folder that it was
copied from is still there, under the same id. Two clones have an id each, since git does not see it.
"""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path

from sbsync_tasks.paths import STATE, state_dir

from . import account
from .locks import locked

ID = Path(STATE, "id")
OWNER = ".project"  # device and inode of the folder's id file, then the folder's path
# Nothing is there, and nothing can be made there.
NOWHERE = Path(os.devnull, "nothing")


def place_of(root: Path) -> Path:
    """Where the clusters of a project are; `NOWHERE` while it has none of its own. Nothing is made for it."""
    name = _read(root / ID)
    place = _place(root, name)
    return place if name and _belongs(place, root, name) else NOWHERE


def make_place(root: Path) -> Path:
    """The same, made on the way."""
    user = account.current()
    with locked(state_dir(root) / ".id.lock"):
        name = _read(root / ID)
        if not name or not _belongs(_place(root, name), root, name):
            if name and not user.dropped:  # copied along, maybe while their servers were writing
                shutil.rmtree(_place(root, name), ignore_errors=True)
            name = secrets.token_hex(8)
            _write(root / ID, name)
        place = _place(root, name)
        if user.dropped:
            account.private_dir(account.home() / "clusters", user)
            account.private_dir(place, user)
        else:
            state_dir(root, "embedded")
        owner = f"{_file(root / ID)} {root}"
        if _read(place / OWNER) != owner:
            _write(place / OWNER, owner)
    return place


def identify(root: Path) -> str:
    """The project's id, which no other folder has; made on the way."""
    make_place(root)
    return _read(root / ID)


def is_there(path: str, name: str) -> bool:
    """Whether the project of that id is in this folder, or in one that this user may not look into."""
    try:
        return (Path(path) / ID).read_text(encoding="utf-8") == name
    except PermissionError:
        return True
    except OSError:
        return False


def orphans() -> dict[Path, str]:
    """The places whose project is no longer where it was, with its path; empty where that is not known.

    Only root's can be left: those of an ordinary user are below the project's folder.
    """
    found = {place: path for place, path in owners().items() if not path or not is_there(path, place.name)}
    return {place: path for place, path in found.items() if any(place.glob("[!.]*"))}


def owners() -> dict[Path, str]:
    """Root's places, each with the path of its project; empty for another user."""
    found = sorted((account.ROOT_HOME / "clusters").glob("*")) if account.current().dropped else ()
    return {place: _owner(place)[1] for place in found}


def _place(root: Path, name: str) -> Path:
    """As root not below the project, see `account`."""
    return account.ROOT_HOME / "clusters" / name if account.current().dropped else root / STATE / "embedded"


def _belongs(place: Path, root: Path, name: str) -> bool:
    """Whether a place is this folder's, and not that of another one that is there under the same id."""
    file, path = _owner(place)
    mine, theirs = root / ID, Path(path) / ID
    return path in ("", str(root)) or file == _file(mine) or _read(theirs) != name or theirs.samefile(mine)


def _owner(place: Path) -> tuple[str, str]:
    file, _, path = _read(place / OWNER).partition(" ")
    return file, path


def _file(path: Path) -> str:
    found = path.stat()
    return f"{found.st_dev}:{found.st_ino}"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""


def _write(path: Path, text: str) -> None:
    """Whole or not at all, as a file of its own (0600)."""
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    new.write_text(text, encoding="utf-8", errors="surrogateescape")
    new.replace(path)
