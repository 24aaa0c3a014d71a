"""Brings the packages, the stack and the site to an endpoint; the same steps everywhere.

Said first: where to. Then what will change, and only then it is changed (`confirm`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from configuration.connection import Connection
from configuration.errors import DeploymentError
from configuration.settings import Settings
from executions.costs import of_plan
from infrastructure import (
    adoption,
    code_bucket,
    looks,
    names,
    packages,
    page,
    preview,
    versions,
)
from infrastructure.requests import definition, upload
from infrastructure.settling import settle
from infrastructure.stack import Say, find_stack, stack_outputs
from infrastructure.stack_states import STATES, Way
from infrastructure.words import Json
from tasks.functions import endpoint_changes, scaling

# What services answer to a role that was made some seconds ago, beside its being wrong:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html (changes are not always
# immediately visible)
FRESH_ROLE = (
    "cannot be assumed by Lambda",
    "authorized to assume the provided role",
    "must allow AWS EventBridge Scheduler to assume the role",
    "Service is unable to assume provided role",
    "is not authorized to access the Log Destination",
)
FRESH_ROLE_TRIES = 2
Confirm = Callable[[str], bool]


@dataclass(frozen=True)
class Deployment:
    """What a deployment put in place."""

    stack_name: str
    outputs: dict[str, str]
    changed: bool
    definition_sha256: str


def deploy(connection: Connection, say: Say, confirm: Confirm | None = None) -> Deployment:
    """Looks, uploads packages, shows what will change, changes it, uploads the site.

    `confirm` is asked before anything of the stack changes; None: nobody is. Raises
    DeploymentError with the resources that failed and why; the stack is then as it was before
    (CloudFormation rolls back), or gone if it was new.
    """
    cloudformation = connection.client("cloudformation")
    for line in where(connection):
        say(line)
    say(f"the endpoint, once a model is live: {standing(connection.settings)}")
    looks.look(connection, say)
    settle(cloudformation, connection.settings.stack_name, say)
    built, request = upload(connection, say)
    adopt(connection, say, confirm)
    changed = bring(connection, request, say, confirm)
    protect(connection)
    scale(connection, say)
    versions.go_live(connection, say)
    versions.prune(connection, say, "/".join(request["TemplateURL"].split("/")[-2:]))
    outputs = stack_outputs(connection)
    page.publish(connection.client("s3"), outputs, say)
    return Deployment(connection.settings.stack_name, outputs, changed, definition(built).sha256)


def bring(connection: Connection, request: Json, say: Say, confirm: Confirm | None) -> bool:
    """Brings the stack to the request; whether anything had to change. What AWS refused because a
    role was seconds old is done again, without a question."""
    cloudformation = connection.client("cloudformation")
    for tries_left in range(FRESH_ROLE_TRIES, 0, -1):
        planned = plan(cloudformation, request)
        if planned is None:
            return False
        try:
            change(connection, planned, say, confirm)
            return True
        except DeploymentError as error:
            if tries_left == 1 or not any(words in str(error) for words in FRESH_ROLE):
                raise
            say(f"{error}\nA new role is not known everywhere at once: again")
        settle(cloudformation, connection.settings.stack_name, say)
        confirm = None
    return True


def look_ahead(connection: Connection, say: Say) -> list[str]:
    """What `deploy` would change, line by line. The packages are uploaded, nothing else is done."""
    cloudformation = connection.client("cloudformation")
    for line in where(connection):
        say(line)
    say(f"the endpoint, once a model is live: {standing(connection.settings)}")
    looks.look(connection, say)
    stack = find_stack(cloudformation, connection.settings.stack_name)
    if stack is not None and STATES[stack["StackStatus"]].way is not Way.UPDATE:
        state = STATES[stack["StackStatus"]]
        return [f"stack is {stack['StackStatus']}: {state.words}; `rebuy deploy` will {state.way}"]
    _, request = upload(connection, say)
    kept = adoption.kept(connection)
    found = [f"  ^ {one.logical_id:<30} adopted: s3://{one.bucket}" for one in kept]
    planned = plan(cloudformation, request)
    if planned is None:
        return [*found, "nothing to change"]
    preview.discard(cloudformation, planned.arn, planned.stack_id)
    return [*found, *planned.lines(whole=True)]


def standing(settings: Settings) -> str:
    """What the endpoint of these settings costs while nobody asks it anything."""
    memory = settings.endpoint_memory_megabytes if settings.endpoint == "serverless" else None
    machines = settings.endpoint_instances_min
    line = of_plan.endpoint_month(settings.endpoint_instance_type, memory, machines)
    price = "of no known price" if line is None else f"{line.dollars:,.0f} USD a month"
    quantity = settings.endpoint_instance_type if line is None else line.quantity
    return f'{quantity}, {price} (`rebuy cost`; endpoint = "serverless" costs by the request)'


def where(connection: Connection) -> Iterator[str]:
    """What is about to be worked on: account, region, endpoint, stage, stack."""
    settings = connection.settings
    stage = f"stage {settings.stage}, " if settings.stage else ""
    profile = f", profile {settings.profile}" if settings.profile else ""
    yield (
        f"{stage}stack {settings.stack_name} in account {connection.account},"
        f" region {connection.region}, at {settings.endpoint_url or 'AWS'}{profile}"
    )


def adopt(connection: Connection, say: Say, confirm: Confirm | None) -> None:
    """Takes what an earlier stack of this name kept into this one, as it is; its settings come
    with the update that follows."""
    kept = adoption.kept(connection)
    if not kept:
        return
    for one in kept:
        say(f"s3://{one.bucket} is there already, kept by an earlier stack, and will be adopted")
    cloudformation = connection.client("cloudformation")
    request, template_ = adoption.request(connection, kept)
    package = packages.Package("", "adoption.json", template_)
    bucket = names.named(names.CODE, connection)
    code_bucket.upload(connection, bucket, [package], say)
    request["TemplateURL"] = code_bucket.url(connection, bucket, package.key)
    planned = preview.prepare(cloudformation, "IMPORT", request)
    if planned is not None:
        change(connection, planned, say, confirm)


def plan(cloudformation: Any, request: Json) -> preview.Preview | None:
    """The change set that brings the stack to the request; None when it is there."""
    stack = find_stack(cloudformation, request["StackName"])
    new = stack is None or STATES[stack["StackStatus"]].way is Way.CREATE
    more = {"OnStackFailure": "ROLLBACK"} if new else {}
    return preview.prepare(cloudformation, "CREATE" if new else "UPDATE", {**request, **more})


def change(
    connection: Connection, planned: preview.Preview, say: Say, confirm: Confirm | None
) -> None:
    """Shows it, asks, and does it."""
    cloudformation = connection.client("cloudformation")
    for line in planned.lines():
        say(line)
    if confirm is not None and not confirm(f"Do this at {connection.where}?"):
        preview.discard(cloudformation, planned.arn, planned.stack_id)
        raise DeploymentError("Nothing was changed.")
    preview.execute(cloudformation, planned, say)


def scale(connection: Connection, say: Say) -> None:
    """Has an endpoint that is there scaled as the settings say; a run does it for a new one."""
    settings, name = connection.settings, names.named(names.ENDPOINT, connection)
    client = connection.client("application-autoscaling")
    if settings.endpoint_scaling is None:
        scaling.off(client, name)
    elif endpoint_changes.look(connection.client("sagemaker"), name).status == "InService":
        bounds = scaling.Bounds(*settings.endpoint_scaling)
        scaling.on(client, name, bounds)
        say(f"the endpoint has {bounds.least} to {bounds.most} machines")


def protect(connection: Connection) -> None:
    """Has CloudFormation refuse to delete the stack, or no longer, as the settings say."""
    settings = connection.settings
    cloudformation = connection.client("cloudformation")
    stack = find_stack(cloudformation, settings.stack_name) or {}
    wanted = settings.termination_protection
    if stack.get("EnableTerminationProtection", False) != wanted:
        cloudformation.update_termination_protection(
            StackName=settings.stack_name, EnableTerminationProtection=wanted
        )
