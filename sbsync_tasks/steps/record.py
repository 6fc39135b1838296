"""Recording pulled versions in the remote's history, named one by one: a pull's only write to the remote."""

from __future__ import annotations

from . import verify
from .marking import mark_applied
from .push import unchanged_since, writing_lock
from .run import Run, Work


def record(run: Run, work: Work) -> Work:
    """Mark the migrations whose effect the remote has as applied there.

    Raises:
        RefusedError: another run is writing there, or has written since the plan was made; nothing was changed.
        CliError: they could not be recorded.
    """
    with writing_lock(run):
        unchanged_since(run, work)
        mark_applied(run, run.remote, work.to_record)
    return verify.histories_again(run, work.with_(recorded=tuple(m.version for m in work.to_record)))
