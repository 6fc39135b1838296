"""Which tests `pytest`, `--matrix` and `--campaign` run, tried on a project of three tests."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
TESTS = """
import pytest

def test_default():
    pass

@pytest.mark.matrix
def test_variation():
    pass

@pytest.mark.docker
def test_in_a_container():
    pass

@pytest.mark.campaign
def test_campaign(rounds):
    print("drew", [source.randrange(1000) for source in rounds(2, 5)])
"""


@pytest.fixture
def run(tmp_path):
    """`pytest` with this repository's conftest and settings: the names that passed, and all that was printed."""
    (tmp_path / "tests").mkdir()
    for path in ("pyproject.toml", "tests/conftest.py"):
        shutil.copy(REPOSITORY / path, tmp_path / path)
    shutil.copytree(REPOSITORY / "tests" / "support", tmp_path / "tests" / "support")
    (tmp_path / "tests" / "test_three.py").write_text(TESTS)

    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}

    def pytest_run(*args):
        argv = [sys.executable, "-m", "pytest", "-rA", "-pno:cacheprovider", f"--basetemp={tmp_path / 'base'}", *args]
        done = subprocess.run(argv, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        passed = [line.rsplit("::", 1)[1] for line in done.stdout.splitlines() if line.startswith("PASSED")]
        assert done.returncode == (1 if "left behind" in done.stdout else 0), done.stdout
        return sorted(passed), done.stdout

    return pytest_run


def drawn(shown):
    """The numbers that the campaign has drawn."""
    (line,) = {line for line in shown.splitlines() if line.startswith("drew")}
    return line.removeprefix("drew ").split(",")


def test_the_default_is_what_has_no_mark(run):
    passed, shown = run("-n0")
    assert passed == ["test_default"]
    assert "3 deselected" in shown
    assert "--matrix" in shown


def test_the_matrix_alone_has_a_sample_of_each_campaign(run):
    passed, shown = run("-n0", "--matrix", "-mmatrix and not docker")
    assert passed == ["test_campaign", "test_variation"], shown
    assert len(drawn(shown)) == 2


def test_a_campaign_in_full_is_repeated_by_its_seed(run):
    passed, first = run("-n0", "--campaign")
    assert passed == ["test_campaign", "test_default", "test_in_a_container", "test_variation"]
    assert len(drawn(first)) == 5
    (seed,) = [line.rsplit("--seed ", 1)[1] for line in first.splitlines() if line.startswith("matrix:")]
    for workers, other, same in (("-n1", seed, True), ("-n0", f"{seed}1", False)):
        _, again = run(workers, "--campaign", "-mcampaign", f"--seed={other}")
        assert (drawn(again) == drawn(first)) is same


LEAVES = """
import subprocess, sys, tempfile, pytest
from pathlib import Path

@pytest.fixture(scope="module", params=["one", "two"])
def shared(request):
    with Path("made").open("a") as made:
        made.write(request.param + " ")

@pytest.mark.parametrize("number", range(5))
def test_shared(shared, number):
    pass

def test_file():
    tempfile.mkdtemp(prefix="forgotten-")

def test_server(tmp_path):
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", tmp_path / "data"])
"""


def test_what_is_left_behind_fails_the_run_and_what_tests_share_is_made_once(run, tmp_path):
    (tmp_path / "tests" / "test_three.py").write_text(LEAVES)
    _, shown = run("-n2", "-Wignore")
    left = shown[shown.index("left behind by the tests") :]
    os.kill(int(re.search(r"process (\d+): ", left)[1]), signal.SIGKILL)
    assert "forgotten-" in left
    assert sorted((tmp_path / "made").read_text().split()) == ["one", "two"]
