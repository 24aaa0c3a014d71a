"""The targets of rules."""

from __future__ import annotations

import json

from localaws.core.service import Call, Service
from localaws.errors import AwsError
from localaws.events.delivery import check_target
from localaws.events.inputs import check_path, check_transformer
from localaws.events.rules import Rules, check_bus, listed
from localaws.shapes import Json

MOST_TARGETS = 5
_TARGET = tuple(
    f"Targets.{name}"
    for name in (
        *("Id", "Arn", "RoleArn", "Input", "InputPath", "InputTransformer", "RetryPolicy"),
        *("DeadLetterConfig", "SqsParameters"),
    )
)


class Targets:
    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def register(self, service: Service) -> None:
        page = ("EventBusName", "NextToken", "Limit")
        service.operation("PutTargets", "Rule", "EventBusName", *_TARGET)(self.put)
        service.operation("RemoveTargets", "Rule", "EventBusName", "Ids", "Force")(self.remove)
        service.operation("ListTargetsByRule", "Rule", *page)(self.list)
        service.operation("ListRuleNamesByTarget", "TargetArn", *page)(self.rules_of)

    def put(self, call: Call) -> Json:
        check_bus("PutTargets", call.params)
        self._rules.get(call.params["Rule"])
        for target in call.params["Targets"]:
            check_inputs(target)
        with self._rules.changing(call.params["Rule"]) as rule:
            by_id = {target["Id"]: target for target in rule["Targets"]}
            by_id |= {target["Id"]: target for target in call.params["Targets"]}
            if len(by_id) > MOST_TARGETS:
                raise AwsError(
                    "LimitExceededException", f"A rule has at most {MOST_TARGETS} targets."
                )
            rule["Targets"] = list(by_id.values())
        return {"FailedEntryCount": 0, "FailedEntries": []}

    def remove(self, call: Call) -> Json:
        check_bus("RemoveTargets", call.params)
        ids = call.params["Ids"]
        with self._rules.changing(call.params["Rule"]) as rule:
            known = {target["Id"] for target in rule["Targets"]}
            rule["Targets"] = [target for target in rule["Targets"] if target["Id"] not in ids]
        failed = [
            {"TargetId": name, "ErrorCode": "ResourceNotFoundException"}
            | {"ErrorMessage": f"Rule {rule['Name']} has no target {name}."}
            for name in ids
            if name not in known
        ]
        return {"FailedEntryCount": len(failed), "FailedEntries": failed}

    def list(self, call: Call) -> Json:
        check_bus("ListTargetsByRule", call.params)
        targets = self._rules.get(call.params["Rule"])["Targets"]
        return listed(call, "Targets", [(target["Id"], target) for target in targets])

    def rules_of(self, call: Call) -> Json:
        check_bus("ListRuleNamesByTarget", call.params)
        arn = call.params["TargetArn"]
        names = [
            (rule["Name"], rule["Name"])
            for rule in self._rules.all()
            if any(target["Arn"] == arn for target in rule["Targets"])
        ]
        return listed(call, "RuleNames", names)


def check_inputs(target: Json) -> None:
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
