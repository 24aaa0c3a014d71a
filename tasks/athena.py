"""Athena statements as tasks."""

from __future__ import annotations

from tasks.sql import Statement
from tasks.states import Task, task

QUERY_TIMEOUT_SECONDS = 1800  # Athena's own default limit for DML


def run_statement(name: str, statement: Statement) -> Task:
    """Runs one statement to its end; `$.query` then has its id, scanned bytes and duration.

    The client token comes from the execution, the statement and the attempt: a request that is
    sent twice is one query, a retry after a failure is a new one.
    """
    return task(
        name,
        "athena:startQueryExecution.sync",
        parameters={
            **statement.query_string(),
            "ClientRequestToken.$": "States.Hash(States.Format('{}/"
            + statement.name
            + "/{}', $$.Execution.Id, $$.State.RetryCount), 'SHA-256')",
            "QueryExecutionContext": {"Database": "${Database}"},
            "WorkGroup": "${WorkGroup}",
        },
        result_selector={
            "query_execution_id.$": "$.QueryExecution.QueryExecutionId",
            "scanned_bytes.$": "$.QueryExecution.Statistics.DataScannedInBytes",
            "total_milliseconds.$": "$.QueryExecution.Statistics.TotalExecutionTimeInMillis",
        },
        result_path="$.query",
        timeout_seconds=QUERY_TIMEOUT_SECONDS,
    )
