"""What functions call is found, and the state machine may invoke those of its states and no other.

That each role allows what its part calls is for `rebuy validate` to say (tests/validation)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infrastructure import template
from rebuy.validation.calls import actions_of as actions_in
from rebuy.validation.product import Product
from tasks.states import every_state
from workflows import purchase_prediction as workflow


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    return template.template()["Resources"]


def test_the_calls_are_found() -> None:
    """The reading itself, where it is easy to see what is right."""
    files = Product.load().files

    def actions_of(module: str) -> dict[str, frozenset[str]]:
        return actions_in(files, module)

    assert set(actions_of("tasks.functions.smoke_test")) == {"get_object", "invoke_endpoint"}
    assert set(actions_of("tasks.functions.crawl_raw_data")) == {
        *("get_crawler", "start_crawler"),
        *("get_tables", "update_table", "get_partitions", "batch_update_partition"),
    }
    upload = set(actions_of("tasks.functions.start_on_upload"))
    assert {"start_execution", "update_item", "update_schedule", "list_objects_v2"} <= upload


def test_the_state_machine_may_invoke_the_functions_of_its_states(
    resources: dict[str, Any],
) -> None:
    invoked = {
        state["Parameters"]["FunctionName"]
        for _, state in every_state(workflow.definition()["States"])
        if state.get("Resource", "").endswith(":lambda:invoke")
    }
    invoke = next(
        statement
        for statement in resources["StateMachineRole"]["Properties"]["Policies"][0][
            "PolicyDocument"
        ]["Statement"]
        if statement["Action"] == ["lambda:InvokeFunction"]
    )
    may = {text["Fn::Sub"] for text in invoke["Resource"]}
    assert {name.replace("Arn}", ".Arn}:*") for name in invoked} == may, json.dumps(sorted(may))
