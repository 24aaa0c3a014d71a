"""Managed policies and their versions."""

from __future__ import annotations

from collections import Counter

from localaws.core.service import Call, Service
from localaws.errors import AwsError
from localaws.iam.rules import (
    MANAGED_CHARACTERS,
    already,
    check_name,
    check_policy,
    conflict,
    encoded,
    limit,
    merged_tags,
    no_such,
    page,
    path_of,
    without_tags,
)
from localaws.identity import credentials, managed
from localaws.identity.store import POLICY, ROLE_KIND, USER, IdentityStore
from localaws.shapes import Json

MOST_VERSIONS = 5


class Policies:
    """The operations on managed policies; those of AWS can be read and attached, not changed."""

    def __init__(self, store: IdentityStore) -> None:
        self._store = store

    def register(self, service: Service) -> None:
        take = service.operation
        take("CreatePolicy", "PolicyName", "Path", "PolicyDocument", "Description", "Tags")(
            self.create
        )
        take("GetPolicy", "PolicyArn")(self.get)
        take(
            *("ListPolicies", "Scope", "OnlyAttached", "PathPrefix", "Marker", "MaxItems"),
        )(self.list_all)
        take("DeletePolicy", "PolicyArn")(self.delete)
        take(
            *("ListEntitiesForPolicy", "PolicyArn", "EntityFilter", "PathPrefix"),
            *("Marker", "MaxItems"),
        )(self.entities)
        take("CreatePolicyVersion", "PolicyArn", "PolicyDocument", "SetAsDefault")(
            self.create_version
        )
        take("GetPolicyVersion", "PolicyArn", "VersionId")(self.get_version)
        take("ListPolicyVersions", "PolicyArn", "Marker", "MaxItems")(self.list_versions)
        take("DeletePolicyVersion", "PolicyArn", "VersionId")(self.delete_version)
        take("SetDefaultPolicyVersion", "PolicyArn", "VersionId")(self.set_default)
        take("TagPolicy", "PolicyArn", "Tags")(self.tag)
        take("UntagPolicy", "PolicyArn", "TagKeys")(self.untag)
        take("ListPolicyTags", "PolicyArn", "Marker", "MaxItems")(self.list_tags)

    def create(self, call: Call) -> Json:
        name, path = call.params["PolicyName"], path_of(call.params)
        check_name("policyName", name, 128)
        text = call.params["PolicyDocument"]
        check_policy(text, MANAGED_CHARACTERS, "Policy")
        now = self._store.now()
        arn = f"arn:aws:iam::{self._store.account}:policy{path}{name}"
        shape = {
            "PolicyName": name,
            "PolicyId": credentials.unique_id(credentials.POLICY),
            "Arn": arn,
            "Path": path,
            "DefaultVersionId": "v1",
            "PermissionsBoundaryUsageCount": 0,
            "IsAttachable": True,
            "CreateDate": now,
            "UpdateDate": now,
            "Tags": merged_tags([], call.params.get("Tags", [])),
        }
        if "Description" in call.params:
            shape["Description"] = call.params["Description"]
        version = {"VersionId": "v1", "Document": text, "CreateDate": now}
        fresh = {"shape": shape, "versions": [version], "next": 2}
        with self._store.documents.transaction():
            names = [kept["shape"]["PolicyName"] for _, kept in self._store.documents.items(POLICY)]
            if name in names:
                raise already(
                    f"A policy called {name} already exists. Duplicate names are not allowed."
                )
            self._store.documents.put(POLICY, arn, fresh)
        return {"Policy": {key: value for key, value in shape.items() if key != "Description"}}

    def get(self, call: Call) -> Json:
        return {"Policy": self._shown(self.find(call.params["PolicyArn"]))}

    def list_all(self, call: Call) -> Json:
        scope = call.params.get("Scope", "All")
        kept = []
        if scope != "AWS":
            kept += [policy for _, policy in self._store.documents.items(POLICY)]
        if scope != "Local":
            kept += managed.policies().values()
        prefix = call.params.get("PathPrefix", "/")
        counts = self._attachments()
        shown = [
            {**policy["shape"], "AttachmentCount": counts[policy["shape"]["Arn"]]}
            for policy in kept
            if policy["shape"]["Path"].startswith(prefix)
        ]
        for policy in shown:
            policy.pop("Tags")
        if call.params.get("OnlyAttached"):
            shown = [policy for policy in shown if policy["AttachmentCount"]]
        return page("Policies", shown, call.params)

    def delete(self, call: Call) -> None:
        arn = self._own(call.params["PolicyArn"])
        with self._store.documents.transaction():
            policy = self.find(arn)
            if self._users_of(arn):
                raise conflict("Cannot delete a policy attached to entities.")
            if len(policy["versions"]) > 1:
                raise conflict(
                    "This policy has more than one version. Before you delete a policy, you must"
                    " delete the policy's versions. The default version is deleted with the policy."
                )
            self._store.documents.delete(POLICY, arn)

    def entities(self, call: Call) -> Json:
        arn = call.params["PolicyArn"]
        self.find(arn)
        wanted = call.params.get("EntityFilter")
        prefix = call.params.get("PathPrefix", "/")
        found = [
            (kind, shape)
            for kind, shape in self._users_of(arn)
            if wanted in (None, kind) and shape["Path"].startswith(prefix)
        ]
        shown = page("Entities", found, call.params)
        entities = shown.pop("Entities")
        groups: Json = {"PolicyGroups": [], "PolicyUsers": [], "PolicyRoles": []}
        for kind, shape in entities:
            groups[f"Policy{kind}s"].append(
                {f"{kind}Name": shape[f"{kind}Name"], f"{kind}Id": shape[f"{kind}Id"]}
            )
        return {**groups, **shown}

    def create_version(self, call: Call) -> Json:
        arn, text = self._own(call.params["PolicyArn"]), call.params["PolicyDocument"]
        check_policy(text, MANAGED_CHARACTERS, "Policy")
        with self._store.documents.changing(POLICY, arn, not_found(arn)) as policy:
            if len(policy["versions"]) >= MOST_VERSIONS:
                raise limit(
                    "A managed policy can have up to 5 versions. Before you create a new version,"
                    " you must delete an existing version."
                )
            now = self._store.now()
            version = {
                "VersionId": f"v{policy['next']}",
                "Document": text,
                "CreateDate": now,
            }
            policy["next"] += 1
            policy["versions"].append(version)
            policy["shape"]["UpdateDate"] = now
            if call.params.get("SetAsDefault"):
                policy["shape"]["DefaultVersionId"] = version["VersionId"]
            shown = version_shape(policy, version)
        shown.pop("Document")
        return {"PolicyVersion": shown}

    def get_version(self, call: Call) -> Json:
        policy = self.find(call.params["PolicyArn"])
        return {"PolicyVersion": version_shape(policy, version_of(policy, call.params))}

    def list_versions(self, call: Call) -> Json:
        policy = self.find(call.params["PolicyArn"])
        shown = [version_shape(policy, version) for version in reversed(policy["versions"])]
        for version in shown:
            version.pop("Document")
        return page("Versions", shown, call.params)

    def delete_version(self, call: Call) -> None:
        arn = self._own(call.params["PolicyArn"])
        with self._store.documents.changing(POLICY, arn, not_found(arn)) as policy:
            version = version_of(policy, call.params)
            if version["VersionId"] == policy["shape"]["DefaultVersionId"]:
                raise conflict("Cannot delete the default version of a policy.")
            policy["versions"].remove(version)

    def set_default(self, call: Call) -> None:
        arn = self._own(call.params["PolicyArn"])
        with self._store.documents.changing(POLICY, arn, not_found(arn)) as policy:
            policy["shape"]["DefaultVersionId"] = version_of(policy, call.params)["VersionId"]

    def tag(self, call: Call) -> None:
        arn = self._own(call.params["PolicyArn"])
        with self._store.documents.changing(POLICY, arn, not_found(arn)) as policy:
            shape = policy["shape"]
            shape["Tags"] = merged_tags(shape["Tags"], call.params["Tags"])

    def untag(self, call: Call) -> None:
        arn = self._own(call.params["PolicyArn"])
        with self._store.documents.changing(POLICY, arn, not_found(arn)) as policy:
            shape = policy["shape"]
            shape["Tags"] = without_tags(shape["Tags"], call.params["TagKeys"])

    def list_tags(self, call: Call) -> Json:
        policy = self.find(call.params["PolicyArn"])
        return page("Tags", policy["shape"]["Tags"], call.params)

    def find(self, arn: str) -> Json:
        """The policy's document, of ours or of AWS. NoSuchEntity, ValidationError."""
        if arn.startswith(managed.PREFIX):
            policy = managed.policies().get(arn)
        elif arn.startswith("arn:aws:iam::") and ":policy/" in arn:
            policy = self._store.documents.get(POLICY, arn)
        else:
            raise AwsError("ValidationError", f"ARN {arn} is not valid.")
        if policy is None:
            raise not_found(arn)
        return policy

    def _own(self, arn: str) -> str:
        """The ARN of a policy that may be changed."""
        if arn.startswith(managed.PREFIX):
            raise AwsError(
                "AccessDenied", "Cannot perform the operation on an AWS managed policy.", 403
            )
        self.find(arn)
        return arn

    def _users_of(self, arn: str) -> list[tuple[str, Json]]:
        """(User or Role, shape) of those that the policy is attached to."""
        return [
            (kind, entity["shape"])
            for kind, documents in (("User", USER), ("Role", ROLE_KIND))
            for _, entity in self._store.documents.items(documents)
            if arn in entity["attached"]
        ]

    def _attachments(self) -> Counter[str]:
        """Policy ARN to how many users and roles have it."""
        return Counter(
            arn
            for kind in (USER, ROLE_KIND)
            for _, entity in self._store.documents.items(kind)
            for arn in entity["attached"]
        )

    def _shown(self, policy: Json) -> Json:
        shape: Json = policy["shape"]
        return {**shape, "AttachmentCount": len(self._users_of(shape["Arn"]))}


def not_found(arn: str) -> AwsError:
    return no_such(f"Policy {arn} was not found.")


def version_of(policy: Json, params: Json) -> Json:
    for version in policy["versions"]:
        if version["VersionId"] == params["VersionId"]:
            found: Json = version
            return found
    raise no_such(
        f"Policy {policy['shape']['Arn']} version {params['VersionId']} does not exist or is not"
        " attachable."
    )


def version_shape(policy: Json, version: Json) -> Json:
    return {
        "Document": encoded(version["Document"]),
        "VersionId": version["VersionId"],
        "IsDefaultVersion": version["VersionId"] == policy["shape"]["DefaultVersionId"],
        "CreateDate": version["CreateDate"],
    }
