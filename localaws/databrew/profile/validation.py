"""Rulesets checked against a sample: the data quality report that DataBrew writes."""

from __future__ import annotations

from localaws.databrew.profile import configuration, report
from localaws.databrew.profile.expressions import Check, RuleError, compile_check
from localaws.databrew.profile.statistics import Query, group
from localaws.shapes import Json

SUCCEEDED, FAILED, ERROR = "SUCCEEDED", "FAILED", "ERROR"
_THRESHOLDS = {
    "GREATER_THAN_OR_EQUAL": lambda a, b: a >= b,
    "LESS_THAN_OR_EQUAL": lambda a, b: a <= b,
    "GREATER_THAN": lambda a, b: a > b,
    "LESS_THAN": lambda a, b: a < b,
}


def validate(
    table: str, columns: dict[str, str], request: Json, location: str, query: Query
) -> Json:
    """The report of the request's `rulesets` on the view `table`."""
    ((rows,),) = query(f"SELECT count(*) FROM {table}")
    simple = {name: kind for name, kind in columns.items() if group(kind)}
    results = []
    for ruleset in request["rulesets"]:
        rules = [
            _rule(rule, table, simple, rows, query)
            for rule in ruleset["Rules"]
            if not rule.get("Disabled")
        ]
        results.append(
            {
                "name": ruleset["Name"],
                "description": ruleset.get("Description", ""),
                "arn": ruleset["ResourceArn"],
                "lastModifiedDate": f"{ruleset['LastModifiedDate']:%a %b %d %H:%M:%S UTC %Y}",
                "ruleResults": rules,
                "status": _worst([rule["status"] for rule in rules]),
            }
        )
    ending = report.head(request)
    return {
        "sampleSize": rows,
        "rulesetResults": results,
        "jobName": ending["jobName"],
        "jobRunId": ending["jobRunId"],
        "location": location,
        **ending,
    }


def _worst(statuses: list[str]) -> str:
    return next((each for each in (ERROR, FAILED) if each in statuses), SUCCEEDED)


def _rule(rule: Json, table: str, columns: dict[str, str], rows: int, query: Query) -> Json:
    found: Json = {"name": rule["Name"], "definition": rule}
    selectors = rule.get("ColumnSelectors")
    try:
        if not selectors:
            passed, failures = _verdict(rule, None, table, columns, rows, query)
            if failures is not None:
                found["failedCount"] = failures
            return found | {"status": SUCCEEDED if passed else FAILED}
        found["columnResults"] = []
        for name in columns:
            if configuration.selects(selectors, name):
                passed, failures = _verdict(rule, name, table, columns, rows, query)
                result: Json = {"name": name}
                if failures is not None:
                    result["failedCount"] = failures
                found["columnResults"].append(result | {"status": SUCCEEDED if passed else FAILED})
        return found | {"status": _worst([each["status"] for each in found["columnResults"]])}
    except RuleError as error:
        return found | {"status": ERROR, "errorMessage": str(error)}


def _verdict(
    rule: Json, column: str | None, table: str, columns: dict[str, str], rows: int, query: Query
) -> tuple[bool, int | None]:
    """(whether the rule holds, the rows that fail a check of rows)."""
    check: Check = compile_check(
        rule["CheckExpression"], rule.get("SubstitutionMap", {}), table, columns, column
    )
    if check.aggregate:
        ((holds,),) = query(f"SELECT {check.sql}")
        return bool(holds), None
    ((met,),) = query(f"SELECT count(*) FILTER ({check.sql}) FROM {table}")
    threshold = rule.get("Threshold", {"Value": 100.0, "Unit": "PERCENTAGE"})
    share = 100.0 * met / rows if rows else 100.0
    value = share if threshold.get("Unit") == "PERCENTAGE" else met
    compare = _THRESHOLDS[threshold.get("Type", "GREATER_THAN_OR_EQUAL")]
    return compare(value, threshold["Value"]), rows - met
