"""AWS::IAM::Role, AWS::IAM::ManagedPolicy, AWS::IAM::Policy and AWS::Logs::*."""

from __future__ import annotations

from botocore.exceptions import ClientError

from localaws.cloudformation.provider import (
    Made,
    Provider,
    ResourceRequest,
    document,
    ignoring_missing,
    missing,
    picked,
)
from localaws.shapes import Json


class Role(Provider):
    type = "AWS::IAM::Role"
    name_property = "RoleName"
    named_iam = True
    replaced_by = ("RoleName", "Path")
    attributes = ("Arn", "RoleId")
    properties = (
        *("RoleName", "AssumeRolePolicyDocument", "Description", "Path", "MaxSessionDuration"),
        *("Policies", "ManagedPolicyArns", "Tags", "PermissionsBoundary"),
    )
    drifting = ("AssumeRolePolicyDocument", "Policies", "ManagedPolicyArns")

    def create(self, request: ResourceRequest) -> Made:
        given = request.properties
        name = given.get("RoleName") or request.name(64)
        role = request.call(
            "iam",
            "create_role",
            RoleName=name,
            AssumeRolePolicyDocument=document(given["AssumeRolePolicyDocument"]),
            Tags=request.tag_list(),
            **picked(given, ("Description", "Path", "MaxSessionDuration", "PermissionsBoundary")),
        )["Role"]
        made = Made(name, {"Arn": role["Arn"], "RoleId": role["RoleId"]})
        try:
            self._policies(request, name, {})
        except BaseException:
            self._delete(request, name)
            raise
        return made

    def update(self, request: ResourceRequest) -> Made:
        given, old, name = request.properties, request.previous, request.physical_id
        trust = document(given["AssumeRolePolicyDocument"])
        request.call("iam", "update_assume_role_policy", RoleName=name, PolicyDocument=trust)
        if picked(given, ("Description", "MaxSessionDuration")) != picked(
            old, ("Description", "MaxSessionDuration")
        ):
            request.call(
                "iam",
                "update_role",
                RoleName=name,
                Description=given.get("Description", ""),
                MaxSessionDuration=given.get("MaxSessionDuration", 3600),
            )
        if "PermissionsBoundary" in given:
            boundary = given["PermissionsBoundary"]
            request.call(
                "iam",
                "put_role_permissions_boundary",
                RoleName=name,
                PermissionsBoundary=boundary,
            )
        elif "PermissionsBoundary" in old:
            request.call("iam", "delete_role_permissions_boundary", RoleName=name)
        self._policies(request, name, old)
        gone = [tag["Key"] for tag in old.get("Tags", []) if tag["Key"] not in request.tags()]
        if gone:
            request.call("iam", "untag_role", RoleName=name, TagKeys=gone)
        if tags := request.tag_list():
            request.call("iam", "tag_role", RoleName=name, Tags=tags)
        return Made(name, request.attributes)

    def delete(self, request: ResourceRequest) -> None:
        with ignoring_missing():
            self._delete(request, request.physical_id)

    def as_it_is(self, request: ResourceRequest) -> Json | None:
        name = request.physical_id
        try:
            role = request.call("iam", "get_role", RoleName=name)["Role"]
        except ClientError as error:
            if missing(error):
                return None
            raise
        inline = request.call("iam", "list_role_policies", RoleName=name)["PolicyNames"]
        attached = request.call("iam", "list_attached_role_policies", RoleName=name)
        return {
            "AssumeRolePolicyDocument": role["AssumeRolePolicyDocument"],
            "Policies": [
                picked(
                    request.call("iam", "get_role_policy", RoleName=name, PolicyName=policy),
                    ("PolicyName", "PolicyDocument"),
                )
                for policy in inline
            ],
            "ManagedPolicyArns": [found["PolicyArn"] for found in attached["AttachedPolicies"]],
        }

    def _policies(self, request: ResourceRequest, name: str, old: Json) -> None:
        inline = {policy["PolicyName"]: policy for policy in request.properties.get("Policies", [])}
        for policy in old.get("Policies", []):
            if policy["PolicyName"] not in inline:
                request.call(
                    "iam", "delete_role_policy", RoleName=name, PolicyName=policy["PolicyName"]
                )
        for policy_name, policy in inline.items():
            request.call(
                "iam",
                "put_role_policy",
                RoleName=name,
                PolicyName=policy_name,
                PolicyDocument=document(policy["PolicyDocument"]),
            )
        before = set(old.get("ManagedPolicyArns", []))
        after = set(request.properties.get("ManagedPolicyArns", []))
        for arn in sorted(before - after):
            with ignoring_missing():
                request.call("iam", "detach_role_policy", RoleName=name, PolicyArn=arn)
        for arn in sorted(after - before):
            request.call("iam", "attach_role_policy", RoleName=name, PolicyArn=arn)

    @staticmethod
    def _delete(request: ResourceRequest, name: str) -> None:
        for policy in request.call("iam", "list_role_policies", RoleName=name)["PolicyNames"]:
            request.call("iam", "delete_role_policy", RoleName=name, PolicyName=policy)
        attached = request.call("iam", "list_attached_role_policies", RoleName=name)
        for found in attached["AttachedPolicies"]:
            request.call("iam", "detach_role_policy", RoleName=name, PolicyArn=found["PolicyArn"])
        request.call("iam", "delete_role", RoleName=name)


class ManagedPolicy(Provider):
    type = "AWS::IAM::ManagedPolicy"
    name_property = "ManagedPolicyName"
    named_iam = True
    replaced_by = ("ManagedPolicyName", "Description", "Path")
    attributes = ("PolicyArn", "PolicyId")
    properties = ("ManagedPolicyName", "PolicyDocument", "Description", "Path", "Roles")

    def create(self, request: ResourceRequest) -> Made:
        given = request.properties
        policy = request.call(
            "iam",
            "create_policy",
            PolicyName=given.get("ManagedPolicyName") or request.name(128),
            PolicyDocument=document(given["PolicyDocument"]),
            **picked(given, ("Description", "Path")),
        )["Policy"]
        made = Made(policy["Arn"], {"PolicyArn": policy["Arn"], "PolicyId": policy["PolicyId"]})
        request.physical_id = policy["Arn"]  # there already, should a role refuse it
        self._attach(request, policy["Arn"], [])
        return made

    def update(self, request: ResourceRequest) -> Made:
        given, arn = request.properties, request.physical_id
        if given["PolicyDocument"] != request.previous["PolicyDocument"]:
            versions = request.call("iam", "list_policy_versions", PolicyArn=arn)["Versions"]
            spare = [
                version["VersionId"] for version in versions if not version["IsDefaultVersion"]
            ]
            if len(versions) >= 5:  # IAM keeps at most five
                oldest = min(spare, key=lambda version: int(version.removeprefix("v")))
                request.call("iam", "delete_policy_version", PolicyArn=arn, VersionId=oldest)
            request.call(
                "iam",
                "create_policy_version",
                PolicyArn=arn,
                PolicyDocument=document(given["PolicyDocument"]),
                SetAsDefault=True,
            )
        self._attach(request, arn, request.previous.get("Roles", []))
        return Made(arn, request.attributes)

    def delete(self, request: ResourceRequest) -> None:
        arn = request.physical_id
        with ignoring_missing():
            roles = request.call("iam", "list_entities_for_policy", PolicyArn=arn)["PolicyRoles"]
            for role in roles:
                request.call("iam", "detach_role_policy", RoleName=role["RoleName"], PolicyArn=arn)
            for version in request.call("iam", "list_policy_versions", PolicyArn=arn)["Versions"]:
                if not version["IsDefaultVersion"]:
                    number = version["VersionId"]
                    request.call("iam", "delete_policy_version", PolicyArn=arn, VersionId=number)
            request.call("iam", "delete_policy", PolicyArn=arn)

    @staticmethod
    def _attach(request: ResourceRequest, arn: str, before: list[str]) -> None:
        roles = request.properties.get("Roles", [])
        for role in before:
            if role not in roles:
                with ignoring_missing():
                    request.call("iam", "detach_role_policy", RoleName=role, PolicyArn=arn)
        for role in roles:
            request.call("iam", "attach_role_policy", RoleName=role, PolicyArn=arn)


class Policy(Provider):
    """An inline policy of several roles."""

    type = "AWS::IAM::Policy"
    properties = ("PolicyName", "PolicyDocument", "Roles")
    replaced_by = ("PolicyName",)

    def create(self, request: ResourceRequest) -> Made:
        self._put(request, [])
        return Made(request.properties["PolicyName"])

    def update(self, request: ResourceRequest) -> Made:
        self._put(request, request.previous.get("Roles", []))
        return Made(request.physical_id)

    def delete(self, request: ResourceRequest) -> None:
        self._remove(request, request.properties.get("Roles", []))

    def _put(self, request: ResourceRequest, before: list[str]) -> None:
        given = request.properties
        roles = given.get("Roles", [])
        self._remove(request, [role for role in before if role not in roles])
        for role in roles:
            request.call(
                "iam",
                "put_role_policy",
                RoleName=role,
                PolicyName=given["PolicyName"],
                PolicyDocument=document(given["PolicyDocument"]),
            )

    @staticmethod
    def _remove(request: ResourceRequest, roles: list[str]) -> None:
        name = request.properties["PolicyName"]
        for role in roles:
            with ignoring_missing():
                request.call("iam", "delete_role_policy", RoleName=role, PolicyName=name)


class LogGroup(Provider):
    type = "AWS::Logs::LogGroup"
    name_property = "LogGroupName"
    replaced_by = ("LogGroupName",)
    attributes = ("Arn",)
    properties = ("LogGroupName", "RetentionInDays", "KmsKeyId", "Tags")

    def create(self, request: ResourceRequest) -> Made:
        name = request.properties.get("LogGroupName") or request.name(512)
        request.call(
            *("logs", "create_log_group"),
            logGroupName=name,
            tags=request.tags() or None,
            kmsKeyId=request.properties.get("KmsKeyId"),
        )
        request.physical_id = name  # there already, should the retention be refused
        self._retain(request, name)
        return Made(name, {"Arn": request.sub_arn("logs", f"log-group:{name}:*")})

    def update(self, request: ResourceRequest) -> Made:
        self._retain(request, request.physical_id)
        key = request.properties.get("KmsKeyId")
        if key != request.previous.get("KmsKeyId"):
            operation = "associate_kms_key" if key else "disassociate_kms_key"
            request.call("logs", operation, logGroupName=request.physical_id, kmsKeyId=key)
        if tags := request.tags():
            arn = request.attributes["Arn"].removesuffix(":*")
            request.call("logs", "tag_resource", resourceArn=arn, tags=tags)
        return Made(request.physical_id, request.attributes)

    def delete(self, request: ResourceRequest) -> None:
        with ignoring_missing():
            request.call("logs", "delete_log_group", logGroupName=request.physical_id)

    @staticmethod
    def _retain(request: ResourceRequest, name: str) -> None:
        days = request.properties.get("RetentionInDays")
        if days is not None:
            request.call("logs", "put_retention_policy", logGroupName=name, retentionInDays=days)
        elif request.previous.get("RetentionInDays") is not None:
            request.call("logs", "delete_retention_policy", logGroupName=name)


class LogResourcePolicy(Provider):
    type = "AWS::Logs::ResourcePolicy"
    name_property = "PolicyName"
    replaced_by = ("PolicyName",)
    properties = ("PolicyName", "PolicyDocument")

    def create(self, request: ResourceRequest) -> Made:
        name = request.properties["PolicyName"]
        text = document(request.properties["PolicyDocument"])
        request.call("logs", "put_resource_policy", policyName=name, policyDocument=text)
        return Made(name)

    update = create

    def delete(self, request: ResourceRequest) -> None:
        with ignoring_missing():
            request.call("logs", "delete_resource_policy", policyName=request.physical_id)


PROVIDERS = (Role(), ManagedPolicy(), Policy(), LogGroup(), LogResourcePolicy())
