"""Choice rules (JSONPath): which rule an input fits.

Reference: https://docs.aws.amazon.com/step-functions/latest/dg/state-choice.html
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from localaws.stepfunctions import paths, timestamps
from localaws.stepfunctions.errors import runtime_error
from localaws.wildcards import starred

Rule = dict[str, Any]
Compare = Callable[[Any, Any], bool]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _numbers(compare: Compare) -> Compare:
    return lambda a, b: _is_number(a) and _is_number(b) and compare(a, b)


def _strings(compare: Compare) -> Compare:
    return lambda a, b: isinstance(a, str) and isinstance(b, str) and compare(a, b)


def _times(compare: Compare) -> Compare:
    def compare_times(a: Any, b: Any) -> bool:
        one, other = timestamps.parse(a), timestamps.parse(b)
        return one is not None and other is not None and compare(one, other)

    return compare_times


def _booleans(a: Any, b: Any) -> bool:
    return isinstance(a, bool) and isinstance(b, bool) and a == b


def string_matches(text: Any, pattern: Any) -> bool:
    return isinstance(text, str) and isinstance(pattern, str) and starred(text, pattern)


ORDERS: dict[str, Compare] = {
    "Equals": operator.eq,
    "LessThan": operator.lt,
    "GreaterThan": operator.gt,
    "LessThanEquals": operator.le,
    "GreaterThanEquals": operator.ge,
}
KINDS: dict[str, Callable[[Compare], Compare]] = {
    "String": _strings,
    "Numeric": _numbers,
    "Timestamp": _times,
}
COMPARISONS: dict[str, Compare] = {
    **{kind + order: wrap(by) for kind, wrap in KINDS.items() for order, by in ORDERS.items()},
    "BooleanEquals": _booleans,
}
COMPARISONS |= {name + "Path": compare for name, compare in list(COMPARISONS.items())}
COMPARISONS["StringMatches"] = string_matches  # has no Path form

TESTS: dict[str, Callable[[Any], bool]] = {
    "IsNull": lambda value: value is None,
    "IsNumeric": _is_number,
    "IsString": lambda value: isinstance(value, str),
    "IsBoolean": lambda value: isinstance(value, bool),
    "IsTimestamp": lambda value: timestamps.parse(value) is not None,
}
OPERATORS = frozenset({*COMPARISONS, *TESTS, "IsPresent"})


def fits(rule: Rule, roots: paths.Roots) -> bool:
    """Whether the rule holds. Raises StateError States.Runtime for a path that leads nowhere."""
    if "And" in rule:
        return all(fits(part, roots) for part in rule["And"])
    if "Or" in rule:
        return any(fits(part, roots) for part in rule["Or"])
    if "Not" in rule:
        return not fits(rule["Not"], roots)
    name = next(key for key in rule if key in OPERATORS)
    expected = rule[name]
    if name == "IsPresent":
        return _present(rule["Variable"], roots) == expected
    value = _value(rule["Variable"], roots)
    if name in TESTS:
        return TESTS[name](value) == expected
    if name.endswith("Path"):
        expected = _value(expected, roots)
    return COMPARISONS[name](value, expected)


def _present(path: str, roots: paths.Roots) -> bool:
    try:
        found = paths.find(path, roots)
    except paths.PathNotFoundError:
        return False
    return paths.parse(path).definite or found != []


def _value(path: str, roots: paths.Roots) -> Any:
    try:
        return paths.find(path, roots)
    except paths.PathNotFoundError as error:
        raise runtime_error(
            f"Invalid path '{path}': The choice state's condition path references an invalid value."
        ) from error
