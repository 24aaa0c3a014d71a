"""The process that evaluates what may take long; see `bounded`."""

from __future__ import annotations

import json
import re
import resource
import signal
import struct
import sys

from localaws.shapes import Json
from localaws.stepfunctions.jsonata_functions import (
    OUT_OF_MEMORY,
    ExpressionFailedError,
    evaluate,
    with_nulls,
)

MEMORY_BYTES = 1 << 30
MAX_ANSWER_BYTES = 4 << 20  # far above what a state may have as its output


def main() -> None:
    """Answers one request after the other until the other side closes."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    _write({"ready": True})
    while (request := _read()) is not None:
        # Whoever asked kills this process in time. Should they be gone, the clock ends it: an
        # alarm's default action needs nothing of Python.
        signal.setitimer(signal.ITIMER_REAL, 2 * request["seconds"])
        answer = _answer(request)
        signal.setitimer(signal.ITIMER_REAL, 0)
        _write(answer)


def _answer(request: Json) -> Json:
    try:
        if "pattern" in request:
            pattern = re.compile(request["pattern"], request["flags"])
            return {"value": pattern.fullmatch(request["text"]) is not None}
        bindings = {name: with_nulls(value) for name, value in request["bindings"].items()}
        return {"value": evaluate(request["expression"], bindings)}
    except ExpressionFailedError as error:
        return {"failure": str(error)}
    except MemoryError:
        return {"failure": OUT_OF_MEMORY}


def _write(answer: Json) -> None:
    data = json.dumps(answer).encode()
    if len(data) > MAX_ANSWER_BYTES:
        data = json.dumps({"failure": OUT_OF_MEMORY}).encode()
    sys.stdout.buffer.write(struct.pack(">I", len(data)) + data)
    sys.stdout.buffer.flush()


def _read() -> Json | None:
    head = sys.stdin.buffer.read(4)
    if len(head) < 4:
        return None
    request: Json = json.loads(sys.stdin.buffer.read(struct.unpack(">I", head)[0]))
    return request
