"""Pieces of DuckDB SQL: names, literals, and Spark's casts.

Every text from a recipe enters SQL through `ident` or `literal`, never by being pasted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

INTEGERS = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT",
                      "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"})  # fmt: skip
FLOATS = frozenset({"FLOAT", "DOUBLE"})
WIDE = frozenset({"HUGEINT", "UBIGINT", "UHUGEINT"})  # whole numbers beyond BIGINT

# DataBrew's type names to DuckDB's; `integer` and `number` stand in older exports.
TYPES = {
    "byte": "TINYINT",
    "short": "SMALLINT",
    "int": "INTEGER",
    "integer": "INTEGER",
    "long": "BIGINT",
    "bigint": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "number": "DOUBLE",
    "decimal": "DECIMAL(38,18)",
    "string": "VARCHAR",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMP",
    "date": "DATE",
}

# Layouts of text dates tried after ISO, in this order: month before day unless impossible. Years of
# two digits come first, since %Y takes those too (and 02 would be the year 2).
_DAYS = (
    "%m/%d/%y", "%m/%d/%Y", "%m-%d-%Y", "%d/%m/%Y", "%d-%m-%Y", "%d-%Y-%m", "%m %d %Y",
    "%B %d %Y", "%B/%d/%Y", "%d %B %Y", "%B %d, %Y", "%b %d, %Y", "%d %b %Y", "%d-%b-%Y",
    "%b %d %Y", "%d.%m.%Y",
)  # fmt: skip
_TIMES = ("%H:%M:%S", "%H:%M", "%I:%M:%S %p", "%I:%M %p")
DATE_LAYOUTS = (*_DAYS, "%Y%m%d", "%Y-%m")
MOMENT_LAYOUTS = tuple(f"{day} {time}" for time in _TIMES for day in _DAYS)


def ident(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def literals(texts: list[str]) -> str:
    """A list value; typed, so that an empty one works too."""
    return "CAST([" + ", ".join(literal(text) for text in texts) + "] AS VARCHAR[])"


def is_number(kind: str) -> bool:
    return kind in INTEGERS or kind in FLOATS or kind.startswith("DECIMAL")


def is_integer(kind: str) -> bool:
    return kind in INTEGERS


def is_exact(kind: str) -> bool:
    """A whole number of any size, which a DOUBLE may round."""
    return kind in INTEGERS or kind == "DECIMAL(38,0)"


def is_whole(kind: str) -> bool:
    """A whole number or a decimal."""
    return kind in INTEGERS or kind.startswith("DECIMAL")


def is_text(kind: str) -> bool:
    return kind == "VARCHAR"


def is_nested(kind: str) -> bool:
    return "(" in kind.replace("DECIMAL(", "") or kind.endswith("]")


def is_time(kind: str) -> bool:
    return kind == "DATE" or kind.startswith("TIMESTAMP")


def missing(expression: str, kind: str) -> str:
    """True for null, and for the empty text."""
    if is_text(kind):
        return f"({expression} IS NULL OR {expression} = '')"
    return f"({expression} IS NULL)"


def blank_null(expression: str, kind: str) -> str:
    return f"nullif({expression}, '')" if is_text(kind) else expression


def upper(text: str) -> str:
    """Upper case as Java's, where ß is two letters."""
    return f"upper(replace({text}, 'ß', 'ss'))"


def to_text(expression: str, kind: str) -> str:
    """The value as text; a list, a map or a struct as the JSON that files have of it."""
    if is_text(kind):
        return expression
    return f"CAST({f'to_json({expression})' if is_nested(kind) else expression} AS VARCHAR)"


def to_double(expression: str, kind: str) -> str:
    """The number, or null where it is none. Spark knows no `1_000`, which DuckDB reads."""
    if kind == "DOUBLE":
        return expression
    if is_text(kind):
        return (
            f"(CASE WHEN NOT contains({expression}, '_') THEN TRY_CAST({expression} AS DOUBLE) END)"
        )
    if is_number(kind) or kind == "BOOLEAN":
        return f"CAST({expression} AS DOUBLE)"
    return "CAST(NULL AS DOUBLE)"


def to_number(expression: str, kind: str) -> tuple[str, str]:
    """(SQL, type) of the number: whole numbers and decimals keep each digit, all else is a DOUBLE,
    null where it is no number."""
    if kind in WIDE:
        return f"CAST({expression} AS DECIMAL(38,0))", "DECIMAL(38,0)"
    if kind in INTEGERS:
        return f"CAST({expression} AS BIGINT)", "BIGINT"
    if kind.startswith("DECIMAL"):
        return expression, kind
    return to_double(expression, kind), "DOUBLE"


def to_numbers(cells: Sequence[tuple[str, str]]) -> tuple[list[str], str]:
    """The numbers of several (SQL, type) in one type: exact if each of them is whole."""
    if cells and all(is_exact(kind) for _, kind in cells):
        narrow = all(kind in INTEGERS - WIDE for _, kind in cells)
        kind = "BIGINT" if narrow else "DECIMAL(38,0)"
        return [f"CAST({cell} AS {kind})" for cell, _ in cells], kind
    if len({kind for _, kind in cells}) == 1 and cells[0][1].startswith("DECIMAL"):
        return [cell for cell, _ in cells], cells[0][1]
    return [to_double(cell, kind) for cell, kind in cells], "DOUBLE"


def alike(left: str, left_kind: str, right: str, right_kind: str) -> tuple[str, str]:
    """Two values in the type in which Spark compares them: moments if one of them is, numbers if
    one of them is, then truth values, then texts."""
    kinds = (left_kind, right_kind)
    if any(is_time(kind) for kind in kinds):
        return to_time(left, left_kind), to_time(right, right_kind)
    if all(is_whole(kind) for kind in kinds):  # DuckDB compares these with every digit
        return left, right
    if any(map(is_exact, kinds)) and any(map(is_text, kinds)):  # a DOUBLE would match other ids
        sides = ((left, left_kind), (right, right_kind))
        a, b = (cast(side, kind, "DECIMAL(38,9)") for side, kind in sides)
        return a, b
    if any(is_number(kind) for kind in kinds):
        return to_double(left, left_kind), to_double(right, right_kind)
    if "BOOLEAN" in kinds:
        return cast(left, left_kind, "BOOLEAN"), cast(right, right_kind, "BOOLEAN")
    return to_text(left, left_kind), to_text(right, right_kind)


def to_time(expression: str, kind: str) -> str:
    """The timestamp, or null: ISO first, then the layouts DataBrew's samples show as accepted."""
    if is_text(kind):
        days, moments = (
            f"try_strptime({expression}, [{', '.join(map(literal, layouts))}])"
            for layouts in (DATE_LAYOUTS, MOMENT_LAYOUTS)
        )
        other = f"CASE WHEN contains({expression}, ':') THEN {moments} ELSE {days} END"
        # Only what starts with a year of four digits: DuckDB takes 02/02/02 for the year 2. A year
        # alone is its first day, as Spark casts it.
        year_first = f"regexp_matches({expression}, '^\\s*\\d{{4}}[-/]')"
        year = f"regexp_full_match({expression}, '\\d{{4}}')"
        return (
            f"coalesce(CASE WHEN {year_first} THEN TRY_CAST({expression} AS TIMESTAMP)"
            f" WHEN {year} THEN TRY_CAST({expression} || '-01-01' AS TIMESTAMP) END, {other})"
        )
    if is_time(kind):
        return f"CAST({expression} AS TIMESTAMP)"
    if is_integer(kind):  # 20200601 and 2020, which a CSV file's column of dates may be
        return to_time(f"CAST({expression} AS VARCHAR)", "VARCHAR")
    return "CAST(NULL AS TIMESTAMP)"


def _integer_from_text(expression: str, target: str) -> str:
    # The usual plain integers pass without a regular expression; what Spark reads besides
    # ('007', '+5', ' 5 ', '3.7', which it truncates) goes the slow way, all else is null.
    plain = f"TRY_CAST({expression} AS {target})"
    slow = f"TRY_CAST(trunc(TRY_CAST({expression} AS DECIMAL(38,9))) AS {target})"
    shape = r"\s*[+-]?(\d+(\.\d*)?|\.\d+)\s*"
    return (
        f"CASE WHEN CAST({plain} AS VARCHAR) = {expression} THEN {plain}"
        f" WHEN regexp_full_match({expression}, {literal(shape)}) THEN {slow} END"
    )


def cast(expression: str, kind: str, target: str) -> str:
    """`expression` of type `kind` as `target`; what does not fit is null, as in Spark."""
    if kind == target:
        return expression
    if target == "VARCHAR":
        return to_text(expression, kind)
    if kind.startswith("TIMESTAMP") and (target in INTEGERS or target in FLOATS):
        return cast(f"epoch({expression})", "DOUBLE", target)
    if target in INTEGERS:
        if is_text(kind):
            return _integer_from_text(expression, target)
        if kind in FLOATS or kind.startswith("DECIMAL"):
            return f"TRY_CAST(trunc({expression}) AS {target})"
    if target in FLOATS:
        return f"CAST({to_double(expression, kind)} AS {target})"
    if target.startswith("DECIMAL") and is_text(kind):
        fitted = f"TRY_CAST({expression} AS {target})"
        return f"(CASE WHEN NOT contains({expression}, '_') THEN {fitted} END)"
    if target == "BOOLEAN" and is_text(kind):
        word = f"lower(trim({expression}))"
        return (
            f"CASE WHEN {word} IN ('true', 't', 'yes', 'y', '1') THEN true"
            f" WHEN {word} IN ('false', 'f', 'no', 'n', '0') THEN false END"
        )
    if target == "TIMESTAMP" and is_exact(kind):  # seconds, where they are not written as a date
        seconds = f"TRY_CAST({expression} AS BIGINT)"
        since = f"CASE WHEN abs({seconds}) BETWEEN 100000000 AND 99999999999 THEN {seconds} END"
        return f"coalesce({to_time(expression, kind)}, make_timestamp({since} * 1000000))"
    if is_time(target) and (is_text(kind) or is_time(kind) or is_integer(kind)):
        return f"CAST({to_time(expression, kind)} AS {target})"
    return f"TRY_CAST({expression} AS {target})"


_UNSUPPORTED_REGEX = (
    (re.compile(r"\(\?[=!]|\(\?<[=!]"), "look-around"),
    (re.compile(r"\\[1-9]"), "a back-reference"),
    (re.compile(r"([*+?]|\{\d+(,\d*)?\})\+"), "a possessive quantifier"),
    (re.compile(r"\\p\{(java|In|Is)"), "a Java character class"),
    (re.compile(r"&&\["), "a class intersection"),
)


def unsupported_regex(pattern: str) -> str | None:
    """What the pattern uses that Java's regular expressions have and DuckDB's (RE2) do not."""
    bare = re.sub(r"\\\\", "", pattern)
    for shape, name in _UNSUPPORTED_REGEX:
        if shape.search(bare):
            return name
    return None


def replacement(java: str) -> str:
    r"""A Java replacement text ($1, \$) as RE2's (\1, $)."""
    result = []
    position = 0
    while position < len(java):
        character, following = java[position], java[position + 1 : position + 2]
        if character == "\\" and following:
            result.append("\\\\" if following == "\\" else following)
            position += 2
        elif character == "$" and following.isdigit():
            result.append("\\" + following)
            position += 2
        else:
            result.append("\\\\" if character == "\\" else character)
            position += 1
    return "".join(result)
