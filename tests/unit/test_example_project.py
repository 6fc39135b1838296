"""The example project in `supabase/`: the CLI accepts its names, PostgreSQL's parser its SQL."""

import re
import tomllib
from pathlib import Path

import postgast
import pytest

from sbsync_tasks.state import migrations

ROOT = Path(__file__).parents[2]
SUPABASE = ROOT / "supabase"
SQL_FILES = [*sorted((SUPABASE / "migrations").glob("*.sql")), SUPABASE / "seed.sql"]


def test_the_cli_finds_every_migration():
    folder = migrations.read_folder(ROOT)
    assert len(folder.migrations) >= 3
    assert folder.misnamed == ()
    assert len(list((SUPABASE / "migrations").iterdir())) == len(folder.migrations)


def test_versions_are_unique_times_in_ascending_order():
    versions = [m.version for m in migrations.read_folder(ROOT).migrations]
    assert versions == sorted(set(versions))
    assert all(re.fullmatch(r"20\d{12}", version) for version in versions)


@pytest.mark.parametrize("path", SQL_FILES, ids=lambda p: p.name)
def test_the_sql_parses(path):
    assert len(postgast.parse(path.read_text(encoding="utf-8")).stmts) > 0


def test_every_table_has_row_level_security():
    sql = "\n".join(m.sql for m in migrations.read_folder(ROOT).migrations)
    tables = re.findall(r"^create table (\S+)", sql, re.MULTILINE)
    assert tables
    assert set(re.findall(r"^alter table (\S+) enable row level security", sql, re.MULTILINE)) == set(tables)


def test_the_configuration():
    config = tomllib.loads((SUPABASE / "config.toml").read_text(encoding="utf-8"))
    assert config["db"]["major_version"] == 17
    assert config["db"]["seed"]["enabled"]
    seeds = [SUPABASE / path for path in config["db"]["seed"]["sql_paths"]]
    assert [path.is_file() for path in seeds] == [True]
