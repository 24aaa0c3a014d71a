"""The SELECTs of orders and of their lines."""

from __future__ import annotations

from configuration.mapping import columns as c
from configuration.mapping.reading import (
    DATABASE,
    OBJECT,
    Reading,
    listed,
    named,
    numbered_kinds,
    query,
)

WRITTEN = ("order_dow", "order_hour_of_day", "days_since_prior_order")


def orders(reading: Reading) -> str:
    rule = reading.mapping.orders
    files = reading.files(rule.file)
    given = {"eval_set": rule.eval_set}
    if rule.ordered_at is None:
        given |= {name: getattr(rule, name) for name in ("order_number", *WRITTEN)}
    more = {name: c.text(files, column) for name, column in given.items() if column}
    more |= {c.kept(column): c.text(files, column) for column in rule.keep}
    more[OBJECT] = OBJECT
    rows = f"SELECT\n{listed(reading.order_columns() | more, 4)}\n{reading.rows(rule.file)}"
    parts = [named("source", rows)]
    if reading.mapping.wide:
        # An order has the time of its first line.
        names = [name for name in (*reading.order_columns(), *more) if name != "order_key"]
        first = {"order_key": "order_key", **{name: f"min({name})" for name in names}}
        parts[0] = named("source_lines", rows)
        parts.append(
            named("source", f"SELECT\n{listed(first, 4)}\nFROM source_lines\nGROUP BY order_key")
        )
    parts.append(named("numbered", _numbered(reading, list(more))))
    if rule.eval_set is not None:
        return query(parts, _selected(reading, "numbered"))
    parts.append(named("with_roles", _with_roles(reading)))
    return query(parts, _selected(reading, "with_roles"))


def _numbered(reading: Reading, more: list[str]) -> str:
    """Orders in the customer's order, with weekday (Sunday is 0), hour and the gap in days."""
    kept = [name for name in more if name.startswith("extra_") or name in ("eval_set", OBJECT)]
    columns = {name: name for name in ("order_key", "customer", *kept)}
    if reading.mapping.orders.ordered_at is None:
        number = "TRY_CAST(order_number AS bigint)"
        columns |= {
            "order_number": number,
            "number_as_written": "order_number",
            **{name: name for name in WRITTEN},
            "last_number": f"max({number}) OVER (PARTITION BY customer)",
        }
    else:
        by_time = "OVER (PARTITION BY customer ORDER BY ordered_at, order_key)"
        number = f"row_number() {by_time}"
        before = f"date_trunc('day', lag(ordered_at) {by_time})"
        gap = f"least(30, date_diff('day', {before}, date_trunc('day', ordered_at)))"
        written = f"CASE WHEN ordered_at IS NOT NULL THEN CAST({number} AS varchar) END"
        columns |= {
            "order_number": number,
            "number_as_written": written,
            "order_dow": "CAST(day_of_week(ordered_at) % 7 AS varchar)",
            "order_hour_of_day": "CAST(hour(ordered_at) AS varchar)",
            "days_since_prior_order": f"CAST({gap} AS varchar)",
            "last_number": "count(*) OVER (PARTITION BY customer)",
        }
    return f"SELECT\n{listed(columns, 4)}\nFROM source"


def _with_roles(reading: Reading) -> str:
    """Whose orders nobody marked: all are prior (sql/clean/orders.sql says what is predicted then),
    but for a last one whose lines are not known yet."""
    is_announced = "false"
    if not reading.mapping.wide:
        lines = reading.mapping.order_products.file
        own = reading.line_columns()["order_key"]
        known = f"order_key IN (SELECT {own} FROM {reading.table(lines)})"
        is_announced = f"order_number = last_number AND NOT {known}"
    role = f"CASE WHEN {is_announced} THEN 'test' ELSE 'prior' END"
    return f"SELECT\n    *,\n{listed({'eval_set': role}, 4)}\nFROM numbered"


def _order(reading: Reading) -> dict[str, str]:
    return {
        "order_id": reading.order_id("order_key"),
        "user_id": c.identity("user_id", "customer", reading.mapping),
        "eval_set": "eval_set",
        "order_number": "number_as_written",
        **{name: name for name in WRITTEN},
        **{name: name for name in map(c.kept, reading.mapping.orders.keep)},
    }


def order_columns(reading: Reading) -> list[str]:
    """Of the mapped orders, without the raw object."""
    return list(_order(reading))


def line_columns(reading: Reading) -> list[str]:
    """Of the mapped lines."""
    kept = map(c.kept, reading.mapping.order_products.keep)
    return ["order_id", "product_id", "add_to_cart_order", "reordered", *kept]


def _selected(reading: Reading, table: str) -> str:
    return f"SELECT\n{listed(_order(reading) | {OBJECT: OBJECT}, 4)}\nFROM {table}\n"


def order_products(reading: Reading) -> str:
    rule = reading.mapping.order_products
    files = reading.files(rule.file)
    kept = {c.kept(column): c.text(files, column) for column in rule.keep} | {OBJECT: OBJECT}
    columns = reading.line_columns() | {
        "position": c.text(files, rule.add_to_cart_order)
        if rule.add_to_cart_order
        else "CAST(NULL AS varchar)"
    }
    if rule.reordered:
        columns["reordered"] = c.text(files, rule.reordered)
    rows = f"SELECT\n{listed(columns | kept, 4)}\n{reading.rows(rule.file)}"
    # Numbers of texts come from the dictionary: there are many more lines than texts.
    ids, joins = {}, ""
    for kind, key in (("order_id", "order_key"), ("product_id", "product")):
        ids[kind] = f"lines.{key}"
        if kind in numbered_kinds(reading.mapping):
            ids[kind] = f"{kind}s.id"
            known = f"SELECT id, text FROM {DATABASE}.dictionary WHERE kind = '{kind}'"
            joins += f"LEFT JOIN ({known}) AS {kind}s ON {kind}s.text = lines.{key}\n"
    if rule.reordered and rule.add_to_cart_order:
        made = {**ids, "add_to_cart_order": "position", "reordered": "reordered"}
        made |= {name: name for name in kept}
        return query([named("lines", rows)], f"SELECT\n{listed(made, 4)}\nFROM lines\n{joins}")
    # A product that stands twice in an order is one line.
    first = {
        "order_key": "order_key",
        "product": "product",
        "position": "min(TRY_CAST(position AS double))",
    }
    if rule.reordered:
        first["reordered"] = "max(reordered)"
    first |= {name: f"min({name})" for name in kept}
    lines = f"SELECT\n{listed(first, 4)}\nFROM source\nGROUP BY order_key, product"
    number = "TRY_CAST(orders.order_number AS bigint)"
    before = f"min({number}) OVER (PARTITION BY orders.user_id, lines.product)"
    place = "PARTITION BY lines.order_key ORDER BY lines.position ASC NULLS LAST, lines.product"
    made = {
        **ids,
        "add_to_cart_order": f"CAST(row_number() OVER ({place}) AS varchar)",
        "reordered": "lines.reordered"
        if rule.reordered
        else f"CASE WHEN {number} > {before} THEN '1' ELSE '0' END",
        **{name: f"lines.{name}" for name in kept},
    }
    joins += f"LEFT JOIN {DATABASE}.whole_orders AS orders ON orders.order_id = {ids['order_id']}\n"
    return query(
        [named("source", rows), named("lines", lines)],
        f"SELECT\n{listed(made, 4)}\nFROM lines\n{joins}",
    )
