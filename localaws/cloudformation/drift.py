"""DetectStackResourceDrift: a resource beside what the template made of it.

Roles are looked at; other types are refused by name. What the template does not give is not
compared, as on AWS.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-drift.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from localaws.cloudformation.principals import forward
from localaws.cloudformation.provider import ResourceRequest, document, picked
from localaws.cloudformation.registry import Registry
from localaws.cloudformation.stacks import Stacks
from localaws.cloudformation.template import invalid
from localaws.core.aws import LocalAws
from localaws.core.service import Call, Service
from localaws.errors import NotEmulated
from localaws.shapes import Json

OPERATION = "DetectStackResourceDrift"


class Drift:
    def __init__(self, aws: LocalAws, stacks: Stacks, registry: Registry) -> None:
        self._aws = aws
        self._stacks = stacks
        self._registry = registry

    def register(self, service: Service) -> None:
        service.operation(OPERATION, "StackName", "LogicalResourceId")(self.detect)

    def detect(self, call: Call) -> Json:
        stack = self._stacks.get(call.params["StackName"])
        record = stack["resources"].get(call.params["LogicalResourceId"])
        if record is None:
            raise invalid(
                f"Resource {call.params['LogicalResourceId']} does not exist for stack"
                f" {stack['name']}"
            )
        provider, properties = self._registry.provider(record["type"]), record["properties"]
        if not provider.drifting:
            raise NotEmulated("cloudformation", OPERATION, f"resource type {record['type']}")
        shown = {
            "StackId": stack["id"],
            "LogicalResourceId": record["logical_id"],
            "PhysicalResourceId": record["physical_id"],
            "ResourceType": record["type"],
            "Timestamp": self._stacks.now(),
        }
        expected = picked(properties, provider.drifting)
        aws = forward(self._aws, call)
        request = ResourceRequest.of(aws, stack, record["logical_id"], properties)
        request.physical_id = record["physical_id"]
        found = provider.as_it_is(request)
        if found is None:
            return {"StackResourceDrift": {**shown, "StackResourceDriftStatus": "DELETED"}}
        actual = picked(found, expected)
        differences = list(_differences(expected, actual, ""))
        shown |= {
            "ExpectedProperties": json.dumps(expected),
            "ActualProperties": json.dumps(actual),
            "PropertyDifferences": differences,
            "StackResourceDriftStatus": "MODIFIED" if differences else "IN_SYNC",
        }
        return {"StackResourceDrift": shown}


def _differences(expected: Any, actual: Any, path: str) -> Iterator[Json]:
    """Each place that differs; of lists, which have no order to AWS, what one has alone."""
    if expected == actual:
        return
    if isinstance(expected, dict) and isinstance(actual, dict):
        for name in [*expected, *(name for name in actual if name not in expected)]:
            at = f"{path}/{name}"
            if name not in actual:
                yield _difference(at, "REMOVE", expected[name], None)
            elif name not in expected:
                yield _difference(at, "ADD", None, actual[name])
            else:
                yield from _differences(expected[name], actual[name], at)
    elif isinstance(expected, list) and isinstance(actual, list):
        for number, one in enumerate(expected):
            if one not in actual:
                yield _difference(f"{path}/{number}", "REMOVE", one, None)
        for number, one in enumerate(actual):
            if one not in expected:
                yield _difference(f"{path}/{number}", "ADD", None, one)
    else:
        yield _difference(path, "NOT_EQUAL", expected, actual)


def _difference(path: str, kind: str, expected: Any, actual: Any) -> Json:
    return {
        "PropertyPath": path,
        "ExpectedValue": document(expected),
        "ActualValue": document(actual),
        "DifferenceType": kind,
    }
