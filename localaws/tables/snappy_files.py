"""Snappy as Hadoop packs a file with it: blocks, each its length and then chunks with theirs.

https://github.com/apache/hadoop: BlockCompressorStream. Lengths are four bytes, the first highest;
a chunk's own begins with how long it is unpacked (snappy's format_description.txt).
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa


def unpacked(path: Path) -> bytes:
    """The file's content. Raises EOFError, OSError for one that is not packed so."""
    raw, at, found = path.read_bytes(), 0, []
    codec = pa.Codec("snappy")
    while at < len(raw):
        wanted, at = _number(raw, at)
        while wanted > 0:
            packed, at = _number(raw, at)
            chunk = raw[at : at + packed]
            if len(chunk) < packed or not chunk:
                raise EOFError("a block of snappy is cut off")
            size = _size(chunk)
            if size > wanted:  # else a damaged one takes 32 GB
                raise OSError("no chunk of snappy")
            found.append(codec.decompress(chunk, size).to_pybytes())
            at, wanted = at + packed, wanted - size
    return b"".join(found)


def _number(raw: bytes, at: int) -> tuple[int, int]:
    if at + 4 > len(raw):
        raise EOFError("a block of snappy is cut off")
    return int.from_bytes(raw[at : at + 4], "big"), at + 4


def _size(chunk: bytes) -> int:
    """Seven bits a byte, the lowest first; the last byte has no eighth bit."""
    size = 0
    for place, byte in enumerate(chunk[:5]):
        size |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return size
    raise OSError("no chunk of snappy")
