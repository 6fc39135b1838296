"""Which tests run, and what keeps every one apart from the machine: its user's settings, databases and terminal.

Three sizes of a run. `pytest` alone proves each behaviour once, with the newest CLI and without Docker. `--matrix` adds
the tests marked `matrix`: variations, older CLIs, Docker, and a sample of each campaign. `--campaign` runs those too,
with the campaigns in full. `-m matrix` beside one of the last two leaves out what the first has run.
"""

from __future__ import annotations

import compileall
import os
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import leftovers
from tests.support.campaign import Rounds
from tests.support.sharing import Groups, write_groups
from tests.support.synced import remove_shared

# Whatever would change what the code under test does; SBSYNC_TEST_* is the tests' own.
FOREIGN = ("INVOKE_", "PG", "SUPABASE_", "SBSYNC_", "GIT_", "RICH_")
ONE_BY_ONE = (
    "NODE_ENV", "FORCE_COLOR", "CLICOLOR_FORCE", "COLUMNS", "LINES", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "EDITOR",
    "VISUAL", "XDG_CONFIG_HOME",
)  # fmt: skip
# Marked with one of these, a test is a part of the matrix without saying so.
MATRIX = ("docker", "campaign")
SEED = 20261125
PACKAGE = Path(__file__).parents[1] / "sbsync_tasks"
LEFT = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("sizes of a run")
    group.addoption(
        "--matrix", action="store_true", help="run the variations as well (older CLIs, Docker, a sample of campaigns)"
    )
    group.addoption("--campaign", action="store_true", help="the same, with all rounds of each random campaign")
    group.addoption("--seed", type=int, help="what campaigns draw from: the number that a run has printed repeats it")


def pytest_configure(config: pytest.Config) -> None:
    """Compile the package, and draw the seed: workers are given the options of the process that starts them."""
    option = config.option
    option.matrix = option.matrix or option.campaign
    if "PYTEST_XDIST_WORKER" not in os.environ:  # each task that a test starts would do it again
        compileall.compile_dir(PACKAGE, quiet=1)
    if option.seed is None:  # a sample is the same every time, so that a failure is the change's at hand
        option.seed = random.SystemRandom().randrange(10**8) if option.campaign else SEED


def pytest_report_header(config: pytest.Config) -> str:
    option = config.option
    if not option.matrix:
        return "matrix: left out (--matrix)"
    return f"matrix: with {'all rounds' if option.campaign else 'a sample'} of each campaign, --seed {option.seed}"


def pytest_itemcollected(item: pytest.Item) -> None:
    if any(item.get_closest_marker(name) for name in MATRIX):
        item.add_marker("matrix")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the matrix out where it was not asked for."""
    if config.option.matrix:
        return
    left_out = [item for item in items if item.get_closest_marker("matrix")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if not item.get_closest_marker("matrix")]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    if os.environ.get("PYTEST_XDIST_WORKER") == "gw0":
        write_groups(run_folder(session.config), session.items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Groups | None:
    """`--dist=loadgroup` is ours; every other way is pytest-xdist's own."""
    return Groups(config, log, run_folder(config)) if config.getvalue("dist") == "loadgroup" else None


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> Rounds:
    """`rounds(sample, full)`: the rounds of a campaign, each with a random source of its own."""
    option = request.config.option
    return Rounds(f"{option.seed} {request.node.nodeid.split('@')[0]}", full=option.campaign)


def run_folder(config: pytest.Config) -> Path:
    """The folder that all workers of a run share, below pytest's own: a worker's is below that of its parent."""
    base: Path = config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "run"
    (folder / leftovers.TEMPORARY).mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session", autouse=True)
def isolated_session(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No settings of the user's: an empty home folder, temporary files apart, no stray variables, no colour.

    The per-user cache stays the real one: a server and a CLI that were fetched once are not fetched again.
    """
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    run = run_folder(request.config)
    with pytest.MonkeyPatch.context() as patch:
        for key in list(os.environ):
            if key in ONE_BY_ONE or (key.startswith(FOREIGN) and not key.startswith("SBSYNC_TEST_")):
                patch.delenv(key)
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("XDG_CACHE_HOME", cache)
        patch.setenv("NO_COLOR", "1")
        patch.setenv(leftovers.RUN, str(run))
        patch.setenv("TMPDIR", str(run / leftovers.TEMPORARY))
        patch.setattr(tempfile, "tempdir", None)  # what was asked for before is remembered
        yield


@pytest.hookimpl(trylast=True)  # after all workers
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Remove what the workers shared; whatever else is left fails the run."""
    if "PYTEST_XDIST_WORKER" in os.environ or session.config.option.collectonly:
        return
    run = run_folder(session.config)
    remove_shared(run)
    session.config.stash[LEFT] = left = leftovers.left_by(run)
    if left and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if left := config.stash.get(LEFT, []):
        terminalreporter.section("left behind by the tests", red=True)
        for what in left:
            terminalreporter.line(what)
