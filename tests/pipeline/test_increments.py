"""New orders every day: what is read anew, what is taken over, and that both together are right."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from rebuy.data import days, files
from tests.pipeline.stack import Execution, Json, Stack
from tests.pipeline.test_chain import SETS
from tests.transform import shoppers

GROWING = ("orders", "order_products")
# Ends after cleaning, with an audit record, as a run that goes well does.
CLEANED = {'"Next": "Complete orders"': '"Next": "Write audit record"'}
LAST = date(2026, 11, 29)


class Shop:
    """A small shop's files, day by day, in the raw bucket of the stack."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack, self.folder = stack, folder
        self.short = stack.machine("Receive trigger", replace=CLEANED)

    def put(self, pattern: str, table: str = "*") -> None:
        for file in sorted(self.folder.glob(f"{table}/{pattern}")):
            self.write(f"raw/{file.parent.name}/{file.name}", file.read_bytes())

    def write(self, key: str, body: bytes) -> None:
        self.stack.client("s3").put_object(Bucket=self.stack.raw_bucket, Key=key, Body=body)

    def delete(self, *keys: str) -> None:
        for key in keys:
            self.stack.client("s3").delete_object(Bucket=self.stack.raw_bucket, Key=key)

    def clean(self, given: Json | None = None) -> tuple[Execution, Json]:
        """A run as far as its clean tables, and its audit record."""
        run = self.stack.run(given, self.short)
        return run, self.stack.record(run.arn)

    def raw_rows(self, table: str) -> list[tuple[str, ...]]:
        """The rows of the raw files as they are now, without any engine."""
        rows = []
        for key in self.stack.objects(f"raw/{table}/"):
            lines = list(csv.reader(io.StringIO(self.stack.read(key).decode())))
            rows += [tuple(cells) for cells in lines[1:]]
        return sorted(rows)

    def clean_rows(self, table: str, run: str) -> list[tuple[str, ...]]:
        """The rows of a run's clean table, without the partition, as Athena reads them."""
        return sorted(row[:-1] for row in self.stack.select(f"SELECT * FROM cleaned_{table}_{run}"))


def plain(rows: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Hours without a leading zero, gaps without decimals."""
    return sorted(
        tuple(cell.removesuffix(".0").lstrip("0") or cell[:1] for cell in row) for row in rows
    )


def succeeded(run: Execution) -> None:
    assert run.status == "SUCCEEDED", f"{run.error}: {run.cause}"


def taken(record: Json) -> dict[str, set[str]]:
    """Run to the names of the objects that were taken over from it."""
    return {
        entry["run"]: {one["key"].rpartition("/")[2] for one in entry["objects"]}
        for entry in record["taken_over"]
    }


@pytest.fixture(scope="module")
def shop(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    raw = shoppers.raw()
    for file in files.RAW_FILES:
        rows = raw[file.table] if file != files.TRAIN else []
        files.write_small(folder, file, [tuple(cell or "" for cell in row) for row in rows])
    days.split(folder, folder / "days", 8, LAST)
    before = stack.raw
    for key in stack.objects("raw/"):
        stack.client("s3").delete_object(Bucket=stack.raw_bucket, Key=key)
    yield Shop(stack, folder / "days")
    for key in stack.objects("raw/"):
        stack.client("s3").delete_object(Bucket=stack.raw_bucket, Key=key)
    assert before is stack.raw
    stack.restore_raw()


def test_orders_grow_day_by_day(shop: Shop) -> None:
    for name in ("aisles.csv", "departments.csv", "products.csv", "*-history.csv", "*-11-22.csv"):
        shop.put(name)

    first, record = shop.clean({"full": True, "profile": True})

    succeeded(first)
    assert record["taken_over"] == []
    profiles = {each["name"]: each for each in record["profiles"]}
    assert [*profiles] == ["raw_orders", "orders", "raw_order_products", "order_products"]
    assert "A week has seven days" in profiles["orders"]["rules"]
    assert profiles["orders"]["rows"] == len(shop.raw_rows("orders"))
    assert {each["compared_with"] for each in profiles.values()} == {None}
    one = record["run"]["id"]
    for table in GROWING:
        assert plain(shop.clean_rows(table, one)) == plain(shop.raw_rows(table))

    # Days that come before the one before them: their customers' orders have gaps.
    shop.put("*-11-2[45678].csv")
    late, record = shop.clean()
    assert (late.status, late.error) == ("FAILED", "RawDataCheckFailed"), late.cause
    assert "order_numbers_are_consecutive" in late.cause
    assert taken(record) == {
        one: {f"{t}-{d}.csv" for t in GROWING for d in ("history", "2026-11-22")}
    }

    # The late day comes, another is corrected, and the run is stopped by a fault half way.
    shop.put("*-11-23.csv")
    key = "raw/orders/orders-2026-11-22.csv"
    lines = shop.stack.read(key).decode().splitlines()
    cells = lines[1].split(",")
    cells[5] = "23" if cells[5] != "23" else "22"
    shop.write(key, "\n".join([lines[0], ",".join(cells), *lines[2:], ""]).encode())
    broken = shop.stack.machine(
        "Receive trigger", replace={"cleaned/order_products/": "raw-is-not-mine/", **CLEANED}
    )
    interrupted = shop.stack.run(None, broken)
    assert interrupted.status == "FAILED"

    second, record = shop.clean()

    succeeded(second)
    two = record["run"]["id"]
    assert taken(record) == {
        one: {"orders-history.csv", "order_products-history.csv", "order_products-2026-11-22.csv"}
    }
    for table in GROWING:
        assert plain(shop.clean_rows(table, two)) == plain(shop.raw_rows(table))
    assert len(shop.clean_rows("orders", one)) < len(shop.clean_rows("orders", two))

    # The same bytes under another name would count twice.
    again = "raw/orders/orders-2026-11-22 (1).csv"
    shop.write(again, shop.stack.read(key))
    twice, _ = shop.clean()
    assert twice.error == "RawDataCheckFailed"
    assert "raw_files_are_different" in twice.cause and again in twice.cause
    shop.delete(again)

    # A day is taken away, and nobody says so: its rows are gone.
    shop.delete(*(f"raw/{table}/{table}-2026-11-28.csv" for table in GROWING))
    third, record = shop.clean({"profile": True})
    succeeded(third)
    assert set(taken(record)) == {one, two}
    assert {each["compared_with"] for each in record["profiles"]} == {one}
    for table in GROWING:
        assert plain(shop.clean_rows(table, record["run"]["id"])) == plain(shop.raw_rows(table))


def test_nothing_new_is_no_run_and_full_is_one(shop: Shop) -> None:
    schedule = {"schedule": {"time": "2026-11-30T06:00:00Z"}}

    idle, record = shop.clean(schedule)
    succeeded(idle)
    assert record["outcome"] == "nothing new"
    full, record = shop.clean({**schedule, "full": True})
    succeeded(full)
    assert record["taken_over"] == [] and record["run"]["increment"]["taken_objects"] == 0


def test_what_is_gone_or_was_made_by_other_code_is_cleaned_anew(shop: Shop) -> None:
    stack = shop.stack
    _, record = shop.clean()
    run = record["run"]["id"]
    assert record["run"]["increment"]["taken_objects"] > 0
    ledger = json.loads(stack.read(f"runs/run={run}/ledger.json"))
    (gone,) = [p["files"] for p in ledger["partitions"] if "orders-history" in p["key"]]
    stack.client("s3").delete_object(Bucket=stack.lake, Key=gone[0]["key"])

    anew, record = shop.clean()

    succeeded(anew)
    assert "orders-history.csv" not in set.union(*taken(record).values())
    for table in GROWING:
        assert plain(shop.clean_rows(table, record["run"]["id"])) == plain(shop.raw_rows(table))

    key = f"runs/run={record['run']['id']}/ledger.json"
    ledger = json.loads(stack.read(key)) | {"code": "0" * 64}
    stack.client("s3").put_object(Bucket=stack.lake, Key=key, Body=json.dumps(ledger).encode())
    _, record = shop.clean()
    assert record["taken_over"] == []


def test_an_increment_gives_what_a_run_from_nothing_gives(shop: Shop) -> None:
    """Every table row for row, and the sets in their order; what these give stands in test_chain:
    a start by hand, which takes lines over, makes the same model again."""
    stack = shop.stack
    shop.put("*-11-2[89].csv")

    made = []
    for full in (False, True):
        run = stack.run({"train": False, "full": full})
        succeeded(run)
        record = stack.record(run.arn)
        name = record["run"]["id"]
        assert bool(record["taken_over"]) is not full
        tables = {
            table["Name"].removesuffix(f"_{name}"): rows_of(stack, table["Name"])
            for table in stack.tables()
            if table["Name"].endswith(f"_{name}")
        }
        sets = [stack.parquet(f"runs/run={name}/sets/set={one}/").to_pylist() for one in SETS]
        made.append((tables, sets))
    assert made[0][0].keys() >= {"clean_orders", "user_product_features"}
    assert all(made[0][1])
    assert made[0] == made[1]


def rows_of(stack: Stack, table: str) -> str:
    """SHA-256 of a table's rows, in order."""
    rows = sorted(map(str, stack.select(f"SELECT * FROM {table}")))
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()
