"""The Supabase CLI: finding it, its version, its two dialects, and the calls that the steps need."""

from .answers import CliError, EngineRefusedError
from .binary import NEWEST_KNOWN, OLDEST_SUPPORTED, Binary, Version, find
from .client import RECORDED, Pushed, PushOptions, SupabaseCli
from .local_stack import LocalStackCli, refused_keys

__all__ = [
    "NEWEST_KNOWN",
    "OLDEST_SUPPORTED",
    "RECORDED",
    "Binary",
    "CliError",
    "EngineRefusedError",
    "LocalStackCli",
    "PushOptions",
    "Pushed",
    "SupabaseCli",
    "Version",
    "find",
    "refused_keys",
]
