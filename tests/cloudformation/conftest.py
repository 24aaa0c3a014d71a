"""CloudFormation over S3, IAM, logs, events and queues: enough for every kind of operation."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from localaws.cloudformation.api import service as cloudformation
from localaws.cloudwatch.api import service as cloudwatch
from localaws.core.aws import LocalAws, start
from localaws.events.api import service as events
from localaws.iam.api import service as iam
from localaws.logs.api import service as logs
from localaws.plain.api import FACTORIES
from localaws.s3.api import service as s3
from localaws.scheduler.api import service as scheduler
from localaws.sns.api import service as sns

SERVICES = [s3, iam, *FACTORIES.values(), logs, sns, cloudwatch, events, scheduler, cloudformation]


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[LocalAws]:
    local = start(tmp_path / "home", SERVICES, url="http://127.0.0.1:9", wait_scale=0)
    yield local
    local.stop()


class Stack:
    """A stack by name, driven to the end of each operation."""

    def __init__(self, aws: LocalAws, name: str = "shop") -> None:
        self.client = aws.client("cloudformation")
        self.name = name
        self.id = ""

    def create(self, template: Any, **more: Any) -> str:
        answer = self.client.create_stack(
            StackName=self.name, TemplateBody=body(template), **options(more)
        )
        self.id = answer["StackId"]
        return self.settled()

    def update(self, template: Any, **more: Any) -> str:
        self.client.update_stack(StackName=self.name, TemplateBody=body(template), **options(more))
        return self.settled()

    def delete(self) -> str:
        self.client.delete_stack(StackName=self.name)
        return self.settled()

    def settled(self) -> str:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            status = str(self.described["StackStatus"])
            if not status.endswith("_IN_PROGRESS"):
                return status
            time.sleep(0.02)
        raise TimeoutError(f"{self.name} does not settle")

    @property
    def described(self) -> Any:
        return self.client.describe_stacks(StackName=self.id or self.name)["Stacks"][0]

    @property
    def outputs(self) -> dict[str, str]:
        return {item["OutputKey"]: item["OutputValue"] for item in self.described["Outputs"]}

    def events(self, status: str = "") -> list[tuple[str, str]]:
        """(logical id, status) of the events whose status ends so, oldest first."""
        found = self.client.describe_stack_events(StackName=self.id)["StackEvents"]
        return [
            (event["LogicalResourceId"], event["ResourceStatus"])
            for event in reversed(found)
            if event["ResourceStatus"].endswith(status)
        ]

    def reason(self, logical_id: str, status: str) -> str:
        for event in self.client.describe_stack_events(StackName=self.id)["StackEvents"]:
            if (event["LogicalResourceId"], event["ResourceStatus"]) == (logical_id, status):
                return str(event.get("ResourceStatusReason", ""))
        raise KeyError((logical_id, status))

    def physical(self, logical_id: str) -> str:
        found = self.client.describe_stack_resource(StackName=self.id, LogicalResourceId=logical_id)
        return str(found["StackResourceDetail"]["PhysicalResourceId"])


def body(template: Any) -> str:
    return template if isinstance(template, str) else yaml.safe_dump(template, sort_keys=False)


def options(more: dict[str, Any]) -> dict[str, Any]:
    parameters = more.pop("parameters", {})
    listed = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
    return {"Parameters": listed, "Capabilities": ["CAPABILITY_NAMED_IAM"], **more}


@pytest.fixture
def stack(aws: LocalAws) -> Stack:
    return Stack(aws)
