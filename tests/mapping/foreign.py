"""A shop of some hundred customers as five kinds of foreign files, each with its mapping."""

from __future__ import annotations

import csv
import json
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from configuration.mapping import Mapping
from rebuy.data.generate import generate
from tests.mapping import shops
from tests.mapping.shops import NAMES

Row = dict[str, str]
BEGIN = datetime(2023, 1, 1, tzinfo=UTC)


def write(name: str, users: int, folder: Path) -> Mapping:
    """The files of the kind `name` (tests/mapping/shops) in `folder`: the mapping."""
    instacart = folder / "instacart"
    generate(users, instacart)
    tables = {
        file: list(csv.DictReader((instacart / f"{file}.csv").open(encoding="utf-8")))
        for file in ("orders", "order_products__prior", "order_products__train", "products")
    }
    tables |= {
        file: list(csv.DictReader((instacart / f"{file}.csv").open(encoding="utf-8")))
        for file in ("aisles", "departments")
    }
    out = folder / name
    out.mkdir()
    WRITERS[name](Shop(tables), out)
    return shops.mapping(name)


class Shop:
    """Orders that have lines, in the customers' order, with a time."""

    def __init__(self, tables: dict[str, list[Row]]) -> None:
        self.lines = tables["order_products__prior"] + tables["order_products__train"]
        known = {line["order_id"] for line in self.lines}
        self.orders = [order for order in tables["orders"] if order["order_id"] in known]
        self.products = tables["products"]
        self.aisles = {row["aisle_id"]: row["aisle"] for row in tables["aisles"]}
        self.departments = {
            row["department_id"]: row["department"] for row in tables["departments"]
        }
        self.times: dict[str, datetime] = {}
        self.customers: dict[str, str] = {}
        day: dict[str, int] = {}
        for order in sorted(self.orders, key=lambda o: (int(o["user_id"]), int(o["order_number"]))):
            gap = int(float(order["days_since_prior_order"] or 0)) or 1
            user = order["user_id"]
            day[user] = day.get(user, int(user) % 7) + gap
            time = BEGIN + timedelta(days=day[user], hours=int(order["order_hour_of_day"]))
            self.times[order["order_id"]] = time
            self.customers[order["order_id"]] = user


def _csv(file: Path, header: list[str], rows: Any, separator: str = ",", **more: Any) -> None:
    with file.open(
        "w", newline="", encoding=more.get("encoding", "utf-8"), errors="replace"
    ) as out:
        writer = csv.writer(out, delimiter=separator, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def other_columns(shop: Shop, out: Path) -> None:
    header = ["customer", "receipt", "nth", "weekday", "hour", "gap", "till"]
    names = ("user_id", "order_id", "order_number", "order_dow", "order_hour_of_day")
    rows = [
        [*(order[name] for name in names), order["days_since_prior_order"], "A"]
        for order in shop.orders
    ]
    _csv(out / "receipts1.csv", header, rows[::2])
    _csv(out / "receipts2.csv", header, rows[1::2])
    lines = [
        [line["order_id"], line["add_to_cart_order"], line["product_id"], line["reordered"], "1.99"]
        for line in shop.lines
    ]
    _csv(out / "positions.csv", ["receipt", "pos", "article", "again", "price"], lines)
    products = [
        [p["product_id"], p["aisle_id"], p["product_name"], shop.departments[p["department_id"]]]
        for p in shop.products
    ]
    _csv(out / "articles.csv", ["article", "group", "label", "hall"], products)
    _csv(out / "groups.csv", ["group", "group_name"], shop.aisles.items())


def semicolons(shop: Shop, out: Path) -> None:
    def bon(order: str) -> list[str]:
        return [str(int(order) % 3), order]

    bons = [
        [*bon(order), shop.customers[order].zfill(6), f"{time:%d.%m.%Y %H:%M}"]
        for order, time in shop.times.items()
    ]
    settings: dict[str, Any] = {"separator": ";", "encoding": "windows-1252"}
    _csv(out / "Bons_1.txt", ["Filiale", "Bon", "Kunde", "Zeit"], bons, **settings)
    lines = [[*bon(line["order_id"]), f"Ä-{line['product_id']}", "1"] for line in shop.lines]
    _csv(out / "Positionen_1.txt", ["Filiale", "Bon", "Artikel", "Menge"], lines, **settings)
    products = [
        [f"Ä-{p['product_id']}", p["product_name"], shop.aisles[p["aisle_id"]]]
        for p in shop.products
    ]
    header = ["Artikel", "Bezeichnung", "Warengruppe"]
    _csv(out / "Artikel.txt", header, products, **settings)


def uuids(shop: Shop, out: Path) -> None:
    def named(kind: str, number: str) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{kind}{number}"))

    def lines_of(file: str, rows: Any) -> None:
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (out / file).write_text(text, encoding="utf-8")

    lines_of(
        "orders.jsonl",
        (
            {
                "id": named("order", order),
                "customerId": named("customer", shop.customers[order]),
                "createdAt": f"{time:%Y-%m-%dT%H:%M:%SZ}",
            }
            for order, time in shop.times.items()
        ),
    )
    lines_of(
        "items.jsonl",
        (
            {
                "order": named("order", line["order_id"]),
                "sku": named("product", line["product_id"]),
                "position": int(line["add_to_cart_order"]),
            }
            for line in shop.lines
        ),
    )
    lines_of(
        "catalog.jsonl",
        (
            {
                "sku": named("product", p["product_id"]),
                "title": p["product_name"],
                "path": "/",
                "section": shop.aisles[p["aisle_id"]],
            }
            for p in shop.products
        ),
    )


def timestamps(shop: Shop, out: Path) -> None:
    visits = [
        [order, shop.customers[order], int(time.timestamp()) * 1000]
        for order, time in shop.times.items()
    ]
    _csv(out / "visits.tsv", ["visit_id", "member", "epoch_ms"], visits, "\t")
    products = {p["product_id"]: p for p in shop.products}
    scans = [
        [
            line["order_id"],
            line["add_to_cart_order"],
            line["product_id"],
            products[line["product_id"]]["product_name"],
            shop.departments[products[line["product_id"]]["department_id"]],
        ]
        for line in shop.lines
    ]
    header = ["visit_id", "seq", "ean", "name", "section"]
    _csv(out / "scans-1.tsv", header, scans[::2], "\t")
    _csv(out / "scans-2.tsv", header, scans[1::2], "\t")


def wide(shop: Shop, out: Path) -> None:
    names = {p["product_id"]: p["product_name"] for p in shop.products}
    header = ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice"]
    rows = [
        [
            line["order_id"],
            f"P{line['product_id']}",
            names[line["product_id"]],
            "1",
            f"{shop.times[line['order_id']]:%Y-%m-%d %H:%M:%S}",
            "2.50",
            shop.customers[line["order_id"]],
            "UK",
        ]
        for line in shop.lines
    ]
    rows.append(["0", "P1", names["1"], "1", "2023-01-01 00:00:00", "1", "", "UK"])
    rows.append(["C1", "P1", names["1"], "-1", "2023-01-02 00:00:00", "1", "1", "UK"])
    _csv(out / "sales1.csv", [*header, "CustomerID", "Country"], rows)


WRITERS = {name: globals()[name] for name in NAMES}
