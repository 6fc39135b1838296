"""`invoke new`: the version it chooses, what it leaves behind, and the editor at a terminal."""

from __future__ import annotations

import re
import stat
from datetime import UTC, datetime

from tests.support.project import Project
from tests.support.terminal import invoke

RECORDED = "insert into supabase_migrations.schema_migrations (version, name) values ('{}', 'elsewhere')"


def test_a_new_migration_comes_after_every_known_one(project: Project) -> None:
    before = project.snapshot()
    assert project.task("new", "--dry-run", "nothing").stdout == ""
    planned = project.task("new", "--dry-run", "nothing", "--json").data
    assert planned.pop("plan")[0]["migrations"] == [f"{planned['version']}_nothing.sql"]
    assert planned["file"] == ""
    assert project.task("new", "../escaped").code == 3
    assert project.task("new").code != 0
    assert project.snapshot() == before

    done = project.task("new", "add invoices")
    assert done.code == 0, done.text
    path = done.stdout.strip()
    version = project.version_of("add_invoices")
    assert path == f"supabase/migrations/{version}_add_invoices.sql"
    assert (project.root / path).read_bytes() == b""
    assert max(before.histories[1]) < version <= f"{datetime.now(UTC):%Y%m%d%H%M%S}"
    assert "warning" not in done.stderr
    assert "future" not in done.stderr

    # One that only the remote has, and one that only the local database has; both lie in the future.
    project.remote.run(RECORDED.format("20990101000000"))
    data = project.task("new", "after_the_remote", "--json").data
    assert [(action["action"], action["migrations"]) for action in data.pop("plan")] == [
        ("write", ["20990101000001_after_the_remote.sql"])
    ]
    assert data == {
        "file": "supabase/migrations/20990101000001_after_the_remote.sql", "version": "20990101000001",
    }  # fmt: skip
    project.local.run(RECORDED.format("20990301000000"))
    done = project.task("new", "after_both")
    assert done.stdout == "supabase/migrations/20990301000001_after_both.sql\n"
    assert "lies in the future, since 20990301000000 does" in done.stderr


def test_without_a_remote_it_says_so_and_at_a_terminal_the_editor_opens(project: Project) -> None:
    editor = project.write("editor.sh", "#!/bin/sh\nprintf 'select 1;\\n' >> \"$1\"\n")
    editor.chmod(editor.stat().st_mode | stat.S_IXUSR)
    unnamed = invoke(project, "new", "--env", "development", "first", VISUAL=str(editor), SBSYNC_LOCAL="embedded")
    assert unnamed.code == 0, unnamed.text
    assert "No remote is named" in unnamed.text
    assert project.migrations[f"{project.version_of('first')}_first.sql"] == "select 1;\n"
    assert f"supabase/migrations/{project.version_of('first')}_first.sql" in unnamed.text

    away = {"SUPABASE_DB_URL": "postgresql://postgres@127.0.0.1:1/postgres", "SBSYNC_LOCAL": "embedded"}
    failing = invoke(project, "new", "second", VISUAL="false", **away)
    assert failing.code == 0, failing.text
    said = re.sub(r"\s+", " ", failing.text)
    assert "The version is chosen without the remote's history" in said
    assert "The file is there, and empty" in said
    assert project.migrations[f"{project.version_of('second')}_second.sql"] == ""
    assert project.version_of("second") > project.version_of("first")
