"""What DataBrew's definitions have in common: names, ARNs, who and when, pages."""

from __future__ import annotations

from localaws.core.aws import LocalAws
from localaws.core.errors import AwsError
from localaws.core.pages import Pages
from localaws.shapes import Json


def not_found(what: str, name: str) -> AwsError:
    return AwsError("ResourceNotFoundException", f"{what} {name} not found.", 404)


def conflict(message: str) -> AwsError:
    return AwsError("ConflictException", message, 409)


def invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)


def arn(aws: LocalAws, kind: str, name: str) -> str:
    return f"arn:aws:databrew:{aws.region}:{aws.account}:{kind}/{name}"


def user(aws: LocalAws) -> str:
    return f"arn:aws:iam::{aws.account}:root"


def created(aws: LocalAws) -> Json:
    return {"CreateDate": aws.clock.now(), "CreatedBy": user(aws)} | modified(aws)


def modified(aws: LocalAws) -> Json:
    return {"LastModifiedDate": aws.clock.now(), "LastModifiedBy": user(aws)}


page = Pages(100, invalid).page
