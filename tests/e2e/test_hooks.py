"""A formatter in a pre-commit hook: what only looks otherwise causes nothing, what says otherwise is told."""

import pytest

from tests.support.project import Project

FORMATTER = """#!/bin/sh
for file in $(git diff --cached --name-only --diff-filter=AM -- 'supabase/migrations/*.sql'); do
  sed -i '{edit}' "$file"
  git add "$file"
done
"""
LOOKS_OTHERWISE = "s/create table/CREATE  TABLE/; s/CREATE TABLE/create\\n  table/; s/ int / INT /"
SAYS_OTHERWISE = "s/default 0/default 1/; s/DEFAULT 0/DEFAULT 1/"
CHANGE = "create table public.formatted (id int primary key, n int default 0)"
TOLD = "A hook changed what "


def with_hook(project: Project, edit: str) -> None:
    hook = project.write(".git/hooks/pre-commit", FORMATTER.format(edit=edit))
    hook.chmod(0o755)


@pytest.mark.matrix
def test_a_hook_that_changes_case_and_blanks_causes_nothing(project: Project) -> None:
    with_hook(project, LOOKS_OTHERWISE)
    project.local.run(CHANGE)
    done = project.sync("local-to-remote", "--commit", "--name", "formatted")
    version = project.version_of("formatted")
    recorded = project.remote.history()[version]["statements"]
    assert project.migrations[f"{version}_formatted.sql"].strip() != ";\n".join(recorded).strip()  # the hook has run
    assert "a hook changed" not in done.text
    again = project.sync("local-to-remote", "--commit", "--json")
    assert (again.data["plan"], again.data["proof"]["in_sync"]) == ([], True)
    assert project.task("resolve", "--json").data["conflicts"] == []
    assert project.git("status", "--short") == ""


@pytest.mark.matrix
@pytest.mark.parametrize("way", ["local-to-remote", "remote-to-local"])
def test_a_hook_that_changes_more_is_told_with_the_way_out(project: Project, way: str) -> None:
    with_hook(project, SAYS_OTHERWISE)
    (project.local if way == "local-to-remote" else project.remote).run(CHANGE)
    done = project.task(way, "--yes", "--commit", "--name", "formatted")
    assert done.code == 1, done.text
    version = project.version_of("formatted")
    assert version in project.local.history()
    assert version in project.remote.history()
    assert f"error: {TOLD}{version}_formatted.sql does" in done.text
    assert "`invoke resolve` brings back" in done.text

    # The advice, word for word.
    (project.root / ".git" / "hooks" / "pre-commit").unlink()
    assert project.task("resolve", "--yes").code == 0
    assert project.task("commit", "--yes").code == 0
    assert project.git("status", "--short") == ""
    again = project.sync("local-to-remote", "--commit", "--json")
    assert (again.data["plan"], again.data["proof"]["in_sync"]) == ([], True)


@pytest.mark.matrix
def test_a_file_of_the_users_own_that_cannot_be_committed_stops_before_the_push(project: Project) -> None:
    """Written by hand, with --commit: what git or a hook will say is told first, or the commit is no tick."""
    project.migration("20990101000000", "mine", f"{CHANGE};\n")
    before = project.snapshot()
    done = project.task("local-to-remote", "--commit", "--dry-run")
    assert "commit 20990101000000_mine.sql" in done.text
    project.write(".git/MERGE_HEAD", project.git("rev-parse", "HEAD"))
    done = project.task("local-to-remote", "--commit", "--yes")
    assert (done.code, "A merge is in progress" in done.stderr) == (4, True), done.text
    assert project.snapshot() == before
    (project.root / ".git/MERGE_HEAD").unlink()

    project.write(".git/hooks/pre-commit", "#!/bin/sh\nrm supabase/migrations/*_mine.sql\ngit add --all\n").chmod(0o755)
    done = project.task("local-to-remote", "--commit", "--yes")
    assert done.code == 1, done.text
    assert "does not have 20990101000000_mine.sql: a hook has taken that out." in done.stderr
    assert "✓ committed" not in done.text
    (project.root / ".git/hooks/pre-commit").unlink()  # as advised
    assert project.task("resolve", "--yes").code == 0
    assert project.task("commit", "--yes").code == 0
    assert project.task("verify").code == 0
    assert project.git("status", "--short") == ""
