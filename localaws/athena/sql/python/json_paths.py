"""The path language of SQL/JSON: `lax $.a[*] ? (@.b > 1).c`.

Items are Python's: None, bool, int, float, Decimal, str, list and dict.
https://trino.io/docs/current/functions/json.html#json-path-language
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from localaws.trino.errors import Fault

from .json_items import (
    COMPARED,
    METHODS,
    Items,
    arithmetic,
    below,
    checked,
    failed,
    index,
    members,
    number,
    starts,
    wrong_type,
)

Step = Callable[["Place", Items], Items]
Test = Callable[["Place"], "bool | None"]
_TOKEN = re.compile(
    r"""\s*(?:\$(?P<given>[A-Za-z_]\w*|"(?:[^"]|"")*")|(?P<number>(?:\d+\.?\d*|\.\d+)[eE][+-]?\d+|\d+\.\d*|\.\d+|\d+)
    |"(?P<text>(?:[^"]|"")*)"|(?P<name>[A-Za-z_]\w*)
    |(?P<mark>==|!=|<>|<=|>=|&&|\|\||\.\.|[$@.,*+\-/%?()\[\]<>=!])|(?P<end>$)|(?P<other>.))""",
    re.VERBOSE | re.DOTALL,
)
_METHODS = ("double", "ceiling", "floor", "abs", "keyvalue", "type", "size")


class PathMistake(ValueError):
    """A text that is no path."""


@dataclass(frozen=True)
class Place:
    """What `$`, `@`, `last` and `$name` stand for where an expression is evaluated."""

    root: Items
    given: dict[str, Items]
    item: Any = None
    last: int | None = None


@dataclass(frozen=True)
class Path:
    names: frozenset[str]  # the parameters that it asks for
    evaluate: Callable[[Place], Items]


@lru_cache(maxsize=512)
def path(written: str) -> Path:
    """Raises PathMistake."""
    return _Reader(written).path()


class _Reader:
    """Reads a path from left to right into functions that evaluate it."""

    def __init__(self, written: str) -> None:
        self.tokens = list(_tokens(written))
        self.at = 0
        self.lax = True
        self.names: set[str] = set()

    def path(self) -> Path:
        kind, mode = self.tokens[0]
        if kind != "name" or mode not in ("lax", "strict"):
            raise PathMistake(f"mismatched input '{mode or '<EOF>'}' expecting {{'lax', 'strict'}}")
        self.at, self.lax = 1, mode == "lax"
        found = self.sum()
        self.expect("end", "")
        return Path(frozenset(self.names), found)

    def peek(self, *marks: str) -> bool:
        return self.tokens[self.at][0] == "mark" and self.tokens[self.at][1] in marks

    def word(self, *words: str) -> bool:
        return self.tokens[self.at][0] == "name" and self.tokens[self.at][1] in words

    def take(self) -> tuple[str, str]:
        self.at += 1
        return self.tokens[self.at - 1]

    def expect(self, kind: str, value: str) -> None:
        if self.take() != (kind, value):
            raise PathMistake(f"mismatched input '{self.tokens[self.at - 1][1] or '<EOF>'}'")

    # arithmetic

    def sum(self) -> Callable[[Place], Items]:
        found = self.product()
        while self.peek("+", "-"):
            found = self._binary(self.take()[1], found, self.product())
        return found

    def product(self) -> Callable[[Place], Items]:
        found = self.signed()
        while self.peek("*", "/", "%"):
            found = self._binary(self.take()[1], found, self.signed())
        return found

    def _binary(self, sign: str, left: Any, right: Any) -> Callable[[Place], Items]:
        def evaluate(place: Place) -> Items:
            sides = [self._unwrapped(side(place)) for side in (left, right)]
            if any(len(side) != 1 for side in sides):
                raise failed("arithmetic binary operation requires singleton operands")
            return [arithmetic(sign, number(sides[0][0]), number(sides[1][0]))]

        return evaluate

    def signed(self) -> Callable[[Place], Items]:
        if not self.peek("+", "-"):
            return self.accessor()
        minus, inner = self.take()[1] == "-", self.signed()

        def evaluate(place: Place) -> Items:
            found = [number(item) for item in self._unwrapped(inner(place))]
            return [checked(-item) if minus else item for item in found]

        return evaluate

    # accessors

    def accessor(self) -> Callable[[Place], Items]:
        found = self.primary()
        while (step := self.step()) is not None:
            found = _then(found, step)
        return found

    def primary(self) -> Callable[[Place], Items]:
        kind, value = self.take()
        if kind == "number":
            constant = _literal(value)
            return lambda place: [constant]
        if kind == "text":
            return lambda place: [value]
        if (kind, value) == ("mark", "$"):
            return lambda place: place.root
        if kind == "given":
            self.names.add(value)
            return lambda place: place.given[value]
        if (kind, value) == ("mark", "@"):
            return lambda place: [place.item]
        if (kind, value) == ("mark", "("):
            inner = self.sum()
            self.expect("mark", ")")
            return inner
        if kind == "name" and value in ("true", "false", "null"):
            word = {"true": True, "false": False, "null": None}[value]
            return lambda place: [word]
        if (kind, value) == ("name", "last"):
            return _last
        raise PathMistake(f"mismatched input '{value or '<EOF>'}'")

    def step(self) -> Step | None:
        if self.peek("["):
            self.take()
            return self.subscripts()
        if self.peek("?"):
            self.take()
            self.expect("mark", "(")
            test = self.disjunction()
            self.expect("mark", ")")
            return self._filter(test)
        if self.peek(".."):
            self.take()
            key = self.key()
            return lambda place, items: [found for item in items for found in below(item, key)]
        if not self.peek("."):
            return None
        self.take()
        if self.peek("*"):
            self.take()
            return self._wild
        key = self.key()
        if self.peek("(") and key in _METHODS:
            self.take()
            self.expect("mark", ")")
            return self._method(key)
        return lambda place, items: self._member(items, key)

    def key(self) -> str:
        kind, value = self.take()
        if kind not in ("name", "text"):
            raise PathMistake(f"mismatched input '{value or '<EOF>'}'")
        return value

    def _unwrapped(self, items: Items) -> Items:
        """In lax mode an array stands for its items."""
        if not self.lax:
            return items
        return [x for item in items for x in (item if isinstance(item, list) else [item])]

    def _member(self, items: Items, key: str) -> Items:
        found = []
        for item in self._unwrapped(items):
            if isinstance(item, dict):
                if key in item:
                    found.append(item[key])
                elif not self.lax:
                    raise failed(f"structural error: missing member '{key}' in JSON object")
            elif not self.lax:
                raise wrong_type("OBJECT", item)
        return found

    def _wild(self, place: Place, items: Items) -> Items:
        found: Items = []
        for item in self._unwrapped(items):
            if isinstance(item, dict):
                found += item.values()
            elif not self.lax:
                raise wrong_type("OBJECT", item)
        return found

    def subscripts(self) -> Step:
        if self.peek("*"):
            self.take()
            self.expect("mark", "]")
            return self._all_items
        ranges = [self._range()]
        while self.peek(","):
            self.take()
            ranges.append(self._range())
        self.expect("mark", "]")

        def step(place: Place, items: Items) -> Items:
            return [found for item in items for found in self._subscripted(place, item, ranges)]

        return step

    def _range(self) -> tuple[Any, Any]:
        first = self.sum()
        if self.word("to"):
            self.take()
            return first, self.sum()
        return first, None

    def _all_items(self, place: Place, items: Items) -> Items:
        if not self.lax and (wrong := [i for i in items if not isinstance(i, list)]):
            raise wrong_type("ARRAY", wrong[0])
        return self._unwrapped(items) if self.lax else [x for item in items for x in item]

    def _subscripted(self, place: Place, item: Any, ranges: list[tuple[Any, Any]]) -> Items:
        if not isinstance(item, list):
            if not self.lax:
                raise wrong_type("ARRAY", item)
            item = [item]
        inside = Place(place.root, place.given, place.item, len(item) - 1)
        found: Items = []
        for first, last in ranges:
            low = index(first(inside), "from")
            high = low if last is None else index(last(inside), "to")
            if not self.lax:
                if not item:
                    raise failed("structural error: invalid array subscript for empty array")
                if low < 0 or high >= len(item) or low > high:
                    raise failed(
                        f"structural error: invalid array subscript: [{low}, {high}] for array "
                        f"of size {len(item)}"
                    )
            found += item[max(0, low) : max(0, high + 1)] if low <= high else []
        return found

    def _filter(self, test: Test) -> Step:
        def step(place: Place, items: Items) -> Items:
            return [
                item
                for item in self._unwrapped(items)
                if test(Place(place.root, place.given, item, place.last)) is True
            ]

        return step

    def _method(self, name: str) -> Step:
        def step(place: Place, items: Items) -> Items:
            if name not in ("type", "size"):
                items = self._unwrapped(items)
            if name == "size":
                if not self.lax and (wrong := [i for i in items if not isinstance(i, list)]):
                    raise wrong_type("ARRAY", wrong[0])
                return [len(item) if isinstance(item, list) else 1 for item in items]
            if name == "keyvalue":
                return [
                    {"name": key, "value": value, "id": place_}
                    for place_, item in enumerate(items)
                    for key, value in members(item).items()
                ]
            return [METHODS[name](item) for item in items]

        return step

    # predicates

    def disjunction(self) -> Test:
        sides = [self.conjunction()]
        while self.peek("||"):
            self.take()
            sides.append(self.conjunction())
        return _any(sides) if len(sides) > 1 else sides[0]

    def conjunction(self) -> Test:
        sides = [self.predicate()]
        while self.peek("&&"):
            self.take()
            sides.append(self.predicate())
        if len(sides) == 1:
            return sides[0]
        return _not(_any([_not(side) for side in sides]))

    def predicate(self) -> Test:
        if self.peek("!"):
            self.take()
            return _not(self.predicate())
        if self.word("exists"):
            self.take()
            self.expect("mark", "(")
            inner = self.sum()
            self.expect("mark", ")")
            return _exists(inner)
        if self.peek("("):  # of a predicate or of an expression
            start = self.at
            self.take()
            try:
                test = self.disjunction()
                self.expect("mark", ")")
            except PathMistake:
                self.at = start
            else:
                if not self.word("is"):
                    return test
                self.take()
                self.expect("name", "unknown")
                return lambda place: test(place) is None
        return self.comparison()

    def comparison(self) -> Test:
        left = self.sum()
        if self.word("starts"):
            self.take()
            self.expect("name", "with")
            return self._compared(left, self.sum(), starts)
        if self.word("like_regex"):
            raise Fault("NOT_SUPPORTED: like_regex predicate is not supported in JSON path")
        kind, sign = self.take()
        if kind != "mark" or sign not in COMPARED:
            raise PathMistake(f"mismatched input '{sign or '<EOF>'}'")
        return self._compared(left, self.sum(), COMPARED[sign])

    def _compared(self, left: Any, right: Any, compare: Callable[[Any, Any], Any]) -> Test:
        """True if it holds for a pair of items; unknown if a pair cannot be compared (in strict
        mode whatever the others say)."""

        def test(place: Place) -> bool | None:
            try:
                sides = [self._unwrapped(side(place)) for side in (left, right)]
            except Fault:
                return None
            results = [compare(a, b) for a in sides[0] for b in sides[1]]
            if None in results and not (self.lax and True in results[: results.index(None)]):
                return None
            return True in results

        return test


def _tokens(written: str) -> Iterator[tuple[str, str]]:
    place = 0
    while True:
        found = _TOKEN.match(written, place)
        assert found is not None and found.lastgroup is not None
        kind, value = found.lastgroup, found[found.lastgroup]
        if kind == "other":
            raise PathMistake(f"mismatched input '{value}'")
        if kind == "given" and value[0] == '"':
            value = value[1:-1].replace('""', '"')
        yield kind, value.replace('""', '"') if kind == "text" else value
        if kind == "end":
            return
        place = found.end()


def _literal(written: str) -> int | float | Decimal:
    if written.isdigit():
        return int(written)
    return float(written) if "e" in written.lower() else Decimal(written)


def _then(before: Callable[[Place], Items], step: Step) -> Callable[[Place], Items]:
    return lambda place: step(place, before(place))


def _last(place: Place) -> Items:
    if place.last is None:
        raise failed("accessing the last array index with no enclosing array")
    return [place.last]


def _not(test: Test) -> Test:
    def negated(place: Place) -> bool | None:
        result = test(place)
        return None if result is None else not result

    return negated


def _any(tests: list[Test]) -> Test:
    def test(place: Place) -> bool | None:
        results = [one(place) for one in tests]
        return True if True in results else None if None in results else False

    return test


def _exists(inner: Callable[[Place], Items]) -> Test:
    def test(place: Place) -> bool | None:
        try:
            return bool(inner(place))
        except Fault:
            return None

    return test
