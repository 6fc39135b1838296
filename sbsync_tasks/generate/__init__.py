"""From the engine's script to a migration that applies and is complete."""

from .ahead import instead_of
from .complete import Bench, Completed, Missing, complete
from .facts import Archive, Both
from .kept import Identities, identities, positions, replaced_tables
from .script import Part, added, changes_alone, engine_parts, enum_values_apart, text_of

__all__ = [
    "Archive", "Bench", "Both", "Completed", "Identities", "Missing", "Part", "added", "changes_alone", "complete",
    "engine_parts", "enum_values_apart", "identities", "instead_of", "positions", "replaced_tables", "text_of",
]  # fmt: skip
