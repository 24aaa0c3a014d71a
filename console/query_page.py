"""The query page: what a person at an editor asks of Athena. Statements start, are looked at, read
page by page, downloaded and stopped; those of before and the saved ones are listed."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from console import queries
from console.web import Refused, given
from executions import costs
from executions.paging import everything
from executions.s3 import split_uri

Json = dict[str, Any]

PAGE_ROWS = 500
PIECE_BYTES = 256 * 1024
PAGE_QUERIES = 50  # as many as BatchGet takes
MOST_SQL_CHARACTERS = 262_144
MOST_PARAMETERS = 100


class QueryPage:
    """The requests of the page over one target's clients."""

    def __init__(self, clients: Callable[[str], Any]) -> None:
        self._clients = clients

    @property
    def _athena(self) -> Any:
        return self._clients("athena")

    def reads(self) -> dict[str, Callable[[Request], Any]]:
        return {
            "groups": lambda _: groups(self._athena),
            "query": lambda r: look(self._athena, given(r, "id")),
            "rows": lambda r: rows(self._athena, given(r, "id"), r.query_params.get("next")),
            "queries": lambda r: earlier(
                self._athena, given(r, "group"), r.query_params.get("next")
            ),
            "result": lambda r: result(self._athena, self._clients("s3"), given(r, "id")),
            "saved": lambda r: saved(self._athena, given(r, "group"), r.query_params.get("next")),
        }

    def writes(self) -> dict[str, tuple[Callable[[Json], Any], dict[str, type]]]:
        return {
            "run": (lambda body: start(self._athena, body), {"sql": str, "group": str}),
            "cancel": (
                lambda body: self._athena.stop_query_execution(QueryExecutionId=body["id"]),
                {"id": str},
            ),
            "save": (
                lambda body: save(self._athena, body),
                {"name": str, "sql": str, "group": str, "database": str},
            ),
            "forget": (
                lambda body: self._athena.delete_named_query(NamedQueryId=body["id"]),
                {"id": str},
            ),
        }


def groups(athena: Any) -> list[Json]:
    """[{name, enabled, output, managed, enforced, cutoff_bytes, engine}], as each work group has
    it: where results go, whether a query may say otherwise, and after how many bytes one stops."""
    found = []
    for group in everything(athena, "list_work_groups", "WorkGroups"):
        known = athena.get_work_group(WorkGroup=group["Name"])["WorkGroup"]
        settings = known.get("Configuration", {})
        managed = (settings.get("ManagedQueryResultsConfiguration") or {}).get("Enabled", False)
        found.append(
            {
                "name": group["Name"],
                "enabled": known.get("State", "ENABLED") == "ENABLED",
                "output": (settings.get("ResultConfiguration") or {}).get("OutputLocation"),
                "managed": managed,
                "enforced": settings.get("EnforceWorkGroupConfiguration", False),
                "cutoff_bytes": settings.get("BytesScannedCutoffPerQuery"),
                "engine": (settings.get("EngineVersion") or {}).get("EffectiveEngineVersion"),
            }
        )
    return found


def start(athena: Any, wanted: Json) -> Json:
    """{id} of the statement that was started. `wanted`: {sql, group, database?, parameters?}; a
    parameter is text as SQL writes the value ('Ann', 5, DATE '2026-01-01')."""
    sql, parameters = wanted["sql"], wanted.get("parameters") or []
    if not sql.strip():
        raise Refused(400, "There is no statement.")
    if len(sql) > MOST_SQL_CHARACTERS:
        raise Refused(
            400, f"The statement has {len(sql):,} characters; Athena takes {MOST_SQL_CHARACTERS:,}."
        )
    texts = isinstance(parameters, list) and all(isinstance(each, str) for each in parameters)
    if not texts or len(parameters) > MOST_PARAMETERS:
        raise Refused(400, f"parameters is a list of up to {MOST_PARAMETERS} texts.")
    empty = [n for n, each in enumerate(parameters, 1) if not each.strip()]
    if empty:
        raise Refused(400, f"Parameter {empty[0]} is empty; a text is written '...', a null NULL.")
    request: Json = {"QueryString": sql, "WorkGroup": wanted["group"]}
    if wanted.get("database"):
        request["QueryExecutionContext"] = {"Database": wanted["database"]}
    if parameters:
        request["ExecutionParameters"] = parameters
    return {"id": athena.start_query_execution(**request)["QueryExecutionId"]}


def look(athena: Any, query_id: str) -> Json:
    """One statement as it stands (`_shown`)."""
    return _shown(athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"])


def _shown(query: Json) -> Json:
    """{id, sql, state, over, reason, error, group, database, parameters, kind, submitted, ended,
    scanned_bytes, queued_ms, engine_ms, total_ms, reused, dollars, has_rows, can_explain}; dollars
    is None while it is not known."""
    status, statistics = query["Status"], query.get("Statistics", {})
    return {
        "id": query["QueryExecutionId"],
        "sql": query["Query"],
        "state": status["State"],
        "over": status["State"] in queries.OVER,
        "reason": status.get("StateChangeReason"),
        "error": status.get("AthenaError"),
        "group": query.get("WorkGroup"),
        "database": query.get("QueryExecutionContext", {}).get("Database"),
        "parameters": query.get("ExecutionParameters", []),
        "kind": query.get("StatementType"),
        "submitted": status.get("SubmissionDateTime"),
        "ended": status.get("CompletionDateTime"),
        "scanned_bytes": statistics.get("DataScannedInBytes"),
        "queued_ms": statistics.get("QueryQueueTimeInMillis"),
        "engine_ms": statistics.get("EngineExecutionTimeInMillis"),
        "total_ms": statistics.get("TotalExecutionTimeInMillis"),
        "reused": bool(statistics.get("ResultReuseInformation", {}).get("ReusedPreviousResult")),
        "dollars": costs.of_query(query),
        "has_rows": status["State"] == "SUCCEEDED",
        "can_explain": queries.query_of(query["Query"]) is not None,
    }


def rows(athena: Any, query_id: str, token: str | None) -> Json:
    """{columns: [{name, type}], rows, next}: a page of up to 500 rows; NULL is None. The header
    that Athena sends as the first row of a SELECT is left out."""
    request: Json = {"QueryExecutionId": query_id, "MaxResults": PAGE_ROWS}
    if token:
        request["NextToken"] = token
    answer = athena.get_query_results(**request)
    columns = [
        {"name": column["Name"], "type": column["Type"]}
        for column in answer["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
    ]
    found = [
        [cell.get("VarCharValue") for cell in row["Data"]] for row in answer["ResultSet"]["Rows"]
    ]
    if not token and found and found[0] == [column["name"] for column in columns]:
        found = found[1:]
    return {"columns": columns, "rows": found, "next": answer.get("NextToken")}


def earlier(athena: Any, group: str, token: str | None) -> Json:
    """{queries, next}: the statements of a work group, newest first."""
    ids, more = _listed(athena.list_query_executions, "QueryExecutionIds", group, token)
    if not ids:
        return {"queries": [], "next": None}
    answer = athena.batch_get_query_execution(QueryExecutionIds=ids)
    known = {query["QueryExecutionId"]: _shown(query) for query in answer["QueryExecutions"]}
    return {"queries": [known[i] for i in ids if i in known], "next": more}


def saved(athena: Any, group: str, token: str | None) -> Json:
    """{queries: [{id, name, description, sql, database}], next}: a work group's named queries."""
    ids, more = _listed(athena.list_named_queries, "NamedQueryIds", group, token)
    if not ids:
        return {"queries": [], "next": None}
    found = [
        {
            "id": query["NamedQueryId"],
            "name": query["Name"],
            "description": query.get("Description"),
            "sql": query["QueryString"],
            "database": query["Database"],
        }
        for query in athena.batch_get_named_query(NamedQueryIds=ids)["NamedQueries"]
    ]
    return {"queries": sorted(found, key=lambda query: query["name"].lower()), "next": more}


def _listed(
    verb: Callable[..., Json], member: str, group: str, token: str | None
) -> tuple[list[str], str | None]:
    """(ids, token of the next page) of a work group's statements or saved queries."""
    request = {"NextToken": token} if token else {}
    answer = verb(WorkGroup=group, MaxResults=PAGE_QUERIES, **request)
    return answer.get(member, []), answer.get("NextToken")


def save(athena: Any, wanted: Json) -> Json:
    """{id}: a new named query, or with `id` the one that is changed."""
    if not wanted["name"].strip() or not wanted["sql"].strip():
        raise Refused(400, "A saved query has a name and a statement.")
    said = {"Name": wanted["name"].strip(), "QueryString": wanted["sql"]}
    if str(wanted.get("description") or "").strip():
        said["Description"] = wanted["description"].strip()
    if wanted.get("id"):
        athena.update_named_query(NamedQueryId=wanted["id"], **said)
        return {"id": wanted["id"]}
    made = athena.create_named_query(
        **said,
        Database=wanted["database"],
        WorkGroup=wanted["group"],
        ClientRequestToken=str(uuid.uuid4()),
    )
    return {"id": made["NamedQueryId"]}


def result(athena: Any, s3: Any, query_id: str) -> Response:
    """The file that the query left, to be kept by the browser, piece by piece. Raises Refused."""
    query = athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
    if query["Status"]["State"] != "SUCCEEDED":
        raise Refused(409, f"Query {query_id} is {query['Status']['State']}: it has no result.")
    where = query.get("ResultConfiguration", {}).get("OutputLocation", "")
    bucket, key = split_uri(where)
    if not bucket or not key:
        raise Refused(409, f"Query {query_id} left no file; Athena keeps its result itself.")
    found = s3.get_object(Bucket=bucket, Key=key)
    return StreamingResponse(
        found["Body"].iter_chunks(PIECE_BYTES),
        media_type="text/csv; charset=utf-8",
        headers={
            "content-disposition": f"attachment; filename*=UTF-8''{quote(key.rsplit('/', 1)[-1])}",
            "content-length": str(found["ContentLength"]),
        },
    )
