"""Links, submodules and sparse checkouts: what git gets, and what it cannot have is known before."""

import pytest

from sbsync_tasks import git
from sbsync_tasks.errors import ConfigError
from sbsync_tasks.git import commits, earlier_texts
from tests.support.repository import FILE, VERSION, run, state, write

NAME = f"{VERSION}_invoices.sql"


def link(root, path, text):
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).symlink_to(text)


def head(root):
    return run(root, "show", "--name-only", "--format=", "HEAD").splitlines()


@pytest.mark.parametrize(
    ("path", "text", "real"),
    [
        ("supabase/migrations", "../db/migrations", "db/migrations"),
        ("supabase", "packages/supabase", "packages/supabase/migrations"),
    ],
)
def test_what_a_link_leads_to_is_committed(root, path, text, real):
    (root / real).mkdir(parents=True)
    link(root, path, text)
    assert commits.check_ready(git.needed(root), [root / FILE]) == ()
    file = write(root, FILE)
    assert git.needed(root).look().lacking([file]) == (file,)
    assert commits.commit(git.needed(root), [file], "one").files == (f"{real}/{NAME}",)
    assert head(root) == [f"{real}/{NAME}"]
    assert git.needed(root).look().lacking([file]) == ()
    assert git.tracks(file)
    (found,) = earlier_texts(git.needed(root), [VERSION])[VERSION]
    assert found.sql == "select 1;\n"


def test_from_a_project_below_the_top_to_a_folder_above_it(root):
    project = root / "services/a"
    (root / "db").mkdir()
    link(project, "supabase/migrations", "../../../db")
    file = write(project, FILE)
    assert commits.commit(git.needed(project), [file], "one").files == (f"../../db/{NAME}",)
    assert head(root) == [f"db/{NAME}"]
    (found,) = earlier_texts(git.needed(project), [VERSION])[VERSION]
    assert found.sql == "select 1;\n"


def test_a_file_that_is_a_link_is_committed_with_its_target(root):
    target = write(root, "shared/a.sql")
    link(root, FILE, "../../shared/b.sql")
    link(root, "shared/b.sql", "a.sql")
    assert commits.commit(git.needed(root), [root / FILE], "one").commit
    assert head(root) == ["shared/a.sql", "shared/b.sql", FILE]
    assert git.needed(root).look().lacking([root / FILE]) == ()
    target.write_text("select 2;\n")
    assert git.needed(root).look().lacking([root / FILE]) == (root / FILE,)
    commits.commit(git.needed(root), [root / FILE], "two")
    assert (head(root), run(root, "status", "--porcelain")) == (["shared/a.sql"], "")


@pytest.mark.parametrize("owned", [False, True])
def test_outside_of_the_repository(root, tmp_path, owned):
    outside = tmp_path / "outside"
    outside.mkdir()
    if owned:
        run(outside, "init", "-q")
    link(root, "supabase/migrations", str(outside))
    file = write(root, FILE)
    before = state(root)
    assert git.needed(root).look().lacking([file]) == (file,)
    assert earlier_texts(git.needed(root), [VERSION]) == {VERSION: {}}
    with pytest.raises(ConfigError, match="is not part of the repository") as caught:
        commits.commit(git.needed(root), [file], "one")
    assert caught.value.hint == (f"Commit in {outside} yourself." if owned else "Bring it into the repository.")
    assert state(root) == before


def test_one_file_that_leads_outside(root, tmp_path):
    write(tmp_path, "a.sql")
    link(root, FILE, str(tmp_path / "a.sql"))
    assert commits.check_ready(git.needed(root)) == ()
    with pytest.raises(ConfigError, match="is not part of the repository"):
        commits.check_ready(git.needed(root), [root / FILE])


def test_in_a_submodule(root, tmp_path):
    source = tmp_path / "source"
    write(source, NAME)
    run(source, "init", "-q")
    run(source, "add", ".")
    run(source, "-c", "user.name=T", "-c", "user.email=t@example.org", "commit", "-qm", "one")
    run(root, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(source), "supabase/migrations")
    with pytest.raises(ConfigError, match="a repository of its own"):
        commits.check_ready(git.needed(root))
    assert git.needed(root).look().lacking([root / FILE]) == (root / FILE,)


def test_outside_of_a_sparse_checkout(root):
    write(root, "src/a.txt")
    write(root, "supabase/migrations/20200101000000_a.sql")
    run(root, "add", ".")
    run(root, "commit", "-qm", "more")
    run(root, "sparse-checkout", "set", "src")
    file = write(root, FILE)
    assert commits.check_ready(git.needed(root), [file]) == ()
    assert commits.commit(git.needed(root), [file], "one").files == (FILE,)
    assert git.needed(root).look().lacking([file]) == ()
    assert run(root, "ls-tree", "--name-only", "HEAD", "supabase/migrations/").count("\n") == 1  # nothing was lost


def test_an_ignored_folder_is_not_opened_by_a_rule_within_it(root):
    write(root, ".gitignore", "supabase/\n")
    with pytest.raises(ConfigError) as caught:
        commits.check_ready(git.needed(root))
    assert caught.value.hint == "Take the rule out."
    write(root, ".gitignore", "*.sql\n")
    with pytest.raises(ConfigError) as caught:
        commits.check_ready(git.needed(root))
    (rule,) = [part for part in caught.value.hint.split("`") if part.startswith("!")]
    write(root, ".gitignore", f"*.sql\n{rule}\n")
    assert commits.check_ready(git.needed(root)) == ()


def test_dotenv_files_beyond_a_link_are_seen(root):
    write(root, "packages/supabase/.env.local")
    link(root, "supabase", "packages/supabase")
    run(root, "add", ".")
    assert git.dotenv_files(root) == ("supabase/.env.local",)
