"""Files that give way: each text that is replaced is kept, and no file is overwritten."""

from __future__ import annotations

import pytest

from sbsync_tasks.errors import RefusedError
from sbsync_tasks.state.migrations import Migration, write_file
from tests.unit.plan.diagnosed import NEW, moved
from tests.unit.plan.world import A, B


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "supabase" / "migrations"
    folder.mkdir(parents=True)
    (folder / A.file_name).write_bytes(b"-- by\xff hand\r\nselect 1;")
    return tmp_path


def names(root):
    return sorted(p.name for p in (root / "supabase" / "migrations").iterdir())


def test_a_renamed_file_keeps_its_bytes_and_leaves_a_copy(root):
    kept = write_file(root, moved(A, NEW), A.file_name)
    assert names(root) == [f"{NEW}_a.sql"]
    for path in (kept, root / "supabase" / "migrations" / f"{NEW}_a.sql"):
        assert path.read_bytes() == b"-- by\xff hand\r\nselect 1;"


def test_replaced_text_is_kept_each_time(root):
    first = write_file(root, A, A.file_name)
    second = write_file(root, Migration(A.version, "a", "select 2;"), A.file_name)
    assert first != second
    assert first.read_bytes() == b"-- by\xff hand\r\nselect 1;"
    assert second.read_text() == A.sql
    assert (root / "supabase" / "migrations" / A.file_name).read_text() == "select 2;"
    assert list((root / ".sbsync" / "drafts").iterdir()) == []


def test_no_file_is_overwritten(root):
    (root / "supabase" / "migrations" / B.file_name).write_text("precious")
    for name in ("", A.file_name):
        with pytest.raises(RefusedError, match="is there already"):
            write_file(root, B, name)
    assert (root / "supabase" / "migrations" / B.file_name).read_text() == "precious"
    assert names(root) == [A.file_name, B.file_name]
