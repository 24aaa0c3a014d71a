"""Athena statements as tasks."""

from __future__ import annotations

from tasks.sql import Statement
from tasks.states import REDRIVEN, Json, Task, jsonata, jsonata_task, keeping, of_this_try

RUN = "athena:startQueryExecution.sync"
QUERY_TIMEOUT_SECONDS = 1800  # Athena's own default limit for DML
FIGURES = (
    "'query_execution_id': $states.result.QueryExecution.QueryExecutionId,"
    " 'scanned_bytes': $states.result.QueryExecution.Statistics.DataScannedInBytes,"
    " 'total_milliseconds': $states.result.QueryExecution.Statistics.TotalExecutionTimeInMillis"
)


def run_statement(
    name: str,
    statement: Statement,
    comment: str,
    *,
    table: str | None = None,
    folder: str = "features",
    keep_at: str | None = None,
) -> Task:
    """Runs one statement to its end. The output has its id, scanned bytes and duration, and with
    `table` also the table that it makes, `<table>_<run>`, and its place below the run's prefix, in
    `folder`; with `keep_at` below that member of the input, else alone (a branch's last state).
    """
    figures = FIGURES
    if table is not None:
        suffix = f" & {of_this_try('_')}" if "${try}" in statement.text else ""
        figures += (
            f", 'table': '{table}_' & $states.input.run.id{suffix}"
            f", 'folder': '{folder}/{table.removeprefix(f'{folder}_')}'{suffix}"
        )
    return jsonata_task(
        name,
        RUN,
        comment=comment,
        arguments=request(statement.query_string(), f"'{statement.name}'"),
        output=jsonata("{" + figures + "}") if keep_at is None else keeping(keep_at, figures),
        timeout_seconds=QUERY_TIMEOUT_SECONDS,
    )


def run_item(name: str, folder: str, comment: str) -> Task:
    """Runs the statement `sql` of a Map's item, which `folder` holds; its figures stand under the
    item's name, for the Map to merge (`by_name`)."""
    return jsonata_task(
        name,
        RUN,
        comment=comment,
        arguments=request(jsonata("$states.input.sql"), f"'{folder}/' & $states.input.name"),
        output=jsonata("{$states.input.name: {" + FIGURES + "}}"),
        timeout_seconds=QUERY_TIMEOUT_SECONDS,
    )


def by_name(member: str) -> str:
    """A Map's Output: its input, with the figures of each item below `member`, by name."""
    return jsonata("$merge([$states.input, {'" + member + "': $merge($states.result)}])")


def request(query: str, of: str, database: str = "${Database}") -> Json:
    """StartQueryExecution's. The client token comes from the execution, the statement (`of`, in
    JSONata) and the try: a request that is sent twice is one query, a retry or a redrive after a
    failure is a new one."""
    return {
        "QueryString": query,
        "ClientRequestToken": jsonata(
            f"$hash($states.context.Execution.Id & '/' & {of} & '/' & {REDRIVEN}"
            " & '/' & $states.context.State.RetryCount, 'SHA-256')"
        ),
        "QueryExecutionContext": {"Database": database},
        "WorkGroup": "${WorkGroup}",
    }
