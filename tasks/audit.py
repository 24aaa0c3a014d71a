"""Stage 10, Write audit record: always, also after a failure; then the run ends as it went."""

from __future__ import annotations

from tasks.states import Fail, State, function, sdk


def write_audit_record() -> State:
    """The one way out of the workflow: record, then Succeed, or Fail with the true cause."""
    write = function(
        "Write audit record",
        "${WriteAuditArn}",
        {"execution.$": "$$.Execution", "state_machine.$": "$$.StateMachine", "state.$": "$"},
        result_path="$.audit",
        timeout_seconds=900,
    )
    unwritten = Fail(
        "Audit record not written", error_path="$.unwritten.Error", cause_path="$.unwritten.Cause"
    )
    went_well = sdk.Choice("Did it go well?")
    failed = Fail("Run failed", error_path="$.failure.Error", cause_path="$.failure.Cause")
    nothing_new = sdk.Succeed("Nothing new")
    done = sdk.Succeed("Run done")
    write.add_catch(
        sdk.Catch(error_equals=["States.ALL"], next_step=unwritten, result_path="$.unwritten")
    )
    write.next(went_well)
    went_well.add_choice(sdk.ChoiceRule.IsPresent("$.failure", True), failed)
    went_well.add_choice(sdk.ChoiceRule.BooleanEquals("$.run.nothing_new", True), nothing_new)
    went_well.default_choice(done)
    return write
