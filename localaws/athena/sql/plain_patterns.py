"""Regular expressions that mean the same in Java and in RE2: DuckDB matches them itself.

Others are matched by a Python function, a row at a time, some fifty times slower. A row of the
table of functions has a `Plain` if DuckDB can do the same for a plain pattern.

https://docs.oracle.com/en/java/javase/17/docs/api/java.base/java/util/regex/Pattern.html
https://github.com/google/re2/wiki/Syntax
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from localaws.trino.values import Value, text

_ESCAPED = r"\\[dDwW.\\+*?()\[\]{}^$|/-]"
_SET = rf"\[\^?(?:{_ESCAPED}|[A-Za-z0-9 _,:;@#%=/.+*?()$|-])+\]"
_LETTER = r"[A-Za-z0-9 _,:;@#%='\"<>/!~`-]"
_ONE = rf"(?:{_SET}|{_ESCAPED}|{_LETTER}|[.^$|)]|\((?!\?)|\(\?:)"
# Possessive quantifiers, such as `a*+`, are Java's alone.
_TIMES = r"(?:[*+?]\??|\{\d{1,3}(?:,\d{0,3})?\}\??)"
_PLAIN = re.compile(rf"(?:{_ONE}{_TIMES}?)*", re.ASCII)
_PIECE = re.compile(rf"({_ONE})({_TIMES}?)", re.ASCII)
_MOST_REPEATS = 1000  # that RE2 takes, nested ones multiplied
_MOST_GROUPS = 9  # that DuckDB gives by number
# Where `$` and `.` differ: Java knows these ends of a line.
_LINE_ENDS = "[\\n\\r\\x{85}\\x{2028}\\x{2029}]"
# Where `\w` and `\d` differ: Joni knows letters and digits of every script.
_NOT_ASCII = "[\\n\\r]|[^\\x00-\\x7f]"


@dataclass(frozen=True)
class Plain:
    """DuckDB's text for a call with a plain pattern; the subject is `{0}`, the pattern `{1}`.

    `asks`: it says whether there is a match. `pieces`: it looks at every match, and so may not see
    an empty one. `group` and `replacement` are the places of arguments that have to be literals; a
    replacement is written as RE2 has it.
    """

    template: str
    asks: bool = False
    pieces: bool = False
    group: int | None = None
    replacement: int | None = None


def quick(plain: Plain, arguments: Sequence[Value], slow: str) -> str:
    """The call by DuckDB's own matcher; `slow` where that would not do as Trino does."""
    pattern = arguments[1].constant
    if not isinstance(pattern, str) or not is_plain(pattern):
        return slow
    if plain.pieces and not _never_empty(pattern):
        return slow
    texts = [value.sql for value in arguments]
    groups = re.compile(pattern).groups
    if plain.group is not None and not _has_group(pattern, arguments[plain.group].constant, groups):
        return slow
    if plain.replacement is not None:
        written = _replacement(pattern, arguments[plain.replacement].constant, groups)
        if written is None:
            return slow
        texts[plain.replacement] = text(written)
    matched = plain.template.format(*texts)
    doubt = _NOT_ASCII if re.search(r"\\[dDwW]", pattern) else _LINE_ENDS
    at_once = f"WHEN {matched} THEN true " if plain.asks and _matches_in_java_too(pattern) else ""
    doubted = f"WHEN regexp_matches({texts[0]}, '{doubt}') THEN {slow}"
    return f"CASE {at_once}{doubted} ELSE {matched} END"


def is_plain(pattern: str) -> bool:
    if not _PLAIN.fullmatch(pattern):
        return False
    braces = re.findall(r"\{(\d+)(?:,(\d*))?\}", pattern)
    counts = (int(most or least) for least, most in braces)
    if math.prod(max(1, count) for count in counts) > _MOST_REPEATS:
        return False
    try:
        re.compile(pattern)  # unbalanced, or nothing to repeat: Trino's error tells
    except re.error:
        return False
    return True


def _matches_in_java_too(pattern: str) -> bool:
    """Whether what RE2 finds is found in Java, whatever the text: `$` matches at more places there,
    but `.` and the classes match fewer letters."""
    pieces = (piece for piece, _ in _PIECE.findall(pattern))
    return not any(piece == "." or re.search(r"\\[dDwW]", piece) for piece in pieces)


def _never_empty(pattern: str) -> bool:
    """Whether a letter that every match has stands outside of all groups."""
    depth, found = 0, False
    for piece, times in _PIECE.findall(pattern):
        depth += piece.startswith("(") - (piece == ")")
        if depth == 0 and piece == "|":
            return False
        consumes = piece not in ("^", "$", ")", "|") and not piece.startswith("(")
        found |= depth == 0 and consumes and not times.startswith(("*", "?", "{0"))
    return found


def _has_group(pattern: str, number: object, groups: int) -> bool:
    """Whether the group is there and is set in every match, and to the same in both."""
    if not isinstance(number, int) or not 0 <= number <= min(groups, _MOST_GROUPS):
        return False
    return number == 0 or _sets_its_groups(pattern)


def _sets_its_groups(pattern: str) -> bool:
    pieces = _PIECE.findall(pattern)
    return not any(piece == "|" or (piece == ")" and times) for piece, times in pieces)


def _replacement(pattern: str, written: object, groups: int) -> str | None:
    """`$1` as `\\1`; None where it names no group, or a group that may not be set."""
    if not isinstance(written, str) or not re.fullmatch(r"(?:[^$\\]|\$[1-9](?!\d))*", written):
        return None
    named = [int(number) for number in re.findall(r"\$(\d)", written)]
    if named and (max(named) > min(groups, _MOST_GROUPS) or not _sets_its_groups(pattern)):
        return None
    return re.sub(r"\$(\d)", r"\\\1", written)
