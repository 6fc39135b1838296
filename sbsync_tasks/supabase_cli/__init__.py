"""The Supabase CLI: finding it, its version, its two dialects, and the calls that the steps need."""

from .binary import NEWEST_KNOWN, OLDEST_SUPPORTED, Binary, Version, find
from .client import CliError, EngineRefusedError, Pushed, SupabaseCli
from .local_stack import LocalStackCli
from .refused_keys import refused_keys

__all__ = [
    "NEWEST_KNOWN",
    "OLDEST_SUPPORTED",
    "Binary",
    "CliError",
    "EngineRefusedError",
    "LocalStackCli",
    "Pushed",
    "SupabaseCli",
    "Version",
    "find",
    "refused_keys",
]
