"""State machines and their tags; versions.py and aliases.py have the rest of the control plane."""

from __future__ import annotations

import uuid
from datetime import datetime

from localaws.core.clock import Clock
from localaws.core.service import Call, Service
from localaws.errors import AwsError
from localaws.shapes import Json
from localaws.stepfunctions import execution_logs, names, timestamps, validation
from localaws.stepfunctions.aliases import VERSION, Aliases
from localaws.stepfunctions.integrations.runtime import Integrations
from localaws.stepfunctions.resources import ACTIVITY, Resources
from localaws.stepfunctions.role_checks import RoleChecks
from localaws.stepfunctions.variable_references import variable_references
from localaws.stepfunctions.versions import Versions

MACHINE = "machine"
NO_LOGGING: Json = {"level": "OFF", "includeExecutionData": False}
NO_TRACING: Json = {"enabled": False}
OWNED_KEY: Json = {"type": "AWS_OWNED_KEY"}


class Machines:
    """Documents in the resources, by ARN."""

    def __init__(
        self,
        resources: Resources,
        integrations: Integrations,
        roles: RoleChecks,
        clock: Clock,
        region: str,
        account: str,
    ) -> None:
        self._resources = resources
        self._integrations = integrations
        self._roles = roles
        self._clock = clock
        self.versions = Versions(resources)
        self.aliases = Aliases(resources, clock)
        self._prefix = f"arn:aws:states:{region}:{account}:stateMachine:"

    def register(self, service: Service) -> None:
        service.operation(
            "CreateStateMachine",
            "name",
            "definition",
            "roleArn",
            "type",
            "loggingConfiguration",
            "tags",
            "tracingConfiguration",
            "publish",
            "versionDescription",
        )(self.create)
        service.operation(
            "UpdateStateMachine",
            "stateMachineArn",
            "definition",
            "roleArn",
            "loggingConfiguration",
            "tracingConfiguration",
            "publish",
            "versionDescription",
        )(self.update)
        service.operation("DeleteStateMachine", "stateMachineArn")(self.delete)
        service.operation("DescribeStateMachine", "stateMachineArn", "includedData")(self.describe)
        service.operation("ListStateMachines", "maxResults", "nextToken")(self.list_machines)
        service.operation(
            "PublishStateMachineVersion", "stateMachineArn", "revisionId", "description"
        )(self.publish)
        service.operation("TagResource", "resourceArn", "tags")(self.tag)
        service.operation("UntagResource", "resourceArn", "tagKeys")(self.untag)
        service.operation("ListTagsForResource", "resourceArn")(self.list_tags)
        self.versions.register(service)
        self.aliases.register(service)

    # --- machines ----------------------------------------------------------------------------

    def create(self, call: Call) -> Json:
        params, now = call.params, self._clock.now()
        name = params["name"]
        names.check_name(name)
        _check_description(params)
        kind = params.get("type", "STANDARD")
        self.check_definition(params["definition"], kind)
        logging = params.get("loggingConfiguration", {})
        self._roles.check(name, params["roleArn"], params["definition"], logging)
        execution_logs.check(logging, self._roles.log_group_exists)
        arn = self._prefix + name
        body = {
            "stateMachineArn": arn,
            "name": name,
            "definition": params["definition"],
            "roleArn": params["roleArn"],
            "type": kind,
            "creationDate": now.timestamp(),
            "loggingConfiguration": {**NO_LOGGING, **params.get("loggingConfiguration", {})},
            "tracingConfiguration": {**NO_TRACING, **params.get("tracingConfiguration", {})},
            "tags": params.get("tags", []),
            "revisionId": None,
            "updateDate": None,
            "versions": 0,
        }
        with self._resources.transaction():
            existing = self._resources.get(MACHINE, arn)
            if existing is None:
                self._resources.put(MACHINE, arn, "", body)
            elif not _same_request(existing, body):
                raise AwsError(
                    "StateMachineAlreadyExists", f"State Machine Already Exists: '{arn}'"
                )
            made = existing or body
            answer: Json = {
                "stateMachineArn": arn,
                "creationDate": timestamps.from_epoch(made["creationDate"]),
            }
            if params.get("publish"):
                version = self._publish(made, params.get("versionDescription"), now)
                answer["stateMachineVersionArn"] = version["stateMachineVersionArn"]
        return answer

    def check_definition(self, text: str, kind: str = "STANDARD") -> None:
        """Raises InvalidDefinition with every error, or NotEmulated."""
        found = validation.diagnose(text, self._integrations.check_resource, kind)
        errors = [item for item in found if item.severity == "ERROR"]
        if errors:
            raise AwsError("InvalidDefinition", validation.invalid_definition(errors))

    def update(self, call: Call) -> Json:
        params, now = call.params, self._clock.now()
        arn = params["stateMachineArn"]
        changes: Json = {
            key: params[key]
            for key in ("definition", "roleArn", "loggingConfiguration", "tracingConfiguration")
            if key in params
        }
        _check_description(params)
        if not changes and not params.get("publish"):
            raise AwsError(
                "MissingRequiredParameter",
                "Either the definition, the role ARN, the LoggingConfiguration, or the"
                " TracingConfiguration must be specified",
            )
        if "definition" in changes:
            self.check_definition(changes["definition"], self.machine(arn)["type"])
        changed = {**self.machine(arn), **changes}
        self._roles.check(
            *(changed["name"], changed["roleArn"], changed["definition"]),
            changed["loggingConfiguration"],
        )
        execution_logs.check(changes.get("loggingConfiguration", {}), self._roles.log_group_exists)
        for name, usual in (
            ("loggingConfiguration", NO_LOGGING),
            ("tracingConfiguration", NO_TRACING),
        ):
            if name in changes:
                changes[name] = {**usual, **changes[name]}
        with self._resources.transaction():
            body = self.machine(arn)
            if any(body[key] != value for key, value in changes.items()):
                body.update(changes, revisionId=str(uuid.uuid4()))
            body["updateDate"] = now.timestamp()
            self._resources.put(MACHINE, arn, "", body)
            answer: Json = {"updateDate": now}
            if body["revisionId"] is not None:
                answer["revisionId"] = body["revisionId"]
            if params.get("publish"):
                version = self._publish(body, params.get("versionDescription"), now)
                answer["stateMachineVersionArn"] = version["stateMachineVersionArn"]
        return answer

    def delete(self, call: Call) -> Json:
        """With its versions and aliases. Executions stay readable; deleting twice is fine."""
        arn = call.params["stateMachineArn"]
        names.check_machine_arn(arn)
        with self._resources.transaction():
            self.aliases.delete_all(arn)
            self.versions.delete_all(arn)
            self._resources.delete(arn)
        return {}

    def machine(self, arn: str) -> Json:
        """The machine's document. Raises InvalidArn, StateMachineDoesNotExist."""
        names.check_machine_arn(arn)
        body = self._resources.get(MACHINE, arn)
        if body is None:
            raise AwsError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")
        return body

    def describe(self, call: Call) -> Json:
        """A machine, or one of its versions by the version's ARN."""
        arn = call.params["stateMachineArn"]
        names.check_machine_arn(arn)
        version = self._resources.get(VERSION, arn)
        body = version["machine"] if version else self.machine(arn)
        shown = {
            "stateMachineArn": arn,
            "name": body["name"],
            "status": "ACTIVE",
            "definition": body["definition"],
            "roleArn": body["roleArn"],
            "type": body["type"],
            "creationDate": timestamps.from_epoch(
                version["creationDate"] if version else body["creationDate"]
            ),
            "loggingConfiguration": body["loggingConfiguration"],
            "tracingConfiguration": body["tracingConfiguration"],
            "encryptionConfiguration": OWNED_KEY,
        }
        if body["revisionId"] is not None:
            shown["revisionId"] = body["revisionId"]
        if references := variable_references(body["definition"]):
            shown["variableReferences"] = references
        if version and version["description"]:
            shown["description"] = version["description"]
        return shown

    def list_machines(self, call: Call) -> Json:
        """By name."""
        bodies = self._resources.resources(MACHINE)
        page, token = names.paged(((body["name"], body) for body in bodies), call.params)
        shown = [
            {
                "stateMachineArn": body["stateMachineArn"],
                "name": body["name"],
                "type": body["type"],
                "creationDate": timestamps.from_epoch(body["creationDate"]),
            }
            for body in page
        ]
        return {"stateMachines": shown, **({"nextToken": token} if token else {})}

    def publish(self, call: Call) -> Json:
        """Raises ConflictException when `revisionId` is not the present revision."""
        params, now = call.params, self._clock.now()
        with self._resources.transaction():
            body = self.machine(params["stateMachineArn"])
            wanted, present = params.get("revisionId"), body["revisionId"] or "INITIAL"
            if wanted is not None and wanted != present:
                raise AwsError(
                    "ConflictException",
                    f"Failed to publish the State Machine version for revision {wanted}. The"
                    f" current State Machine revision is {present}.",
                )
            version = self._publish(body, params.get("description"), now)
        return {
            "creationDate": timestamps.from_epoch(version["creationDate"]),
            "stateMachineVersionArn": version["stateMachineVersionArn"],
        }

    def _publish(self, body: Json, description: str | None, now: datetime) -> Json:
        version = self.versions.publish(body, description, now)
        self._resources.put(MACHINE, body["stateMachineArn"], "", body)
        return version

    # --- for executions ------------------------------------------------------------------------

    def resolve(self, arn: str) -> tuple[Json, str | None, str | None]:
        """(machine document to run, version ARN, alias ARN) of a machine, version or alias ARN."""
        names.check_machine_arn(arn)
        routed = self.aliases.route(arn)
        alias_arn = arn if routed is not None else None
        arn = routed or arn
        version = self._resources.get(VERSION, arn)
        if version is not None:
            return version["machine"], arn, alias_arn
        if names.qualifier(arn) is not None:
            raise AwsError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")
        return self.machine(arn), None, None

    # --- tags ----------------------------------------------------------------------------------

    def list_tags(self, call: Call) -> Json:
        return {"tags": self._tagged(call.params["resourceArn"])[1]["tags"]}

    def tag(self, call: Call) -> Json:
        arn, tags = call.params["resourceArn"], call.params["tags"]
        kind, body = self._tagged(arn)
        merged = {tag["key"]: tag["value"] for tag in [*body["tags"], *tags]}
        if len(merged) > 50:
            raise AwsError("TooManyTags", f"'{arn}' has more than 50 tags.")
        body["tags"] = [{"key": key, "value": value} for key, value in merged.items()]
        self._resources.put(kind, arn, "", body)
        return {}

    def untag(self, call: Call) -> Json:
        arn, keys = call.params["resourceArn"], call.params["tagKeys"]
        kind, body = self._tagged(arn)
        body["tags"] = [tag for tag in body["tags"] if tag["key"] not in keys]
        self._resources.put(kind, arn, "", body)
        return {}

    def _tagged(self, arn: str) -> tuple[str, Json]:
        """(kind, document) of a machine or an activity: what has tags."""
        for kind in (MACHINE, ACTIVITY):
            body = self._resources.get(kind, arn)
            if body is not None:
                return kind, body
        raise AwsError("ResourceNotFound", f"Resource not found: '{arn}'")


def _same_request(existing: Json, body: Json) -> bool:
    """CreateStateMachine is idempotent for an equal request; the role does not count."""
    return all(
        existing[key] == body[key]
        for key in ("definition", "type", "loggingConfiguration", "tracingConfiguration")
    )


def _check_description(params: Json) -> None:
    if "versionDescription" in params and not params.get("publish"):
        raise AwsError(
            "ValidationException", "Version description can only be set when publish is true"
        )
