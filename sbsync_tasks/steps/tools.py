"""The steps for the tasks that are used alone: each looks, shows its plan, acts, and looks again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import git, histories
from ..databases.catalog import Difference, compare
from ..errors import ConfigError, RefusedError
from ..histories import Verdict
from ..migrations import FILE_PATTERN, Migration, checked_name, read_folder
from ..proof import Proof
from ..review import Review
from ..review import review as find
from . import backup, commit, preflight, reset, review, verify, write
from .diff import Changes, changes, generate, listed
from .run import Run, Work


@dataclass(frozen=True)
class Unrecorded:
    """A database's unrecorded changes.

    Attributes:
        migrations: The changes as migrations; files where a name was given.
        by_hand: Files whose effect is there without being recorded.
        unwritable: Differences that no SQL is written for.
        written: Whether the migrations stand in the folder now.
    """

    migrations: tuple[Migration, ...]
    by_hand: tuple[Migration, ...]
    unwritable: tuple[Difference, ...]
    written: bool

    @property
    def none(self) -> bool:
        """Whether there are no changes at all."""
        return not (self.migrations or self.by_hand or self.unwritable)

    def document(self) -> dict[str, Any]:
        """The changes as JSON data."""
        return {
            "sql": "\n".join(m.sql for m in self.migrations),
            "files": [m.file_name for m in self.migrations] if self.written else [],
            "unrecorded_files": [m.file_name for m in self.by_hand],
            "without_sql": [d.summary for d in self.unwritable],
        }


def unrecorded(run: Run, *, remote: bool) -> Unrecorded:
    """The unrecorded changes of one database, proved on a shadow; written where a name was given."""
    name = checked_name(run.options.name) if run.options.name else "changes"
    database = run.remote if remote else run.local
    with database.connection() as connection:
        history = histories.read(connection)
    folder = read_folder(run.settings.root)
    found: Changes = changes(run, database, history, folder.migrations)
    if not found.differences:
        return Unrecorded((), found.by_hand, (), written=False)
    versions = [*history, *(m.version for m in folder.migrations)]
    made = generate(run, database, found.base, name, versions)
    written = bool(run.options.name and not run.options.dry_run)
    if written:
        work = Work(folder, history, history, (), new=made.migrations)
        write.write_files(run, work)
    return Unrecorded(made.migrations, (), made.unwritable, written)


def tell_changes(run: Run, found: Unrecorded) -> None:
    """What was found, in words, on stderr."""
    console = run.console
    if found.none:
        console.say("No unrecorded changes.", "ok")
    for migration in found.by_hand:
        console.say(f"{migration.file_name}: its effect is there, and it is not recorded", "warning")
    if found.unwritable:
        console.say(
            "The CLI's diff engine writes no SQL for:\n" + listed([d.summary for d in found.unwritable]),
            "warning",
        )
    if found.written:
        for migration in found.migrations:
            console.say(f"wrote supabase/migrations/{migration.file_name}", "ok")


def review_files(run: Run, which: str | None) -> None:
    """Show migrations and their findings; stop where they may not go on.

    Args:
        run: The run.
        which: A version, a path, or None for everything that is pending on the remote.

    Raises:
        RefusedError: data could be lost without being allowed, or the SQL cannot be read.
    """
    migrations = _chosen(run, which) if which else _pending(run)
    reviews = [(m, find(m.sql)) for m in migrations]
    for migration, found in reviews:
        review.show(run.console, migration, found)
    run.console.document({"migrations": [_review_data(m, r) for m, r in reviews]})
    if not migrations:
        run.console.say("Nothing is pending on the remote.", "ok")
    review.refuse_blocking(migrations, run.options.allow_data_loss, "the database it is applied to")


def _chosen(run: Run, which: str) -> tuple[Migration, ...]:
    files = read_folder(run.settings.root).migrations
    by_version = tuple(m for m in files if which in (m.version, m.file_name))
    if by_version:
        return by_version
    path = Path(which)
    if not path.is_file():
        raise ConfigError(
            f"{which} is neither a version in supabase/migrations nor a file.",
            "`invoke status` lists the versions.",
        )
    match = FILE_PATTERN.fullmatch(path.name)
    version, name = (match[1], match[2]) if match else ("0", path.stem)
    return (Migration(version, name, path.read_text(encoding="utf-8")),)


def _pending(run: Run) -> tuple[Migration, ...]:
    with run.remote.connection() as connection:
        history = histories.read(connection)
    return tuple(m for m in read_folder(run.settings.root).migrations if m.version not in history)


def _review_data(migration: Migration, found: Review) -> dict[str, Any]:
    return {
        "file": migration.file_name,
        "statements": len(found.statements),
        "counts": dict(found.counts),
        "findings": [
            {
                "rule": f.rule, "severity": f.severity.name.lower(), "object": f.object, "line": f.line,
                "why": f.why, "way_out": f.way_out,
            }
            for f in found.findings
        ],
    }  # fmt: skip


def reset_local(run: Run) -> None:
    """Rebuild the local database, after a backup, from what the folder holds."""
    folder = read_folder(run.settings.root)
    with run.local.connection() as connection:
        history = histories.read(connection)
    work = Work(folder, history, {}, histories.compare(folder, history, {}))
    console, label = run.console, run.local.label
    run.shadow(work.files, run.local_identity.major)  # proves that the files apply before anything is lost
    plan = f"back up {label}, rebuild it from {len(work.files)} migrations and run the seeds"
    if run.options.dry_run:
        console.say(f"A run would {plan}.", "ok")
        return
    console.confirm(f"{plan[0].upper()}{plan[1:]}?")
    with console.step("reset", plan):
        work = reset.rebuild(run, work)
    shadow = run.catalog(run.shadow(work.files, run.local_identity.major))
    left = compare(shadow, run.catalog(run.local))
    if left:
        raise RefusedError(f"{label} is not what the migrations say:\n" + listed([d.summary for d in left]))
    made = work.backups[-1]
    console.say(f"{run.local.label} is what the migrations say. Backup of what it was: {made.path}", "ok")
    console.document({"backup": str(made.path), "migrations": [m.file_name for m in work.files]})


def commit_files(run: Run, message: str) -> None:
    """Commit the migration files that git does not have yet."""
    root = run.settings.root
    for warning in git.check_ready(root):
        run.console.say(warning, "warning")
    files = read_folder(root).migrations
    left = commit.not_in_git(run, files)
    if not left:
        run.console.say("Nothing to commit: git has every migration.", "ok")
        run.console.document({"commit": "", "files": []})
        return
    names = ", ".join(p.name for p in left)
    if run.options.dry_run:
        run.console.say(f"A run would commit {names}.", "ok")
        return
    run.console.confirm(f"Commit {names}?")
    made = git.commit(root, left, message)
    run.console.say(f"committed {names} as {made.commit}", "ok")
    run.console.document({"commit": made.commit, "files": list(made.files)})


def prove(run: Run) -> Proof:
    """The proof of the two databases as they are."""
    work = verify.verify(run, preflight.look(run))
    assert work.proof is not None  # noqa: S101 - verify always makes one
    return work.proof


def back_up(run: Run, *, local: bool, schema_only: bool) -> None:
    """Take a backup on request."""
    database = run.local if local else run.remote
    label = "local" if local else run.settings.env
    tables: list[str] | None = [] if schema_only else None
    if run.options.dry_run:
        run.console.say(f"A run would back up {database.label}.", "ok")
        return
    with run.console.step("backup", f"back up {database.label}"):
        made = backup.take(run, database, label, "on-request", tables)
    run.console.result(str(made.path))
    run.console.document({"backup": str(made.path)})


def status(run: Run) -> bool:
    """Show every version's state, and each database's drift.

    Returns:
        Whether anything is pending or differs.
    """
    work = preflight.look(run)
    local = changes(run, run.local, work.local_history, work.files)
    remote = changes(run, run.remote, work.remote_history, work.files)
    rows = [
        [
            row.version,
            row.name,
            _tick(row.file),
            _tick(row.local),
            _tick(row.remote),
            row.verdict.value,
        ]
        for row in work.rows
    ]
    console = run.console
    console.heading(f"{run.local.label} ⇄ {run.remote.label}")
    console.table(["version", "name", "file", "local", "remote", "state"], rows)
    for label, found in ((run.local.label, local), (run.remote.label, remote)):
        _tell_drift(run, label, found)
    console.document(
        {
            "local": run.local.label, "remote": run.remote.label,
            "versions": [dict(zip(_COLUMNS, row, strict=True)) for row in rows],
            "local_changes": _drift_data(local), "remote_changes": _drift_data(remote),
            "misnamed": list(work.folder.misnamed), "duplicates": list(work.folder.duplicates),
        }
    )  # fmt: skip
    applied = all(row.verdict is Verdict.APPLIED for row in work.rows)
    return not (applied and local.none and remote.none)


_COLUMNS = ("version", "name", "file", "local", "remote", "state")


def _tick(value: object) -> str:
    return "✓" if value else "-"


def _tell_drift(run: Run, label: str, found: Changes) -> None:
    if found.none:
        run.console.say(f"{label} is what its history says.", "ok")
    for migration in found.by_hand:
        run.console.say(f"{label} has {migration.file_name} without having recorded it.", "warning")
    if found.differences:
        run.console.say(
            f"{label} differs from its history:\n" + listed([d.summary for d in found.differences]),
            "warning",
        )


def _drift_data(found: Changes) -> dict[str, Any]:
    return {
        "differences": [d.summary for d in found.differences],
        "unrecorded_files": [m.file_name for m in found.by_hand],
    }
