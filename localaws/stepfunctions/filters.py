"""JSONPath filters, `[?(@.price < 10 && @.name =~ /a.*/i)]`, as Jayway has them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from localaws.stepfunctions import bounded

Predicate = Callable[[Any, Any], bool]  # (item, document) -> kept?
Operand = Callable[[Any, Any], Any]

TOKEN = re.compile(
    r"\s*(?:(?P<path>[@$](?:\.\.?[\w\-*]+|\[[^\]]*\])*)|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
    r"|(?P<string>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")|(?P<regex>/(?:[^/\\]|\\.)*/[ims]*)"
    r"|(?P<operator>===|!==|==|!=|<=|>=|<|>|=~|&&|\|\||!)"
    r"|(?P<word>[A-Za-z]+)|(?P<list>\[[^\]]*\])|(?P<mark>[()]))"
)
MISSING = object()


class FilterSyntaxError(ValueError):
    """The filter is not one this dialect has."""


def parse_filter(text: str, path_operand: Callable[[str], Operand]) -> Predicate:
    """The predicate of a filter, without its `?( )`. `path_operand` gives the reader of a path
    that begins with @ or $; the reader gives MISSING where the path leads nowhere."""
    tokens: list[tuple[str, str]] = []
    position = 0
    while text[position:].strip():
        match = TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise FilterSyntaxError(
                f"Unexpected {text[position:].strip()[:10]!r} in filter {text!r}"
            )
        tokens.append((match.lastgroup, match[match.lastgroup]))
        position = match.end()
    reader = _Reader(tokens, text, path_operand)
    predicate = reader.either()
    if reader.rest():
        raise FilterSyntaxError(f"Unexpected {reader.rest()[0][1]!r} in filter {text!r}")
    return predicate


class _Reader:
    """Recursive descent: either > both > single > comparison."""

    def __init__(
        self, tokens: list[tuple[str, str]], text: str, path_operand: Callable[[str], Operand]
    ) -> None:
        self._tokens = tokens
        self._path_operand = path_operand
        self._position = 0
        self._text = text

    def rest(self) -> list[tuple[str, str]]:
        return self._tokens[self._position :]

    def _take(self, *values: str) -> bool:
        if self.rest() and self.rest()[0][1] in values and self.rest()[0][0] != "string":
            self._position += 1
            return True
        return False

    def either(self) -> Predicate:
        sides = [self._both()]
        while self._take("||"):
            sides.append(self._both())
        return sides[0] if len(sides) == 1 else lambda i, d: any(side(i, d) for side in sides)

    def _both(self) -> Predicate:
        sides = [self._single()]
        while self._take("&&"):
            sides.append(self._single())
        return sides[0] if len(sides) == 1 else lambda i, d: all(side(i, d) for side in sides)

    def _single(self) -> Predicate:
        if self._take("!"):
            inner = self._single()
            return lambda i, d: not inner(i, d)
        if self._take("("):
            inner = self.either()
            if not self._take(")"):
                raise FilterSyntaxError(f"A ) is missing in filter {self._text!r}")
            return inner
        return self._comparison()

    def _comparison(self) -> Predicate:
        left = self._operand()
        if not self.rest() or self.rest()[0][1] not in OPERATORS:
            return lambda i, d: left(i, d) is not MISSING
        name = self.rest()[0][1]
        self._position += 1
        right = self._operand()
        operator = OPERATORS[name]

        def compare(item: Any, document: Any) -> bool:
            one, other = left(item, document), right(item, document)
            try:
                return bool(operator(one, other))
            except TypeError:
                return False

        return compare

    def _operand(self) -> Operand:
        if not self.rest():
            raise FilterSyntaxError(f"Filter {self._text!r} ends too early")
        kind, text = self.rest()[0]
        self._position += 1
        if kind == "path":
            return self._path_operand(text)
        value = self._literal(kind, text)
        return lambda _i, _d: value

    def _literal(self, kind: str, text: str) -> Any:
        if kind == "number":
            return json.loads(text)
        if kind == "string":
            return re.sub(r"\\(.)", r"\1", text[1:-1])
        if kind == "regex":
            body, _, flags = text[1:].rpartition("/")
            bits = sum(getattr(re, flag.upper()) for flag in set(flags))
            try:
                return re.compile(body, bits)
            except re.error as error:
                raise FilterSyntaxError(f"{text} is no pattern ({error})") from error
        if kind == "list":
            try:
                return json.loads(text.replace("'", '"'))
            except ValueError as error:
                raise FilterSyntaxError(f"{text} is no list") from error
        words: dict[str, Any] = {"true": True, "false": False, "null": None}
        if text in words:
            return words[text]
        raise FilterSyntaxError(f"Unexpected {text!r} in filter {self._text!r}")


def _same(one: Any, other: Any) -> bool:
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def _ordered(one: Any, other: Any) -> bool:
    """Only two numbers or two strings have an order."""
    if isinstance(one, bool) or isinstance(other, bool):
        return False
    numbers = isinstance(one, int | float) and isinstance(other, int | float)
    return numbers or (isinstance(one, str) and isinstance(other, str))


OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "==": _same,
    "===": _same,
    "!=": lambda a, b: not _same(a, b),
    "!==": lambda a, b: not _same(a, b),
    "<": lambda a, b: _ordered(a, b) and a < b,
    "<=": lambda a, b: _ordered(a, b) and a <= b,
    ">": lambda a, b: _ordered(a, b) and a > b,
    ">=": lambda a, b: _ordered(a, b) and a >= b,
    "=~": lambda a, b: isinstance(a, str) and bounded.fullmatch(b, a),
    "in": lambda a, b: any(_same(a, item) for item in b),
    "nin": lambda a, b: not any(_same(a, item) for item in b),
    "contains": lambda a, b: b in a,
    "subsetof": lambda a, b: all(item in b for item in a),
    "anyof": lambda a, b: any(item in b for item in a),
    "noneof": lambda a, b: not any(item in b for item in a),
    "size": lambda a, b: a is not MISSING and len(a) == b,
    "empty": lambda a, b: a is not MISSING and (len(a) == 0) == b,
}
