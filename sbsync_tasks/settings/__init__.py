"""Settings: from flags, the process, dotenv files and the Invoke config to one checked set of values."""

from .remote import RemoteSpec
from .settings import LocalSpec, Settings, find_root, resolve
from .sources import Value, masked

__all__ = ["LocalSpec", "RemoteSpec", "Settings", "Value", "find_root", "masked", "resolve"]
