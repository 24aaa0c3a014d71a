"""AWS::Lambda::Function, Permission, Version and Alias."""

from __future__ import annotations

import io
import zipfile

from localaws.cloudformation.provider import (
    Made,
    Provider,
    ResourceRequest,
    ignoring_missing,
    picked,
)
from localaws.errors import AwsError
from localaws.shapes import Json

ZIP_TIME = (1980, 1, 1, 0, 0, 0)  # a fixed time: the same source makes the same bytes


class Function(Provider):
    type = "AWS::Lambda::Function"
    name_property = "FunctionName"
    replaced_by = ("FunctionName",)
    attributes = ("Arn",)
    plain = (
        *("Role", "Handler", "Runtime", "Timeout", "MemorySize", "Environment", "Description"),
        *("Layers", "EphemeralStorage", "LoggingConfig", "VpcConfig"),
    )
    properties = (
        *("FunctionName", "PackageType", "Architectures", "Tags", "Code.S3Bucket"),
        *("Code.S3Key", "Code.S3ObjectVersion", "Code.ZipFile", *plain),
        "ReservedConcurrentExecutions",
    )

    def create(self, request: ResourceRequest) -> Made:
        given = request.properties
        name = given.get("FunctionName") or request.name(64)
        made = request.call(
            "lambda",
            "create_function",
            FunctionName=name,
            Code=_code(given),
            Tags=request.tags() or None,
            **picked(given, (*self.plain, "PackageType", "Architectures")),
        )
        request.physical_id = name  # there already, should it not settle
        self._settle(request, name)
        self._reserve(request, name)
        return Made(name, {"Arn": made["FunctionArn"]})

    def update(self, request: ResourceRequest) -> Made:
        given, old, name = request.properties, request.previous, request.physical_id
        if picked(given, self.plain) != picked(old, self.plain):
            request.call(
                "lambda",
                "update_function_configuration",
                FunctionName=name,
                **_cleared(old, given),
                **picked(given, self.plain),
            )
            self._settle(request, name)
        if (given["Code"], given.get("Architectures")) != (old["Code"], old.get("Architectures")):
            request.call(
                "lambda",
                "update_function_code",
                FunctionName=name,
                **_code(given),
                **picked(given, ("Architectures",)),
            )
            self._settle(request, name)
        self._reserve(request, name)
        return Made(name, request.attributes)

    def delete(self, request: ResourceRequest) -> None:
        with ignoring_missing():
            request.call("lambda", "delete_function", FunctionName=request.physical_id)

    @staticmethod
    def _reserve(request: ResourceRequest, name: str) -> None:
        reserved = "ReservedConcurrentExecutions"
        new, old = request.properties.get(reserved), request.previous.get(reserved)
        if new is not None and new != old:
            request.call(
                *("lambda", "put_function_concurrency"),
                FunctionName=name,
                ReservedConcurrentExecutions=new,
            )
        elif new is None and old is not None:
            request.call("lambda", "delete_function_concurrency", FunctionName=name)

    @staticmethod
    def _settle(request: ResourceRequest, name: str) -> None:
        def settled() -> bool:
            now = request.call("lambda", "get_function_configuration", FunctionName=name)
            for member in ("State", "LastUpdateStatus"):
                if now.get(member) == "Failed":
                    reason = now.get("StateReason") or now.get("LastUpdateStatusReason")
                    raise AwsError("NotStabilized", f"Function {name}: {reason}")
            return (
                now.get("State", "Active") != "Pending"
                and now.get("LastUpdateStatus", "Successful") != "InProgress"
            )

        request.wait(settled, f"Function {name} is not active")


def _cleared(old: Json, new: Json) -> Json:
    """What a property that is gone goes back to."""
    empty = {"Environment": {"Variables": {}}, "Description": "", "Layers": [], "Timeout": 3}
    return {name: value for name, value in empty.items() if name in old and name not in new}


def _code(properties: Json) -> Json:
    code = properties["Code"]
    if "ZipFile" not in code:
        return picked(code, ("S3Bucket", "S3Key", "S3ObjectVersion"))
    runtime = str(properties.get("Runtime", ""))
    if not runtime.startswith("python"):
        raise AwsError("NotEmulated", f"Inline code of runtime {runtime!r}; python3.x is.")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        entry = zipfile.ZipInfo("index.py", ZIP_TIME)
        entry.external_attr = 0o644 << 16
        archive.writestr(entry, code["ZipFile"])
    return {"ZipFile": buffer.getvalue()}


class Permission(Provider):
    type = "AWS::Lambda::Permission"
    plain = ("FunctionName", "Action", "Principal", "SourceArn", "SourceAccount")
    properties = plain
    replaced_by = plain

    def create(self, request: ResourceRequest) -> Made:
        statement = request.name(100)
        given = picked(request.properties, self.plain)
        request.call("lambda", "add_permission", StatementId=statement, **given)
        return Made(statement)

    def delete(self, request: ResourceRequest) -> None:
        with ignoring_missing():
            request.call(
                "lambda",
                "remove_permission",
                FunctionName=request.properties["FunctionName"],
                StatementId=request.physical_id,
            )


class Version(Provider):
    type = "AWS::Lambda::Version"
    properties = ("FunctionName", "Description", "CodeSha256")
    replaced_by = properties
    attributes = ("Version", "FunctionArn")

    def create(self, request: ResourceRequest) -> Made:
        given = picked(request.properties, self.properties)
        made = request.call("lambda", "publish_version", **given)
        arn = made["FunctionArn"]
        return Made(arn, {"Version": made["Version"], "FunctionArn": arn})

    def delete(self, request: ResourceRequest) -> None:
        with ignoring_missing():
            request.call(
                "lambda",
                "delete_function",
                FunctionName=request.properties["FunctionName"],
                Qualifier=request.attributes["Version"],
            )


class Alias(Provider):
    type = "AWS::Lambda::Alias"
    properties = ("FunctionName", "FunctionVersion", "Name", "Description")
    name_property = "Name"
    replaced_by = ("FunctionName", "Name")
    attributes = ("AliasArn",)

    def create(self, request: ResourceRequest) -> Made:
        made = request.call("lambda", "create_alias", **picked(request.properties, self.properties))
        return Made(made["AliasArn"], {"AliasArn": made["AliasArn"]})

    def update(self, request: ResourceRequest) -> Made:
        request.call("lambda", "update_alias", **picked(request.properties, self.properties))
        return Made(request.physical_id, request.attributes)

    def delete(self, request: ResourceRequest) -> None:
        given = picked(request.properties, ("FunctionName", "Name"))
        with ignoring_missing():
            request.call("lambda", "delete_alias", **given)


PROVIDERS = (Function(), Permission(), Version(), Alias())
