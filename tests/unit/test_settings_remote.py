"""Settings: which remote is meant, from one layer alone, and what protects it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sbsync_tasks.settings.keys import KEYS
from tests.support.settings import HERE, REF, SECRET, TIMEOUT, URL, Project

OTHER = "tsrqponmlkjihgfedcba"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


# --- the remote ---------------------------------------------------------------------------------


def test_a_project_by_its_ref(project: Project) -> None:
    project.file(".env.staging", f"SUPABASE_PROJECT_ID={REF}")
    project.file("supabase/.env.staging.local", f"SUPABASE_DB_PASSWORD={SECRET}")
    remote = project.settings("staging").required_remote()
    assert (remote.kind, remote.ref, remote.password) == ("project", REF, SECRET)
    assert remote.endpoint is None
    assert remote.source == ".env.staging:1"


def test_a_url_gets_the_password_of_its_layer(project: Project) -> None:
    project.file(".env.staging", f"SUPABASE_DB_URL={URL}")
    project.file(".env.staging.local", f"SUPABASE_DB_PASSWORD='{SECRET}$#'")
    remote = project.settings("staging").required_remote()
    assert remote.kind == "url"
    assert remote.endpoint is not None
    assert remote.endpoint.password == remote.password == f"{SECRET}$#"
    assert remote.endpoint.url == URL


@pytest.mark.parametrize(
    ("user", "host"),
    [
        ("postgres", f"db.{REF}.supabase.co"),
        (f"postgres.{REF}", "aws-0-eu-central-1.pooler.supabase.com"),
    ],
)
def test_a_hosted_url_shows_its_ref(project: Project, user: str, host: str) -> None:
    project.file(".env", f"SUPABASE_DB_URL=postgresql://{user}@{host}:5432/postgres")
    assert project.settings().required_remote().ref == REF
    project.file(".env.local", f"SUPABASE_PROJECT_ID={REF}")
    assert project.settings().required_remote().kind == "url"
    project.file(".env.local", f"SUPABASE_PROJECT_ID={OTHER}")
    assert "name different remotes" in project.error()


def test_a_ref_beside_a_url_that_shows_none_is_refused(project: Project) -> None:
    project.file(".env", f"SUPABASE_DB_URL={URL}", f"SUPABASE_PROJECT_ID={REF}")
    message = project.error()
    assert ".env:1" in message
    assert ".env:2" in message


def test_other_environments_take_no_remote_from_the_unnamed_files(project: Project) -> None:
    project.file(".env", f"SUPABASE_PROJECT_ID={OTHER}", f"SUPABASE_DB_PASSWORD={SECRET}")
    project.file(".env.local", f"SUPABASE_DB_PASSWORD={SECRET}")
    project.file(".env.staging", f"SUPABASE_PROJECT_ID={REF}")
    remote = project.settings("staging").required_remote()
    assert (remote.ref, remote.password) == (REF, "")
    project.file(".env.staging", "SBSYNC_BACKUP=full")
    assert project.settings("staging").remote is None
    (project.root / ".env.local").unlink()
    assert project.settings().required_remote().ref == OTHER


def test_nor_through_a_reference(project: Project) -> None:
    project.file(".env", f"SUPABASE_DB_PASSWORD={SECRET}")
    url = "SUPABASE_DB_URL=postgresql://u:${SUPABASE_DB_PASSWORD}@db.example.com/x"
    project.file(".env.staging", url)
    assert "SUPABASE_DB_URL (.env.staging:1) refers to" in project.error("staging")
    project.file(".env.staging", url, "SUPABASE_DB_PASSWORD=own")
    assert project.settings("staging").required_remote().password == "own"


LAYERS = {
    "process": "process environment",
    ".env.development": ".env.development:1",
    ".env.local": ".env.local:1",
}


def put(project: Project, place: str, key: str, text: str) -> dict[str, Any]:
    if place == "process":
        return {"process": {key: text}}
    project.file(place, f"{key}={text}")
    return {}


APART = [(one, two) for one in LAYERS for two in LAYERS if one != two]


@pytest.mark.parametrize(("one", "two"), APART)
def test_parts_of_one_remote_in_two_layers(project: Project, one: str, two: str) -> None:
    given = put(project, one, "SUPABASE_PROJECT_ID", REF)
    given |= put(project, two, "SUPABASE_DB_PASSWORD", SECRET)
    message = project.error(**given)
    assert "Parts of one remote stand in different layers" in message
    assert LAYERS[one] in message
    assert LAYERS[two] in message


@pytest.mark.parametrize(("one", "two"), APART)
def test_two_layers_with_different_remotes(project: Project, one: str, two: str) -> None:
    given = put(project, one, "SUPABASE_PROJECT_ID", REF)
    given |= put(project, two, "SUPABASE_DB_URL", URL.replace("@", f":{SECRET}@"))
    message = project.error(**given)
    assert "Two remotes are named" in message
    for shown in (LAYERS[one], LAYERS[two], REF, "postgres@db.example.com:5432/postgres"):
        assert shown in message


def test_two_layers_may_say_the_same(project: Project) -> None:
    lines = [f"SUPABASE_DB_URL={URL}", f"SUPABASE_DB_PASSWORD={SECRET}"]
    project.file(".env.staging", *lines)
    process = dict(line.split("=", 1) for line in lines)
    remote = project.settings("staging", process=process).required_remote()
    assert remote.source == "process environment"
    process["SUPABASE_DB_PASSWORD"] = "another"
    assert "different layers" in project.error("staging", process=process)


def test_what_is_not_in_force_within_a_layer_is_not_looked_at(project: Project) -> None:
    project.file(".env.staging", "SUPABASE_DB_PASSWORD=${NOWHERE}")
    project.file(".env.staging.local", f"SUPABASE_PROJECT_ID={REF}", "SUPABASE_DB_PASSWORD=own")
    assert project.settings("staging").required_remote().password == "own"


def test_two_bare_passwords_differ(project: Project) -> None:
    project.link()
    project.file(".env", f"SUPABASE_DB_PASSWORD={SECRET}")
    message = project.error(process={"SUPABASE_DB_PASSWORD": "another"})
    assert "different layers" in message


def test_a_reference_joins_layers_on_purpose(project: Project) -> None:
    """What the error advises has to work: the committed file names the remote and its secret."""
    project.file(".env.staging", f"SUPABASE_PROJECT_ID={REF}", "SUPABASE_DB_PASSWORD=${MY_PASSWORD}")
    settings = project.settings("staging", process={"MY_PASSWORD": SECRET})
    assert settings.required_remote().password == SECRET
    assert SECRET in settings.secrets
    assert "SUPABASE_DB_PASSWORD (.env.staging:2) refers to MY_PASSWORD, which nothing sets." in project.error(
        "staging"
    )
    project.file(".env.staging", f"SUPABASE_PROJECT_ID={REF}", "SUPABASE_DB_PASSWORD=my${OWN}word")
    assert "refers to a name that nothing sets" in project.error("staging")


def test_references_are_put_in_after_merging_and_the_process_wins(project: Project) -> None:
    project.file(".env", "SUPABASE_DB_URL=postgresql://u@${DB_HOST}:5432/x", "DB_HOST=one.example")
    project.file(".env.local", "DB_HOST=two.example")
    assert "two.example" in project.settings().required_remote().label
    process = {"DB_HOST": "three.example"}
    assert "three.example" in project.settings(process=process).required_remote().label


def test_a_cycle_of_references(project: Project) -> None:
    project.file(".env", "SBSYNC_SCHEMAS=${A}", "A=${B}", "B=${A}")
    assert "A (.env:2) -> B (.env:3) -> A (.env:2)" in project.error()


def test_no_remote(project: Project) -> None:
    message = project.error()
    for shown in ("SUPABASE_PROJECT_ID", "SUPABASE_DB_URL", "--env sandbox", "development"):
        assert shown in message
    assert project.settings().remote is None


def test_the_linked_project_stands_for_the_default_environment(project: Project) -> None:
    project.link()
    process = {"SUPABASE_DB_PASSWORD": SECRET}
    remote = project.settings(process=process).required_remote()
    assert (remote.kind, remote.ref, remote.password) == ("linked", REF, SECRET)
    project.file(".env.staging", "SBSYNC_BACKUP=full")
    assert "No remote is named" in project.error("staging", process=process)
    project.file(".env", f"SUPABASE_DB_URL={URL}")
    assert project.settings().required_remote().kind == "url"


def test_a_link_that_holds_no_ref(project: Project) -> None:
    project.link("nonsense")
    assert "supabase/.temp/project-ref" in project.error()


# --- empty values -------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [key.name for key in KEYS.values() if key.default])
def test_a_required_value_set_to_nothing(project: Project, key: str) -> None:
    project.file(".env", f"{key}=public")
    project.file(".env.local", f"{key}=")
    assert f"{key} is set to nothing (.env.local:1)" in project.error()


def test_a_remote_set_to_nothing_names_who_did_it(project: Project) -> None:
    project.link()
    project.file(".env", f"SUPABASE_DB_URL={URL}")
    project.file(".env.local", "SUPABASE_DB_URL=")
    assert "set to nothing are SUPABASE_DB_URL (.env.local:1)" in project.error()
    assert project.settings().remote is None


@pytest.mark.parametrize("key", ["SUPABASE_DB_URL", "SUPABASE_DB_PASSWORD"])
def test_one_layer_cannot_blank_anothers_remote(project: Project, key: str) -> None:
    project.file(".env.staging", f"SUPABASE_DB_URL={URL}", f"SUPABASE_DB_PASSWORD={SECRET}")
    message = project.error("staging", process={key: ""})
    assert f"{key} is set to nothing (process environment), which hides .env.staging:" in message


def test_what_stands_above_hides_whichever_layer_it_is_of(project: Project) -> None:
    project.file(".env.development", f"SUPABASE_DB_URL={URL}")
    project.file(".env.local", "SUPABASE_DB_URL=")
    assert "SUPABASE_DB_URL is set to nothing (.env.local:1), which hides .env.development:1." in project.error()
    project.file(".env.development", "SUPABASE_DB_URL=", "SUPABASE_DB_PASSWORD=")
    project.file(".env.local", f"SUPABASE_DB_URL={URL}")
    assert project.settings().required_remote().source == ".env.local:1"
    project.file(".env.local", "SUPABASE_DB_URL=")
    project.file(".env", f"SUPABASE_DB_URL={URL}")
    project.file(".env.development.local", "SUPABASE_DB_URL=")
    assert "(.env.development.local:1), which hides .env:1." in project.error()


def test_within_a_layer_a_part_may_be_blanked(project: Project) -> None:
    project.file(".env.staging", f"SUPABASE_DB_URL={URL}")
    project.file(".env.staging.local", "SUPABASE_DB_URL=", f"SUPABASE_PROJECT_ID={REF}")
    assert project.settings("staging").required_remote().kind == "project"


# --- the sandbox --------------------------------------------------------------------------------


def test_the_sandbox_needs_nothing_and_heeds_no_remote_of_the_files(project: Project) -> None:
    project.link()
    project.file(
        ".env", f"SUPABASE_DB_URL={URL}", f"SUPABASE_DB_PASSWORD={SECRET}", f"SBSYNC_EXPECT={REF}",
        "SBSYNC_LOCAL=stack", "SBSYNC_PROTECTED=true", f"{TIMEOUT}=3s",
    )  # fmt: skip
    settings = project.settings("sandbox")
    remote = settings.required_remote()
    assert (remote.kind, remote.endpoint, remote.password) == ("sandbox", None, "")
    assert settings.local.kind == "embedded"
    assert (settings.protected, settings.expect, settings.lock_timeout) == (False, "", "3s")


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("SUPABASE_DB_URL", URL),
        ("SUPABASE_PROJECT_ID", REF),
        ("SBSYNC_EXPECT", REF),
        ("SBSYNC_LOCAL", "stack"),
    ],
)
def test_the_sandbox_and_a_remote_on_purpose(project: Project, monkeypatch, key, text) -> None:
    monkeypatch.chdir(project.root)
    project.file("ci.env", f"{key}={text}")
    for place in ({"process": {key: text}}, {"env_files": ["ci.env"]}):
        assert f"but {key} is set" in project.error("sandbox", **place)


def test_the_sandbox_goes_with_embedded_and_with_a_bare_password(project: Project) -> None:
    process = {"SBSYNC_LOCAL": "embedded", "SUPABASE_DB_PASSWORD": SECRET}
    assert project.settings("sandbox", process=process).required_remote().password == ""


def test_the_sandbox_takes_no_file_of_its_own(project: Project) -> None:
    project.file(".env.sandbox", "SBSYNC_BACKUP=full")
    assert ".env.sandbox" in project.error("sandbox")
    assert project.settings().backup == "auto"


# --- protection ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "env", "protected"),
    [
        (".env.staging", "staging", False),
        ("supabase/.env.staging.local", "staging", False),
        (".env", "staging", True),
        (".env.local", "staging", True),
        (".env", "development", False),
        (".env.local", "development", False),
        (".env.development", "development", False),
    ],
)
def test_only_its_own_files_open_an_environment(project, name, env, *, protected) -> None:
    own = f".env.{env}"
    lines = [f"SUPABASE_DB_URL={URL}"]
    project.file(own, *lines)
    project.file(name, *(lines if name == own else ()), "SBSYNC_PROTECTED=off")
    settings = project.settings(env)
    assert settings.protected is protected
    assert name in settings.values["SBSYNC_PROTECTED"].source


@pytest.mark.parametrize(
    "given",
    [
        {"process": {"SBSYNC_PROTECTED": "false"}},
        {"process": {"INVOKE_SBSYNC_PROTECTED": "false"}},
        {"invoke_config": {"protected": False}},
    ],
)
def test_nothing_else_opens_it(project: Project, given: dict[str, Any]) -> None:
    project.file(".env.staging", f"SUPABASE_DB_URL={URL}")
    settings = project.settings("staging", **given)
    assert settings.protected
    assert "counts in .env.staging only" in settings.values["SBSYNC_PROTECTED"].source
    project.file(".env.staging", f"SUPABASE_DB_URL={URL}", "SBSYNC_PROTECTED=false")
    assert not project.settings("staging", **given).protected
    project.file(".env.staging", f"SUPABASE_DB_URL={URL}", "SBSYNC_PROTECTED=true")
    assert project.settings("staging", **given).protected


def test_an_env_file_opens_only_what_is_its_own(project: Project, monkeypatch) -> None:
    monkeypatch.chdir(project.root)
    lines = (f"SUPABASE_DB_URL={URL}", "SBSYNC_PROTECTED=false")
    project.file("ci.env", *lines)
    project.file(".env.staging", *lines)
    assert project.settings("staging", env_files=["ci.env"]).protected
    assert not project.settings("staging", env_files=[".env.staging"]).protected
    assert project.settings("prod", env_files=[".env.staging"]).protected


@pytest.mark.parametrize("value", ["true", "TRUE", "yes", "on", "1"])
def test_true_protects_wherever_it_stands(project: Project, value: str) -> None:
    project.file(".env.staging", f"SUPABASE_DB_URL={HERE}", "SBSYNC_PROTECTED=false")
    assert project.settings("staging", process={"SBSYNC_PROTECTED": value}).protected
    assert not project.settings("staging").protected


def test_loopback_is_open_and_all_else_is_not(project: Project) -> None:
    for url, protected in ((HERE, False), (URL, True)):
        settings = project.settings(process={"SUPABASE_DB_URL": url})
        assert settings.protected is protected
        assert settings.values["SBSYNC_PROTECTED"].source.startswith("default: ")
    assert project.settings(process={"SUPABASE_PROJECT_ID": REF}).protected
    project.link()
    assert project.settings().protected
