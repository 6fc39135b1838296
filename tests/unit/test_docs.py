"""README.md and docs/ say what is there, all of it and nothing else."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import pytest
from invoke.collection import Collection
from invoke.exceptions import ParseError
from invoke.parser import Parser
from invoke.tasks import Task
from invoke.vendor import yaml

from sbsync_tasks import errors, ns
from sbsync_tasks.checks import Severity
from sbsync_tasks.plan.model import Kind
from sbsync_tasks.settings.keys import KEYS, PROCESS_ONLY, WORKDIR
from sbsync_tasks.state.histories import STATUS_OF
from tests.support.documents import NAMES, REPOSITORY, Page, page
from tests.support.settings import SECRET, Project

# The flags that many tasks share stand in a table of their own.
SHARED = {"--env", "--env-file", "--json", "--yes", "--dry-run", "--start"}
# Of invoke itself, of pytest, and of the programs that are mentioned.
FOREIGN_FLAGS = {
    "--help", "--dry", "--echo", "--print-completion-script", "--matrix", "--campaign", "--dbname", "--file",
}  # fmt: skip
OWN_TASKS = {"lint", "test", "bench"}  # of this repository, not of the collection
MOST_LINES = 150

pages = pytest.mark.parametrize("name", NAMES)


def shown_flags(name: str) -> set[str]:
    """A task's flags as one writes them: `--no-x` for what is on by default."""
    context = next(c for c in ns.to_contexts() if c.name == name)
    flags = {a.name.replace("_", "-"): a for a in context.args.values()}
    return {f"--no-{n}" if a.kind is bool and a.default else f"--{n}" for n, a in flags.items()}


def flags_in(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text))


def invocations(texts: list[str]) -> Iterator[list[str]]:
    """The arguments of each `invoke` in some code, without redirections and substitutions."""
    for text in texts:
        for found in re.findall(r"(?:^|[\s(/])invoke ([^|&;)>…]+)", text):
            words = shlex.split(found, posix=False)
            yield [word.strip("\"'").removeprefix("db.") for word in words]


# --- the pages themselves ---


def test_the_readme_is_short():
    assert len(page("README.md").text.splitlines()) <= MOST_LINES


@pages
def test_each_link_leads_somewhere(name):
    this = page(name)
    for link in this.links:
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (this.path.parent / path).resolve() if path else this.path
        assert target.exists(), link
        if anchor:
            assert anchor in page(str(target.relative_to(REPOSITORY))).anchors, link


def test_the_readme_leads_to_every_page():
    assert {link.partition("#")[0] for link in page("README.md").links} >= {n for n in NAMES if n.startswith("docs/")}


@pages
def test_no_line_is_too_long_to_read_in_a_terminal(name):
    lines = [line for line in page(name).prose.splitlines() if not line.startswith("|")]
    assert [line for line in lines if len(line) > 130] == []


def test_the_page_of_the_architecture_names_each_part_and_nothing_that_is_not_there():
    package, this = REPOSITORY / "sbsync_tasks", page("docs/architecture.md").text
    named = {name for name in re.findall(r"`([\w/]+(?:\.py|/))`", this) if not name.startswith(("docs/", "tests/"))}
    assert [name for name in named if not (package / name).exists()] == []
    parts = {path.stem for path in package.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    layers = set(re.findall(r"\w+", this.partition("```text")[2].partition("```")[0]))
    assert parts - layers == {"__init__"}


# --- tasks and flags ---


@pages
def test_each_command_is_one_that_invoke_takes(name):
    for argv in invocations(page(name).code):
        if argv[0].startswith("--") or argv[0].isupper() or argv[0] in OWN_TASKS:  # invoke's own flags, a placeholder
            continue
        if argv[0].endswith(".*"):
            assert argv[0][:-2] in ns.collections
            continue
        words = ["x" if word.isupper() else word for word in argv]
        try:
            Parser(contexts=ns.to_contexts()).parse_argv(words)
        except ParseError as error:
            pytest.fail(f"invoke {' '.join(argv)}: {error}")


@pages
def test_each_flag_exists(name):
    there = set().union(*(shown_flags(c.name) for c in ns.to_contexts()), FOREIGN_FLAGS)
    prose = [code for code in page(name).code if code.startswith(("--", "invoke", "pytest", ".venv/bin/pytest"))]
    assert flags_in(" ".join(prose)) - there == set()


def test_the_page_of_the_tasks_has_each_task_with_its_own_flags():
    described: dict[str, set[str]] = {}
    for cells in page("docs/tasks.md").rows("task"):
        for task in re.findall(r"`([\w.-]+)`", cells[0]):
            described[task] = flags_in(" ".join(cells[1:]))
    pairs = {"sandbox.up", "sandbox.down"}
    assert set(described) == {c.name for c in ns.to_contexts()}
    for task, flags in described.items():
        assert task in pairs or flags == shown_flags(task) - SHARED, task


def test_the_shared_flags_are_described():
    assert {flag for cells in page("docs/tasks.md").rows("flag") for flag in flags_in(cells[0])} == SHARED


# --- settings, exit codes, words ---


def test_the_page_of_the_settings_has_each_key():
    this = page("docs/settings.md")
    assert sorted(key.strip("`") for key, _ in this.rows("key")) == sorted(KEYS)
    assert all(f"`{key}" in this.text for key in PROCESS_ONLY)


@pages
def test_each_key_exists(name):
    found = set(re.findall(r"(?<!INVOKE_)\b(?:SBSYNC|SUPABASE)_[A-Z_]*[A-Z]\b", page(name).text))
    assert found - {*KEYS, *PROCESS_ONLY, WORKDIR} == set()


def test_the_exit_codes():
    codes = {value for name, value in vars(errors).items() if name.isupper()}
    assert {int(code) for code, _ in page("docs/tasks.md").rows("exit code")} == codes


def test_the_table_of_the_three_way_comparison():
    rows = [cells[:4] for cells in page("docs/scenarios.md").rows("file")]
    assert rows == [
        ["present" if file else "absent", local.value, remote.value, status.value]
        for (file, local, remote), status in STATUS_OF.items()
    ]


def test_the_kinds_of_findings_and_conflicts():
    assert [cells[0].replace(" ", "-") for cells in page("docs/review.md").rows("finding")] == [
        s.value for s in Severity
    ]
    assert [cells[0] for cells in page("docs/conflicts.md").rows("conflict")] == [k.value for k in Kind]


# --- examples ---


def blocks(language: str) -> list[str]:
    return [block.text for name in NAMES for block in page(name).blocks if block.language == language]


@pytest.mark.parametrize("text", blocks("python"))
def test_each_tasks_file_gives_tasks(text):
    names: dict[str, object] = {}
    exec(compile(text, "tasks.py", "exec"), names)
    given = [value for value in names.values() if isinstance(value, Collection | Task)]
    assert given


@pytest.mark.parametrize("text", blocks("sh"))
def test_each_settings_file_is_accepted(text, tmp_path):
    first, *lines = text.splitlines()
    file = first.removeprefix("# ").partition(":")[0]
    project, env = Project(tmp_path), file.split(".")[2]
    project.file(file, *lines)
    found = project.settings(env=env, process={"STAGING_DB_PASSWORD": SECRET})
    assert found.required_remote().password
    assert found.protected


@pytest.mark.parametrize("text", blocks("yaml"))
def test_each_workflow_is_yaml(text):
    assert {"name", "jobs", "permissions"} <= set(yaml.safe_load(text))


def test_the_tests_are_run_as_the_readme_says():
    """One command in the README, and the same steps for contributors."""
    (command,) = [c.text for c in page("README.md").commands if c.text.endswith("pytest")]
    assert command == "python3 -m venv .venv && .venv/bin/pip install -e '.[dev]' && .venv/bin/pytest"
    assert [c.text for c in page("docs/contributing.md").commands][1:] == [
        "python3 -m venv .venv && .venv/bin/pip install -e '.[dev]'",
        ".venv/bin/pytest",
    ]


def test_the_workflow_runs_what_is_documented():
    """`.ci/run` on Linux and the README's command on macOS, in each supported Python."""
    jobs = yaml.safe_load((REPOSITORY / ".github/workflows/ci.yml").read_text(encoding="utf-8"))["jobs"]
    (command,) = [c.text for c in page("README.md").commands if c.text.endswith("pytest")]
    assert [jobs[name]["steps"][-1]["run"] for name in ("linux", "macos")] == ["bash .ci/run", command]
    assert all(job["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13", "3.14"] for job in jobs.values())


def test_the_pages_are_read_as_they_are_meant():
    this = Page(REPOSITORY / "x.md", "# A `b` c\n\n| k | v |\n|---|---|\n| 1 | 2 |\n\n```console\n$ a\nb\n$ c\n```\n")
    assert this.anchors == {"a-b-c"}
    assert list(this.rows("k")) == [["1", "2"]]
    assert [(c.text, c.output) for c in this.commands] == [("a", ("b",)), ("c", ())]
