"""How a statement ended: what cancelled it, what it failed with, whether its changes count."""

from __future__ import annotations

from localaws.athena.session import Change, Session
from localaws.athena.sql.parsing import SyntaxMistake
from localaws.core.jobs.job import JobFailed
from localaws.core.jobs.runner import Ending, Outcome
from localaws.errors import AwsError
from localaws.s3.names import NoS3Address
from localaws.trino.errors import INTERNAL, QueryError

INSUFFICIENT = "Insufficient permissions to execute the query."
DML_TIMEOUT_SECONDS = 30 * 60  # docs.aws.amazon.com/athena/latest/ug/service-limits.html


class StatementFailed(JobFailed):
    def __init__(self, error: QueryError) -> None:
        super().__init__(str(error))
        self.error = error


class StatementCancelled(JobFailed):
    """The message is the StateChangeReason."""


def applied(changes: list[Change], session: Session) -> QueryError | None:
    """Makes them all; the error if one cannot be made, and then none is."""
    one: Change | None = None
    try:
        with session.aws.documents.transaction():
            for one in changes:
                one.apply(session.catalog)
    except AwsError as refused:
        conflict = one.conflict if one is not None and not refused.is_refusal else None
        return conflict or as_query_error(refused)
    return None


def cause(ending: Ending) -> tuple[str | None, QueryError | None]:
    """Why it was cancelled, and with what it failed."""
    if ending.outcome is Outcome.SUCCEEDED:
        return None, None
    if ending.outcome is Outcome.STOPPED:
        return "Query cancelled by user", None
    if isinstance(ending.error, StatementCancelled):
        return str(ending.error), None
    if isinstance(ending.error, StatementFailed):
        return None, ending.error.error
    if ending.outcome is Outcome.TIMED_OUT:
        message = f"Query timeout: it ran for {DML_TIMEOUT_SECONDS // 60} minutes"
        return None, QueryError("EXCEEDED_TIME_LIMIT", message)
    return None, QueryError("GENERIC_INTERNAL_ERROR", str(ending.reason))


def as_query_error(problem: Exception) -> QueryError:
    if isinstance(problem, QueryError):
        return problem
    if isinstance(problem, SyntaxMistake):
        return QueryError("SYNTAX_ERROR", str(problem))
    if isinstance(problem, AwsError):
        if problem.is_refusal:
            return QueryError("PERMISSION_DENIED", f"{INSUFFICIENT} {problem.message}")
        return QueryError(problem.code, problem.message)
    if isinstance(problem, NoS3Address):  # of the statement; others are looked at before
        return QueryError("INVALID_TABLE_PROPERTY", str(problem))
    return QueryError("GENERIC_INTERNAL_ERROR", INTERNAL)
