"""Aliases of state machines: a name for one version, or for two with weights."""

from __future__ import annotations

import random
from datetime import datetime
from typing import Any

from localaws.core.errors import AwsError
from localaws.stepfunctions import names, timestamps
from localaws.stepfunctions.store import Store

Json = dict[str, Any]

VERSION, ALIAS = "version", "alias"
MAX_ALIASES = 100


class Aliases:
    def __init__(self, store: Store) -> None:
        self._store = store

    def create(self, params: Json, now: datetime) -> Json:
        """Idempotent: an alias that is equal is answered as if it had been made now."""
        name, routing = params["name"], params["routingConfiguration"]
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
            if self._store.get(VERSION, arn) is None:
                raise AwsError(
                    "ResourceNotFound",
                    f"Request references a resource that does not exist: '{arn}'",
                )
        return machines.pop()

    def _alias(self, arn: str) -> Json:
        names.check_machine_arn(arn)
        body = self._store.get(ALIAS, arn)
        if body is None:
            raise AwsError("ResourceNotFound", "Request references a resource that does not exist.")
        return body

    def describe(self, arn: str) -> Json:
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

    def update(self, params: Json, now: datetime) -> Json:
        with self._store.transaction():
            body = self._alias(params["stateMachineAliasArn"])
            if "routingConfiguration" in params:
                self._routed_machine(params["routingConfiguration"])
                body["routing"] = params["routingConfiguration"]
            body["description"] = params.get("description", body["description"])
            body["updateDate"] = now.timestamp()
            self._store.put(ALIAS, body["arn"], names.base_arn(body["arn"]), body)
        return {"updateDate": now}

    def delete(self, arn: str) -> None:
        """Deleting twice is fine."""
        names.check_machine_arn(arn)
        self._store.delete(arn)

    def delete_all(self, machine_arn: str) -> None:
        for body in self._store.resources(ALIAS, machine_arn):
            self._store.delete(body["arn"])

    def route(self, arn: str) -> str | None:
        """The version that the next execution through the alias runs; None for no alias."""
        body = self._store.get(ALIAS, arn)
        if body is None:
            return None
        weights = [route["weight"] for route in body["routing"]]
        chosen: str = random.choices(body["routing"], weights)[0]["stateMachineVersionArn"]
        return chosen

    def page(self, params: Json) -> Json:
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


def _wrong_routing(problem: str, arns: list[str]) -> AwsError:
    return AwsError(
        "ValidationException",
        f"Routing configuration {problem}. Received: [{', '.join(arns)}]",
    )
