"""Which backups stay."""

import os
import time

from sbsync_tasks.backups import prune


def folder(directory, name):
    path = directory / name
    path.mkdir()
    (path / "manifest.json").write_text("{}", encoding="utf-8")
    return path


def left(directory):
    return sorted(p.name for p in directory.iterdir())


def test_the_newest_of_its_kind_stay(tmp_path):
    for day in range(1, 6):
        made = folder(tmp_path, f"2026110{day}T000000Z-staging-before-push")
    assert {p.name for p in prune(made, keep=2)} == {f"2026110{day}T000000Z-staging-before-push" for day in (1, 2, 3)}
    assert left(tmp_path) == ["20261104T000000Z-staging-before-push", "20261105T000000Z-staging-before-push"]


def test_two_of_one_second_are_of_one_kind(tmp_path):
    names = [f"20261101T000000Z-local-before-restore{number}" for number in ("", "-2", "-3")]
    *_, made = [folder(tmp_path, name) for name in names]
    assert [p.name for p in prune(made, keep=2)] == names[:1]
    assert left(tmp_path) == names[1:]


def test_other_databases_and_reasons_are_not_touched(tmp_path):
    others = [
        folder(tmp_path, name)
        for name in (
            "20251101T000000Z-production-before-push", "20251101T000000Z-local-before-reset",
            "20251101T000000Z-staging-on-request",
        )
    ]  # fmt: skip
    made = folder(tmp_path, "20261101T000000Z-staging-before-push")
    assert prune(made, keep=1) == ()
    assert left(tmp_path) == sorted([*(p.name for p in others), made.name])


def test_the_new_one_stays_whatever_is_asked(tmp_path):
    made = folder(tmp_path, "20261101T000000Z-local-before-reset")
    assert prune(made, keep=0) == ()
    assert left(tmp_path) == [made.name]


def test_one_that_is_in_use_stays_whatever_its_age(tmp_path):
    names = [f"2026110{day}T000000Z-local-before-restore" for day in range(1, 5)]
    used, *_, made = [folder(tmp_path, name) for name in names]
    by_another_way = tmp_path / ".." / tmp_path.name / used.name
    assert [p.name for p in prune(made, keep=1, spared=[by_another_way])] == names[2:0:-1]
    assert left(tmp_path) == [used.name, made.name]


def test_half_made_ones_go_when_they_are_old(tmp_path):
    old, young = folder(tmp_path, ".partial-20261001T000000Z-a-b"), folder(tmp_path, ".partial-20261101T000000Z-a-b")
    yesterday = time.time() - 25 * 3600
    os.utime(old, (yesterday, yesterday))
    made = folder(tmp_path, "20261101T000000Z-a-b")
    prune(made, keep=5)
    assert left(tmp_path) == sorted([young.name, made.name])
