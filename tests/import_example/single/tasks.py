"""A project that takes single tasks: two as they are, and one as a step of its own."""

from invoke.context import Context
from invoke.tasks import task

from sbsync_tasks import local_to_remote, status

__all__ = ["local_to_remote", "release", "status"]


@task
def release(context: Context, env: str = "staging") -> None:
    """Bring the database up, then the application."""
    local_to_remote(context, env=env, yes=True)
    context.run("echo released")
