"""State machines, their versions and aliases: the control plane."""

from __future__ import annotations

import hashlib
import random
import uuid
from datetime import datetime
from typing import Any

from localaws.core.errors import AwsError, NotEmulated
from localaws.stepfunctions import execution_logs, names, timestamps, validation
from localaws.stepfunctions.integrations.runtime import Integrations
from localaws.stepfunctions.store import Store

Json = dict[str, Any]

MACHINE, VERSION, ALIAS = "machine", "version", "alias"
NO_LOGGING: Json = {"level": "OFF", "includeExecutionData": False}
NO_TRACING: Json = {"enabled": False}
MAX_VERSIONS, MAX_ALIASES = 1000, 100


class Machines:
    """Documents in the store; a definition is kept once, by its SHA-256."""

    def __init__(self, store: Store, integrations: Integrations, region: str, account: str) -> None:
        self._store = store
        self._integrations = integrations
        self._prefix = f"arn:aws:states:{region}:{account}:stateMachine:"

    # --- machines ----------------------------------------------------------------------------

    def create(self, params: Json, now: datetime) -> Json:
        name = params["name"]
        names.check_name(name)
        if params.get("type", "STANDARD") != "STANDARD":
            raise NotEmulated("stepfunctions", "CreateStateMachine", "type", "(EXPRESS)")
        if "versionDescription" in params and not params.get("publish"):
            raise AwsError(
                "ValidationException", "Version description can only be set when publish is true"
            )
        self.check_definition(params["definition"])
        self._check_logging(params.get("loggingConfiguration", {}))
        arn = self._prefix + name
        body = {
            "stateMachineArn": arn,
            "name": name,
            "definition": params["definition"],
            "roleArn": params["roleArn"],
            "type": "STANDARD",
            "creationDate": now.timestamp(),
            "loggingConfiguration": {**NO_LOGGING, **params.get("loggingConfiguration", {})},
            "tracingConfiguration": {**NO_TRACING, **params.get("tracingConfiguration", {})},
            "tags": params.get("tags", []),
            "revisionId": None,
            "updateDate": None,
            "versions": 0,
        }
        with self._store.transaction():
            existing = self._store.get(MACHINE, arn)
            if existing is None:
                self._store.put(MACHINE, arn, "", body)
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

    def check_definition(self, text: str) -> None:
        """Raises InvalidDefinition with every error, or NotEmulated."""
        found = validation.diagnose(text, self._integrations.check_resource)
        errors = [item for item in found if item.severity == "ERROR"]
        if errors:
            raise AwsError("InvalidDefinition", validation.invalid_definition(errors))

    def _check_logging(self, configuration: Json) -> None:
        """Raises InvalidLoggingConfiguration."""

        def exists(group: str) -> bool:
            found = self._integrations.client("logs").describe_log_groups(logGroupNamePrefix=group)
            return any(entry["logGroupName"] == group for entry in found["logGroups"])

        execution_logs.check(configuration, exists)

    def update(self, params: Json, now: datetime) -> Json:
        arn = params["stateMachineArn"]
        changes: Json = {
            key: params[key]
            for key in ("definition", "roleArn", "loggingConfiguration", "tracingConfiguration")
            if key in params
        }
        if not changes and not params.get("publish"):
            raise AwsError(
                "MissingRequiredParameter",
                "Either the definition, the role ARN, the LoggingConfiguration, or the"
                " TracingConfiguration must be specified",
            )
        if "definition" in changes:
            self.check_definition(changes["definition"])
        self._check_logging(changes.get("loggingConfiguration", {}))
        with self._store.transaction():
            body = self.machine(arn)
            if any(body[key] != value for key, value in changes.items()):
                body.update(changes, revisionId=str(uuid.uuid4()))
            body["updateDate"] = now.timestamp()
            self._store.put(MACHINE, arn, "", body)
            answer: Json = {"updateDate": now, "revisionId": body["revisionId"] or "INITIAL"}
            if params.get("publish"):
                version = self._publish(body, params.get("versionDescription"), now)
                answer["stateMachineVersionArn"] = version["stateMachineVersionArn"]
        return answer

    def delete(self, arn: str) -> None:
        """With its versions and aliases. Executions stay readable; deleting twice is fine."""
        names.check_machine_arn(arn)
        with self._store.transaction():
            for kind in (ALIAS, VERSION):
                for body in self._store.resources(kind, arn):
                    self._store.delete(body["arn"])
            self._store.delete(arn)

    def machine(self, arn: str) -> Json:
        """The machine's document. Raises InvalidArn, StateMachineDoesNotExist."""
        names.check_machine_arn(arn)
        body = self._store.get(MACHINE, arn)
        if body is None:
            raise AwsError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")
        return body

    def describe(self, arn: str) -> Json:
        """A machine, or one of its versions by the version's ARN."""
        names.check_machine_arn(arn)
        version = self._store.get(VERSION, arn)
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
        }
        if body["revisionId"] is not None:
            shown["revisionId"] = body["revisionId"]
        if version and version["description"]:
            shown["description"] = version["description"]
        return shown

    def list_machines(self, params: Json) -> Json:
        bodies = sorted(self._store.resources(MACHINE), key=lambda body: body["creationDate"])
        page, token = names.paged(bodies, params)
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

    # --- versions ------------------------------------------------------------------------------

    def publish(self, params: Json, now: datetime) -> Json:
        with self._store.transaction():
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
        """The version of the present revision; publishing a revision again gives the same one."""
        arn = body["stateMachineArn"]
        versions = self._store.resources(VERSION, arn)
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
        self._store.put(MACHINE, arn, "", body)
        self._store.put(VERSION, version_arn, arn, version)
        return version

    def list_versions(self, params: Json) -> Json:
        arn = params["stateMachineArn"]
        names.check_machine_arn(arn)
        versions = list(reversed(self._store.resources(VERSION, arn)))
        page, token = names.paged(versions, params)
        shown = [
            {
                "stateMachineVersionArn": version["arn"],
                "creationDate": timestamps.from_epoch(version["creationDate"]),
            }
            for version in page
        ]
        return {"stateMachineVersions": shown, **({"nextToken": token} if token else {})}

    def delete_version(self, arn: str) -> None:
        names.check_machine_arn(arn)
        if names.qualifier(arn) is None:
            raise AwsError("ValidationException", f"The ARN must be of a version: '{arn}'")
        with self._store.transaction():
            routed = [
                alias["name"]
                for alias in self._store.resources(ALIAS, names.base_arn(arn))
                if any(r["stateMachineVersionArn"] == arn for r in alias["routing"])
            ]
            if routed:
                raise AwsError(
                    "ConflictException",
                    "Version to be deleted must not be referenced by an alias. Current list of"
                    f" aliases referencing this version: [{', '.join(routed)}]",
                )
            self._store.delete(arn)

    # --- aliases -------------------------------------------------------------------------------

    def create_alias(self, params: Json, now: datetime) -> Json:
        name, routing = params["name"], params["routingConfiguration"]
        names.check_name(name)
        if name.isdigit():
            raise AwsError("InvalidName", f"Invalid Name: '{name}'")
        arn = self._routed_machine(routing)
        alias_arn = f"{arn}:{name}"
        with self._store.transaction():
            existing = self._store.get(ALIAS, alias_arn)
            alias = {
                "arn": alias_arn,
                "name": name,
                "description": params.get("description", ""),
                "routing": routing,
                "creationDate": now.timestamp(),
                "updateDate": now.timestamp(),
            }
            if existing is not None:
                if any(existing[key] != alias[key] for key in ("description", "routing")):
                    raise AwsError(
                        "ConflictException",
                        "Failed to create alias because an alias with the same name and a"
                        " different routing configuration already exists.",
                    )
                alias = existing
            elif len(self._store.resources(ALIAS, arn)) >= MAX_ALIASES:
                raise AwsError("ServiceQuotaExceededException", f"{arn} has {MAX_ALIASES} aliases.")
            else:
                self._store.put(ALIAS, alias_arn, arn, alias)
        return {
            "stateMachineAliasArn": alias_arn,
            "creationDate": timestamps.from_epoch(alias["creationDate"]),
        }

    def _routed_machine(self, routing: list[Json]) -> str:
        """The one machine whose versions the routing names. Raises ValidationException."""
        if not 1 <= len(routing) <= 2 or sum(route["weight"] for route in routing) != 100:
            raise AwsError(
                "ValidationException",
                "The routing configuration must name one or two versions, with weights of 100"
                f" together, not {[route['weight'] for route in routing]}.",
            )
        arns = {names.base_arn(route["stateMachineVersionArn"]) for route in routing}
        versions = {route["stateMachineVersionArn"] for route in routing}
        if len(arns) != 1 or len(versions) != len(routing):
            raise AwsError(
                "ValidationException", "The versions must be different ones of one state machine."
            )
        for version in versions:
            if self._store.get(VERSION, version) is None:
                raise AwsError(
                    "ResourceNotFound",
                    f"Request references a resource that does not exist: '{version}'",
                )
        return arns.pop()

    def alias(self, arn: str) -> Json:
        names.check_machine_arn(arn)
        body = self._store.get(ALIAS, arn)
        if body is None:
            raise AwsError("ResourceNotFound", "Request references a resource that does not exist.")
        return body

    def describe_alias(self, arn: str) -> Json:
        body = self.alias(arn)
        return {
            "stateMachineAliasArn": arn,
            "name": body["name"],
            "description": body["description"],
            "routingConfiguration": body["routing"],
            "creationDate": timestamps.from_epoch(body["creationDate"]),
            "updateDate": timestamps.from_epoch(body["updateDate"]),
        }

    def update_alias(self, params: Json, now: datetime) -> Json:
        with self._store.transaction():
            body = self.alias(params["stateMachineAliasArn"])
            if "routingConfiguration" in params:
                self._routed_machine(params["routingConfiguration"])
                body["routing"] = params["routingConfiguration"]
            body["description"] = params.get("description", body["description"])
            body["updateDate"] = now.timestamp()
            self._store.put(ALIAS, body["arn"], names.base_arn(body["arn"]), body)
        return {"updateDate": now}

    def delete_alias(self, arn: str) -> None:
        self.alias(arn)
        self._store.delete(arn)

    def list_aliases(self, params: Json) -> Json:
        arn = params["stateMachineArn"]
        aliases = self._store.resources(ALIAS, names.base_arn(arn))
        if names.qualifier(arn) is not None:
            aliases = [
                alias
                for alias in aliases
                if any(route["stateMachineVersionArn"] == arn for route in alias["routing"])
            ]
        page, token = names.paged(aliases, params)
        shown = [
            {
                "stateMachineAliasArn": alias["arn"],
                "creationDate": timestamps.from_epoch(alias["creationDate"]),
            }
            for alias in page
        ]
        return {"stateMachineAliases": shown, **({"nextToken": token} if token else {})}

    # --- for executions ------------------------------------------------------------------------

    def resolve(self, arn: str) -> tuple[Json, str | None, str | None]:
        """(machine document to run, version ARN, alias ARN) of a machine, version or alias ARN."""
        names.check_machine_arn(arn)
        alias_arn = None
        if self._store.get(ALIAS, arn) is not None:
            alias_arn = arn
            routes = self._store.get(ALIAS, arn) or {"routing": []}
            weights = [route["weight"] for route in routes["routing"]]
            chosen = random.choices(routes["routing"], weights)[0]
            arn = chosen["stateMachineVersionArn"]
        version = self._store.get(VERSION, arn)
        if version is not None:
            return version["machine"], arn, alias_arn
        if names.qualifier(arn) is not None:
            raise AwsError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")
        return self.machine(arn), None, None

    def keep(self, body: Json) -> str:
        """Keeps the definition for executions to come back to; its SHA-256."""
        sha256 = hashlib.sha256(body["definition"].encode()).hexdigest()
        self._store.keep_definition(sha256, body["definition"])
        return sha256

    # --- tags ----------------------------------------------------------------------------------

    def tags(self, arn: str) -> list[Json]:
        tags: list[Json] = self._tagged(arn)["tags"]
        return tags

    def tag(self, arn: str, tags: list[Json]) -> None:
        body = self._tagged(arn)
        merged = {tag["key"]: tag["value"] for tag in [*body["tags"], *tags]}
        if len(merged) > 50:
            raise AwsError("TooManyTags", f"'{arn}' has more than 50 tags.")
        body["tags"] = [{"key": key, "value": value} for key, value in merged.items()]
        self._store.put(MACHINE, arn, "", body)

    def untag(self, arn: str, keys: list[str]) -> None:
        body = self._tagged(arn)
        body["tags"] = [tag for tag in body["tags"] if tag["key"] not in keys]
        self._store.put(MACHINE, arn, "", body)

    def _tagged(self, arn: str) -> Json:
        body = self._store.get(MACHINE, arn)
        if body is None:
            raise AwsError("ResourceNotFound", f"Resource not found: '{arn}'")
        return body


def _same_request(existing: Json, body: Json) -> bool:
    """CreateStateMachine is idempotent for an equal request; the role does not count."""
    return all(
        existing[key] == body[key]
        for key in ("definition", "type", "loggingConfiguration", "tracingConfiguration")
    )
