"""Which backups there are, and which of them somebody means."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sbsync_tasks.console import counted
from sbsync_tasks.errors import ConfigError, SbsyncError

from . import manifest as layout
from .folders import PARTIAL
from .manifest import Manifest


@dataclass(frozen=True)
class Listed:
    """A folder among the backups.

    Attributes:
        path: The folder.
        manifest: What is in it; None where it is no whole backup.
        problem: Why it is none; empty where it is one.
    """

    path: Path
    manifest: Manifest | None
    problem: str = ""

    @property
    def bytes(self) -> int:
        """What it takes on disk, as its manifest has it."""
        return sum(file.bytes for file in self.manifest.files) if self.manifest else 0


def listed(directory: Path) -> tuple[Listed, ...]:
    """The backups in a folder, oldest first; what a run is writing at this moment is none yet."""
    if not directory.is_dir():
        return ()
    folders = (p for p in directory.iterdir() if p.is_dir() and not p.name.startswith(PARTIAL))
    return tuple(_listed(path) for path in sorted(folders))


def _listed(path: Path) -> Listed:
    try:
        return Listed(path, layout.read(path))
    except SbsyncError as error:
        return Listed(path, None, error.message)


def chosen(directory: Path, named: str) -> Listed:
    """The backup that a folder, its name or the beginning of its name means.

    Raises:
        ConfigError: none is meant, or more than one.
        SbsyncError: it is not complete.
    """
    there = listed(directory)
    hint = "`invoke backup --list` lists them."
    if not named:
        whole = [one.path.name for one in there if one.manifest]
        newest = f" The newest is {whole[-1]}." if whole else ""
        raise ConfigError("Which backup? Name it with --backup.", f"{hint}{newest}")
    path = Path(named)
    meant = [one for one in there if one.path.name == named] or [
        one for one in there if one.path.name.startswith(named)
    ]
    if not meant and path.is_dir():
        meant = [_listed(path.absolute())]
    if len(meant) != 1:
        what = f"{len(meant)} backups begin with it" if meant else f"there is no such folder, nor one in {directory}"
        raise ConfigError(f"--backup {named}: {what}.", hint)
    if meant[0].manifest is None:
        raise SbsyncError(meant[0].problem, f"Choose another one: {hint}")
    return meant[0]


def holds(manifest: Manifest) -> str:
    """What is in a backup, in a few words: of how many tables it has the rows, and how many these are."""
    if not manifest.tables:
        return "schema alone"
    rows = sum(table.rows for table in manifest.tables)
    return f"{rows:,} rows of {'every table' if manifest.whole else counted(len(manifest.tables), 'table')}"


def size(number: int) -> str:
    """Bytes as people read them, such as `1.2 MB`."""
    value = float(number)
    for unit in ("bytes", "kB", "MB", "GB"):
        if value < 1000:  # noqa: PLR2004
            return f"{value:.0f} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"
