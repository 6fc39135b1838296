"""Giving a copied data directory a system identifier of its own.

A server is told from another by its system identifier, and a file copy has the original's. It
stands in the first eight bytes of `global/pg_control`, which ends in a CRC-32C over all that comes
before it (PostgreSQL: src/include/catalog/pg_control.h), and after the 24 bytes of the first page
header of each WAL segment, which no checksum covers (src/include/access/xlog_internal.h).
`pg_resetwal` could write the WAL anew, but it flushes the disk: seconds where that is busy.
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
# Of a WAL segment: bytes before the identifier, and hexadecimal digits in the file's name.
PAGE_HEADER = 24
SEGMENT_NAME = 24


def renew_identifier(data: Path) -> int:
    """Write a new random system identifier into the files of a cluster that was stopped cleanly.

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
    old = bytes(content[:IDENTIFIER_BYTES])
    identifier = secrets.randbits(62) | 1 << 62
    content[:IDENTIFIER_BYTES] = struct.pack("=Q", identifier)
    content[at : at + 4] = struct.pack("=I", crc32c(content[:at]))
    path.write_bytes(content)
    for segment in (data / "pg_wal").glob("?" * SEGMENT_NAME):
        _renew_segment(segment, old, bytes(content[:IDENTIFIER_BYTES]))
    return identifier


def _renew_segment(segment: Path, old: bytes, new: bytes) -> None:
    """Change the identifier in one WAL segment; one kept for later use may hold anything."""
    with segment.open("r+b") as file:
        file.seek(PAGE_HEADER)
        if file.read(IDENTIFIER_BYTES) == old:
            file.seek(PAGE_HEADER)
            file.write(new)


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
