"""Whether the roles allow what a run asks: simulated with the policies of the template."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from localaws.identity.actions.asked import Asked, Place
from localaws.identity.actions.table import asked
from localaws.identity.least_privilege import request_of
from localaws.identity.policy.document import Policy, compile_policy
from localaws.identity.policy.evaluation import Policies, evaluate
from localaws.identity.uses import Use
from localaws.stepfunctions.integrations import models
from rebuy.validation import calls, recorded_calls, stack
from rebuy.validation.findings import Finding
from rebuy.validation.product import Product
from rebuy.validation.rehearsal import Rehearsal, handler_file

Json = dict[str, Any]
PLACE = Place(stack.REGION, stack.ACCOUNT)
# What Step Functions calls by itself to follow a job of `.sync`, and to stop it.
# https://docs.aws.amazon.com/step-functions/latest/dg/service-integration-iam-templates.html
FOLLOWED: dict[tuple[str, str], tuple[str, ...]] = {
    ("athena", "startQueryExecution"): ("GetQueryExecution", "StopQueryExecution"),
    ("glue", "startJobRun"): ("GetJobRun", "GetJobRuns", "BatchStopJobRun"),
    ("databrew", "startJobRun"): ("ListJobRuns", "StopJobRun"),
    ("sagemaker", "createTrainingJob"): ("DescribeTrainingJob", "StopTrainingJob"),
    ("sagemaker", "createHyperParameterTuningJob"): (
        "DescribeHyperParameterTuningJob",
        "StopHyperParameterTuningJob",
    ),
}
RULE = "arn:aws:events:{}:{}:rule/StepFunctionsGetEventsForSageMaker{}JobsRule"
RULED = {"createTrainingJob": "Training", "createHyperParameterTuningJob": "Tuning"}
# Reached by reading a function's source, never called.
UNCALLED = {"RollBack": {"create_endpoint"}}  # it never decides on what changes.call knows


def check(product: Product, rehearsal: Rehearsal) -> Iterator[Finding]:
    found = policies(product)
    yield from _of_states(product, rehearsal, found)
    yield from _of_functions(product, found)
    yield from _passed(product, rehearsal, found)
    yield from _recorded(product, found)


def policies(product: Product) -> dict[str, list[Policy]]:
    """Logical name of each role to its policies, with names filled in."""
    return {
        logical: [
            compile_policy(logical, json.dumps(policy["PolicyDocument"]))
            for policy in properties.get("Policies", [])
        ]
        for logical, properties in product.stack.of_type("AWS::IAM::Role").items()
    }


def allowed(role: str, one: Asked, own: Sequence[Policy]) -> bool:
    arn = f"arn:aws:iam::{stack.ACCOUNT}:role/{role}"
    use = Use(arn, one.action, one.resource, tuple(sorted(one.keys.items())))
    return evaluate(request_of(use), Policies(identity=own)).allowed


def _of_states(
    product: Product, rehearsal: Rehearsal, found: dict[str, list[Policy]]
) -> Iterator[Finding]:
    """What the state machine's role is asked for each request, and to follow its job."""
    role = product.stack.role_of(str(product.stack.machine()[1].get("RoleArn", "")))
    if role is None:
        return
    told: set[tuple[str, str]] = set()
    for call in rehearsal.calls:
        for one in _asked(call.resource, call.arguments):
            if (one.action, one.resource) in told or allowed(role, one, found[role]):
                continue
            told.add((one.action, one.resource))
            file, line = product.where_resource(role)
            yield Finding(
                file,
                line,
                f"{role} may not {one.action} on {one.resource}, which State {call.state!r} needs.",
                f"Allow {one.action} on it in infrastructure/roles.py.",
            )


def _asked(resource: Any, arguments: Any) -> Iterator[Asked]:
    if resource.is_activity or resource.is_http or not isinstance(arguments, dict):
        return
    name = models.botocore_name(resource.service)
    if name is None or models.operation_model(name, resource.operation) is None:
        return
    yield from asked(name, resource.operation, arguments, PLACE)
    if not resource.pattern.startswith("sync"):
        return
    for operation in FOLLOWED.get((resource.service, resource.action), ()):
        yield from asked(name, operation, arguments, PLACE)
    if resource.service == "sagemaker" and resource.action in RULED:
        rule = RULE.format(stack.REGION, stack.ACCOUNT, RULED[resource.action])
        for action in ("PutTargets", "PutRule", "DescribeRule"):
            yield Asked(f"events:{action}", rule)


def _of_functions(product: Product, found: dict[str, list[Policy]]) -> Iterator[Finding]:
    """Every call that a function's source can reach, by its action: on which resources it may be
    made only a run can say."""
    for logical, properties in product.stack.of_type("AWS::Lambda::Function").items():
        role = product.stack.role_of(str(properties.get("Role", "")))
        module = str(properties["Handler"]).rpartition(".")[0]
        if role is None or handler_file(properties) not in product.files:
            continue
        actions = {
            action.lower()
            for policy in found[role]
            for statement in policy.statements
            if statement.allows
            for action in _listed(json.loads(statement.text).get("Action", []))
        }
        for method, possible in calls.actions_of(product.files, module).items():
            if method in UNCALLED.get(logical, ()) or any(_covered(p, actions) for p in possible):
                continue
            file, line = product.where_resource(logical)
            yield Finding(
                file,
                line,
                f"{role} may not {' or '.join(sorted(possible))}, which {module.split('.')[-1]} "
                "calls.",
                "Grant it in infrastructure/deployables.py, or call it no more.",
            )


def _covered(action: str, granted: set[str]) -> bool:
    service = action.split(":")[0].lower()
    return action.lower() in granted or f"{service}:*" in granted or "*" in granted


def _listed(value: Any) -> list[str]:
    return [str(one) for one in (value if isinstance(value, list) else [value])]


def _passed(
    product: Product, rehearsal: Rehearsal, found: dict[str, list[Policy]]
) -> Iterator[Finding]:
    """A role that a request hands to a service lets that service take it."""
    told: set[tuple[str, str]] = set()
    for call in rehearsal.calls:
        for one in _asked(call.resource, call.arguments):
            if one.action != "iam:PassRole":
                continue
            service = str(one.keys.get("iam:passedtoservice", ""))
            role = product.stack.role_of(one.resource)
            if role is None or (role, service) in told:
                continue
            told.add((role, service))
            trust = product.stack.resolve(
                product.stack.resources[role]["Properties"]["AssumeRolePolicyDocument"]
            )
            if service not in json.dumps(trust):
                file, line = product.where_resource(role)
                yield Finding(
                    file,
                    line,
                    f"{role} does not trust {service}, to which State {call.state!r} hands it.",
                    f"Name {service} in its trust policy.",
                )


def _recorded(product: Product, found: dict[str, list[Policy]]) -> Iterator[Finding]:
    """What recorded runs asked, services inside of roles included."""
    uses = recorded_calls.read(lambda role: f"arn:aws:iam::{stack.ACCOUNT}:role/{role}")
    for role, asked_of_role in uses.items():
        if role not in found:
            continue
        told: set[str] = set()
        for use in asked_of_role:
            decision = evaluate(request_of(use), Policies(identity=found[role]))
            if decision.allowed or use.action in told:
                continue
            told.add(use.action)
            via = " ".join(str(value) for key, value in use.keys if key == "aws:calledvia")
            file, line = product.where_resource(role)
            yield Finding(
                file,
                line,
                f"{role} may not {use.action} on {use.resource}, which a run needs"
                + (f" ({via})." if via else "."),
                "Allow it, or record runs anew if none needs it any more (docs/iam.md).",
            )
