"""Showing the SQL and what it can do, and asking whether to go on."""

from __future__ import annotations

import os
import shlex
import shutil
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import process
from ..checks import PROBABLE_RENAME, Finding, Review, Severity, mask, unallowed
from ..console import Console, counted
from ..databases.failures import FileFailedError
from ..errors import ConfigError, RefusedError, SbsyncError
from ..folders import state_dir
from ..state.migrations import FILE_PATTERN, Migration, read_folder, read_sql, write_sql
from .files import put_aside, tell_skipped
from .look import look_at_histories
from .losses import reviewed
from .session import Run

if TYPE_CHECKING:
    import psycopg

MARKS = {
    Severity.DATA_LOSS: "error",
    Severity.EXPOSURE: "warning",
    Severity.OPAQUE: "warning",
    Severity.LOCKING: "warning",
    Severity.NOTE: "note",
}


NOTE = "-- !! "  # what is said of a draft in the draft; such lines are no part of it
LONG = 50  # lines of SQL, in all files together: what else there is to say has to fit a screen or two
FEW = 3  # findings of a rule that is not grave, in a file whose SQL is not shown
OFTEN = frozenset([Severity.LOCKING, Severity.NOTE])


def show(console: Console, migration: Migration, found: Review, *, whole: bool = True, path: str = "") -> None:
    """One migration: its SQL where it is shown `whole`, the statements counted, and its findings."""
    console.heading(path or f"supabase/migrations/{migration.file_name}")
    if whole:
        console.sql(mask(migration.sql))
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in found.counts.items())
    long = "" if whole else f"{counted(_lines(migration), 'line')}, "
    console.say(f"{long}{counted(len(found.statements), 'statement')}: {kinds}" if kinds else "no statements", "note")
    _tell(console, found.findings, most=len(found.findings) if whole else FEW)


def _lines(migration: Migration) -> int:
    return migration.sql.rstrip().count("\n") + 1


def _tell(console: Console, findings: Sequence[Finding], most: int) -> None:
    """Findings; of a rule that is not grave no more than `most`, and how many there are beside."""
    told = Counter[str]()
    for finding in findings:
        told[finding.rule] += 1
        if told[finding.rule] <= most or finding.severity not in OFTEN:
            console.say(line(finding), MARKS[finding.severity])
    for rule, count in told.items():
        if count > most and any(f.rule == rule and f.severity in OFTEN for f in findings):
            console.say(f"{rule}: {count - most:,} more, not shown here; --json has all", "note")


def show_all(
    console: Console,
    migrations: Sequence[Migration],
    connection: psycopg.Connection[Any] | None = None,
    *,
    new: Sequence[Migration] = (),
    run: Collection[Migration] | None = None,
    path: str = "",
) -> tuple[Review, ...]:
    """Migrations that are applied one after the other, each with its findings.

    The SQL of `new` ones, which this run has made or somebody has named, is shown however long it is; that of others
    is not, where all of it is long. `run` is as for `reviewed`; `path` is that of the one file that is none of the
    folder's.
    """
    reviews = reviewed(migrations, connection, run)
    short = sum(map(_lines, migrations)) <= LONG
    for migration, found in zip(migrations, reviews, strict=True):
        whole = short or migration in new
        show(console, migration, found, whole=whole, path=path)
    if not short and {*migrations} - {*new}:
        console.say("`invoke review --file VERSION` shows the SQL of one of these files.", "note")
    return reviews


def line(finding: Finding) -> str:
    """A finding in one or two lines."""
    kind = finding.severity.name.lower().replace("_", " ")
    text = f"{kind}, line {finding.line}: {named(finding)}"
    return f"{text}\n    {finding.way_out}" if finding.way_out else text


def named(finding: Finding) -> str:
    """What a finding says, with the object it says it of."""
    return f"{finding.object}: {finding.why}" if finding.object else finding.why


def refuse_blocking(reviews: Iterable[Review], allowed: Sequence[str], where: str, save: str = "") -> None:
    """Refuse, naming each, where data would be lost there that is not `allowed`, or where the SQL cannot be read.

    `save` is the command that writes the SQL into a file, where it stands in none yet.
    """
    reviews = tuple(reviews)
    unreadable = [f for r in reviews for f in r.blocking]
    if unreadable:
        raise RefusedError(
            f"Not every statement can be read, so nothing can be said of it: {unreadable[0].why}",
            "Correct the file; only plain SQL can be pushed.",
        )
    found = [f for r in reviews for f in unallowed(r, allowed)]
    if not found:
        return
    objects = list(dict.fromkeys(f.object for f in found))
    listed = "\n".join(f"  - {named(f)}" for f in found)
    flags = " ".join(f"--allow-data-loss {shlex.quote(o)}" for o in objects)
    renames = [f for r in reviews for f in r.findings if f.rule == PROBABLE_RENAME and f.object in objects]
    raise RefusedError(
        f"This would lose data on {where}:\n{listed}",
        f"{_rename(renames, save)}If the loss is meant, say so by name: {flags}",
    )


def _rename(found: Sequence[Finding], save: str) -> str:
    """How a new name keeps the rows: a comparison of two databases cannot tell it from a loss and something new."""
    if not found:
        return ""
    steps = [
        *([f"`{save}` writes the SQL into supabase/migrations."] if save else []),
        "In the file, put this in the place of what drops the old name and makes the new one:\n"
        + "\n".join(f"     {f.way_out}" for f in found),
        "Run the same command again.",
    ]
    return "\n".join(
        ["Where only a name is new, the rows stay like this:", *(f"  {n}. {s}" for n, s in enumerate(steps, 1)), ""]
    )


def approve(run: Run, migrations: Sequence[Migration], protected: bool) -> tuple[Migration, ...]:
    """Ask, or refuse where nobody can be asked; `e` opens `migrations`, which this run has made, in an editor.

    Where the remote is written to and `protected`, its environment's name has to be typed. Nothing comes back where the
    answer was yes, else the edited migrations: they have to be proved, reviewed and asked about again.
    """
    console, settings = run.console, run.settings
    if protected and console.yes and not settings.env_spelled_out:
        raise RefusedError(
            f"{settings.env} is protected: --yes alone does not cover it. Nothing was changed.",
            f"Spell the environment out as well: --env {settings.env} --yes.",
        )
    if console.yes:
        return ()
    if not console.interactive:
        keep(run, migrations)
        raise RefusedError(
            "Cannot ask for confirmation: this is not a terminal. Nothing was changed.",
            "Check it with --dry-run, then run it with --yes" + (f" --env {settings.env}." if protected else "."),
        )
    return _ask(run, migrations, protected)


class DeclinedError(RefusedError):
    """The user said no."""


def _ask(run: Run, migrations: Sequence[Migration], protected: bool) -> tuple[Migration, ...]:
    console, env = run.console, run.settings.env
    editable = bool(migrations) and _has_editor()
    if migrations and not editable:
        console.say(f"There is no editor {_editor()!r}: to edit the SQL here, set VISUAL or EDITOR.", "note")
    choices = "[y]es, [e]dit, [N]o" if editable else "[y]es, [N]o"
    while True:
        answer = console.ask(f"Go on? {choices}: ").strip().lower()
        if answer in ("e", "edit") and editable and (edited := _edited(run, migrations)):
            return edited
        if answer in ("y", "yes"):
            break
        if answer in ("", "n", "no"):
            raise DeclinedError(f"Declined. Nothing was changed.{keep(run, migrations)}")
    if protected and console.ask(f"{env} is protected. Type its name to go on: ").strip() != env:
        raise DeclinedError(f"That was not {env}. Nothing was changed.{keep(run, migrations)}")
    _drop_drafts(run, migrations)
    return ()


def keep(run: Run, migrations: Sequence[Migration]) -> str:
    """Keep the declined SQL outside `supabase/migrations`, and say where."""
    if not migrations or run.options.dry_run:
        return ""
    names = put_aside(run, "rejected", migrations)
    _drop_drafts(run, migrations)
    return f" The SQL is kept in {names}; the next run generates it again from the database."


def edit_again(run: Run, migrations: tuple[Migration, ...], error: SbsyncError) -> tuple[Migration, ...]:
    """Show what is wrong with the edited SQL, and open it again with that at its line; a DeclinedError on no."""
    text = "\n".join(filter(None, (error.message, error.hint)))
    run.console.say(text, "error")
    while run.console.ask("Edit again? [Y]es, [n]o: ").lower() in ("\n", "y\n", "yes\n"):
        if edited := _edited(run, _noted(migrations, error)):
            return edited
    names = ", ".join(f".sbsync/drafts/{path.name}" for path in _drafts(run, migrations))
    raise DeclinedError(f"Declined. Nothing was changed. Your draft is kept in {names}.")


def _noted(migrations: tuple[Migration, ...], error: SbsyncError) -> tuple[Migration, ...]:
    """The migrations with the error as a comment above its line; without one, at the top."""
    failure = error.failure if isinstance(error, FileFailedError) else None
    found = failure.migration if failure else None
    at = next((i for i, m in enumerate(migrations) if found and m.version == found.version), 0)
    lines = migrations[at].sql.splitlines(keepends=True)
    place = max(failure.line - 1, 0) if failure and found else 0
    lines[place:place] = [f"{NOTE}{line}\n" for line in error.message.splitlines()]
    noted = Migration(migrations[at].version, migrations[at].name, "".join(lines))
    return (*migrations[:at], noted, *migrations[at + 1 :])


def _edited(run: Run, migrations: Sequence[Migration]) -> tuple[Migration, ...]:
    """What the user makes of them, in drafts that stay until they are approved; nothing where the editor fails."""
    edited = []
    for migration, path in zip(migrations, _drafts(run, migrations), strict=True):
        write_sql(path, migration.sql)
        try:
            open_editor(path)
            lines = read_sql(path).splitlines(keepends=True)
        except SbsyncError as error:
            run.console.say(f"{error.message} {error.hint}", "error")
            return ()
        text = "".join(line for line in lines if not line.startswith(NOTE))
        write_sql(path, text)
        edited.append(Migration(migration.version, migration.name, text))
    return tuple(edited)


def _drafts(run: Run, migrations: Sequence[Migration]) -> list[Path]:
    return [state_dir(run.settings.root, "drafts") / m.file_name for m in migrations]


def _drop_drafts(run: Run, migrations: Sequence[Migration]) -> None:
    for path in _drafts(run, migrations):
        path.unlink(missing_ok=True)


def _editor() -> str:
    return os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"


def _has_editor() -> bool:
    try:
        return shutil.which(shlex.split(_editor())[0]) is not None
    except (ValueError, IndexError):
        return False


def open_editor(path: Path) -> None:
    """Run `$VISUAL` or `$EDITOR` on a file (an SbsyncError where it fails); it gets the terminal and no secrets."""
    command = _editor()
    try:
        code = process.hand_over([*shlex.split(command), str(path)])
    except (SbsyncError, ValueError) as error:
        raise SbsyncError(f"The editor {command!r} failed: {error}", "Set VISUAL or EDITOR.") from None
    if code:
        raise SbsyncError(f"The editor {command!r} failed with exit status {code}.", "Set VISUAL or EDITOR.")


def review_files(run: Run, which: str | None) -> None:
    """Show a version, a file, or all that is pending on the remote, with findings; refuse what may not go on."""
    if which:
        migrations, path = _chosen(run, which)
    else:
        state, path = look_at_histories(run, ["remote"]), ""
        tell_skipped(run, state.folder)
        migrations = state.pending
    with nullcontext() if which else run.remote.connection() as connection, run.console.as_result():
        reviews = show_all(run.console, migrations, connection, new=migrations if which else (), path=path)
        if not migrations:
            run.console.say("Nothing is pending on the remote.", "ok")
    run.console.document({"migrations": [_review_data(m, r) for m, r in zip(migrations, reviews, strict=True)]})
    refuse_blocking(reviews, run.options.allow_data_loss, "the database it is applied to")


def _chosen(run: Run, which: str) -> tuple[tuple[Migration, ...], str]:
    """The migrations of a version, or of a file and its path, where that is none of the folder's."""
    files = read_folder(run.settings.root).migrations
    by_version = tuple(m for m in files if which in (m.version, m.file_name))
    if by_version:
        return by_version, ""
    path = Path(which)
    if not path.is_file():
        raise ConfigError(
            f"{which} is neither a version in supabase/migrations nor a file.",
            "`invoke status` lists the versions.",
        )
    match = FILE_PATTERN.fullmatch(path.name)
    version, name = (match[1], match[2]) if match else ("0", path.stem)
    return (Migration(version, name, read_sql(path)),), which


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
