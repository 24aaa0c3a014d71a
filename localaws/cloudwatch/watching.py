"""Alarms over what is measured here change their state, and tell it.

Nothing waits in a home where nothing is measured: a measurement starts the watch, and it ends when
no alarm has a value left to look at.
"""

from __future__ import annotations

import json
import logging
from datetime import datetime, timedelta

from localaws.cloudwatch import evaluation, metrics
from localaws.cloudwatch.points import MINUTE, Points
from localaws.core.aws import LocalAws
from localaws.core.on_demand import OnDemand
from localaws.shapes import Json

ALARM = "cloudwatch-alarm"
PRINCIPAL = "cloudwatch.amazonaws.com"
LOOK_SECONDS = 5.0
# A state that SetAlarmState gave stays until the next evaluation, and there is one each minute.
SET_FOR = timedelta(minutes=1)
SET_UNTIL = "set_until"  # of a document, beside the members of the API
ACTIONS = {
    evaluation.OK: "OKActions",
    evaluation.ALARMING: "AlarmActions",
    evaluation.UNKNOWN: "InsufficientDataActions",
}
TRIGGER = (
    *("MetricName", "Namespace", "Statistic", "Unit", "Dimensions", "Period"),
    *("EvaluationPeriods", "DatapointsToAlarm", "ComparisonOperator", "Threshold"),
    "TreatMissingData",
)

logger = logging.getLogger(__name__)


class Watch:
    def __init__(self, aws: LocalAws, points: Points) -> None:
        self._aws = aws
        self._points = points
        self._nothing_at = -1  # the change of alarms at which there was none to evaluate
        self._thread = OnDemand("alarms", self._look_at_all)

    def stirred(self) -> None:
        """Something was measured."""
        if self._nothing_at != self._aws.documents.changes(ALARM):
            self._thread.call()

    def stop(self) -> None:
        self._thread.stop()

    def _look_at_all(self) -> bool:
        """Whether any alarm has a value left to look at."""
        if self._aws.stopping.is_set():
            return False
        changes = self._aws.documents.changes(ALARM)
        watched = [
            (name, alarm)
            for name, alarm in self._aws.documents.items(ALARM)
            if metrics.is_measured(alarm)
        ]
        if not watched:
            self._nothing_at = changes
            return False
        live = [self.look(name, alarm) for name, alarm in watched]
        return not self._aws.stopping.wait(LOOK_SECONDS) and any(live)

    def look(self, name: str, alarm: Json) -> bool:
        """Puts one into the state that its metric says; whether it has any value to look at."""
        now = self._aws.clock.now()
        found = self._values(alarm, now)
        if now >= alarm.get(SET_UNTIL, now):
            state = evaluation.evaluated(alarm, found, now)
            if state is not None and state.value != alarm["StateValue"]:
                self.turn(name, state, before=alarm["StateValue"])
        return any(found)

    def _values(self, alarm: Json, now: datetime) -> list[evaluation.Value | None]:
        """Of the periods up to now, oldest first. The minute under way counts as measured so far
        where it cannot become good again: a canary here may be over within it."""
        minute = int(now.timestamp()) // MINUTE * MINUTE
        grows = evaluation.COMPARISONS[alarm["ComparisonOperator"]].grows
        end, period = minute + (MINUTE if grows else 0), alarm["Period"]
        start = end - evaluation.periods(alarm) * period
        measured = metrics.by_period(self._points, alarm, period, start, end, origin=start)
        statistic = metrics.STATISTICS[alarm["Statistic"]]
        return [
            evaluation.Value(at, statistic(measured[at])) if at in measured else None
            for at in range(start, end, period)
        ]

    def turn(self, name: str, state: evaluation.State, before: str | None = None) -> None:
        """Has the alarm be in the state, if it (still) is in `before`, and tells whom it names."""
        with self._aws.documents.transaction():
            alarm = self._aws.documents.get(ALARM, name)
            if alarm is None or before not in (None, alarm["StateValue"]):
                return
            old, now = alarm["StateValue"], self._aws.clock.now()
            alarm.pop(SET_UNTIL, None)
            if before is None:
                alarm[SET_UNTIL] = now + SET_FOR
            alarm |= {
                "StateValue": state.value,
                "StateReason": state.reason,
                "StateUpdatedTimestamp": now,
            }
            alarm.pop("StateReasonData", None)
            if state.data:
                alarm["StateReasonData"] = state.data
            if old != state.value:
                alarm["StateTransitionedTimestamp"] = now
            self._aws.documents.put(ALARM, name, alarm)
        if old != state.value and alarm["ActionsEnabled"]:
            for action in alarm[ACTIONS[state.value]]:
                self._tell(alarm, action, old)

    def _tell(self, alarm: Json, topic: str, old: str) -> None:
        """docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html"""
        if not topic.startswith("arn:aws:sns:"):
            logger.warning("Alarm %s: %s is no topic, and nothing here.", alarm["AlarmName"], topic)
            return
        message = {
            "AlarmName": alarm["AlarmName"],
            "AlarmDescription": alarm.get("AlarmDescription"),
            "AWSAccountId": self._aws.account,
            "AlarmConfigurationUpdatedTimestamp": _time(
                alarm["AlarmConfigurationUpdatedTimestamp"]
            ),
            "NewStateValue": alarm["StateValue"],
            "NewStateReason": alarm["StateReason"],
            "StateChangeTime": _time(alarm["StateUpdatedTimestamp"]),
            "Region": self._aws.region,
            "AlarmArn": alarm["AlarmArn"],
            "OldStateValue": old,
            **{name: alarm[name] for name in ACTIONS.values()},
            "Trigger": {name: alarm[name] for name in TRIGGER if name in alarm},
        }
        told = self._aws.acting_as_service(PRINCIPAL, alarm["AlarmArn"]).client("sns")
        subject = f'{alarm["StateValue"]}: "{alarm["AlarmName"]}" in {self._aws.region}'
        try:
            told.publish(TopicArn=topic, Subject=subject[:100], Message=json.dumps(message))
        except Exception as error:
            logger.warning("Alarm %s could not be told: %s", alarm["AlarmName"], error)


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"
