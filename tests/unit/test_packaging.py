"""What an installed package holds: pyproject.toml lists it, and the list must not fall behind the folders."""

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SETUPTOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
EXAMPLE = "sbsync_tasks.example"


def test_every_package_is_listed():
    found = {".".join(path.parent.relative_to(ROOT).parts) for path in (ROOT / "sbsync_tasks").rglob("__init__.py")}
    assert {*found, EXAMPLE} == set(SETUPTOOLS["packages"])


@pytest.mark.parametrize(
    "path", [p for p in (ROOT / "sbsync_tasks").rglob("*") if p.suffix in {".sql", ".toml", ".control"}]
)
def test_every_data_file_is_listed(path):
    package = path
    while not (package / "__init__.py").is_file():
        package = package.parent
    patterns = SETUPTOOLS["package-data"][".".join(package.relative_to(ROOT).parts)]
    assert any(path.relative_to(package).match(pattern) for pattern in patterns)


def test_the_example_project_is_part_of_the_package():
    assert SETUPTOOLS["package-dir"] == {EXAMPLE: "supabase"}
    patterns = SETUPTOOLS["package-data"][EXAMPLE]
    for name in ("config.toml", "seed.sql", "migrations/20260105090000_teams.sql"):
        assert (ROOT / "supabase" / name).is_file()
        assert any(Path(name).match(pattern) for pattern in patterns)
