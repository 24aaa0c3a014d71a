"""AWS::StepFunctions::StateMachine, StateMachineVersion and StateMachineAlias."""

from __future__ import annotations

import json
import re
from typing import Any

from localaws.cloudformation.provider import Made, Provider, ResourceRequest, ignoring_missing
from localaws.errors import AwsError
from localaws.shapes import Json

SERVICE = "stepfunctions"
DEFINITIONS = ("Definition", "DefinitionString", "DefinitionS3Location")


class StateMachine(Provider):
    type = "AWS::StepFunctions::StateMachine"
    name_property = "StateMachineName"
    replaced_by = ("StateMachineName", "StateMachineType")
    attributes = ("Arn", "Name", "StateMachineRevisionId")
    changing = ("StateMachineRevisionId",)
    properties = (
        *("StateMachineName", "StateMachineType", "RoleArn", "Definition", "DefinitionString"),
        *("DefinitionS3Location", "DefinitionSubstitutions", "LoggingConfiguration"),
        *("TracingConfiguration", "Tags"),
    )

    def create(self, request: ResourceRequest) -> Made:
        given = request.properties
        name = given.get("StateMachineName") or request.name(80)
        arn = request.call(
            SERVICE,
            "create_state_machine",
            name=name,
            type=given.get("StateMachineType"),
            definition=definition_text(request),
            roleArn=given["RoleArn"],
            loggingConfiguration=_camel(given.get("LoggingConfiguration")),
            tracingConfiguration=_camel(given.get("TracingConfiguration")),
            tags=request.tag_list("key", "value"),
        )["stateMachineArn"]
        request.physical_id = arn
        return Made(arn, self._attributes(request, arn))

    def update(self, request: ResourceRequest) -> Made:
        given, arn = request.properties, request.physical_id
        request.call(
            SERVICE,
            "update_state_machine",
            stateMachineArn=arn,
            definition=definition_text(request),
            roleArn=given["RoleArn"],
            loggingConfiguration=_camel(given.get("LoggingConfiguration", {"Level": "OFF"})),
            tracingConfiguration=_camel(given.get("TracingConfiguration", {"Enabled": False})),
        )
        old = request.previous.get("Tags", [])
        gone = [tag["Key"] for tag in old if tag["Key"] not in request.tags()]
        if gone:
            request.call(SERVICE, "untag_resource", resourceArn=arn, tagKeys=gone)
        if tags := request.tag_list("key", "value"):
            request.call(SERVICE, "tag_resource", resourceArn=arn, tags=tags)
        return Made(arn, self._attributes(request, arn))

    def delete(self, request: ResourceRequest) -> None:
        """Waits until running executions have ended: only then the machine is gone."""
        arn = request.physical_id
        with ignoring_missing():
            request.call(SERVICE, "delete_state_machine", stateMachineArn=arn)

            def gone() -> bool:
                with ignoring_missing():
                    request.call(SERVICE, "describe_state_machine", stateMachineArn=arn)
                    return False
                return True

            request.wait(gone, f"{arn} still has executions", seconds=3600)

    @staticmethod
    def _attributes(request: ResourceRequest, arn: str) -> Json:
        found = request.call(SERVICE, "describe_state_machine", stateMachineArn=arn)
        revision = found.get("revisionId") or "INITIAL"
        return {"Arn": arn, "Name": found["name"], "StateMachineRevisionId": revision}


def definition_text(request: ResourceRequest) -> str:
    """The definition with its substitutions, `${Name}` as plain text, put in."""
    given = request.properties
    named = [name for name in DEFINITIONS if name in given]
    if len(named) != 1:
        raise AwsError("InvalidRequest", f"Give exactly one of {', '.join(DEFINITIONS)}.")
    if named == ["Definition"]:
        text = json.dumps(given["Definition"])
    elif named == ["DefinitionString"]:
        text = given["DefinitionString"]
    else:
        place = given["DefinitionS3Location"]
        found = request.call(
            "s3",
            "get_object",
            Bucket=place["Bucket"],
            Key=place["Key"],
            VersionId=place.get("Version"),
        )
        text = found["Body"].read().decode()
    values = given.get("DefinitionSubstitutions", {})

    def put_in(match: re.Match[str]) -> str:
        return str(values.get(match[1], match[0]))

    return re.sub(r"\$\{([A-Za-z0-9_]+)\}", put_in, text)


def _camel(value: Any) -> Any:
    """The API's spelling of a template's members: `LogGroupArn` is `logGroupArn`."""
    if isinstance(value, dict):
        return {name[:1].lower() + name[1:]: _camel(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_camel(item) for item in value]
    return value


class StateMachineVersion(Provider):
    type = "AWS::StepFunctions::StateMachineVersion"
    properties = ("StateMachineArn", "StateMachineRevisionId", "Description")
    replaced_by = properties
    attributes = ("Arn",)

    def create(self, request: ResourceRequest) -> Made:
        given = request.properties
        revision = given.get("StateMachineRevisionId")
        arn = request.call(
            SERVICE,
            "publish_state_machine_version",
            stateMachineArn=given["StateMachineArn"],
            revisionId=revision,
            description=given.get("Description"),
        )["stateMachineVersionArn"]
        return Made(arn, {"Arn": arn})

    def delete(self, request: ResourceRequest) -> None:
        arn = request.physical_id
        with ignoring_missing():
            request.call(SERVICE, "delete_state_machine_version", stateMachineVersionArn=arn)


class StateMachineAlias(Provider):
    type = "AWS::StepFunctions::StateMachineAlias"
    name_property = "Name"
    replaced_by = ("Name",)
    attributes = ("Arn",)
    properties = (
        *("Name", "Description", "RoutingConfiguration", "DeploymentPreference.Type"),
        "DeploymentPreference.StateMachineVersionArn",
    )

    def create(self, request: ResourceRequest) -> Made:
        arn = request.call(
            SERVICE,
            "create_state_machine_alias",
            name=request.properties.get("Name") or request.name(80),
            description=request.properties.get("Description"),
            routingConfiguration=self._routes(request),
        )["stateMachineAliasArn"]
        return Made(arn, {"Arn": arn})

    def update(self, request: ResourceRequest) -> Made:
        request.call(
            SERVICE,
            "update_state_machine_alias",
            stateMachineAliasArn=request.physical_id,
            description=request.properties.get("Description"),
            routingConfiguration=self._routes(request),
        )
        return Made(request.physical_id, request.attributes)

    def delete(self, request: ResourceRequest) -> None:
        arn = request.physical_id
        with ignoring_missing():
            request.call(SERVICE, "delete_state_machine_alias", stateMachineAliasArn=arn)

    @staticmethod
    def _routes(request: ResourceRequest) -> Any:
        given = request.properties
        if "RoutingConfiguration" in given:
            return _camel(given["RoutingConfiguration"])
        preference = given.get("DeploymentPreference", {})
        if preference.get("Type") != "ALL_AT_ONCE":
            raise AwsError("NotEmulated", "DeploymentPreference takes the Type ALL_AT_ONCE here.")
        return [{"stateMachineVersionArn": preference["StateMachineVersionArn"], "weight": 100}]


PROVIDERS = (StateMachine(), StateMachineVersion(), StateMachineAlias())
