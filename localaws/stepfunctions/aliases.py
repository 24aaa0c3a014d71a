"""Aliases of state machines: a name for one version, or for two with weights."""

from __future__ import annotations

import random

from localaws.core.clock import Clock
from localaws.core.service import Call, Service
from localaws.errors import AwsError
from localaws.shapes import Json
from localaws.stepfunctions import names, timestamps
from localaws.stepfunctions.resources import Resources

VERSION, ALIAS = "version", "alias"
MAX_ALIASES = 100


class Aliases:
    def __init__(self, resources: Resources, clock: Clock) -> None:
        self._resources = resources
        self._clock = clock

    def register(self, service: Service) -> None:
        service.operation("CreateStateMachineAlias", "name", "description", "routingConfiguration")(
            self.create
        )
        service.operation(
            "UpdateStateMachineAlias", "stateMachineAliasArn", "description", "routingConfiguration"
        )(self.update)
        service.operation("DeleteStateMachineAlias", "stateMachineAliasArn")(self.delete)
        service.operation("DescribeStateMachineAlias", "stateMachineAliasArn")(self.describe)
        service.operation("ListStateMachineAliases", "stateMachineArn", "nextToken", "maxResults")(
            self.page
        )

    def create(self, call: Call) -> Json:
        """Idempotent: an alias that is equal is answered as if it had been made now."""
        params, now = call.params, self._clock.now()
        name, routing = params["name"], params["routingConfiguration"]
        arn = self._routed_machine(routing)
        alias_arn = f"{arn}:{name}"
        with self._resources.transaction():
            existing = self._resources.get(ALIAS, alias_arn)
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
            elif len(self._resources.resources(ALIAS, arn)) >= MAX_ALIASES:
                raise AwsError("ServiceQuotaExceededException", f"{arn} has {MAX_ALIASES} aliases.")
            else:
                self._resources.put(ALIAS, alias_arn, arn, alias)
        return {
            "stateMachineAliasArn": alias_arn,
            "creationDate": timestamps.from_epoch(alias["creationDate"]),
        }

    def _routed_machine(self, routing: list[Json]) -> str:
        """The one machine whose versions the routing names. Raises ValidationException."""
        arns = [route["stateMachineVersionArn"] for route in routing]
        weights = [route["weight"] for route in routing]
        if not all((names.qualifier(arn) or "").isdigit() for arn in arns):
            raise _wrong_routing("must contain state machine version ARNs", arns)
        if len(set(arns)) != len(arns):
            raise _wrong_routing("must contain distinct state machine version ARNs", arns)
        if sum(weights) != 100:
            raise AwsError(
                "ValidationException",
                f"Sum of routing configuration weights must equal 100. Received: {weights}",
            )
        machines = {names.base_arn(arn) for arn in arns}
        if len(machines) != 1:
            raise _wrong_routing("must contain versions of one state machine", arns)
        for arn in arns:
            if self._resources.get(VERSION, arn) is None:
                raise AwsError(
                    "ResourceNotFound",
                    f"Request references a resource that does not exist: '{arn}'",
                )
        return machines.pop()

    def _alias(self, arn: str) -> Json:
        names.check_machine_arn(arn)
        body = self._resources.get(ALIAS, arn)
        if body is None:
            raise AwsError("ResourceNotFound", "Request references a resource that does not exist.")
        return body

    def describe(self, call: Call) -> Json:
        arn = call.params["stateMachineAliasArn"]
        body = self._alias(arn)
        described = {"description": body["description"]} if body["description"] else {}
        return {
            "stateMachineAliasArn": arn,
            "name": body["name"],
            **described,
            "routingConfiguration": body["routing"],
            "creationDate": timestamps.from_epoch(body["creationDate"]),
            "updateDate": timestamps.from_epoch(body["updateDate"]),
        }

    def update(self, call: Call) -> Json:
        params, now = call.params, self._clock.now()
        with self._resources.transaction():
            body = self._alias(params["stateMachineAliasArn"])
            if "routingConfiguration" in params:
                self._routed_machine(params["routingConfiguration"])
                body["routing"] = params["routingConfiguration"]
            body["description"] = params.get("description", body["description"])
            body["updateDate"] = now.timestamp()
            self._resources.put(ALIAS, body["arn"], names.base_arn(body["arn"]), body)
        return {"updateDate": now}

    def delete(self, call: Call) -> Json:
        """Deleting twice is fine."""
        arn = call.params["stateMachineAliasArn"]
        names.check_machine_arn(arn)
        self._resources.delete(arn)
        return {}

    def delete_all(self, machine_arn: str) -> None:
        for body in self._resources.resources(ALIAS, machine_arn):
            self._resources.delete(body["arn"])

    def route(self, arn: str) -> str | None:
        """The version that the next execution through the alias runs; None for no alias."""
        body = self._resources.get(ALIAS, arn)
        if body is None:
            return None
        weights = [route["weight"] for route in body["routing"]]
        chosen: str = random.choices(body["routing"], weights)[0]["stateMachineVersionArn"]
        return chosen

    def page(self, call: Call) -> Json:
        params = call.params
        arn = params["stateMachineArn"]
        aliases = self._resources.resources(ALIAS, names.base_arn(arn))
        if names.qualifier(arn) is not None:
            aliases = [
                alias
                for alias in aliases
                if any(route["stateMachineVersionArn"] == arn for route in alias["routing"])
            ]
        page, token = names.paged(((alias["arn"], alias) for alias in aliases), params)
        shown = [
            {
                "stateMachineAliasArn": alias["arn"],
                "creationDate": timestamps.from_epoch(alias["creationDate"]),
            }
            for alias in page
        ]
        return {"stateMachineAliases": shown, **({"nextToken": token} if token else {})}


def _wrong_routing(problem: str, arns: list[str]) -> AwsError:
    return AwsError(
        "ValidationException",
        f"Routing configuration {problem}. Received: [{', '.join(arns)}]",
    )
