"""What is read from config.toml about the local stack, and what of it the shadows' base is made with."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from sbsync_tasks.databases.containers import Recipe, _settings
from sbsync_tasks.databases.stack import Docker, Stack, published_port
from sbsync_tasks.errors import ConfigError, MissingToolError
from sbsync_tasks.settings.project import ConfigToml
from sbsync_tasks.supabase_cli import LocalStackCli

ALL_OFF = "".join(
    f"[{name}]\nenabled = false\n" for name in ("api", "auth", "realtime", "storage", "studio", "edge_runtime")
)


def no_cli(config: ConfigToml) -> LocalStackCli:
    raise AssertionError(config)


def stack(root: Path, config: str | None) -> Stack:
    """A stack that no CLI is needed for."""
    if config is not None:
        (root / "supabase").mkdir(exist_ok=True)
        (root / "supabase" / "config.toml").write_text(config, encoding="utf-8")
    return Stack(ConfigToml(root), Docker(), no_cli)


@pytest.mark.parametrize(
    ("config", "name"),
    [
        ('project_id = "shop"', "supabase_db_shop"),
        ('project_id = "..my shop & co"', "supabase_db_my_shop_co"),
        (f'project_id = "{"x" * 50}"', f"supabase_db_{'x' * 40}"),
        ("", "supabase_db_root"),
        (None, "supabase_db_root"),
    ],
)
def test_the_container_is_named_by_the_config(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: str | None, name: str
) -> None:
    monkeypatch.setenv("SUPABASE_PROJECT_ID", "abcdefghijklmnopqrst")
    (tmp_path / "root").mkdir()
    assert stack(tmp_path / "root", config).container_name == name


def test_a_broken_config_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"supabase/config\.toml, line 1: this is no TOML"):
        _ = stack(tmp_path, "project_id = ").project_id


@pytest.mark.parametrize(
    ("config", "command"),
    [
        ("", "supabase start"),
        (ALL_OFF, "supabase db start"),
        (ALL_OFF.replace("[auth]\nenabled = false", "[auth]\nenabled = true"), "supabase start"),
    ],
)
def test_the_database_alone_is_started_where_every_service_is_off(tmp_path: Path, config: str, command: str) -> None:
    assert stack(tmp_path, config).start_command == command


def test_without_an_engine_the_ways_on_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingToolError) as raised:
        stack(tmp_path, f'project_id = "shop"\n[db]\nport = 1\n{ALL_OFF}').endpoint()
    assert "the program docker is not installed" in raised.value.message
    assert "`supabase db start`" in raised.value.hint
    assert "SBSYNC_LOCAL=embedded" in raised.value.hint


def test_the_base_is_made_with_what_decides_a_new_database(tmp_path: Path) -> None:
    made = stack(
        tmp_path,
        'project_id = "shop"\n[db]\nport = 1\nmajor_version = 15\n[db.settings]\nmax_connections = 50\n'
        'timezone = "a\\"b"\n[db.seed]\nsql_paths = ["x"]\n[auth]\nsite_url = "env(URL)"\n[storage]\nenabled = false\n',
    )
    assert tomllib.loads(_settings(made.config)) == {
        "db": {
            "major_version": 15,
            "seed": {"enabled": False},
            "settings": {"max_connections": 50, "timezone": 'a"b'},
        },
        "auth": {"enabled": True},
        "storage": {"enabled": False},
        "realtime": {"enabled": True},
    }


def test_a_recipe_is_of_one_base_and_private(tmp_path: Path) -> None:
    path = tmp_path / "recipe.json"
    recipe = Recipe("one", "sha256:1", ["sh", "-c", "x\ny"], {"JWT_SECRET": "a=b"})
    recipe.write(path)
    assert Recipe.read(path, "one") == recipe
    assert Recipe.read(path, "two") is None
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text("{", encoding="utf-8")
    assert Recipe.read(path, "one") is None
    assert Recipe.read(tmp_path / "absent", "one") is None


def test_a_recipe_is_what_the_engine_says() -> None:
    container = {
        "Image": "sha256:1",
        "Config": {"Entrypoint": ["sh"], "Cmd": ["-c", "x"], "Env": ["A=b=c", "EMPTY="], "Image": "name:tag"},
    }
    assert Recipe.of(container, "one") == Recipe("one", "sha256:1", ["sh", "-c", "x"], {"A": "b=c", "EMPTY": ""})


def test_a_port_is_published_only_while_it_runs() -> None:
    ports = {"5432/tcp": [{"HostIp": "", "HostPort": "54322"}], "1/tcp": None}
    running = {"State": {"Running": True}, "NetworkSettings": {"Ports": ports}}
    assert published_port(running) == 54322
    assert published_port({**running, "NetworkSettings": {"Ports": {"5432/tcp": None}}}) is None
    assert published_port({**running, "State": {"Running": False}}) is None


@pytest.mark.parametrize(
    ("variable", "in_config", "named"),
    [
        ("1", "", "SUPABASE_EXPERIMENTAL_STACK"),
        ("true", "stack = false", "SUPABASE_EXPERIMENTAL_STACK"),
        ("", "stack = true", "supabase/config.toml"),
        ("yes", "", "SUPABASE_EXPERIMENTAL_STACK"),
        ("0", "stack = true", ""),
        ("False", "stack = true", ""),
        ("", "stack = false", ""),
        ("", "", ""),
    ],
)
def test_the_experimental_stack_is_refused_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, in_config: str, named: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("SUPABASE_EXPERIMENTAL_STACK", variable)
    found = stack(tmp_path, f"[db]\nport = 1\n[experimental]\n{in_config}\n")
    if not named:
        assert found.find() is None
        return
    for look in (found.find, found.endpoint, lambda: found.runs_in_docker):
        with pytest.raises(ConfigError, match=re.escape(named)) as raised:
            look()
        assert "experimental stack" in raised.value.message
        assert "`supabase start`" in raised.value.hint


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (
            "Cannot connect to the daemon at unix:///x. Is the docker daemon running?",
            "Cannot connect to the daemon at unix:///x",
        ),
        ("", "docker did not answer"),
    ],
)
def test_an_engine_that_is_missing_is_told_within_a_sentence(tmp_path, monkeypatch, said, why):
    program = tmp_path / "docker"
    program.write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 1\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert Docker().missing == why
