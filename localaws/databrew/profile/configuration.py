"""What a profile job is asked for: which columns, which statistics of each, which entities.

https://docs.aws.amazon.com/databrew/latest/dg/profile.configuration.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from localaws.databrew.profile.statistics import DEFAULTS, PARAMETERS, STATISTICS
from localaws.databrew.recipe import entities
from localaws.shapes import Json

DATASET_STATISTICS = ("CORRELATION", "DUPLICATE_ROWS_COUNT")
CORRELATED_COLUMNS = 10


class ConfigurationError(Exception):
    """The configuration has what DataBrew or localaws does not know; the message says what."""


def checked(configuration: Json) -> Json:
    """Raises ConfigurationError."""
    whole = configuration.get("DatasetStatisticsConfiguration", {})
    _names(whole.get("IncludedStatistics", []), DATASET_STATISTICS, "DatasetStatistics")
    for override in whole.get("Overrides", []):
        _names([override["Statistic"]], ("CORRELATION",), "dataset overrides")
    for each in configuration.get("ColumnStatisticsConfigurations", []):
        _names(each["Statistics"].get("IncludedStatistics", []), STATISTICS, "ColumnStatistics")
        for override in each["Statistics"].get("Overrides", []):
            _names([override["Statistic"]], PARAMETERS, "column overrides")
    for name in configuration.get("EntityDetectorConfiguration", {}).get("EntityTypes", []):
        if name not in entities.RULES:
            raise ConfigurationError(
                f"localaws does not find entities of type {name}; it finds"
                f" {', '.join(entities.RULES)}."
            )
    return configuration


def _names(given: Iterable[str], known: Iterable[str], where: str) -> None:
    for name in given:
        if name not in (*known, "NONE"):
            raise ConfigurationError(f"{where}: unknown statistic {name}.")


def selects(selectors: list[Json] | None, column: str) -> bool:
    """Whether selectors, of names and patterns, mean the column; without any they mean all."""
    return not selectors or any(
        each.get("Name") == column
        or ("Regex" in each and re.fullmatch(each["Regex"], column) is not None)
        for each in selectors
    )


def of_column(configuration: Json, column: str, group: str) -> tuple[frozenset[str], Json, Json]:
    """(the statistics, their parameters, the configuration that says so) of a column.

    Of several configurations that mean the column the last one counts.
    """
    chosen: Json = {}
    for each in configuration.get("ColumnStatisticsConfigurations", []):
        if selects(each.get("Selectors"), column):
            chosen = each["Statistics"]
    named = chosen.get("IncludedStatistics")
    included = frozenset(DEFAULTS[group] if named is None else named) & frozenset(DEFAULTS[group])
    overrides = {each["Statistic"]: each["Parameters"] for each in chosen.get("Overrides", [])}
    shown: Json = {}
    if named is not None:
        shown["includedStatistics"] = named
    if overrides:
        shown["parameters"] = overrides
    return included, overrides, shown


def of_dataset(configuration: Json) -> tuple[frozenset[str], dict[str, str], Json]:
    """(the statistics, the parameters of the correlations, what differs from the default)."""
    given = configuration.get("DatasetStatisticsConfiguration", {})
    named = given.get("IncludedStatistics")
    included = frozenset(DATASET_STATISTICS if named is None else named)
    overrides = {each["Statistic"]: each["Parameters"] for each in given.get("Overrides", [])}
    shown: Json = {} if named is None else {"includedStatistics": named}
    if overrides:
        shown["parameters"] = overrides
    return included, overrides.get("CORRELATION", {}), shown


def default() -> Json:
    """`defaultProfileConfiguration` of the profile's file."""
    return {
        "datasetConfiguration": {
            "includedStatistics": list(DATASET_STATISTICS),
            "parameters": {"CORRELATION": {"columnNumber": str(CORRELATED_COLUMNS)}},
        },
        "columnConfiguration": {
            group: {
                "includedStatistics": list(names),
                "parameters": {name: PARAMETERS[name] for name in names if name in PARAMETERS},
            }
            for group, names in DEFAULTS.items()
        },
    }
