"""The API around executions: names, idempotency, paging, versions, aliases, tags, events."""

from __future__ import annotations

import json
import threading
from operator import itemgetter
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from localaws.core.signals import EventSent
from tests.conftest import cases
from tests.stepfunctions.conftest import ROLE, Workflows, machine
from tests.stepfunctions.test_tasks import GLUE_SYNC, task

Json = dict[str, Any]
PASS = machine(A={"Type": "Pass"})
LONG = machine(
    W={"Type": "Wait", "Timestamp": "2099-01-01T00:00:00Z"}, J=task(GLUE_SYNC, {"JobName": "j"})
)


def code(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return str(caught.value.response["Error"]["Code"])


def message(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return str(caught.value.response["Error"]["Message"])


def running(sfn: Workflows) -> str:
    """An execution that runs until its job ends."""
    sfn.jobs.ends_at_once = None
    arn = sfn.begin(machine(J=task(GLUE_SYNC, {"JobName": "j"})), {"a": 1}, name="once")
    sfn.until(sfn.has(arn, "TaskSubmitted"))
    return arn


def test_the_same_name_and_input_while_it_runs_is_the_same_execution(sfn: Workflows) -> None:
    arn = running(sfn)
    machine_arn = sfn.client.describe_execution(executionArn=arn)["stateMachineArn"]

    again = sfn.client.start_execution(stateMachineArn=machine_arn, name="once", input='{"a": 1}')
    assert again["executionArn"] == arn
    for text in ('{"a":1}', '{"a": 2}'):  # compared as text
        with pytest.raises(sfn.client.exceptions.ExecutionAlreadyExists):
            sfn.client.start_execution(stateMachineArn=machine_arn, name="once", input=text)
    sfn.jobs.end("jr_0", "SUCCEEDED")
    sfn.wait(arn)
    with pytest.raises(ClientError, match=f"Execution Already Exists: '{arn}'"):
        sfn.client.start_execution(stateMachineArn=machine_arn, name="once", input='{"a": 1}')


@pytest.mark.parametrize("name", ["a b", "a/b", "a:b", "a*", "x" * 81, "a\u0007", "a{b}", 'a"b'])
def test_names_that_aws_refuses(sfn: Workflows, name: str) -> None:
    arn = sfn.create(PASS)
    with pytest.raises(ClientError) as caught:
        sfn.client.start_execution(stateMachineArn=arn, name=name)
    assert code(caught) in ("InvalidName", "ValidationException")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "not json",
            "Unrecognized token 'not': was expecting (JSON String, Number, Array, Object or token"
            " 'null', 'true' or 'false')",
        ),
        (
            "{'a': 1}",
            "Unexpected character (''' (code 39)): was expecting double-quote to start field name",
        ),
        ("", "Invalid execution input."),
    ],
)
def test_an_input_that_is_no_json(sfn: Workflows, text: str, problem: str) -> None:
    arn = sfn.create(PASS)
    with pytest.raises(ClientError) as caught:
        sfn.client.start_execution(stateMachineArn=arn, input=text)
    assert message(caught) == f"Invalid State Machine Execution Input: '{problem}'"


@pytest.mark.parametrize("text", ["5", '"text"', "null", '{ "a" :  1.0 }'])
def test_the_execution_keeps_the_inputs_text_and_its_first_state_gets_it_compact(
    sfn: Workflows, text: str
) -> None:
    arn = sfn.create(PASS)
    execution = sfn.client.start_execution(stateMachineArn=arn, input=text)["executionArn"]
    done = sfn.wait(execution)
    assert done.description["input"] == text
    assert done.details("ExecutionStarted")["input"] == text
    compact = json.dumps(json.loads(text), separators=(",", ":"))  # on AWS since July 2024
    assert done.details("PassStateEntered")["input"] == compact
    assert done.description["output"] == compact


def test_a_large_input_comes_back_whole_and_a_larger_one_is_refused(sfn: Workflows) -> None:
    arn = sfn.create(PASS)
    text = json.dumps("x" * 262_000)
    execution = sfn.client.start_execution(stateMachineArn=arn, input=text)["executionArn"]
    assert sfn.wait(execution).description["input"] == text
    with pytest.raises(ClientError):
        sfn.client.start_execution(stateMachineArn=arn, input=json.dumps("x" * 262_200))


def test_creating_twice_is_idempotent_and_another_definition_is_refused(sfn: Workflows) -> None:
    given = {"name": "twice", "definition": json.dumps(PASS), "roleArn": ROLE}
    one = sfn.client.create_state_machine(**given)
    assert sfn.client.create_state_machine(**given)["creationDate"] == one["creationDate"]
    with pytest.raises(ClientError, match="State Machine Already Exists: 'arn:aws:states:us-east"):
        sfn.client.create_state_machine(**{**given, "definition": json.dumps(LONG)})


def test_versions_and_aliases_route_executions(sfn: Workflows) -> None:
    first = json.dumps(machine(A={"Type": "Pass", "Result": 1}))
    second = json.dumps(machine(A={"Type": "Pass", "Result": 2}))
    made = sfn.client.create_state_machine(
        name="routed", definition=first, roleArn=ROLE, publish=True, versionDescription="one"
    )
    arn, version = made["stateMachineArn"], made["stateMachineVersionArn"]
    assert version == f"{arn}:1"
    updated = sfn.client.update_state_machine(stateMachineArn=arn, definition=second, publish=True)
    assert updated["stateMachineVersionArn"] == f"{arn}:2"
    again = sfn.client.publish_state_machine_version(stateMachineArn=arn)
    assert again["stateMachineVersionArn"] == f"{arn}:2", "the same revision, the same version"

    alias = sfn.client.create_state_machine_alias(
        name="live", routingConfiguration=[{"stateMachineVersionArn": version, "weight": 100}]
    )["stateMachineAliasArn"]
    execution = sfn.client.start_execution(stateMachineArn=alias)["executionArn"]
    done = sfn.wait(execution)
    assert done.output == 1
    assert done.description["stateMachineAliasArn"] == alias
    assert done.details("ExecutionStarted")["stateMachineVersionArn"] == version
    listed = sfn.client.list_executions(stateMachineArn=alias)["executions"]
    assert [item["executionArn"] for item in listed] == [execution]

    with pytest.raises(ClientError, match="must not be referenced by an alias"):
        sfn.client.delete_state_machine_version(stateMachineVersionArn=version)
    sfn.client.update_state_machine_alias(
        stateMachineAliasArn=alias,
        routingConfiguration=[{"stateMachineVersionArn": f"{arn}:2", "weight": 100}],
    )
    assert sfn.wait(sfn.client.start_execution(stateMachineArn=alias)["executionArn"]).output == 2
    sfn.client.delete_state_machine_version(stateMachineVersionArn=version)
    versions = sfn.client.list_state_machine_versions(stateMachineArn=arn)["stateMachineVersions"]
    assert [item["stateMachineVersionArn"] for item in versions] == [f"{arn}:2"]
    assert sfn.client.describe_state_machine(stateMachineArn=f"{arn}:2")["definition"] == second


@pytest.mark.parametrize("case", cases("stepfunctions_refusals"), ids=itemgetter("why"))
def test_a_request_is_refused_as_aws_refuses_it(sfn: Workflows, case: Json) -> None:
    machine_arn = sfn.create(PASS, publish=True)
    text = json.dumps(case).replace("$machine", machine_arn)
    case = json.loads(text.replace('"$definition"', json.dumps(json.dumps(PASS))))
    client = sfn.aws.client("stepfunctions")
    client.meta.config.inject_host_prefix = False
    with pytest.raises(ClientError) as caught:
        getattr(client, xform_name(case["operation"]))(**case["params"])
    assert (code(caught), message(caught)) == (case["code"], case["message"])


def test_an_alias_is_made_once_and_deleted_twice(sfn: Workflows) -> None:
    arn = sfn.create(PASS, publish=True)
    given = {
        "name": "live",
        "routingConfiguration": [{"stateMachineVersionArn": f"{arn}:1", "weight": 100}],
    }
    made = sfn.client.create_state_machine_alias(**given)
    again = sfn.client.create_state_machine_alias(**given)
    assert again["creationDate"] == made["creationDate"]
    with pytest.raises(sfn.client.exceptions.ConflictException):
        sfn.client.create_state_machine_alias(**given, description="another")
    alias = made["stateMachineAliasArn"]
    for _ in range(2):
        sfn.client.delete_state_machine_alias(stateMachineAliasArn=alias)
    assert sfn.client.list_state_machine_aliases(stateMachineArn=arn)["stateMachineAliases"] == []


def test_a_description_of_a_machine_has_what_aws_shows(sfn: Workflows) -> None:
    rule = {"Variable": "$a", "NumericEqualsPath": "$d", "Next": "M"}
    failing = {"Type": "Fail", "ErrorPath": "$e"}
    definition = machine(
        A={"Type": "Pass", "Assign": {"a": 1}, "Result": {"x": "$no"}},
        B={"Type": "Pass", "Parameters": {"s.$": "States.Format('$no {} {}', $b.c, $a)"}},
        C={"Type": "Choice", "Choices": [rule]},
        M={"Type": "Map", "ItemsPath": "$list", "ItemProcessor": machine(I=failing)},
        J={"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $a %}"},
    )
    arn = sfn.create(definition)
    described = sfn.client.describe_state_machine(stateMachineArn=arn)
    described.pop("ResponseMetadata")
    assert described.pop("variableReferences") == {
        "B": ["a", "b"], "C": ["a", "d"], "M": ["list"], "I": ["e"],
    }  # fmt: skip
    assert described.keys() == {
        "stateMachineArn", "name", "status", "definition", "roleArn", "type", "creationDate",
        "loggingConfiguration", "tracingConfiguration", "encryptionConfiguration",
    }  # fmt: skip
    assert described["encryptionConfiguration"] == {"type": "AWS_OWNED_KEY"}


def test_an_update_that_changes_nothing_makes_no_revision(sfn: Workflows) -> None:
    arn = sfn.create(PASS)
    same = sfn.client.update_state_machine(stateMachineArn=arn, roleArn=ROLE, publish=True)
    assert "revisionId" not in same
    other = sfn.client.update_state_machine(
        stateMachineArn=arn, loggingConfiguration={"level": "OFF", "includeExecutionData": True}
    )
    again = sfn.client.update_state_machine(
        stateMachineArn=arn, loggingConfiguration={"level": "OFF", "includeExecutionData": True}
    )
    assert again["revisionId"] == other["revisionId"]


def test_machines_are_listed_by_name(sfn: Workflows) -> None:
    for name in ("b", "a_1", "a1"):
        sfn.client.create_state_machine(name=name, definition=json.dumps(PASS), roleArn=ROLE)
    listed = sfn.client.list_state_machines()["stateMachines"]
    assert [item["name"] for item in listed] == ["a1", "a_1", "b"]


def test_lists_and_histories_come_in_pages(sfn: Workflows) -> None:
    arn = sfn.create(PASS)
    made = [sfn.client.start_execution(stateMachineArn=arn)["executionArn"] for _ in range(5)]
    for execution in made:
        sfn.wait(execution)
    pages = sfn.client.get_paginator("list_executions").paginate(
        stateMachineArn=arn, statusFilter="SUCCEEDED", PaginationConfig={"PageSize": 2}
    )
    listed = [[item["executionArn"] for item in page["executions"]] for page in pages]
    assert [len(page) for page in listed] == [2, 2, 1]
    assert [item for page in listed for item in page] == made[::-1]

    history = sfn.client.get_paginator("get_execution_history").paginate(
        executionArn=made[0], reverseOrder=True, PaginationConfig={"PageSize": 3}
    )
    assert [event["id"] for page in history for event in page["events"]] == [4, 3, 2, 1]


def test_a_history_request_waits_for_the_next_event(sfn: Workflows) -> None:
    arn = running(sfn)
    last = len(sfn.history(arn))
    asked = {"Prefer": "wait=20", "If-None-Match": f'"{last}"'}
    sfn.client.meta.events.register(
        "before-call.sfn.GetExecutionHistory", lambda params, **_: params["headers"].update(asked)
    )
    threading.Timer(0.2, sfn.jobs.end, ("jr_0", "SUCCEEDED")).start()

    held = sfn.client.get_execution_history(executionArn=arn, maxResults=1, reverseOrder=True)

    assert held["events"][0]["id"] > last


def test_a_history_without_execution_data(sfn: Workflows) -> None:
    arn = sfn.begin(PASS, {"secret": 1})
    sfn.wait(arn)
    events = sfn.client.get_execution_history(executionArn=arn, includeExecutionData=False)
    assert "secret" not in json.dumps(events, default=str)
    assert events["events"][1]["stateEnteredEventDetails"] == {"name": "A"}


def test_things_that_are_not_there(sfn: Workflows) -> None:
    prefix = "arn:aws:states:us-east-1:000000000000"
    with pytest.raises(
        ClientError, match=f"State Machine Does Not Exist: '{prefix}:stateMachine:n"
    ):
        sfn.client.start_execution(stateMachineArn=f"{prefix}:stateMachine:no")
    with pytest.raises(ClientError, match="Execution Does Not Exist"):
        sfn.client.describe_execution(executionArn=f"{prefix}:execution:no:no")
    sfn.client.delete_state_machine(stateMachineArn=f"{prefix}:stateMachine:no")
    with pytest.raises(sfn.client.exceptions.InvalidToken):
        sfn.client.send_task_success(taskToken="nobody's", output="{}")


def test_tags(sfn: Workflows) -> None:
    arn = sfn.create(PASS, tags=[{"key": "a", "value": "1"}])
    sfn.client.tag_resource(resourceArn=arn, tags=[{"key": "b", "value": "2"}])
    sfn.client.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert sfn.client.list_tags_for_resource(resourceArn=arn)["tags"] == [
        {"key": "b", "value": "2"}
    ]


def test_status_changes_are_published_in_their_order(sfn: Workflows) -> None:
    seen: list[Json] = []
    sfn.aws.signals.subscribe(EventSent, lambda signal: seen.append(signal.event))
    arn = sfn.begin(machine(F={"Type": "Fail", "Error": "E", "Cause": "c"}))
    sfn.wait(arn)
    sfn.until(lambda: len(seen) == 2)

    assert [event["detail"]["status"] for event in seen] == ["RUNNING", "FAILED"]
    assert seen[1]["source"] == "aws.states"
    assert seen[1]["detail-type"] == "Step Functions Execution Status Change"
    assert (seen[1]["detail"]["error"], seen[1]["detail"]["cause"]) == ("E", "c")


def test_the_definition_of_an_execution_is_the_one_it_started_with(sfn: Workflows) -> None:
    arn = running(sfn)
    machine_arn = sfn.client.describe_execution(executionArn=arn)["stateMachineArn"]
    before = sfn.client.describe_state_machine(stateMachineArn=machine_arn)["definition"]
    sfn.client.update_state_machine(stateMachineArn=machine_arn, definition=json.dumps(PASS))
    described = sfn.client.describe_state_machine_for_execution(executionArn=arn)
    assert described["definition"] == before
    sfn.client.delete_state_machine(stateMachineArn=machine_arn)
    sfn.jobs.end("jr_0", "SUCCEEDED")
    assert sfn.wait(arn).status == "SUCCEEDED"
