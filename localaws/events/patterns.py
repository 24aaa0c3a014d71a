"""Event patterns: whether an event matches, and whether a pattern is one.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
A list is "any of"; the members of an object all have to match; an array in the event matches if
one of its elements does. Exact numbers compare as written: 300 is not 300.0.
"""

from __future__ import annotations

import ipaddress
import json
import operator
from collections.abc import Callable
from typing import Any

from localaws.errors import AwsError
from localaws.shapes import Json
from localaws.wildcards import starred

_MISSING = object()
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    ">=": operator.ge,
    ">": operator.gt,
}
_LARGEST = 5e9  # numeric matching goes from -5e9 to 5e9


def invalid(reason: str) -> AwsError:
    return AwsError("InvalidEventPatternException", f"Event pattern is not valid. Reason: {reason}")


def parse(text: str) -> Json:
    """The pattern of a JSON text. Raises InvalidEventPatternException saying where and why."""
    try:
        pattern = json.loads(text)
    except ValueError as error:
        raise invalid(f"it is no JSON: {error}") from error
    if not isinstance(pattern, dict) or not pattern:
        raise invalid("the pattern is no JSON object with members")
    _check(pattern, "")
    return pattern


def matches(pattern: Json, event: Any) -> bool:
    """Whether the event (a dict) matches a parsed pattern."""
    event = event if isinstance(event, dict) else {}
    for name, wanted in pattern.items():
        if name == "$or" and isinstance(wanted, list):
            if not any(matches(branch, event) for branch in wanted):
                return False
            continue
        value = event.get(name, _MISSING)
        if isinstance(wanted, dict):
            candidates = value if isinstance(value, list) else [value]
            if not any(matches(wanted, candidate) for candidate in candidates):
                return False
        elif not any(_leaf(matcher, value) for matcher in wanted):
            return False
    return True


def _leaf(matcher: Any, value: Any) -> bool:
    if isinstance(matcher, dict) and "exists" in matcher:
        leaf = value is not _MISSING and not isinstance(value, dict)
        return leaf == matcher["exists"]
    if value is _MISSING or isinstance(value, dict):
        return False
    if isinstance(value, list):
        return any(_leaf(matcher, item) for item in value)
    if not isinstance(matcher, dict):
        return type(matcher) is type(value) and bool(matcher == value)
    name, argument = next(iter(matcher.items()))
    return MATCHERS[name](argument, value)


def _prefix(argument: Any, value: Any) -> bool:
    if not isinstance(value, str):
        return False
    if isinstance(argument, dict):
        return value.lower().startswith(argument["equals-ignore-case"].lower())
    return value.startswith(argument)


def _suffix(argument: Any, value: Any) -> bool:
    if not isinstance(value, str):
        return False
    if isinstance(argument, dict):
        return value.lower().endswith(argument["equals-ignore-case"].lower())
    return value.endswith(argument)


def _ignore_case(argument: str, value: Any) -> bool:
    return isinstance(value, str) and value.lower() == argument.lower()


def _wildcard(argument: str, value: Any) -> bool:
    return isinstance(value, str) and starred(value, argument)


def _cidr(argument: str, value: Any) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(argument, strict=False)
    except ValueError:
        return False


def _numeric(argument: list[Any], value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return all(
        _COMPARISONS[argument[at]](value, argument[at + 1]) for at in range(0, len(argument), 2)
    )


def _anything_but(argument: Any, value: Any) -> bool:
    if isinstance(argument, dict):
        name, texts = next(iter(argument.items()))
        return not any(MATCHERS[name](text, value) for text in _list(texts))
    return not any(type(item) is type(value) and item == value for item in _list(argument))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


MATCHERS: dict[str, Callable[[Any, Any], bool]] = {
    "prefix": _prefix,
    "suffix": _suffix,
    "equals-ignore-case": _ignore_case,
    "wildcard": _wildcard,
    "cidr": _cidr,
    "numeric": _numeric,
    "anything-but": _anything_but,
}


def _check(pattern: Json, where: str) -> None:
    for name, wanted in pattern.items():
        path = f"{where}.{name}" if where else name
        if name == "$or" and isinstance(wanted, list):
            if len(wanted) < 2 or not all(isinstance(branch, dict) for branch in wanted):
                raise invalid(f'"{path}" must be an array of at least two objects')
            for branch in wanted:
                _check(branch, where)
        elif isinstance(wanted, dict):
            if not wanted:
                raise invalid(f'"{path}": empty objects are not allowed')
            _check(wanted, path)
        elif isinstance(wanted, list):
            if not wanted:
                raise invalid(f'"{path}": empty arrays are not allowed')
            for matcher in wanted:
                _check_matcher(matcher, path)
        else:
            raise invalid(f'"{path}" must be an object or an array')


def _check_matcher(matcher: Any, path: str) -> None:
    if isinstance(matcher, list):
        raise invalid(f'"{path}": an array in an array is not allowed')
    if not isinstance(matcher, dict):
        return
    if len(matcher) != 1:
        raise invalid(f'"{path}": only one key is allowed in a match expression')
    name, argument = next(iter(matcher.items()))
    check = CHECKS.get(name)
    if check is None:
        raise invalid(f'"{path}": unrecognized match type {name}')
    if not check(argument):
        raise invalid(f'"{path}": {json.dumps(argument)} is no value of match type {name}')


def _text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _text_or_ignoring_case(value: Any) -> bool:
    if isinstance(value, dict):
        return list(value) == ["equals-ignore-case"] and _text(value["equals-ignore-case"])
    return _text(value)


def _is_wildcard(value: Any) -> bool:
    return _text(value) and "**" not in value.replace("\\\\", "").replace("\\*", "")


def _is_cidr(value: Any) -> bool:
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return isinstance(value, str)


def _is_numeric(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) in (2, 4)
        and all(item in _COMPARISONS for item in value[0::2])
        and all(
            isinstance(item, int | float)
            and not isinstance(item, bool)
            and -_LARGEST <= item <= _LARGEST
            for item in value[1::2]
        )
    )


def _is_anything_but(value: Any) -> bool:
    if isinstance(value, dict):
        names = ("prefix", "suffix", "equals-ignore-case", "wildcard")
        if len(value) != 1 or next(iter(value)) not in names:
            return False
        name, texts = next(iter(value.items()))
        check = _is_wildcard if name == "wildcard" else _text
        return texts != [] and all(check(text) for text in _list(texts))
    return value != [] and all(
        isinstance(item, str | int | float) and not isinstance(item, bool) for item in _list(value)
    )


CHECKS: dict[str, Callable[[Any], bool]] = {
    "prefix": lambda value: value == "" or _text_or_ignoring_case(value),
    "suffix": lambda value: value == "" or _text_or_ignoring_case(value),
    "equals-ignore-case": lambda value: isinstance(value, str),
    "wildcard": _is_wildcard,
    "cidr": _is_cidr,
    "numeric": _is_numeric,
    "anything-but": _is_anything_but,
    "exists": lambda value: isinstance(value, bool),
}
