"""Where each state goes on, and with what: one at a time, by TestState, from a table of cases."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from operator import itemgetter
from typing import Any

import pytest

from tasks.states import every_state
from tests.conftest import cases
from workflows import purchase_prediction as workflow

CASES = cases("workflow_states")
ROLE = "arn:aws:iam::000000000000:role/any"
TYPES = {"EndpointInstanceType": "ml.m5.large", "TrainingInstanceType": "ml.m5.xlarge"}
TIME = "2026-11-22T08:00:00.000Z"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from localaws.core.aws import start
    from localaws.services import factories

    home = tmp_path_factory.mktemp("states") / "home"
    local = start(home, factories(), url="http://127.0.0.1:9", wait_scale=0)
    yield local.client("stepfunctions")
    local.stop()


@pytest.fixture(scope="module")
def definition() -> str:
    """As it is deployed, with names filled in that the services take."""

    def name(match: re.Match[str]) -> str:
        text = match[1]
        return ROLE if text.endswith("RoleArn") else TYPES.get(text, text.lower())

    return re.sub(r"\$\{(\w+)\}", name, workflow.GOLDEN.read_text())


@pytest.mark.parametrize("case", CASES, ids=itemgetter("why"))
def test_a_state_goes_on_as_it_should(client: Any, definition: str, case: dict[str, Any]) -> None:
    more: dict[str, Any] = {}
    if "mock" in case:
        mock = dict(case["mock"])
        if "result" in mock:
            mock["result"] = json.dumps(mock["result"])
        more["mock"] = mock
        execution = {"Id": "arn:x", "Name": "x", "StartTime": TIME, "Input": {}, "RoleArn": ROLE}
        context = {
            "Execution": {**execution, "RedriveCount": case.get("redrives", 0)},
            "State": {"Name": case["state"], "EnteredTime": TIME, "RetryCount": 0},
            "StateMachine": {"Id": "arn:m", "Name": "m"},
        }
        more["context"] = json.dumps(context)

    answer = client.test_state(
        definition=definition,
        stateName=case["state"],
        roleArn=ROLE,
        input=json.dumps(case["input"]),
        **more,
    )

    assert answer["status"] == case.get("status", "SUCCEEDED"), answer
    assert answer.get("nextState") == case.get("next")
    if "error" in case:
        assert answer["error"] == case["error"]
    if "output" in case:
        assert json.loads(answer["output"]) == case["output"]


def test_every_choice_is_taken_every_way_and_every_catch(definition: str) -> None:
    """The table has a case for each rule, each default and each catch of the workflow."""
    ways = set()
    states = dict(every_state(json.loads(definition)["States"]))
    for name, state in states.items():
        ways |= {
            (name, rule["Next"]) for rule in [*state.get("Choices", []), *state.get("Catch", [])]
        }
        ways |= {(name, state["Default"])} if "Default" in state else set()
    # The two states that make a job, and find it made, differ in their names alone.
    ways.discard(("Make the job for product features", "Compute product features"))
    assert ways <= covered()


def covered() -> set[tuple[str, str]]:
    return {(case["state"], case["next"]) for case in CASES if "next" in case}
