"""Giving a copied data directory a system identifier of its own.

A server is told from another by its system identifier, and a file copy has the original's. It
stands in the first eight bytes of `global/pg_control`, which ends in a CRC-32C over all that comes
before it (PostgreSQL: src/include/catalog/pg_control.h), and in each WAL segment, which
`pg_resetwal` writes anew.
"""

from __future__ import annotations

import secrets
import struct
from typing import TYPE_CHECKING

from sbsync_tasks.errors import SbsyncError

if TYPE_CHECKING:
    from pathlib import Path

CASTAGNOLI = 0x82F63B78
# pg_control holds less than one disk sector of data, so that it is written in one piece.
SECTOR = 512
IDENTIFIER_BYTES = 8


def renew_identifier(data: Path) -> int:
    """Write a new random system identifier into a stopped cluster's `pg_control`.

    Afterwards `pg_resetwal` has to be run before the server starts.

    Args:
        data: The data directory.

    Returns:
        The new identifier.

    Raises:
        SbsyncError: the file is damaged: its checksum fits at no place.
    """
    path = data / "global" / "pg_control"
    content = bytearray(path.read_bytes())
    at = _checksum_offset(content, path)
    identifier = secrets.randbits(62) | 1 << 62
    content[:IDENTIFIER_BYTES] = struct.pack("=Q", identifier)
    content[at : at + 4] = struct.pack("=I", crc32c(content[:at]))
    path.write_bytes(content)
    return identifier


def crc32c(content: bytes | bytearray) -> int:
    """The CRC-32C (Castagnoli) of `content`."""
    crc = 0xFFFFFFFF
    for byte in content:
        crc = _step(crc, byte)
    return crc ^ 0xFFFFFFFF


def _step(crc: int, byte: int) -> int:
    crc ^= byte
    for _ in range(8):
        crc = crc >> 1 ^ (CASTAGNOLI if crc & 1 else 0)
    return crc


def _checksum_offset(content: bytearray, path: Path) -> int:
    """Where the checksum stands: it differs by major version, and it is where it fits."""
    crc = 0xFFFFFFFF
    for at in range(min(len(content), SECTOR) - 4):
        if at >= IDENTIFIER_BYTES and content[at : at + 4] == struct.pack("=I", crc ^ 0xFFFFFFFF):
            return at
        crc = _step(crc, content[at])
    raise SbsyncError(f"{path} is damaged: its checksum does not fit.")
