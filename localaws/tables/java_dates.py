"""Dates written by a pattern of Java's DateTimeFormatter: numbers of fixed or free width."""

from __future__ import annotations

import re
from datetime import datetime

_MONTHS = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip
_TOKEN = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']")
_FIELDS = {
    "y": "year",
    "u": "year",
    "M": "month",
    "d": "day",
    "H": "hour",
    "m": "minute",
    "s": "second",
    "S": "microsecond",
}


class JavaDates:
    """Raises ValueError for a letter that is not one of y, u, M, d, H, m, s, S."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self._parts: list[tuple[str, int] | str] = []  # (letter, count) or text
        for token in _TOKEN.finditer(pattern):
            if token[2] is None:
                quoted = token[1]
                text = token[0] if quoted is None else quoted.replace("''", "'") or "'"
                self._parts.append(text)
            elif token[2] not in _FIELDS or (token[2] == "M" and len(token[0]) > 3):
                raise ValueError(f"localaws does not know {token[0]!r}")
            else:
                self._parts.append((token[2], len(token[0])))
        letters = {part[0] for part in self._parts if not isinstance(part, str)}
        self.has_days = "d" in letters
        self.finer_than_days = bool(letters & set("HmsS"))

    def write(self, moment: datetime) -> str:
        return "".join(
            part if isinstance(part, str) else _written(moment, *part) for part in self._parts
        )

    def read(self, text: str) -> datetime:
        """What is not in the pattern is the first: of the year, of the month, of the day."""
        groups, shape = [], ""
        for part in self._parts:
            if isinstance(part, str):
                shape += re.escape(part)
                continue
            letter, count = part
            groups.append(part)
            if letter == "M" and count == 3:
                shape += "(" + "|".join(_MONTHS) + ")"
            elif count == 1 or (letter in "yu" and count != 2):
                shape += r"(\d+)"
            else:
                shape += rf"(\d{{{count}}})"
        found = re.fullmatch(shape, text)
        if found is None:
            raise ValueError(f"{text!r} is not written as {self.pattern!r}")
        fields = {"year": 1970, "month": 1, "day": 1}
        for (letter, count), value in zip(groups, found.groups(), strict=True):
            if letter == "M" and count == 3:
                number = _MONTHS.index(value) + 1
            elif letter == "S":
                number = int(value.ljust(6, "0")[:6])
            else:
                number = int(value) + (2000 if letter in "yu" and count == 2 else 0)
            fields[_FIELDS[letter]] = number
        return datetime(**fields)  # type: ignore[arg-type]


def _written(moment: datetime, letter: str, count: int) -> str:
    if letter == "M" and count == 3:
        return _MONTHS[moment.month - 1]
    if letter == "S":
        return f"{moment.microsecond:06d}".ljust(count, "0")[:count]
    number = getattr(moment, _FIELDS[letter])
    if letter in "yu" and count == 2:
        number %= 100
    return f"{number:0{count}d}"
