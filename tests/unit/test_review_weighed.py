"""Findings about locks, weighed by the rows that the table has."""

import pytest

from sbsync_tasks.checks import review
from sbsync_tasks.run.losses import RELATIONS, SMALL, Weigher


class Database:
    """One that has `public.t` with so many rows."""

    def __init__(self, rows):
        self._rows = rows

    def execute(self, query):
        return self if query != RELATIONS else [("public", "t", 1)]

    def fetchone(self):
        return (self._rows,)


@pytest.mark.parametrize(
    ("sql", "few", "many"),
    [
        ("create index on t (a)", [], ["blocking-index"]),
        ("create unique index on t (a)", ["unique-index"], ["unique-index"]),
        ("alter table t add unique (a)", ["indexed-constraint"], ["indexed-constraint"]),
    ],
)
def test_a_small_table_is_locked_for_no_time_but_its_rows_can_be_refused(sql, few, many):
    for rows, expected in ((0, []), (1, few), (SMALL, few), (SMALL + 1, many)):
        weigh = Weigher(Database(rows))
        assert [f.rule for f in map(weigh, review(sql).findings) if f] == expected
