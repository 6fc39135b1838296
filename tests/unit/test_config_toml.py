"""What is read from `supabase/config.toml`, and what a call to the CLI is given in its place."""

import json
import tomllib

import pytest

from sbsync_tasks.errors import ConfigError
from sbsync_tasks.settings import resolve
from sbsync_tasks.settings.project import ConfigToml
from sbsync_tasks.state.migrations import Migration
from sbsync_tasks.supabase_cli.config import configuration, fill

FIRST = Migration("20260101000000", "first", "create table a (id int);\n")


@pytest.fixture
def config(tmp_path):
    def make(text, **variables):
        (tmp_path / "app/supabase").mkdir(parents=True, exist_ok=True)
        (tmp_path / "app/supabase/config.toml").write_bytes(text.encode() if isinstance(text, str) else text)
        return ConfigToml(tmp_path / "app", lambda name: variables.get(name, ""))

    return make


def ours(config):
    return tomllib.loads(configuration(config))


# --- values ---


def test_variables_are_put_in_and_what_nothing_sets_stays_as_it_is(config):
    found = config(
        'project_id = "env(ID)"\n[db]\nport = "env(PORT)"\nmajor_version = "env(MAJOR)"\n'
        '[db.seed]\nenabled = "env(SEED)"\nsql_paths = ["env(PATTERN)", "env(UNSET)"]\n',
        ID="shop", PORT="54399", MAJOR="15", SEED="true", PATTERN="./a/*.sql",
    )  # fmt: skip
    assert (found.project_id, found.number("db", "port"), found.seeds) == ("shop", 54399, ("./a/*.sql", "env(UNSET)"))
    assert ours(found)["db"]["major_version"] == 15
    assert config('project_id = "env(ID)"').project_id == "env(ID)"


def test_variables_come_from_the_process_and_from_the_files_that_the_cli_reads(tmp_path):
    (tmp_path / "supabase").mkdir()
    (tmp_path / "supabase/config.toml").write_text('project_id = "env(A)"\n[db]\nport = "env(B)"\n')
    (tmp_path / "supabase/.env").write_text("A=in-supabase\nB=1\n")
    (tmp_path / ".env").write_text("A=in-root\nOTHER=${A}\n")
    found = resolve(root=tmp_path, process={"B": "2"}).config
    assert (found.project_id, found.number("db", "port")) == ("in-supabase", 2)


@pytest.mark.parametrize("text", ["", "project_id = 5\n", "[db]\n", 'db = "x"\n', "[[db]]\nport = 1\n", "[api]\n"])
def test_whatever_else_stands_there_the_defaults_are_read(config, text):
    found = config(text)
    assert found.seeds == ()  # there is no such file, and nobody has named it
    (found.root / "supabase/seed.sql").write_text("select 1")
    assert (found.number("db", "port"), found.seeds, found.switch("auth", "enabled")) == (None, ("./seed.sql",), True)
    assert ours(found)["db"]["seed"] == {"enabled": True, "sql_paths": ["seed.sql"]}


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ('project_id = "x"\n[db\nport = 1\n', 2, "expected"),
        ("a = 1\na = 2\n", 2, "overwrite"),
        ("[db]\nx = 1\n\n[db]\n", 4, "declare"),
        ('a = "unfinished\n', 1, "character"),
        ("a = [1,\n\n", 2, ""),
    ],
)  # fmt: skip
def test_a_file_that_is_no_toml_is_one_error_with_its_line(config, text, line, said):
    with pytest.raises(ConfigError, match=rf"supabase/config\.toml, line {line}: this is no TOML") as caught:
        _ = config(text).data
    assert said in caught.value.message
    assert "\n" not in caught.value.message


def test_a_mark_at_the_beginning_and_windows_lines_are_taken_as_the_cli_takes_them(config):
    assert config(b'\xef\xbb\xbfproject_id = "x"\r\n[db]\r\nport = 5\r\n').number("db", "port") == 5
    with pytest.raises(ConfigError, match="not valid UTF-8"):
        _ = config(b'project_id = "\xe4"').data


def test_a_value_that_we_need_and_cannot_read_is_named_with_its_line(config):
    with pytest.raises(ConfigError, match=r"db\.seed\.enabled .*line 3\): 'env\(SEED\)' is not true or false"):
        _ = config('[db]\n[db.seed]\nenabled = "env(SEED)"\n').seeds
    with pytest.raises(ConfigError, match=r"db\.seed\.sql_paths .*line 2\): it is not a list of texts"):
        _ = config("[db.seed]\nsql_paths = [1]\n").seeds


@pytest.mark.parametrize(
    ("path", "line"),
    [("inbucket", 2), ("inbucket.port", 3), ("auth.email.template", 5), ("auth.email.template.invite.subject", 6),
     ("db.pooler.port", 9), ("db.pooler", 9), ("auth.a.b", 12), ("project_id", 1), ("missing", 0), ("db.none", 0)],
)  # fmt: skip
def test_the_line_of_a_key(config, path, line):
    found = config(
        'project_id = "x"\n[inbucket]\nport = 1\n# [db]\n[auth.email.template."invite"] # mail\n subject = "[db]"\n\n'
        "[db]\npooler.port = 2\n\n[auth]\na = { b = 1 }\n".replace("a = { b = 1 }", "a.b = 1")
    )
    assert found.line(*path.split(".")) == line


# --- what a call gets ---


@pytest.mark.parametrize(
    "text",
    [
        "[inbucket]\nenabled = true\n",
        "[nonsense]\na = 1\n",
        '[api]\nport = "env(UNSET)"\nenabled = "env(UNSET)"\n[auth.external.twitter]\nenabled = true\n',
        '[auth.email.template.invite]\ncontent_path = "./none.html"\n',
        "[db]\nmajor_version = 12\nport = 54399\nshadow_port = 0\n",
        'project_id = "a/b & \\"c\\""\n',
    ],
)
def test_a_call_gets_nothing_that_it_does_not_need(config, text):
    found = ours(config(text))
    assert set(found) <= {"project_id", "api", "db"}
    assert set(found.get("api", {})) <= {"schemas"}
    assert set(found["db"]) == {"port", "migrations", "seed"}


def test_a_call_gets_the_schemas_that_are_exposed_and_what_is_said_of_migrations_and_seeds(config):
    found = ours(
        config(
            '[api]\nenabled = false\nschemas = ["public", "ünï"]\n[db.migrations]\nenabled = false\n'
            "[db.seed]\nenabled = false\n"
        )
    )
    assert found["api"] == {"schemas": ["public", "ünï"]}
    assert found["db"]["migrations"] == {"enabled": False}
    assert found["db"]["seed"] == {"enabled": False, "sql_paths": []}


def seeded(tmp_path, config, *patterns):
    """The files that a call sees for these patterns, by their path as the CLI would tell it."""
    text = f"[db.seed]\nsql_paths = {json.dumps(patterns)}\n"
    project = fill(tmp_path / "place", config(text), (FIRST,), seed=True)
    tree = tmp_path / "place/tree"
    found = {path for path in tree.rglob("*") if path.is_file()}
    assert not [path for path in tree.rglob("*") if path.is_symlink()]
    assert {path.name for path in project.glob("supabase/migrations/*")} == {FIRST.file_name}
    ours = ("migrations", "config.toml")
    return {str(f.relative_to(project.parent)) for f in found if not set(f.parts) & set(ours)}


@pytest.mark.parametrize(
    ("patterns", "files"),
    [
        (["./seed.sql"], {"app/supabase/seed.sql"}),
        (["seeds/*.sql"], {"app/supabase/seeds/a.sql", "app/supabase/seeds/[x].sql"}),
        (["seeds"], {f"app/supabase/seeds/{n}" for n in ("a.sql", "[x].sql", "read.me", "deep/b.sql")}),
        (["seeds/[a-c].sql"], {"app/supabase/seeds/a.sql"}),
        (["seeds/**/*.sql"], {"app/supabase/seeds/deep/b.sql"}),
        (["../data.sql", "../../shared/z.sql", "none/*.sql"], {"app/data.sql", "shared/z.sql"}),
        ([f"{'../' * 40}etc/none.sql", "migrations/*.sql", "../.env", "."], {"app/supabase/seed.sql"} | {
            f"app/supabase/seeds/{n}" for n in ("a.sql", "[x].sql", "read.me", "deep/b.sql")}),
    ],
)  # fmt: skip
def test_the_seed_files_that_a_call_sees(tmp_path, config, patterns, files):
    config("")
    for name in ("seed.sql", "seeds/a.sql", "seeds/[x].sql", "seeds/read.me", "seeds/deep/b.sql", ".env",
                 "migrations/20250101000000_on_disk.sql", "../data.sql", "../.env", "../../shared/z.sql"):  # fmt: skip
        path = tmp_path / "app/supabase" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"-- {name}\n")
    assert seeded(tmp_path, config, *patterns) == files


def test_seeds_are_there_only_for_a_call_that_runs_them(tmp_path, config):
    found = config("[db.seed]\nsql_paths = ['seed.sql']\n")
    (found.root / "supabase/seed.sql").write_text("select 1;\n")
    project = fill(tmp_path / "place", found, ())
    assert not (project / "supabase/seed.sql").exists()
