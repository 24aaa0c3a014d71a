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
