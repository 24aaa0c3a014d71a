"""What a state machine's role must allow before there is a machine: Step Functions asks in its
name when it makes or changes one, and never by a call that is seen here.
"""

from __future__ import annotations

import re

from localaws.core.aws import LocalAws
from localaws.errors import AwsError
from localaws.identity.actions.asked import Asked
from localaws.identity.caller import root
from localaws.shapes import Json

STATES = "states.amazonaws.com"
# docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html#cloudwatch-iam-policy
LOG_DELIVERY = (
    *("CreateLogDelivery", "GetLogDelivery", "UpdateLogDelivery", "DeleteLogDelivery"),
    *("ListLogDeliveries", "PutResourcePolicy", "DescribeResourcePolicies", "DescribeLogGroups"),
)
# The rule that tells Step Functions of a job's end:
# docs.aws.amazon.com/step-functions/latest/dg/service-integration-iam-templates.html
MANAGED_RULES = {
    "sagemaker:createTrainingJob.sync": "StepFunctionsGetEventsForSageMakerTrainingJobsRule",
    "sagemaker:createHyperParameterTuningJob.sync": (
        "StepFunctionsGetEventsForSageMakerTuningJobsRule"
    ),
    "sagemaker:createTransformJob.sync": "StepFunctionsGetEventsForSageMakerTransformJobsRule",
    "states:startExecution.sync": "StepFunctionsGetEventsForStepFunctionsExecutionRule",
}
RESOURCE = re.compile(r'"Resource"\s*:\s*"arn:[^:]*:states:::([^"]+)"')


class RoleChecks:
    """For the definition and settings of one state machine."""

    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws

    def check(self, name: str, role_arn: str, definition: str, logging: Json) -> None:
        """Raises AccessDeniedException."""
        machine = f"arn:aws:states:{self._aws.region}:{self._aws.account}:stateMachine:{name}"
        acting = self._aws.acting_as_role(role_arn, "StepFunctions", STATES, machine)
        if logging.get("level", "OFF") != "OFF" and logging.get("destinations"):
            self._ask(
                acting,
                [Asked(f"logs:{action}") for action in LOG_DELIVERY],
                "The state machine IAM Role is not authorized to access the Log Destination",
            )
        for rule in sorted(rules_of(definition)):
            arn = f"arn:aws:events:{self._aws.region}:{self._aws.account}:rule/{rule}"
            self._ask(
                acting,
                [Asked(f"events:{action}", arn) for action in RULE_ACTIONS],
                f"'{role_arn}' is not authorized to create managed-rule.",
            )

    def log_group_exists(self, group: str) -> bool:
        whole = self._aws.acting(root(self._aws.account)).client("logs")
        found = whole.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
        return any(entry["logGroupName"] == group for entry in found)

    def _ask(self, acting: LocalAws, asked: list[Asked], words: str) -> None:
        for one in asked:
            try:
                self._aws.authorize.ask(acting.caller, "stepfunctions", one)
            except AwsError as error:
                raise AwsError("AccessDeniedException", words) from error


RULE_ACTIONS = ("PutTargets", "PutRule", "DescribeRule")


def rules_of(definition: str) -> set[str]:
    """The managed rules that the Tasks of a definition need."""
    found = (re.sub(r"\.sync:2$", ".sync", name) for name in RESOURCE.findall(definition))
    return {MANAGED_RULES[name] for name in found if name in MANAGED_RULES}
