"""What DataBrew's definitions have in common: names, ARNs, who and when, pages."""

from __future__ import annotations

import re

from localaws.core.aws import LocalAws
from localaws.core.pages import Pages
from localaws.core.service import Call
from localaws.errors import AwsError
from localaws.identity.caller import Caller
from localaws.shapes import Json


def not_found(what: str, name: str) -> AwsError:
    return AwsError("ResourceNotFoundException", f"{what} {name} not found.", 404)


def existing(aws: LocalAws, what: str, name: str) -> Json:
    """The definition of this name; `what` is Dataset, Job, ... Raises ResourceNotFoundException."""
    found = aws.documents.get(f"databrew-{what.lower()}", name)
    if found is None:
        raise not_found(what, name)
    return found


def conflict(message: str) -> AwsError:
    return AwsError("ConflictException", message, 409)


def invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)


def arn(aws: LocalAws, kind: str, name: str) -> str:
    return f"arn:aws:databrew:{aws.region}:{aws.account}:{kind}/{name}"


_NAME = re.compile(r"[A-Za-z0-9\-. ]{1,255}")


def named(what: str, call: Call) -> str:
    """The Name of a new definition. Raises ValidationException for what DataBrew does not allow,
    letters, digits, hyphens, periods and blanks (the model has no pattern)."""
    name = str(call.params["Name"])
    if not _NAME.fullmatch(name):
        raise invalid(
            f"The {what} name {name!r} is not valid. A name has up to 255 of letters, digits,"
            " hyphens, periods and blanks."
        )
    return name


def created(aws: LocalAws, caller: Caller) -> Json:
    return {"CreateDate": aws.clock.now(), "CreatedBy": caller.arn} | modified(aws, caller)


def modified(aws: LocalAws, caller: Caller) -> Json:
    return {"LastModifiedDate": aws.clock.now(), "LastModifiedBy": caller.arn}


page = Pages(100, invalid).page
