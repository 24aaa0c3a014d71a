"""Roles beside what was deployed: the statements that they have lost since."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from configuration.connection import Connection

Json = dict[str, Any]
MOST_RESOURCES = 3  # of a statement, in its words


@dataclass(frozen=True)
class LostStatement:
    """A statement that the template gives a role, and the account does not. `role` is the role's
    logical name, `number` counts from 1 in the policy as it was deployed."""

    role: str
    policy: str
    number: int
    statement: Json

    @property
    def words(self) -> str:
        actions, resources = (_listed(self.statement[name]) for name in ("Action", "Resource"))
        more = f" and {len(resources) - MOST_RESOURCES} more" * (len(resources) > MOST_RESOURCES)
        return (
            f"{self.role} has lost statement {self.number} of its policy {self.policy!r}:"
            f" {', '.join(actions)} on {', '.join(resources[:MOST_RESOURCES])}{more}"
        )


def roles(connection: Connection) -> dict[str, str]:
    """The stack's roles that are there: name to logical name."""
    pages = connection.client("cloudformation").get_paginator("list_stack_resources")
    return {
        found["PhysicalResourceId"]: found["LogicalResourceId"]
        for page in pages.paginate(StackName=connection.settings.stack_name)
        for found in page["StackResourceSummaries"]
        if found["ResourceType"] == "AWS::IAM::Role" and found.get("PhysicalResourceId")
    }


def lost_statements(connection: Connection, own: Iterable[str]) -> Iterator[LostStatement]:
    """What these roles of the stack (their logical names) have lost."""
    for role in own:
        yield from lost_by(connection, role)


def lost_by(connection: Connection, role: str) -> Iterator[LostStatement]:
    """What the role (its logical name) has lost, by CloudFormation's drift detection."""
    drift = connection.client("cloudformation").detect_stack_resource_drift(
        StackName=connection.settings.stack_name, LogicalResourceId=role
    )["StackResourceDrift"]
    if drift["StackResourceDriftStatus"] not in ("MODIFIED", "DELETED"):
        return
    deployed = json.loads(drift.get("ExpectedProperties", "{}")).get("Policies", [])
    actual = json.loads(drift.get("ActualProperties", "{}")).get("Policies", [])
    there = {one["PolicyName"]: _listed(one["PolicyDocument"]["Statement"]) for one in actual}
    for policy in deployed:
        name = policy["PolicyName"]
        for number, statement in enumerate(_listed(policy["PolicyDocument"]["Statement"]), 1):
            if statement not in there.get(name, []):
                yield LostStatement(role, name, number, statement)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
