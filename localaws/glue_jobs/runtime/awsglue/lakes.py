"""Iceberg tables of the catalog, read and added to by the script's own Spark catalog.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-format-iceberg.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from awsglue.refusal import refuse

_CATALOG = "spark.sql.catalog."
_CLASS = "org.apache.iceberg.spark.SparkCatalog"
Json = dict[str, Any]


def is_iceberg(table: Json) -> bool:
    """Whether a table of the catalog says that it is one."""
    return str((table.get("Parameters") or {}).get("table_type", "")).upper() == "ICEBERG"


def read(
    session: SparkSession, table: Json, predicate: str, options: Mapping[str, Any]
) -> DataFrame:
    """The options are those of Iceberg's reader, as `snapshot-id`."""
    if predicate:
        refuse(f"push_down_predicate for {table['Name']}, an Iceberg table", "Filter the frame.")
    given = {name: str(value) for name, value in options.items() if not name.startswith("use")}
    return session.read.options(**given).table(_name(session, table))


def append(frame: DataFrame, table: Json, options: Mapping[str, Any]) -> None:
    """Adds the rows: columns by their names. The options are those of Iceberg's writer."""
    given = {name: str(value) for name, value in options.items() if not name.startswith("use")}
    frame.writeTo(_name(frame.sparkSession, table)).options(**given).append()


def _name(session: SparkSession, table: Json) -> str:
    """The table's name in the first Spark catalog that is Iceberg's."""
    settings = {row["key"]: row["value"] for row in session.sql("SET").collect()}
    catalogs = sorted(
        name.removeprefix(_CATALOG)
        for name, value in settings.items()
        if name.startswith(_CATALOG) and value == _CLASS
    )
    if not catalogs:
        refuse(
            f"{table['Name']}, an Iceberg table, without a catalog of Spark's for it",
            f"Give --datalake-formats iceberg and --conf {_CATALOG}glue_catalog={_CLASS} with its"
            " warehouse and catalog-impl.",
        )
    return ".".join(f"`{part}`" for part in (catalogs[0], table["DatabaseName"], table["Name"]))
