"""Checks of a mapping's own, over the files' tables: what the five tables could not say any more.

As sql/checks: each selects the rows that break it. `Check raw data` runs them with the others.
"""

from __future__ import annotations

from configuration.mapping import columns as c
from configuration.mapping.model import Mapping
from configuration.mapping.reading import DATABASE, OBJECT, Reading
from configuration.mapping.sql import dictionary


def checks(mapping: Mapping) -> dict[str, str]:
    """Name to SQL."""
    orders, files = mapping.orders, mapping.files[mapping.orders.file]
    reading = Reading(mapping)
    place = reading.table(orders.file)
    found: dict[str, str] = {}
    if orders.ordered_at is not None:
        moment = c.time(files, orders.ordered_at, orders.ordered_at_format, orders.timezone)
        customers = ""
        if orders.drop_without_customer:
            customers = f"\n    AND {c.text(files, orders.user_id)} IS NOT NULL"
        found["mapped_times_are_read"] = (
            f"SELECT {OBJECT} AS file, {c.text(files, orders.ordered_at)} AS ordered_at\n"
            f"FROM {place}\nWHERE {moment} IS NULL{customers}\n"
        )
    if mapping.wide and orders.order_id is not None:
        key = c.written("order_id", files, orders.order_id, mapping)
        customer = c.written("user_id", files, orders.user_id, mapping)
        found["mapped_orders_have_one_customer"] = (
            f"SELECT {key} AS order_id, min({customer}) AS one, max({customer}) AS other\n"
            f"FROM {place}\nGROUP BY {key}\nHAVING min({customer}) <> max({customer})\n"
        )
    if dictionary(reading):
        found["mapped_ids_are_different"] = (
            "SELECT kind, id, min(text) AS one, max(text) AS other\n"
            f"FROM {DATABASE}.dictionary\nGROUP BY kind, id\nHAVING count(*) > 1\n"
        )
    for table, column in (("products", "product_name"), ("aisles", "aisle")):
        found[f"mapped_{table}_are_utf8"] = (
            f"SELECT {column}\nFROM {DATABASE}.{table}\nWHERE strpos({column}, chr(65533)) > 0\n"
        )
    return found
