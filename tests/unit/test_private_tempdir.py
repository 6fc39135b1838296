"""Private folders of calls: gone at the end, and gone later where the process was killed before it."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from sbsync_tasks import folders as module
from sbsync_tasks.folders import ABANDONED, PREFIX, private_tempdir

HOLD = """\
import sys, time
from sbsync_tasks.folders import private_tempdir
with private_tempdir() as place:
    (place / "passfile").write_text("secret")
    print(place, flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    module._remove_abandoned.cache_clear()
    yield tmp_path
    module._remove_abandoned.cache_clear()


def age(place: Path, seconds: float) -> Path:
    os.utime(place, (time.time() - seconds,) * 2)
    return place


def test_nobody_else_can_look_into_it_and_it_is_gone_at_the_end(temporary):
    with private_tempdir() as place:
        assert place.parent == temporary
        assert place.stat().st_mode & 0o777 == 0o700
        (place / "file").write_text("")
    assert list(temporary.iterdir()) == []
    with pytest.raises(ValueError, match="inside"), private_tempdir():
        raise ValueError("inside")
    assert list(temporary.iterdir()) == []


def test_what_a_killed_process_has_left_is_removed_by_a_later_one(temporary):
    environment = {**os.environ, "TMPDIR": str(temporary)}
    with subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        left = age(Path(process.stdout.readline().strip()), ABANDONED + 60)
        with private_tempdir():
            assert (left / "passfile").exists()  # old, but its process lives
        process.send_signal(signal.SIGKILL)
    assert left.exists()
    module._remove_abandoned.cache_clear()
    with private_tempdir():
        assert not left.exists()


def test_what_is_young_or_no_folder_of_ours_stays(temporary, mocker):
    young = temporary / f"{PREFIX}young"
    young.mkdir()
    file = temporary / f"{PREFIX}file"
    file.write_text("")
    age(file, ABANDONED + 60)
    theirs = temporary / "theirs"
    theirs.mkdir()
    age(theirs, ABANDONED + 60)
    link = temporary / f"{PREFIX}link"
    link.symlink_to(theirs)
    with private_tempdir():
        assert {path.name for path in temporary.iterdir()} >= {young.name, file.name, theirs.name, link.name}
    age(young, ABANDONED + 60)
    mocker.patch("sbsync_tasks.folders.os.geteuid", return_value=os.geteuid() + 1)
    module._remove_abandoned.cache_clear()
    with private_tempdir():
        assert young.exists()  # another user's
