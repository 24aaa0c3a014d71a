"""Versions of state machines: revisions that stay as they are."""

from __future__ import annotations

from datetime import datetime

from localaws.core.service import Call, Service
from localaws.errors import AwsError
from localaws.shapes import Json
from localaws.stepfunctions import names, timestamps
from localaws.stepfunctions.aliases import ALIAS, VERSION
from localaws.stepfunctions.resources import Resources

MAX_VERSIONS = 1000


class Versions:
    """Each holds the machine's document as it was when it was published."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def register(self, service: Service) -> None:
        service.operation("ListStateMachineVersions", "stateMachineArn", "nextToken", "maxResults")(
            self.page
        )
        service.operation("DeleteStateMachineVersion", "stateMachineVersionArn")(self.delete)

    def publish(self, body: Json, description: str | None, now: datetime) -> Json:
        """The version of the machine's present revision; a revision that was published before
        gives the same version again. Counts `body["versions"]`, which the caller keeps."""
        arn = body["stateMachineArn"]
        versions = self._resources.resources(VERSION, arn)
        if versions and versions[-1]["revision"] == (body["revisionId"] or "INITIAL"):
            return versions[-1]
        if len(versions) >= MAX_VERSIONS:
            raise AwsError("ServiceQuotaExceededException", f"{arn} has {MAX_VERSIONS} versions.")
        body["versions"] += 1
        version_arn = f"{arn}:{body['versions']}"
        version = {
            "arn": version_arn,
            "stateMachineVersionArn": version_arn,
            "creationDate": now.timestamp(),
            "description": description or "",
            "revision": body["revisionId"] or "INITIAL",
            "machine": {key: value for key, value in body.items() if key != "tags"},
        }
        self._resources.put(VERSION, version_arn, arn, version)
        return version

    def page(self, call: Call) -> Json:
        params = call.params
        arn = params["stateMachineArn"]
        names.check_machine_arn(arn)
        numbered = (
            (int(version["arn"].rpartition(":")[2]), version)
            for version in self._resources.resources(VERSION, arn)
        )
        page, token = names.paged(numbered, params, newest_first=True)
        shown = [
            {
                "stateMachineVersionArn": version["arn"],
                "creationDate": timestamps.from_epoch(version["creationDate"]),
            }
            for version in page
        ]
        return {"stateMachineVersions": shown, **({"nextToken": token} if token else {})}

    def delete(self, call: Call) -> Json:
        arn = call.params["stateMachineVersionArn"]
        names.check_machine_arn(arn)
        if names.qualifier(arn) is None:
            raise AwsError("ValidationException", f"The ARN must be of a version: '{arn}'")
        with self._resources.transaction():
            routed = [
                alias["name"]
                for alias in self._resources.resources(ALIAS, names.base_arn(arn))
                if any(r["stateMachineVersionArn"] == arn for r in alias["routing"])
            ]
            if routed:
                raise AwsError(
                    "ConflictException",
                    "Version to be deleted must not be referenced by an alias. Current list of"
                    f" aliases referencing this version: [{', '.join(routed)}]",
                )
            self._resources.delete(arn)
        return {}

    def delete_all(self, machine_arn: str) -> None:
        for body in self._resources.resources(VERSION, machine_arn):
            self._resources.delete(body["arn"])
