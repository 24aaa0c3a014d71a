"""No state changes what it was given: not its input, a variable or the definition."""

from __future__ import annotations

import json
from collections.abc import Iterator
from operator import itemgetter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localaws.core.aws import start
from localaws.s3 import api as s3
from localaws.stepfunctions.run import Run
from tests.conftest import cases
from tests.stepfunctions.conftest import Jobs, Workflows, machine, services

Json = dict[str, Any]

FAILS = {"Type": "Fail", "Error": "Nope"}


@pytest.fixture(scope="module")
def sfn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workflows]:
    home = tmp_path_factory.mktemp("inputs")
    aws = start(home, [s3.service, *services(jobs := Jobs())], wait_scale=0)
    yield Workflows(aws, jobs)
    aws.stop()


@st.composite
def maps(draw: st.DrawFn) -> Json:
    """A machine that keeps `v` in a variable, maps over it and then tells what both are."""
    mode = draw(st.sampled_from(["INLINE", "DISTRIBUTED"]))
    inner = draw(st.sampled_from([{"Type": "Pass"}, FAILS, {"Type": "Succeed"}]))
    config: Json = {"Mode": mode}
    if mode == "DISTRIBUTED":
        config["ExecutionType"] = "STANDARD"
    state: Json = {
        "Type": "Map",
        "ItemProcessor": {**machine(I=dict(inner)), "ProcessorConfig": config},
        "ItemsPath": draw(st.sampled_from(["$.v", "$v"])),
        "ResultPath": "$.results",
        "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "Tell"}],
        "Next": "Tell",
    }
    if draw(st.booleans()):
        state["ItemSelector"] = {"item.$": "$$.Map.Item.Value", "all.$": "$.v", "kept.$": "$v"}
    if mode == "DISTRIBUTED" and draw(st.booleans()):
        state["ItemBatcher"] = {"MaxItemsPerBatch": 2, "BatchInput": {"all.$": "$.v"}}
    if draw(st.booleans()):
        state["Retry"] = [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}]
    if draw(st.booleans()):
        state["MaxConcurrency"] = 1
    return machine(
        Keep={"Type": "Pass", "Assign": {"v.$": "$.v"}},
        M=state,
        Tell={"Type": "Pass", "Parameters": {"input.$": "$.v", "variable.$": "$v"}},
    )


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(definition=maps(), items=st.lists(st.sampled_from(["a", 0, {"k": [1]}, [2]]), max_size=3))
def test_a_map_leaves_its_items_as_they_were(
    sfn: Workflows, definition: Json, items: list[Any]
) -> None:
    arn = sfn.begin(definition, {"v": items})
    done = sfn.wait(arn)

    assert done.output == {"input": items, "variable": items}
    assert "null" not in json.dumps(children_inputs(sfn, arn)), definition


def children_inputs(sfn: Workflows, arn: str) -> list[Any]:
    """What every child execution of every attempt was given."""
    client = sfn.client
    return [
        client.describe_execution(executionArn=child["executionArn"])["input"]
        for run in client.list_map_runs(executionArn=arn)["mapRuns"]
        for child in client.list_executions(mapRunArn=run["mapRunArn"])["executions"]
    ]


@pytest.fixture
def changed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The states whose input in memory is no longer what their history says, when they end."""
    names: list[str] = []
    leave = Run.leave

    def checked(run: Run, frame: Any, *rest: Any) -> None:
        if frame.input != json.loads(frame.input_text):
            names.append(frame.state.name)
        leave(run, frame, *rest)

    monkeypatch.setattr(Run, "leave", checked)
    return names


@pytest.mark.parametrize("case", cases("histories"), ids=itemgetter("why"))
def test_every_state_ends_with_the_input_it_began_with(
    sfn: Workflows, case: Json, changed: list[str]
) -> None:
    sfn.run(case["definition"], case["input"])

    assert changed == []
