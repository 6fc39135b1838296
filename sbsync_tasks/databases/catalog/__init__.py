"""The fingerprint of a database, straight from its catalogs: read one, compare two."""

from .claims import Claims
from .compare import compare, exposed, in_line_ends_alone, of_the_setting, platform, stand_ins, without_platform
from .difference import MIGRATIONS, Difference
from .model import (
    NOT_COMPARED,
    Catalog,
    CatalogObject,
)
from .read import read_catalog
from .subjects import subjects
from .told import told

__all__ = [
    "MIGRATIONS",
    "NOT_COMPARED",
    "Catalog",
    "CatalogObject",
    "Claims",
    "Difference",
    "compare",
    "exposed",
    "in_line_ends_alone",
    "of_the_setting",
    "platform",
    "read_catalog",
    "stand_ins",
    "subjects",
    "told",
    "without_platform",
]
