"""iam:PassRole: which operations hand a role to a service, and to which one.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html; no list of all
services is published, so this one has those of the operations here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from localaws.identity.actions.asked import Asked, Place
from localaws.identity.caller import role_arn
from localaws.shapes import Json

# (service, operation) to (the role's parameter, the service that it is passed to). A dot goes into
# a member, through lists too.
PASSES: dict[tuple[str, str], tuple[str, str]] = {
    ("apigatewayv2", "CreateIntegration"): ("CredentialsArn", "apigateway"),
    ("apigatewayv2", "UpdateIntegration"): ("CredentialsArn", "apigateway"),
    ("cloudformation", "ContinueUpdateRollback"): ("RoleARN", "cloudformation"),
    ("cloudformation", "CreateChangeSet"): ("RoleARN", "cloudformation"),
    ("cloudformation", "CreateStack"): ("RoleARN", "cloudformation"),
    ("cloudformation", "DeleteStack"): ("RoleARN", "cloudformation"),
    ("cloudformation", "UpdateStack"): ("RoleARN", "cloudformation"),
    ("databrew", "CreateProfileJob"): ("RoleArn", "databrew"),
    ("databrew", "CreateProject"): ("RoleArn", "databrew"),
    ("databrew", "CreateRecipeJob"): ("RoleArn", "databrew"),
    ("databrew", "UpdateProfileJob"): ("RoleArn", "databrew"),
    ("databrew", "UpdateProject"): ("RoleArn", "databrew"),
    ("databrew", "UpdateRecipeJob"): ("RoleArn", "databrew"),
    ("events", "PutRule"): ("RoleArn", "events"),
    ("events", "PutTargets"): ("Targets.RoleArn", "events"),
    ("glue", "CreateCrawler"): ("Role", "glue"),
    ("glue", "CreateJob"): ("Role", "glue"),
    ("glue", "UpdateCrawler"): ("Role", "glue"),
    ("glue", "UpdateJob"): ("JobUpdate.Role", "glue"),
    ("lambda", "CreateFunction"): ("Role", "lambda"),
    ("lambda", "UpdateFunctionConfiguration"): ("Role", "lambda"),
    ("sagemaker", "CreateHyperParameterTuningJob"): ("TrainingJobDefinition.RoleArn", "sagemaker"),
    ("sagemaker", "CreateModel"): ("ExecutionRoleArn", "sagemaker"),
    ("sagemaker", "CreateTrainingJob"): ("RoleArn", "sagemaker"),
    ("scheduler", "CreateSchedule"): ("Target.RoleArn", "scheduler"),
    ("scheduler", "UpdateSchedule"): ("Target.RoleArn", "scheduler"),
    ("stepfunctions", "CreateStateMachine"): ("roleArn", "states"),
    ("stepfunctions", "TestState"): ("roleArn", "states"),
    ("stepfunctions", "UpdateStateMachine"): ("roleArn", "states"),
}


@dataclass(frozen=True)
class Passed:
    role: str  # its ARN
    principal: str  # glue.amazonaws.com


def roles(service: str, operation: str, params: Json, account: str) -> list[Passed]:
    """The roles that the operation hands over."""
    found = PASSES.get((service, operation))
    if found is None:
        return []
    path, to = found
    return [
        Passed(role_arn(account, role), f"{to}.amazonaws.com")
        for role in _members(params, path.split("."))
    ]


def passed(service: str, operation: str, params: Json, place: Place) -> list[Asked]:
    return [
        Asked("iam:PassRole", one.role, {"iam:passedtoservice": one.principal})
        for one in roles(service, operation, params, place.account)
    ]


def _members(value: object, path: list[str]) -> Iterator[str]:
    if isinstance(value, list):
        for member in value:
            yield from _members(member, path)
    elif not path:
        if isinstance(value, str) and value:
            yield value
    elif isinstance(value, dict):
        yield from _members(value.get(path[0]), path[1:])
