"""Which tests `pytest`, `--matrix` and `--campaign` run, tried on a project of three tests."""

import shutil
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
    for path in ("pyproject.toml", "tests/conftest.py", "tests/support/campaign.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / path, tmp_path / path)
    (tmp_path / "tests" / "test_three.py").write_text(TESTS)

    def pytest_run(*args):
        argv = [sys.executable, "-m", "pytest", "-rA", "-pno:cacheprovider", *args]
        done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
        passed = [line.rsplit("::", 1)[1] for line in done.stdout.splitlines() if line.startswith("PASSED")]
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
    assert passed == ["test_campaign", "test_variation"]
    assert len(drawn(shown)) == 2


def test_a_campaign_in_full_is_repeated_by_its_seed(run):
    passed, first = run("-n0", "--campaign")
    assert passed == ["test_campaign", "test_default", "test_in_a_container", "test_variation"]
    assert len(drawn(first)) == 5
    (seed,) = [line.rsplit("--seed ", 1)[1] for line in first.splitlines() if line.startswith("matrix:")]
    for workers, other, same in (("-n1", seed, True), ("-n0", f"{seed}1", False)):
        _, again = run(workers, "--campaign", "-mcampaign", f"--seed={other}")
        assert (drawn(again) == drawn(first)) is same
