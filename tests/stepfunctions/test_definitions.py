"""What CreateStateMachine and ValidateStateMachineDefinition say about definitions."""

from __future__ import annotations

import json
from operator import itemgetter
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localaws.errors import NotEmulated
from localaws.stepfunctions import validation
from localaws.stepfunctions.integrations.runtime import Integrations
from tests.conftest import cases
from tests.stepfunctions.conftest import ROLE, Workflows, machine

Json = dict[str, Any]

INTEGRATIONS = Integrations(lambda service: None)


def findings(definition: Any) -> list[str]:
    text = definition if isinstance(definition, str) else json.dumps(definition)
    found = validation.diagnose(text, INTEGRATIONS.check_resource)
    errors = [item for item in found if item.severity == "ERROR"]
    return [item.text() for item in errors or found]


@pytest.mark.parametrize("case", cases("definitions"), ids=itemgetter("why"))
def test_definition(case: Json) -> None:
    assert findings(case["definition"]) == case["findings"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "SCHEMA_VALIDATION_FAILED: Definition must be a valid JSON object"),
        ("[]", "SCHEMA_VALIDATION_FAILED: Definition must be a valid JSON object"),
        (
            "not a definition",
            "INVALID_JSON_DESCRIPTION: Unrecognized token 'not': was expecting (JSON String,"
            " Number, Array, Object or token 'null', 'true' or 'false')\n"
            ' at [Source: (String)"not a definition"; line: 1, column: 4]'
            ' at [Source: (String)"not a definition"; line: 1, column: 4]',
        ),
    ],
)
def test_a_text_that_is_no_definition(text: str, message: str) -> None:
    assert findings(text) == [message]


@pytest.mark.parametrize(
    ("text", "place"),
    [("{\n 'a': 1}", "line: 2, column: 3"), ('{"a": 1', "line: 1, column: 8"), ("{]", "column: 3")],
)
def test_the_place_where_a_text_is_no_json(text: str, place: str) -> None:
    assert place in findings(text)[0]


@pytest.mark.parametrize(
    ("resource", "message"),
    [
        (
            "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "Express state machine does not support '.waitForTaskToken' service integration ",
        ),
        (
            "arn:aws:states:::states:startExecution.sync",
            "Express state machine does not support '.sync' service integration",
        ),
        (
            "arn:aws:states:us-east-1:000000000000:activity:a",
            "Express state machine does not support Activity ARN",
        ),
    ],
)
def test_what_an_express_machine_may_not_do(sfn: Workflows, resource: str, message: str) -> None:
    definition = machine(A={"Type": "Task", "Resource": resource})
    found = sfn.client.validate_state_machine_definition(
        definition=json.dumps(definition), type="EXPRESS"
    )
    assert found["diagnostics"] == [
        {
            "severity": "ERROR",
            "code": "SCHEMA_VALIDATION_FAILED",
            "location": "/States/A/Resource",
            "message": message,
        }
    ]
    with pytest.raises(sfn.client.exceptions.InvalidDefinition, match=message):
        sfn.create(definition, type="EXPRESS")


def test_creating_a_wrong_machine_is_refused_with_every_error(sfn: Workflows) -> None:
    with pytest.raises(ClientError) as caught:
        sfn.create({"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B", "X": 1}}})
    assert caught.value.response["Error"] == {
        "Code": "InvalidDefinition",
        "Message": "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: Field 'X' is not"
        " supported at /States/A, MISSING_TRANSITION_TARGET: Missing 'Next' target: B at"
        " /States/A/Next'",
    }


@pytest.mark.parametrize(
    ("resource", "named"),
    [
        ("arn:aws:states:::ecs:runTask.sync", "ecs:runTask.sync"),
        ("arn:aws:states:::sagemaker:createTransformJob.sync", "CreateTransformJob"),
        ("arn:aws:states:::aws-sdk:polly:synthesizeSpeech", "SynthesizeSpeech"),
    ],
)
def test_what_aws_takes_and_localaws_lacks_is_refused_by_name(
    sfn: Workflows, resource: str, named: str
) -> None:
    with pytest.raises(ClientError) as caught:
        sfn.create(machine(A={"Type": "Task", "Resource": resource}))
    assert caught.value.response["Error"]["Code"] == "NotEmulated"
    assert named in caught.value.response["Error"]["Message"]


def test_validation_answers_in_the_shape_of_aws(sfn: Workflows) -> None:
    answer = sfn.client.validate_state_machine_definition(definition='{"StartAt": "A"}')
    answer.pop("ResponseMetadata")
    assert answer == {
        "result": "FAIL",
        "truncated": False,
        "diagnostics": [
            {
                "severity": "ERROR",
                "code": "SCHEMA_VALIDATION_FAILED",
                "message": "These fields are required: [States]",
                "location": "/",
            }
        ],
    }
    fine = sfn.client.validate_state_machine_definition(
        definition=json.dumps(machine(A={"Type": "Pass"}))
    )
    assert (fine["result"], fine["diagnostics"]) == ("OK", [])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["Type", "Next", "End", "Choices", "Catch", "Retry", "Parameters", "x.$", "Branches",
             "ItemProcessor", "StartAt", "States", "Resource", "ErrorEquals", "And", "Not",
             "Variable", "Seconds", "InputPath", "ResultPath", "A"]
        ),
        inner | st.sampled_from(["Task", "Map", "Choice", "Parallel", "Wait", "Pass", "$.a", "A"]),
        max_size=5,
    ),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(json_values)
def test_no_definition_breaks_the_validation(body: Any) -> None:
    definition = {"StartAt": "A", "States": {"A": body}}
    for text in (json.dumps(definition), json.dumps(body)):
        try:
            validation.diagnose(text, INTEGRATIONS.check_resource)
        except NotEmulated:
            continue


def test_the_role_is_kept(sfn: Workflows) -> None:
    arn = sfn.create(machine(A={"Type": "Pass"}))
    assert sfn.client.describe_state_machine(stateMachineArn=arn)["roleArn"] == ROLE
