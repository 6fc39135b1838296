"""git: the project's repository, one commit of exactly the given files, and texts that files once had."""

from .commits import Committed, check_ready, check_who, commit
from .repository import Migrations, Repository, dotenv_files, find_repository, must, needed, secret_files, tracks

__all__ = [
    "Committed", "Migrations", "Repository", "check_ready", "check_who", "commit", "dotenv_files", "find_repository",
    "must", "needed", "secret_files", "tracks",
]  # fmt: skip
