"""Rules, kept as documents and, for matching, in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from localaws.core.aws import LocalAws
from localaws.core.pages import Key, page
from localaws.core.service import Call, Service
from localaws.errors import AwsError, NotEmulated
from localaws.events.expressions import check_rule_expression, parse_expression
from localaws.events.patterns import parse
from localaws.shapes import Json

KIND = "events-rule"
BUS = "default"
SHOWN = ("Name", "Arn", "EventPattern", "ScheduleExpression", "State", "Description", "RoleArn")


class Rules:
    """The rules of the default bus, by name. `on_change` is called when a schedule may be new."""

    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws
        self._documents = aws.documents
        self._prefix = f"arn:aws:events:{aws.region}:{aws.account}:rule/"
        self._rules = dict(aws.documents.items(KIND))
        self._patterns: dict[str, tuple[str, Json]] = {}
        self.on_change: Callable[[], None] = lambda: None

    def register(self, service: Service) -> None:
        service.operation(
            *("PutRule", "Name", "EventPattern", "ScheduleExpression", "State", "Description"),
            *("RoleArn", "EventBusName", "Tags"),
        )(self.put)
        service.operation("DescribeRule", "Name", "EventBusName")(self.describe)
        service.operation("ListRules", "NamePrefix", "EventBusName", "NextToken", "Limit")(
            self.list
        )
        service.operation("DeleteRule", "Name", "EventBusName", "Force")(self.delete)
        service.operation("EnableRule", "Name", "EventBusName")(self.enable)
        service.operation("DisableRule", "Name", "EventBusName")(self.disable)
        service.operation("TagResource", "ResourceARN", "Tags")(self.tag)
        service.operation("UntagResource", "ResourceARN", "TagKeys")(self.untag)
        service.operation("ListTagsForResource", "ResourceARN")(self.list_tags)

    # What the bus and the targets use

    def get(self, name_or_arn: str) -> Json:
        """Raises ResourceNotFoundException."""
        name = name_or_arn.removeprefix(self._prefix)
        if name not in self._rules:
            raise missing(name)
        return self._rules[name]

    def all(self) -> list[Json]:
        """Every rule, by name."""
        return [rule for _, rule in sorted(self._rules.copy().items())]

    @contextmanager
    def changing(self, name_or_arn: str) -> Iterator[Json]:
        """The rule, to be changed in place; written when the block ends well."""
        name = name_or_arn.removeprefix(self._prefix)
        with self._documents.changing(KIND, name, missing(name)) as rule:
            yield rule
            self._rules[name] = rule

    def scheduled(self) -> list[tuple[Json, Any, datetime]]:
        """(rule, expression, since when) of the enabled scheduled rules."""
        return [
            (rule, parse_expression(rule["ScheduleExpression"]), rule["Anchor"])
            for rule in self.all()
            if rule["State"] != "DISABLED" and "ScheduleExpression" in rule
        ]

    def pattern(self, rule: Json) -> Json | None:
        """The parsed pattern of a rule."""
        text = rule.get("EventPattern")
        if text is None:
            return None
        kept = self._patterns.get(rule["Name"])
        if kept is None or kept[0] != text:
            kept = self._patterns[rule["Name"]] = (text, parse(text))
        return kept[1]

    # Operations

    def put(self, call: Call) -> Json:
        # AWS takes an empty text for what is not given.
        params = {name: value for name, value in call.params.items() if value != ""}
        name = params["Name"]
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
        members = ("EventPattern", "ScheduleExpression", "Description", "RoleArn")
        with self._documents.transaction():
            old = self._documents.get(KIND, name) or {}
            same = old.get("ScheduleExpression") == params.get("ScheduleExpression")
            rule = {
                "Name": name,
                "Arn": self._prefix + name,
                "State": params.get("State", "ENABLED"),
                "Targets": old.get("Targets", []),
                "Tags": old.get("Tags", params.get("Tags", [])),
                "Anchor": old["Anchor"] if old and same else self._aws.clock.now(),
                **{member: params[member] for member in members if member in params},
            }
            self._documents.put(KIND, name, rule)
            self._rules[name] = rule
        self.on_change()
        return {"RuleArn": rule["Arn"]}

    def describe(self, call: Call) -> Json:
        check_bus("DescribeRule", call.params)
        return shown(self.get(call.params["Name"])) | {"CreatedBy": self._aws.account}

    def list(self, call: Call) -> Json:
        check_bus("ListRules", call.params)
        prefix = call.params.get("NamePrefix", "")
        rules = [(rule["Name"], shown(rule)) for rule in self.all()]
        return listed(call, "Rules", [pair for pair in rules if pair[0].startswith(prefix)])

    def delete(self, call: Call) -> Json:
        check_bus("DeleteRule", call.params)
        name = call.params["Name"]
        with self._documents.transaction():
            rule = self._documents.get(KIND, name)
            if rule is not None and rule["Targets"]:
                raise AwsError("ValidationException", "Rule can't be deleted since it has targets.")
            self._documents.delete(KIND, name)
            self._rules.pop(name, None)
        return {}

    def enable(self, call: Call) -> Json:
        check_bus("EnableRule", call.params)
        with self.changing(call.params["Name"]) as rule:
            rule |= {"State": "ENABLED", "Anchor": self._aws.clock.now()}
        self.on_change()
        return {}

    def disable(self, call: Call) -> Json:
        check_bus("DisableRule", call.params)
        with self.changing(call.params["Name"]) as rule:
            rule["State"] = "DISABLED"
        return {}

    def tag(self, call: Call) -> Json:
        with self.changing(call.params["ResourceARN"]) as rule:
            tags = {tag["Key"]: tag["Value"] for tag in [*rule["Tags"], *call.params["Tags"]]}
            rule["Tags"] = [{"Key": name, "Value": value} for name, value in tags.items()]
        return {}

    def untag(self, call: Call) -> Json:
        keys = call.params["TagKeys"]
        with self.changing(call.params["ResourceARN"]) as rule:
            rule["Tags"] = [tag for tag in rule["Tags"] if tag["Key"] not in keys]
        return {}

    def list_tags(self, call: Call) -> Json:
        return {"Tags": self.get(call.params["ResourceARN"])["Tags"]}


def missing(name: str) -> AwsError:
    return AwsError("ResourceNotFoundException", f"Rule {name} does not exist on EventBus default.")


def check_bus(operation: str, params: Json) -> None:
    name = params.get("EventBusName", BUS).rsplit("/", 1)[-1]
    if name != BUS:
        raise NotEmulated(
            "events", operation, "EventBusName", f"There is the default bus only, no {name}."
        )


def shown(rule: Json) -> Json:
    members = {name: rule[name] for name in SHOWN if rule.get(name) is not None}
    return members | {"EventBusName": BUS}


def listed(call: Call, member: str, items: Iterable[tuple[Key, Any]]) -> Json:
    """One page of a list, by `Limit` and `NextToken`."""
    most = int(call.params.get("Limit", 100))
    found = page(items, call.params.get("NextToken"), most, invalid=invalid)
    return {member: found.items, **found.next()}


def invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)
