"""A mapping as Athena's SQL: tables over the files, and a CREATE TABLE AS for each of the five.

`${...}` stays until `Plan mapping` fills in the names of the deployment and of the run.
"""

from __future__ import annotations

from dataclasses import dataclass

from configuration.mapping import catalogue, orders
from configuration.mapping import columns as c
from configuration.mapping.model import Mapping
from configuration.mapping.reading import DATABASE, Reading, define, numbered_kinds
from tasks.functions.clean_data import WHOLE
from tasks.functions.increments import GROWING

MADE = "s3://${LakeBucket}/${folder}"


@dataclass(frozen=True)
class Statement:
    """`table`: that it fills, in the folder of its name; empty for what needs no folder."""

    name: str
    sql: str
    table: str = ""


def statements(mapping: Mapping) -> list[Statement]:
    """In the order in which they run."""
    found = [
        Statement(f"Define {kind}", define(kind, files)) for kind, files in mapping.files.items()
    ]
    for table, select in tables(mapping).items():
        found.append(Statement(f"Drop {table}", f"DROP TABLE IF EXISTS {DATABASE}.{table}"))
        found.append(
            Statement(
                f"Map {table}",
                f"CREATE TABLE {DATABASE}.{table}\nWITH (\n    format = 'PARQUET',\n"
                "    write_compression = 'SNAPPY',\n"
                f"    external_location = '{MADE}/{table}${{try}}/'\n) AS\n{_whole(table, select)}",
                table,
            )
        )
    return found


def _whole(table: str, select: str) -> str:
    """Cleaning partitions by raw object; what is mapped is mapped as a whole (clean_data.WHOLE)."""
    if table not in GROWING:
        return select
    return f"SELECT *, '{WHOLE}' AS object\nFROM (\n{select}) AS mapped\n"


def tables(mapping: Mapping) -> dict[str, str]:
    """A SELECT for each of the five tables, all text, after that for `dictionary`, if there is one.
    That of the lines reads the dictionary and the orders that are mapped."""
    reading = Reading(mapping)
    known = dictionary(reading)
    return ({"dictionary": known} if known else {}) | {
        "orders": orders.orders(reading),
        "order_products": orders.order_products(reading),
        "products": catalogue.products(reading),
        "aisles": catalogue.groups(reading, "aisle"),
        "departments": catalogue.groups(reading, "department"),
    }


def dictionary(reading: Reading) -> str:
    """Each text that got a number, once: kind, id, text. Empty if none did."""
    mapping = reading.mapping
    own, lines = reading.order_columns(), reading.line_columns()
    of_products = c.written(
        "product_id", reading.files(mapping.products.file), mapping.products.product_id, mapping
    )
    places = {
        "user_id": [(own["customer"], mapping.orders.file)],
        "order_id": [(own["order_key"], mapping.orders.file)],
        "product_id": [
            (lines["product"], mapping.order_products.file),
            (of_products, mapping.products.file),
        ],
    }
    selects = []
    for kind in numbered_kinds(mapping):
        texts = "\nUNION\n".join(
            f"SELECT DISTINCT {written} AS text\n{reading.rows(file)}"
            for written, file in places[kind]
        )
        number = f"CAST({c.number_of(kind, 'text')} AS varchar)"
        selects.append(
            f"SELECT '{kind}' AS kind, {number} AS id, text\nFROM (\n{texts}\n) AS texts\n"
            "WHERE text IS NOT NULL\n"
        )
    return "UNION ALL\n".join(selects)
