"""A mapping as Athena's SQL: tables over the files, and a CREATE TABLE AS for each of the five.

`${...}` stays until `Plan mapping` fills in the names of the deployment and of the run.
"""

from __future__ import annotations

from dataclasses import dataclass

from configuration.mapping import catalogue, orders, staging
from configuration.mapping import columns as c
from configuration.mapping.model import Mapping
from configuration.mapping.reading import DATABASE, Reading, define, numbered_kinds, staged
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
    found = []
    for kind, files in mapping.files.items():
        table = staged(kind)
        found.append(Statement(f"Define {kind}", define(kind, files)))
        found += _previous(table, staging.staged_columns(mapping, kind))
        found += _made(f"Stage {kind}", table, staging.stage(mapping, kind))
    reading = Reading(mapping)
    names = {
        "orders": orders.order_columns(reading),
        "order_products": orders.line_columns(reading),
    }
    for table, select in tables(mapping).items():
        if table not in GROWING:
            found += _made(f"Map {table}", table, select)
            continue
        parts = f"parts_{table}"
        found += _made(f"Map {table}", f"whole_{table}", select)
        found += _previous(parts, staging.PARTS)
        found += _made(f"Part {table}", parts, staging.parts(table, names[table]))
        found += _made(f"Choose {table}", table, staging.new_parts(table, names[table]))
    return found


def _previous(table: str, columns: dict[str, str]) -> list[Statement]:
    """The same table of the last good run."""
    return [
        Statement(f"Drop previous_{table}", f"DROP TABLE IF EXISTS {DATABASE}.previous_{table}"),
        Statement(f"Take over {table}", staging.previous(table, columns)),
    ]


def _made(name: str, table: str, select: str) -> list[Statement]:
    return [
        Statement(f"Drop {table}", f"DROP TABLE IF EXISTS {DATABASE}.{table}"),
        Statement(
            name,
            f"CREATE TABLE {DATABASE}.{table}\nWITH (\n    format = 'PARQUET',\n"
            "    write_compression = 'SNAPPY',\n"
            f"    external_location = '{MADE}/{table}${{try}}/'\n) AS\n{select}",
            table,
        ),
    ]


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
