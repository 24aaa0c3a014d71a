"""The 18 intrinsic functions: parsing calls, and applying them.

Reference: https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
import random
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from localaws.stepfunctions import paths
from localaws.stepfunctions.errors import INTRINSIC_FAILURE, StateError, runtime_error
from localaws.stepfunctions.json_text import read_json

MAX_NESTING = 10
MAX_TEXT = 10_000  # characters that Base64Encode, Base64Decode and Hash take
MAX_RANGE = 1_000  # items that ArrayRange makes
NAME = re.compile(r"States\.(\w+)\(")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?=\s*[,)])")
TEXT = re.compile(r"'((?:[^'\\]|\\['\\{}])*)'")  # there are no other escapes
WORD = re.compile(r"(null|true|false)(?=\s*[,)])")
CONSTANTS = {"null": None, "true": True, "false": False}


class IntrinsicSyntaxError(ValueError):
    """The text is no call of an intrinsic function."""


class IntrinsicError(ValueError):
    """A function refuses its arguments."""


@dataclass(frozen=True)
class Call:
    """A parsed call; `arguments` holds Calls, paths.Path, Text or Constant."""

    name: str
    arguments: tuple[Any, ...]
    text: str


@dataclass(frozen=True)
class Text:
    """A string literal. `raw` keeps the escapes, because Format reads `\\{` and `{}` itself."""

    raw: str

    @property
    def value(self) -> str:
        return re.sub(r"\\(.)", r"\1", self.raw)


@dataclass(frozen=True)
class Constant:
    value: Any


def is_call(text: str) -> bool:
    return text.startswith("States.")


@lru_cache(maxsize=2048)
def parse(text: str) -> Call:
    """Raises IntrinsicSyntaxError saying what is wrong and where."""
    call, end = _call(text, 0, 1)
    if text[end:].strip():
        raise IntrinsicSyntaxError(f"Unexpected {text[end:].strip()!r} behind {call.text!r}")
    return call


def _call(text: str, start: int, depth: int) -> tuple[Call, int]:
    name = NAME.match(text, start)
    if name is None or name[1] not in FUNCTIONS:
        given = name[0] + ")" if name else text[start:]
        raise IntrinsicSyntaxError(
            f"{given!r} is no intrinsic function; there are {', '.join(sorted(FUNCTIONS))}."
        )
    if depth > MAX_NESTING:
        raise IntrinsicSyntaxError(f"More than {MAX_NESTING} nested functions in {text!r}")
    arguments: list[Any] = []
    position = _blank(text, name.end())
    if text[position : position + 1] == ")":
        return Call(name[1], (), text[start : position + 1]), position + 1
    while True:
        argument, position = _argument(text, _blank(text, position), depth)
        arguments.append(argument)
        position = _blank(text, position)
        mark = text[position : position + 1]
        if mark == ")":
            return Call(name[1], tuple(arguments), text[start : position + 1]), position + 1
        if mark != ",":
            raise IntrinsicSyntaxError(f"A comma or ) is missing at {position} in {text!r}")
        position += 1


def _argument(text: str, start: int, depth: int) -> tuple[Any, int]:
    if text.startswith("States.", start):
        return _call(text, start, depth + 1)
    if text.startswith("$", start):
        end = _path_end(text, start)
        try:
            return paths.parse(text[start:end].strip()), end
        except paths.PathSyntaxError as error:
            raise IntrinsicSyntaxError(str(error)) from error
    for form in (TEXT, NUMBER, WORD):
        match = form.match(text, start)
        if match is None:
            continue
        if form is TEXT:
            return Text(match[1]), match.end()
        value = json.loads(match[0]) if form is NUMBER else CONSTANTS[match[0]]
        return Constant(value), match.end()
    raise IntrinsicSyntaxError(
        f"At {start} in {text!r} a path, a call, a number, null or a text in single quotes is due"
    )


def _path_end(text: str, start: int) -> int:
    """Where a path argument ends: the comma or parenthesis outside its brackets and quotes."""
    depth = 0
    position = start
    while position < len(text):
        character = text[position]
        if character in "'\"" and depth:
            quoted = paths.QUOTED.match(text, position)
            position = quoted.end() if quoted else len(text)
            continue
        if character in "[(":
            depth += 1
        elif character in ")]":
            if depth == 0:
                return position
            depth -= 1
        elif character == "," and depth == 0:
            return position
        position += 1
    return position


def _blank(text: str, position: int) -> int:
    while text[position : position + 1].isspace():
        position += 1
    return position


def evaluate(call: Call, roots: paths.Roots) -> Any:
    """The call's value. Raises StateError: States.Runtime for a path that leads nowhere,
    States.IntrinsicFailure for arguments the function refuses."""
    arguments = [_value(call, argument, roots) for argument in call.arguments]
    try:
        return FUNCTIONS[call.name](*arguments)
    except IntrinsicError as error:
        message = str(error)
    except TypeError:
        message = f"Invalid number of arguments: {len(arguments)}"
    except (ValueError, OverflowError) as error:
        message = str(error)
    raise StateError(
        INTRINSIC_FAILURE, f"The function '{call.text}' had the following error: {message}"
    )


def _value(call: Call, argument: Any, roots: paths.Roots) -> Any:
    if isinstance(argument, Call):
        return evaluate(argument, roots)
    if isinstance(argument, Text):
        return argument.raw if call.name == "Format" else argument.value
    if isinstance(argument, Constant):
        return argument.value
    try:
        value = paths.evaluate(argument, roots)
    except paths.PathNotFoundError as error:
        raise runtime_error(
            f"The function '{call.text}' had the following error: The JsonPath argument for the"
            f" field '{argument.text}' could not be found in the input"
            f" '{to_json(roots.get(argument.root))}'"
        ) from error
    if call.name == "Format" and argument is call.arguments[0] and isinstance(value, str):
        return value.replace("\\", "\\\\")
    return value


def to_json(value: Any) -> str:
    """Compact JSON text, characters as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _list(value: Any, what: str = "array") -> list[Any]:
    if not isinstance(value, list):
        raise IntrinsicError(f"The {what} must be an array, not {paths.json_kind(value)}")
    return value


def _text(value: Any, what: str = "argument") -> str:
    if not isinstance(value, str):
        raise IntrinsicError(f"The {what} must be a string, not {paths.json_kind(value)}")
    return value


def _integer(value: Any, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise IntrinsicError(f"The {what} must be an integer, not {paths.json_kind(value)}")
    return math.floor(value + 0.5)  # halves go up, as in Java


def _short(text: str) -> str:
    if len(text) > MAX_TEXT:
        raise IntrinsicError(f"The text has {len(text)} characters; at most {MAX_TEXT} are taken")
    return text


def _identity(value: Any) -> str:
    """Equal texts for equal JSON values; true is not 1."""
    return json.dumps(value, sort_keys=True)


def _array(*values: Any) -> list[Any]:
    return list(values)


def _array_partition(array: Any, size: Any) -> list[Any]:
    items, width = _list(array), _integer(size, "chunk size")
    if width < 1:
        raise IntrinsicError(f"The chunk size must be above 0, not {width}")
    return [items[start : start + width] for start in range(0, len(items), width)]


def _array_contains(array: Any, value: Any) -> bool:
    return _identity(value) in {_identity(item) for item in _list(array)}


def _array_range(first: Any, last: Any, step: Any) -> list[int]:
    start, end, by = _integer(first, "start"), _integer(last, "end"), _integer(step, "step")
    if by == 0:
        raise IntrinsicError("The step must not be 0")
    values = range(start, end + (1 if by > 0 else -1), by)
    if len(values) > MAX_RANGE:
        raise IntrinsicError(f"The range has {len(values)} items; at most {MAX_RANGE} are made")
    return list(values)


def _array_get_item(array: Any, index: Any) -> Any:
    items, position = _list(array), _integer(index, "index")
    if not 0 <= position < len(items):
        raise IntrinsicError(f"Index {position} is out of bounds for {len(items)} items")
    return items[position]


def _array_length(array: Any) -> int:
    return len(_list(array))


def _array_unique(array: Any) -> list[Any]:
    first: dict[str, Any] = {}
    for item in _list(array):
        first.setdefault(_identity(item), item)
    return list(first.values())


def _base64_encode(text: Any) -> str:
    return base64.b64encode(_short(_text(text)).encode()).decode()


def _base64_decode(text: Any) -> str:
    try:
        return base64.b64decode(_short(_text(text)), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise IntrinsicError(f"The text is no base64 of UTF-8 text: {error}") from error


def _hash(data: Any, algorithm: Any) -> str:
    names = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256"}
    names |= {"SHA-384": "sha384", "SHA-512": "sha512"}
    if algorithm not in names:
        raise IntrinsicError(f"The algorithm must be one of {', '.join(names)}, not {algorithm}")
    text = data if isinstance(data, str) else to_json(data)
    return hashlib.new(names[algorithm], _short(text).encode()).hexdigest()


def _json_merge(one: Any, other: Any, deep: Any) -> dict[str, Any]:
    if not isinstance(one, dict) or not isinstance(other, dict):
        raise IntrinsicError("Both values must be objects")
    if deep is not False:
        raise IntrinsicError("Only shallow merging is supported: the third argument must be false")
    return {**one, **other}


def _string_to_json(text: Any) -> Any:
    if not _text(text).strip():
        return None
    try:
        return read_json(text)
    except ValueError as error:
        raise IntrinsicError(f"Invalid JSON: {error}") from error


def _json_to_string(value: Any) -> str:
    return to_json(value)


def _math_random(start: Any, end: Any, *seed: Any) -> int:
    if len(seed) > 1:
        raise IntrinsicError(f"Invalid number of arguments: {2 + len(seed)}")
    low, high = _integer(start, "start"), _integer(end, "end")
    if low >= high:
        raise IntrinsicError(f"The start {low} must be below the end {high}")
    source = random.Random(_integer(seed[0], "seed")) if seed else random
    return source.randrange(low, high)


def _math_add(one: Any, other: Any) -> int:
    total = _integer(one, "first number") + _integer(other, "second number")
    if not -(2**31) <= total < 2**31:
        raise IntrinsicError(f"{total} is out of range (-2147483648 to 2147483647)")
    return total


def _string_split(text: Any, delimiters: Any) -> list[str]:
    marks = _text(delimiters, "delimiter")
    if not marks:
        return [_text(text)]
    return [part for part in re.split(f"[{re.escape(marks)}]", _text(text)) if part]


def _format(template: Any, *values: Any) -> str:
    """`template` with its escapes: each `{}` takes a value, `\\{` and `\\}` are braces."""
    parts = re.split(r"(\\.|\{\})", _text(template, "template"))
    holes = parts.count("{}")
    if holes != len(values):
        raise IntrinsicError(f"The template has {holes} {{}}, there are {len(values)} arguments")
    remaining = iter(values)
    written = []
    for part in parts:
        if part == "{}":
            value = next(remaining)
            written.append(_java_text(value))
        elif part.startswith("\\"):
            written.append(part[1:])
        elif "{" in part or "}" in part:
            raise IntrinsicError(f"A brace in {template!r} must be escaped: \\{{ or \\}}")
        else:
            written.append(part)
    return "".join(written)


def _java_text(value: Any) -> str:
    """A value as Java writes it: `{k=v, other=[1, 2]}`; a number, true or null as in JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={_java_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_java_text, value)) + "]"
    return to_json(value)


def _uuid() -> str:
    return str(uuid.uuid4())


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "Array": _array,
    "ArrayPartition": _array_partition,
    "ArrayContains": _array_contains,
    "ArrayRange": _array_range,
    "ArrayGetItem": _array_get_item,
    "ArrayLength": _array_length,
    "ArrayUnique": _array_unique,
    "Base64Encode": _base64_encode,
    "Base64Decode": _base64_decode,
    "Hash": _hash,
    "JsonMerge": _json_merge,
    "StringToJson": _string_to_json,
    "JsonToString": _json_to_string,
    "MathRandom": _math_random,
    "MathAdd": _math_add,
    "StringSplit": _string_split,
    "Format": _format,
    "UUID": _uuid,
}
