"""The fingerprint of a database, straight from its catalogs: read one, compare two."""

from .claims import Claims, subjects
from .compare import compare, exposed, in_line_ends_alone, nobodys, platform, stand_ins, without_platform
from .facts import MIGRATIONS, NOT_COMPARED, SETTINGS, Catalog, CatalogObject, Difference, read_catalog, told

__all__ = [
    "MIGRATIONS",
    "NOT_COMPARED",
    "SETTINGS",
    "Catalog",
    "CatalogObject",
    "Claims",
    "Difference",
    "compare",
    "exposed",
    "in_line_ends_alone",
    "nobodys",
    "platform",
    "read_catalog",
    "stand_ins",
    "subjects",
    "told",
    "without_platform",
]
