"""How the SELECTs of a mapping read its files: tables over them, and the columns they share."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from configuration.mapping import columns as c
from configuration.mapping.model import Files, Mapping

DATABASE = "${RawDatabase}"
SOURCE = "s3://${SourcePlace}"
OBJECT = "raw_object"  # the raw object that a row is of (tasks/functions/increments.object_id)
NO_ESCAPE = "\\u0001"  # a character that no file has: a backslash is data


def source_table(kind: str, files: Files) -> str:
    """Named after what it says, so that another mapping has another table."""
    said = hashlib.sha256(json.dumps(files.model_dump(mode="json")).encode()).hexdigest()[:8]
    return f"source_{kind}_{said}"


def staged(kind: str) -> str:
    """The table of what the mapping takes of one kind of file (staging.py)."""
    return f"staged_{kind}"


def define(kind: str, files: Files) -> str:
    """The table over the new files of one kind."""
    columns = ",\n".join(
        f"    `{c.name_of(files, column)}` {files.type_of(column)}" for column in files.columns
    )
    table = f"{DATABASE}.{source_table(kind, files)}"
    head = f"CREATE EXTERNAL TABLE IF NOT EXISTS {table} (\n{columns}\n)\n"
    place = f"LOCATION '{SOURCE}/{kind}/'\n"
    if files.format == "parquet":
        return f"{head}STORED AS PARQUET\n{place}"
    if files.format == "jsonl":
        names = {f"mapping.{c.name_of(files, column)}": column for column in files.columns}
        return f"{head}{_serde('org.openx.data.jsonserde.JsonSerDe', names)}{place}"
    properties = {
        "separatorChar": files.separator,
        "quoteChar": '"',
        "escapeChar": NO_ESCAPE,
    }
    return (
        f"{head}{_serde('org.apache.hadoop.hive.serde2.OpenCSVSerde', properties)}{place}"
        "TBLPROPERTIES ('skip.header.line.count' = '1')\n"
    )


def _serde(library: str, properties: dict[str, str]) -> str:
    listed = ",\n".join(f"    '{name}' = '{_hive(value)}'" for name, value in properties.items())
    return f"ROW FORMAT SERDE '{library}'\nWITH SERDEPROPERTIES (\n{listed}\n)\n"


def _hive(text: str) -> str:
    """Inside of a Hive string."""
    if text == NO_ESCAPE:
        return text
    return text.replace("\\", "\\\\").replace("'", "\\'").replace("\t", "\\t")


def listed(columns: dict[str, str], indent: int) -> str:
    """`expression AS name`, a line each."""
    return ",\n".join(
        " " * indent + (name if expression == name else f"{expression} AS {name}")
        for name, expression in columns.items()
    )


def named(name: str, select: str) -> str:
    """A common table expression."""
    inner = "\n".join(f"    {line}" if line else line for line in select.rstrip().split("\n"))
    return f"{name} AS (\n\n{inner}\n\n)"


def query(parts: list[str], select: str) -> str:
    """Common table expressions, and the SELECT over them."""
    return "WITH\n\n" + ",\n\n".join(parts) + f"\n\n{select}"


def numbered_kinds(mapping: Mapping) -> list[str]:
    """The ids whose texts are in the dictionary."""
    by_day = ["order_id"] if mapping.orders.one_per else []
    kinds = ("user_id", "order_id", "product_id")
    return [kind for kind in kinds if kind in (*mapping.text_ids, *by_day)]


@dataclass(frozen=True)
class Reading:
    """One mapping's files."""

    mapping: Mapping

    def files(self, kind: str) -> Files:
        return self.mapping.files[kind]

    def table(self, kind: str) -> str:
        return f"{DATABASE}.{staged(kind)}"

    def rows(self, kind: str) -> str:
        """FROM and WHERE: the rows of a file that count: with a customer, and of lines, those of
        something."""
        orders, lines = self.mapping.orders, self.mapping.order_products
        files, conditions = self.files(kind), []
        if kind == orders.file and orders.drop_without_customer:
            conditions.append(f"{c.text(files, orders.user_id)} IS NOT NULL")
        if kind == lines.file and lines.quantity:
            conditions.append(f"TRY_CAST({c.text(files, lines.quantity)} AS double) > 0")
        where = f"\nWHERE {' AND '.join(conditions)}" if conditions else ""
        return f"FROM {self.table(kind)}{where}"

    def order_columns(self) -> dict[str, str]:
        """What a row of the orders' file says about its order: ids still as they are written."""
        rule = self.mapping.orders
        files = self.files(rule.file)
        user = c.written("user_id", files, rule.user_id, self.mapping)
        found = {"customer": user}
        if rule.ordered_at is not None:
            found["ordered_at"] = c.time(
                files, rule.ordered_at, rule.ordered_at_format, rule.timezone
            )
        if rule.order_id is None:
            found["order_key"] = f"{user} || '|' || date_format({found['ordered_at']}, '%Y-%m-%d')"
        else:
            found["order_key"] = c.written("order_id", files, rule.order_id, self.mapping)
        return found

    def line_columns(self) -> dict[str, str]:
        """The same of a line."""
        rule = self.mapping.order_products
        files = self.files(rule.file)
        order = (
            self.order_columns()["order_key"]
            if rule.order_id is None
            else c.written("order_id", files, rule.order_id, self.mapping)
        )
        product = c.written("product_id", files, rule.product_id, self.mapping)
        return {"order_key": order, "product": product}

    def order_id(self, expression: str) -> str:
        by_day = self.mapping.orders.one_per is not None
        return c.identity("order_id", expression, self.mapping, always=by_day)
