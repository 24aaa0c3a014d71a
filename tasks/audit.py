"""Stage 10, Write audit record: the last state of a run that went well.

For a run that did not, the same function is called by the event of its end
(infrastructure/template: RunFailedRule).
"""

from __future__ import annotations

from tasks.stages import comment
from tasks.states import State, function


def write_audit_record() -> State:
    return function(
        "Write audit record",
        "${WriteAuditArn}",
        {"execution_arn.$": "$$.Execution.Id"},
        comment=comment(10, "What came in, what was done to it, what came of it, with hashes."),
        result_path="$.audit",
        timeout_seconds=900,
    )
