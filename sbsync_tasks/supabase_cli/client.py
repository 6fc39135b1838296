"""The calls to the Supabase CLI that the steps need, each hermetic and with an explicit target.

A call sees a private project folder that holds just the migrations it is meant to see, a private empty
working directory, and a replaced environment. So neither the user's shell nor any `.env` file that the CLI
would read on its own (it reads those of its working directory and of the project) can change what it does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ..endpoint import Endpoint
from ..errors import MissingToolError, SbsyncError
from ..paths import private_tempdir
from ..process import NETWORK, Completed, run
from ..settings.project import ConfigToml
from ..state.migrations import Migration
from . import private_project, refusals
from .binary import QUICK, Binary
from .dialect import diff_flags, target_flags

FOR_EVER = ("", "0")  # nothing is sent then: some poolers take no options
# How the CLI marks a warning on stderr; one about seed files goes on over the next lines.
WARNING = re.compile(r"(?:WARN(?:ING)?|Warning)\b:?\s*(.+)|(no files matched pattern: .+)")

SEEDING = re.compile(r"^Seeding data from (.+)\.\.\.$", re.MULTILINE)
# What a push or a reset was at: a migration, `roles.sql`, or a seed file.
AT = re.compile(r"^(Applying migration|Seeding globals from|Seeding data from) (.+)\.\.\.$", re.MULTILINE)


class CliError(SbsyncError):
    """A call to the CLI failed.

    Attributes:
        code: The CLI's own word for it, such as `DbPushApplyError`; empty where it gave none.
        sqlstate: PostgreSQL's error code where one stands in the message, such as `55P04`.
        said: What it said, without our words around it.
        file: The file that it was at, such as `20260101000000_a.sql` or `supabase/seed.sql`; empty for none.
    """

    def __init__(
        self, message: str, hint: str = "", *, code: str = "", sqlstate: str = "", said: str = "", file: str = ""
    ) -> None:
        super().__init__(message, hint)
        self.code = code
        self.sqlstate = sqlstate
        self.said = said or message
        self.file = file


class EngineRefusedError(CliError):
    """The diff engine wrote nothing, for a cause that is told; databases and connections are well.

    Attributes:
        about: The object that it stumbled over, such as `schema app`; empty where it named none.
    """

    def __init__(self, cause: str, way_out: str, about: str) -> None:
        super().__init__(cause, way_out, code=refusals.REFUSED)
        self.about = about


@dataclass(frozen=True)
class Pushed:
    """What a push did: the names of the migration files and of the seed files that were run."""

    migrations: tuple[str, ...]
    seeds: tuple[str, ...]

    def refuse_left_out(self, expected: Iterable[Migration]) -> None:
        """The CLI says that all is well also where it was told to leave migrations out.

        Raises:
            CliError: one of `expected` was not applied.
        """
        left_out = [m.file_name for m in expected if m.file_name not in self.migrations]
        if left_out:
            raise CliError(
                f"The CLI did not apply {', '.join(left_out)}, and gave no error.",
                "Does supabase/config.toml say `enabled = false` under [db.migrations]?",
            )


class SupabaseCli:
    """One CLI, for one project.

    Args:
        binary: The program.
        config: The user's configuration; roles and seeds stand beside it.
        warn: Told each warning of the CLI, once.
        at: Told the migration file that is applied now, its number among those that are expected, and their number.
    """

    def __init__(
        self,
        binary: Binary,
        config: ConfigToml,
        warn: Callable[[str], None] = lambda _: None,
        at: Callable[[str, int, int], None] = lambda _file, _number, _of: None,
    ) -> None:
        self.binary = binary
        self.config = config
        self._warn = warn
        self._told: set[str] = set()
        self._at = at
        self._expected: dict[str, tuple[int, int]] = {}

    def expect(self, migrations: Sequence[Migration]) -> None:
        """What the next push is going to apply, so that it can be told how far it is."""
        self._expected.update({m.file_name: (n, len(migrations)) for n, m in enumerate(migrations, 1)})

    def diff(self, source: Endpoint, target: Endpoint, schemas: Sequence[str] = ()) -> str:
        """The SQL that takes `source` to the schema of `target`; empty where the engine calls them equal.

        Raises:
            EngineRefusedError: the engine could not write it; the message is the cause.
            CliError: the call failed otherwise.
        """
        flags = ["--schema", ",".join(schemas)] if schemas else []
        urls = ["--from", _cli_url(source), "--to", _cli_url(target)]
        argv = ["db", "diff", *diff_flags(self.binary.version), *urls, *flags]
        done = self._call(argv, (source, target), ())
        try:
            return str(field(done, "diff", str)).strip()
        except CliError as error:
            said = error.message.partition("failed: ")[2]
            if not refusals.is_refusal(error.code, said):
                raise
            raise EngineRefusedError(*refusals.explained(said, schemas)) from None

    def push(
        self,
        target: Endpoint,
        migrations: Iterable[Migration],
        *,
        seed: bool = False,
        roles: bool = False,
        include_all: bool = False,
        lock_timeout: str = "",
        throw_away: bool = False,
    ) -> Pushed:
        """Apply what `target` has not had of these migrations, each in the transaction that the CLI gives it.

        Args:
            target: The database.
            migrations: All the migrations that the CLI is to see, those already applied included.
            seed: Run the seed files of `config.toml` afterwards.
            roles: Run `supabase/roles.sql` first.
            include_all: Also apply those older than the newest applied one.
            lock_timeout: How long a statement may wait for a lock, as PostgreSQL writes it; empty for ever.
            throw_away: The target is a shadow: an untested version of the CLI may fill it, too.
        """
        flags = [
            *(["--include-seed"] if seed else []),
            *(["--include-roles"] if roles else []),
            *(["--include-all"] if include_all else []),
        ]
        argv = ["db", "push", "--skip-vault", "--yes", *flags, *self._target(target)]
        done = self._call(
            argv, (target,), migrations, writes=not throw_away, lock_timeout=lock_timeout, seed=seed
        )  # fmt: skip
        return Pushed(_names(done, "migrations"), _names(done, "seeds"))

    def mark_applied(self, target: Endpoint, migrations: Sequence[Migration]) -> None:
        """Record these migrations, named one by one, in the target's history, without running them."""
        versions = [m.version for m in migrations]
        if not versions:  # without a version the CLI replaces the whole history
            raise SbsyncError("No version was named for the history to be changed.")
        argv = ["migration", "repair", "--status", "applied", "--yes", *self._target(target), *versions]
        answer(self._call(argv, (target,), migrations, writes=True))

    def reset(self, target: Endpoint, migrations: Iterable[Migration]) -> tuple[str, ...]:
        """Drop what `target` holds and build it again from these migrations and the seeds; for local databases only.

        Returns:
            The seed files that were run.
        """
        files = tuple(migrations)
        self.expect(files)
        argv = ["db", "reset", "--yes", *self._target(target)]
        done = self._call(argv, (target,), files, writes=True, seed=True)
        answer(done)
        return seeded(done)

    def _target(self, endpoint: Endpoint) -> list[str]:
        return target_flags(self.binary.version, _cli_url(endpoint))

    def _call(
        self,
        argv: Sequence[str],
        endpoints: Sequence[Endpoint],
        migrations: Iterable[Migration],
        *,
        writes: bool = False,
        lock_timeout: str = "",
        seed: bool = False,
    ) -> Completed:
        if writes and not self.binary.may_write:
            raise MissingToolError(self.binary.notice, "Use a tested version, or update sbsync_tasks.")
        with private_tempdir() as place:
            (place / "empty").mkdir()
            passfile = place / "passfile"
            passfile.touch(mode=0o600)
            passfile.write_text("".join(e.passfile_line + "\n" for e in endpoints), encoding="utf-8")
            project = private_project.fill(place, self.config, migrations, seed=seed)
            env = {
                "PGPASSFILE": str(passfile),
                "TMPDIR": str(place),  # its runtime unpacks a library there, and leaves it
                **QUICK,
                **({} if lock_timeout in FOR_EVER else {"PGOPTIONS": f"-c lock_timeout={lock_timeout}"}),
            }
            common = ["--workdir", str(project), "--agent", "no", "--output-format", "json"]
            done = run(
                [str(self.binary.path), *argv, *common], sees=NETWORK, env=env, cwd=place / "empty", hears=self.hear
            )
        self._tell(warnings(done))
        return done

    def hear(self, line: str) -> None:
        """A line of a call's messages: which file it is at."""
        at = AT.match(line)
        if at and at[2] in self._expected:
            self._at(at[2], *self._expected[at[2]])

    def _tell(self, found: Iterable[str]) -> None:
        for warning in found:
            if warning not in self._told:
                self._told.add(warning)
                self._warn(f"The Supabase CLI warns: {warning}")


def _cli_url(endpoint: Endpoint) -> str:
    """The URL for the CLI: 2.x refuses a server without TLS unless it is told that none is wanted."""
    if "sslmode" in endpoint.options or not endpoint.is_loopback:
        return endpoint.url
    separator = "&" if endpoint.options else "?"
    return f"{endpoint.url}{separator}sslmode=disable"


def warnings(done: Completed) -> tuple[str, ...]:
    """The warnings that a call printed, without the CLI's mark."""
    found = (WARNING.match(line) for line in done.stderr.splitlines())
    return tuple(match[1] or match[2] for match in found if match)


def seeded(done: Completed) -> tuple[str, ...]:
    """The seed files that a reset has run; its answer does not name them."""
    return tuple(SEEDING.findall(done.stderr))


def answer(done: Completed) -> dict[str, object]:
    """The JSON object that a call printed.

    Raises:
        CliError: the call failed, or its answer cannot be read: then nothing is known of what it did.
    """
    data = json_of(done.stdout)
    error = data.get("error") if data else None
    said = error if isinstance(error, dict) else {}
    if done.ok and not error and (data or {}).get("_tag") != "Error":
        if data is None:
            raise _unreadable(done, "no JSON object" if done.stdout.strip() else "nothing")
        return data
    message = str(said.get("message") or "") or _last_lines(done.stderr or done.stdout)
    raise CliError(
        f"`supabase {_command(done)}` failed: {message}",
        code=str(said.get("code") or ""), sqlstate=_sqlstate(message + done.stderr), said=message,
        file=next((name for _, name in reversed(AT.findall(done.stderr))), ""),
    )  # fmt: skip


def field(done: Completed, name: str, kind: type) -> object:
    """One field of the answer of a call that always has it.

    Raises:
        CliError: as `answer`; or the field is not there, or is no `kind`.
    """
    found = answer(done).get(name)
    if not isinstance(found, kind):
        raise _unreadable(done, f"JSON without {name!r}")
    return found


def _unreadable(done: Completed, printed: str) -> CliError:
    return CliError(
        f"`supabase {_command(done)}` ended without an error, and its answer cannot be read: it printed {printed}.",
        "Nothing is concluded from it. Run again; if it comes again, use another version of the CLI, or update "
        "sbsync_tasks.",
    )


def _command(done: Completed) -> str:
    return " ".join(word for word in done.argv[1:3] if not word.startswith("-"))


def _names(done: Completed, key: str) -> tuple[str, ...]:
    found = field(done, key, list)
    return tuple(str(name) for name in found) if isinstance(found, list) else ()


def json_of(text: str) -> dict[str, object] | None:
    """The JSON object on the last line of stdout; None where there is none.

    Its lines end at LF and nowhere else: U+2028, U+2029 and U+0085 stand in the CLI's JSON as they are.
    """
    try:
        data = json.loads(text.strip("\r\n \t").rpartition("\n")[2])
    except ValueError:
        return None
    return data if isinstance(data, dict) else None


def _last_lines(text: str, count: int = 8) -> str:
    return "\n".join(line for line in text.strip().splitlines()[-count:] if line.strip()) or "it said nothing"


def _sqlstate(text: str) -> str:
    match = re.search(r"SQLSTATE ([0-9A-Z]{5})", text)
    return match[1] if match else ""
