"""The fingerprint of a database, straight from its catalogs: read one, compare two."""

from .differences import Difference, PlatformDifference, compare, in_line_ends_alone, platform_differences
from .model import (
    MANAGED_SCHEMAS,
    NOT_COMPARED,
    OPEN_SCHEMAS,
    SERVICE_ROLES,
    Catalog,
    CatalogObject,
)
from .read import read_catalog

__all__ = [
    "MANAGED_SCHEMAS",
    "NOT_COMPARED",
    "OPEN_SCHEMAS",
    "SERVICE_ROLES",
    "Catalog",
    "CatalogObject",
    "Difference",
    "PlatformDifference",
    "compare",
    "in_line_ends_alone",
    "platform_differences",
    "read_catalog",
]
