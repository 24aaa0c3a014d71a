"""Published versions (frozen copies of $LATEST) and aliases (names for versions)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from localaws.core.pages import Key, page
from localaws.core.service import Call, Service
from localaws.errors import AwsError
from localaws.functions import configuration as settings
from localaws.functions.functions import ALIAS, VERSION, Functions, split_name
from localaws.functions.permissions import Permissions
from localaws.shapes import Json


class Versions:
    """Versions and aliases; weighted aliases (RoutingConfig) are refused by name."""

    def __init__(self, functions: Functions, permissions: Permissions) -> None:
        self._functions = functions
        self._permissions = permissions
        self._documents = functions.aws.documents

    def register(self, service: Service) -> None:
        alias = ("FunctionName", "Name", "FunctionVersion", "Description")
        service.operation(
            "PublishVersion", "FunctionName", "CodeSha256", "Description", "RevisionId"
        )(self.publish)
        service.operation("ListVersionsByFunction", "FunctionName", "Marker", "MaxItems")(self.list)
        service.operation("CreateAlias", *alias)(self.create_alias)
        service.operation("UpdateAlias", *alias)(self.update_alias)
        service.operation("GetAlias", "FunctionName", "Name")(self.get_alias)
        service.operation("DeleteAlias", "FunctionName", "Name")(self.delete_alias)
        service.operation("ListAliases", "FunctionName", "FunctionVersion", "Marker", "MaxItems")(
            self.list_aliases
        )

    def publish(self, call: Call) -> Json:
        name, latest = self._functions.get(call.params["FunctionName"])
        configuration = latest["configuration"]
        code = call.params.get("CodeSha256", configuration["CodeSha256"])
        if code != configuration["CodeSha256"]:
            raise settings.invalid(
                f"CodeSHA256 ({code}) is different from current CodeSHA256 "
                f"in $LATEST ({configuration['CodeSha256']}). Please try again with the "
                "CodeSHA256 in $LATEST."
            )
        check_revision(call, latest)
        return self.freeze(name, call.params.get("Description", ""))

    def freeze(self, name: str, description: str) -> Json:
        """The configuration of a new version; of the last one when nothing has changed since."""
        with self._functions.changing(name) as latest:
            configuration = latest["configuration"]
            last = latest.get("last_version", 0)
            before = self._documents.get(VERSION, f"{name}:{last}")
            if before is not None and before["published_from"] == configuration["RevisionId"]:
                return dict(before["configuration"])
            number = str(last + 1)
            frozen: Json = configuration | {
                "Version": number,
                "FunctionArn": self._functions.arn(name, number),
                "RevisionId": str(uuid.uuid4()),
            }
            if description:
                frozen["Description"] = description
            document = {
                "configuration": frozen,
                "sha256": latest["sha256"],
                "published_from": configuration["RevisionId"],
            }
            self._documents.put(VERSION, f"{name}:{number}", document)
            latest["last_version"] = last + 1
        return frozen

    def delete(self, name: str, number: str) -> None:
        """Deletes one version, which no alias may name."""
        self._functions.get(name)
        if number == "$LATEST":
            raise settings.invalid(
                "$LATEST version cannot be deleted without deleting the function."
            )
        if not number.isdigit():
            raise settings.invalid(f"Qualifier {number!r} is no version.")
        using = [
            key
            for key, alias in self._documents.items(ALIAS)
            if key.split(":")[0] == name and alias["FunctionVersion"] == number
        ]
        if using:
            raise AwsError(
                "ResourceConflictException",
                f"Version {number} is referenced by aliases {[key.split(':')[1] for key in using]}",
                409,
            )
        self._documents.delete(VERSION, f"{name}:{number}")
        self._permissions.forget(f"{name}:{number}")

    def drop(self, name: str) -> None:
        """Deletes every version, alias and policy of a function."""
        self._permissions.forget(name)
        for kind in (VERSION, ALIAS):
            for key, _ in self._documents.items(kind):
                if key.split(":")[0] == name:
                    self._documents.delete(kind, key)
                    self._permissions.forget(key)

    def list(self, call: Call) -> Json:
        name, latest = self._functions.get(call.params["FunctionName"])
        versions: list[tuple[Key, Json]] = [(0, latest["configuration"])]
        for key, document in self._documents.items(VERSION):
            owner, number = key.split(":")
            if owner == name:
                versions.append((int(number), document["configuration"]))
        return listed(call, "Versions", versions)

    def create_alias(self, call: Call) -> Json:
        name, _ = self._functions.get(call.params["FunctionName"])
        self._functions.resolve(name, call.params["FunctionVersion"])
        alias = {
            "AliasArn": self._functions.arn(name, call.params["Name"]),
            "Name": call.params["Name"],
            "FunctionVersion": call.params["FunctionVersion"],
            "Description": call.params.get("Description", ""),
            "RevisionId": str(uuid.uuid4()),
        }
        if not self._documents.insert(ALIAS, f"{name}:{call.params['Name']}", alias):
            raise AwsError(
                "ResourceConflictException", f"Alias already exists: {alias['AliasArn']}", 409
            )
        return alias

    def update_alias(self, call: Call) -> Json:
        name, key, missing = self._alias(call)
        if "FunctionVersion" in call.params:
            self._functions.resolve(name, call.params["FunctionVersion"])
        with self._documents.changing(ALIAS, key, missing) as alias:
            for member in ("FunctionVersion", "Description"):
                if member in call.params:
                    alias[member] = call.params[member]
            alias["RevisionId"] = str(uuid.uuid4())
        return alias

    def get_alias(self, call: Call) -> Json:
        _, key, missing = self._alias(call)
        alias = self._documents.get(ALIAS, key)
        if alias is None:
            raise missing
        return alias

    def delete_alias(self, call: Call) -> Json:
        name, _ = split_name(call.params["FunctionName"])
        self._documents.delete(ALIAS, f"{name}:{call.params['Name']}")
        return {}

    def list_aliases(self, call: Call) -> Json:
        name, _ = self._functions.get(call.params["FunctionName"])
        version = call.params.get("FunctionVersion")
        aliases = [
            (key, alias)
            for key, alias in self._documents.items(ALIAS)
            if key.split(":")[0] == name and version in (None, alias["FunctionVersion"])
        ]
        return listed(call, "Aliases", aliases)

    def _alias(self, call: Call) -> tuple[str, str, AwsError]:
        """(function, document key, the error if there is no such alias)."""
        name, _ = self._functions.get(call.params["FunctionName"])
        arn = self._functions.arn(name, call.params["Name"])
        missing = AwsError("ResourceNotFoundException", f"Cannot find alias arn: {arn}", 404)
        return name, f"{name}:{call.params['Name']}", missing


def check_revision(call: Call, document: Json) -> None:
    """PreconditionFailedException when the caller saw an older revision."""
    revision = call.params.get("RevisionId")
    if revision is not None and revision != document["configuration"]["RevisionId"]:
        raise AwsError(
            "PreconditionFailedException",
            "The Revision Id provided does not match the latest Revision Id. Call the "
            "GetFunction/GetAlias API to retrieve the latest Revision Id",
            412,
        )


def listed(call: Call, member: str, items: Iterable[tuple[Key, Any]]) -> Json:
    """One page of a list of versions or aliases."""
    found = page(
        items,
        call.params.get("Marker"),
        min(call.params.get("MaxItems", 50), 50),
        invalid=settings.invalid,
    )
    return {member: found.items, **found.next("NextMarker")}
