"""Whole workflows: joins, aborts, catches, limits and time, with histories as recorded on AWS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from localaws.errors import AwsError
from tests.stepfunctions.conftest import Workflows, machine
from tests.stepfunctions.test_tasks import CRAWLER, GLUE_SYNC, LAMBDA, task

Json = dict[str, Any]


def each(processor: Json, **more: Any) -> Json:
    return {"Type": "Map", "ItemProcessor": processor, **more}


def count(sfn: Workflows, arn: str, type_: str, wanted: int) -> Callable[[], bool]:
    return lambda: [e["type"] for e in sfn.history(arn)].count(type_) == wanted


def test_map_iterations_one_by_one(sfn: Workflows) -> None:
    done = sfn.run(machine(M=each(machine(I={"Type": "Pass"}), MaxConcurrency=1)), [1, "two"])
    assert list(zip(done.types, done.previous, strict=True)) == [
        ("ExecutionStarted", 0), ("MapStateEntered", 0), ("MapStateStarted", 2),
        ("MapIterationStarted", 3), ("PassStateEntered", 4), ("PassStateExited", 5),
        ("MapIterationSucceeded", 6),
        ("MapIterationStarted", 6), ("PassStateEntered", 8), ("PassStateExited", 9),
        ("MapIterationSucceeded", 10),
        ("MapStateSucceeded", 11), ("MapStateExited", 11), ("ExecutionSucceeded", 13),
    ]  # fmt: skip
    assert done.details("MapStateStarted") == {"length": 2}
    assert done.details("MapIterationStarted", 1) == {"name": "M", "index": 1}


def test_an_empty_map_succeeds_with_an_empty_list(sfn: Workflows) -> None:
    done = sfn.run(machine(M=each(machine(I={"Type": "Pass"}))), [])
    assert done.output == []


def test_a_failed_iteration_ends_the_map_and_retries_it_as_a_whole(sfn: Workflows) -> None:
    fail = machine(I={"Type": "Fail", "Error": "E", "Cause": "c"})
    retry = [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}]
    done = sfn.run(machine(M=each(fail, Retry=retry)), [1])
    assert list(zip(done.types, done.previous, strict=True)) == [
        ("ExecutionStarted", 0), ("MapStateEntered", 0),
        ("MapStateStarted", 2), ("MapIterationStarted", 3), ("FailStateEntered", 4),
        ("MapIterationFailed", 5),
        ("MapStateStarted", 5), ("MapIterationStarted", 7), ("FailStateEntered", 8),
        ("MapIterationFailed", 9), ("MapStateFailed", 9), ("ExecutionFailed", 11),
    ]  # fmt: skip
    assert (done.error, done.cause) == ("E", "c")


def test_the_other_iterations_are_aborted_in_their_order(sfn: Workflows) -> None:
    sfn.jobs.ends_at_once = None
    join = machine(J=task(GLUE_SYNC, {"JobName": "j"}))
    arn = sfn.begin(machine(M=each(join)), [0, 1, 2])
    sfn.until(lambda: [e["type"] for e in sfn.history(arn)].count("TaskSubmitted") == 3)
    failing = sfn.jobs.calls.index(("StartJobRun", {"JobName": "j"}))
    sfn.jobs.end(f"jr_{failing}", "FAILED")
    done = sfn.wait(arn)

    tail = done.events[done.types.index("TaskFailed") :]
    assert sorted(e["type"] for e in tail[1:-2]) == sorted(
        ["MapIterationFailed", *["MapIterationAborted"] * 2, *["TaskStateAborted"] * 3]
    )
    assert {e["previousEventId"] for e in tail[1:-1]} == {tail[0]["id"]}
    assert [e["type"] for e in tail[-2:]] == ["MapStateFailed", "ExecutionFailed"]
    assert sorted(sfn.until(lambda: len(sfn.jobs.stopped) == 2 and sfn.jobs.stopped)) == [
        "jr_1", "jr_2",
    ]  # fmt: skip


def test_at_most_max_concurrency_iterations_run_at_once(sfn: Workflows) -> None:
    sfn.jobs.ends_at_once = None
    join = machine(J=task(GLUE_SYNC, {"JobName": "j"}))
    arn = sfn.begin(machine(M=each(join, MaxConcurrency=2)), list(range(5)))
    for number in range(5):
        sfn.until(lambda number=number: len(sfn.jobs.states) >= min(number + 2, 5))
        started = [e["type"] for e in sfn.history(arn)].count("MapIterationStarted")
        assert started == min(number + 2, 5)
        sfn.until(count(sfn, arn, "TaskSubmitted", started))
        sfn.jobs.end(f"jr_{number}", "SUCCEEDED")
        sfn.until(
            lambda number=number: (
                [e["type"] for e in sfn.history(arn)].count("MapIterationSucceeded") == number + 1
            )
        )
    assert sfn.wait(arn).status == "SUCCEEDED"


def test_item_selector_sees_item_index_and_the_states_input(sfn: Workflows) -> None:
    selector = {"i.$": "$$.Map.Item.Index", "v.$": "$$.Map.Item.Value.x", "k.$": "$.k"}
    states = machine(
        M=each(machine(I={"Type": "Pass"}), ItemsPath="$.l", ItemSelector=selector)
    )  # fmt: skip
    assert sfn.run(states, {"l": [{"x": 1}, {"x": 2}], "k": "K"}).output == [
        {"i": 0, "v": 1, "k": "K"},
        {"i": 1, "v": 2, "k": "K"},
    ]


def test_the_older_iterator_with_parameters(sfn: Workflows) -> None:
    state = {
        "Type": "Map",
        "Iterator": machine(I={"Type": "Pass"}),
        "Parameters": {"v.$": "$$.Map.Item.Value"},
    }
    assert sfn.run(machine(M=state), [1, 2]).output == [{"v": 1}, {"v": 2}]


def test_items_in_batches(sfn: Workflows) -> None:
    batcher = {"MaxItemsPerBatch": 2, "BatchInput": {"k.$": "$.k"}}
    states = machine(M=each(machine(I={"Type": "Pass"}), ItemsPath="$.l", ItemBatcher=batcher))
    assert sfn.run(states, {"l": [1, 2, 3], "k": 0}).output == [
        {"BatchInput": {"k": 0}, "Items": [1, 2]},
        {"BatchInput": {"k": 0}, "Items": [3]},
    ]


def test_the_size_of_batches_in_jsonata(sfn: Workflows) -> None:
    batcher = {"MaxItemsPerBatch": "{% $states.input.size %}"}
    state = each(machine(I={"Type": "Pass"}), Items="{% [1..3] %}", ItemBatcher=batcher)
    states = {"QueryLanguage": "JSONata", **machine(M=state)}
    assert sfn.run(states, {"size": 2}).output == [{"Items": [1, 2]}, {"Items": [3]}]


def test_a_catch_on_parallel_keeps_the_branches_error(sfn: Workflows) -> None:
    both = {
        "Type": "Parallel",
        "Branches": [
            machine(F={"Type": "Fail", "Error": "E", "Cause": "c"}),
            machine(
                W={"Type": "Wait", "Timestamp": "2099-01-01T00:00:00Z"},
                X=task(CRAWLER, {"Name": "x"}),
            ),
        ],
        "Catch": [{"ErrorEquals": ["States.BranchFailed"], "ResultPath": "$.e", "Next": "After"}],
    }
    done = sfn.run(machine(P=both, After={"Type": "Pass"}), {"k": 1})
    assert done.output == {"k": 1, "e": {"Error": "E", "Cause": "c"}}
    assert "ParallelStateFailed" in done.types


def test_an_error_in_a_tasks_path_is_not_caught_by_anything(sfn: Workflows) -> None:
    look = task(CRAWLER, {"Name.$": "$.nope"})
    look["Catch"] = [{"ErrorEquals": ["States.ALL"], "Next": "After"}]
    done = sfn.run(machine(Look=look, After={"Type": "Pass"}))
    assert done.error == "States.Runtime"
    assert done.types == ["ExecutionStarted", "TaskStateEntered", "ExecutionFailed"]


def test_no_choice_matched_is_an_error_that_says_so(sfn: Workflows) -> None:
    choose = {"Type": "Choice", "Choices": [{"Variable": "$.a", "IsNull": True, "Next": "B"}]}
    done = sfn.run(machine(C=choose, B={"Type": "Pass"}), {"a": 1})
    assert done.error == "States.NoChoiceMatched"
    assert done.cause.endswith("The state does not point to a next state.")


def test_fail_takes_its_error_and_cause_from_the_input(sfn: Workflows) -> None:
    fail = {"Type": "Fail", "ErrorPath": "$.e", "CausePath": "States.Format('because {}', $.c)"}
    done = sfn.run(machine(F=fail), {"e": "Mine", "c": "of it"})
    assert (done.error, done.cause) == ("Mine", "because of it")
    assert done.types == ["ExecutionStarted", "FailStateEntered", "ExecutionFailed"]


def test_the_machines_timeout_ends_the_execution_timed_out(sfn: Workflows) -> None:
    sfn.jobs.ends_at_once = None
    definition = {**machine(J=task(GLUE_SYNC, {"JobName": "j"})), "TimeoutSeconds": 1}
    done = sfn.run(definition)
    assert done.status == "TIMED_OUT"
    assert done.types[-1] == "ExecutionTimedOut"
    assert sfn.until(lambda: sfn.jobs.stopped) == ["jr_0"]


def test_a_loop_ends_at_25000_events(sfn: Workflows) -> None:
    arn = sfn.begin({"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "A"}}})
    sfn.until(
        lambda: sfn.client.describe_execution(executionArn=arn)["status"] == "FAILED", seconds=60
    )
    described = sfn.client.describe_execution(executionArn=arn)
    assert described["cause"] == (
        "The execution reached the maximum number of history events (25000)."
    )
    last = sfn.client.get_execution_history(executionArn=arn, reverseOrder=True, maxResults=1)
    assert last["events"][0]["id"] == 25_000


def test_a_hundred_executions_at_once(sfn: Workflows) -> None:
    sfn.jobs.replies["f"] = lambda event: event
    call = task(LAMBDA, {"FunctionName": "f", "Payload.$": "$"}, OutputPath="$.Payload")
    arn = sfn.create(machine(C=call, W={"Type": "Wait", "Seconds": 1}, P={"Type": "Pass"}))
    made = [
        sfn.client.start_execution(stateMachineArn=arn, input=str(number))["executionArn"]
        for number in range(100)
    ]
    assert [sfn.wait(execution, 30).output for execution in made] == list(range(100))


@pytest.mark.parametrize("seconds", [0, 3600])
def test_waits_are_scaled_away(sfn: Workflows, seconds: int) -> None:
    done = sfn.run(machine(W={"Type": "Wait", "SecondsPath": "$.s"}), {"s": seconds})
    assert done.types[1:3] == ["WaitStateEntered", "WaitStateExited"]


def test_errors_of_a_call_that_localaws_lacks_name_it(sfn: Workflows) -> None:
    sfn.jobs.errors.append(AwsError("NotEmulated", "localaws does not emulate glue:GetCrawler."))
    done = sfn.run(machine(L=task(CRAWLER, {"Name": "x"})))
    assert (done.error, done.cause) == (
        "NotEmulated",
        "localaws does not emulate glue:GetCrawler.",
    )
