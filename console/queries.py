"""Queries that a person asks for: run through Athena to their end, and their first rows."""

from __future__ import annotations

import re
import time
from typing import Any

from console.web import Refused
from executions.paging import everything

Json = dict[str, Any]

MOST_SECONDS = 90
POLL_SECONDS = (0.05, 1.0)  # first, then twice as long each time up to this
OVER = {"SUCCEEDED", "FAILED", "CANCELLED"}


def run(athena: Any, sql: str, most_rows: int, **request: Any) -> Json:
    """{columns, rows, bytes, milliseconds, id, output} of a statement; NULL is None.

    `request` goes to StartQueryExecution. Raises Refused with Athena's reason when it fails, and
    when it has not ended after 90 s (it is stopped then).
    """
    query_id = athena.start_query_execution(QueryString=sql, **request)["QueryExecutionId"]
    begun, pause = time.monotonic(), POLL_SECONDS[0]
    while True:
        found = athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
        state = found["Status"]["State"]
        if state in OVER:
            break
        if time.monotonic() - begun > MOST_SECONDS:
            athena.stop_query_execution(QueryExecutionId=query_id)
            raise Refused(504, f"Query {query_id} did not end in {MOST_SECONDS} s; it is stopped.")
        time.sleep(pause)
        pause = min(pause * 2, POLL_SECONDS[1])
    if state != "SUCCEEDED":
        reason = found["Status"].get("StateChangeReason", "Athena gave no reason.")
        raise Refused(400, f"Query {query_id} {state.lower()}: {reason}")
    columns, rows = first_rows(athena, query_id, most_rows)
    statistics = found.get("Statistics", {})
    return {
        "columns": columns,
        "rows": rows,
        "bytes": statistics.get("DataScannedInBytes"),
        "milliseconds": statistics.get("EngineExecutionTimeInMillis"),
        "id": query_id,
        "output": found.get("ResultConfiguration", {}).get("OutputLocation"),
    }


def first_rows(athena: Any, query_id: str, most: int) -> tuple[list[str], list[list[str | None]]]:
    """Column names and up to `most` rows; the header line that Athena sends first is left out."""
    answer = athena.get_query_results(QueryExecutionId=query_id, MaxResults=min(1000, most + 1))
    rows = [
        [cell.get("VarCharValue") for cell in row["Data"]] for row in answer["ResultSet"]["Rows"]
    ]
    names = [c["Name"] for c in answer["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]]
    rows = rows[1:] if rows and rows[0] == names else rows
    return names, rows[:most]


def group_with_output(athena: Any) -> str:
    """A work group that says where results go, so that a query needs no more than its text.

    Raises Refused, naming those there are, when none does.
    """
    groups = everything(athena, "list_work_groups", "WorkGroups")
    names = [group["Name"] for group in groups if group["State"] == "ENABLED"]
    # "primary" is everybody's; one made for a purpose comes first.
    for name in sorted(names, key=lambda name: (name == "primary", name)):
        settings = athena.get_work_group(WorkGroup=name)["WorkGroup"].get("Configuration", {})
        managed = (settings.get("ManagedQueryResultsConfiguration") or {}).get("Enabled")
        if managed or (settings.get("ResultConfiguration") or {}).get("OutputLocation"):
            return name
    raise Refused(
        409,
        "No work group of this account says where results go (OutputLocation); there is: "
        f"{', '.join(names) or 'none'}.",
    )


def plan(athena: Any, query_id: str) -> Json:
    """{text, of}: what EXPLAIN says of a query that has run. `of` is what was explained.

    Of a CREATE TABLE AS, INSERT or UNLOAD the query in it is explained: the table may be there
    by now, and nothing shall be made. EXPLAIN reads no data; Athena does not charge for it.
    """
    known = athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
    inner = query_of(known["Query"])
    if inner is None:
        raise Refused(400, "This statement has no query in it that could be explained.")
    request: Json = {"WorkGroup": known["WorkGroup"]}
    for name in ("QueryExecutionContext", "ExecutionParameters"):
        if known.get(name):
            request[name] = known[name]
    output = known.get("ResultConfiguration", {}).get("OutputLocation", "")
    if output.startswith("s3://"):
        request["ResultConfiguration"] = {"OutputLocation": output.rsplit("/", 1)[0] + "/"}
    found = run(athena, f"EXPLAIN {inner}", 1000, **request)
    return {"text": "\n".join(row[0] or "" for row in found["rows"]), "of": inner}


_TOKEN = re.compile(
    r"""--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\w+|\S""", re.DOTALL
)
_BEGINS = ("SELECT", "WITH", "VALUES", "(", "TABLE")
_DATA = re.compile(r"\bWITH\s+(NO\s+)?DATA\s*$", re.IGNORECASE)


def query_of(sql: str) -> str | None:
    """The SELECT of a statement: all of it, or what a CREATE ... AS, INSERT or UNLOAD runs."""
    sql = sql.strip().rstrip(";").rstrip()
    tokens = [
        (match[0].upper(), match.start())
        for match in _TOKEN.finditer(sql)
        if not match[0].startswith(("--", "/*"))
    ]
    words = [word for word, _ in tokens]
    if not words:
        return None
    if words[0] in _BEGINS:
        return sql
    depth = 0
    for at, (word, start) in enumerate(tokens):
        depth += (word == "(") - (word == ")")
        if depth == 1 and word == "(" and words[0] == "UNLOAD":
            return sql[start + 1 : _closing(tokens, at)].strip()
        if depth == 1 and word == "(" and words[0] == "INSERT" and _selects(words[at + 1 :]):
            return sql[start:]
        if depth:
            continue
        if words[0] == "CREATE" and word == "AS" and at + 1 < len(tokens):
            return _DATA.sub("", sql[tokens[at + 1][1] :]).strip()
        if words[0] == "INSERT" and _selects([word]):
            return sql[start:]
    return None


def _selects(words: list[str]) -> bool:
    return words[:1] in (["SELECT"], ["WITH"], ["VALUES"])


def _closing(tokens: list[tuple[str, int]], opening: int) -> int:
    depth = 0
    for word, start in tokens[opening:]:
        depth += (word == "(") - (word == ")")
        if depth == 0:
            return start
    return tokens[-1][1]
