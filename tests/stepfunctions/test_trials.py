"""TestState: one state without an execution."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import cases
from tests.stepfunctions.conftest import ROLE, Workflows, machine
from tests.stepfunctions.test_tasks import CRAWLER, GLUE_SYNC, task

Json = dict[str, Any]


def trial(sfn: Workflows, definition: Json, given: Any = None, **more: Any) -> Json:
    params = {
        "definition": json.dumps(definition),
        "roleArn": ROLE,
        "input": json.dumps({} if given is None else given),
        **more,
    }
    answer: Json = sfn.client.test_state(**{k: v for k, v in params.items() if v is not None})
    answer.pop("ResponseMetadata")
    return answer


@pytest.mark.parametrize("case", cases("trials"), ids=lambda case: case["why"])
def test_a_state_does_what_it_would_in_an_execution(sfn: Workflows, case: Json) -> None:
    more = case.get("more", {}) | ({"mock": case["mock"]} if "mock" in case else {})
    answer = trial(sfn, case["definition"], case["input"], inspectionLevel="DEBUG", **more)

    seen = answer.pop("inspectionData")
    if "output" in answer:
        answer["output"] = json.loads(answer["output"])
    if "cause" not in case["answer"]:
        answer.pop("cause", None)
    assert answer == case["answer"]
    assert json.loads(seen["input"]) == case["input"]
    if "seen" in case:
        shown = {k: json.loads(v) if isinstance(v, str) else v for k, v in seen.items()}
        assert shown == {"input": case["input"], **case["seen"]}
    assert not sfn.jobs.calls
    assert "inspectionData" not in trial(sfn, case["definition"], case["input"], **more)


def test_a_task_without_a_mock_is_really_called(sfn: Workflows) -> None:
    answer = trial(sfn, {**task(CRAWLER, {"Name": "raw"}), "End": True})

    assert json.loads(answer["output"])["Crawler"]["Name"] == "raw"
    assert [name for name, _ in sfn.jobs.calls] == ["GetCrawler"]


@pytest.mark.parametrize("case", cases("trials_refused"), ids=lambda case: case["why"])
def test_what_aws_refuses_to_test(sfn: Workflows, case: Json) -> None:
    with pytest.raises(ClientError) as caught:
        trial(sfn, case["definition"], case["input"], **case["more"])
    error = caught.value.response["Error"]
    assert (error["Code"], error["Message"]) == (case["code"], case["message"])


def test_a_job_cannot_be_waited_for(sfn: Workflows) -> None:
    with pytest.raises(ClientError, match=r"\.sync cannot be tested without a mock"):
        trial(sfn, {**task(GLUE_SYNC, {"JobName": "j"}), "End": True})


def test_a_wrong_definition_is_refused(sfn: Workflows) -> None:
    with pytest.raises(sfn.client.exceptions.InvalidDefinition, match="Next, End"):
        trial(sfn, {"Type": "Pass"})


def test_without_a_context_a_state_sees_that_of_an_execution(sfn: Workflows) -> None:
    definition = {
        "Type": "Pass",
        "QueryLanguage": "JSONata",
        "Output": "{% $states.context %}",
        "End": True,
    }
    context = json.loads(trial(sfn, definition, {"a": 1}, roleArn=None)["output"])

    execution, machine_ = context["Execution"], context["StateMachine"]
    assert execution["Id"].split(":")[5:] == ["express", machine_["Name"], execution["Name"]]
    assert (execution["Input"], execution["RoleArn"]) == ({"a": 1}, None)
    assert machine_["Id"].endswith(f":stateMachine:{machine_['Name']}")
    assert context["State"].keys() == {"Name", "EnteredTime"}
    assert context["State"]["Name"] == "StateName"


def test_values_that_are_passed_on_keep_their_spelling(sfn: Workflows) -> None:
    definition = machine(M={"Type": "Map", "ItemProcessor": machine(I={"Type": "Pass"})})
    answer = trial(sfn, definition, [1, 2], stateName="M", mock={"result": "[1,  1.0]"})
    assert answer["output"] == "[1,  1.0]"
