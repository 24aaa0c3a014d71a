"""Stage 1, Receive trigger: three kinds of input become one plan of the run."""

from __future__ import annotations

from tasks.states import State, function, sdk


def receive_trigger() -> tuple[State, State]:
    """(first, last) state. Afterwards `$.run` holds the run's id, names, options, trigger
    and the raw objects' manifest (`tasks/functions/receive_trigger.py` has the shape)."""
    note = sdk.Pass(
        "Note the input",
        comment="Any JSON may come in; from here on the state is an object",
        parameters={"input.$": "$$.Execution.Input"},
    )
    receive = function(
        "Receive trigger",
        "${ReceiveTriggerArn}",
        {
            "input.$": "$$.Execution.Input",
            "execution.$": "$$.Execution.Id",
            "name.$": "$$.Execution.Name",
            "started_at.$": "$$.Execution.StartTime",
        },
        result_path="$.received",
        timeout_seconds=900,
    )
    keep = sdk.Pass("Plan the run", parameters={"run.$": "$.received.answer"})
    note.next(receive)
    receive.next(keep)
    return note, keep


def anything_new(go_on: State, end: State) -> State:
    """Goes on to `go_on`, or to `end` when the last successful run had the same files, code and
    options and nobody forces another."""
    choice = sdk.Choice("Anything new?")
    choice.add_choice(sdk.ChoiceRule.BooleanEquals("$.run.nothing_new", True), next_step=end)
    choice.default_choice(go_on)
    return choice
