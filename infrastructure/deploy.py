"""Brings the packages, the stack and the site to an endpoint; the same steps everywhere.

Said first: where to. Then what will change, and only then it is changed (`confirm`).
"""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
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
    preview,
    releases,
    versions,
)
from infrastructure.stack import Say, find_stack, follow, newest_event, stack_outputs, wait
from infrastructure.stack_states import STATES, Way, way_out
from infrastructure.words import Json

SITE = Path(__file__).resolve().parent.parent / "site"
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
    versions.go_live(connection, say)
    versions.prune(connection, say, "/".join(request["TemplateURL"].split("/")[-2:]))
    outputs = stack_outputs(connection)
    publish_site(connection.client("s3"), outputs, say)
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
    line = of_plan.endpoint_month(settings.endpoint_instance_type, memory)
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


def settle(cloudformation: Any, name: str, say: Say) -> None:
    """Brings the stack to a state in which it can be created or updated: waits for what is at work,
    takes away what could not be created, goes on with a rollback that hangs.

    Raises DeploymentError with a way out where that does not help.
    """
    tried: set[str] = set()
    while (stack := find_stack(cloudformation, name)) is not None:
        status = str(stack["StackStatus"])
        state = STATES[status]
        if state.way in (Way.CREATE, Way.UPDATE):
            return
        say(f"stack {name} is {status}: {state.words}")
        seen = newest_event(cloudformation, name)
        if status in tried:
            raise DeploymentError(f"Stack {name} stays {status}. {way_out(status, name)}")
        if state.way is Way.REMOVE:
            tried.add(status)
            say("remove the stack that could not be created")
            cloudformation.delete_stack(StackName=name)
            # By its id: the name of a deleted stack names nothing any more.
            wait(cloudformation, stack["StackId"], seen, say)
            continue
        if state.way is Way.CONTINUE:
            tried.add(status)
            cloudformation.continue_update_rollback(StackName=name)
        follow(cloudformation, stack["StackId"], seen, say)


def upload(connection: Connection, say: Say) -> tuple[list[packages.Package], Json]:
    """Puts packages and template into the code bucket; (packages, request for a change set)."""
    bucket = code_bucket.ensure(connection)
    built, stack, request = prepared(connection)
    code_bucket.upload(connection, bucket, [*built, stack], say)
    return built, request


def prepared(connection: Connection) -> tuple[list[packages.Package], packages.Package, Json]:
    """(packages, the template's own, the change set's request once they are uploaded)."""
    settings, bucket = connection.settings, names.named(names.CODE, connection)
    built, stack = packages.build(settings.source), packages.of_template()
    parameters = stack_parameters(settings, bucket, built)
    release = releases.named(connection, bucket, [parameters, stack.key])
    built = releases.placed(built, release)
    parameters = stack_parameters(settings, bucket, built) | {"Release": release.id}
    stage = {"stage": settings.stage} if settings.stage else {}
    tags = {"application": "rebuy", **stage, **settings.tags}
    request = {
        "StackName": settings.stack_name,
        "TemplateURL": code_bucket.url(connection, bucket, stack.key),
        "Parameters": [
            {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
        ],
        "Capabilities": ["CAPABILITY_IAM"],
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
    }
    return built, stack, request


def stack_parameters(
    settings: Settings, bucket: str, built: Sequence[packages.Package]
) -> dict[str, str]:
    """The template's parameters for these settings and packages."""
    return {
        **{package.parameter: package.key for package in built},
        "CodeBucket": bucket,
        "DefinitionSha256": definition(built).sha256,
        "DatabaseName": settings.database_name,
        "FiveTables": "raw" if settings.source is None else "mapped",
        "TrainingInstanceType": settings.training_instance_type,
        "EndpointKind": settings.endpoint,
        "EndpointInstanceType": settings.endpoint_instance_type,
        "EndpointMemoryMegabytes": str(settings.endpoint_memory_megabytes),
        "EndpointConcurrency": str(settings.endpoint_concurrency),
        "QueryLimitBytes": str(settings.query_limit_bytes),
        "PermissionsBoundary": settings.permissions_boundary,
        "SiteKind": settings.site,
        "ApiAuthorizer": settings.api_authorizer,
        "JwtIssuer": settings.jwt_issuer,
        "JwtAudience": settings.jwt_audience,
        "ApiConcurrency": str(settings.api_concurrency),
        "UploadTrigger": settings.upload_trigger,
        "SettleSeconds": str(settings.settle_seconds),
        "ScheduleState": settings.schedule_state,
        "ScheduleExpression": settings.schedule_expression,
        "ScheduleTimezone": settings.schedule_timezone,
        "NotificationEmail": settings.notification_email,
    }


def definition(built: Sequence[packages.Package]) -> packages.Package:
    return next(package for package in built if package.parameter == "DefinitionKey")


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


def publish_site(s3: Any, outputs: dict[str, str], say: Say) -> None:
    """Uploads the page, and config.json with the API's address, which the page reads."""
    if "SiteBucket" not in outputs:
        return
    say("upload the site")
    files = {
        file.relative_to(SITE).as_posix(): file.read_bytes()
        for file in sorted(SITE.rglob("*"))
        if file.is_file()
    }
    files["config.json"] = json.dumps({"apiUrl": outputs["ApiUrl"]}).encode()
    for name, body in files.items():
        s3.put_object(
            Bucket=outputs["SiteBucket"],
            Key=name,
            Body=body,
            ContentType=mimetypes.guess_type(name)[0] or "application/octet-stream",
            CacheControl="no-cache",
        )
