"""Secrets Manager: secrets, each with versions that have staging labels.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/getting-started.html
"""

from __future__ import annotations

import base64
import re
import string
import uuid
from datetime import timedelta
from secrets import choice
from typing import Any

from localaws.core.aws import LocalAws
from localaws.core.pages import page
from localaws.core.service import Call, Service
from localaws.errors import AwsError
from localaws.shapes import Json

# Documents: name -> the secret as DescribeSecret shows it, and "values": version id -> {"stages",
# "created", "SecretString" or "SecretBinary" (base64)}.
KIND = "secret"
CURRENT, PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"
NAME = re.compile(r"[\w/+=.@!-]{1,512}", re.ASCII)
ARN = re.compile(r"arn:aws:secretsmanager:[\w-]+:\d{12}:secret:(?P<name>.+)")
MOST_BYTES = 65_536
MOST_VERSIONS = 100
RECOVERY_DAYS = range(7, 31)
DESCRIBED = ("ARN", "Name", "Description", "CreatedDate", "LastChangedDate", "DeletedDate", "Tags")
VALUE = ("SecretString", "SecretBinary")


def service(aws: LocalAws) -> Service:
    built = Service("secretsmanager")
    secrets = Secrets(aws)
    secrets.register(built)
    aws.authorize.lookups["secretsmanager"] = secrets.by_arn
    return built


class Secrets:
    def __init__(self, aws: LocalAws) -> None:
        self._documents = aws.documents
        self._clock = aws.clock
        self._arn = f"arn:aws:secretsmanager:{aws.region}:{aws.account}:secret:"

    def register(self, service: Service) -> None:
        token = "ClientRequestToken"
        service.operation("CreateSecret", "Name", "Description", "Tags", token, *VALUE)(self.create)
        service.operation("GetSecretValue", "SecretId", "VersionId", "VersionStage")(self.get_value)
        service.operation("PutSecretValue", "SecretId", token, "VersionStages", *VALUE)(
            self.put_value
        )
        service.operation("UpdateSecret", "SecretId", token, "Description", *VALUE)(self.update)
        service.operation("DescribeSecret", "SecretId")(self.describe)
        service.operation("ListSecrets", "MaxResults", "NextToken", "IncludePlannedDeletion")(
            self.list_secrets
        )
        service.operation("ListSecretVersionIds", "SecretId", "IncludeDeprecated")(self.versions)
        service.operation(
            *("DeleteSecret", "SecretId", "RecoveryWindowInDays", "ForceDeleteWithoutRecovery")
        )(self.delete)
        service.operation("RestoreSecret", "SecretId")(self.restore)
        service.operation("TagResource", "SecretId", "Tags")(self.tag)
        service.operation("UntagResource", "SecretId", "TagKeys")(self.untag)

    # --- values ------------------------------------------------------------------------------

    def create(self, call: Call) -> Json:
        name, now = call.params["Name"], self._clock.now()
        if not NAME.fullmatch(name):
            raise AwsError(
                "ValidationException",
                "Invalid name. Must be a valid name containing alphanumeric characters, or any of"
                " the following: -/_+=.@!",
            )
        suffix = "".join(choice(string.ascii_letters) for _ in range(6))
        secret: Json = {
            "ARN": f"{self._arn}{name}-{suffix}",
            "Name": name,
            "CreatedDate": now,
            "LastChangedDate": now,
            "Tags": call.params.get("Tags", []),
            "values": {},
        }
        if "Description" in call.params:
            secret["Description"] = call.params["Description"]
        version = self._add_version(secret, call, [CURRENT])
        with self._documents.transaction():
            self._purge(name)
            if not self._documents.insert(KIND, name, secret):
                secret = self._created_before(name, version, secret)
        return _named(secret) | ({} if version is None else {"VersionId": version})

    def _created_before(self, name: str, version: str | None, secret: Json) -> Json:
        """The secret of that name, if the same call has made it. Raises for any other."""
        known = self._documents.get(KIND, name) or {}
        if "DeletedDate" in known:
            raise AwsError(
                "InvalidRequestException",
                "You can't create this secret because a secret with this name is already"
                " scheduled for deletion.",
            )
        made, asked = known["values"].get(version, {}), secret["values"].get(version, {})
        if not made or any(made.get(member) != asked.get(member) for member in VALUE):
            raise AwsError(
                "ResourceExistsException",
                f"The operation failed because the secret {name} already exists.",
            )
        return known

    def put_value(self, call: Call) -> Json:
        with self._changing(call) as secret:
            stages = call.params.get("VersionStages", [CURRENT])
            version = self._add_version(secret, call, stages)
            if version is None:
                raise AwsError(
                    "InvalidRequestException",
                    "You must provide either SecretString or SecretBinary.",
                )
        return _named(secret) | {
            "VersionId": version,
            "VersionStages": secret["values"][version]["stages"],
        }

    def update(self, call: Call) -> Json:
        with self._changing(call) as secret:
            if "Description" in call.params:
                secret["Description"] = call.params["Description"]
                secret["LastChangedDate"] = self._clock.now()
            version = self._add_version(secret, call, [CURRENT])
        return _named(secret) | ({} if version is None else {"VersionId": version})

    def _add_version(self, secret: Json, call: Call, stages: list[str]) -> str | None:
        """Puts the call's value into the secret; None where it has none. The same token with the
        same value changes nothing."""
        value = _value(call.params)
        if value is None:
            return None
        version: str = call.params.get("ClientRequestToken") or str(uuid.uuid4())
        values: Json = secret["values"]
        if version in values:
            if any(values[version].get(name) != value.get(name) for name in VALUE):
                raise AwsError(
                    "ResourceExistsException",
                    f"You can't use ClientRequestToken {version} because that value is already in"
                    " use for a version of the secret with another value.",
                )
            return version
        before = next((key for key in values if CURRENT in values[key]["stages"]), None)
        if CURRENT in stages and before is not None:
            for other in values.values():
                other["stages"] = [stage for stage in other["stages"] if stage != PREVIOUS]
            values[before]["stages"].append(PREVIOUS)
        for other in values.values():
            other["stages"] = [stage for stage in other["stages"] if stage not in stages]
        now = self._clock.now()
        values[version] = {**value, "stages": list(stages), "created": now}
        for old in [key for key in values if not values[key]["stages"]][:-MOST_VERSIONS]:
            del values[old]
        secret["LastChangedDate"] = now
        return version

    def get_value(self, call: Call) -> Json:
        secret = self._find(call)
        wanted, stage = call.params.get("VersionId"), call.params.get("VersionStage")
        if wanted is None and stage is None:
            stage = CURRENT
        for version, value in secret["values"].items():
            if wanted in (None, version) and (stage is None or stage in value["stages"]):
                shown = {name: value[name] for name in VALUE if name in value}
                if "SecretBinary" in shown:
                    shown["SecretBinary"] = base64.b64decode(shown["SecretBinary"])
                return {
                    **_named(secret),
                    "VersionId": version,
                    **shown,
                    "VersionStages": value["stages"],
                    "CreatedDate": value["created"],
                }
        which = f"VersionId: {wanted}" if wanted else f"staging label: {stage}"
        raise _missing(f"Secrets Manager can't find the specified secret value for {which}")

    # --- secrets -----------------------------------------------------------------------------

    def describe(self, call: Call) -> Json:
        return self._described(self._find(call, deleted=True), "VersionIdsToStages")

    def list_secrets(self, call: Call) -> Json:
        self._purge()
        planned = call.params.get("IncludePlannedDeletion", False)
        shown = (
            (name, self._described(secret, "SecretVersionsToStages"))
            for name, secret in self._documents.items(KIND)
            if planned or "DeletedDate" not in secret
        )
        found = page(
            *(shown, call.params.get("NextToken"), int(call.params.get("MaxResults", 100))),
            invalid=lambda message: AwsError("InvalidNextTokenException", message),
        )
        return {"SecretList": found.items, **found.next()}

    def versions(self, call: Call) -> Json:
        secret = self._find(call, deleted=True)
        deprecated = call.params.get("IncludeDeprecated", False)
        shown = [
            {
                "VersionId": version,
                "VersionStages": value["stages"],
                "CreatedDate": value["created"],
            }
            for version, value in secret["values"].items()
            if value["stages"] or deprecated
        ]
        return {**_named(secret), "Versions": shown}

    def delete(self, call: Call) -> Json:
        """Marks it for deletion after the recovery window, or deletes it now."""
        days = call.params.get("RecoveryWindowInDays")
        force = call.params.get("ForceDeleteWithoutRecovery", False)
        if force and days is not None:
            raise _wrong(
                "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays."
            )
        if days is not None and days not in RECOVERY_DAYS:
            raise _wrong(
                "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."
            )
        now = self._clock.now()
        with self._changing(call) as secret:
            secret["DeletedDate"] = now if force else now + timedelta(days=days or 30)
        if force:
            self._documents.delete(KIND, secret["Name"])
        return {**_named(secret), "DeletionDate": secret["DeletedDate"]}

    def restore(self, call: Call) -> Json:
        with self._changing(call, deleted=True) as secret:
            secret.pop("DeletedDate", None)
        return _named(secret)

    def tag(self, call: Call) -> Json:
        with self._changing(call) as secret:
            given = {tag["Key"]: tag for tag in [*secret["Tags"], *call.params["Tags"]]}
            secret["Tags"] = list(given.values())
        return {}

    def untag(self, call: Call) -> Json:
        with self._changing(call) as secret:
            keys = call.params["TagKeys"]
            secret["Tags"] = [tag for tag in secret["Tags"] if tag["Key"] not in keys]
        return {}

    def _described(self, secret: Json, stages: str) -> Json:
        return {
            **{name: secret[name] for name in DESCRIBED if name in secret},
            stages: {
                version: value["stages"]
                for version, value in secret["values"].items()
                if value["stages"]
            },
        }

    def by_arn(self, _: str, params: Json) -> Json:
        """The parameters with the secret's ARN, which policies name, where its name was given."""
        known = self._documents.get(KIND, str(params.get("SecretId")))
        return params if known is None else {**params, "SecretId": known["ARN"]}

    # --- finding -----------------------------------------------------------------------------

    def _changing(self, call: Call, *, deleted: bool = False) -> Any:
        name = self._find(call, deleted=deleted)["Name"]
        return self._documents.changing(KIND, name, _missing())

    def _find(self, call: Call, *, deleted: bool = False) -> Json:
        """The secret by its name, its ARN, or that without the six letters at its end."""
        given = call.params["SecretId"]
        match = ARN.fullmatch(given)
        names = [given] if match is None else [match["name"], match["name"][:-7]]
        for name in names:
            self._purge(name)
            secret = self._documents.get(KIND, name)
            if secret is None or (name != names[0] and secret["ARN"] != given):
                continue
            if "DeletedDate" in secret and not deleted:
                raise AwsError(
                    "InvalidRequestException",
                    "You can't perform this operation on the secret because it was marked for"
                    " deletion.",
                )
            return secret
        raise _missing()

    def _purge(self, only: str | None = None) -> None:
        """Forgets the secrets whose recovery window is over."""
        known = self._documents.get(KIND, only) if only is not None else None
        found = self._documents.items(KIND) if only is None else [(only, known or {})]
        for name, secret in found:
            if "DeletedDate" in secret and secret["DeletedDate"] <= self._clock.now():
                self._documents.delete(KIND, name)


def _value(params: Json) -> Json | None:
    given = [name for name in VALUE if name in params]
    if len(given) > 1:
        raise _wrong(
            "You can't specify both a binary secret value and a string secret value in the same"
            " secret."
        )
    if not given:
        return None
    value = params[given[0]]
    data = value.encode() if isinstance(value, str) else bytes(value)
    if len(data) > MOST_BYTES:
        raise AwsError(
            "ValidationException",
            f"1 validation error detected: Value at '{given[0][0].lower()}{given[0][1:]}' failed to"
            f" satisfy constraint: Member must have length less than or equal to {MOST_BYTES}",
        )
    return {given[0]: value if given[0] == "SecretString" else base64.b64encode(data).decode()}


def _named(secret: Json) -> Json:
    return {"ARN": secret["ARN"], "Name": secret["Name"]}


def _missing(
    message: str = "Secrets Manager can't find the specified secret.",
) -> AwsError:
    return AwsError("ResourceNotFoundException", message)


def _wrong(message: str) -> AwsError:
    return AwsError("InvalidParameterException", message)
