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
    answer: Json = sfn.client.test_state(
        definition=json.dumps(definition),
        roleArn=ROLE,
        input=json.dumps({} if given is None else given),
        **more,
    )
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
    for name, value in case.get("seen", {}).items():
        shown = seen[name] if name == "errorDetails" else json.loads(seen[name])
        assert shown == value, name
    assert not sfn.jobs.calls
    assert "inspectionData" not in trial(sfn, case["definition"], case["input"], **more)


def test_a_task_without_a_mock_is_really_called(sfn: Workflows) -> None:
    answer = trial(sfn, {**task(CRAWLER, {"Name": "raw"}), "End": True})

    assert json.loads(answer["output"])["Crawler"]["Name"] == "raw"
    assert [name for name, _ in sfn.jobs.calls] == ["GetCrawler"]


@pytest.mark.parametrize(
    ("definition", "more", "code", "said"),
    [
        ({**task(GLUE_SYNC, {"JobName": "j"}), "End": True}, {}, "ValidationException", "mock"),
        ({"Type": "Pass"}, {}, "InvalidDefinition", "Next, End"),
        (
            {"Type": "Parallel", "Branches": [machine(A={"Type": "Pass"})], "End": True},
            {},
            "NotEmulated",
            "Type Parallel",
        ),
        (
            {**task(CRAWLER, {"Name": "raw"}), "End": True},
            {"mock": {"result": '{"Crawlr": {}}'}},
            "ValidationException",
            "Crawlr",
        ),
        (
            {"Type": "Pass", "End": True},
            {"stateConfiguration": {"mapIterationFailureCount": 1}},
            "NotEmulated",
            "mapIterationFailureCount",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_tested_is_refused(
    sfn: Workflows, definition: Json, more: Json, code: str, said: str
) -> None:
    with pytest.raises(ClientError, match=said) as error:
        trial(sfn, definition, **more)
    assert error.value.response["Error"]["Code"] == code
