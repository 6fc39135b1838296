"""Each of the guide's steps as a task of its own; dry runs and refusals are in test_invariants_refusals.py."""

import sys

from tests.support.changes import BY_HAND, TAGS
from tests.support.project import Project, text_of


def test_diff_prints_sql_and_writes_a_file_only_with_a_name(project: Project) -> None:
    before = project.migrations
    clean = project.task("diff", "--exit-code")
    assert (clean.code, clean.stdout) == (0, "")
    nothing = project.task("diff", "--name", "nothing")
    assert (nothing.code, nothing.stdout, project.migrations) == (0, "", before), nothing.text
    assert "password" not in nothing.stderr

    project.local.run(TAGS)
    shown = project.task("diff")
    assert shown.code == 0
    project.local.run("begin; drop table public.tags;" + shown.stdout + "; rollback")  # stdout is nothing but SQL
    assert "tags" in shown.stdout
    found = project.task("diff", "--json", "--exit-code")
    assert (found.code, found.data["sql"].strip()) == (2, shown.stdout.strip())
    assert project.task("diff", "--name", "../tags").code == 3
    verbatim = project.task("diff", "--verbatim", "--exit-code")
    assert (verbatim.code, verbatim.stdout.count('CREATE TABLE "public"."tags"')) == (2, 1), verbatim.text
    assert project.task("diff", "--verbatim", "--name", "tags").code == 3
    assert project.migrations == before
    assert not project.remote.has("public.tags")

    assert project.task("diff", "--name", "tags").code == 0
    version = project.version_of("tags")
    assert project.migrations[f"{version}_tags.sql"].strip() == shown.stdout.strip()
    assert version not in project.local.history()

    # A second look finds that a file has it: nothing is written twice.
    again = project.task("diff", "--name", "tags_again", "--json")
    assert again.data["unrecorded_files"] == [f"{version}_tags.sql"]
    assert len(project.migrations) == len(before) + 1

    # What the engine knows nothing of is added, and says so.
    project.local.run("alter table public.customers alter column name set storage external")
    completed = project.task("diff", "--json").data
    (added,) = (part for part in completed["statements"] if part["origin"] == "added")
    assert "storage of public.customers.name" in added["why"]
    assert f"-- added: {added['why']}\n{added['sql']};" in completed["sql"]


def test_push_and_verify(project: Project) -> None:
    project.migration("20260401000000", "tags", TAGS + ";\n")
    pending = project.task("verify", "--json")
    assert pending.code == 2
    assert pending.data["pending"] == ["20260401000000_tags.sql"]
    state = project.task("status", "--json", "--exit-code")
    assert state.code == 2
    assert state.data["versions"][-1]["state"] == "pending"

    done = project.task("push", "--yes", "--json")
    assert done.code == 0, done.text
    assert done.data["pushed"] == ["20260401000000"]
    assert project.remote.has("public.tags")
    assert not project.local.has("public.tags")  # a push leaves the local database alone
    assert project.task("reset", "--yes").code == 0
    assert project.local.has("public.tags")
    made = project.task("verify", "--json")
    assert (made.code, made.data["in_sync"]) == (0, True)
    state = project.task("status", "--json", "--exit-code")
    assert (state.code, {row["state"] for row in state.data["versions"]}) == (0, {"applied"})


def test_pull_writes_a_file_and_commit_commits_it(project: Project) -> None:
    project.remote.run(BY_HAND)
    before = project.snapshot()
    done = project.task("pull", "--name", "pulled")
    assert done.code == 0, done.text
    version = project.version_of("pulled")
    now = project.snapshot()
    assert (now.histories, now.schemas, now.log) == (before.histories, before.schemas, before.log)
    again = project.task("pull", "--name", "pulled_again")
    assert again.code == 0, again.text
    assert project.migrations == now.files

    project.write("notes.txt", "not part of it")
    assert project.task("commit", "--yes", "--message", "Pull by_hand").code == 0
    assert project.head == ("Pull by_hand", [f"supabase/migrations/{version}_pulled.sql"])
    assert project.git("status", "--short") == "?? notes.txt"
    assert project.task("commit", "--yes").code == 0  # nothing left to commit
    assert project.head[0] == "Pull by_hand"


def test_review_takes_a_version_a_file_or_what_is_pending(project: Project) -> None:
    drop = project.write("drop.sql", "drop table public.invoice_lines;\n")
    by_file = project.task("review", "--file", "drop.sql", "--json")
    assert by_file.code == 4
    allowed = project.task("review", "--file", "drop.sql", "--allow-data-loss", "public.invoice_lines")
    assert (allowed.code, allowed.stdout.splitlines()[0]) == (0, "drop.sql")
    assert project.task("review", "--file", str(drop), "--allow-data-loss", "public.invoice_lines").code == 0
    by_version = project.task("review", "--file", "20260105090000", "--json")
    assert by_version.code == 0, by_version.text
    assert [m["file"] for m in by_version.data["migrations"]] == ["20260105090000_teams.sql"]
    assert project.task("review", "--file", "20260105090001").code == 3
    assert project.task("review", "--json").data["migrations"] == []
    project.migration("20260401000000", "tags", TAGS + ";\n")
    pending = project.task("review", "--json")
    assert [m["file"] for m in pending.data["migrations"]] == ["20260401000000_tags.sql"]
    assert project.remote.has("public.invoice_lines")


def test_reset_backs_up_and_rebuilds(project: Project) -> None:
    project.local.run(TAGS, "insert into public.tags values (1, 'precious')")
    done = project.task("reset", "--yes", "--json")
    assert done.code == 0, done.text
    assert not project.local.has("public.tags")
    assert project.local.rows("select name from public.teams") == [("Harbour Studio",)]
    assert done.data["backup"].startswith(".sbsync/backups/")
    assert "precious" in text_of(project.root / done.data["backup"])


def test_backup(project: Project) -> None:
    project.remote.run("insert into public.teams (name) values ('Remote rows')")
    whole = project.task("backup", "--json")
    assert whole.code == 0, whole.text
    assert whole.data["backup"].startswith(".sbsync/backups/")
    assert "Remote rows" in text_of(project.root / whole.data["backup"])
    schema = project.task("backup", "--schema-only")
    assert schema.code == 0
    assert schema.stdout.startswith(".sbsync/backups/")
    held = text_of(project.root / schema.stdout.strip())
    assert "Remote rows" not in held
    assert "invoice_lines" in held
    elsewhere = project.root.parent / "elsewhere"
    local = project.invoke(
        "backup", "--env", "sandbox", "--local", "--json", settings={"SBSYNC_BACKUP_DIR": str(elsewhere)}
    )
    assert local.data["backup"].startswith(f"{elsewhere}/")
    assert "Harbour Studio" in text_of(project.root / local.data["backup"])


def test_the_sandbox(project: Project) -> None:
    assert project.invoke("sandbox.status", "--json").data["databases"]["sandbox-local"] == "stopped"
    urls = project.invoke("sandbox.up", "--json").data
    assert set(urls) == {"sandbox-local", "sandbox-remote"}
    state = project.invoke("sandbox.status", "--json").data["databases"]
    assert state == {"sandbox-local": "running", "sandbox-remote": "running"}
    wrong = project.migration("20260401000000", "wrong", "create table public.wrong (id int);\nselect nothing;\n")
    failed = project.task("push", "--yes")
    assert failed.code == 1, failed.text
    wrong.unlink()
    # What ran runs on, and the shadow that was filled is not the user's.
    assert project.invoke("sandbox.status", "--json").data["databases"] == state
    for flags, side in (((), project.local), (("--remote",), project.remote)):
        side.run("create table public.marker (id int)")
        url = project.invoke("sandbox.url", *flags).stdout.strip()
        assert side.endpoint.password not in url
        tool = "import psycopg, sys; print(psycopg.connect(sys.argv[1]).execute('select current_user').fetchone()[0])"
        assert project.script(tool, url).stdout.strip() == "postgres"
    assert project.invoke("sandbox.down").code == 0
    assert project.invoke("sandbox.status", "--json").data["databases"]["sandbox-remote"] == "stopped"
    assert project.remote.has("public.marker")  # stopping keeps the data

    assert project.invoke("sandbox.reset", "--yes").code == 0
    assert not project.remote.has("public.marker")
    assert not project.local.has("public.teams")


def test_results_go_to_stdout_and_progress_to_stderr(project: Project) -> None:
    project.migration("20260401000000", "tags", "create table public.tags (id int primary key);")
    project.remote.run("alter table public.teams add column by_hand text")
    for task, code, shown in (
        ("status", 0, "tags"),
        ("verify", 2, "column public.teams.by_hand: only on sandbox"),
        ("review", 0, "create table public.tags"),
        ("resolve", 4, "column public.teams.by_hand: only on sandbox"),
    ):
        done = project.task(task)
        assert done.code == code, done.text
        assert shown in done.stdout, done.text
        assert shown not in done.stderr.partition("error: ")[0], done.text
        assert " s)" not in done.stdout, done.text  # which step is done, and in what time
    assert "column public.teams.by_hand: only on sandbox" in project.task("status").stdout
    refused = project.task("local-to-remote", "--yes")
    assert (refused.code, "column public.teams.by_hand: only on sandbox" in refused.stderr) == (4, True), refused.text
    (column,) = [d for d in project.task("verify", "--json").data["differences"] if d["name"] == "public.teams.by_hand"]
    assert column["definitions"].keys() == {"migrations", "sandbox"}
    assert project.invoke("sandbox.status").stdout.splitlines()[0].split() == ["database", "state"]
    command = f"set -o pipefail; {sys.executable} -m invoke status --env sandbox | grep pending"
    piped = project._run(["bash", "-c", command], project.root, {})
    assert piped.code == 0, piped.text
    assert [line.split()[:2] for line in piped.stdout.splitlines()] == [["20260401000000", "tags"]]
    versions = project.task("status", "--json").data["versions"]
    assert versions[-1] == {
        "version": "20260401000000", "name": "tags", "file": True, "local": False, "remote": False, "state": "pending",
    }  # fmt: skip
