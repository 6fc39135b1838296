"""How many programs a scenario starts, how often it connects and parses a text, so that nothing is added unseen.

Counted are the connections that the run itself opens, to both databases and to shadows; what the CLI and pg_dump open
is theirs.
"""

import json
import os
import shutil
from pathlib import Path

import pytest

from sbsync_tasks.supabase_cli.binary import native
from tests.support.project import Project
from tests.support.watch import Recorder

pytestmark = [pytest.mark.cli, pytest.mark.e2e]
# With one change, commit and proof included. Lower them when a call is saved; never raise them.
CALLS = {"local-to-remote": {"supabase": 5, "git": 12}, "remote-to-local": {"supabase": 5, "git": 12}}
SHORT = 30  # characters; our own frames such as `select 1 where true`
CONNECTIONS = 8
# Counts how often each text is handed to PostgreSQL's parser, and where connections lead.
COUNTING = """
import atexit, collections, json, postgast, psycopg
connect, opened = psycopg.connect, []
psycopg.connect = lambda **given: [opened.append(f"{given['user']} at {given['port']}"), connect(**given)][1]
atexit.register(lambda: open("connections.json", "w").write(json.dumps(opened)))
parse, counts = postgast.parse, collections.Counter()
postgast.parse = lambda sql: [counts.update([sql]), parse(sql)][1]
atexit.register(lambda: open("parsed.json", "w").write(json.dumps(counts)))
"""


@pytest.mark.parametrize(("task", "side"), [("local-to-remote", "local"), ("remote-to-local", "remote")])
def test_a_scenario_with_one_change(project: Project, tmp_path: Path, task: str, side: str) -> None:
    recorder, git = Recorder(tmp_path / "bin"), shutil.which("git")
    assert git
    project.cli = recorder.stand_in(native(project.cli))
    (tmp_path / "path").mkdir()
    recorder.stand_in(Path(git), into=tmp_path / "path")
    project.database(side).run("create table public.made (id int primary key)")
    tasks = project.root / "tasks.py"
    tasks.write_text(tasks.read_text() + COUNTING)
    path = f"{tmp_path / 'path'}{os.pathsep}{os.environ['PATH']}"
    done = project.invoke(task, "--yes", "--env", project.env, "--commit", settings={"PATH": path})
    assert done.code == 0, done.text
    for database in (project.local, project.remote):
        assert database.has("public.made")
    assert len(project.head[1]) == 1
    parsed = json.loads((project.root / "parsed.json").read_text())
    assert project.migrations[max(project.migrations)] in parsed
    assert {text: n for text, n in parsed.items() if n > 1 and len(text) > SHORT} == {}
    for program, most in CALLS[task].items():
        calls = [" ".join(call.argv[:5]) for call in recorder.calls(program) if call.argv != ["--version"]]
        assert 0 < len(calls) <= most, calls
    opened = json.loads((project.root / "connections.json").read_text())
    assert 0 < len(opened) <= CONNECTIONS, opened


def test_with_nothing_to_do_the_proof_alone_calls_the_cli(project: Project, tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "bin")
    project.cli = recorder.stand_in(native(project.cli))
    for task in ("local-to-remote", "remote-to-local"):
        before = len(recorder.calls("supabase"))
        done = project.sync(task, "--json")
        assert (done.data["plan"], done.data["proof"]["in_sync"]) == ([], True)
        calls = [call.argv[:5] for call in recorder.calls("supabase")[before:] if call.argv != ["--version"]]
        assert len(calls) == 1, calls
