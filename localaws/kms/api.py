"""Keys of AWS KMS: who may use them is decided here; nothing is encrypted with them.

https://docs.aws.amazon.com/kms/latest/APIReference/Welcome.html. S3 asks for `kms:Decrypt` and
`kms:GenerateDataKey` of the key that an object lies under, and its state. Encrypt, Decrypt and the
other operations on data are refused: the bytes on this disk are as they are.
"""

from __future__ import annotations

import json
import uuid
from contextlib import AbstractContextManager
from datetime import timedelta

from localaws.core.aws import LocalAws
from localaws.core.pages import page
from localaws.core.service import Call, Service
from localaws.errors import AwsError, NotEmulated
from localaws.identity.actions.asked import Asked
from localaws.shapes import Json

KIND = "kms-key"  # documents: id -> {"metadata", "policy", "tags"}
PAGE = 100
WAITING_DAYS = range(7, 31)
POLICY_NAME = "default"


def service(aws: LocalAws) -> Service:
    built = Service(
        "kms",
        notes="Symmetric keys alone. A key's policy has to leave the account's roles to IAM (a"
        " statement that allows `kms:*` to the account's root, without a condition), as the one"
        " that KMS itself writes does.",
    )
    keys = Keys(aws)
    keys.register(built)
    aws.authorize.resource_policies["kms"] = keys.policy_of
    return built


class Keys:
    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws
        self._documents = aws.documents

    def register(self, service: Service) -> None:
        take = service.operation
        take("CreateKey", "Description", "KeySpec", "KeyUsage", "Policy", "Tags")(self.create)
        take("DescribeKey", "KeyId")(self.describe)
        take("ListKeys", "Limit", "Marker")(self.list)
        take("ListResourceTags", "KeyId")(self.tags)
        take("GetKeyPolicy", "KeyId", "PolicyName")(self.policy)
        take("PutKeyPolicy", "KeyId", "PolicyName", "Policy")(self.put_policy)
        take("EnableKey", "KeyId")(self.enable)
        take("DisableKey", "KeyId")(self.disable)
        take("ScheduleKeyDeletion", "KeyId", "PendingWindowInDays")(self.schedule_deletion)
        take("CancelKeyDeletion", "KeyId")(self.cancel_deletion)

    def create(self, call: Call) -> Json:
        given, aws = call.params, self._aws
        for member, only in (("KeySpec", "SYMMETRIC_DEFAULT"), ("KeyUsage", "ENCRYPT_DECRYPT")):
            if given.get(member, only) != only:
                raise NotEmulated("kms", "CreateKey", member, f"Taken is {only}.")
        policy = given.get("Policy") or json.dumps(self._own_policy())
        self._check_policy("CreateKey", policy)
        name = str(uuid.uuid4())
        metadata = {
            "AWSAccountId": aws.account,
            "KeyId": name,
            "Arn": self._arn(name),
            "CreationDate": aws.clock.now(),
            "Enabled": True,
            "Description": given.get("Description", ""),
            "KeyUsage": "ENCRYPT_DECRYPT",
            "KeyState": "Enabled",
            "Origin": "AWS_KMS",
            "KeyManager": "CUSTOMER",
            "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
            "KeySpec": "SYMMETRIC_DEFAULT",
            "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
            "MultiRegion": False,
        }
        kept = {"metadata": metadata, "policy": policy, "tags": given.get("Tags", [])}
        self._documents.put(KIND, name, kept)
        return {"KeyMetadata": metadata}

    def describe(self, call: Call) -> Json:
        return {"KeyMetadata": self._find(call.params["KeyId"])["metadata"]}

    def list(self, call: Call) -> Json:
        there = (
            (name, {"KeyId": name, "KeyArn": self._arn(name)})
            for name, _ in self._documents.items(KIND)
        )
        most = int(call.params.get("Limit", PAGE))
        found = page(there, call.params.get("Marker"), most, invalid=_invalid_marker)
        more = found.next("NextMarker")
        return {"Keys": found.items, "Truncated": bool(more), **more}

    def tags(self, call: Call) -> Json:
        return {"Tags": self._find(call.params["KeyId"])["tags"], "Truncated": False}

    def policy(self, call: Call) -> Json:
        return {"Policy": self._find(call.params["KeyId"])["policy"], "PolicyName": POLICY_NAME}

    def put_policy(self, call: Call) -> None:
        self._check_policy("PutKeyPolicy", call.params["Policy"])
        with self._changing(call) as key:
            key["policy"] = call.params["Policy"]

    def enable(self, call: Call) -> None:
        self._state(call, "Enabled")

    def disable(self, call: Call) -> None:
        self._state(call, "Disabled")

    def schedule_deletion(self, call: Call) -> Json:
        days = int(call.params.get("PendingWindowInDays", WAITING_DAYS[-1]))
        if days not in WAITING_DAYS:
            raise AwsError("ValidationException", "PendingWindowInDays must be 7 to 30.")
        ends = self._aws.clock.now() + timedelta(days=days)
        with self._changing(call) as key:
            key["metadata"] |= {
                "KeyState": "PendingDeletion", "Enabled": False, "DeletionDate": ends
            }  # fmt: skip
            arn = key["metadata"]["Arn"]
        return {
            "KeyId": arn, "DeletionDate": ends, "KeyState": "PendingDeletion",
            "PendingWindowInDays": days,
        }  # fmt: skip

    def cancel_deletion(self, call: Call) -> Json:
        with self._changing(call) as key:
            if key["metadata"].pop("DeletionDate", None) is None:
                raise AwsError(
                    "KMSInvalidStateException", f"{key['metadata']['Arn']} is not pending deletion."
                )
            key["metadata"] |= {"KeyState": "Disabled", "Enabled": False}
            return {"KeyId": key["metadata"]["Arn"]}

    def policy_of(self, arn: str) -> str | None:
        """The key's policy, for whoever asks to use it."""
        found = self._documents.get(KIND, arn.rpartition("/")[2])
        return None if found is None else str(found["policy"])

    def _state(self, call: Call, state: str) -> None:
        with self._changing(call) as key:
            if key["metadata"]["KeyState"] == "PendingDeletion":
                raise AwsError(
                    "KMSInvalidStateException",
                    f"{key['metadata']['Arn']} is pending deletion.",
                )
            key["metadata"] |= {"KeyState": state, "Enabled": state == "Enabled"}

    def _changing(self, call: Call) -> AbstractContextManager[Json]:
        name = call.params["KeyId"].rpartition("/")[2]
        return self._documents.changing(KIND, name, self._missing(call.params["KeyId"]))

    def _find(self, given: str) -> Json:
        found = self._documents.get(KIND, given.rpartition("/")[2])
        if found is None:
            raise self._missing(given)
        return found

    def _missing(self, given: str) -> AwsError:
        arn = given if given.startswith("arn:") else self._arn(given)
        return AwsError("NotFoundException", f"Key '{arn}' does not exist")

    def _arn(self, name: str) -> str:
        return f"arn:aws:kms:{self._aws.region}:{self._aws.account}:key/{name}"

    def _root(self) -> str:
        return f"arn:aws:iam::{self._aws.account}:root"

    def _own_policy(self) -> Json:
        """What KMS writes itself: the account's IAM policies decide.
        https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html"""
        statement = {
            "Sid": "Enable IAM User Permissions",
            "Effect": "Allow",
            "Principal": {"AWS": self._root()},
            "Action": "kms:*",
            "Resource": "*",
        }
        return {"Version": "2012-10-17", "Id": "key-default-1", "Statement": [statement]}

    def _check_policy(self, operation: str, text: str) -> None:
        """Raises for what is no JSON, and for one that takes roles out of IAM's reach."""
        try:
            statements = json.loads(text)["Statement"]
        except (ValueError, KeyError, TypeError) as error:
            raise AwsError("MalformedPolicyDocumentException", "The policy is no JSON.") from error
        if isinstance(statements, dict):
            statements = [statements]
        if not any(self._leaves_it_to_iam(one) for one in statements):
            raise NotEmulated(
                "kms",
                operation,
                "Policy",
                f"It has to allow kms:* to {self._root()}, so that IAM's policies decide.",
            )

    def _leaves_it_to_iam(self, statement: Json) -> bool:
        principal = statement.get("Principal")
        named = principal.get("AWS", []) if isinstance(principal, dict) else []
        named = [named] if isinstance(named, str) else named
        actions = statement.get("Action", [])
        actions = [actions] if isinstance(actions, str) else actions
        roots = {self._root(), self._aws.account}
        return (
            statement.get("Effect") == "Allow"
            and bool(roots & set(named))
            and "kms:*" in actions
            and "Condition" not in statement
        )


def uses(aws: LocalAws, arn: str, *actions: str) -> list[Asked]:
    """What a service that works with the key asks of it. Raises, in S3's and SQS's words, for one
    that is not here or not enabled."""
    found = aws.documents.get(KIND, arn.rpartition("/")[2])
    if found is None:
        raise AwsError("KMS.NotFoundException", f"Key '{arn}' does not exist")
    state = found["metadata"]["KeyState"]
    if state == "Disabled":
        raise AwsError("KMS.DisabledException", f"{arn} is disabled.")
    if state != "Enabled":
        raise AwsError("KMS.KMSInvalidStateException", f"{arn} is pending deletion.")
    return [Asked(f"kms:{action}", arn) for action in actions]


def check_arn(service: str, operation: str, parameter: str, key: str) -> str:
    """The key's ARN: no other form names an account and a region."""
    if not key.startswith("arn:aws:kms:") or ":key/" not in key:
        raise NotEmulated(service, operation, parameter, "Taken is the ARN of a key.")
    return key


def _invalid_marker(text: str) -> AwsError:
    return AwsError("InvalidMarkerException", f"Invalid marker: {text}")
