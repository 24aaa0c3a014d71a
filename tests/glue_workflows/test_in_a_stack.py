"""Triggers, workflows and connections as a stack's resources."""

from __future__ import annotations

import json
from typing import Any

TEMPLATE = {
    "Resources": {
        "Flow": {
            "Type": "AWS::Glue::Workflow",
            "Properties": {"Name": "nightly", "MaxConcurrentRuns": 1},
        },
        "Base": {
            "Type": "AWS::Glue::Connection",
            "Properties": {
                "CatalogId": {"Ref": "AWS::AccountId"},
                "ConnectionInput": {
                    "Name": "base",
                    "ConnectionType": "JDBC",
                    "ConnectionProperties": {
                        "HOST": "db",
                        "PORT": 5432,
                        "JDBC_ENGINE": "postgresql",
                        "SECRET_ID": "s",
                    },
                },
            },
        },
        "Go": {
            "Type": "AWS::Glue::Trigger",
            "Properties": {
                "Type": "SCHEDULED",
                "Schedule": "cron(15 12 * * ? *)",
                "StartOnCreation": True,
                "WorkflowName": {"Ref": "Flow"},
                "Actions": [{"JobName": "join", "Arguments": {"--percent": 10}}],
            },
        },
    },
    "Outputs": {"Trigger": {"Value": {"Ref": "Go"}}},
}


def test_a_stack_makes_changes_and_deletes_them(aws: Any) -> None:
    stacks, glue = aws.client("cloudformation"), aws.client("glue")

    def deploy(operation: str, waiter: str, schedule: str) -> Any:
        TEMPLATE["Resources"]["Go"]["Properties"]["Schedule"] = schedule  # type: ignore[index]
        getattr(stacks, operation)(StackName="s", TemplateBody=json.dumps(TEMPLATE))
        stacks.get_waiter(waiter).wait(StackName="s", WaiterConfig={"Delay": 0})
        (stack,) = stacks.describe_stacks(StackName="s")["Stacks"]
        name = stack["Outputs"][0]["OutputValue"]
        return glue.get_trigger(Name=name)["Trigger"]

    made = deploy("create_stack", "stack_create_complete", "cron(15 12 * * ? *)")
    assert (made["WorkflowName"], made["State"]) == ("nightly", "ACTIVATED")
    properties = glue.get_connection(Name="base")["Connection"]["ConnectionProperties"]
    assert properties["PORT"] == "5432"
    assert made["Actions"] == [{"JobName": "join", "Arguments": {"--percent": "10"}}]
    changed = deploy("update_stack", "stack_update_complete", "cron(0 1 * * ? *)")
    assert (changed["Name"], changed["Schedule"]) == (made["Name"], "cron(0 1 * * ? *)")
    stacks.delete_stack(StackName="s")
    stacks.get_waiter("stack_delete_complete").wait(StackName="s", WaiterConfig={"Delay": 0})
    assert glue.list_triggers()["TriggerNames"] == []
    assert glue.list_workflows()["Workflows"] == []
    assert glue.get_connections()["ConnectionList"] == []
