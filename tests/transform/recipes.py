"""The five recipe operations of databrew_recipes/, each as one DuckDB query: written for these
tests from the operations' descriptions, so that the files are read by something not theirs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2] / "databrew_recipes"
Parameters = dict[str, str]
TYPES = {"long": "BIGINT", "int": "INTEGER", "double": "DOUBLE"}


def steps(name: str) -> list[tuple[str, Parameters]]:
    """The operations and parameters of `databrew_recipes/<name>.json`, in order."""
    recipe = json.loads((ROOT / f"{name}.json").read_text())
    return [(step["Action"]["Operation"], step["Action"]["Parameters"]) for step in recipe]


def query(name: str, source: str) -> str:
    """One DuckDB query that does what the recipe says with the rows of `source`."""
    sql = f"SELECT * FROM {source}"
    for operation, parameters in steps(name):
        sql = OPERATIONS[operation](f"({sql})", parameters)
    return sql


def change_data_type(rows: str, p: Parameters) -> str:
    column, kind = p["sourceColumn"], TYPES[p["columnDataType"]]
    return f"SELECT * REPLACE (try_cast(trim({column}::VARCHAR) AS {kind}) AS {column}) FROM {rows}"


def remove_combined(rows: str, p: Parameters) -> str:
    assert set(p) == {"sourceColumn", "removeLeadingAndTrailingWhitespace"}
    return f"SELECT * REPLACE (trim({p['sourceColumn']}) AS {p['sourceColumn']}) FROM {rows}"


def row_number(rows: str, p: Parameters) -> str:
    group, order = (", ".join(json.loads(p[f"{kind}ByColumns"])) for kind in ("group", "order"))
    window = f"PARTITION BY {group} ORDER BY {order}"
    return f"SELECT *, row_number() OVER ({window}) AS {p['targetColumn']} FROM {rows}"


def categorical_mapping(rows: str, p: Parameters) -> str:
    assert (p["mapType"], p["deleteOtherRows"], p["keepOthers"]) == ("NUMERIC", "false", "false")
    whens = [
        f"WHEN '{value}' THEN {float(category)}"
        for value, category in json.loads(p["categoryMap"]).items()
    ]
    case = f"CASE {p['sourceColumn']}::VARCHAR {' '.join(whens)} ELSE {float(p['other'])} END"
    return f"SELECT *, {case} AS {p['targetColumn']} FROM {rows}"


def group_by(rows: str, p: Parameters) -> str:
    keys = ", ".join(json.loads(p["sourceColumns"]))
    assert p["useNewDataFrame"] == "true"
    aggregates = [
        f"CAST({option['functionName']}({option['sourceColumnName']}) AS DOUBLE)"
        f" AS {option['targetColumnName']}"
        for option in json.loads(p["groupByAggFunctionOptions"])
    ]
    return f"SELECT {keys}, {', '.join(aggregates)} FROM {rows} GROUP BY {keys}"


OPERATIONS: dict[str, Callable[[str, Parameters], str]] = {
    "CHANGE_DATA_TYPE": change_data_type,
    "REMOVE_COMBINED": remove_combined,
    "ROW_NUMBER": row_number,
    "CATEGORICAL_MAPPING": categorical_mapping,
    "GROUP_BY": group_by,
}
