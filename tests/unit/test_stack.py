"""What is read from config.toml about the local stack, and what of it the shadows' base is made with."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from invoke.context import Context
from pytest_mock import MockerFixture

from sbsync_tasks.databases import Stack
from sbsync_tasks.databases import container_base as base
from sbsync_tasks.databases.docker import Docker, published_port
from sbsync_tasks.errors import ConfigError, MissingToolError
from sbsync_tasks.runner import MASK, Completed, Runner
from sbsync_tasks.settings.config_toml import ConfigToml
from sbsync_tasks.supabase_cli import CliError, LocalStackCli
from sbsync_tasks.supabase_cli.binary import Binary, Version

ALL_OFF = "".join(
    f"[{name}]\nenabled = false\n" for name in ("api", "auth", "realtime", "storage", "studio", "edge_runtime")
)


def no_cli(project_id: str) -> LocalStackCli:
    raise AssertionError(project_id)


def stack(root: Path, config: str | None) -> Stack:
    """A stack that no CLI is needed for."""
    if config is not None:
        (root / "supabase").mkdir(exist_ok=True)
        (root / "supabase" / "config.toml").write_text(config, encoding="utf-8")
    return Stack(ConfigToml(root), Docker(Runner(Context())), no_cli)


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
    assert tomllib.loads(base._settings(made.config)) == {
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
    recipe = base.Recipe("sha256:1", ("sh",), ("-c", "x\ny"), {"JWT_SECRET": "a=b"})
    base.write(path, "one", recipe)
    assert base.read(path, "one") == recipe
    assert base.read(path, "two") is None
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text("{", encoding="utf-8")
    assert base.read(path, "one") is None
    assert base.read(tmp_path / "absent", "one") is None


def test_a_recipe_is_what_the_engine_says() -> None:
    container = {
        "Image": "sha256:1",
        "Config": {"Entrypoint": ["sh"], "Cmd": ["-c", "x"], "Env": ["A=b=c", "EMPTY="], "Image": "name:tag"},
    }
    assert base.Recipe.of(container) == base.Recipe("sha256:1", ("sh",), ("-c", "x"), {"A": "b=c", "EMPTY": ""})


def test_a_port_is_published_only_while_it_runs() -> None:
    ports = {"5432/tcp": [{"HostIp": "", "HostPort": "54322"}], "1/tcp": None}
    running = {"State": {"Running": True}, "NetworkSettings": {"Ports": ports}}
    assert published_port(running) == 54322
    assert published_port(running, "1/tcp") is None
    assert published_port({**running, "State": {"Running": False}}) is None


def told(mocker: MockerFixture, *, code: int = 0, **answer: object) -> tuple[LocalStackCli, Runner]:
    """The calls of a CLI that gives this answer, and what runs them."""
    runner = Runner(Context())
    mocker.patch.object(runner, "run", return_value=Completed(("supabase", "status"), code, json.dumps(answer), ""))
    return LocalStackCli(Binary(Path("supabase"), Version(3, 1, 0), ""), runner, Path("project"), "shop"), runner


def test_the_stack_in_docker_is_no_experimental_one(mocker: MockerFixture) -> None:
    url = "postgresql://postgres:postgres@127.0.0.1:54322/postgres"
    assert told(mocker, linked_project=None, DB_URL=url)[0].experimental() is None
    inspect = {"code": "StatusDbInspectError", "message": "failed to inspect container health: No such container"}
    assert told(mocker, code=1, linked_project=None, error=inspect)[0].experimental() is None


def test_the_experimental_stack_says_where_it_listens_and_its_password_is_masked(mocker: MockerFixture) -> None:
    url = "postgresql://postgres:ed94%2F1619@127.0.0.1:25304/postgres"
    cli, runner = told(mocker, identity={}, env={"DB_URL": url})
    found = cli.experimental()
    assert found is not None
    assert found.endpoint is not None
    assert (found.endpoint.port, found.endpoint.password) == (25304, "ed94/1619")
    assert runner.redact("ed94/1619") == MASK


def test_an_experimental_stack_that_does_not_run_is_said_so_in_the_words_of_the_cli(mocker: MockerFixture) -> None:
    absent = {"code": "ExperimentalStackStatusError", "message": "No managed stack exists."}
    found = told(mocker, code=1, error=absent)[0].experimental()
    assert found is not None
    assert found.endpoint is None
    assert "No managed stack exists." in found.said
    found = told(mocker, identity={}, env={})[0].experimental()
    assert found is not None
    assert found.endpoint is None


def test_a_switch_that_the_cli_does_not_take_is_an_error(mocker: MockerFixture) -> None:
    wrong = {"code": "StackRoutingError", "message": "expected true or false"}
    with pytest.raises(CliError, match="expected true or false"):
        told(mocker, code=1, error=wrong)[0].experimental()


def test_without_a_switch_no_cli_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUPABASE_EXPERIMENTAL_STACK", raising=False)
    assert stack(tmp_path, "[experimental]\nstack = false\n").experimental is False
    assert stack(tmp_path, 'project_id = "shop"').experimental is False
