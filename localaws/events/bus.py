"""The default bus: it takes events, matches them with the rules, and hands them to the targets."""

from __future__ import annotations

import json
from datetime import datetime

from localaws.core.aws import LocalAws
from localaws.core.service import Call, Service
from localaws.core.signals import EventSent
from localaws.errors import AwsError
from localaws.events.delivery import Deliveries
from localaws.events.inputs import target_input
from localaws.events.patterns import matches, parse
from localaws.events.rules import BUS, Rules, check_bus
from localaws.shapes import Json

MOST_ENTRIES = 10
LARGEST_ENTRIES = 1024 * 1024


class Bus:
    def __init__(self, aws: LocalAws, rules: Rules, deliveries: Deliveries) -> None:
        self._aws = aws
        self._rules = rules
        self._deliveries = deliveries

    def register(self, service: Service) -> None:
        entries = ("Time", "Source", "Resources", "Detail", "DetailType", "EventBusName")
        service.operation("PutEvents", *(f"Entries.{name}" for name in (*entries, "TraceHeader")))(
            self.put_events
        )
        service.operation("TestEventPattern", "EventPattern", "Event")(self.test_pattern)
        service.operation("DescribeEventBus", "Name")(self.describe)
        service.operation("ListEventBuses", "NamePrefix", "NextToken", "Limit")(self.list)

    def receive(self, signal: EventSent) -> None:
        """An event came: delivers it for every enabled rule that matches."""
        for rule in self._rules.all():
            pattern = self._rules.pattern(rule)
            if rule["State"] == "DISABLED" or pattern is None:
                continue
            if matches(pattern, signal.event):
                self._send(rule, signal.event)

    def tick(self, rule: Json, due: datetime) -> None:
        """A scheduled rule is due."""
        event = self._aws.event("aws.events", "Scheduled Event", {}, [rule["Arn"]], time=due)
        self._send(rule, event)

    def _send(self, rule: Json, event: Json) -> None:
        """Delivers to each target of the rule."""
        ingested = self._aws.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        for target in rule["Targets"]:
            text = target_input(target, event, rule, ingested)
            self._deliveries.add(target, text, {"RULE_ARN": rule["Arn"]})

    def put_events(self, call: Call) -> Json:
        entries = call.params["Entries"]
        if len(entries) > MOST_ENTRIES:
            raise AwsError(
                "ValidationException", f"{len(entries)} entries; at most {MOST_ENTRIES} are taken."
            )
        if sum(len(json.dumps(entry, default=str)) for entry in entries) > LARGEST_ENTRIES:
            raise AwsError("ValidationException", "Total size of the entries is over 1 MiB.")
        answers: list[Json] = []
        for entry in entries:
            check_bus("PutEvents", entry)
            try:
                event = self._event(entry)
            except AwsError as error:
                answers.append({"ErrorCode": error.code, "ErrorMessage": error.message})
                continue
            self._aws.signals.publish(EventSent(event))
            answers.append({"EventId": event["id"]})
        failed = sum("ErrorCode" in answer for answer in answers)
        return {"FailedEntryCount": failed, "Entries": answers}

    def test_pattern(self, call: Call) -> Json:
        try:
            event = json.loads(call.params["Event"])
        except ValueError as error:
            raise AwsError("ValidationException", f"Parameter Event is no JSON: {error}") from error
        return {"Result": matches(parse(call.params["EventPattern"]), event)}

    def describe(self, call: Call) -> Json:
        check_bus("DescribeEventBus", {"EventBusName": call.params.get("Name", BUS)})
        return self._shown()

    def list(self, call: Call) -> Json:
        named = BUS.startswith(call.params.get("NamePrefix", ""))
        return {"EventBuses": [self._shown()] if named else []}

    def _shown(self) -> Json:
        place = f"{self._aws.region}:{self._aws.account}"
        return {"Name": BUS, "Arn": f"arn:aws:events:{place}:event-bus/{BUS}"}

    def _event(self, entry: Json) -> Json:
        """The event of an entry; an AwsError is the entry's answer."""
        for name in ("Source", "DetailType", "Detail"):
            if not entry.get(name):
                raise AwsError(
                    "InvalidArgument",
                    f"Parameter {name} is not valid. Reason: {name} is a required argument.",
                )
        source = entry["Source"]
        if source.startswith("aws."):
            raise AwsError(
                "NotAuthorizedForSourceException", f"Not authorized for the source {source}."
            )
        try:
            detail = json.loads(entry["Detail"])
        except ValueError as error:
            raise AwsError("MalformedDetail", "Detail is malformed.") from error
        if not isinstance(detail, dict):
            raise AwsError("MalformedDetail", "Detail is malformed.")
        resources = entry.get("Resources", [])
        return self._aws.event(source, entry["DetailType"], detail, resources, entry.get("Time"))
