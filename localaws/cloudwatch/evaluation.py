"""What state an alarm is in by the values of its periods.

docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html ("Evaluating an
alarm") and .../alarms-and-missing-data.html, whose tables are the cases of the tests.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from localaws.shapes import Json

OK, ALARMING, UNKNOWN = "OK", "ALARM", "INSUFFICIENT_DATA"
# GUESSED: how many periods more than it evaluates an alarm looks back for values; the page's
# examples have two.
MORE_PERIODS = 2


@dataclass(frozen=True)
class Comparison:
    breaches: Callable[[float, float], bool]
    words: str
    grows: bool  # a value that breaches goes on doing so while its period fills


COMPARISONS = {
    "GreaterThanOrEqualToThreshold": Comparison(
        lambda value, threshold: value >= threshold, "greater than or equal to", True
    ),
    "GreaterThanThreshold": Comparison(
        lambda value, threshold: value > threshold, "greater than", True
    ),
    "LessThanThreshold": Comparison(lambda value, threshold: value < threshold, "less than", False),
    "LessThanOrEqualToThreshold": Comparison(
        lambda value, threshold: value <= threshold, "less than or equal to", False
    ),
}


@dataclass(frozen=True)
class Value:
    """The statistic of a period that began `at` (seconds since 1970)."""

    at: int
    value: float


@dataclass(frozen=True)
class State:
    value: str
    reason: str
    data: str = ""  # StateReasonData


def periods(alarm: Json) -> int:
    """How many are looked at."""
    return int(alarm["EvaluationPeriods"]) + MORE_PERIODS


def evaluated(alarm: Json, found: Sequence[Value | None], now: datetime) -> State | None:
    """The state by the values of its `periods`, oldest first, None where there is none; None to
    stay in the state it is in."""
    many, needed = alarm["EvaluationPeriods"], _needed(alarm)
    comparison = COMPARISONS[alarm["ComparisonOperator"]]
    real = [one for one in found if one is not None]
    used = real[-many:]
    bad = [one for one in used if comparison.breaches(one.value, alarm["Threshold"])]
    missing, treated = many - len(used), alarm.get("TreatMissingData", "missing")
    if len(bad) >= needed or (treated == "breaching" and len(bad) + missing >= needed):
        return _told(alarm, ALARMING, used, bad, missing, now)
    if missing <= 0 or treated in ("breaching", "notBreaching"):
        return _told(alarm, OK, used, bad, missing, now)
    if not used:
        s = "" if many == 1 else "s"
        words = f"Insufficient Data: {many} datapoint{s} {'was' if many == 1 else 'were'} unknown."
        return None if treated == "ignore" else State(UNKNOWN, words)
    # "To avoid premature transitions": nothing but breaching values, the oldest of them as many
    # periods ago as must breach.
    ago = len(found) - next(index for index, one in enumerate(found) if one is not None)
    if len(bad) == len(used) and ago >= needed:
        return None if treated == "ignore" else _told(alarm, ALARMING, used, bad, 0, now)
    return _told(alarm, OK, used, bad, 0, now)


def _needed(alarm: Json) -> int:
    return int(alarm.get("DatapointsToAlarm") or alarm["EvaluationPeriods"])


def _told(
    alarm: Json, to: str, used: Sequence[Value], bad: Sequence[Value], missing: int, now: datetime
) -> State:
    """A state with its reason as CloudWatch words it."""
    many, needed = alarm["EvaluationPeriods"], _needed(alarm)
    if not used:
        s, were = ("", "was") if missing == 1 else ("s", "were")
        kind = "Breaching" if to == ALARMING else "NonBreaching"
        return State(
            to,
            f"Threshold Crossed: no datapoints were received for {many} period{s} and {missing}"
            f" missing datapoint{s} {were} treated as [{kind}].",
        )
    told = bad if to == ALARMING else [one for one in used if one not in bad]
    words = COMPARISONS[alarm["ComparisonOperator"]].words
    named = ", ".join(f"{one.value} ({_day(one.at)})" for one in reversed(told))
    were = ("was" if len(told) == 1 else "were") + ("" if to == ALARMING else " not")
    enough = needed if to == ALARMING else many - needed + 1
    change = "OK -> ALARM" if to == ALARMING else "ALARM -> OK"
    reason = (
        f"Threshold Crossed: {len(told)} out of the last {len(used)} datapoints [{named}] {were}"
        f" {words} the threshold ({float(alarm['Threshold'])}) (minimum {enough}"
        f" datapoint{'' if enough == 1 else 's'} for {change} transition)."
    )
    data = {
        "version": "1.0",
        "queryDate": _iso(now),
        "startDate": _iso(datetime.fromtimestamp(used[0].at, UTC)),
        "statistic": alarm["Statistic"],
        "period": alarm["Period"],
        "recentDatapoints": [one.value for one in used],
        "threshold": float(alarm["Threshold"]),
    }
    return State(to, reason, json.dumps(data))


def _day(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%d/%m/%y %H:%M:%S")


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"
