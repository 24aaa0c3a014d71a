"""The Model Registry: groups of model versions, and whether each is approved.

A version is a record: that its files exist is found out when a model is made of it, as on AWS.
"""

from __future__ import annotations

import re

from localaws.core.aws import LocalAws
from localaws.core.service import Call, Service
from localaws.core.signals import EventSent
from localaws.errors import AwsError, NotEmulated
from localaws.sagemaker import listing
from localaws.sagemaker.names import MODEL_PACKAGE, MODEL_PACKAGE_GROUP, arn, check_name, validation
from localaws.shapes import Json

APPROVALS = ("Approved", "Rejected", "PendingManualApproval")
CONTAINER = "InferenceSpecification.Containers"
CREATED = (
    "ModelPackageGroupName",
    "ModelPackageDescription",
    f"{CONTAINER}.Image",
    f"{CONTAINER}.ModelDataUrl",
    f"{CONTAINER}.Environment",
    f"{CONTAINER}.Framework",
    f"{CONTAINER}.FrameworkVersion",
    "InferenceSpecification.SupportedContentTypes",
    "InferenceSpecification.SupportedResponseMIMETypes",
    "InferenceSpecification.SupportedRealtimeInferenceInstanceTypes",
    "InferenceSpecification.SupportedTransformInstanceTypes",
    "ModelApprovalStatus",
    "ModelMetrics",
    "CustomerMetadataProperties",
    "MetadataProperties",
    "ModelCard",
    "SourceUri",
    "Domain",
    "Task",
    "ClientToken",
    "Tags",
)
UPDATED = (
    "ModelPackageArn",
    "ModelApprovalStatus",
    "ApprovalDescription",
    "CustomerMetadataProperties",
    "CustomerMetadataPropertiesToRemove",
    "ModelCard",
    "SourceUri",
)
GROUP_SUMMARY = (
    "ModelPackageGroupName",
    "ModelPackageGroupArn",
    "ModelPackageGroupDescription",
    "CreationTime",
    "ModelPackageGroupStatus",
)
SUMMARY = (
    "ModelPackageGroupName",
    "ModelPackageVersion",
    "ModelPackageArn",
    "ModelPackageDescription",
    "CreationTime",
    "ModelPackageStatus",
    "ModelApprovalStatus",
)
# What the event of a version has of its description (EventBridge's example of a model package).
TOLD = (
    "ModelPackageGroupName",
    "ModelPackageVersion",
    "ModelPackageArn",
    "CreationTime",
    "InferenceSpecification",
    "ModelPackageStatus",
    "ModelPackageStatusDetails",
    "CertifyForMarketplace",
    "ModelApprovalStatus",
    "ModelMetrics",
    "ApprovalDescription",
    "CustomerMetadataProperties",
    "LastModifiedTime",
)
CARD_STATUSES = ("Draft", "PendingReview", "Approved", "Archived")


class Registry:
    """The operations on groups and on their versions. A group's document counts its versions."""

    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws
        self._documents = aws.documents

    def register(self, service: Service) -> None:
        group = "ModelPackageGroupName"
        for name, handler, parameters in (
            ("CreateModelPackageGroup", self.create_group,
             (group, "ModelPackageGroupDescription", "Tags")),
            ("DescribeModelPackageGroup", self.describe_group, (group,)),
            ("ListModelPackageGroups", self.list_groups, listing.PARAMETERS),
            ("DeleteModelPackageGroup", self.delete_group, (group,)),
            ("CreateModelPackage", self.create, CREATED),
            ("DescribeModelPackage", self.describe, ("ModelPackageName",)),
            ("UpdateModelPackage", self.update, UPDATED),
            ("ListModelPackages", self.list_versions,
             (*listing.PARAMETERS, group, "ModelApprovalStatus", "ModelPackageType")),
            ("DeleteModelPackage", self.delete, ("ModelPackageName",)),
        ):  # fmt: skip
            service.operation(name, *parameters)(handler)

    # -- groups --------------------------------------------------------------------------------

    def create_group(self, call: Call) -> Json:
        name = call.params["ModelPackageGroupName"]
        check_name("ModelPackageGroupName", name)
        there = arn(self._aws, MODEL_PACKAGE_GROUP, name)
        describe = {
            "ModelPackageGroupName": name,
            "ModelPackageGroupArn": there,
            "CreationTime": self._aws.clock.now(),
            "CreatedBy": {},
            "ModelPackageGroupStatus": "Completed",
        }
        if "ModelPackageGroupDescription" in call.params:
            describe["ModelPackageGroupDescription"] = call.params["ModelPackageGroupDescription"]
        document = {"describe": describe, "versions": 0, "tags": call.params.get("Tags", [])}
        if not self._documents.insert(MODEL_PACKAGE_GROUP, _named(name), document):
            raise validation(f"Model Package Group already exists: {there}")
        return {"ModelPackageGroupArn": there}

    def describe_group(self, call: Call) -> Json:
        describe: Json = self._group(_named(call.params["ModelPackageGroupName"]))["describe"]
        return describe

    def list_groups(self, call: Call) -> Json:
        items = [
            _some(document["describe"], GROUP_SUMMARY)
            for _, document in self._documents.items(MODEL_PACKAGE_GROUP)
        ]
        return listing.page(call, "ModelPackageGroupSummaryList", "ModelPackageGroup", items)

    def delete_group(self, call: Call) -> None:
        name = _named(call.params["ModelPackageGroupName"])
        with self._documents.transaction():
            self._group(name)
            if any(of == name for of, _ in self._versions()):
                raise AwsError(
                    "ConflictException",
                    f"Model Package Group {arn(self._aws, MODEL_PACKAGE_GROUP, name)} cannot be"
                    " deleted: it still has model packages.",
                )
            self._documents.delete(MODEL_PACKAGE_GROUP, name)

    def _group(self, name: str) -> Json:
        document = self._documents.get(MODEL_PACKAGE_GROUP, name)
        if document is None:
            there = arn(self._aws, MODEL_PACKAGE_GROUP, name)
            raise validation(f"Model Package Group {there} does not exist.")
        return document

    # -- versions ------------------------------------------------------------------------------

    def create(self, call: Call) -> Json:
        params = {**call.params}
        if "ModelPackageGroupName" not in params:
            raise NotEmulated(
                "sagemaker", call.operation, "no ModelPackageGroupName", "It has versions."
            )
        if "Tags" in params:  # "In this case, you cannot supply a tag argument." (its reference)
            raise validation("A version has its group's tags: Tags cannot be given beside a group.")
        group = _named(params.pop("ModelPackageGroupName"))
        token = params.pop("ClientToken", None)
        _check(params)
        now = self._aws.clock.now()
        with self._documents.transaction():
            document = self._group(group)
            for (of, _), known in self._versions().items():
                if token is not None and of == group and known["token"] == token:
                    return {"ModelPackageArn": known["describe"]["ModelPackageArn"]}
            document["versions"] += 1
            version = document["versions"]
            self._documents.put(MODEL_PACKAGE_GROUP, group, document)
            there = arn(self._aws, MODEL_PACKAGE, f"{group}/{version}")
            name = document["describe"]["ModelPackageGroupName"]
            describe = {
                "ModelPackageName": name,
                "ModelPackageGroupName": name,
                "ModelPackageVersion": version,
                "ModelPackageArn": there,
                "CreationTime": now,
                "LastModifiedTime": now,
                "CreatedBy": {},
                "ModelPackageStatus": "Completed",
                "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
                "CertifyForMarketplace": False,
                "ModelApprovalStatus": "PendingManualApproval",
                **params,
            }
            kept = {"describe": describe, "token": token}
            self._documents.put(MODEL_PACKAGE, f"{group}/{version}", kept)
        self._tell(describe, [])
        return {"ModelPackageArn": there}

    def describe(self, call: Call) -> Json:
        describe: Json = self._version(call.params["ModelPackageName"])[1]["describe"]
        return describe

    def update(self, call: Call) -> Json:
        params = {**call.params}
        wanted = params.pop("ModelPackageArn")
        gone = params.pop("CustomerMetadataPropertiesToRemove", [])
        _check(params)
        with self._documents.transaction():
            key, document = self._version(wanted)
            describe = document["describe"]
            own = {
                name: value
                for name, value in describe.get("CustomerMetadataProperties", {}).items()
                if name not in gone
            } | params.pop("CustomerMetadataProperties", {})
            describe |= params | {"LastModifiedTime": self._aws.clock.now()}
            if own:
                describe["CustomerMetadataProperties"] = own
            else:
                describe.pop("CustomerMetadataProperties", None)
            self._documents.put(MODEL_PACKAGE, key, document)
        changed = [name for name in call.params if name != "ModelPackageArn"]
        self._tell(describe, changed)
        return {"ModelPackageArn": describe["ModelPackageArn"]}

    def list_versions(self, call: Call) -> Json:
        kind = call.params.get("ModelPackageType")
        group = call.params.get("ModelPackageGroupName")
        if (kind is None and group is None) or kind == "Unversioned":
            return {"ModelPackageSummaryList": []}  # there are none here
        wanted = call.params.get("ModelApprovalStatus")
        items = [
            _some(document["describe"], SUMMARY)
            for (of, _), document in self._versions().items()
            if (group is None or of == _named(group))
            and wanted in (None, document["describe"]["ModelApprovalStatus"])
        ]
        return listing.page(call, "ModelPackageSummaryList", "ModelPackageGroup", items)

    def delete(self, call: Call) -> None:
        with self._documents.transaction():
            key, _ = self._version(call.params["ModelPackageName"])
            self._documents.delete(MODEL_PACKAGE, key)

    def _version(self, name: str) -> tuple[str, Json]:
        """(key, document) of a version, by its ARN."""
        key = name.partition(":model-package/")[2]
        document = self._documents.get(MODEL_PACKAGE, key)
        if document is None:
            raise validation(f"ModelPackage {name} does not exist.")
        return key, document

    def _versions(self) -> dict[tuple[str, int], Json]:
        found = {}
        for key, document in self._documents.items(MODEL_PACKAGE):
            group, _, version = key.rpartition("/")
            found[group, int(version)] = document
        return found

    def _tell(self, describe: Json, changed: list[str]) -> None:
        detail = _some(describe, TOLD)
        there = describe["ModelPackageArn"]
        event = self._aws.event(
            "aws.sagemaker",
            "SageMaker Model Package State Change",
            {**detail, "UpdatedModelPackageFields": changed},
            [there],
        )
        self._aws.signals.publish(EventSent(event))


def _some(describe: Json, members: tuple[str, ...]) -> Json:
    return {member: describe[member] for member in members if member in describe}


def _named(name_or_arn: str) -> str:
    """What a group is kept under, of its name or its ARN, which has the name in small letters."""
    return name_or_arn.rpartition(":model-package-group/")[2].lower()


def _check(params: Json) -> None:
    """ValidationException for what AWS's model does not take."""
    status = params.get("ModelApprovalStatus", APPROVALS[0])
    if status not in APPROVALS:
        raise validation(f"ModelApprovalStatus is {status!r}; accepted are {', '.join(APPROVALS)}.")
    card = params.get("ModelCard", {}).get("ModelCardStatus", CARD_STATUSES[0])
    if card not in CARD_STATUSES:
        raise validation(f"ModelCardStatus is {card!r}; accepted are {', '.join(CARD_STATUSES)}.")
    for key, value in params.get("CustomerMetadataProperties", {}).items():
        if len(key) > 128 or not re.fullmatch(r".{1,256}", value, re.DOTALL):
            raise validation(
                f"CustomerMetadataProperties.{key[:128]}: keys have at most 128 characters, "
                "values 1 to 256."
            )
