"""A server's files copied once to the cache, with the extension files that it lacks."""

from __future__ import annotations

import hashlib
import os
import shutil
from functools import cache
from pathlib import Path

from sbsync_tasks import process
from sbsync_tasks.errors import MissingToolError

from . import account, files, stand_ins
from .binaries import INSTALL, Binaries
from .locks import locked

OUR_EXTENSIONS = Path(__file__).parent / "extensions"
# Extensions that `postgres` may create on the platform although they are not "trusted" in plain
# PostgreSQL (supabase/postgres: supautils.privileged_extensions, ansible/files/postgresql_config).
PRIVILEGED = frozenset((
    "autoinc", "bloom", "btree_gin", "btree_gist", "citext", "cube", "dblink", "dict_int",
    "dict_xsyn", "earthdistance", "fuzzystrmatch", "hstore", "insert_username", "intarray", "isn",
    "ltree", "moddatetime", "pg_prewarm", "pg_stat_statements", "pg_trgm", "pg_walinspect",
    "pgcrypto", "pgrowlocks", "pgstattuple", "plpgsql", "postgres_fdw", "refint", "seg",
    "sslinfo", "tablefunc", "tcn", "tsm_system_rows", "tsm_system_time", "unaccent", "uuid-ossp",
))  # fmt: skip
# Only needed to build programs against PostgreSQL, or to read about it.
LEFT_OUT = shutil.ignore_patterns("*.a", "pgxs", "pkgconfig", "doc", "man", "locale", "bitcode")


def ours_digest() -> str:
    """A hash of everything that is added to a server's files."""
    digest = hashlib.sha256(" ".join(sorted(PRIVILEGED)).encode())
    own = (*OUR_EXTENSIONS.iterdir(), *stand_ins.SQL.iterdir(), Path(stand_ins.__file__))
    for path in sorted(own):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def brought(binaries: Binaries) -> str:
    """What a server brings of that for which others get a stand-in; some of it may have been installed since."""
    return " ".join(sorted(stand_ins.better_real(binaries.extensions)))


@cache
def server_tree(binaries: Binaries) -> Path:
    """The folder with the copied server's programs, copied on first use, looked at once per process.

    Raises:
        MissingToolError: the copy does not run, so this PostgreSQL cannot be moved.
    """
    real = binaries.bindir.resolve()  # as pg_config has it
    key = hashlib.sha256(f"{real} {binaries.version} {ours_digest()} {brought(binaries)}".encode())
    place = account.home() / "servers"
    target = place / f"{binaries.version}-{key.hexdigest()[:12]}"
    dirs = _directories(real)
    bindir = target / dirs["bindir"].relative_to(_common(dirs))
    with locked(place / f"{target.name}.lock"):
        place.chmod(account.PASS_THROUGH)
        os.chown(place, -1, account.current().gid)
        if not files.is_whole(target):
            _build(binaries, dirs, target)
    return bindir


def _build(binaries: Binaries, dirs: dict[str, Path], target: Path) -> None:
    half, old = target.with_name(f"{target.name}.new"), target.with_name(f"{target.name}.old")
    shutil.rmtree(half, ignore_errors=True)
    for folder in _outermost(dirs):
        copy = half / folder.relative_to(_common(dirs))
        shutil.copytree(folder, copy, symlinks=False, ignore=_left_out)
    _add_extensions(half / dirs["sharedir"].relative_to(_common(dirs)) / "extension")
    _open_to_server(half)
    _check_runs(binaries, half, half / dirs["bindir"].relative_to(_common(dirs)))
    files.seal(half)
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    half.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def _left_out(folder: str, names: list[str]) -> set[str]:
    """What is not copied; links that lead nowhere are not, either (`copytree` looks for them from the wrong folder)."""
    return {*LEFT_OUT(folder, names), *(n for n in names if not (Path(folder) / n).exists())}


def _directories(bindir: Path) -> dict[str, Path]:
    """Where a server keeps its parts, as its own `pg_config` says, relative to itself."""
    if not (bindir / "pg_config").exists():  # a server from npm, which has none: the layout that it was built for
        top = bindir.parent
        return {
            "bindir": bindir, "sharedir": top / "share" / "postgresql", "pkglibdir": top / "lib" / "postgresql",
            "libdir": top / "lib",
        }  # fmt: skip
    keys = ("sharedir", "pkglibdir", "libdir")
    argv = [str(bindir / "pg_config"), *(f"--{key}" for key in keys)]
    places = [Path(line) for line in process.printed(argv).split("\n")]
    if len(places) != len(keys) or not all(place.is_absolute() for place in places):
        raise MissingToolError(
            f"The answer of {bindir / 'pg_config'} cannot be read: three folders are asked for.",
            f"Use another PostgreSQL: {INSTALL}",
        )
    found = dict(zip(keys, places, strict=True))
    # A system's own library folder holds everything else, too; programs find it without us.
    if found["libdir"] not in (found["pkglibdir"], *found["pkglibdir"].parents) or (
        found["libdir"].parent != bindir.parent
    ):
        del found["libdir"]
    return {"bindir": bindir, **found}


def _common(dirs: dict[str, Path]) -> Path:
    return Path(os.path.commonpath([str(path) for path in dirs.values()]))


def _outermost(dirs: dict[str, Path]) -> list[Path]:
    """The folders to copy, without those that lie inside another one."""
    places = set(dirs.values())
    return sorted(place for place in places if not places & set(place.parents))


def _add_extensions(folder: Path) -> None:
    """Mark what the platform lets `postgres` create as trusted, and add our own extensions.

    Ours stand in for a server's own, too: some come without the library that theirs needs.
    """
    for path in OUR_EXTENSIONS.iterdir():
        shutil.copyfile(path, folder / path.name)
    for name in sorted(PRIVILEGED.union(stand_ins.STAND_INS, stand_ins.EMPTY, stand_ins.WITHOUT)):
        control = folder / f"{name}.control"
        if control.exists():
            text = control.read_text(encoding="utf-8")
            control.write_text(f"{text.rstrip()}\ntrusted = true\n", encoding="utf-8")
    stand_ins.add(folder)


def _open_to_server(folder: Path) -> None:
    """Let the server's user read and run the copy, and nobody write to it but us."""
    gid = account.current().gid
    for path in (folder, *folder.rglob("*")):
        runs = path.is_dir() or path.stat().st_mode & 0o100
        os.chown(path, -1, gid)
        path.chmod(0o750 if runs else 0o640)


def _check_runs(binaries: Binaries, top: Path, bindir: Path) -> None:
    """See that the copied server runs, has the right version and reads the copied files."""
    for program, option, expected in (
        ("postgres", "--version", binaries.version),
        ("pg_config", "--sharedir", str(top)),
        ("pg_config", "--pkglibdir", str(top)),
    ):
        argv = [str(bindir / program), option]
        if (bindir / program).exists() and expected not in process.printed(argv, **account.current().run_as()):
            raise MissingToolError(
                f"The PostgreSQL in {binaries.bindir} does not run from another place.",
                f"Use another: {INSTALL}",
            )
