"""Stage 1, Receive trigger: three kinds of input become one plan of the run, when it is its turn.

One run at a time: a run waits here while an earlier one is in progress. Every run makes what it
makes under names of its own; but what is crawled, and what is live, there is only once.
"""

from __future__ import annotations

from tasks.stages import comment
from tasks.states import State, choice, function, sdk

POLL_SECONDS = 30


def receive_trigger() -> State:
    """`$` = {"run": ...} afterwards (`tasks/functions/receive_trigger.py` has the shape): any JSON
    may come in as input, from here on the state is an object."""
    return function(
        "Receive trigger",
        "${ReceiveTriggerArn}",
        {"execution.$": "$$.Execution", "state_machine.$": "$$.StateMachine.Id"},
        comment=comment(1, "Plans the run and notes every raw file, unless another run is ahead."),
        result_selector={"run.$": "$.Payload"},
        result_path="$",
        timeout_seconds=900,
    )


def anything_new(receive: State, new: State, nothing_new: State) -> State:
    """Goes on to `new`, or to `nothing_new` when the last successful run had the same files, code
    and options and nobody forces another; waits and asks `receive` again while another run is
    ahead, or a database is being read."""
    wait = sdk.Wait(
        "Wait for its turn",
        comment=comment(1, "An earlier run, or the job that reads a database, is in progress."),
        seconds=POLL_SECONDS,
    )
    wait.next(receive)
    rule = sdk.ChoiceRule
    return choice(
        "Anything new?",
        comment(1, "On, round again while another run is ahead, or to the end."),
        [
            (rule.IsString("$.run.waits_for", True), wait),
            (rule.BooleanEquals("$.run.nothing_new", True), nothing_new),
        ],
        otherwise=new,
    )
