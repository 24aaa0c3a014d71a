"""What goes over the pipes between the server and a worker: JSON values, each after its length."""

from __future__ import annotations

import json
import struct
from datetime import datetime
from pathlib import Path
from typing import IO, Any

MOST_BYTES = 1 << 30


def write(stream: IO[bytes], value: Any) -> None:
    """Datetimes and paths among the values arrive as such and as texts."""
    body = json.dumps(value, default=_encoded, separators=(",", ":")).encode()
    stream.write(struct.pack(">I", len(body)) + body)
    stream.flush()


def read(stream: IO[bytes]) -> Any:
    """The next value. Raises EOFError when the other side is gone, in a frame or between two."""
    (size,) = struct.unpack(">I", _exactly(stream, 4))
    if size > MOST_BYTES:
        raise EOFError(f"a frame of {size} bytes")
    return json.loads(_exactly(stream, size), object_hook=_decoded)


def _exactly(stream: IO[bytes], size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data


def _encoded(value: object) -> object:
    if isinstance(value, datetime):
        return {"$time": value.isoformat()}
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"A frame holds JSON, datetimes and paths, not {type(value).__name__}.")


def _decoded(value: dict[str, Any]) -> object:
    if len(value) == 1 and "$time" in value:
        return datetime.fromisoformat(value["$time"])
    return value
