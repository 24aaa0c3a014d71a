"""Brings the packages, the stack and the site to an endpoint; the same steps everywhere."""

from __future__ import annotations

import base64
import json
import mimetypes
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infrastructure import names, packages, template
from infrastructure.stack import Say, find_stack, newest_event, stack_outputs, wait
from rebuy.connection import Connection
from rebuy.settings import Settings

SITE = Path(__file__).resolve().parent.parent / "site"


@dataclass(frozen=True)
class Deployment:
    """What a deployment put in place."""

    stack_name: str
    outputs: dict[str, str]
    changed: bool
    definition_sha256: str


def deploy(connection: Connection, say: Say) -> Deployment:
    """Uploads packages, creates or updates the stack, waits, uploads the site.

    Raises DeploymentError with the resources that failed and why; the stack is then as it was
    before (CloudFormation rolls back), or gone if it was new.
    """
    settings = connection.settings
    built = packages.build()
    bucket = code_bucket(connection)
    body = template.template_bytes()
    stack = packages.Package("", "template.json", body)
    upload(connection.client("s3"), bucket, [*built, stack], say)
    parameters = stack_parameters(settings, bucket, built)
    changed = apply(
        connection.client("cloudformation"),
        settings.stack_name,
        template_url(connection, bucket, stack.key),
        parameters,
        say,
    )
    outputs = stack_outputs(connection)
    publish_site(connection.client("s3"), outputs, say)
    return Deployment(settings.stack_name, outputs, changed, parameters["DefinitionSha256"])


def stack_parameters(
    settings: Settings, bucket: str, built: Sequence[packages.Package]
) -> dict[str, str]:
    """The template's parameters for these settings and packages."""
    found = {package.parameter: package.key for package in built}
    definition = next(package for package in built if package.parameter == "DefinitionKey")
    return {
        **found,
        "CodeBucket": bucket,
        "DefinitionSha256": definition.sha256,
        "DatabaseName": settings.database_name,
        "TrainingInstanceType": settings.training_instance_type,
        "EndpointInstanceType": settings.endpoint_instance_type,
        "UploadTrigger": settings.upload_trigger,
        "SettleSeconds": str(settings.settle_seconds),
        "ScheduleState": settings.schedule_state,
        "ScheduleExpression": settings.schedule_expression,
        "ScheduleTimezone": settings.schedule_timezone,
        "NotificationEmail": settings.notification_email,
    }


def code_bucket(connection: Connection) -> str:
    """The bucket of the packages, made when it is missing: the stack's parts are in it before
    there is a stack. Private, encrypted, and named after the account and region."""
    account = connection.client("sts").get_caller_identity()["Account"]
    name = names.filled(names.CODE, connection.settings.stack_name, account, connection.region)
    s3 = connection.client("s3")
    try:
        s3.head_bucket(Bucket=name)
        return name
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] not in ("404", "NoSuchBucket"):
            raise
    where = {}
    if connection.region != "us-east-1":  # which alone takes no location
        where = {"CreateBucketConfiguration": {"LocationConstraint": connection.region}}
    s3.create_bucket(Bucket=name, **where)
    s3.put_public_access_block(
        Bucket=name,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "BlockPublicPolicy": True,
            "IgnorePublicAcls": True,
            "RestrictPublicBuckets": True,
        },
    )
    return name


def upload(s3: Any, bucket: str, built: Iterable[packages.Package], say: Say) -> None:
    """Puts the packages that are not there yet; a key is the hash of its content."""
    listed = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    there = {entry["Key"] for page in listed for entry in page.get("Contents", [])}
    for package in built:
        if package.key in there:
            continue
        say(f"upload {package.name} ({len(package.content):,} bytes)")
        s3.put_object(
            Bucket=bucket,
            Key=package.key,
            Body=package.content,
            ChecksumSHA256=base64.b64encode(bytes.fromhex(package.sha256)).decode(),
        )


def template_url(connection: Connection, bucket: str, key: str) -> str:
    """Where CloudFormation finds the template: it is too large to be sent inline."""
    settings = connection.settings
    if settings.endpoint_url is not None:
        return f"{settings.endpoint_url.rstrip('/')}/{bucket}/{key}"
    region = connection.region
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"https://{bucket}.s3.{region}.{suffix}/{key}"


def apply(cloudformation: Any, name: str, url: str, parameters: dict[str, str], say: Say) -> bool:
    """Creates or updates the stack and waits for it; False when there was nothing to change."""
    request = {
        "StackName": name,
        "TemplateURL": url,
        "Parameters": [
            {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
        ],
        "Capabilities": ["CAPABILITY_IAM"],
    }
    before = find_stack(cloudformation, name)
    if before is not None and before["StackStatus"] == "ROLLBACK_COMPLETE":
        say("remove the stack that could not be created")
        cloudformation.delete_stack(StackName=name)
        wait(cloudformation, before["StackId"], None, say)
        before = None
    seen = newest_event(cloudformation, name) if before else None
    if before is None:
        say(f"create stack {name}")
        cloudformation.create_stack(**request, OnFailure="ROLLBACK")
    else:
        say(f"update stack {name}")
        try:
            cloudformation.update_stack(**request)
        except cloudformation.exceptions.ClientError as error:
            if "No updates are to be performed" in error.response["Error"]["Message"]:
                return False
            raise
    wait(cloudformation, name, seen, say)
    return True


def publish_site(s3: Any, outputs: dict[str, str], say: Say) -> None:
    """Uploads the page, and config.json with the API's address, which the page reads."""
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
