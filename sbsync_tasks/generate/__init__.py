"""From the engine's script to a migration that applies and is complete."""

from .ahead import labels
from .complete import Bench, Completed, Missing, complete
from .dumped import Archive
from .kept import Identities, identities, positions, replaced_tables
from .script import Part, added, drops_attribute, engine_parts, enum_values_apart, replaces_enum, text_of

__all__ = [
    "Archive", "Bench", "Completed", "Identities", "Missing", "Part", "added", "complete", "drops_attribute",
    "engine_parts", "enum_values_apart", "identities", "labels", "positions", "replaced_tables", "replaces_enum",
    "text_of",
]  # fmt: skip
