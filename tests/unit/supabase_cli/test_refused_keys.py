"""What the CLI refuses in a config.toml: each key with its line, whatever way a version tells it in."""

import json

import pytest

from sbsync_tasks.process import for_task
from sbsync_tasks.redaction import Redactor
from sbsync_tasks.settings.project import ConfigToml
from sbsync_tasks.supabase_cli import Binary, CliError, LocalStackCli, Version
from sbsync_tasks.supabase_cli.config import refused_keys

CONFIG = """\
project_id = "x"
[api]
port = "env(API_PORT)"
[inbucket]
port = 54324
[db]
major_version = 16
[auth.email.template.invite]
content_path = "./templates/invite.html"
[auth.external.twitter]
enabled = true
"""
# What real versions say (3.1.0, 2.122.1, 2.115.0), by the key that has to be there for it.
SAID = {
    "newest": {
        "inbucket": "[inbucket] in supabase/config.toml is no longer supported. Use [local_smtp] instead.",
        "api.port": 'Invalid api.port in supabase/config.toml: "top secret" is not a port (0-65535).',
        "auth.external.twitter": "failed to read config: Missing required field in config: "
        'auth.external.twitter.client_id\n  at ["auth"]["external"]["twitter"]["client_id"]',
        "auth.email.template.invite.content_path": "Invalid config for auth.email.template.invite.content_path: "
        "ENOENT: no such file or directory, open '{root}/templates/invite.html'",
        "db.major_version": "Failed reading config: Invalid db.major_version: 16.",
    },
    "older": {"api.port": 'failed to read config: Expected number\n  at ["api"]["port"]'},
    "oldest": {
        "api.port": "failed to read config: ProjectConfigParseError",
        "auth.external.twitter.enabled": "failed to read config: ProjectConfigParseError",
        "db.major_version": "Failed reading config: Invalid db.major_version: 16.",
    },
    "several": {
        "inbucket": "supabase/config.toml uses config keys that are no longer supported:\n"
        "  [inbucket]: use [local_smtp] instead.\n  [auth.external.twitter]: use [auth.external.x] instead.",
    },
}


class Cli:
    """A CLI that refuses what it is told to, one at a time."""

    version = "3.1.0"

    def __init__(self, config, said):
        self.config, self.said = config, said

    def elsewhere(self, config):
        return Cli(config, self.said)

    def refusal(self):
        for key, text in self.said.items():
            if self.config.raw(*key.split(".")) is not None:
                return text.replace("{root}", str(self.config.root))
        return ""


def told(tmp_path, said, text=CONFIG):
    (tmp_path / "supabase").mkdir()
    (tmp_path / "supabase" / "config.toml").write_text(text)
    config = ConfigToml(tmp_path, {"API_PORT": "top secret"}.get)
    return [(one.line, one.what, one.fix) for one in refused_keys(Cli(config, said), config)]


def test_each_is_named_with_its_line_and_what_to_do(tmp_path):
    set_it = "Set API_PORT in supabase/.env or in the environment, or write the value itself."
    assert told(tmp_path, SAID["newest"]) == [
        (4, "[inbucket] is no longer supported.", "Use [local_smtp] instead."),
        (3, 'Invalid api.port: "env(API_PORT)" is not a port (0-65535).', set_it),
        (
            10,
            "Missing required field in config: auth.external.twitter.client_id",
            "Correct it, or take it out.",
        ),
        (
            9,
            "Invalid config for auth.email.template.invite.content_path: ENOENT: no such file or directory, open "
            f"'{tmp_path}/templates/invite.html'",
            "Correct the path, or put the file there.",
        ),
        (7, "Invalid db.major_version: 16.", "Correct it, or take it out."),
    ]


def test_a_place_beside_the_sentence_is_read(tmp_path):
    assert [(line, what) for line, what, _ in told(tmp_path, SAID["older"])] == [(3, "api.port: Expected number")]


def test_a_key_that_is_not_named_is_searched_for(tmp_path):
    assert [(line, what) for line, what, _ in told(tmp_path, SAID["oldest"])] == [
        (3, "api.port: ProjectConfigParseError"),
        (11, "auth.external.twitter.enabled: ProjectConfigParseError"),
        (7, "Invalid db.major_version: 16."),
    ]


def test_of_several_in_one_message_each_is_told_once(tmp_path):
    assert told(tmp_path, SAID["several"]) == [(4, "[inbucket] is no longer supported.", "Use [local_smtp] instead.")]


def test_what_is_about_no_key_ends_the_search(tmp_path):
    assert told(tmp_path, {"project_id": "the moon is in the way"}, 'a = "b"\nproject_id = 1\n') == [
        (2, "project_id: the moon is in the way", "Correct it, or take it out.")
    ]


def test_files_that_the_rest_needs_are_in_the_copy(tmp_path):
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "invite.html").write_text("hello")
    seen = []

    class Looks(Cli):
        def elsewhere(self, config):
            seen.append((config.root / "templates" / "invite.html").read_text())
            return Looks(config, self.said)

    (tmp_path / "supabase").mkdir()
    (tmp_path / "supabase" / "config.toml").write_text(CONFIG)
    config = ConfigToml(tmp_path)
    assert len(refused_keys(Looks(config, SAID["several"]), config)) == 1
    assert seen == ["hello"]


@pytest.fixture
def program(tmp_path):
    """A CLI that answers what stands beside it, and writes down what it sees."""
    path = tmp_path / "cli"
    path.write_text(f'#!/bin/sh\nenv > "{tmp_path}/seen"\ncat "{tmp_path}/answer"\nexit 1\n')
    path.chmod(0o755)
    return path


def test_an_unreadable_answer_is_no_yes(tmp_path, program):
    cli = LocalStackCli(Binary(program, Version(3, 1, 0), "a test"), ConfigToml(tmp_path))
    for said in ("", "{", '{"error": {}}', '{"_tag": "Error"}'):
        (tmp_path / "answer").write_text(said)
        with pytest.raises(CliError):
            cli.refusal()
    for code, refused in (("StatusConfigLoadError", "no"), ("StatusDbInspectError", "")):
        (tmp_path / "answer").write_text(json.dumps({"_tag": "Error", "error": {"code": code, "message": "no"}}))
        assert cli.refusal() == refused
    assert "DOCKER_HOST=unix:///nonexistent" in (tmp_path / "seen").read_text()


def test_variables_of_the_process_that_the_file_names_are_seen_and_never_shown(tmp_path, program, monkeypatch, capsys):
    (tmp_path / "supabase").mkdir()
    (tmp_path / "supabase" / "config.toml").write_text('a = "env(MAIL_PASS)"\n')
    (tmp_path / "answer").write_text('{"_tag": "Error", "error": {"code": "StatusDbInspectError"}}')
    monkeypatch.setenv("MAIL_PASS", "hidden")
    monkeypatch.setenv("ANOTHER", "not for it")
    with for_task(Redactor(), echo=True):
        LocalStackCli(Binary(program, Version(3, 1, 0), "a test"), ConfigToml(tmp_path)).refusal()
    seen = (tmp_path / "seen").read_text()
    assert "MAIL_PASS=hidden" in seen
    assert "ANOTHER" not in seen
    assert "hidden" not in capsys.readouterr().err
