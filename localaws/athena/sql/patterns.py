"""Date patterns of MySQL and Joda-Time as strftime's."""

from __future__ import annotations

from localaws.trino.errors import QueryError, not_emulated

# https://trino.io/docs/current/functions/datetime.html#mysql-date-functions
_MYSQL = {
    "Y": "%Y", "y": "%y", "m": "%m", "c": "%-m", "d": "%d", "e": "%-d", "H": "%H", "k": "%-H",
    "h": "%I", "I": "%I", "l": "%-I", "i": "%M", "s": "%S", "S": "%S", "f": "%f", "j": "%j",
    "M": "%B", "b": "%b", "a": "%a", "W": "%A", "p": "%p", "T": "%H:%M:%S", "%": "%%",
    "r": "%I:%M:%S %p", "v": "%V", "x": "%G",
}  # fmt: skip


def mysql_format(pattern: str, name: str) -> str:
    """The strftime pattern of a MySQL one; a letter that means nothing stands for itself."""
    out, at = "", 0
    while at < len(pattern):
        if pattern[at] != "%":
            out += pattern[at]
        else:
            at += 1
            letter = pattern[at : at + 1]
            if letter and letter in "DUuVwX":
                raise QueryError(
                    "INVALID_FUNCTION_ARGUMENT", f"%{letter} not supported in date format string"
                )
            out += _MYSQL.get(letter, letter)
        at += 1
    return out


# Joda-Time letters: https://www.joda.org/joda-time/key_format.html
_JODA = {
    "yyyy": "%Y", "y": "%Y", "yy": "%y", "YYYY": "%Y", "M": "%-m", "MM": "%m", "MMM": "%b",
    "MMMM": "%B", "d": "%-d", "dd": "%d", "H": "%-H", "HH": "%H", "h": "%-I", "hh": "%I",
    "m": "%-M", "mm": "%M", "s": "%-S", "ss": "%S", "SSS": "%g", "a": "%p", "E": "%a", "EEE": "%a",
    "EEEE": "%A", "D": "%-j", "DDD": "%j", "e": "%u",
}  # fmt: skip


def joda_format(pattern: str, name: str) -> str:
    """The strftime pattern of a Joda one; refuses letters it does not have."""
    out, at = "", 0
    while at < len(pattern):
        letter = pattern[at]
        if letter == "'":
            end = pattern.find("'", at + 1)
            quoted = pattern[at + 1 : end]
            out += (quoted or "'").replace("%", "%%")
            at = end + 1
        elif letter.isalpha():
            end = at
            while end < len(pattern) and pattern[end] == letter:
                end += 1
            if pattern[at:end] not in _JODA:
                raise not_emulated(f"{name} with {pattern[at:end]!r}")
            out += _JODA[pattern[at:end]]
            at = end
        else:
            out += letter.replace("%", "%%")
            at += 1
    return out
