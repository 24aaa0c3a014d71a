"""Hashes of bytes: https://trino.io/docs/current/functions/binary.html#hashing-functions"""

from __future__ import annotations

import struct

import mmh3

from .registry import python

_MASK = (1 << 64) - 1
_P1, _P2, _P3, _P4, _P5 = (
    0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63,
    0x27D4EB2F165667C5,
)  # fmt: skip


@python("BLOB -> BLOB")
def murmur3(data: bytes) -> bytes:
    return mmh3.hash_bytes(data)


@python("BLOB -> BLOB")
def xxhash64(data: bytes) -> bytes:
    """https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md, with seed 0."""
    place, size = 0, len(data)
    if size >= 32:
        lanes = [_P1 + _P2 & _MASK, _P2, 0, -_P1 & _MASK]
        while place + 32 <= size:
            words = struct.unpack_from("<4Q", data, place)
            lanes = [_round(lane, word) for lane, word in zip(lanes, words, strict=True)]
            place += 32
        found = sum(_rotated(lane, by) for lane, by in zip(lanes, (1, 7, 12, 18), strict=True))
        for lane in lanes:
            found = ((found ^ _round(0, lane)) * _P1 + _P4) & _MASK
    else:
        found = _P5
    found = found + size & _MASK
    while place + 8 <= size:
        (word,) = struct.unpack_from("<Q", data, place)
        found = (_rotated(found ^ _round(0, word), 27) * _P1 + _P4) & _MASK
        place += 8
    if place + 4 <= size:
        (half,) = struct.unpack_from("<I", data, place)
        found = (_rotated(found ^ (half * _P1 & _MASK), 23) * _P2 + _P3) & _MASK
        place += 4
    for byte in data[place:]:
        found = _rotated(found ^ (byte * _P5 & _MASK), 11) * _P1 & _MASK
    found = (found ^ found >> 33) * _P2 & _MASK
    found = (found ^ found >> 29) * _P3 & _MASK
    return (found ^ found >> 32).to_bytes(8, "big")


@python("BIGINT -> UBIGINT")
def hash_of_integer(number: int) -> int:
    return int.from_bytes(xxhash64(struct.pack("<q", number)), "big")


@python("BLOB -> UBIGINT")
def hash_of_bytes(data: bytes) -> int:
    return int.from_bytes(xxhash64(data), "big")


@python("UBIGINT -> BLOB")
def checksum(total: int) -> bytes:
    """From the sum of the hashes, in which NULL is one: Trino's ChecksumAggregationFunction."""
    return (total * _P1 & _MASK).to_bytes(8, "little")


def _rotated(word: int, by: int) -> int:
    word &= _MASK
    return (word << by | word >> 64 - by) & _MASK


def _round(lane: int, word: int) -> int:
    return _rotated(lane + word * _P2, 31) * _P1 & _MASK
