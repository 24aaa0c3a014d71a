"""Each role allows what its part calls. The local AWS and AWS would both find out, but late."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from infrastructure import deployables, template
from tests.infrastructure.calls import actions_of
from workflows import purchase_prediction as workflow

FUNCTIONS = {function.name: function.handler for function in deployables.FUNCTIONS}
# Reached by reading, never called.
UNCALLED = {
    "RollBack": {"create_endpoint"},  # changes.call knows it; rolling back never decides on it
}
# What Step Functions calls by itself to follow a job (and to stop it).
FOLLOWED = {
    "athena:startQueryExecution": {"athena:GetQueryExecution", "athena:StopQueryExecution"},
    "glue:startJobRun": {"glue:GetJobRun", "glue:GetJobRuns", "glue:BatchStopJobRun"},
    "databrew:startJobRun": {"databrew:ListJobRuns", "databrew:StopJobRun"},
    "sagemaker:createTrainingJob": {"sagemaker:DescribeTrainingJob", "sagemaker:StopTrainingJob"},
}


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    return template.template()["Resources"]


def granted(resources: dict[str, Any], role: str) -> set[str]:
    policies = resources[role]["Properties"]["Policies"]
    return {
        action
        for policy in policies
        for statement in policy["PolicyDocument"]["Statement"]
        for action in statement["Action"]
    }


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_may_do_what_it_calls(resources: dict[str, Any], name: str) -> None:
    called = actions_of(FUNCTIONS[name].removesuffix(".handler"))
    allowed = granted(resources, f"{name}Role")
    assert called
    missing = {
        method: sorted(actions)
        for method, actions in called.items()
        if not actions & allowed and method not in UNCALLED.get(name, set())
    }
    assert missing == {}


def test_the_calls_are_found() -> None:
    """The reading itself, where it is easy to see what is right."""
    assert set(actions_of("tasks.functions.smoke_test")) == {"get_object", "invoke_endpoint"}
    assert set(actions_of("tasks.functions.crawl_raw_data")) == {
        *("get_crawler", "start_crawler"),
        *("get_tables", "update_table", "get_partitions", "batch_update_partition"),
    }
    upload = set(actions_of("tasks.functions.start_on_upload"))
    assert {"start_execution", "update_item", "update_schedule", "list_objects_v2"} <= upload


def tasks(states: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for state in states.values():
        if state["Type"] == "Task":
            yield state
        for branch in state.get("Branches", []):
            yield from tasks(branch["States"])


def test_the_state_machine_may_do_what_its_states_call(resources: dict[str, Any]) -> None:
    allowed = granted(resources, "StateMachineRole")
    needed: set[str] = set()
    invoked: set[str] = set()
    for state in tasks(workflow.definition()["States"]):
        integration = re.sub(
            r"\.sync(:2)?$", "", state["Resource"].removeprefix("arn:aws:states:::")
        )
        service, action = integration.removeprefix("aws-sdk:").split(":")
        if service == "lambda":
            invoked.add(state["Parameters"]["FunctionName"])
            continue
        needed.add(f"{service}:{action[0].upper()}{action[1:]}")
        needed |= FOLLOWED.get(integration, set())
    assert needed <= allowed
    invoke = next(
        statement
        for statement in resources["StateMachineRole"]["Properties"]["Policies"][0][
            "PolicyDocument"
        ]["Statement"]
        if statement["Action"] == ["lambda:InvokeFunction"]
    )
    may = {text["Fn::Sub"] for text in invoke["Resource"]}
    assert {name.replace("Arn}", ".Arn}") for name in invoked} == may, json.dumps(sorted(may))
