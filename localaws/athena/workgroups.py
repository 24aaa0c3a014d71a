"""Work groups: the verbs, and what they decide for a query."""

from __future__ import annotations

from dataclasses import dataclass

from localaws.athena.lists import page
from localaws.core.aws import LocalAws
from localaws.core.errors import AwsError, NotEmulated
from localaws.core.service import Call, Service
from localaws.shapes import Json

_KIND = "athena-workgroups"
_CONFIGURATION = (
    "EnforceWorkGroupConfiguration",
    "BytesScannedCutoffPerQuery",
    "PublishCloudWatchMetricsEnabled",
    "RequesterPaysEnabled",
    "EngineVersion.SelectedEngineVersion",
)
_OUTPUT = ("OutputLocation", "ExpectedBucketOwner")
_ENGINE = {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"}


@dataclass(frozen=True)
class Rules:
    """`output` is None when neither the work group nor the caller named a location."""

    output: str | None
    enforced: bool
    byte_limit: int | None


class WorkGroups:
    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws

    def ensure_primary(self) -> None:
        configuration = {"EnforceWorkGroupConfiguration": False, "ResultConfiguration": {}}
        self.aws.documents.insert(_KIND, "primary", self._document("primary", configuration, ""))

    def get(self, name: str) -> Json:
        found = self.aws.documents.get(_KIND, name)
        if found is None:
            raise AwsError("InvalidRequestException", f"WorkGroup {name} is not found.")
        return found

    def rules(self, name: str, given: Json) -> Rules:
        """What the work group makes of the caller's ResultConfiguration."""
        group = self.get(name)
        if group["State"] != "ENABLED":
            raise AwsError("InvalidRequestException", f"WorkGroup {name} is disabled.")
        configuration = group["Configuration"]
        enforced = configuration.get("EnforceWorkGroupConfiguration", True)
        own = (configuration.get("ResultConfiguration") or {}).get("OutputLocation")
        asked = given.get("OutputLocation")
        output = own if (enforced and own) or not asked else asked
        return Rules(
            output, bool(enforced and own), configuration.get("BytesScannedCutoffPerQuery")
        )

    def _document(self, name: str, configuration: Json, description: str) -> Json:
        limit = configuration.get("BytesScannedCutoffPerQuery")
        if limit is not None and limit < 10_000_000:
            raise AwsError(
                "InvalidRequestException",
                f"BytesScannedCutoffPerQuery is {limit}; the least is 10000000.",
            )
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
        fields = [f"Configuration.{name}" for name in _CONFIGURATION]
        fields += [f"Configuration.ResultConfiguration.{name}" for name in _OUTPUT]

        @service.operation("CreateWorkGroup", "Name", "Description", "Tags", *fields)
        def create_work_group(call: Call) -> Json:
            params = call.params
            document = self._document(
                params["Name"], params.get("Configuration") or {}, params.get("Description", "")
            )
            document["Tags"] = params.get("Tags") or []
            if not self.aws.documents.insert(_KIND, params["Name"], document):
                raise AwsError("InvalidRequestException", "WorkGroup is already created")
            return {}

        @service.operation("GetWorkGroup", "WorkGroup")
        def get_work_group(call: Call) -> Json:
            return {"WorkGroup": _shown(self.get(call.params["WorkGroup"]))}

        @service.operation("ListWorkGroups", "NextToken", "MaxResults")
        def list_work_groups(call: Call) -> Json:
            keys = ("Name", "State", "Description", "CreationTime")
            groups, more = page(self.aws.documents.items(_KIND), call.params)
            return {
                "WorkGroups": [
                    {
                        **{key: group[key] for key in keys},
                        "EngineVersion": group["Configuration"]["EngineVersion"],
                    }
                    for group in groups
                ],
                **more,
            }

        updates = [f"ConfigurationUpdates.{name}" for name in _CONFIGURATION]
        updates += [
            f"ConfigurationUpdates.ResultConfigurationUpdates.{name}"
            for name in (*_OUTPUT, "RemoveOutputLocation")
        ]

        @service.operation(
            "UpdateWorkGroup",
            "WorkGroup",
            "Description",
            "State",
            "ConfigurationUpdates.RemoveBytesScannedCutoffPerQuery",
            *updates,
        )
        @self.aws.documents.atomic
        def update_work_group(call: Call) -> Json:
            self._update(call.params)
            return {}

        @service.operation("DeleteWorkGroup", "WorkGroup", "RecursiveDeleteOption")
        def delete_work_group(call: Call) -> Json:
            name = call.params["WorkGroup"]
            self.get(name)
            if name == "primary":
                raise AwsError("InvalidRequestException", "WorkGroup primary cannot be deleted")
            self.aws.documents.delete(_KIND, name)
            return {}

        self._register_tags(service)

    def _update(self, params: Json) -> None:
        group = self.get(params["WorkGroup"])
        changes = dict(params.get("ConfigurationUpdates") or {})
        result = dict(group["Configuration"].get("ResultConfiguration") or {})
        updates = changes.pop("ResultConfigurationUpdates", None) or {}
        if updates.get("RemoveOutputLocation"):
            result.pop("OutputLocation", None)
        result |= {key: value for key, value in updates.items() if key in _OUTPUT}
        remove = changes.pop("RemoveBytesScannedCutoffPerQuery", False)
        configuration = {**group["Configuration"], **changes, "ResultConfiguration": result}
        if remove:
            configuration.pop("BytesScannedCutoffPerQuery", None)
        checked = self._document(
            group["Name"], configuration, str(params.get("Description", group["Description"]))
        )
        checked |= {
            "CreationTime": group["CreationTime"],
            "State": params.get("State", group["State"]),
        }
        checked["Tags"] = group.get("Tags") or []
        self.aws.documents.put(_KIND, group["Name"], checked)

    def _register_tags(self, service: Service) -> None:
        def named(call: Call) -> Json:
            arn = call.params["ResourceARN"]
            kind, _, name = arn.rpartition(":")[2].partition("/")
            if kind != "workgroup":
                raise NotEmulated(
                    "athena", call.operation, f"ResourceARN of a {kind}", "Work groups are."
                )
            return self.get(name)

        @service.operation("ListTagsForResource", "ResourceARN", "NextToken", "MaxResults")
        def list_tags(call: Call) -> Json:
            tags = named(call).get("Tags") or []
            shown, more = page(((tag["Key"], tag) for tag in tags), call.params)
            return {"Tags": shown, **more}

        @service.operation("TagResource", "ResourceARN", "Tags")
        @self.aws.documents.atomic
        def tag(call: Call) -> Json:
            group = named(call)
            new = {item["Key"]: item for item in [*(group.get("Tags") or []), *call.params["Tags"]]}
            self.aws.documents.put(_KIND, group["Name"], {**group, "Tags": list(new.values())})
            return {}

        @service.operation("UntagResource", "ResourceARN", "TagKeys")
        @self.aws.documents.atomic
        def untag(call: Call) -> Json:
            group = named(call)
            kept = [
                item
                for item in group.get("Tags") or []
                if item["Key"] not in call.params["TagKeys"]
            ]
            self.aws.documents.put(_KIND, group["Name"], {**group, "Tags": kept})
            return {}


def _shown(group: Json) -> Json:
    return {key: value for key, value in group.items() if key != "Tags"}
