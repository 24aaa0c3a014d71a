"""The SELECTs of products, aisles and departments."""

from __future__ import annotations

from configuration.mapping import columns as c
from configuration.mapping.model import Files
from configuration.mapping.reading import Reading, listed, named, query

ABSENT = c.quoted(c.ABSENT)


def products(reading: Reading) -> str:
    made = {
        "product_id": c.identity("product_id", "product", reading.mapping),
        "product_name": "coalesce(product_name, 'product ' || product)",
        "aisle_id": _group_id(reading, "aisle", "aisle"),
        "department_id": _group_id(reading, "department", "department"),
        **{name: name for name in map(c.kept, reading.mapping.products.keep)},
    }
    return query(_catalogue(reading), f"SELECT\n{listed(made, 4)}\nFROM catalogue\n")


def groups(reading: Reading, kind: str) -> str:
    """Aisles or departments: their own file, or what products say."""
    part = getattr(reading.mapping, f"{kind}s")
    if part is not None:
        files = reading.files(part.file)
        number = c.written(f"{kind}_id", files, getattr(part, f"{kind}_id"), reading.mapping)
        made = {
            f"{kind}_id": c.identity(f"{kind}_id", number, reading.mapping),
            kind: c.text(files, getattr(part, kind)),
            **{c.kept(column): c.text(files, column) for column in part.keep},
        }
        known = f"SELECT\n{listed(made, 4)}\nFROM {reading.table(part.file)}\n"
        if not reading.mapping.products.add_missing:
            return known
        nothing = {f"{kind}_id": _group_id(reading, kind, ABSENT), kind: ABSENT}
        nothing |= dict.fromkeys(map(c.kept, part.keep), "NULL")
        return f"{known}UNION ALL\nSELECT\n{listed(nothing, 4)}\n"
    by_name = getattr(reading.mapping.products, f"{kind}_id") is None
    made = {
        f"{kind}_id": _group_id(reading, kind, kind),
        kind: kind if by_name else f"'{kind} ' || {kind}",
    }
    found = named("found", f"SELECT DISTINCT {kind}\nFROM catalogue")
    return query([*_catalogue(reading), found], f"SELECT\n{listed(made, 4)}\nFROM found\n")


def _catalogue(reading: Reading) -> list[str]:
    """Common table expressions, the last one `catalogue`: a row a product, texts as written."""
    mapping = reading.mapping
    rule, lines = mapping.products, mapping.order_products
    files = reading.files(rule.file)
    columns = {
        "product": c.written("product_id", files, rule.product_id, mapping),
        "product_name": c.words(files, rule.product_name)
        if rule.product_name
        else "CAST(NULL AS varchar)",
        "aisle": _group(reading, "aisle", files),
        "department": _group(reading, "department", files),
        **{c.kept(column): c.text(files, column) for column in rule.keep},
    }
    names = list(columns)
    found = []
    if rule.file in (mapping.orders.file, lines.file):
        # In a file of lines a product is what its last line says.
        by = [f"{columns[name]} ASC NULLS LAST" for name in names[1:]]
        if rule.file == mapping.orders.file and mapping.orders.ordered_at:
            by.insert(0, f"{reading.order_columns()['ordered_at']} DESC NULLS LAST")
        order = f"PARTITION BY {columns['product']} ORDER BY {', '.join(by)}"
        rows = listed({**columns, "latest": f"row_number() OVER ({order})"}, 4)
        found.append(named("said", f"SELECT\n{rows}\nFROM {reading.table(rule.file)}"))
        owned = "FROM said\nWHERE latest = 1 AND product IS NOT NULL"
        found.append(named("owned", f"SELECT\n{listed({n: n for n in names}, 4)}\n{owned}"))
    else:
        rows = f"SELECT\n{listed(columns, 4)}\nFROM {reading.table(rule.file)}"
        found.append(named("owned", rows))
    if not rule.add_missing:
        return [*found, named("catalogue", "SELECT * FROM owned")]
    missing = dict.fromkeys(names, "CAST(NULL AS varchar)")
    missing |= {"product": "product", "aisle": ABSENT, "department": ABSENT}
    sold = reading.line_columns()["product"]
    return [
        *found,
        named("sold", f"SELECT DISTINCT {sold} AS product\nFROM {reading.table(lines.file)}"),
        named(
            "catalogue",
            f"SELECT * FROM owned\nUNION ALL\nSELECT\n{listed(missing, 4)}\nFROM sold\n"
            "WHERE product IS NOT NULL\n"
            "AND product NOT IN (SELECT product FROM owned WHERE product IS NOT NULL)",
        ),
    ]


def _group(reading: Reading, kind: str, files: Files) -> str:
    """A product's aisle or department: its id as it is written, or its name."""
    number, name = (getattr(reading.mapping.products, part) for part in (f"{kind}_id", kind))
    if number is not None:
        return c.written(f"{kind}_id", files, number, reading.mapping)
    return ABSENT if name is None else f"coalesce({c.text(files, name)}, {ABSENT})"


def _group_id(reading: Reading, kind: str, expression: str) -> str:
    rule, mapping = reading.mapping.products, reading.mapping
    by_name = getattr(rule, f"{kind}_id") is None
    found = c.identity(f"{kind}_id", expression, mapping, always=by_name)
    if by_name or not rule.add_missing or f"{kind}_id" in mapping.text_ids:
        return found
    absent = f"CAST({c.number_of(f'{kind}_id', ABSENT)} AS varchar)"
    return f"CASE WHEN {expression} = {ABSENT} THEN {absent} ELSE {found} END"
