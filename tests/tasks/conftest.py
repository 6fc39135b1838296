"""The command line, in this process: what `invoke …` prints, and the exit code it ends with."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from invoke.program import Program

from sbsync_tasks import ns
from tests.support.hints import misled


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def data(self) -> Any:
        """stdout as the one JSON document that it has to be."""
        return json.loads(self.stdout)


Invoke = Callable[..., Done]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project; the working directory is its root."""
    root = tmp_path / "project"
    (root / "supabase").mkdir(parents=True)
    (root / "supabase/config.toml").write_text('project_id = "example"\n')
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def invoke(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Invoke:
    """`invoke` with the given arguments: on the collection of this package, or with a program of the test's own."""
    # A program that looks for `tasks.py` puts its folder before all others.
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "tasks", raising=False)

    def run(*arguments: str, program: Program | None = None) -> Done:
        capsys.readouterr()
        try:
            (program or Program(namespace=ns)).run(["invoke", *arguments])
            code: Any = 0
        except SystemExit as ended:
            code = ended.code
        finally:
            sys.modules.pop("tasks", None)
        out, err = capsys.readouterr()
        assert misled(arguments, err) == [], err
        return Done(code or 0, out, err)

    return run
