"""Thrift's binary protocol, as much as a metastore needs.

https://github.com/apache/thrift/blob/master/doc/specs/thrift-binary-protocol.md. A struct is a
dictionary by its fields' names; what is None or not there is not sent, unknown fields are skipped.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

VERSION = 0x80010000
CALL, REPLY, EXCEPTION = 1, 2, 3  # kinds of messages
UNKNOWN_METHOD, INTERNAL_ERROR = 1, 6  # of a TApplicationException
_STOP, _STRUCT, _MAP, _SET, _LIST = 0, 12, 13, 14, 15
_SCALARS = {  # name: its number on the wire, how struct packs it
    "bool": (2, ">?"),
    "byte": (3, ">b"),
    "double": (4, ">d"),
    "i16": (6, ">h"),
    "i32": (8, ">i"),
    "i64": (10, ">q"),
}
_STRING = 11
_PACKED = dict(_SCALARS.values())


@dataclass(frozen=True)
class Items:
    """A list of one kind."""

    of: Any


@dataclass(frozen=True)
class Texts:
    """A map of texts to texts."""


@dataclass(frozen=True)
class Field:
    """`kind`: a scalar's or a struct's name, Items, Texts."""

    number: int
    name: str
    kind: Any


Structs = Mapping[str, Sequence[Field]]


class Stream(Protocol):
    def read(self, size: int, /) -> bytes: ...


class Reader:
    def __init__(self, stream: Stream, structs: Structs) -> None:
        self._stream, self._structs = stream, structs

    def message(self) -> tuple[str, int]:
        """The method that is called, and the call's number. Raises EOFError when none comes."""
        version = self._number(">I")
        if version & 0xFFFF0000 != VERSION:
            raise ValueError(f"No Thrift message of the strict binary protocol: {version:#x}.")
        return self._text(), self._number(">i")

    def struct(self, fields: Sequence[Field]) -> dict[str, Any]:
        known = {field.number: field for field in fields}
        found = {}
        while (wire := self._number(">b")) != _STOP:
            field = known.get(self._number(">h"))
            value = self._value(wire, field.kind if field else None)
            if field is not None:
                found[field.name] = value
        return found

    def _value(self, wire: int, kind: Any) -> Any:
        """`kind` is None where nobody wants it."""
        if wire in _PACKED:
            return self._number(_PACKED[wire])
        if wire == _STRING:
            return self._bytes() if kind == "binary" else self._text()
        if wire == _STRUCT:
            return self.struct(self._structs.get(kind, ()) if isinstance(kind, str) else ())
        if wire in (_LIST, _SET):
            item, count = self._number(">b"), self._number(">i")
            of = kind.of if isinstance(kind, Items) else None
            return [self._value(item, of) for _ in range(count)]
        if wire == _MAP:
            key, item, count = self._number(">b"), self._number(">b"), self._number(">i")
            pairs = [(self._value(key, None), self._value(item, None)) for _ in range(count)]
            return dict(pairs) if isinstance(kind, Texts) else None
        raise ValueError(f"No type of Thrift: {wire}.")

    def _number(self, packing: str) -> Any:
        return struct.unpack(packing, self._exactly(struct.calcsize(packing)))[0]

    def _text(self) -> str:
        return self._bytes().decode("utf-8", "replace")

    def _bytes(self) -> bytes:
        return self._exactly(self._number(">i"))

    def _exactly(self, size: int) -> bytes:
        found = self._stream.read(size)
        if len(found) < size:
            raise EOFError
        return found


class Writer:
    """Collects a message, to be sent in one piece."""

    def __init__(self, structs: Structs) -> None:
        self._structs = structs
        self._parts: list[bytes] = []

    def sent(self) -> bytes:
        return b"".join(self._parts)

    def message(self, name: str, kind: int, number: int) -> None:
        self._pack(">I", VERSION | kind)
        self._text(name)
        self._pack(">i", number)

    def struct(self, fields: Sequence[Field], values: Mapping[str, Any]) -> None:
        for field in fields:
            value = values.get(field.name)
            if value is not None:
                self._pack(">b", _wire(field.kind))
                self._pack(">h", field.number)
                self._value(field.kind, value)
        self._pack(">b", _STOP)

    def _value(self, kind: Any, value: Any) -> None:
        if isinstance(kind, Items):
            self._pack(">b", _wire(kind.of))
            self._pack(">i", len(value))
            for item in value:
                self._value(kind.of, item)
        elif isinstance(kind, Texts):
            self._pack(">bb", _STRING, _STRING)
            self._pack(">i", len(value))
            for name, text in value.items():
                self._text(str(name))
                self._text(str(text))
        elif kind in _SCALARS:
            self._pack(_SCALARS[kind][1], value)
        elif kind in ("string", "binary"):
            self._text(value)
        else:
            self.struct(self._structs[kind], value)

    def _text(self, value: str | bytes) -> None:
        raw = value.encode() if isinstance(value, str) else value
        self._pack(">i", len(raw))
        self._parts.append(raw)

    def _pack(self, packing: str, *values: Any) -> None:
        self._parts.append(struct.pack(packing, *values))


def _wire(kind: Any) -> int:
    if isinstance(kind, Items):
        return _LIST
    if isinstance(kind, Texts):
        return _MAP
    if kind in ("string", "binary"):
        return _STRING
    return _SCALARS[kind][0] if kind in _SCALARS else _STRUCT
