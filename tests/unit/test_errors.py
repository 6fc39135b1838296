"""The kinds of error and the exit codes that are documented for them."""

import pytest

from sbsync_tasks import errors


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.SbsyncError, 1),
        (errors.ConfigError, 3),
        (errors.RefusedError, 4),
        (errors.MissingToolError, 5),
    ],
)
def test_each_kind_has_its_exit_code(kind, code):
    error = kind("What is wrong.", "How to go on.")
    assert isinstance(error, errors.SbsyncError)
    assert (error.message, error.hint, error.exit_code) == ("What is wrong.", "How to go on.", code)
    assert str(error) == "What is wrong."


def test_a_hint_may_be_left_out():
    assert errors.SbsyncError("x").hint == ""


def test_an_interruption_ends_as_a_shell_would_report_it():
    assert (errors.OK, errors.INTERRUPTED) == (0, 130)
