"""`invoke doctor` run from outside on projects with something wrong, none of which needs a database that answers."""

from __future__ import annotations

import json
import shutil
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from sbsync_tasks.checkup import Check, Subject, attempt, examine
from sbsync_tasks.console import Console
from sbsync_tasks.errors import MissingToolError
from sbsync_tasks.redaction import Redactor
from sbsync_tasks.settings import resolve
from tests.support import terminal
from tests.support.project import Done, Project

SECRET = 'tr0ub@dor:/%#"$X &3'
FORMS = (SECRET, quote(SECRET), quote(SECRET, safe=""), json.dumps(SECRET)[1:-1], "tr0ub")
REF = "abcdefghijklmnopqrst"


def fake_cli(folder: Path, version: str) -> Path:
    """A program that knows its version, finds nothing wrong with a config.toml, and misses Docker."""
    path = folder / f"supabase-{version}"
    answer = '{"_tag":"Error","error":{"code":"StatusDbInspectError","message":"no engine"}}'
    path.write_text(f"#!/bin/sh\n[ $1 = status ] && echo '{answer}' && exit 1\necho {version}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path / "project", fake_cli(tmp_path, "3.1.0"), settings={"SBSYNC_LOCAL": "embedded"})
    made.root.mkdir()
    made.create()
    return made


def doctor(project: Project, *args: str, **settings: str) -> Done:
    """Run it: the lines for people are on stderr, the document on stdout, and neither shows the secret."""
    done = project.invoke("doctor", *args, "--json", settings=settings)
    assert done.code == (0 if done.data["ok"] else 1), done.text
    for form in FORMS:
        assert form not in done.text
    assert "Traceback" not in done.text
    return done


def lines(done: Done, name: str, level: str = "") -> list[dict[str, Any]]:
    return [c for c in done.data["checks"] if c["name"] == name and level in ("", c["level"])]


def only(done: Done, name: str, level: str) -> dict[str, Any]:
    (found,) = lines(done, name, level)
    assert level == "ok" or found["fix"]
    return found


def problems(done: Done) -> list[tuple[str, str]]:
    return [(c["name"], c["level"]) for c in done.data["checks"] if c["level"] != "ok"]


def environment(project: Project, name: str, *assignments: str, mode: int = 0o600) -> Path:
    path = project.write(name, "\n".join(assignments) + "\n")
    path.chmod(mode)
    return path


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def path_without(folder: Path, *left_out: str) -> str:
    """A PATH that has what the tasks need to run at all, and neither of these programs."""
    folder.mkdir()
    for name in {"sh", "bash", "env", "git", "node", "npm", "docker"} - set(left_out):
        if found := shutil.which(name):
            (folder / name).symlink_to(found)
    return str(folder)


def test_the_json_document_has_one_shape(project: Project) -> None:
    for env in ("sandbox", "nowhere"):
        data = doctor(project, "--env", env).data
        assert list(data) == ["environment", "ok", "errors", "warnings", "checks"]
        for check in data["checks"]:
            assert list(check) == ["name", "level", "what", "fix"]
            assert check["level"] in ("ok", "warning", "error")
            assert check["what"]
        assert data["errors"] == sum(c["level"] == "error" for c in data["checks"])
        assert data["warnings"] == sum(c["level"] == "warning" for c in data["checks"])


def test_without_json_the_lines_and_the_exit_code_are_the_same(project: Project) -> None:
    (project.root / "supabase" / "config.toml").write_text("[db\n", encoding="utf-8")
    as_json = doctor(project, "--env", "sandbox")
    plain = project.invoke("doctor", "--env", "sandbox")
    assert (plain.code, plain.stdout, plain.stderr) == (1, as_json.stderr, "")
    assert "✗ config.toml" in plain.stdout
    assert plain.stdout.endswith("1 error, 0 warnings.\n")


def test_a_bad_setting_is_a_line_that_hides_no_other(project: Project) -> None:
    environment(project, ".env.staging.local", "SBSYNC_BACKUP_KEEP=many", f"SUPABASE_DB_PASSWORD='{SECRET}'")
    done = doctor(project, "--env", "staging")
    assert "SBSYNC_BACKUP_KEEP (.env.staging.local:1)" in only(done, "settings", "error")["what"]
    assert done.data["environment"] is None
    assert "3.1.0" in only(done, "Supabase CLI", "ok")["what"]
    assert lines(done, "git", "ok")
    assert lines(done, "PostgreSQL", "ok")
    assert "databases were not looked at" in only(done, "settings", "warning")["what"]
    assert not lines(done, "remote")


def test_values_are_shown_masked_with_where_they_come_from(project: Project) -> None:
    url = f"postgresql://postgres:{quote(SECRET, safe='')}@127.0.0.1:{free_port()}/postgres"
    environment(project, ".env.staging.local", f"SUPABASE_DB_URL='{url}'", f"SUPABASE_DB_PASSWORD='{SECRET}'")
    done = doctor(project, "--env", "staging", SBSYNC_BACKUP="full")
    shown = [c["what"] for c in lines(done, "settings")]
    assert "SBSYNC_BACKUP = full (process environment)" in shown
    assert "SUPABASE_DB_PASSWORD = *** (.env.staging.local:2)" in shown
    assert any("postgres:***@127.0.0.1" in text and ".env.staging.local:1" in text for text in shown)
    assert "Dotenv files, the strongest first: .env.staging.local." in shown


def subject(project: Project, **process: str) -> Subject:
    redact = Redactor()

    def settings() -> Any:
        return resolve(root=project.root, env="staging", process=process)

    console = Console(redact, json_output=True)
    return Subject(project.root, console, attempt(settings))


def test_values_are_masked_before_anything_is_redacted(project: Project) -> None:
    environment(
        project, ".env.staging.local", f"SUPABASE_PROJECT_ID={REF}", f"SUPABASE_DB_PASSWORD='{SECRET}'",
    )  # fmt: skip
    shown = [check.what for check in examine.settings(subject(project))]
    assert "SUPABASE_DB_PASSWORD = *** (.env.staging.local:2)" in shown
    assert SECRET not in "".join(shown)


def test_what_fails_inside_a_check_becomes_its_line_redacted(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    filler = "x" * 44  # the line is wrapped at the secret's space

    def missing(_: Subject) -> Iterator[Check]:
        yield Check("ok", "Found.")
        raise MissingToolError(f"{filler} {SECRET}.", "Get one.")

    def broken(_: Subject) -> Iterator[Check]:
        yield Check("ok", str(Path("/nowhere").readlink()))

    def fine(_: Subject) -> Iterator[Check]:
        yield Check("ok", "Fine.")

    environment(project, ".env.staging.local", f"SUPABASE_PROJECT_ID={REF}", f"SUPABASE_DB_PASSWORD='{SECRET}'")
    monkeypatch.setattr(examine, "CHECKS", {"one": missing, "two": broken, "three": fine})
    assert not examine.examine(subject(project))
    shown = capsys.readouterr()
    assert "tr0ub" not in shown.err
    assert json.loads(shown.out)["checks"] == [
        {"name": "one", "level": "ok", "what": "Found.", "fix": ""},
        {"name": "one", "level": "error", "what": f"{filler} ***.", "fix": "Get one."},
        {
            "name": "two",
            "level": "error",
            "what": "FileNotFoundError: [Errno 2] No such file or directory: '/nowhere'",
            "fix": "",
        },
        {"name": "three", "level": "ok", "what": "Fine.", "fix": ""},
    ]


def test_a_cli_that_is_too_old_is_an_error_with_the_way_up(project: Project, tmp_path: Path) -> None:
    done = doctor(project, "--env", "sandbox", SBSYNC_SUPABASE_BIN=str(fake_cli(tmp_path, "2.109.1")))
    found = only(done, "Supabase CLI", "error")
    assert "2.109.1" in found["what"]
    assert "npm install --save-dev supabase@3.1.0" in found["fix"]
    assert done.code == 1
    assert lines(done, "config.toml", "ok")


@pytest.mark.parametrize("version", ["2.115.0", "4.0.0"])
def test_a_cli_far_behind_or_too_new_is_a_warning(project: Project, tmp_path: Path, version: str) -> None:
    done = doctor(project, "--env", "sandbox", SBSYNC_SUPABASE_BIN=str(fake_cli(tmp_path, version)))
    assert version in only(done, "Supabase CLI", "warning")["what"]
    assert done.code == 0


def test_no_cli_is_an_error_and_none_gets_installed(project: Project, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    done = doctor(
        project, "--env", "sandbox", SBSYNC_SUPABASE_BIN="", PATH=path_without(tmp_path / "bin"),
        XDG_CACHE_HOME=str(cache),
    )  # fmt: skip
    found = only(done, "Supabase CLI", "error")
    assert "not found" in found["what"]
    assert "npm install --save-dev supabase" in found["fix"]
    assert not list(cache.rglob("supabase*"))


def test_a_program_that_is_no_cli_is_one_error(project: Project, tmp_path: Path) -> None:
    done = doctor(project, "--env", "sandbox", SBSYNC_SUPABASE_BIN=str(tmp_path / "nothing"))
    assert "no program is there" in only(done, "Supabase CLI", "error")["what"]


def test_a_file_with_secrets_that_others_can_read_is_a_warning(project: Project) -> None:
    secret = f"SUPABASE_DB_PASSWORD='{SECRET}'"
    environment(project, ".env.staging.local", secret, f"SUPABASE_PROJECT_ID={REF}", mode=0o640)
    environment(project, "supabase/.env.other.local", secret, mode=0o600)
    environment(project, ".env.plain", "SBSYNC_BACKUP=full", mode=0o644)
    environment(project, ".env.refers", "SUPABASE_DB_PASSWORD=${TR0UB}", mode=0o644)
    environment(project, ".env.example", secret, mode=0o644)
    done = doctor(project, "--env", "sandbox")
    found = only(done, "secrets", "warning")
    assert found["what"].startswith(".env.staging.local holds secrets")
    assert "mode 640" in found["what"]
    assert found["fix"] == "chmod 600 .env.staging.local"
    assert done.code == 0


def test_a_secret_under_a_name_of_the_users_own_counts(project: Project) -> None:
    environment(
        project, ".env.staging.local", f"SUPABASE_PROJECT_ID={REF}", "SUPABASE_DB_PASSWORD=${THEIRS}",
        f"THEIRS='{SECRET}'", mode=0o644,
    )  # fmt: skip
    named = project.write("elsewhere.env", f"SUPABASE_PROJECT_ID={REF}\nSUPABASE_DB_PASSWORD='{SECRET}'\n")
    named.chmod(0o644)
    assert "mode 644" in only(doctor(project, "--env", "staging"), "secrets", "warning")["what"]
    done = doctor(project, "--env", "staging", "--env-file", "elsewhere.env")
    assert [c["fix"] for c in lines(done, "secrets", "warning")][-1] == "chmod 600 elsewhere.env"


def test_a_committed_file_that_only_refers_to_its_secret_is_no_leak(project: Project) -> None:
    """As the README has it, with the password in the process environment."""
    environment(
        project, ".env.staging", f"SUPABASE_PROJECT_ID={REF}", "SUPABASE_DB_PASSWORD=${STAGING_DB_PASSWORD}", mode=0o644
    )
    project.git("add", "--force", ".env.staging")
    done = doctor(project, "--env", "staging", STAGING_DB_PASSWORD=SECRET)
    assert [c["level"] for c in lines(done, "secrets")] == ["ok"]


def test_an_open_state_folder_is_a_warning(project: Project) -> None:
    (project.root / ".sbsync").mkdir(mode=0o755, exist_ok=True)
    (project.root / ".sbsync").chmod(0o755)
    assert only(doctor(project, "--env", "sandbox"), "secrets", "warning")["fix"] == "chmod 700 .sbsync"


def test_a_secret_file_in_git_is_an_error(project: Project) -> None:
    environment(project, ".env", "SBSYNC_BACKUP=full")
    environment(project, ".env.staging", f"SUPABASE_DB_PASSWORD='{SECRET}'")
    environment(project, ".env.shared", "SBSYNC_BACKUP=full", mode=0o644)
    before = doctor(project, "--env", "sandbox")
    assert not lines(before, "secrets", "error")
    project.git("add", "--force", ".env", ".env.staging", ".env.shared")
    done = doctor(project, "--env", "sandbox")
    assert [c["what"].split()[0] for c in lines(done, "secrets", "error")] == [".env", ".env.staging"]
    assert lines(done, "secrets", "error")[0]["fix"].startswith("git rm --cached .env,")
    assert done.code == 1


def test_a_bare_dollar_name_is_warned_of_without_its_value(project: Project) -> None:
    environment(project, ".env.staging", "# x", 'ONE="tr0ub$HOME"', "TWO='tr0ub$HOME'", "THREE=${HOME}", "FOUR=a$b")
    found = only(doctor(project, "--env", "sandbox"), "dotenv", "warning")
    assert found["what"].startswith("ONE (.env.staging:2) ")
    assert "HOME" not in found["what"]


def test_an_unreachable_remote_is_an_error_with_its_cause(project: Project) -> None:
    port = free_port()
    environment(
        project, ".env.staging.local", f"SUPABASE_DB_URL=postgresql://postgres@127.0.0.1:{port}/postgres",
        f"SUPABASE_DB_PASSWORD='{SECRET}'",
    )  # fmt: skip
    done = doctor(project, "--env", "staging")
    assert f"nothing listens at 127.0.0.1 port {port}" in only(done, "remote", "error")["what"]
    assert lines(done, "local", "ok")
    assert problems(done) == [("remote", "error")]


def test_the_transaction_pooler_is_refused_here_as_in_a_run(project: Project) -> None:
    pooler = "SUPABASE_DB_URL=postgresql://postgres.tenant@127.0.0.1:6543/postgres"
    environment(project, ".env.staging.local", pooler)
    done = doctor(project, "--env", "staging")
    assert "pooler in transaction mode (port 6543)" in only(done, "remote", "error")["what"]
    assert problems(done) == [("remote", "error")]
    run = project.invoke("diff", "--env", "staging")
    assert run.code == 3
    assert only(done, "remote", "error")["what"] in " ".join(run.text.split())


def test_no_remote_is_a_warning_that_names_the_sandbox(project: Project) -> None:
    done = doctor(project)
    assert "--env sandbox" in only(done, "remote", "warning")["fix"]
    assert done.code == 0


def test_a_stack_that_is_not_there_is_an_error_that_names_both_ways(project: Project, tmp_path: Path) -> None:
    config = project.root / "supabase" / "config.toml"
    config.write_text(config.read_text().replace("port = 54322", f"port = {free_port()}"), encoding="utf-8")
    done = doctor(project, SBSYNC_LOCAL="stack", PATH=path_without(tmp_path / "bin", "docker"))
    fix = only(done, "local", "error")["fix"]
    assert "supabase db start" in fix  # the example switches every service off
    assert "SBSYNC_LOCAL=embedded" in fix
    docker = only(done, "Docker", "warning")["what"]
    assert "embedded databases and databases by URL do everything" in docker


def test_docker_is_not_missed_where_nothing_needs_it(project: Project, tmp_path: Path) -> None:
    bin_ = path_without(tmp_path / "bin", "docker", "npm")
    done = doctor(project, "--env", "sandbox", PATH=bin_)
    assert "not needed" in only(done, "Docker", "ok")["what"]
    assert done.code == 0


def test_an_engine_that_does_not_answer_is_told_from_none(project: Project, tmp_path: Path) -> None:
    bin_ = Path(path_without(tmp_path / "bin", "docker"))
    (bin_ / "docker").write_text("#!/bin/sh\necho cannot connect >&2\nexit 1\n", encoding="utf-8")
    (bin_ / "docker").chmod(0o755)
    done = doctor(project, SBSYNC_LOCAL="stack", PATH=str(bin_))
    assert "does not answer" in only(done, "Docker", "warning")["what"]


def test_without_git_there_is_one_warning(project: Project, tmp_path: Path) -> None:
    done = doctor(project, "--env", "sandbox", PATH=path_without(tmp_path / "bin", "git"))
    assert "git was not found" in only(done, "git", "warning")["what"]
    assert ("git", "warning") in problems(done)
    assert not lines(done, "git", "error")


def test_outside_a_repository_only_commits_are_in_danger(project: Project) -> None:
    shutil.rmtree(project.root / ".git")
    done = doctor(project, "--env", "sandbox")
    assert "not in a git repository" in only(done, "git", "warning")["what"]
    assert done.code == 0


def test_declarative_schemas_are_told_and_nothing_wrong(project: Project) -> None:
    def told() -> list[str]:
        found = lines(doctor(project, "--env", "sandbox"), "config.toml", "ok")
        return [line["what"] for line in found if "these tasks read migrations alone" in line["what"]]

    assert told() == []
    project.write("supabase/schemas/deep/teams.sql", "create table public.teams ();\n")
    (line,) = told()
    assert line.startswith("supabase/schemas describes the schema")
    config = project.root / "supabase" / "config.toml"
    config.write_text(
        config.read_text().replace("[db.migrations]", "") + '\n[db.migrations]\nschema_paths = ["./db"]\n'
    )
    (line,) = told()
    assert line.startswith("[db.migrations] schema_paths")


def test_config_toml_is_read_for_what_is_wrong_with_it(project: Project) -> None:
    config = project.root / "supabase" / "config.toml"
    config.write_text("[db\n", encoding="utf-8")
    assert "cannot be read" in only(doctor(project, "--env", "sandbox"), "config.toml", "error")["what"]
    config.unlink()
    assert "supabase init" in only(doctor(project, "--env", "sandbox"), "config.toml", "warning")["fix"]


def test_a_wrong_bindir_is_an_error_of_postgresql_alone(project: Project, tmp_path: Path) -> None:
    environment(project, ".env.staging", f"SBSYNC_PG_BINDIR={tmp_path}")
    done = doctor(project, "--env", "staging", SBSYNC_LOCAL=f"postgresql://postgres@127.0.0.1:{free_port()}/postgres")
    assert "SBSYNC_PG_BINDIR" in lines(done, "PostgreSQL", "error")[0]["what"]
    assert lines(done, "Supabase CLI", "ok")


def test_the_report_fits_a_terminal_of_80_columns(project: Project) -> None:
    environment(project, ".env.staging.local", f"SUPABASE_DB_PASSWORD='{SECRET}'", "X=a$Y", mode=0o644)
    screen = terminal.invoke(project, "doctor", "--env", "staging")
    assert screen.code == 0, screen.text
    for line in screen.text.splitlines():
        # A path cannot be broken; it stands alone on its line then.
        assert len(line) <= 80 or len(line.split()) == 1


def test_nothing_is_written_but_the_private_folder(project: Project) -> None:
    before = {p: p.stat().st_mtime_ns for p in project.root.rglob("*") if ".git" not in p.parts}
    doctor(project, "--env", "sandbox")
    after = {p: p.stat().st_mtime_ns for p in project.root.rglob("*") if ".git" not in p.parts}
    new = {p.relative_to(project.root).parts[0] for p in set(after) - set(before)}
    assert new <= {".sbsync"}
    assert all(after[path] == time for path, time in before.items() if path.is_file())
    state = project.root / ".sbsync"
    assert not state.exists() or stat.S_IMODE(state.stat().st_mode) == 0o700
