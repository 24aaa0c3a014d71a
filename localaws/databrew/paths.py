"""Dynamic datasets: keys with patterns and parameters, filters over them, limits of files.

https://docs.aws.amazon.com/databrew/latest/dg/datasets.multiple-files.html: `<...>` in a key is a
regular expression, `{name}` a parameter, whose text a filter may look at and a column may show.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from localaws.expressions import BadExpression, Expression
from localaws.shapes import Json, ObjectFile

MARKS = "<>{}"
_PART = re.compile(r"<((?:[^<>]|\(\?<?[=!][^<>]*)*)>|\{([^{}]+)\}")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_JAVA = {
    "yyyy": ("%Y", r"\d{4}"),
    "yy": ("%y", r"\d{2}"),
    "MMMM": ("%B", "[A-Za-z]+"),
    "MMM": ("%b", "[A-Za-z]{3}"),
    "MM": ("%m", r"\d{2}"),
    "M": ("%m", r"\d{1,2}"),
    "dd": ("%d", r"\d{2}"),
    "d": ("%d", r"\d{1,2}"),
    "HH": ("%H", r"\d{2}"),
    "mm": ("%M", r"\d{2}"),
    "ss": ("%S", r"\d{2}"),
}
Value = str | float | datetime
Test = Callable[[Value], bool]


class PathError(Exception):
    """The key, a filter or a format cannot be read; the message says which."""


@dataclass(frozen=True)
class Match:
    """An object that the path means, and the texts of the parameters that become columns."""

    item: ObjectFile
    columns: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Path:
    """A key with its parameters and conditions, compiled."""

    prefix: str  # what every key begins with
    pattern: Expression | None  # None: a plain key, of an object or a folder
    names: tuple[str, ...]  # of the parameters, in the groups' order
    options: Json

    def select(self, items: Sequence[ObjectFile], now: datetime) -> list[Match]:
        """The objects, in the order of their keys, or of their dates where files are limited.

        Raises BadExpression where one takes too long.
        """
        parameters = self.options.get("Parameters", {})
        tests = {name: _filter(parameters.get(name, {}), now) for name in self.names}
        changed = _condition(self.options.get("LastModifiedDateCondition"), "Datetime", now)
        found = []
        for item in items:
            groups = () if self.pattern is None else self.pattern.fullmatch(item.key)
            if groups is None or not changed(item.last_modified):
                continue
            texts = dict(zip(self.names, groups, strict=True))
            values = {name: _value(parameters.get(name, {}), text) for name, text in texts.items()}
            if any(value is None or not tests[name](value) for name, value in values.items()):
                continue
            shown = [name for name in self.names if parameters.get(name, {}).get("CreateColumn")]
            found.append(Match(item, tuple((name, texts[name]) for name in shown)))
        limit = self.options.get("FilesLimit")
        if limit is None:
            return found
        newest = limit.get("Order", "DESCENDING") == "DESCENDING"
        found.sort(key=lambda each: each.item.last_modified, reverse=newest)
        return found[: limit["MaxFiles"]]


def compiled(key: str, options: Json) -> Path:
    """Raises PathError."""
    parameters = options.get("Parameters", {})
    written, names, place = "", [], 0
    for part in _PART.finditer(key):
        written += re.escape(key[place : part.start()])
        if part[1] is not None:
            written += f"(?:{part[1]})"
        else:
            if part[2] in names:
                raise PathError(f"The parameter {part[2]!r} stands twice in the key.")
            names.append(part[2])
            written += f"({_shape(parameters.get(part[2], {}))})"
        place = part.end()
    rest = key[place:]
    if any(mark in rest for mark in MARKS):
        raise PathError(f"The key {key!r} has a bracket that is not closed.")
    for name in parameters:
        if name not in names:
            raise PathError(f"The parameter {name!r} is not in the key {key!r}.")
    if not place:
        pattern = None
    else:
        below = "(?:[^/]+)" if rest.endswith("/") else ""
        try:
            pattern = Expression(written + re.escape(rest) + below)
        except BadExpression as error:
            raise PathError(f"The key {key!r} has no regular pattern: {error}.") from error
        if pattern.groups != len(names):
            raise PathError(f"The key {key!r} has a group in a pattern; (?:...) makes none.")
    found = Path(re.split("[<{]", key)[0], pattern, tuple(names), options)
    _checked(found)
    return found


def _checked(path: Path) -> None:
    """Reads every filter once, so that a wrong one is told at once."""
    moment = datetime(2000, 1, 1, tzinfo=UTC)
    for name in path.names:
        _filter(path.options.get("Parameters", {}).get(name, {}), moment)
    _condition(path.options.get("LastModifiedDateCondition"), "Datetime", moment)


def _shape(parameter: Json) -> str:
    kind = parameter.get("Type", "String")
    if kind == "Number":
        return r"[+-]?\d+(?:\.\d+)?"
    if kind == "Datetime":
        return "".join(shape for _, shape in _layout(parameter))
    return ".+?"


def _layout(parameter: Json) -> list[tuple[str, str]]:
    """(strptime's directive, its pattern) of each part of a Java format."""
    text = parameter.get("DatetimeOptions", {}).get("Format")
    if not text:
        raise PathError("A parameter of Type Datetime needs DatetimeOptions.Format.")
    found = []
    for part in re.findall(r"'[^']*'|y+|M+|d+|H+|m+|s+|[A-Za-z]+|.", text):
        if part in _JAVA:
            found.append(_JAVA[part])
        elif part.startswith("'"):
            found.append((part[1:-1].replace("%", "%%"), re.escape(part[1:-1])))
        elif part.isalpha():
            raise PathError(f"localaws does not read {part!r} in the format {text!r}.")
        else:
            found.append((part.replace("%", "%%"), re.escape(part)))
    return found


def _value(parameter: Json, text: str) -> Value | None:
    kind = parameter.get("Type", "String")
    if kind == "Number":
        return float(text)
    if kind != "Datetime":
        return text
    offset = parameter["DatetimeOptions"].get("TimezoneOffset", "Z")
    sign, digits = offset[0], offset[1:].replace(":", "").ljust(4, "0")
    shift = timedelta(0)
    if offset != "Z":
        shift = timedelta(hours=int(digits[:-2]), minutes=int(digits[-2:]))
    zone = timezone(-shift if sign == "-" else shift)
    try:
        directives = "".join(directive for directive, _ in _layout(parameter))
        return datetime.strptime(text, directives).replace(tzinfo=zone)
    except ValueError:
        return None


def _filter(parameter: Json, now: datetime) -> Test:
    return _condition(parameter.get("Filter"), parameter.get("Type", "String"), now)


def _condition(given: Json | None, kind: str, now: datetime) -> Test:
    if not given:
        return lambda _: True
    return _Parser(given["Expression"], given.get("ValuesMap", {}), kind, now).whole()


_ALIASES = {
    "==": "is", "eq": "is", "!=": "is not", "<": "less_than", "lt": "less_than",
    "<=": "less_than_equal", "lte": "less_than_equal", ">": "greater_than", "gt": "greater_than",
    ">=": "greater_than_equal", "gte": "greater_than_equal",
}  # fmt: skip
_STRINGS: Mapping[str, Callable[[str, str], bool]] = {
    "is": lambda value, wanted: value == wanted,
    "contains": lambda value, wanted: wanted in value,
    "starts_with": lambda value, wanted: value.startswith(wanted),
    "ends_with": lambda value, wanted: value.endswith(wanted),
    "matches": lambda value, wanted: Expression(wanted).fullmatch(value) is not None,
}
_NUMBERS: Mapping[str, Callable[[float, float], bool]] = {
    "is": lambda value, wanted: value == wanted,
    "less_than": lambda value, wanted: value < wanted,
    "less_than_equal": lambda value, wanted: value <= wanted,
    "greater_than": lambda value, wanted: value > wanted,
    "greater_than_equal": lambda value, wanted: value >= wanted,
}
_MOMENTS: Mapping[str, Callable[[datetime, datetime], bool]] = {
    "after": lambda value, wanted: value > wanted,
    "before": lambda value, wanted: value < wanted,
}


class _Parser:
    """`(starts_with :p1 or starts_with :p2) and (not ends_with :s1)`, without what is tested."""

    def __init__(self, text: str, values: Mapping[str, str], kind: str, now: datetime) -> None:
        self._text, self._values, self._kind, self._now = text, values, kind, now
        self._tokens = re.findall(r":[A-Za-z0-9_]+|[A-Za-z_]+|==|!=|<=|>=|[<>()]", text)
        self._at = 0

    def whole(self) -> Test:
        found = self._either()
        if self._at < len(self._tokens):
            raise PathError(f"The filter {self._text!r} goes on with {self._tokens[self._at]!r}.")
        return found

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self, word: str) -> bool:
        if self._peek().lower() == word:
            self._at += 1
            return True
        return False

    def _either(self) -> Test:
        tests = [self._both()]
        while self._take("or"):
            tests.append(self._both())
        return lambda value: any(test(value) for test in tests)

    def _both(self) -> Test:
        tests = [self._one()]
        while self._take("and"):
            tests.append(self._one())
        return lambda value: all(test(value) for test in tests)

    def _one(self) -> Test:
        if self._take("("):
            inner = self._either()
            if not self._take(")"):
                raise PathError(f"The filter {self._text!r} has a bracket that is not closed.")
            return inner
        negated = self._take("not")
        word = self._peek().lower()
        self._at += 1
        word = _ALIASES.get(word, word)
        if word == "is not" or (word == "is" and self._take("not")):
            word, negated = "is", not negated
        name = self._peek()
        self._at += 1
        if not name.startswith(":") or name not in self._values:
            raise PathError(f"The filter {self._text!r}: {name or 'the end'!r} is no value of it.")
        test = self._test(word, self._values[name])
        return (lambda value: not test(value)) if negated else test

    def _test(self, word: str, given: str) -> Test:
        tables: dict[str, Mapping[str, Any]] = {
            "String": _STRINGS, "Number": _NUMBERS, "Datetime": _MOMENTS,
        }  # fmt: skip
        table = tables[self._kind]
        wanted: Value = given
        if self._kind == "Number":
            wanted = float(given)
        if self._kind == "Datetime":
            relative = word.startswith("relative_")
            wanted = self._relative(given) if relative else _moment(given)
            word = word.removeprefix("relative_")
        compare: Callable[..., bool] | None = table.get(word)
        if compare is None:
            raise PathError(
                f"The filter {self._text!r}: a {self._kind} has no condition {word!r}; it has"
                f" {', '.join(table)}."
            )
        return lambda value: compare(value, wanted)

    def _relative(self, given: str) -> datetime:
        found = re.fullmatch(r"([+-]?)(\d+)([smhdwMy])", given)
        if found is None:
            raise PathError(f"The filter {self._text!r}: {given!r} is no time such as -48h.")
        number = int(found[2]) * (-1 if found[1] == "-" else 1)
        if found[3] in _UNITS:
            return self._now + timedelta(**{_UNITS[found[3]]: number})
        months = self._now.month - 1 + number * (12 if found[3] == "y" else 1)
        year, month = self._now.year + months // 12, months % 12 + 1
        day = min(self._now.day, calendar.monthrange(year, month)[1])
        return self._now.replace(year=year, month=month, day=day)


def _moment(given: str) -> datetime:
    try:
        found = datetime.fromisoformat(given)
    except ValueError:
        raise PathError(f"{given!r} is no time such as 2021-03-30T01:00:00Z.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
