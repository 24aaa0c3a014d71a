"""The checksums S3 keeps with an object: CRC32, CRC32C, CRC64NVME, SHA1, SHA256.

The standard library has no CRC32C and no CRC64NVME (the AWS CLI's default), so `LaneCrc` works
them out in numpy: many lanes of bytes at once, joined by the algebra of CRCs, at 100 MB/s or more.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Iterable
from functools import cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

ALGORITHMS = ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256")
_Words = NDArray[np.uint64]
_LANE = 256  # bytes a lane
_PIECE = 1 << 20  # bytes worked out at once
_SHORT = 2048  # below this a plain loop is quicker


class Digest(Protocol):
    """A running checksum, as hashlib has them."""

    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


class _Crc32:
    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = zlib.crc32(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(4, "big")


class _Algebra:
    """Table and 'append zero bytes' operators of one reflected CRC polynomial."""

    def __init__(self, polynomial: int) -> None:
        table = np.arange(256, dtype=np.uint64)
        for _ in range(8):
            odd = (table & np.uint64(1)).astype(bool)
            table = (table >> np.uint64(1)) ^ np.where(odd, np.uint64(polynomial), np.uint64(0))
        self.table: _Words = table
        self.integers = [int(value) for value in table]
        shifts = np.arange(8, dtype=np.uint64)[:, None] * np.uint64(8)
        basis = np.arange(256, dtype=np.uint64)[None, :] << shifts
        one = table[(basis & np.uint64(255)).astype(np.intp)] ^ (basis >> np.uint64(8))
        # Entry k appends 2**k zero bytes. All are made here: threads share them.
        self._doubled: list[_Words] = [one]
        while len(self._doubled) < _PIECE.bit_length():
            self._doubled.append(self._apply(self._doubled[-1], self._doubled[-1]))

    @staticmethod
    def _apply(operator: _Words, values: _Words) -> _Words:
        result = np.zeros_like(values)
        for position in range(8):
            byte = (values >> np.uint64(8 * position)) & np.uint64(255)
            result ^= operator[position][byte.astype(np.intp)]
        return result

    def append_zeros(self, values: _Words, count: int) -> _Words:
        """The CRC states after `count` (up to `_PIECE`) further zero bytes."""
        power = 0
        while count:
            if count & 1:
                values = self._apply(self._doubled[power], values)
            count >>= 1
            power += 1
        return values

    def of(self, data: bytes) -> int:
        """The CRC of `data` from state 0, without a final inversion."""
        if len(data) < _SHORT:
            state = 0
            for byte in data:
                state = self.integers[(state ^ byte) & 255] ^ (state >> 8)
            return state
        lanes = 1 << max(0, (len(data) + _LANE - 1) // _LANE - 1).bit_length()
        padded = np.zeros(lanes * _LANE, dtype=np.uint8)  # leading zeros do not change state 0
        padded[-len(data) :] = np.frombuffer(data, dtype=np.uint8)
        columns = np.ascontiguousarray(padded.reshape(lanes, _LANE).T).astype(np.uint64)
        states = np.zeros(lanes, dtype=np.uint64)
        for column in columns:
            index = ((states ^ column) & np.uint64(255)).astype(np.intp)
            states = self.table[index] ^ (states >> np.uint64(8))
        length = _LANE
        while len(states) > 1:
            states = self.append_zeros(states[0::2], length) ^ states[1::2]
            length *= 2
        return int(states[0])


@cache
def _algebra(polynomial: int) -> _Algebra:
    return _Algebra(polynomial)


class LaneCrc:
    """A running CRC of `width` bits with the reflected `polynomial`, start and end inverted."""

    def __init__(self, width: int, polynomial: int) -> None:
        self._width = width
        self._ones = (1 << width) - 1
        self._state = self._ones
        self._algebra = _algebra(polynomial)

    def update(self, data: bytes, /) -> None:
        view = memoryview(data)
        for start in range(0, len(view), _PIECE):
            piece = bytes(view[start : start + _PIECE])
            before = np.array([self._state], dtype=np.uint64)
            moved = int(self._algebra.append_zeros(before, len(piece))[0])
            self._state = moved ^ self._algebra.of(piece)

    def digest(self) -> bytes:
        return (self._state ^ self._ones).to_bytes(self._width // 8, "big")


def new(algorithm: str) -> Digest:
    """A fresh checksum of one of ALGORITHMS."""
    match algorithm:
        case "CRC32":
            return _Crc32()
        case "CRC32C":
            return LaneCrc(32, 0x82F63B78)
        case "CRC64NVME":
            return LaneCrc(64, 0x9A6C9329AC4BC9B5)
        case "SHA1":
            return hashlib.sha1(usedforsecurity=False)
        case "SHA256":
            return hashlib.sha256()
    raise ValueError(f"{algorithm!r} is no S3 checksum; these are: {', '.join(ALGORITHMS)}.")


def text(digest: bytes) -> str:
    """A checksum as S3 writes it (base64)."""
    return base64.b64encode(digest).decode()


def composite(algorithm: str, parts: Iterable[str]) -> str:
    """The COMPOSITE checksum of a multipart upload: the checksum of the parts' checksums."""
    whole = new(algorithm)
    count = 0
    for part in parts:
        whole.update(base64.b64decode(part))
        count += 1
    return f"{text(whole.digest())}-{count}"
