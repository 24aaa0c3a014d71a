"""Work groups: the verbs, and what they decide for a query."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass

from localaws.athena.lists import page
from localaws.core.aws import LocalAws
from localaws.core.service import Call, Service
from localaws.errors import AwsError, NotEmulated
from localaws.s3.names import NoS3Address, split_uri
from localaws.shapes import Json

_KIND = "athena-workgroups"
_CONFIGURATION = (
    "EnforceWorkGroupConfiguration",
    "BytesScannedCutoffPerQuery",
    "PublishCloudWatchMetricsEnabled",
    "RequesterPaysEnabled",
    "EngineVersion.SelectedEngineVersion",
)
# SSE_S3 is what S3 does with every object; keys of KMS are not kept here.
_ENCRYPTION = "EncryptionConfiguration"
_OUTPUT = ("OutputLocation", "ExpectedBucketOwner", f"{_ENCRYPTION}.EncryptionOption")
_ENGINE = {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"}


@dataclass(frozen=True)
class GroupRules:
    """`output` is None when neither the work group nor the caller named a location."""

    output: str | None
    enforced: bool
    byte_limit: int | None
    encryption: Json | None = None

    @property
    def shown(self) -> Json:
        """What an execution's ResultConfiguration has of them besides its location."""
        return {_ENCRYPTION: self.encryption} if self.encryption else {}


class WorkGroups:
    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws

    def ensure_primary(self) -> None:
        configuration = {"EnforceWorkGroupConfiguration": False, "ResultConfiguration": {}}
        self.aws.documents.insert(_KIND, "primary", self._document("primary", configuration, ""))

    def get(self, name: str) -> Json:
        found = self.aws.documents.get(_KIND, name)
        if found is None:
            raise _missing(name)
        return found

    def rules(self, name: str, given: Json) -> GroupRules:
        """What the work group makes of the caller's ResultConfiguration."""
        group = self.get(name)
        if group["State"] != "ENABLED":
            raise AwsError("InvalidRequestException", f"WorkGroup {name} is disabled.")
        configuration = group["Configuration"]
        enforced = configuration.get("EnforceWorkGroupConfiguration", True)
        own = (configuration.get("ResultConfiguration") or {}).get("OutputLocation")
        asked = given.get("OutputLocation")
        _check_location(given)
        output = own if (enforced and own) or not asked else asked
        ours = (configuration.get("ResultConfiguration") or {}).get(_ENCRYPTION)
        encryption = ours if (enforced and own) else given.get(_ENCRYPTION) or ours
        _check_encryption(given, "StartQueryExecution")
        return GroupRules(
            output,
            bool(enforced and own),
            configuration.get("BytesScannedCutoffPerQuery"),
            encryption,
        )

    def _document(self, name: str, configuration: Json, description: str) -> Json:
        limit = configuration.get("BytesScannedCutoffPerQuery")
        if limit is not None and limit < 10_000_000:
            raise AwsError(
                "InvalidRequestException",
                f"BytesScannedCutoffPerQuery is {limit}; the least is 10000000.",
            )
        _check_encryption(configuration.get("ResultConfiguration") or {}, "CreateWorkGroup")
        _check_location(configuration.get("ResultConfiguration") or {})
        asked = (configuration.get("EngineVersion") or {}).get("SelectedEngineVersion", "AUTO")
        if asked not in ("AUTO", "Athena engine version 3"):
            raise NotEmulated(
                "athena",
                "CreateWorkGroup",
                "EngineVersion",
                f"{asked!r}; Athena engine version 3 is.",
            )
        return {
            "Name": name,
            "State": "ENABLED",
            "Description": description,
            "CreationTime": self.aws.clock.now(),
            "Configuration": {
                "EnforceWorkGroupConfiguration": True,
                "PublishCloudWatchMetricsEnabled": False,
                "RequesterPaysEnabled": False,
                "ResultConfiguration": {},
                **configuration,
                "EngineVersion": {**_ENGINE, "SelectedEngineVersion": asked},
            },
        }

    def register(self, service: Service) -> None:
        members = [f"Configuration.{name}" for name in _CONFIGURATION]
        members += [f"Configuration.ResultConfiguration.{name}" for name in _OUTPUT]
        updates = [
            f"ConfigurationUpdates.{name}"
            for name in (*_CONFIGURATION, "RemoveBytesScannedCutoffPerQuery")
        ]
        updates += [
            f"ConfigurationUpdates.ResultConfigurationUpdates.{name}"
            for name in (*_OUTPUT, "RemoveOutputLocation", f"Remove{_ENCRYPTION}")
        ]
        take, pages = service.operation, ("NextToken", "MaxResults")
        take("CreateWorkGroup", "Name", "Description", "Tags", *members)(self.create)
        take("GetWorkGroup", "WorkGroup")(self.show)
        take("ListWorkGroups", *pages)(self.list)
        take("UpdateWorkGroup", "WorkGroup", "Description", "State", *updates)(self.update)
        take("DeleteWorkGroup", "WorkGroup", "RecursiveDeleteOption")(self.delete)
        take("ListTagsForResource", "ResourceARN", *pages)(self.list_tags)
        take("TagResource", "ResourceARN", "Tags")(self.tag)
        take("UntagResource", "ResourceARN", "TagKeys")(self.untag)

    def create(self, call: Call) -> Json:
        params = call.params
        document = self._document(
            params["Name"], params.get("Configuration") or {}, params.get("Description", "")
        )
        document["Tags"] = params.get("Tags") or []
        if not self.aws.documents.insert(_KIND, params["Name"], document):
            raise AwsError("InvalidRequestException", "WorkGroup is already created")
        return {}

    def show(self, call: Call) -> Json:
        group = self.get(call.params["WorkGroup"])
        return {"WorkGroup": {key: value for key, value in group.items() if key != "Tags"}}

    def list(self, call: Call) -> Json:
        keys = ("Name", "State", "Description", "CreationTime")
        groups, more = page(self.aws.documents.items(_KIND), call.params)
        shown = [
            {key: group[key] for key in keys}
            | {"EngineVersion": group["Configuration"]["EngineVersion"]}
            for group in groups
        ]
        return {"WorkGroups": shown, **more}

    def update(self, call: Call) -> Json:
        with self._changing(call.params["WorkGroup"]) as group:
            group |= self._updated(group, call.params)
        return {}

    def delete(self, call: Call) -> Json:
        name = call.params["WorkGroup"]
        self.get(name)
        if name == "primary":
            raise AwsError("InvalidRequestException", "WorkGroup primary cannot be deleted")
        self.aws.documents.delete(_KIND, name)
        return {}

    def list_tags(self, call: Call) -> Json:
        tags = self.get(_named(call)).get("Tags") or []
        shown, more = page(((tag["Key"], tag) for tag in tags), call.params)
        return {"Tags": shown, **more}

    def tag(self, call: Call) -> Json:
        with self._changing(_named(call)) as group:
            both = [*(group.get("Tags") or []), *call.params["Tags"]]
            group["Tags"] = list({item["Key"]: item for item in both}.values())
        return {}

    def untag(self, call: Call) -> Json:
        gone = call.params["TagKeys"]
        with self._changing(_named(call)) as group:
            group["Tags"] = [i for i in group.get("Tags") or [] if i["Key"] not in gone]
        return {}

    def _changing(self, name: str) -> AbstractContextManager[Json]:
        return self.aws.documents.changing(_KIND, name, _missing(name))

    def _updated(self, group: Json, params: Json) -> Json:
        """The group with the changes of UpdateWorkGroup."""
        changes = dict(params.get("ConfigurationUpdates") or {})
        result = dict(group["Configuration"].get("ResultConfiguration") or {})
        updates = changes.pop("ResultConfigurationUpdates", None) or {}
        if updates.get("RemoveOutputLocation"):
            result.pop("OutputLocation", None)
        if updates.get(f"Remove{_ENCRYPTION}"):
            result.pop(_ENCRYPTION, None)
        kept = ("OutputLocation", "ExpectedBucketOwner", _ENCRYPTION)
        result |= {key: value for key, value in updates.items() if key in kept}
        _check_location(result)
        remove = changes.pop("RemoveBytesScannedCutoffPerQuery", False)
        configuration = {**group["Configuration"], **changes, "ResultConfiguration": result}
        if remove:
            configuration.pop("BytesScannedCutoffPerQuery", None)
        checked = self._document(
            group["Name"], configuration, str(params.get("Description", group["Description"]))
        )
        own = {"CreationTime": group["CreationTime"], "Tags": group.get("Tags") or []}
        return {**checked, **own, "State": params.get("State", group["State"])}


def _check_location(given: Json) -> None:
    try:
        split_uri(given.get("OutputLocation") or "s3://any/")
    except NoS3Address:
        raise AwsError(
            "InvalidRequestException", "outputLocation is not a valid S3 path."
        ) from None


def _check_encryption(result: Json, operation: str) -> None:
    option = (result.get(_ENCRYPTION) or {}).get("EncryptionOption", "SSE_S3")
    if option != "SSE_S3":
        raise NotEmulated("athena", operation, f"EncryptionOption {option}", "SSE_S3 is.")


def _missing(name: str) -> AwsError:
    return AwsError("InvalidRequestException", f"WorkGroup {name} is not found.")


def _named(call: Call) -> str:
    """The work group of a ResourceARN."""
    kind, _, name = call.params["ResourceARN"].rpartition(":")[2].partition("/")
    if kind != "workgroup":
        raise NotEmulated("athena", call.operation, f"ResourceARN of a {kind}", "Work groups are.")
    return str(name)
