"""JSONata states and workflow variables, in both languages."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stepfunctions.conftest import Workflows, machine
from tests.stepfunctions.test_tasks import GLUE_SYNC, LAMBDA, task

Json = dict[str, Any]


def jsonata(**states: Json) -> Json:
    return {"QueryLanguage": "JSONata", **machine(**states)}


@pytest.mark.parametrize(
    ("expression", "output"),
    [
        ("$states.input.a + 1", 42),
        ("{'sum': $sum($states.input.l), 'n': null}", {"sum": 6, "n": None}),
        ("$states.input", {"a": 41, "l": [1, 2, 3], "n": None}),
        ("$states.input.n", None),
        ("$states.input.l[$ > 1]", [2, 3]),
        ("$partition($states.input.l, 2)", [[1, 2], [3]]),
        ("$range(1, 9, 2)", [1, 3, 5, 7, 9]),
        ("$parse('{\"x\": [1, null]}')", {"x": [1, None]}),
        ("$hash('abc', 'SHA-1')", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        ("$states.context.State.Name", "S"),
        ("$length($uuid())", 36),
        ("$random() < 1", True),
        ("10 / 4", 2.5),
        ("$map($states.input.l, function($v) { $v * 2 })", [2, 4, 6]),
    ],
)
def test_an_expression(sfn: Workflows, expression: str, output: Any) -> None:
    state = {"Type": "Pass", "Output": "{% " + expression + " %}"}
    assert sfn.run(jsonata(S=state), {"a": 41, "l": [1, 2, 3], "n": None}).output == output


def test_an_expression_that_gives_nothing_fails_with_an_event_of_its_own(sfn: Workflows) -> None:
    done = sfn.run(jsonata(S={"Type": "Pass", "Output": {"x": "{% $states.input.nope %}"}}))

    assert (done.status, done.error) == ("FAILED", "States.QueryEvaluationError")
    assert done.cause == (
        "An error occurred while executing the state 'S' (entered at the event id #2). The JSONata"
        " expression '$states.input.nope' specified for the field 'Output/x' returned nothing"
        " (undefined)."
    )
    assert done.types == ["ExecutionStarted", "PassStateEntered", "EvaluationFailed",
                          "ExecutionFailed"]  # fmt: skip
    assert done.details("EvaluationFailed")["location"] == "Output/x"


def test_an_expression_without_an_end_is_stopped(sfn: Workflows) -> None:
    endless = "{% ($f := function($x) { $f($x + 1) + 1 }; $f(1)) %}"
    done = sfn.run(jsonata(S={"Type": "Pass", "Output": endless}))
    assert done.error == "States.QueryEvaluationError"


def test_a_task_takes_arguments_and_its_output_sees_the_result(sfn: Workflows) -> None:
    sfn.jobs.replies["double"] = lambda event: {"twice": event["n"] * 2}
    call = {
        "Type": "Task",
        "Resource": LAMBDA,
        "Arguments": {"FunctionName": "double", "Payload": {"n": "{% $states.input.n %}"}},
        "Assign": {"was": "{% $states.input.n %}"},
        "Output": {"got": "{% $states.result.Payload.twice %}"},
    }
    done = sfn.run(jsonata(Call=call, Then={"Type": "Pass", "Output": "{% $was %}"}), {"n": 21})

    assert done.output == 21
    exited = done.details("TaskStateExited")
    assert (exited["output"], exited["assignedVariables"]) == ('{"got":42}', {"was": "21"})


def test_a_choice_by_condition(sfn: Workflows) -> None:
    choose = {
        "Type": "Choice",
        "Choices": [{"Condition": "{% $states.input.n > 5 %}", "Next": "Big", "Assign": {"v": 1}}],
        "Default": "Small",
    }
    states = jsonata(
        C=choose, Big={"Type": "Pass", "Output": "{% $v %}", "End": True}, Small={"Type": "Pass"}
    )
    assert sfn.run(states, {"n": 6}).output == 1
    assert sfn.run(states, {"n": 5}).output == {"n": 5}


def test_a_map_over_items_with_a_selector(sfn: Workflows) -> None:
    each = {
        "Type": "Map",
        "Items": "{% $states.input.l %}",
        "ItemSelector": {
            "i": "{% $states.context.Map.Item.Index %}",
            "v": "{% $states.context.Map.Item.Value * 10 %}",
        },
        "ItemProcessor": machine(I={"Type": "Pass"}),
    }
    assert sfn.run(jsonata(Each=each), {"l": [1, 2]}).output == [
        {"i": 0, "v": 10},
        {"i": 1, "v": 20},
    ]


def test_a_catcher_sees_the_error_output(sfn: Workflows) -> None:
    sfn.jobs.ends_at_once = "FAILED"
    join = {
        "Type": "Task",
        "Resource": GLUE_SYNC,
        "Arguments": {"JobName": "join"},
        "Catch": [
            {
                "ErrorEquals": ["States.ALL"],
                "Next": "After",
                "Output": {"why": "{% $states.errorOutput.Error %}"},
            }
        ],
    }
    done = sfn.run(jsonata(Join=join, After={"Type": "Pass"}))
    assert done.output == {"why": "States.TaskFailed"}


def test_variables_in_json_path(sfn: Workflows) -> None:
    look = task(LAMBDA, {"FunctionName": "echo", "Payload": {"n": 5}})
    look |= {"Assign": {"n.$": "$.Payload.n", "name.$": "$$.State.Name"}, "ResultPath": None}
    use = {"Type": "Pass", "Parameters": {"n.$": "$n", "s.$": "States.Format('{}', $name)"}}
    assert sfn.run(machine(Look=look, Use=use), {"keep": 1}).output == {"n": 5, "s": "Look"}


def test_a_branch_sees_outer_variables_and_keeps_its_own(sfn: Workflows) -> None:
    inner = machine(
        Set={"Type": "Pass", "Assign": {"v": "inner"}},
        Get={"Type": "Pass", "Parameters": {"v.$": "$v", "w.$": "$w"}},
    )
    states = machine(
        Outer={"Type": "Pass", "Assign": {"v": "outer", "w": 1}},
        Both={"Type": "Parallel", "Branches": [inner], "ResultPath": "$.branches"},
        Last={"Type": "Pass", "Parameters": {"v.$": "$v", "branches.$": "$.branches"}},
    )
    assert sfn.run(states).output == {"v": "outer", "branches": [{"v": "inner", "w": 1}]}


def test_a_wait_and_a_fail_take_expressions(sfn: Workflows) -> None:
    states = jsonata(
        W={"Type": "Wait", "Seconds": "{% $states.input.s %}"},
        F={"Type": "Fail", "Error": "{% 'E' & $states.input.s %}", "Cause": "plain"},
    )
    done = sfn.run(states, {"s": 1})
    assert (done.error, done.cause) == ("E1", "plain")


def test_wrong_jsonata_is_refused_at_creation(sfn: Workflows) -> None:
    with pytest.raises(
        sfn.client.exceptions.InvalidDefinition, match=r"Output at|/States/S/Output"
    ):
        sfn.create(jsonata(S={"Type": "Pass", "Output": "{% 1 + %}"}))
