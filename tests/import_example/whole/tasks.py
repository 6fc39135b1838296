"""A project that has the whole collection and nothing else."""

from sbsync_tasks import ns

__all__ = ["ns"]
