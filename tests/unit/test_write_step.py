"""Writing a run's files: cut off anywhere, no migration is gone."""

from pathlib import Path

import pytest

from sbsync_tasks.console import Console
from sbsync_tasks.plan import Write
from sbsync_tasks.redaction import Redactor
from sbsync_tasks.run import files as step
from sbsync_tasks.run.session import Done, Run
from sbsync_tasks.state import State
from sbsync_tasks.state.migrations import Folder, Migration, read_folder, write_file
from tests.support.settings import Project

PENDING = [Migration(f"2026010100000{n}", f"pending_{n}", f"select {n};\n") for n in (1, 2, 3)]
LATER = [Migration(f"2026020100000{n}", m.name, m.sql) for n, m in enumerate(PENDING)]
PULLED = Migration("20260115000000", "pulled", "select 'pulled';\n")


ACTION = Write((PULLED, *LATER), tuple(zip(PENDING, LATER, strict=True)))


def written(root):
    run, state = Run(Project(root).settings(), Console(Redactor())), State.of(Folder((), ()), {})
    step.write_files(run, state, ACTION, Done(state))


@pytest.mark.parametrize("moves", range(5))
def test_cut_off_after_any_move_every_migration_is_there_under_one_name(tmp_path: Path, monkeypatch, moves):
    for migration in PENDING:
        write_file(tmp_path, migration)
    left = iter(range(moves))
    put = step.write_file

    def cut_off(*args):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return put(*args)

    monkeypatch.setattr(step, "write_file", cut_off)
    if moves < 4:
        with pytest.raises(KeyboardInterrupt):
            written(tmp_path)
    else:
        written(tmp_path)
    found = read_folder(tmp_path).migrations
    assert sorted(m.name for m in found if m.name != "pulled") == [m.name for m in PENDING]
    assert [m.sql for m in sorted(found, key=lambda m: m.name) if m.name != "pulled"] == [m.sql for m in PENDING]


def test_at_the_end_the_pulled_one_stands_first(tmp_path: Path):
    for migration in PENDING:
        write_file(tmp_path, migration)
    written(tmp_path)
    assert [m.name for m in read_folder(tmp_path).migrations] == ["pulled", *(m.name for m in PENDING)]
