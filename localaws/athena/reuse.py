"""Results of an earlier query that answer a later one.

https://docs.aws.amazon.com/athena/latest/ug/reusing-query-results.html: of the same text in the
same place, not too old, and not of a query whose answer may be another each time. Whether the data
has changed meanwhile is not looked at, as on AWS. EXECUTE is run anew: its text may stand for
another statement by now.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlglot import exp

from localaws.athena.sql.grammar import nodes
from localaws.errors import AwsError
from localaws.shapes import Json

DEFAULT_MINUTES, MOST_MINUTES = 60, 10_080
_CHANGING = {"NOW", "RANDOM", "RAND", "SHUFFLE", "UUID", "CURRENT_TIMEZONE"}
_EACH_TIME = (
    exp.CurrentDate, exp.CurrentTimestamp, exp.CurrentTime, exp.Localtime, exp.Localtimestamp,
    exp.TableSample,
)  # fmt: skip
# What must be the same.
_SAME = ("Query", "QueryExecutionContext", "WorkGroup", "ExecutionParameters", "Given")


def settings(params: Json) -> Json:
    """ResultReuseByAgeConfiguration of StartQueryExecution, checked."""
    given = (params.get("ResultReuseConfiguration") or {}).get(
        "ResultReuseByAgeConfiguration"
    ) or {}
    if not given.get("Enabled"):
        return {"Enabled": False}
    minutes = given.get("MaxAgeInMinutes", DEFAULT_MINUTES)
    if not 0 <= minutes <= MOST_MINUTES:
        raise AwsError(
            "InvalidRequestException",
            f"MaxAgeInMinutes is {minutes}; it is 0 to {MOST_MINUTES}.",
        )
    return {"Enabled": True, "MaxAgeInMinutes": minutes}


def repeatable(tree: exp.Expr) -> bool:
    """Whether the query's answer is the same as long as the data is."""
    for node in nodes(tree):
        if isinstance(node, _EACH_TIME):
            return False
        if isinstance(node, exp.Anonymous) and node.name.upper() in _CHANGING:
            return False
        if node.args.get("limit") is not None and node.args.get("order") is None:
            return False
    return True


def earlier(documents: Any, kind: str, document: Json, now: datetime) -> Json | None:
    """The newest execution whose result answers this one, if there is one."""
    asked = document["ResultReuseConfiguration"]["ResultReuseByAgeConfiguration"]
    if not asked["Enabled"]:
        return None
    oldest = now - timedelta(minutes=asked["MaxAgeInMinutes"])
    found = [
        other
        for _, other in documents.items(kind)
        if other["Status"]["State"] == "SUCCEEDED"
        and other["SubstatementType"] == "SELECT"
        and other["Status"]["CompletionDateTime"] >= oldest
        and all(other.get(key) == document.get(key) for key in _SAME)
        and not other["Statistics"]["ResultReuseInformation"]["ReusedPreviousResult"]
    ]
    return max(found, key=lambda other: other["Status"]["CompletionDateTime"], default=None)
