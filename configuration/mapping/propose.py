"""A mapping proposed by a look at the files: what each column is taken for, and how sure that is.

A column is what its name says, in English or German, if its values allow that; values alone decide
where no name does. Nothing is asked: what cannot be told from the files has a line that says so.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from configuration.errors import InputError
from configuration.mapping.model import Mapping, parse
from configuration.mapping.profile import Column, Kind, kinds, zoned

# What people call the columns: the first words are the surest.
WORDS = {
    "user_id": "user_id customer_id customerid customer household_id household kunde kunden_id"
    " kundennummer kundennr member client user shopper account cust",
    "order_id": "order_id orderid order invoice_no invoiceno invoice receipt basket_id basket"
    " transaction_id visit_id visit ticket bon bonnr beleg cart_id",
    "product_id": "product_id productid product sku stock_code stockcode article artikel"
    " artikelnr item_id item ean upc gtin plu",
    "ordered_at": "ordered_at order_date timestamp created_at createdat invoice_date invoicedate"
    " transaction_timestamp datetime date time zeitpunkt zeit datum",
    "product_name": "product_name description title label name bezeichnung product_type"
    " item_name artikelname",
    "aisle": "aisle product_category category section warengruppe group_name group subcategory",
    "department": "department abteilung dept hall division",
    "quantity": "quantity qty menge units anzahl",
    "add_to_cart_order": "add_to_cart_order position pos line_no seq line zeile",
    "reordered": "reordered again",
    "order_number": "order_number nth order_no_of_customer",
    "order_dow": "order_dow weekday dow",
    "order_hour_of_day": "order_hour_of_day hour",
    "days_since_prior_order": "days_since_prior_order gap days_since_last",
    "eval_set": "eval_set",
    "aisle_id": "aisle_id category_id group_id",
    "department_id": "department_id dept_id",
}
ROLES = {role: words.split() for role, words in WORDS.items()}
SURE, LIKELY, GUESS = "sure", "likely", "a guess"
FITS: dict[str, Callable[[Column], bool]] = {
    "ordered_at": lambda column: bool(column.time),
    "quantity": lambda column: column.is_decimal,
    "add_to_cart_order": lambda column: column.is_number,
    "reordered": lambda column: set(column.values) <= {"0", "1"},
    "order_number": lambda column: column.is_number,
    "order_dow": lambda column: set(column.values) <= set("0123456"),
    "order_hour_of_day": lambda column: column.is_number,
    "days_since_prior_order": lambda column: column.is_decimal,
    "eval_set": lambda column: set(column.values) <= {"prior", "train", "test"},
}
BY_NUMBERS = ("order_number", "order_dow", "order_hour_of_day", "days_since_prior_order")


@dataclass
class Found:
    """A column that is taken for something."""

    column: str
    confidence: str
    why: str


@dataclass
class Proposal:
    """`toml`: the mapping's file; `reasons`: a line for each decision."""

    reasons: list[str] = field(default_factory=list)
    tables: dict[str, dict[str, Any]] = field(default_factory=dict)
    text_ids: list[str] = field(default_factory=list)
    kinds: list[Kind] = field(default_factory=list)

    @property
    def toml(self) -> str:
        lines = ["# Proposed by `rebuy data map`; docs/mapping.md describes every line."]
        lines += [f"# {reason}" for reason in self.reasons]
        if self.text_ids:
            lines.append(f"text_ids = {_written(self.text_ids)}")
        used = {table["file"] for table in self.tables.values()}
        for kind in self.kinds:
            if kind.name in used:
                lines += ["", f"[files.{kind.name}]", *_members(_files(kind, self.tables))]
        for table, members in self.tables.items():
            lines += ["", f"[{table}]", *_members(members)]
        return "\n".join(lines) + "\n"

    def mapping(self) -> Mapping:
        return parse(tomllib.loads(self.toml), "as proposed")


def propose(folder: Path) -> Proposal:
    """Looks at every file of the folder. Raises InputError when a table cannot be found in them."""
    all_kinds, unread = kinds(folder)
    found = Proposal(kinds=all_kinds, reasons=[f"left out: {reason}" for reason in unread])
    roles = {kind.name: _roles(kind) for kind in found.kinds}
    for kind in found.kinds:
        names = ", ".join(file.name for file in kind.files[:3]) + (", ..." * (len(kind.files) > 3))
        found.reasons.append(
            f"files.{kind.name}: {names}: {kind.format}, {kind.encoding},"
            f" {len(kind.columns)} columns"
        )
    lines = _lines_kind(found.kinds, roles)
    _joined(found.kinds, roles, lines)
    orders = _orders_kind(found.kinds, roles, lines)
    _orders(found, orders, roles[orders.name], lines)
    _order_products(found, lines, roles[lines.name], orders)
    _products(found, roles, lines)
    _text_ids(found)
    for kind in found.kinds:
        if kind.name not in {table["file"] for table in found.tables.values()}:
            found.reasons.append(f"files.{kind.name} is left out: no table needs it")
    return found


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _roles(kind: Kind) -> dict[str, Found]:
    """Role to column: the surest first, and no column twice."""
    candidates = []
    for role, words in ROLES.items():
        for column in kind.columns:
            plain = _plain(column.name)
            if column.values and not FITS.get(role, lambda _: True)(column):
                continue
            if plain in words:
                candidates.append((words.index(plain), role, column, SURE))
            elif any(word in plain for word in words if len(word) > 3):
                candidates.append((50, role, column, LIKELY))
    for column in kind.columns:
        if column.time and not any(role == "ordered_at" for _, role, _, _ in candidates):
            candidates.append((90, "ordered_at", column, GUESS))
    found: dict[str, Found] = {}
    for _, role, column, confidence in sorted(candidates, key=lambda c: (c[0], c[1])):
        taken = {one.column for one in found.values()}
        if role not in found and column.name not in taken:
            by = "its values say so" if confidence == GUESS else "its name says so"
            found[role] = Found(column.name, confidence, f"{by}; {column.said()}")
    return found


def _lines_kind(all_kinds: list[Kind], roles: dict[str, dict[str, Found]]) -> Kind:
    """Where products are bought: a product and an order, or a customer and a time; most rows."""
    fitting = [
        kind
        for kind in all_kinds
        if "product_id" in (own := roles[kind.name])
        and ("order_id" in own or {"user_id", "ordered_at"} <= own.keys())
    ]
    if not fitting:
        raise InputError(
            "No file has a product and an order (or a customer and a time). There are "
            + _columns(all_kinds)
        )
    return max(fitting, key=lambda kind: kind.rows)


def _joined(all_kinds: list[Kind], roles: dict[str, dict[str, Found]], lines: Kind) -> None:
    """Gives a file of customers and times the order's column that no name tells: the one with a
    value for each row that has the values of the lines' column."""
    if "order_id" not in roles[lines.name]:
        return
    name = roles[lines.name]["order_id"].column
    there = set(lines.column(name).values)
    for kind in all_kinds:
        own = roles[kind.name]
        if kind is lines or "user_id" not in own or "order_id" in own:
            continue
        for column in kind.columns:
            if column.is_unique and 2 * len(there & set(column.values)) > min(
                len(there), column.different
            ):
                why = f"its values are those of {name!r} in {lines.files[0].name}; {column.said()}"
                own["order_id"] = Found(column.name, LIKELY, why)
                break


def _orders_kind(all_kinds: list[Kind], roles: dict[str, dict[str, Found]], lines: Kind) -> Kind:
    timed = {"ordered_at"}, set(BY_NUMBERS)
    fitting = [
        kind
        for kind in all_kinds
        if "user_id" in roles[kind.name] and any(need <= roles[kind.name].keys() for need in timed)
    ]
    own = [kind for kind in fitting if kind is not lines and "order_id" in roles[kind.name]]
    if lines in fitting and not own:
        return lines
    if not own or "order_id" not in roles[lines.name]:
        raise InputError(
            "No file has an order with its customer and its time. There are " + _columns(all_kinds)
        )
    return max(own, key=lambda kind: kind.rows)


def _columns(all_kinds: Iterable[Kind]) -> str:
    return "; ".join(
        f"{kind.files[0].name}: {', '.join(column.name for column in kind.columns)}"
        for kind in all_kinds
    )


def _take(found: Proposal, table: str, own: dict[str, Found], *members: str) -> None:
    for member in members:
        if member in own:
            one = own[member]
            found.tables[table][member] = one.column
            found.reasons.append(f'{table}.{member} = "{one.column}" ({one.confidence}): {one.why}')


def _together(found: Proposal, kind: Kind, lines: Kind) -> None:
    """If an order's number is not its alone: the column of both files that makes it so."""
    name = found.tables["orders"]["order_id"]
    numbers = kind.column(name)
    if numbers.is_unique or len(numbers.values) != numbers.rows:
        return
    shared = {column.name for column in lines.columns}
    for other in kind.columns:
        pairs = set(zip(numbers.values, other.values, strict=False))
        if other.name in shared and other is not numbers and len(pairs) == numbers.rows:
            found.tables["orders"]["order_id"] = [other.name, name]
            found.reasons.append(
                f"orders.order_id = {[other.name, name]} (likely): {name!r} alone stands more than"
                f" once, with {other.name!r}, which the lines have too, each stands once"
            )
            return


def _orders(found: Proposal, kind: Kind, own: dict[str, Found], lines: Kind) -> None:
    wide = kind is lines
    found.tables["orders"] = {"file": kind.name}
    _take(found, "orders", own, "user_id")
    members = found.tables["orders"]
    if wide and "order_id" not in own:
        members["one_per"] = "day"
        found.reasons.append(
            'orders.one_per = "day" (likely): no column names an order, so what a customer buys in'
            " one day is one"
        )
    else:
        _take(found, "orders", own, "order_id")
        if not wide:
            _together(found, kind, lines)
    if "ordered_at" in own:
        _take(found, "orders", own, "ordered_at")
        column = kind.column(own["ordered_at"].column)
        if column.time not in ("iso", ""):
            members["ordered_at_format"] = column.time
            found.reasons.append(f"orders.ordered_at_format (sure): all values are {column.time}")
        if column.time == "iso" and zoned(column.values):
            members["timezone"] = "UTC"
            found.reasons.append(
                'orders.timezone = "UTC" (a guess): the times have an offset; where the shop is,'
                " the files do not say"
            )
    else:
        _take(found, "orders", own, *BY_NUMBERS)
    _take(found, "orders", own, "eval_set")
    missing = kind.rows - len(kind.column(own["user_id"].column).values)
    if missing:
        members["drop_without_customer"] = True
        found.reasons.append(
            f"orders.drop_without_customer (likely): {missing:,} of {kind.rows:,} rows have no"
            " customer, and nothing can be learned from them"
        )


def _order_products(found: Proposal, kind: Kind, own: dict[str, Found], orders: Kind) -> None:
    found.tables["order_products"] = {"file": kind.name}
    if kind is not orders:
        _take(found, "order_products", own, "order_id")
        together = found.tables["orders"]["order_id"]
        if isinstance(together, list):
            found.tables["order_products"]["order_id"] = together
    _take(found, "order_products", own, "product_id", "add_to_cart_order", "reordered", "quantity")


def _products(found: Proposal, roles: dict[str, dict[str, Found]], lines: Kind) -> None:
    """Their own file, where each stands once; else what the lines say."""
    fitting = [
        kind
        for kind in found.kinds
        if kind is not lines
        and "product_id" in roles[kind.name]
        and kind.column(roles[kind.name]["product_id"].column).is_unique
    ]
    kind = max(fitting, key=lambda kind: kind.rows, default=lines)
    own = dict(roles[kind.name])
    found.tables["products"] = {"file": kind.name}
    _take(found, "products", own, "product_id", "product_name")
    if "product_name" not in own:
        found.reasons.append("products have no name in the files: they are called by their ids")
    for group in ("aisle", "department"):
        _group(found, kind, own, group)
        if not {group, f"{group}_id"} & own.keys():
            found.reasons.append(f"{group}s are not in the files: all products are in one")
    if kind is lines:
        return
    sold = set(lines.column(roles[lines.name]["product_id"].column).values)
    unknown = sold - set(kind.column(own["product_id"].column).values)
    if unknown:
        found.tables["products"]["add_missing"] = True
        found.reasons.append(
            f"products.add_missing (likely): {len(unknown):,} products are sold and not among them,"
            f" such as {min(unknown)!r}"
        )


def _group(found: Proposal, kind: Kind, own: dict[str, Found], group: str) -> None:
    """A column of products with the aisle's name, or with its id and a file that names it."""
    by = own.get(f"{group}_id") or own.get(group)
    if by is None:
        return
    for other in found.kinds:
        names = [column.name for column in other.columns]
        if other is kind or by.column not in names or len(names) > 4:
            continue
        name = next((column for column in other.columns if column.name != by.column), None)
        if name is not None and other.column(by.column).is_unique:
            found.tables["products"][f"{group}_id"] = by.column
            found.tables[f"{group}s"] = {
                "file": other.name, f"{group}_id": by.column, group: name.name
            }  # fmt: skip
            found.reasons.append(
                f'products.{group}_id = "{by.column}" (sure): {other.files[0].name} has the same'
                f" column once for each, with {name.name!r}"
            )
            return
    own[group] = by
    _take(found, "products", own, group)


def _text_ids(found: Proposal) -> None:
    """Ids that are no whole numbers in any of their columns."""
    by_name = {kind.name: kind for kind in found.kinds}
    for member in ("user_id", "order_id", "product_id", "aisle_id", "department_id"):
        tables = [table for table in found.tables.values() if member in table]
        if any(isinstance(table[member], list) for table in tables):
            found.text_ids.append(member)
            continue
        columns = [by_name[table["file"]].column(table[member]) for table in tables]
        texts = [v for column in columns for v in column.values if not v.isdigit() or len(v) > 18]
        if texts:
            found.text_ids.append(member)
            found.reasons.append(f"text_ids has {member} (sure): {texts[0]!r} is no whole number")


def _files(kind: Kind, tables: dict[str, dict[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {"pattern": kind.pattern}
    names: Any = [column.name for column in kind.columns]
    if kind.format != "csv":
        members["format"] = kind.format
        used = {
            value
            for table in tables.values()
            if table["file"] == kind.name
            for member in table.values()
            for value in (member if isinstance(member, list) else [member])
        }
        names = [name for name in names if name in used]
    if kind.format == "parquet":
        names = {name: kind.column(name).type for name in names}
    if kind.format == "csv" and kind.separator != ",":
        members["separator"] = kind.separator
    if kind.encoding != "utf-8":
        members["encoding"] = kind.encoding
    return {**members, "columns": names}


def _members(members: dict[str, Any]) -> list[str]:
    return [f"{name} = {_written(value)}" for name, value in members.items()]


def _written(value: Any) -> str:
    """TOML of what stands in a mapping."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(k)} = {_written(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_written, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)
