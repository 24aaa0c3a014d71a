"""Amazon EventBridge: the default bus, its rules and their targets."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any

from localaws.core.aws import LocalAws
from localaws.core.errors import AwsError, NotEmulated
from localaws.core.service import Call, Service
from localaws.core.signals import EVENTS
from localaws.events.delivery import Deliveries, check_target
from localaws.events.inputs import check_path, check_transformer, target_input
from localaws.events.patterns import matches, parse
from localaws.events.rules import BUS, Rules
from localaws.scheduler.expressions import check_rule_expression, parse_expression
from localaws.scheduler.runner import Runner

Json = dict[str, Any]
MOST_TARGETS = 5
MOST_ENTRIES = 10
LARGEST_ENTRIES = 1024 * 1024
_TARGET = tuple(
    f"Targets.{name}"
    for name in (
        *("Id", "Arn", "RoleArn", "Input", "InputPath", "InputTransformer", "RetryPolicy"),
        *("DeadLetterConfig", "SqsParameters"),
    )
)


class Bus:
    """Matches events with rules and hands them to the targets."""

    def __init__(self, aws: LocalAws, rules: Rules, deliveries: Deliveries) -> None:
        self._aws = aws
        self._rules = rules
        self._deliveries = deliveries

    def receive(self, event: Json) -> None:
        """An event came: delivers it for every enabled rule that matches."""
        for rule in self._rules.all():
            pattern = self._rules.pattern(rule)
            if rule["State"] != "DISABLED" and pattern is not None and matches(pattern, event):
                self.send(rule, event)

    def send(self, rule: Json, event: Json) -> None:
        """Delivers to each target of the rule."""
        ingested = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        for target in rule["Targets"]:
            text = target_input(target, event, rule, ingested)
            self._deliveries.add(target, text, {"RULE_ARN": rule["Arn"]})

    def tick(self, rule: Json, due: datetime) -> None:
        """A scheduled rule is due."""
        self.send(
            rule,
            {
                "version": "0",
                "id": str(uuid.uuid4()),
                "detail-type": "Scheduled Event",
                "source": "aws.events",
                "account": self._aws.account,
                "time": due.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "region": self._aws.region,
                "resources": [rule["Arn"]],
                "detail": {},
            },
        )


def service(aws: LocalAws) -> Service:
    """EventBridge; it takes the events that services publish as signals."""
    events = Service("events")
    rules = Rules(aws)
    deliveries = Deliveries(aws, "events")
    bus = Bus(aws, rules, deliveries)
    runner = Runner(aws, "rules", lambda: scheduled(rules), bus.tick)
    aws.signals.subscribe(EVENTS, bus.receive)
    for starter in (deliveries.start, runner.start):
        events.on_start(starter)
    for stopper in (deliveries.stop, runner.stop):
        events.on_stop(stopper)
    _register_rules(events, aws, rules, runner)
    _register_targets(events, rules)
    _register_events(events, aws)
    return events


def scheduled(rules: Rules) -> list[tuple[Json, Any, datetime]]:
    """(rule, expression, since when) of the enabled scheduled rules."""
    return [
        (rule, parse_expression(rule["ScheduleExpression"]), rule["Anchor"])
        for rule in rules.all()
        if rule["State"] != "DISABLED" and "ScheduleExpression" in rule
    ]


def check_bus(operation: str, params: Json) -> None:
    name = params.get("EventBusName", BUS).rsplit("/", 1)[-1]
    if name != BUS:
        raise NotEmulated(
            "events", operation, "EventBusName", f"There is the default bus only, no {name}."
        )


def shown(rule: Json) -> Json:
    names = ("Name", "Arn", "EventPattern", "ScheduleExpression", "State", "Description", "RoleArn")
    return {name: rule[name] for name in names if rule.get(name) is not None} | {
        "EventBusName": BUS
    }


def _register_rules(service: Service, aws: LocalAws, rules: Rules, runner: Runner) -> None:
    @service.operation(
        *("PutRule", "Name", "EventPattern", "ScheduleExpression", "State", "Description"),
        *("RoleArn", "EventBusName", "Tags"),
    )
    def put_rule(call: Call) -> Json:
        params = call.params
        check_bus("PutRule", params)
        if not params.get("EventPattern") and not params.get("ScheduleExpression"):
            raise AwsError(
                "ValidationException",
                "Parameter(s) EventPattern or ScheduleExpression must be specified.",
            )
        if "EventPattern" in params:
            parse(params["EventPattern"])
        if "ScheduleExpression" in params:
            check_rule_expression(params["ScheduleExpression"])
        old = rules.find(params["Name"]) or {}
        given: Json = {
            name: params[name]
            for name in ("EventPattern", "ScheduleExpression", "Description", "RoleArn")
            if name in params
        }
        same = old.get("ScheduleExpression") == params.get("ScheduleExpression")
        rules.put(
            {
                "Name": params["Name"],
                "Arn": rules.arn(params["Name"]),
                "State": params.get("State", "ENABLED"),
                "Targets": old.get("Targets", []),
                "Tags": old.get("Tags", params.get("Tags", [])),
                "Anchor": old["Anchor"] if old and same else aws.clock.now(),
                **given,
            }
        )
        runner.changed()
        return {"RuleArn": rules.arn(params["Name"])}

    @service.operation("DescribeRule", "Name", "EventBusName")
    def describe_rule(call: Call) -> Json:
        check_bus("DescribeRule", call.params)
        return shown(rules.get(call.params["Name"])) | {"CreatedBy": aws.account}

    @service.operation("ListRules", "NamePrefix", "EventBusName", "NextToken", "Limit")
    def list_rules(call: Call) -> Json:
        check_bus("ListRules", call.params)
        prefix = call.params.get("NamePrefix", "")
        found = [rule for rule in rules.all() if rule["Name"].startswith(prefix)]
        start = int(call.params.get("NextToken", 0))
        end = start + int(call.params.get("Limit", 100))
        answer: Json = {"Rules": [shown(rule) for rule in found[start:end]]}
        return answer | ({"NextToken": str(end)} if end < len(found) else {})

    @service.operation("DeleteRule", "Name", "EventBusName", "Force")
    def delete_rule(call: Call) -> Json:
        check_bus("DeleteRule", call.params)
        rule = rules.find(call.params["Name"])
        if rule is not None and rule["Targets"]:
            raise AwsError("ValidationException", "Rule can't be deleted since it has targets.")
        rules.delete(call.params["Name"])
        return {}

    @service.operation("EnableRule", "Name", "EventBusName")
    def enable_rule(call: Call) -> Json:
        check_bus("EnableRule", call.params)
        anchor = {"Anchor": aws.clock.now()}
        rules.put(rules.get(call.params["Name"]) | {"State": "ENABLED"} | anchor)
        runner.changed()
        return {}

    @service.operation("DisableRule", "Name", "EventBusName")
    def disable_rule(call: Call) -> Json:
        check_bus("DisableRule", call.params)
        rules.put(rules.get(call.params["Name"]) | {"State": "DISABLED"})
        return {}

    @service.operation("TagResource", "ResourceARN", "Tags")
    def tag_resource(call: Call) -> Json:
        rule = rules.get(call.params["ResourceARN"])
        tags = {tag["Key"]: tag["Value"] for tag in [*rule["Tags"], *call.params["Tags"]]}
        listed = [{"Key": name, "Value": value} for name, value in tags.items()]
        rules.put(rule | {"Tags": listed})
        return {}

    @service.operation("UntagResource", "ResourceARN", "TagKeys")
    def untag_resource(call: Call) -> Json:
        rule = rules.get(call.params["ResourceARN"])
        left = [tag for tag in rule["Tags"] if tag["Key"] not in call.params["TagKeys"]]
        rules.put(rule | {"Tags": left})
        return {}

    @service.operation("ListTagsForResource", "ResourceARN")
    def list_tags_for_resource(call: Call) -> Json:
        return {"Tags": rules.get(call.params["ResourceARN"])["Tags"]}


def _register_targets(service: Service, rules: Rules) -> None:
    @service.operation("PutTargets", "Rule", "EventBusName", *_TARGET)
    def put_targets(call: Call) -> Json:
        check_bus("PutTargets", call.params)
        rule = rules.get(call.params["Rule"])
        for target in call.params["Targets"]:
            _check_target(target)
        by_id = {target["Id"]: target for target in rule["Targets"]}
        by_id |= {target["Id"]: target for target in call.params["Targets"]}
        if len(by_id) > MOST_TARGETS:
            raise AwsError("LimitExceededException", f"A rule has at most {MOST_TARGETS} targets.")
        rules.put(rule | {"Targets": list(by_id.values())})
        return {"FailedEntryCount": 0, "FailedEntries": []}

    @service.operation("RemoveTargets", "Rule", "EventBusName", "Ids", "Force")
    def remove_targets(call: Call) -> Json:
        check_bus("RemoveTargets", call.params)
        rule = rules.get(call.params["Rule"])
        left = [target for target in rule["Targets"] if target["Id"] not in call.params["Ids"]]
        known = {target["Id"] for target in rule["Targets"]}
        failed = [
            {"TargetId": name, "ErrorCode": "ResourceNotFoundException"}
            | {"ErrorMessage": f"Rule {rule['Name']} has no target {name}."}
            for name in call.params["Ids"]
            if name not in known
        ]
        rules.put(rule | {"Targets": left})
        return {"FailedEntryCount": len(failed), "FailedEntries": failed}

    @service.operation("ListTargetsByRule", "Rule", "EventBusName", "NextToken", "Limit")
    def list_targets_by_rule(call: Call) -> Json:
        check_bus("ListTargetsByRule", call.params)
        return {"Targets": rules.get(call.params["Rule"])["Targets"]}

    @service.operation("ListRuleNamesByTarget", "TargetArn", "EventBusName", "NextToken", "Limit")
    def list_rule_names_by_target(call: Call) -> Json:
        check_bus("ListRuleNamesByTarget", call.params)
        arn = call.params["TargetArn"]
        named = [
            rule["Name"]
            for rule in rules.all()
            if any(target["Arn"] == arn for target in rule["Targets"])
        ]
        return {"RuleNames": named}


def _check_target(target: Json) -> None:
    check_target("events", "PutTargets", target)
    kinds = [name for name in ("Input", "InputPath", "InputTransformer") if name in target]
    if len(kinds) > 1:
        raise AwsError(
            "ValidationException",
            f"Only one of Input, InputPath, or InputTransformer must be provided for target"
            f" {target['Id']}.",
        )
    if "InputPath" in target:
        check_path(target["InputPath"])
    if "InputTransformer" in target:
        check_transformer(target["InputTransformer"])
    if "Input" in target:
        try:
            json.loads(target["Input"])
        except ValueError as error:
            raise AwsError(
                "ValidationException", f"JSON syntax error in input for target {target['Id']}"
            ) from error


def _register_events(service: Service, aws: LocalAws) -> None:
    @service.operation(
        *("PutEvents", "Entries.Time", "Entries.Source", "Entries.Resources", "Entries.Detail"),
        *("Entries.DetailType", "Entries.EventBusName", "Entries.TraceHeader"),
    )
    def put_events(call: Call) -> Json:
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
                event = _event(aws, entry)
            except AwsError as error:
                answers.append({"ErrorCode": error.code, "ErrorMessage": error.message})
                continue
            aws.signals.publish(EVENTS, event)
            answers.append({"EventId": event["id"]})
        failed = sum("ErrorCode" in answer for answer in answers)
        return {"FailedEntryCount": failed, "Entries": answers}

    @service.operation("TestEventPattern", "EventPattern", "Event")
    def test_event_pattern(call: Call) -> Json:
        try:
            event = json.loads(call.params["Event"])
        except ValueError as error:
            raise AwsError("ValidationException", f"Parameter Event is no JSON: {error}") from error
        return {"Result": matches(parse(call.params["EventPattern"]), event)}

    @service.operation("DescribeEventBus", "Name")
    def describe_event_bus(call: Call) -> Json:
        check_bus("DescribeEventBus", {"EventBusName": call.params.get("Name", BUS)})
        return {"Name": BUS, "Arn": f"arn:aws:events:{aws.region}:{aws.account}:event-bus/{BUS}"}

    @service.operation("ListEventBuses", "NamePrefix", "NextToken", "Limit")
    def list_event_buses(call: Call) -> Json:
        if not BUS.startswith(call.params.get("NamePrefix", "")):
            return {"EventBuses": []}
        arn = f"arn:aws:events:{aws.region}:{aws.account}:event-bus/{BUS}"
        return {"EventBuses": [{"Name": BUS, "Arn": arn}]}


def _event(aws: LocalAws, entry: Json) -> Json:
    for name in ("Source", "DetailType", "Detail"):
        if not entry.get(name):
            raise AwsError(
                "InvalidArgument",
                f"Parameter {name} is not valid. Reason: {name} is a required argument.",
            )
    if entry["Source"].startswith("aws."):
        raise AwsError(
            "NotAuthorizedForSourceException", f"Not authorized for the source {entry['Source']}."
        )
    try:
        detail = json.loads(entry["Detail"])
    except ValueError as error:
        raise AwsError("MalformedDetail", "Detail is malformed.") from error
    if not isinstance(detail, dict):
        raise AwsError("MalformedDetail", "Detail is malformed: it is no JSON object.")
    time = entry.get("Time") or datetime.now(UTC)
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": entry["DetailType"],
        "source": entry["Source"],
        "account": aws.account,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": aws.region,
        "resources": entry.get("Resources", []),
        "detail": detail,
    }
