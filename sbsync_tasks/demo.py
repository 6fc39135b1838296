"""`invoke demo`: both scenarios, for real, on a scratch copy of the example project.

Nothing in it is staged: embedded databases, the real Supabase CLI, a git repository of its own, and at the end of
each half the same proof that a run on a real project ends with. It leaves nothing behind.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from . import git, process
from .console import Console, counted
from .databases.database import clusters_of, push
from .errors import SbsyncError
from .options import Options
from .run.scenarios import local_to_remote, remote_to_local
from .run.session import Run
from .settings import Settings, resolve
from .state.migrations import read_folder

LOCAL_CHANGE = """\
create table public.payments (
  id bigint generated always as identity primary key,
  invoice_id bigint not null references public.invoices (id),
  paid_on date not null default current_date,
  amount numeric(12, 2) not null check (amount > 0)
);
alter table public.payments enable row level security;
create policy "payments follow their invoice" on public.payments for select to authenticated
  using (exists (select 1 from public.invoices i where i.id = invoice_id));
"""

REMOTE_CHANGE = """\
alter table public.customers add column vat_number text;
create index customers_vat_number on public.customers (vat_number);
"""


def run_demo(console: Console, keep: bool = False) -> None:
    """Run both scenarios on a scratch project, narrated; with `keep`, it and its databases stay, to look at."""
    with _project(console, keep) as root:
        console.heading(f"A scratch project in {root}")
        console.say("The example: invoices for small teams. Local and remote are embedded PostgreSQL servers.")
        _fill(console, root)
        _change(console, root, "local", LOCAL_CHANGE)
        _scenario(console, root, "invoke local-to-remote --name payments --commit", local_to_remote, "payments")
        _change(console, root, "remote", REMOTE_CHANGE)
        _scenario(console, root, "invoke remote-to-local --name vat-number", remote_to_local, "vat_number")
        console.say()
        console.heading("What git has now")
        console.say(git.must(root, "log", "-2", "--stat", "--format=%h %s").said)
        if keep:
            console.say(f"\nThe project is in {root}; `invoke sandbox.down` there stops its databases.", "note")


@contextmanager
def _project(console: Console, keep: bool) -> Iterator[Path]:
    root = Path(tempfile.mkdtemp(prefix="sbsync-demo-"))
    try:
        shutil.copytree(example(), root / "supabase", ignore=shutil.ignore_patterns(".temp", ".branches", ".env*"))
        (root / "tasks.py").write_text("from sbsync_tasks import ns\n", encoding="utf-8")
        (root / ".gitignore").write_text(".sbsync/\n", encoding="utf-8")
        git.must(root, "init", "--quiet")
        for key, value in (("user.name", "Demo"), ("user.email", "demo@example.com"), ("commit.gpgsign", "false")):
            git.must(root, "config", key, value)
        git.must(root, "add", ".")
        git.must(root, "commit", "--quiet", "--message", "Start from the example project")
        yield root
    finally:
        if not keep:
            with console.step("tidy up", "stop the demo's databases and remove its project"):
                clusters_of(_settings(root)).remove_all()
                shutil.rmtree(root, ignore_errors=True)


def example() -> Path:
    """The example project's `supabase` folder: in the package, or beside it in a checkout."""
    package = Path(__file__).parent
    for folder in (package / "example", package.parent / "supabase"):
        if (folder / "config.toml").is_file():
            return folder
    raise SbsyncError("The example project is not part of this installation.", "Reinstall sbsync-tasks.")


def _settings(root: Path) -> Settings:
    return resolve(root=root, env="sandbox", process=process.environment())


def _run(console: Console, root: Path, options: Options) -> closing[Run]:
    return closing(Run(_settings(root), console, options))


def _fill(console: Console, root: Path) -> None:
    migrations = read_folder(root).migrations
    with _run(console, root, Options(yes=True)) as run:
        with console.step("tools", "find the Supabase CLI and PostgreSQL"):
            databases = (run.local, run.remote) if run.cli else ()
        with console.step("start", f"give both databases the example's {counted(len(migrations), 'migration')}"):
            for database in databases:
                seed = database.side == "local"
                push(run.cli, database.endpoint, database.label, migrations, migrations, fresh=True, seed=seed)


def _scenario(console: Console, root: Path, title: str, scenario: Callable[[Run], None], name: str) -> None:
    console.say()
    console.heading(title)
    with _run(console, root, Options(yes=True, name=name, commit=True)) as run:
        scenario(run)


def _change(console: Console, root: Path, side: str, sql: str) -> None:
    console.say()
    console.heading(f"Somebody changes the {side} database:")
    console.sql(sql)
    with _run(console, root, Options(yes=True)) as run, run.database(side).connection() as connection:
        connection.execute(sql.encode())
