"""The two chains of the guide, as data, the loop that runs them, and the two halves that are useful alone."""

from .chain import Step, run_chain
from .local_to_remote import LOCAL_TO_REMOTE, PUSH
from .remote_to_local import PULL, REMOTE_TO_LOCAL

__all__ = ["LOCAL_TO_REMOTE", "PULL", "PUSH", "REMOTE_TO_LOCAL", "Step", "run_chain"]
