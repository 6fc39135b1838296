"""Which conflicts stop a push, which a pull, and what each says."""

from __future__ import annotations

import pytest

from sbsync_tasks.options import Options
from sbsync_tasks.plan import goals
from sbsync_tasks.plan.conflicts import diagnose
from sbsync_tasks.state.migrations import Migration
from tests.unit.plan.world import NOW, A, B, C, World, history, recorded

EDITED = Migration(A.version, A.name, f"{A.sql}create table late ();\n")
TWIN = Migration(B.version, "another", "select 1;\n")
STOPPING = [  # files, local, remote, what is said, whether a pull stops as well
    ((EDITED, B), (A, B), (A, B), "is not what staging has had: 1 statement differs.", True),
    ((A,), (A, B), (A, B), f"staging has recorded {B.version} (b), and there is no file.", False),
    ((A,), (A, B), (A,), f"The local database has recorded {B.version} (b), and there is no file.", True),
    ((A, B, TWIN), (A, B), (A, B), "claim the same version: the CLI would apply the first and fail at the next.", True),
    ((A, B, C), (A,), (A, C), f"{B.file_name} has not reached staging, which has had a later one", False),
]


def problems(stop, files, local, remote):
    world = World(files, history(*map(recorded, local)), history(*map(recorded, remote)))
    return stop(world.state, world.facts, Options())


@pytest.mark.parametrize(("files", "local", "remote", "said", "pull"), STOPPING)
def test_what_stops_a_push_and_what_a_pull(files, local, remote, said, pull):
    (problem,) = problems(goals.problems_of_push, files, local, remote)
    assert said in problem.message
    assert problem.hint
    assert bool(problems(goals.problems_of_pull, files, local, remote)) is pull
    world = World(files, history(*map(recorded, local)), history(*map(recorded, remote)))
    assert [conflict.what for conflict in diagnose(world.facts, NOW)] == [problem.message]  # what `resolve` explains


def test_comments_and_blanks_are_no_edit():
    spaced = Migration(A.version, A.name, f"-- a word more\n\n{A.sql}")
    assert problems(goals.problems_of_push, (spaced,), (A,), (A,)) == ()
