"""Two calls at the same time: both end, both answers come back, the first error is told."""

import threading

import pytest

from sbsync_tasks.process import in_parallel


def test_both_run_at_the_same_time():
    meet = threading.Barrier(2, timeout=10)  # broken, and an error, if one waits for the other to end
    assert in_parallel(lambda: (meet.wait(), "here")[1], lambda: (meet.wait(), "there")[1]) == ("here", "there")


def test_the_first_call_is_made_in_this_thread():
    here, there = in_parallel(threading.current_thread, threading.current_thread)
    assert here is threading.current_thread()
    assert there is not here


@pytest.mark.parametrize(
    ("here", "there", "told"),
    [(True, False, "here"), (False, True, "there"), (True, True, "here")],
)
def test_an_error_is_raised_once_both_have_ended(here, there, told):
    ended = []

    def call(name, fails):
        ended.append(name)
        if fails:
            raise ValueError(name)

    with pytest.raises(ValueError, match=f"^{told}$"):
        in_parallel(lambda: call("here", here), lambda: call("there", there))
    assert sorted(ended) == ["here", "there"]
