"""Regular expressions that mean the same in Java and in RE2: DuckDB matches them itself.

Others are matched by a Python function, a row at a time, some fifty times slower.
"""

from __future__ import annotations

import math
import re

from . import types as t
from .values import Value

_ESCAPED = r"\\[dDwW.\\+*?()\[\]{}^$|/-]"
_SET = rf"\[\^?(?:{_ESCAPED}|[A-Za-z0-9 _,:;@#%=/.+*?()$|-])+\]"
_LETTER = r"[A-Za-z0-9 _,:;@#%='\"<>/!~`-]"
_ONE = rf"(?:{_SET}|{_ESCAPED}|{_LETTER}|[.^$|)]|\((?!\?)|\(\?:)"
# Possessive quantifiers, such as `a*+`, are Java's alone.
_TIMES = r"(?:[*+?]\??|\{\d{1,3}(?:,\d{0,3})?\}\??)"
_PLAIN = re.compile(rf"(?:{_ONE}{_TIMES}?)*", re.ASCII)
_MOST_REPEATS = 1000  # that RE2 takes, nested ones multiplied
# Where `$` and `.` differ: Java knows these ends of a line.
_LINE_ENDS = "[\\n\\r\\x{85}\\x{2028}\\x{2029}]"


def regexp_like(arguments: list[Value]) -> Value | None:
    """`regexp_like` by DuckDB's own matcher; None where it would not do as Trino does.

    https://docs.oracle.com/en/java/javase/17/docs/api/java.base/java/util/regex/Pattern.html
    https://github.com/google/re2/wiki/Syntax
    """
    if len(arguments) != 2 or any(value.type.name != "varchar" for value in arguments):
        return None
    subject, pattern = arguments
    if not isinstance(pattern.constant, str) or not _PLAIN.fullmatch(pattern.constant):
        return None
    braces = re.findall(r"\{(\d+)(?:,(\d*))?\}", pattern.constant)
    counts = (int(most or least) for least, most in braces)
    if math.prod(max(1, count) for count in counts) > _MOST_REPEATS:
        return None
    try:
        re.compile(pattern.constant)  # unbalanced, or nothing to repeat: Trino's error tells
    except re.error:
        return None
    return Value(
        f"CASE WHEN regexp_matches({subject.sql}, '{_LINE_ENDS}') "
        f"THEN trino_regexp_like({subject.sql}, {pattern.sql}) "
        f"ELSE regexp_matches({subject.sql}, {pattern.sql}) END",
        t.BOOLEAN,
    )
