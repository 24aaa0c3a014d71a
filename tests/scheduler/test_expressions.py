"""Schedule expressions: the next time, from a table of cases."""

from __future__ import annotations

from datetime import UTC, datetime
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from localaws.errors import AwsError
from localaws.events.expressions import check_rule_expression, next_time, parse_expression
from tests.conftest import cases


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize("case", cases("schedules"), ids=itemgetter("why"))
def test_next_times(case: dict[str, Any]) -> None:
    expression = parse_expression(case["expression"])
    zone = ZoneInfo(case.get("zone", "UTC"))
    after = utc(case["after"])
    anchor = utc(case.get("anchor", case["after"]))
    for expected in case["next"]:
        found = next_time(expression, after, zone, anchor=anchor)
        assert found == (utc(expected) if expected else None)
        after = found or after


@pytest.mark.parametrize("case", cases("schedules_refused"), ids=itemgetter("why"))
def test_a_wrong_expression_says_what_is_wrong(case: dict[str, Any]) -> None:
    with pytest.raises(AwsError) as caught:
        parse_expression(case["expression"])
    assert caught.value.code == "ValidationException"
    assert case["expression"] in caught.value.message
    assert case["error"] in caught.value.message


@pytest.mark.parametrize(
    "expression", ["at(2026-01-01T00:00:00)", "rate(1 minutes)", "rate(5 minute)"]
)
def test_rules_are_stricter_than_schedules(expression: str) -> None:
    parse_expression(expression)
    with pytest.raises(AwsError, match="ScheduleExpression is not valid"):
        check_rule_expression(expression)
