"""The fingerprint of a database, straight from its catalogs: read one, compare two."""

from .claims import Claims
from .compare import compare, exposed, in_line_ends_alone, nobodys, platform, stand_ins, without_platform
from .difference import MIGRATIONS, Difference, told
from .read import (
    NOT_COMPARED,
    SETTINGS,
    Catalog,
    CatalogObject,
    read_catalog,
)
from .subjects import subjects

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
