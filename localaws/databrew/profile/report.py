"""A profile as the JSON file that DataBrew writes: its keys, in its order."""

from __future__ import annotations

import json
from typing import Any

from localaws.databrew.profile import configuration
from localaws.databrew.profile.statistics import Column, Query, group, simple_type, statistics
from localaws.databrew.recipe.sql import ident, literal, to_double, to_text
from localaws.shapes import Json

VERSION = "1.0"


def head(request: Json) -> Json:
    """What profile and validation report end with."""
    return {
        "jobName": request["job"],
        "jobRunId": request["run"],
        "startedOn": _moment(request["when"]),
        "writtenOn": _moment(request["now"]),
        "version": VERSION,
    }


def _moment(time: Any) -> str:
    return str(time.replace(tzinfo=None).isoformat(timespec="microseconds"))


def profile(
    table: str, columns: dict[str, str], request: Json, location: str, query: Query
) -> Json:
    """The profile of the view `table`, whose columns have these types."""
    given = request["configuration"]
    included, parameters, shown = configuration.of_dataset(given)
    ((rows,),) = query(f"SELECT count(*) FROM {table}")
    profiled = {
        name: kind
        for name, kind in columns.items()
        if group(kind) and configuration.selects(given.get("ProfileColumns"), name)
    }
    correlations = (
        _correlations(table, profiled, parameters, query) if "CORRELATION" in included else {}
    )
    found: Json = {
        "defaultProfileConfiguration": configuration.default(),
        "datasetConfigurationOverride": shown,
        "sampleSize": rows,
    }
    if "DUPLICATE_ROWS_COUNT" in included:
        found["duplicateRowsCount"] = duplicate_rows(table, query)
    found["columns"] = [
        _column(table, name, kind, given, correlations, query) for name, kind in profiled.items()
    ]
    ending = head(request)
    return found | {
        "jobName": ending["jobName"],
        "jobRunId": ending["jobRunId"],
        "location": location,
        **ending,
    }


def duplicate_rows(table: str, query: Query) -> int:
    """Rows that repeat an earlier one."""
    ((count,),) = query(
        f"SELECT (SELECT count(*) FROM {table}) - (SELECT count(*) FROM"
        f" (SELECT DISTINCT * FROM {table}))"
    )
    return int(count)


def _column(
    table: str, name: str, kind: str, given: Json, correlations: Json, query: Query
) -> Json:
    named = group(kind)
    assert named is not None
    included, parameters, shown = configuration.of_column(given, name, named)
    found: Json = {"name": name}
    column = Column(name, kind, query, table, included, parameters)
    found["type"] = simple_type(column)
    if name in correlations:
        found["correlations"] = correlations[name]
    detector = given.get("EntityDetectorConfiguration")
    if detector:
        found["entity"] = _entity(column, tuple(detector["EntityTypes"]))
        if found["entity"]:
            allowed = {
                each
                for entry in detector.get("AllowedStatistics", [])
                for each in entry["Statistics"]
            }
            column = Column(name, kind, query, table, included & allowed, parameters)
    found["columnConfigurationOverride"] = shown
    return found | statistics(column)


def _entity(column: Column, types: tuple[str, ...]) -> Json:
    """The entity types found in the column, and in how many rows any of them."""
    text = to_text(ident(column.name), column.kind)
    counts = {}
    for name in types:
        holds = f"databrew_holds({text}, {literal(name)})"
        counts[name] = column.one(f"count(*) FILTER ({holds})")
    listed = [name for name, count in counts.items() if count]
    if not listed:
        return {}
    anyone = f"databrew_holds({text}, {literal(','.join(listed))})"
    return {"entityTypes": listed, "rowsCount": column.one(f"count(*) FILTER ({anyone})")}


def _correlations(
    table: str, columns: dict[str, str], parameters: dict[str, str], query: Query
) -> dict[str, Json]:
    """Pearson's coefficients of the first numeric columns, or of those that are selected."""
    numeric = [name for name, kind in columns.items() if group(kind) == "numericColumn"]
    if "columnSelectors" in parameters:
        selectors = [
            {"Name" if "name" in each else "Regex": each.get("name", each.get("regex"))}
            for each in json.loads(parameters["columnSelectors"])
        ]
        numeric = [name for name in numeric if configuration.selects(selectors, name)]
    elif parameters.get("columnNumber", str(configuration.CORRELATED_COLUMNS)) != "ALL":
        number = parameters.get("columnNumber", str(configuration.CORRELATED_COLUMNS))
        numeric = numeric[: int(number)]
    found: dict[str, Json] = {name: {} for name in numeric}
    for place, one in enumerate(numeric):
        for other in numeric[place:]:
            left, right = (to_double(ident(name), columns[name]) for name in (one, other))
            ((value,),) = query(f"SELECT corr({left}, {right}) FROM {table}")
            if one == other:
                value = 1.0
            if value is not None and value == value:  # a constant column has none
                found[one][other] = found[other][one] = value
    return found
