"""Whose processes and files an embedded PostgreSQL's are, and where the shared ones are kept.

An ordinary user runs the server itself. PostgreSQL refuses to run as root, so for root it is run
by a system user without rights; that user cannot see into a home of mode 0700, so everything lives
in a private directory below /var/tmp then.
"""

from __future__ import annotations

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from sbsync_tasks.errors import ConfigError, MissingToolError
from sbsync_tasks.paths import cache_dir
from sbsync_tasks.process import How

ROOT_HOME = Path("/var/tmp/sbsync-root")  # noqa: S108 -- its owner and mode are checked before use
UNPRIVILEGED = ("nobody", "postgres")
# Others of the same group may pass through to what is theirs, but not list or write.
PASS_THROUGH = 0o710


@dataclass(frozen=True)
class Account:
    """The user that runs the server.

    Attributes:
        uid: Its number.
        gid: Its group's number.
        dropped: Whether it is another user than we are, because we are root.
    """

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


def current() -> Account:
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


def home() -> Path:
    """The folder for server trees, the base and, as root, the clusters; made on the way."""
    account = current()
    return private_dir(ROOT_HOME, account) if account.dropped else cache_dir("embedded")


def private_dir(path: Path, account: Account) -> Path:
    """A folder that belongs to root and that only the server's user may pass through.

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
    os.chown(path, -1, account.gid)
    path.chmod(PASS_THROUGH)
    return path
