"""How a state fails: the reserved error names, and which ErrorEquals catches which error.

Rules: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
"""

from __future__ import annotations

from collections.abc import Sequence

ALL = "States.ALL"
RUNTIME = "States.Runtime"
TIMEOUT = "States.Timeout"
HEARTBEAT_TIMEOUT = "States.HeartbeatTimeout"
TASK_FAILED = "States.TaskFailed"
PERMISSIONS = "States.Permissions"
DATA_LIMIT = "States.DataLimitExceeded"
RESULT_PATH_MATCH_FAILURE = "States.ResultPathMatchFailure"
PARAMETER_PATH_FAILURE = "States.ParameterPathFailure"
BRANCH_FAILED = "States.BranchFailed"
NO_CHOICE_MATCHED = "States.NoChoiceMatched"
INTRINSIC_FAILURE = "States.IntrinsicFailure"
TOLERANCE_EXCEEDED = "States.ExceedToleratedFailureThreshold"
ITEM_READER_FAILED = "States.ItemReaderFailed"
RESULT_WRITER_FAILED = "States.ResultWriterFailed"
QUERY_EVALUATION = "States.QueryEvaluationError"
NOT_EMULATED = "NotEmulated"  # ours: AWS would do it, localaws does not

RESERVED = frozenset(
    {
        ALL,
        RUNTIME,
        TIMEOUT,
        HEARTBEAT_TIMEOUT,
        TASK_FAILED,
        PERMISSIONS,
        DATA_LIMIT,
        RESULT_PATH_MATCH_FAILURE,
        PARAMETER_PATH_FAILURE,
        BRANCH_FAILED,
        NO_CHOICE_MATCHED,
        INTRINSIC_FAILURE,
        TOLERANCE_EXCEEDED,
        ITEM_READER_FAILED,
        RESULT_WRITER_FAILED,
        QUERY_EVALUATION,
        "States.Http.Socket",
    }
)


class StateError(Exception):
    """A state failed with `error` (a name) and `cause` (text, or None where AWS gives none).

    `heartbeat` marks a States.Timeout that came from a missed heartbeat: AWS records it as
    States.Timeout, and States.HeartbeatTimeout catches it too. `from_task` marks what a task
    answered; AWS lets States.ALL catch States.DataLimitExceeded there and nowhere else. `branch`
    marks the failure of a Parallel: its branch's error, which States.BranchFailed names too.
    """

    def __init__(
        self,
        error: str | None,
        cause: str | None = None,
        *,
        heartbeat: bool = False,
        from_task: bool = False,
        branch: bool = False,
        location: str | None = None,
    ) -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause
        self.heartbeat = heartbeat
        self.from_task = from_task
        self.branch = branch
        self.location = location  # the field whose JSONata failed
        self.recorded = False  # whether EvaluationFailed has been written

    def output(self) -> dict[str, str | None]:
        """What a catcher receives; two nulls where a task failed without saying why."""
        if self.error is None and self.cause is None:
            return {"Error": None, "Cause": None}
        return {"Error": self.error or "", "Cause": self.cause or ""}


def runtime_error(cause: str) -> StateError:
    """States.Runtime: the definition does not fit the data; nothing catches it."""
    return StateError(RUNTIME, cause)


def matches(error_equals: Sequence[str], failure: StateError) -> bool:
    """Whether a retrier or catcher with this ErrorEquals takes the failure."""
    error = failure.error
    if error == RUNTIME:
        return False
    names = set(error_equals)
    if error in names:
        return True
    if failure.heartbeat and HEARTBEAT_TIMEOUT in names:
        return True
    if failure.branch and BRANCH_FAILED in names:
        return True
    if TASK_FAILED in names and error not in (TIMEOUT, DATA_LIMIT):
        return True
    return ALL in names and (error != DATA_LIMIT or failure.from_task)
