"""I2, I7, I8: without approval, and in a dry run, databases, files and git are exactly as before."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from tests.support.project import Project
from tests.support.watch import Recorder, at_terminal, dump, evidence

pytestmark = [pytest.mark.cli, pytest.mark.e2e]

GUARDED = ("SUPABASE_DB_URL={remote.url}", "SUPABASE_DB_PASSWORD={remote.password}", "SBSYNC_PROTECTED=true", "")
PENDING = "20300101000000"
ASKED = "Cannot ask for confirmation"


@pytest.fixture(scope="module")
def changed(synced: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project with something to do for every task: a local change, a pending file, nothing committed.

    The environment `guarded` is the same remote, protected.
    """
    project = synced.copy_to(tmp_path_factory.mktemp("refusals") / "project")
    try:
        remote, local = project.remote.endpoint, project.local.endpoint
        lines = [line.format(remote=remote) for line in GUARDED]
        local_url = local.url.replace("postgres@", f"postgres:{local.password}@")
        project.write(".env.guarded.local", "\n".join([f"SBSYNC_LOCAL={local_url}", *lines]))
        project.local.run("create table public.made_locally (id int primary key)")
        project.remote.run(
            "insert into public.teams (name) values ('only there')",
            "insert into public.customers (team_id, name) select id, 'c' from public.teams limit 1",
            "insert into public.invoices (team_id, customer_id, number) select team_id, id, 'n' from public.customers",
            "insert into public.invoice_lines (invoice_id, description, quantity, unit_price)"
            " select id, 'd', 1, 1 from public.invoices",
        )
        project.migration(PENDING, "extra", "create table public.extra (id int primary key);\n")
        yield project
    finally:
        project.remove_databases()


@pytest.fixture(scope="module")
def before(changed: Project, tools: Path) -> dict[str, object]:
    return evidence(changed, tools)


WRITING = (
    ("local-to-remote",),
    pytest.param(("local-to-remote", "--no-reset", "--commit"), marks=pytest.mark.matrix),
    ("remote-to-local", "--keep-local"),
    ("push",),
    ("reset",),
    ("commit",),
)


@pytest.mark.parametrize("task", WRITING, ids=" ".join)
def test_without_a_terminal_and_without_yes_nothing_is_done(
    changed: Project, before: dict[str, object], tools: Path, task: tuple[str, ...]
) -> None:
    done = changed.task(*task)
    assert (done.code, ASKED in done.stderr) == (4, True), done.text
    assert evidence(changed, tools) == before
    assert "local-next" not in changed.clusters.names()  # what was built ahead is thrown away


def test_without_a_terminal_the_sandbox_is_not_thrown_away(
    changed: Project, before: dict[str, object], tools: Path
) -> None:
    done = changed.invoke("sandbox.reset")
    assert (done.code, ASKED in done.stderr) == (4, True), done.text
    assert evidence(changed, tools) == before


@pytest.mark.parametrize("task", [pytest.param("local-to-remote", marks=pytest.mark.matrix), "push"])
def test_yes_alone_does_not_cover_a_protected_environment(
    changed: Project, before: dict[str, object], tools: Path, task: str
) -> None:
    done = changed.invoke(task, "--yes", settings={"SBSYNC_ENV": "guarded"})
    assert done.code == 4, done.text
    assert "guarded is protected" in done.stderr
    assert "--env guarded" in done.stderr
    assert evidence(changed, tools) == before


@pytest.mark.parametrize(
    "answers",
    [
        [("Go on?", "")],
        pytest.param([("Go on?", "n")], marks=pytest.mark.matrix),
        pytest.param([("Go on?", "\x04")], marks=pytest.mark.matrix),
        pytest.param([("Go on?", "yes please"), ("Go on?", "no")], marks=pytest.mark.matrix),
        pytest.param([("Go on?", "y"), ("Type its name", "")], marks=pytest.mark.matrix),
        [("Go on?", "y"), ("Type its name", "guarde")],
    ],
    ids=["enter", "no", "end of input", "no clear answer", "no name", "another name"],
)
def test_at_a_terminal_the_default_is_no(
    changed: Project, before: dict[str, object], tools: Path, answers: list[tuple[str, str]]
) -> None:
    code, shown = at_terminal(changed, answers, "local-to-remote", "--env", "guarded")
    assert (code, "Nothing was changed." in shown) == (4, True), shown
    assert evidence(changed, tools) == before


@pytest.mark.parametrize("task", [pytest.param(("reset",), marks=pytest.mark.matrix), ("commit",)], ids=" ".join)
def test_enter_at_a_question_means_no(
    changed: Project, before: dict[str, object], tools: Path, task: tuple[str, ...]
) -> None:
    code, shown = at_terminal(changed, [("Go on?", "")], *task, "--env", "sandbox")
    assert (code, "Declined" in shown) == (4, True), shown
    assert evidence(changed, tools) == before


DRY = (
    ("local-to-remote", "--yes", "--commit"),
    ("local-to-remote", "--yes", "--no-reset"),
    ("remote-to-local", "--yes", "--keep-local"),
    ("remote-to-local", "--yes", "--discard-local"),
    ("push", "--yes"),
    ("pull", "--yes"),
    ("diff", "--name", "dry"),
    ("reset", "--yes"),
    ("commit", "--yes"),
)
DRY_ONCE = (DRY[0], DRY[3], DRY[4], DRY[7], DRY[8])


def once(task: tuple[str, ...], *default: tuple[str, ...]) -> ParameterSet:
    """A parameter that is a part of the matrix, unless the default run is to try it."""
    return pytest.param(task, marks=[] if task in default else pytest.mark.matrix)


@pytest.mark.parametrize("task", [once(task, *DRY_ONCE) for task in DRY], ids=" ".join)
def test_a_dry_run_writes_nothing(
    changed: Project, before: dict[str, object], tools: Path, task: tuple[str, ...]
) -> None:
    done = changed.task(*task, "--dry-run")
    assert done.code == 0, done.text
    assert evidence(changed, tools) == before


@pytest.mark.parametrize(
    "task", [once(task, DRY[4], ("backup",)) for task in (DRY[0], DRY[2], DRY[4], *DRY[7:], ("backup",))], ids=" ".join
)
def test_invokes_own_dry_run_writes_nothing(
    changed: Project, before: dict[str, object], tools: Path, task: tuple[str, ...]
) -> None:
    backups = list(changed.root.glob(".sbsync/backups/*"))
    done = changed.invoke("--dry", task[0], "--env", "sandbox", *task[1:], "--json")
    assert (done.code, bool(done.data["plan"])) == (0, True), done.text
    assert evidence(changed, tools) == before
    assert list(changed.root.glob(".sbsync/backups/*")) == backups


def test_a_dry_run_leaves_the_sandbox_alone(changed: Project, before: dict[str, object], tools: Path) -> None:
    for flags in (("--dry", "sandbox.reset", "--yes"), ("sandbox.reset", "--yes", "--dry-run")):
        done = changed.invoke(*flags, "--json")
        assert (done.code, len(done.data["plan"])) == (0, 1), done.text
    assert evidence(changed, tools) == before


# --- what cannot be proved locally, or would lose data, reaches no database ---


@contextmanager
def pending_file(project: Project, sql: str) -> Iterator[None]:
    path = project.migration("20300102000000", "bad", sql)
    try:
        yield
    finally:
        path.unlink()


@pytest.mark.parametrize(
    "task",
    [
        pytest.param("local-to-remote", marks=pytest.mark.matrix),
        "push",
        pytest.param("reset", marks=pytest.mark.matrix),
    ],
)
def test_sql_that_cannot_be_applied_stops_before_anything_is_written(
    changed: Project, before: dict[str, object], tools: Path, task: str
) -> None:
    with pending_file(changed, "create table public.x (id int references public.nowhere (id));\n"):
        done = changed.task(task, "--yes")
    assert done.code == 1, done.text
    assert "nowhere" in done.stderr
    assert evidence(changed, tools) == before


@pytest.mark.parametrize(
    ("task", "allowed"),
    [
        pytest.param("local-to-remote", (), marks=pytest.mark.matrix),
        ("push", ("--allow-data-loss", "public.teams")),
        pytest.param("push", ("--allow-data-loss", "public"), marks=pytest.mark.matrix),
    ],
)
def test_yes_does_not_cover_the_loss_of_data(
    changed: Project, before: dict[str, object], tools: Path, task: str, allowed: tuple[str, ...]
) -> None:
    with pending_file(changed, "drop table public.invoice_lines cascade;\n"):
        done = changed.task(task, "--yes", *allowed)
    assert done.code == 4, done.text
    assert "--allow-data-loss public.invoice_lines" in done.stderr
    assert evidence(changed, tools) == before


def test_generated_sql_that_fails_on_a_fresh_database_is_kept_as_a_draft(changed: Project, tools: Path) -> None:
    """A materialized view that could be filled here, and cannot be anywhere else."""
    with changed.local.connection() as connection:
        connection.execute(
            "create function public.only_here() returns int language plpgsql as"
            " $$ begin if current_setting('my.key', true) is null then raise 'not here'; end if; return 1; end $$"
        )
        connection.execute("set my.key = '1'")
        connection.execute("create materialized view public.mine as select public.only_here() as n")
    before = evidence(changed, tools)
    try:
        done = changed.task("local-to-remote", "--yes")
        assert done.code == 4, done.text
        assert "materialized view public.mine" in done.stderr
        assert "why it is not in the draft: not here" in done.stderr
        (draft,) = (changed.root / ".sbsync" / "drafts").glob("*.sql")
        assert "only_here" in draft.read_text(encoding="utf-8")
        assert draft.name in done.stderr
        assert evidence(changed, tools) == before
    finally:
        changed.local.run("drop materialized view public.mine", "drop function public.only_here")


# --- local and remote have to be two, and the ones that are meant ---


@contextmanager
def tunnel(port: int) -> Iterator[int]:
    """A port of this machine that leads to another one."""
    with socket.create_server(("127.0.0.1", 0)) as entrance:
        thread = threading.Thread(target=_forward, args=(entrance, port), daemon=True)
        thread.start()
        yield entrance.getsockname()[1]
        entrance.shutdown(socket.SHUT_RDWR)
        thread.join()


def _forward(entrance: socket.socket, port: int) -> None:
    lines: list[threading.Thread] = []
    with suppress(OSError):
        while True:
            came, _ = entrance.accept()
            lines.append(threading.Thread(target=_connect, args=(came, port)))
            lines[-1].start()
    for line in lines:
        line.join()


def _connect(came: socket.socket, port: int) -> None:
    with came, socket.create_connection(("127.0.0.1", port)) as goes:
        back = threading.Thread(target=_pump, args=(goes, came))
        back.start()
        _pump(came, goes)
        back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize("how", [pytest.param("the name", marks=pytest.mark.matrix), "a tunnel"])
@pytest.mark.parametrize("task", ["local-to-remote", pytest.param("remote-to-local", marks=pytest.mark.matrix)])
def test_one_database_under_two_names_is_no_pair(
    changed: Project, tools: Path, tmp_path: Path, task: str, how: str
) -> None:
    remote = changed.remote.endpoint
    recorder = Recorder(tmp_path / "bin")
    with tunnel(remote.port) as port:
        host = f"localhost:{remote.port}" if how == "the name" else f"127.0.0.1:{port}"
        local = f"postgresql://postgres:{remote.password}@{host}/postgres?sslmode=disable"
        before = dump(tools, remote)
        done = changed.invoke(
            task, "--env", "guarded", "--yes",
            settings={"SBSYNC_LOCAL": local, "SBSYNC_SUPABASE_BIN": str(recorder.stand_in(changed.cli))},
        )  # fmt: skip
    assert done.code == 3, done.text
    assert "the same database" in done.stderr
    assert dump(tools, remote) == before
    assert recorder.calls() == []


def test_another_remote_than_the_expected_one_is_refused_before_anything(
    changed: Project, before: dict[str, object], tools: Path, tmp_path: Path
) -> None:
    recorder = Recorder(tmp_path / "bin")
    settings = {"SBSYNC_EXPECT": "7000000000000000000", "SBSYNC_SUPABASE_BIN": str(recorder.stand_in(changed.cli))}
    for task in ("local-to-remote --yes", "remote-to-local --yes", "push --yes", "pull --yes", "verify", "status"):
        done = changed.invoke(*task.split(), "--env", "guarded", settings=settings)
        assert done.code == 3, (task, done.text)
        assert "7000000000000000000" in done.stderr
    assert recorder.calls() == []
    assert evidence(changed, tools) == before


# --- and with the approval it goes on: these change the databases and stand last ---


def test_the_named_loss_is_carried_out_and_its_rows_are_in_the_backup(changed: Project, tools: Path) -> None:
    changed.migration("20300103000000", "drop", "alter table public.teams drop column created_at;\n")
    done = changed.task("local-to-remote", "--yes", "--allow-data-loss", "public.teams.created_at")
    assert done.code == 0, done.text
    columns = "select attname from pg_attribute where attrelid = 'public.teams'::regclass"
    assert ("created_at",) not in changed.remote.rows(columns)
    made = max(changed.root.glob(".sbsync/backups/*-before-push"))
    assert "only there" in dump_text(tools, made / "data.dump")


def dump_text(tools: Path, archive: Path) -> str:
    argv = [tools / "pg_restore", "--file=-", archive]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def test_yes_and_the_typed_name_go_on(changed: Project) -> None:
    changed.migration("20300104000000", "more", "create table public.more (id int primary key);\n")
    answers = [("Go on?", "y"), ("Type its name", "guarded")]
    code, shown = at_terminal(changed, answers, "push", "--env", "guarded")
    assert code == 0, shown
    assert changed.remote.has("public.more")


@pytest.mark.matrix
def test_yes_and_the_spelled_out_environment_go_on(changed: Project) -> None:
    changed.migration("20300105000000", "still_more", "create table public.still_more (id int primary key);\n")
    done = changed.invoke("push", "--env", "guarded", "--yes")
    assert done.code == 0, done.text
    assert changed.remote.has("public.still_more")
