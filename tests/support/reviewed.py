"""What the review finds in a text, and cases of it."""

import pytest

from sbsync_tasks.checks import review


def found(sql):
    return [(f.severity, f"{f.rule} {f.object}") for f in review(sql).findings]


def check(cases):
    return pytest.mark.parametrize(("sql", "expected"), cases, ids=[" ".join(sql.split())[:60] for sql, _ in cases])
