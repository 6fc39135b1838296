"""Where the databases of a project are kept, and whose processes and files they are.

An ordinary user runs the server itself. PostgreSQL refuses to run as root, so for root it is run by a system user
without rights; that user cannot see into a home of mode 0700, so everything lives in a private directory below /var/tmp
then.

`.sbsync/id` names the project, and says which folder that is, so the databases belong to it whatever path it has: a
folder that was made anew meets no old ones, one that was moved keeps its own, and a copy gets fresh ones, since the
folder that it was copied from is still there. Two clones have an id each, since git does not see it.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from sbsync_tasks.errors import ConfigError, MissingToolError
from sbsync_tasks.folders import STATE, cache_dir, locked, state_dir
from sbsync_tasks.process import How

ROOT_HOME = Path("/var/tmp/sbsync-root")  # noqa: S108 -- its owner and mode are checked before use
UNPRIVILEGED = ("nobody", "postgres")
# Others of the same group may pass through to what is theirs, but not list or write.
PASS_THROUGH = 0o710
ID = Path(STATE, "id")  # the id; then, on a line of its own, device and inode of this file and the folder's path
OWNER = ".project"  # that line, beside root's databases
# Nothing is there, and nothing can be made there.
NOWHERE = Path(os.devnull, "nothing")


@dataclass(frozen=True)
class Account:
    """The user that runs the server, by number; `dropped` where it is another one than we are, because we are root."""

    uid: int
    gid: int
    dropped: bool

    def run_as(self) -> How:
        """What to give to `process.run` to run a program as this user, with files for nobody else."""
        if not self.dropped:
            return {"umask": 0o077}
        return {"umask": 0o077, "user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        """Make one file or folder this user's."""
        if self.dropped:
            os.chown(path, self.uid, self.gid)


def account() -> Account:
    """The account for the user we are.

    Raises:
        MissingToolError: we are root and there is no unprivileged user to run the server.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), dropped=False)
    for name in UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, dropped=True)
    raise MissingToolError(
        f"PostgreSQL does not run as root, and there is no user {' or '.join(UNPRIVILEGED)} here.",
        "Run this as an ordinary user, or create one: adduser --system nobody",
    )


def home(*parts: str) -> Path:
    """The folder for what this user's projects share, or one in it; made on the way."""
    folder = private_dir(ROOT_HOME) if account().dropped else cache_dir("embedded")
    for part in parts:
        folder = private_dir(folder / part)
    return folder


def private_dir(path: Path) -> Path:
    """A folder of ours that only the server's user may pass through.

    Raises:
        ConfigError: somebody else made it, or others may write to it.
    """
    path.mkdir(mode=PASS_THROUGH, parents=True, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise ConfigError(
            f"{path} is not a private folder of this user, so no database is put there.",
            "Find out who made it, then remove it.",
        )
    os.chown(path, -1, account().gid)
    path.chmod(PASS_THROUGH)
    return path


def place_of(root: Path) -> Path:
    """Where the clusters of a project are; `NOWHERE` while it has none of its own. Nothing is made for it."""
    name, owner = _known(root)
    return _place(root, name) if name and _belongs(root, name, owner) else NOWHERE


def make_place(root: Path) -> Path:
    """The same, made on the way."""
    place = _place(root, identify(root))
    if not account().dropped:
        return state_dir(root, "embedded")
    home("clusters")
    private_dir(place)
    owner = text_of(root / ID).partition("\n")[2]
    if text_of(place / OWNER) != owner:
        _write(place / OWNER, owner)
    return place


def identify(root: Path) -> str:
    """The project's id, which no other folder has; made on the way."""
    with locked(state_dir(root) / ".id.lock"):
        name, owner = _known(root)
        if not name or not _belongs(root, name, owner):
            if name and not account().dropped:  # copied along, maybe while their servers were writing
                shutil.rmtree(_place(root, name), ignore_errors=True)
            name, owner = secrets.token_hex(8), ""
        if not owner or owner != _self(root / ID, root):
            _write(root / ID, name, root)
    return name


def is_there(path: str, name: str) -> bool:
    """Whether the project of that id is in this folder, or in one that this user may not look into."""
    try:
        return (Path(path) / ID).read_text(encoding="utf-8", errors="surrogateescape").partition("\n")[0] == name
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
    found = sorted((ROOT_HOME / "clusters").glob("*")) if account().dropped else ()
    return {place: text_of(place / OWNER).partition(" ")[2] for place in found}


def _place(root: Path, name: str) -> Path:
    """As root not below the project, whose folder the server's user may not be able to enter."""
    return ROOT_HOME / "clusters" / name if account().dropped else root / STATE / "embedded"


def _known(root: Path) -> tuple[str, str]:
    """The id, and which folder it belongs to; empty where that is not known. Of root's copies one has the databases."""
    name, _, owner = text_of(root / ID).partition("\n")
    return name, (text_of(_place(root, name) / OWNER) if name else "") or owner


def _belongs(root: Path, name: str, owner: str) -> bool:
    """Whether an id is this folder's, and not that of another one that is there under the same id."""
    file, _, path = owner.partition(" ")
    mine, theirs = root / ID, Path(path) / ID
    return path in ("", str(root)) or file == _file(mine) or not is_there(path, name) or theirs.samefile(mine)


def _self(file: Path, root: Path) -> str:
    return f"{_file(file)} {root}"


def _file(path: Path) -> str:
    found = path.stat()
    return f"{found.st_dev}:{found.st_ino}"


def text_of(path: Path, errors: str = "surrogateescape") -> str:
    """What stands in a file; nothing where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors=errors)
    except OSError:
        return ""


def _write(path: Path, text: str, folder: Path | None = None) -> None:
    """Whole or not at all, as a file of its own (0600); with a folder, which file of which folder it is."""
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    new.write_text(f"{text}\n{_self(new, folder)}" if folder else text, encoding="utf-8", errors="surrogateescape")
    new.replace(path)
