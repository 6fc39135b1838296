"""What is remembered of an environment's remote."""

import pytest

from sbsync_tasks.steps.known import Known, recall, remember

ONE = Known("7423900000000000001", "postgres", "staging (project a)")
TWO = Known("7423900000000000002", "postgres", "production (project b)")


def test_each_environment_is_remembered_for_itself(tmp_path):
    assert recall(tmp_path, "staging") is None
    assert not (tmp_path / ".sbsync").exists()
    remember(tmp_path, "staging", ONE)
    remember(tmp_path, "production", TWO)
    assert (recall(tmp_path, "staging"), recall(tmp_path, "production")) == (ONE, TWO)
    remember(tmp_path, "staging", TWO)
    assert recall(tmp_path, "staging") == TWO
    assert [p.name for p in (tmp_path / ".sbsync").iterdir() if p.name != ".gitignore"] == ["known.json"]


def test_the_same_database_may_be_reached_under_another_name():
    assert ONE.is_same(Known(ONE.system, ONE.database, "staging (pooler)"))
    assert not ONE.is_same(Known(ONE.system, "other", ONE.where))
    assert not ONE.is_same(Known(TWO.system, ONE.database, ONE.where))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"staging": 1}', '{"staging": null}', "\ufeff{}"])
def test_what_cannot_be_read_counts_for_nothing_and_is_replaced(tmp_path, text):
    remember(tmp_path, "staging", TWO)
    (tmp_path / ".sbsync" / "known.json").write_text(text, encoding="utf-8")
    assert recall(tmp_path, "staging") is None
    remember(tmp_path, "staging", ONE)
    assert recall(tmp_path, "staging") == ONE
