"""Published versions (frozen copies of $LATEST) and aliases (names for versions)."""

from __future__ import annotations

import uuid

from localaws.core.errors import AwsError
from localaws.core.service import Call, Json, Service
from localaws.functions.functions import ALIAS, FUNCTION, VERSION, Functions, split_name
from localaws.functions.permissions import Permissions


def publish(functions: Functions, name: str, description: str) -> Json:
    """The configuration of a new version; of the last one when nothing has changed since."""
    documents = functions.aws.documents
    _, latest = functions.get(name)
    configuration = latest["configuration"]
    last = latest.get("last_version", 0)
    before = documents.get(VERSION, f"{name}:{last}")
    if before is not None and before["published_from"] == configuration["RevisionId"]:
        return dict(before["configuration"])
    number = str(last + 1)
    frozen = configuration | {
        "Version": number,
        "FunctionArn": functions.arn(name, number),
        "RevisionId": str(uuid.uuid4()),
    }
    if description:
        frozen["Description"] = description
    documents.put(
        VERSION,
        f"{name}:{number}",
        {
            "configuration": frozen,
            "sha256": latest["sha256"],
            "published_from": configuration["RevisionId"],
        },
    )
    latest["last_version"] = last + 1
    documents.put(FUNCTION, name, latest)
    return frozen


def drop_versions(functions: Functions, permissions: Permissions, name: str) -> None:
    """Deletes every version, alias and policy of a function."""
    permissions.forget(name)
    for kind in (VERSION, ALIAS):
        for key, _ in functions.aws.documents.items(kind):
            if key.split(":")[0] == name:
                functions.aws.documents.delete(kind, key)
                permissions.forget(key)


def register_versions(service: Service, functions: Functions) -> None:
    """Versions and aliases; weighted aliases (RoutingConfig) are refused by name."""
    documents = functions.aws.documents

    @service.operation("PublishVersion", "FunctionName", "CodeSha256", "Description", "RevisionId")
    def publish_version(call: Call) -> Json:
        name, latest = functions.get(call.params["FunctionName"])
        configuration = latest["configuration"]
        if (
            call.params.get("CodeSha256", configuration["CodeSha256"])
            != configuration["CodeSha256"]
        ):
            raise AwsError(
                "InvalidParameterValueException",
                f"CodeSHA256 ({call.params['CodeSha256']}) is different from current CodeSHA256 "
                f"in $LATEST ({configuration['CodeSha256']}). Please try again with the "
                "CodeSHA256 in $LATEST.",
            )
        if (
            call.params.get("RevisionId", configuration["RevisionId"])
            != configuration["RevisionId"]
        ):
            raise AwsError(
                "PreconditionFailedException",
                "The Revision Id provided does not match the latest Revision Id.",
                412,
            )
        return publish(functions, name, call.params.get("Description", ""))

    @service.operation("ListVersionsByFunction", "FunctionName", "Marker", "MaxItems")
    def list_versions(call: Call) -> Json:
        name, latest = functions.get(call.params["FunctionName"])
        published = [
            document["configuration"]
            for key, document in documents.items(VERSION)
            if key.split(":")[0] == name
        ]
        return page(call, "Versions", [latest["configuration"], *published])

    @service.operation("CreateAlias", "FunctionName", "Name", "FunctionVersion", "Description")
    def create_alias(call: Call) -> Json:
        name, _ = functions.get(call.params["FunctionName"])
        functions.resolve(name, call.params["FunctionVersion"])
        alias = {
            "AliasArn": functions.arn(name, call.params["Name"]),
            "Name": call.params["Name"],
            "FunctionVersion": call.params["FunctionVersion"],
            "Description": call.params.get("Description", ""),
            "RevisionId": str(uuid.uuid4()),
        }
        if not documents.insert(ALIAS, f"{name}:{call.params['Name']}", alias):
            raise AwsError(
                "ResourceConflictException", f"Alias already exists: {alias['AliasArn']}", 409
            )
        return alias

    @service.operation("UpdateAlias", "FunctionName", "Name", "FunctionVersion", "Description")
    def update_alias(call: Call) -> Json:
        key, alias = find_alias(functions, call)
        if "FunctionVersion" in call.params:
            functions.resolve(key.split(":")[0], call.params["FunctionVersion"])
        for member in ("FunctionVersion", "Description"):
            if member in call.params:
                alias[member] = call.params[member]
        alias["RevisionId"] = str(uuid.uuid4())
        documents.put(ALIAS, key, alias)
        return alias

    @service.operation("GetAlias", "FunctionName", "Name")
    def get_alias(call: Call) -> Json:
        return find_alias(functions, call)[1]

    @service.operation("DeleteAlias", "FunctionName", "Name")
    def delete_alias(call: Call) -> Json:
        name, _ = split_name(call.params["FunctionName"])
        documents.delete(ALIAS, f"{name}:{call.params['Name']}")
        return {}

    @service.operation("ListAliases", "FunctionName", "FunctionVersion", "Marker", "MaxItems")
    def list_aliases(call: Call) -> Json:
        name, _ = functions.get(call.params["FunctionName"])
        version = call.params.get("FunctionVersion")
        aliases = [
            alias
            for key, alias in documents.items(ALIAS)
            if key.split(":")[0] == name and version in (None, alias["FunctionVersion"])
        ]
        return page(call, "Aliases", aliases)


def find_alias(functions: Functions, call: Call) -> tuple[str, Json]:
    """(document key, alias)."""
    name, _ = functions.get(call.params["FunctionName"])
    key = f"{name}:{call.params['Name']}"
    alias = functions.aws.documents.get(ALIAS, key)
    if alias is None:
        arn = functions.arn(name, call.params["Name"])
        raise AwsError("ResourceNotFoundException", f"Cannot find alias arn: {arn}", 404)
    return key, alias


def page(call: Call, member: str, items: list[Json]) -> Json:
    """One page of a list."""
    start = int(call.params.get("Marker", "0"))
    end = start + min(call.params.get("MaxItems", 50), 50)
    answer: Json = {member: items[start:end]}
    if end < len(items):
        answer["NextMarker"] = str(end)
    return answer
