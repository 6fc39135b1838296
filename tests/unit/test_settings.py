"""Settings: who wins, what is refused, and that no secret ever shows."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from invoke.config import Config

from sbsync_tasks.errors import ConfigError
from sbsync_tasks.redaction import Redactor
from sbsync_tasks.settings import Value, masked
from sbsync_tasks.settings.keys import Layer
from tests.support.settings import HERE, REF, SECRET, TIMEOUT, URL, Project

OTHER = "tsrqponmlkjihgfedcba"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


# --- precedence ---------------------------------------------------------------------------------

STAGING = [
    "supabase/.env.staging.local",
    "supabase/.env.local",
    "supabase/.env.staging",
    "supabase/.env",
    ".env.staging.local",
    ".env.local",
    ".env.staging",
    ".env",
]


def test_the_full_order(project: Project) -> None:
    """Each place in turn wins over all below it: the strongest is taken away, again and again."""
    for number, name in enumerate(STAGING, start=5):
        project.file(name, f"{TIMEOUT}={number}s")
    given: dict[str, Any] = {
        "process": {TIMEOUT: "2s", "INVOKE_SBSYNC_LOCK_TIMEOUT": "13s"},
        "invoke_config": {"lock_timeout": "14s"},
    }
    seen = []

    def look() -> None:
        value = project.settings("staging", **given).values[TIMEOUT]
        seen.append((value.text, value.source))

    look()
    del given["process"][TIMEOUT]
    for name in STAGING:
        look()
        (project.root / name).write_text("")
    look()
    given["process"] = {}
    look()
    given["invoke_config"] = {"lock_timeout": None}
    look()
    assert seen == [
        ("2s", "process environment"),
        *((f"{number}s", f"{name}:1") for number, name in enumerate(STAGING, start=5)),
        ("13s", "INVOKE_SBSYNC_LOCK_TIMEOUT"),
        ("14s", "invoke config sbsync.lock_timeout"),
        ("10s", "default"),
    ]


def test_env_files_replace_the_files_and_the_later_wins(project: Project, monkeypatch) -> None:
    monkeypatch.chdir(project.root)
    project.file(".env", f"{TIMEOUT}=1s", "SBSYNC_BACKUP=full")
    project.file("a.env", f"{TIMEOUT}=2s", "SBSYNC_SCHEMAS=a")
    project.file("b.env", "", f"{TIMEOUT}=3s")
    settings = project.settings(env_files=["a.env", "b.env"])
    assert settings.values[TIMEOUT] == Value(TIMEOUT, "3s", "b.env:2", Layer.ENV_FILE, literal=False)
    assert (settings.schemas, settings.backup) == (("a",), "auto")
    assert settings.files_read == (Path("b.env"), Path("a.env"))
    assert project.settings(env_files=["a.env"], process={TIMEOUT: "9s"}).lock_timeout == "9s"


def test_test_does_not_read_env_local(project: Project) -> None:
    project.file(".env.test", "SBSYNC_BACKUP=auto")
    project.file(".env.local", f"{TIMEOUT}=1s")
    project.file(".env.test.local", "SBSYNC_SCHEMAS=x")
    settings = project.settings("test", process={"SUPABASE_DB_URL": HERE})
    assert (settings.lock_timeout, settings.schemas) == ("10s", ("x",))
    assert project.settings().lock_timeout == "1s"


def test_the_last_line_of_a_file_counts(project: Project) -> None:
    project.file(".env", f"{TIMEOUT}=1s", f"{TIMEOUT}=2s")
    assert str(project.settings().values[TIMEOUT]) == f"{TIMEOUT} (.env:2)"
    assert project.settings().lock_timeout == "2s"


def test_a_folder_called_env_is_no_file(project: Project) -> None:
    (project.root / ".env").mkdir()
    assert project.settings().files_read == ()


def test_the_process_environment_of_this_python_plays_no_part(project: Project, monkeypatch) -> None:
    monkeypatch.setenv(TIMEOUT, "77s")
    monkeypatch.setenv("SBSYNC_ENV", "nowhere")
    project.file(".env", "SBSYNC_BACKUP=full", "APP_KEY=1")
    before = dict(os.environ)
    settings = project.settings()
    assert (settings.env, settings.lock_timeout, settings.backup) == ("development", "10s", "full")
    assert dict(os.environ) == before


def test_the_applications_own_keys_are_left_alone(project: Project) -> None:
    project.file(".env", f"APP_SECRET={SECRET}", "SUPABASE_ANON_KEY=x", "BROKEN=${NOWHERE}")
    settings = project.settings(process={"SUPABASE_URL": "x", "SBSYNC_TEST_X": "1"})
    assert not {"APP_SECRET", "SUPABASE_ANON_KEY", "SUPABASE_URL"} & set(settings.values)
    assert settings.secrets == ()


# --- which environment --------------------------------------------------------------------------


def test_who_chooses_the_environment(project: Project) -> None:
    for name in ("flag", "ours", "theirs"):
        project.file(f".env.{name}", "")
    both = {"SBSYNC_ENV": "ours", "SUPABASE_ENV": "theirs"}
    flag = project.settings("flag", process=both)
    ours = project.settings(process=both)
    theirs = project.settings(process={"SUPABASE_ENV": "theirs"})
    chosen = [(s.env, s.env_source, s.env_spelled_out) for s in (flag, ours, theirs)]
    assert chosen == [
        ("flag", "--env", True),
        ("ours", "process environment, SBSYNC_ENV", False),
        ("theirs", "process environment, SUPABASE_ENV", False),
    ]
    assert project.settings().env == "development"


@pytest.mark.parametrize("name", ["", "local", "LOCAL", "Sandbox", "a/b", "a.local", "-x", "a b"])
def test_names_that_no_environment_can_have(project: Project, name: str) -> None:
    assert repr(name) in project.error(name)
    assert "SBSYNC_ENV" in project.error(process={"SBSYNC_ENV": name})


def test_a_named_environment_needs_a_file(project: Project) -> None:
    project.file(".env", "SBSYNC_BACKUP=full")
    message = project.error("staging")
    for name in (STAGING[0], STAGING[2], STAGING[4], STAGING[6]):
        assert name in message
    assert "(--env)" in message
    with pytest.raises(ConfigError):
        project.settings("staging")


def test_a_named_environment_may_come_from_elsewhere(project: Project, monkeypatch) -> None:
    monkeypatch.chdir(project.root)
    process = {"SUPABASE_PROJECT_ID": REF, "SUPABASE_DB_PASSWORD": SECRET}
    assert project.settings("staging", process=process).required_remote().ref == REF
    project.file("ci.env", f"SUPABASE_PROJECT_ID={REF}")
    assert project.settings("staging", env_files=["ci.env"]).required_remote().source == "ci.env:1"
    project.file("empty.env")
    assert project.settings("staging", env_files=["empty.env"]).remote is None


@pytest.mark.parametrize("key", ["SBSYNC_ENV", "SUPABASE_ENV", "SBSYNC_DEBUG"])
def test_process_only_keys_in_a_file(project: Project, key: str) -> None:
    project.file(".env", "", f"{key}=staging")
    assert f"{key} may not stand in a file (.env:2)" in project.error()


# --- the local database and the rest ------------------------------------------------------------


def test_local(project: Project) -> None:
    assert project.settings().local.kind == "stack"
    assert project.settings(process={"SBSYNC_LOCAL": "embedded"}).values["SBSYNC_LOCAL"].source == "process environment"
    project.file(".env", f"SBSYNC_LOCAL=postgresql://u:{SECRET}@localhost:5433/x")
    settings = project.settings()
    local = settings.local
    assert (local.kind, settings.values["SBSYNC_LOCAL"].source) == ("url", ".env:1")
    assert local.endpoint is not None
    assert local.endpoint.password == SECRET


@pytest.mark.parametrize(
    "text", [f"postgresql://u:{SECRET}@db.example.com/x", SECRET, f"mysql://u:{SECRET}@localhost/x"]
)
def test_a_bad_local(project: Project, text: str) -> None:
    project.file(".env", f"SBSYNC_LOCAL={text}")
    assert "SBSYNC_LOCAL (.env:1)" in project.error()


def test_paths_start_at_the_root(project: Project) -> None:
    project.file(
        ".env", "SBSYNC_BACKUP_DIR=kept", "SBSYNC_SUPABASE_BIN=node_modules/.bin/supabase",
        "SBSYNC_PG_BINDIR=~/pg/bin",
    )  # fmt: skip
    settings = project.settings(process={"HOME": "/home/me"})
    assert settings.backup_dir == project.root / "kept"
    assert settings.supabase_bin == str(project.root / "node_modules/.bin/supabase")
    assert settings.pg_bindir == "/home/me/pg/bin"
    named = {"SBSYNC_SUPABASE_BIN": "supabase-beta"}
    assert project.settings(process=named).supabase_bin == "supabase-beta"


def test_defaults(project: Project) -> None:
    settings = project.settings()
    assert settings.schemas == ()
    assert (settings.backup, settings.backup_keep) == ("auto", 10)
    assert settings.backup_dir == project.root / ".sbsync/backups"
    assert (settings.supabase_bin, settings.pg_bindir, settings.expect) == ("", "", "")


@pytest.mark.parametrize("text", ["10s", "500ms", "0", "2min", "1h", "24d"])
def test_durations(project: Project, text: str) -> None:
    assert project.settings(process={TIMEOUT: text}).lock_timeout == text


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (TIMEOUT, "10"),
        (TIMEOUT, "10 s"),
        (TIMEOUT, "-1s"),
        (TIMEOUT, "1s -c x=y"),
        (TIMEOUT, "25d"),
        (TIMEOUT, "1.5s"),
        ("SBSYNC_BACKUP", "off"),
        ("SBSYNC_BACKUP_KEEP", "0"),
        ("SBSYNC_BACKUP_KEEP", "-1"),
        ("SBSYNC_BACKUP_KEEP", "1_0"),
        ("SBSYNC_PROTECTED", "maybe"),
        ("SBSYNC_PROTECTED", ""),
        ("SBSYNC_EXPECT", "staging"),
        ("SUPABASE_PROJECT_ID", "my-app"),
        ("SUPABASE_PROJECT_ID", REF.upper()),
        ("SUPABASE_DB_URL", f"https://{SECRET}"),
        ("SUPABASE_DB_PASSWORD", f"{SECRET}\n"),
        ("SBSYNC_SCHEMAS", f"a\n{SECRET}"),
    ],
)
def test_a_bad_value_names_its_key_and_place(project: Project, key: str, text: str) -> None:
    assert f"{key} (process environment)" in project.error(process={key: text})


def test_a_url_and_a_password_that_differ(project: Project) -> None:
    url = URL.replace("@", f":{SECRET}@")
    project.file(".env", f"SUPABASE_DB_URL={url}", f"SUPABASE_DB_PASSWORD={SECRET}2")
    message = project.error()
    assert "(.env:1) is another than SUPABASE_DB_PASSWORD (.env:2)" in message
    project.file(".env", f"SUPABASE_DB_URL={url}", f"SUPABASE_DB_PASSWORD={SECRET}")
    assert project.settings().required_remote().password == SECRET


def test_an_unexpected_ref(project: Project) -> None:
    project.file(".env", f"SUPABASE_PROJECT_ID={REF}", f"SBSYNC_EXPECT={OTHER}")
    message = project.error()
    assert ".env:1" in message
    assert ".env:2" in message
    project.file(".env", f"SUPABASE_PROJECT_ID={REF}", "SBSYNC_EXPECT=7423900000000000000")
    assert project.settings().expect == "7423900000000000000"


@pytest.mark.parametrize("name", ["SBSYNC_LOKAL", "sbsync_local", "SBSYNC_local"])
def test_an_unknown_key_names_the_nearest(project: Project, name: str) -> None:
    nearest = "Did you mean SBSYNC_LOCAL?"
    assert nearest in project.error(process={name: "stack"})
    project.file(".env", f"{name}=stack")
    message = project.error()
    assert f"{name} (.env:1)" in message
    assert nearest in message


def test_a_missing_env_file(project: Project) -> None:
    assert "'no/such.env'" in project.error(env_files=["no/such.env"])
    assert "no file" in project.error(env_files=[str(project.root)])


def test_a_bad_line_in_a_file_in_use(project: Project) -> None:
    project.file("supabase/.env.staging", "", f"{SECRET} oops")
    assert "supabase/.env.staging:2" in project.error("staging")


# --- Invoke config ------------------------------------------------------------------------------


def test_invokes_own_config_object(project: Project) -> None:
    data = {"lock_timeout": "3s", "backup_keep": 5, "schemas": ["public", "app"], "local": None}
    config = Config(overrides={"sbsync": data})
    settings = project.settings(invoke_config=config.get("sbsync", {}))
    assert (settings.lock_timeout, settings.backup_keep) == ("3s", 5)
    assert settings.schemas == ("public", "app")
    assert settings.values["SBSYNC_LOCAL"].source == "default"


def test_the_word_false_from_the_environment_is_no_true(project: Project) -> None:
    """Invoke itself turns any text but `0` into True where the default is a bool."""
    process = {"INVOKE_SBSYNC_PROTECTED": "false", "SUPABASE_DB_URL": HERE}
    settings = project.settings(process=process, invoke_config={"protected": True})
    assert settings.protected
    assert settings.values["SBSYNC_PROTECTED"].source == "invoke config sbsync.protected"


@pytest.mark.parametrize(
    ("short", "content", "shown"),
    [
        ("lokal", "stack", "Did you mean local?"),
        ("env", "staging", "SBSYNC_ENV"),
        ("db_url", URL, "SUPABASE_DB_URL may not stand"),
        ("project_id", REF, "SUPABASE_PROJECT_ID may not stand"),
        ("db_password", SECRET, "SUPABASE_DB_PASSWORD may not stand"),
        ("local", f"postgresql://u:{SECRET}@localhost/x", "SBSYNC_LOCAL may not stand"),
        ("backup", {"a": SECRET}, "is no text"),
        ("backup_keep", True, "SBSYNC_BACKUP_KEEP"),
    ],
)
def test_what_the_invoke_config_may_not_say(project, short, content, shown) -> None:
    assert shown in project.error(invoke_config={short: content})
    if isinstance(content, str):
        assert shown in project.error(process={f"INVOKE_SBSYNC_{short.upper()}": content})


# --- what shows ---------------------------------------------------------------------------------

PASSWORD = st.text(
    st.characters(min_codepoint=0x21, exclude_characters="\x7f", exclude_categories=["Cs"]),
    min_size=6,
).map(lambda text: f"{SECRET}{text}{SECRET}")


@given(
    secret=PASSWORD,
    line=st.sampled_from(
        [
            "SUPABASE_DB_PASSWORD={}",
            'SUPABASE_DB_PASSWORD="{}',
            "SUPABASE_DB_PASSWORD='{}",
            "SUPABASE_DB_PASSWORD=a${{{}}}b",
            "SUPABASE_DB_PASSWORD {}",
            "SUPABASE_PROJECT_ID={}",
            "SUPABASE_DB_URL={}",
            "SUPABASE_DB_URL=postgresql://u:{}@db.example.com/x",
            "SUPABASE_DB_URL=postgresql://u:{}@db.example.com:x/x",
            "SUPABASE_DB_URL=postgresql://u@db.example.com/x?{}",
            "SBSYNC_LOCAL={}",
            "SBSYNC_LOCAL=postgresql://u:{}@localhost/x",
            "SBSYNC_EXPECT={}",
            "SBSYNC_PROTECTED={}",
            "SBSYNC_BACKUP={}",
            "SBSYNC_BACKUP_KEEP={}",
            "SBSYNC_LOCK_TIMEOUT={}",
            "{}",
        ]
    ),
    before=st.sampled_from(["", f"SUPABASE_DB_URL={URL}", f"SUPABASE_PROJECT_ID={REF}"]),
)
@hypothesis_settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_error_and_no_repr_shows_a_secret(project, secret: str, line: str, before: str) -> None:
    project.file(".env", before)
    project.file(".env.local", line.format(secret))
    try:
        settings = project.settings()
    except ConfigError as error:
        shown = error.message + error.hint
    else:
        shown = repr(settings)
    assert SECRET not in shown


def test_every_secret_is_known_for_redaction(project: Project) -> None:
    project.file(".env", "SUPABASE_DB_PASSWORD=hidden1/", "SUPABASE_DB_URL=nonsense://u:hid%40n2@x")
    project.file(
        ".env.staging", f"SUPABASE_DB_URL={URL}", "SUPABASE_DB_PASSWORD=p@ss",
        "SBSYNC_LOCAL=postgresql://postgres:postgres@localhost/x",
    )  # fmt: skip
    settings = project.settings("staging")
    redact = Redactor(settings.secrets)
    for form in ("p@ss", "p%40ss", "hidden1/", "hidden1%2F", "hid%40n2", "hid@n2"):
        assert redact(f"<{form}>") == "<***>"
    assert "postgres" not in settings.secrets
    assert "" not in settings.secrets
    project.file(".env", f"SUPABASE_DB_PASSWORD={SECRET}${{NOWHERE}}")
    assert f"{SECRET}${{NOWHERE}}" in project.settings("staging").secrets


@pytest.mark.parametrize(
    "line",
    ["SUPABASE_DB_PASSWORD=${THEIRS}", "SUPABASE_DB_URL=postgresql://postgres:${THEIRS}@db.example.com/postgres"],
)
def test_a_reference_is_no_secret(project: Project, line: str) -> None:
    project.file(".env", line)
    assert [*project.settings(process={"THEIRS": SECRET}).secrets] == [SECRET]


@pytest.mark.parametrize(
    ("key", "text", "shown"),
    [
        ("SUPABASE_DB_PASSWORD", SECRET, "***"),
        ("SUPABASE_DB_PASSWORD", "", ""),
        ("SUPABASE_DB_URL", f"postgresql://u:{SECRET}@h:1/x", "postgresql://u:***@h:1/x"),
        ("SUPABASE_DB_URL", "postgresql://u@h:1/x", "postgresql://u@h:1/x"),
        ("SUPABASE_DB_URL", f"postgresql://u:{SECRET}", "***"),
        ("SBSYNC_LOCAL", f"postgresql://u:{SECRET}@h:1/x", "postgresql://u:***@h:1/x"),
        ("SBSYNC_LOCAL", "stack", "stack"),
        ("SBSYNC_ENV", "staging", "staging"),
        ("SUPABASE_WORKDIR", "/srv/app", "/srv/app"),
        ("APP_SECRET", SECRET, "***"),
    ],
)
def test_masked(key: str, text: str, shown: str) -> None:
    value = Value(key, text, "here")
    assert masked(value) == shown
    assert SECRET not in repr(value)


def test_provenance(project: Project) -> None:
    project.file(".env.staging", f"SUPABASE_DB_URL={URL}", "SBSYNC_PROTECTED=false")
    project.file(".env", f"{TIMEOUT}=3s", "SUPABASE_DB_PASSWORD=ignored")
    values = project.settings("staging").values
    assert {key: value.source for key, value in values.items()} == {
        "SBSYNC_ENV": "--env",
        "SUPABASE_DB_URL": ".env.staging:1",
        "SBSYNC_PROTECTED": ".env.staging:2",
        TIMEOUT: ".env:1",
        "SBSYNC_LOCAL": "default",
        "SBSYNC_BACKUP": "default",
        "SBSYNC_BACKUP_DIR": "default",
        "SBSYNC_BACKUP_KEEP": "default",
    }
    assert values["SBSYNC_PROTECTED"].text == "false"
