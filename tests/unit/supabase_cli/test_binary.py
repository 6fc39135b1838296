"""How the Supabase CLI is found, and installed where there is none."""

import stat
from pathlib import Path

import pytest

from sbsync_tasks.console import Console
from sbsync_tasks.errors import ConfigError, MissingToolError, SbsyncError
from sbsync_tasks.redaction import Redactor
from sbsync_tasks.run.session import Run
from sbsync_tasks.supabase_cli import NEWEST_KNOWN, OLDEST_SUPPORTED, Binary, Version, find
from sbsync_tasks.supabase_cli.binary import install
from tests.support.played import put
from tests.support.settings import Project
from tests.unit.supabase_cli.calls import V2, V3

# --- finding it ---


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """A machine without any CLI: nothing on PATH, an empty cache."""
    (tmp_path / "bin").mkdir()
    for name in ("sh", "bash"):
        (tmp_path / "bin" / name).symlink_to(f"/bin/{name}")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def versioned(path, version):
    """A program at a path that knows its version, and counts how often it was asked."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho asked >> {path.parent}/asked-{path.name}\necho 'supabase {version}'\n")
    path.chmod(0o755)
    return path


def asked(path):
    trace = path.parent / f"asked-{path.name}"
    return len(trace.read_text().splitlines()) if trace.exists() else 0


def never():
    raise AssertionError("nobody should be asked")


def test_where_it_is_looked_for_in_which_order(nowhere, root):
    places = {
        "SBSYNC_SUPABASE_BIN": versioned(root / "tools/supabase", "2.115.0"),
        "the project's node_modules": versioned(root / "node_modules/.bin/supabase", "2.116.0"),
        "PATH": versioned(nowhere / "bin/supabase", "2.117.0"),
        f"this tool's cache ({NEWEST_KNOWN})": versioned(
            nowhere / f"cache/sbsync/supabase-cli/{NEWEST_KNOWN}/node_modules/.bin/supabase", "3.1.0"
        ),
    }
    for source, path in places.items():
        setting = "tools/supabase" if source == "SBSYNC_SUPABASE_BIN" else ""
        binary = find(root, setting, never)
        assert (binary.path, binary.source) == (path, source)
        path.unlink()


def test_a_setting_that_leads_nowhere(nowhere, root):
    versioned(nowhere / "bin/supabase", "3.1.0")
    with pytest.raises(ConfigError, match="SBSYNC_SUPABASE_BIN names none/supabase") as caught:
        find(root, "none/supabase", never)
    assert caught.value.exit_code == 3


def test_the_platforms_binary_behind_npms_shim(nowhere, root, mocker):
    mocker.patch("platform.machine", return_value="x86_64")
    mocker.patch("sys.platform", "linux")
    modules = root / "node_modules"
    native = versioned(modules / "@supabase/cli-linux-x64/bin/supabase", "3.1.0")
    shim = modules / "supabase/dist/cli.js"
    put(root, "node_modules/supabase/dist/cli.js", "#!/usr/bin/env node\n")
    shim.chmod(0o755)
    (modules / ".bin").mkdir()
    (modules / ".bin/supabase").symlink_to(shim)
    assert find(root, "", never).path == native


@pytest.mark.parametrize("version", ["2.114.9", "1.200.3"])
def test_one_that_is_too_old(nowhere, root, version):
    versioned(nowhere / "bin/supabase", version)
    with pytest.raises(MissingToolError) as caught:
        find(root, "", never)
    assert f"Supabase CLI {version} (PATH) is too old: {OLDEST_SUPPORTED}" in caught.value.message
    assert f"npm install --save-dev supabase@{NEWEST_KNOWN}" in caught.value.hint


def test_one_that_is_something_else(nowhere, root):
    versioned(nowhere / "bin/supabase", "unknown")
    with pytest.raises(MissingToolError, match="--version gives no version: supabase unknown"):
        find(root, "", never)


def test_the_version_is_asked_once_for_each_file(nowhere, root):
    path = versioned(nowhere / "bin/supabase", "3.0.0")
    for _ in range(3):
        assert find(root, "", never).version == Version(3, 0, 0)
    assert asked(path) == 1
    versioned(path, "3.1.00000")  # another size
    assert find(root, "", never).version == Version(3, 1, 0)
    assert asked(path) == 2


@pytest.mark.parametrize("text", ["", "3.1", "\udcff"])
def test_a_broken_memory_of_versions_is_no_obstacle(nowhere, root, text):
    path = versioned(nowhere / "bin/supabase", "3.1.0")
    find(root, "", never)
    (memory,) = (nowhere / "cache/sbsync/cli-versions").iterdir()
    memory.write_bytes(text.encode(errors="surrogateescape"))
    assert find(root, "", never).version == Version(3, 1, 0)
    assert find(root, "", never).version == Version(3, 1, 0)
    assert asked(path) == 2


@pytest.mark.parametrize(
    ("text", "version"),
    [("2.115.0", V2), ("supabase v3.1.0\n", V3), ("3.1.0-beta.4", V3), ("3.1", None), ("", None)],
)
def test_a_version_in_a_text(text, version):
    assert Version.parse(text) == version


# --- installing it ---

NPM = """#!/bin/sh
echo "$@" >> {trace}
{fail}
while [ "$1" != --prefix ]; do shift; done
/bin/mkdir -p "$2/node_modules/.bin"
printf '#!/bin/sh\\necho 3.1.0\\n' > "$2/node_modules/.bin/supabase"
/bin/chmod 755 "$2/node_modules/.bin/supabase"
"""


def npm(folder, fail=""):
    path = folder / "bin/npm"
    path.write_text(NPM.format(trace=folder / "npm-calls", fail=fail))
    path.chmod(0o755)


def npm_calls(folder):
    trace = folder / "npm-calls"
    return trace.read_text().splitlines() if trace.exists() else []


def test_it_is_installed_after_asking_and_only_once(nowhere, root):
    npm(nowhere)
    asks = []
    binary = find(root, "", lambda: asks.append(1) or True)
    assert binary.source == f"installed from npm ({NEWEST_KNOWN})"
    assert binary.path.is_relative_to(nowhere / "cache/sbsync/supabase-cli")
    (call,) = npm_calls(nowhere)
    assert call.startswith("install --prefix ")
    assert call.endswith(f" --ignore-scripts supabase@{NEWEST_KNOWN}")
    assert find(root, "", never).version == V3
    install(NEWEST_KNOWN)
    assert (len(asks), len(npm_calls(nowhere))) == (1, 1)


def test_nothing_is_installed_where_that_is_not_wanted(nowhere, root):
    npm(nowhere)
    with pytest.raises(MissingToolError) as caught:
        find(root, "", lambda: False)
    assert "SBSYNC_SUPABASE_BIN" in caught.value.hint
    assert caught.value.exit_code == 5
    assert npm_calls(nowhere) == []


def test_without_npm_the_error_says_how_to_get_it(nowhere, root, mocker):
    mocker.patch("importlib.util.find_spec", return_value=None)
    with pytest.raises(MissingToolError, match="without npm it cannot be installed") as caught:
        find(root, "", never)
    assert "sbsync-tasks[node]" in caught.value.hint


def test_an_install_that_fails_leaves_nothing_that_looks_installed(nowhere, root):
    npm(nowhere, fail="echo 'npm error 404 not found' >&2; exit 1")
    with pytest.raises(SbsyncError, match=rf"npm could not install supabase@{NEWEST_KNOWN}: npm error 404"):
        find(root, "", lambda: True)
    npm(nowhere)
    assert find(root, "", lambda: True).version == V3


def test_where_nobody_can_be_asked_each_way_to_get_it_is_named(nowhere, root):
    npm(nowhere)
    settings = Project(root).settings()
    with pytest.raises(MissingToolError) as caught:
        _ = Run(settings, Console(Redactor())).cli
    assert caught.value.exit_code == 5
    for way in ("npm install --save-dev supabase", "--yes installs it", "SBSYNC_SUPABASE_BIN"):
        assert way in caught.value.hint
    assert not (nowhere / "calls").exists()
    assert Run(settings, Console(Redactor(), yes=True)).cli.binary.version == V3


def test_the_cache_is_private(nowhere, root):
    npm(nowhere)
    find(root, "", lambda: True)
    assert stat.S_IMODE((nowhere / "cache/sbsync").stat().st_mode) == 0o700


# --- what its version means ---


@pytest.mark.parametrize(
    ("version", "notice", "may_write"),
    [
        (NEWEST_KNOWN, "", True),
        (Version(3, 9, 0), "", True),
        (OLDEST_SUPPORTED, f"keep the CLI updated|{NEWEST_KNOWN}", True),
        (Version(4, 0, 0), "newer than any that was tested|only reads", False),
    ],
    ids=str,
)
def test_what_a_version_deserves_to_be_told(version, notice, may_write):
    binary = Binary(Path("supabase"), version, "PATH")
    assert bool(binary.notice) == bool(notice)
    assert all(words in binary.notice for words in notice.split("|"))
    assert binary.may_write is may_write
