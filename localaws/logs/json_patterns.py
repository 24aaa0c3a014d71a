"""Filter patterns of messages that are JSON objects: `{ $.user.id = 1 && $.level != "INFO" }`.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html, "JSON log
events". A message that is no object matches none. What the page leaves open: a property that is not
there matches no comparison, `!=` neither.
"""

from __future__ import annotations

import json
import math
import operator
import re
from collections.abc import Callable, Iterator
from typing import Any

from localaws.errors import AwsError
from localaws.logs.errors import invalid
from localaws.logs.expressions import Matches, expression, unquoted
from localaws.wildcards import in_order

Test = Callable[[Any], bool]
TOKEN = re.compile(
    r"""\s*(?:
    (?P<selector>\$(?:\.?\[[^\]]*\]|\.[\w*-]+)+) | (?P<operator>!=|>=|<=|=|>|<) | (?P<and>&&) |
    (?P<or>\|\|) | (?P<open>\() | (?P<close>\)) | (?P<expression>%[^%]*%) |
    (?P<quoted>"(?:[^"\\]|\\.)*") | (?P<word>[^\s()=<>!&|"%]+) )""",
    re.VERBOSE,
)
STEP = re.compile(
    r"""\.?\[(?:['"](?P<quoted>[^'"]*)['"]|(?P<index>\d+|\*))\]|\.(?P<name>[\w*-]+)"""
)
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "=": operator.eq, "!=": operator.ne, ">": operator.gt, "<": operator.lt,
    ">=": operator.ge, "<=": operator.le,
}  # fmt: skip
CONSTANTS = {"NULL": None, "TRUE": True, "FALSE": False}
MOST_WILDCARDS = (1, 3)  # in a selector, in a pattern


def compiled(text: str) -> Matches:
    if not text.endswith("}"):
        raise _wrong(text, "it does not end with }")
    parser = _Parser(text)
    test = parser.either()
    parser.end()
    if text.count("[*]") + text.count(".*") > MOST_WILDCARDS[1]:
        raise _wrong(text, f"more than {MOST_WILDCARDS[1]} wildcard selectors")

    def matches(message: str) -> bool:
        try:
            document = json.loads(message)
        except ValueError:
            return False
        return isinstance(document, dict) and test(document)

    return matches


def _wrong(text: str, why: str) -> AwsError:
    return invalid(f"Invalid filter pattern: {text}: {why}")


class _Parser:
    """`()` before `&&` before `||`."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(self._read(text[1:-1]))
        self._place = 0

    def _read(self, inner: str) -> Iterator[tuple[str, str]]:
        place = 0
        while inner[place:].strip():
            found = TOKEN.match(inner, place)
            if found is None:
                raise _wrong(self._text, f"{inner[place:].strip()!r} cannot be read")
            kind = str(found.lastgroup)
            yield kind, found[kind]
            place = found.end()

    def either(self) -> Test:
        tests = [self._both()]
        while self._take("or"):
            tests.append(self._both())
        return lambda document: any(test(document) for test in tests)

    def _both(self) -> Test:
        tests = [self._one()]
        while self._take("and"):
            tests.append(self._one())
        return lambda document: all(test(document) for test in tests)

    def _one(self) -> Test:
        if self._take("open"):
            test = self.either()
            self._need("close")
            return test
        selector = _selector(self._need("selector"), self._text)
        word = self._take("word")
        if word == "IS":
            return _is(selector, self._constant())
        if word == "NOT" and self._need("word") == "EXISTS":
            return lambda document: not list(selector(document))
        sign = self._need("operator")
        test = _comparison(sign, self._value(), self._text)
        return lambda document: any(test(value) for value in selector(document))

    def _constant(self) -> Any:
        word = self._need("word")
        if word not in CONSTANTS:
            raise _wrong(self._text, f"IS {word}; it can be {', '.join(CONSTANTS)}")
        return CONSTANTS[word]

    def _value(self) -> tuple[str, str]:
        for kind in ("quoted", "expression", "word"):
            if (found := self._take(kind)) is not None:
                return kind, found
        raise _wrong(self._text, "a value is missing")

    def _take(self, kind: str) -> str | None:
        if self._place < len(self._tokens) and self._tokens[self._place][0] == kind:
            self._place += 1
            return self._tokens[self._place - 1][1]
        return None

    def _need(self, kind: str) -> str:
        found = self._take(kind)
        if found is None:
            raise _wrong(self._text, f"a part is missing ({kind})")
        return found

    def end(self) -> None:
        if self._place < len(self._tokens):
            raise _wrong(self._text, f"{self._tokens[self._place][1]!r} is one too many")


def _selector(written: str, pattern: str) -> Callable[[Any], Iterator[Any]]:
    """What finds a selector's values in a document: none, one, or with `*` several."""
    steps: list[str | int] = []
    for step in STEP.finditer(written):
        index = step["index"]
        name = step["quoted"] if step["quoted"] is not None else step["name"]
        steps.append(index if index == "*" else int(index) if index else name)
    if steps.count("*") > MOST_WILDCARDS[0]:
        raise _wrong(pattern, f"more than {MOST_WILDCARDS[0]} wildcard in {written}")

    def find(value: Any, depth: int = 0) -> Iterator[Any]:
        if depth == len(steps):
            yield value
            return
        for inner in _inside(value, steps[depth]):
            yield from find(inner, depth + 1)

    return find


def _inside(value: Any, step: str | int) -> list[Any]:
    if step == "*":
        return list(value.values()) if isinstance(value, dict) else list(_items(value))
    if isinstance(step, int):
        return list(_items(value))[step : step + 1]
    return [value[step]] if isinstance(value, dict) and step in value else []


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _is(selector: Callable[[Any], Iterator[Any]], constant: Any) -> Test:
    return lambda document: any(value is constant for value in selector(document))


def _comparison(sign: str, written: tuple[str, str], pattern: str) -> Test:
    kind, text = written
    number = _number(text) if kind == "word" else None
    if sign not in ("=", "!="):
        if number is None:
            raise _wrong(pattern, f"{sign} needs a number, not {text}")
        compare, bound = COMPARISONS[sign], number
        return lambda value: _is_number(value) and compare(value, bound)
    equal = _equals(kind, text, number)

    def test(value: Any) -> bool:
        # A selector that points to an array or object matches nothing.
        return not isinstance(value, dict | list | None) and equal(value) is (sign == "=")

    return test


def _equals(kind: str, text: str, number: float | None) -> Test:
    if kind == "expression":
        matches = expression(text[1:-1])
        return lambda value: isinstance(value, str) and matches(value)
    plain = unquoted(text[1:-1]) if kind == "quoted" else text
    pieces = plain.split("*")

    def equal(value: Any) -> bool:
        if _is_number(value) and number is not None:
            return bool(value == number)
        return in_order(value if isinstance(value, str) else json.dumps(value), pieces)

    return equal


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
