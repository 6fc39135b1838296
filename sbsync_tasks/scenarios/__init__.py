"""The two scenarios, and the halves that are useful alone: look, generate, plan, ask, carry out, look again."""

from .local_to_remote import local_to_remote, push
from .remote_to_local import pull, remote_to_local

__all__ = ["local_to_remote", "pull", "push", "remote_to_local"]
