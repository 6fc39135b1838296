"""Settings: from flags, the process, dotenv files and the Invoke config to one checked set of values."""

from .remote import RemoteSpec
from .root import NoProjectError, Root, find_root
from .settings import LocalSpec, Settings, resolve
from .sources import Value, masked

__all__ = ["LocalSpec", "NoProjectError", "RemoteSpec", "Root", "Settings", "Value", "find_root", "masked", "resolve"]
