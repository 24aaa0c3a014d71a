"""JSONata as Step Functions has it, with AWS's own functions; one evaluation at a time.

Imported both by the engine and by the processes that evaluate what may take long: it needs nothing
of localaws.
"""

from __future__ import annotations

import hashlib
import json
import random
import threading
import uuid
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from jsonata.jexception import JException
from jsonata.jsonata import Jsonata
from jsonata.utils import Utils

from localaws.shapes import Json

# AWS's words: docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
OUT_OF_TIME = "threw an error during evaluation: Expression evaluation timeout"
OUT_OF_MEMORY = (
    "threw an error during evaluation: Expression evaluation memory limit exceeded: Check for"
    " excessive memory usage"
)
MAX_MILLISECONDS, MAX_DEPTH = 5_000, 400  # of one evaluation
_one_at_a_time = threading.Lock()  # a compiled expression keeps its environment while it runs


class ExpressionSyntaxError(ValueError):
    """The text between {% and %} is no JSONata."""


class UnsupportedValueError(TypeError):
    """The value of an expression is no JSON: a function, say."""


class ExpressionFailedError(Exception):
    """An evaluation ended without a JSON value; the text goes behind `... for the field '...'`."""


@lru_cache(maxsize=1024)
def compiled(text: str) -> Any:
    try:
        made = Jsonata(text)
    except Exception as error:  # the library has several kinds
        raise ExpressionSyntaxError(f"{text!r} is no JSONata: {error}") from error
    made.set_output_convert_nulls(False)
    return made


def _range(first: float, last: float, step: float) -> list[float] | float:
    """A sequence, as JSONata has them: one number alone stands for itself."""
    if step == 0:
        raise ValueError("$range: the step must not be 0")
    count = int((last - first) / step) + 1 if (last - first) / step >= 0 else 0
    numbers = [first + number * step for number in range(count)]
    return numbers[0] if count == 1 else numbers


def _partition(items: list[Any], size: float) -> list[list[Any]]:
    width = int(size)
    if width < 1:
        raise ValueError("$partition: the chunk size must be above 0")
    return [list(items[start : start + width]) for start in range(0, len(items), width)]


def _hash(data: Any, algorithm: str) -> str:
    name = algorithm.replace("-", "").lower()
    if name not in ("md5", "sha1", "sha256", "sha384", "sha512"):
        raise ValueError(f"$hash: unknown algorithm {algorithm}")
    text = data if isinstance(data, str) else json.dumps(plain(data), separators=(",", ":"))
    return hashlib.new(name, text.encode()).hexdigest()


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "partition": _partition,
    "range": _range,
    "hash": _hash,
    "random": lambda *seed: (random.Random(seed[0]) if seed else random).random(),
    "uuid": lambda: str(uuid.uuid4()),
    "parse": lambda text: with_nulls(json.loads(text)),
}


def with_nulls(value: Any) -> Any:
    """The library's null in place of None, which it takes for undefined."""
    if value is None:
        return Utils.NULL_VALUE
    if isinstance(value, dict):
        return {key: with_nulls(item) for key, item in value.items()}
    if isinstance(value, list):
        return [with_nulls(item) for item in value]
    return value


def plain(value: Any) -> Any:
    """Plain JSON values. Raises UnsupportedValueError for what is none, such as a function."""
    if value is Utils.NULL_VALUE or value is None:
        return None
    if isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 2**53 else value
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | range):
        return [plain(item) for item in value]
    raise UnsupportedValueError


def evaluate(text: str, bindings: Json) -> Any:
    """The expression's value as plain JSON; `bindings` hold the library's nulls (`with_nulls`).

    Raises ExpressionFailedError.
    """
    try:
        with _one_at_a_time:
            program = compiled(text)
            frame = program.create_frame()
            frame.set_runtime_bounds(MAX_MILLISECONDS, MAX_DEPTH)
            for name, function in FUNCTIONS.items():
                frame.bind(name, Jsonata.JLambda(function))
            for name, value in bindings.items():
                frame.bind(name, value)
            value = program.evaluate(None, frame)
        if value is not None:
            return plain(value)
    except UnsupportedValueError as error:
        raise ExpressionFailedError("returned an unsupported result type.") from error
    except MemoryError as error:
        raise ExpressionFailedError(OUT_OF_MEMORY) from error
    except (Exception, RecursionError) as error:
        code = f"{error.get_error()}: " if isinstance(error, JException) else ""
        raise ExpressionFailedError(f"threw an error during evaluation. {code}{error}") from error
    raise ExpressionFailedError("returned nothing (undefined).")
