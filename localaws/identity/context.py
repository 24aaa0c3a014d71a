"""The global condition keys of a request.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
Absent, as nothing here has them: source VPCs, organizations, MFA, and tags of resources.
"""

from __future__ import annotations

from datetime import datetime

from localaws.identity.actions.asked import Asked, Place
from localaws.identity.caller import Caller
from localaws.identity.policy.request import Value
from localaws.shapes import Json


def context_of(
    caller: Caller, asked: Asked, place: Place, now: datetime, entity: Json | None, user_id: str
) -> dict[str, Value]:
    """`entity` is the caller's user or role as it is kept; `user_id` its aws:userid."""
    keys: dict[str, Value] = {
        "aws:currenttime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:epochtime": str(int(now.timestamp())),
        # There is no TLS on the loopback; policies that want it must not lock everybody out.
        "aws:securetransport": "true",
        "aws:requestedregion": place.region,
        "aws:resourceaccount": place.account,
        "aws:viaawsservice": "false",
    }
    if caller.is_service:
        keys |= {
            "aws:principalisawsservice": "true",
            "aws:principalservicename": caller.arn,
            "aws:principalservicenameslist": (caller.arn,),
            "aws:sourceaccount": caller.account,
        }
        if caller.source_arn:
            keys["aws:sourcearn"] = caller.source_arn
        return keys | asked.keys
    if caller.is_anonymous:
        return keys | {"aws:principaltype": "Anonymous", "aws:sourceip": "127.0.0.1"} | asked.keys
    keys |= {
        "aws:principalaccount": caller.account,
        "aws:principalisawsservice": "false",
        "aws:userid": user_id,
        "aws:principalarn": entity["shape"]["Arn"] if entity else caller.arn,
        "aws:principaltype": _kind(caller),
    }
    if caller.user_name is not None:
        keys["aws:username"] = caller.user_name
    for tag in entity["shape"].get("Tags", []) if entity else ():
        keys[f"aws:principaltag/{tag['Key']}".lower()] = tag["Value"]
    if caller.via is not None and caller.via != caller.assumed_by:
        keys |= {
            "aws:viaawsservice": "true",
            "aws:calledvia": (caller.via,),
            "aws:calledviafirst": caller.via,
            "aws:calledvialast": caller.via,
        }
    elif caller.via is None:
        keys["aws:sourceip"] = "127.0.0.1"
    return keys | asked.keys


def _kind(caller: Caller) -> str:
    if caller.is_root:
        return "Account"
    return "AssumedRole" if caller.role_name is not None else "User"
