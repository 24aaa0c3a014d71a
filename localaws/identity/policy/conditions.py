"""The Condition element: operators, and what a missing key means to each.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from localaws.identity.policy.patterns import ArnPattern, Pattern
from localaws.identity.policy.request import Context

ALL, ANY = "ForAllValues", "ForAnyValue"
Test = Callable[[str, Context], bool]  # whether a value of the request matches one of the policy
Make = Callable[[str, bool], Test]


class PolicyError(ValueError):
    """A document that cannot be read; the message says what of it."""


@dataclass(frozen=True)
class Condition:
    """One operator on one key. `negated`: none of the values may match; otherwise one must."""

    name: str
    key: str
    tests: tuple[Test, ...]
    negated: bool
    quantifier: str | None
    if_exists: bool

    def holds(self, context: Context) -> bool:
        given = context.get(self.key)
        values = (given,) if isinstance(given, str) else (given or ())
        if self.quantifier == ALL:
            return all(self._satisfies(value, context) for value in values)
        if given is None:
            if self.if_exists:
                return True
            return self.negated and self.quantifier is None
        # A key of several values without a quantifier is not defined; one of them suffices.
        return any(self._satisfies(value, context) for value in values)

    def _satisfies(self, value: str, context: Context) -> bool:
        return any(test(value, context) for test in self.tests) != self.negated


@dataclass(frozen=True)
class IsNull:
    """`Null`: whether the key has no value."""

    key: str
    wanted: tuple[bool, ...]

    def holds(self, context: Context) -> bool:
        return (not context.get(self.key)) in self.wanted


def compile_conditions(block: Any, variables: bool) -> tuple[Condition | IsNull, ...]:
    """Of a whole Condition element. All must hold. Raises PolicyError."""
    if block is None:
        return ()
    if not isinstance(block, dict) or not all(isinstance(keys, dict) for keys in block.values()):
        raise PolicyError("A Condition has operators, which have keys, which have values.")
    return tuple(
        _condition(name, key.lower(), listed(values), variables)
        for name, keys in block.items()
        for key, values in keys.items()
    )


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _condition(name: str, key: str, values: Sequence[Any], variables: bool) -> Condition | IsNull:
    quantifier, _, base = name.rpartition(":")
    if quantifier not in ("", ALL, ANY):
        raise PolicyError(f"Unknown quantifier {quantifier} of the condition {name}.")
    texts = [_text(value) for value in values]
    if base == "Null":
        return IsNull(key, tuple(text.lower() == "true" for text in texts))
    kind = base.removesuffix("IfExists")
    if kind not in OPERATORS:
        raise PolicyError(f"Unknown condition operator {name}.")
    make, negated = OPERATORS[kind]
    tests = tuple(make(text, variables) for text in texts)
    return Condition(name, key, tests, negated, quantifier or None, kind != base)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def _equals(text: str, variables: bool) -> Test:
    pattern = Pattern(text, variables=variables, wildcards=False)
    return lambda value, context: pattern.matches(value, context)


def _equals_any_case(text: str, variables: bool) -> Test:
    pattern = Pattern(text, variables=variables, wildcards=False)
    return lambda value, context: pattern.matches(value, context, ignore_case=True)


def _like(text: str, variables: bool) -> Test:
    pattern = Pattern(text, variables=variables)
    return lambda value, context: pattern.matches(value, context)


def _arn(text: str, variables: bool) -> Test:
    pattern = ArnPattern(text, variables=variables)
    return lambda value, context: value.count(":") >= 5 and pattern.matches(value, context)


def _ordered(read: Callable[[str], Any], compare: Callable[[Any, Any], bool]) -> Make:
    """Of values that are read before they are compared; what cannot be read matches nothing."""

    def make(text: str, variables: bool) -> Test:
        try:
            limit = read(text)
        except (ValueError, InvalidOperation) as error:
            raise PolicyError(f"{text!r} is no value for this condition.") from error

        def test(value: str, context: Context) -> bool:
            try:
                return bool(compare(read(value), limit))
            except (ValueError, InvalidOperation):
                return False

        return test

    return make


def _date(text: str) -> datetime:
    """ISO 8601, or seconds since 1970."""
    try:
        return datetime.fromtimestamp(float(text), UTC)
    except ValueError:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


def _binary(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(text) from error


def _address(text: str, variables: bool) -> Test:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise PolicyError(f"{text!r} is no IP address or range.") from error

    def test(value: str, context: Context) -> bool:
        try:
            return ipaddress.ip_address(value) in network
        except ValueError:
            return False

    return test


def _comparisons(family: str, read: Callable[[str], Any]) -> dict[str, tuple[Make, bool]]:
    return {
        f"{family}Equals": (_ordered(read, operator.eq), False),
        f"{family}NotEquals": (_ordered(read, operator.eq), True),
        f"{family}LessThan": (_ordered(read, operator.lt), False),
        f"{family}LessThanEquals": (_ordered(read, operator.le), False),
        f"{family}GreaterThan": (_ordered(read, operator.gt), False),
        f"{family}GreaterThanEquals": (_ordered(read, operator.ge), False),
    }


# Operator to (what makes the test of one value, whether it is a negation).
OPERATORS: dict[str, tuple[Make, bool]] = {
    "StringEquals": (_equals, False),
    "StringNotEquals": (_equals, True),
    "StringEqualsIgnoreCase": (_equals_any_case, False),
    "StringNotEqualsIgnoreCase": (_equals_any_case, True),
    "StringLike": (_like, False),
    "StringNotLike": (_like, True),
    "ArnEquals": (_arn, False),
    "ArnLike": (_arn, False),
    "ArnNotEquals": (_arn, True),
    "ArnNotLike": (_arn, True),
    **_comparisons("Numeric", Decimal),
    **_comparisons("Date", _date),
    "Bool": (_ordered(_boolean, operator.eq), False),
    "BinaryEquals": (_ordered(_binary, operator.eq), False),
    "IpAddress": (_address, False),
    "NotIpAddress": (_address, True),
}
