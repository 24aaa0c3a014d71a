"""A shop with files of its own that grows: what is read, mapped and cleaned anew, and that the
tables are those of a run from nothing."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from configuration.connection import Connection
from infrastructure.deploy import deploy
from tests.mapping import foreign
from tests.pipeline.stack import Execution, Json, Stack
from tests.pipeline.test_increments import CLEANED, GROWING, rows_of, succeeded, taken

USERS = 60
MAPPED = ("whole_orders", "whole_order_products", "products", "aisles", "departments", "dictionary")


@dataclass
class Shop:
    stack: Stack
    files: dict[str, str]  # by name
    short: str  # a machine that ends after cleaning

    def put(self, *names: str) -> None:
        for name in names:
            key, body = f"raw/source/sales/{name}", self.files[name].encode()
            self.stack.client("s3").put_object(Bucket=self.stack.raw_bucket, Key=key, Body=body)

    def clean(self, given: Json | None = None) -> tuple[Execution, Json, dict[str, str]]:
        """A run as far as its clean tables: its audit record, and a SHA-256 of each table."""
        run = self.stack.run(given, self.short)
        succeeded(run)
        record = self.stack.record(run.arn)
        name = record["run"]["id"]
        database = f"{self.stack.outputs['Database']}_mapped"
        tables = [f"{database}.{table}" for table in MAPPED]
        tables += [f"cleaned_{table}_{name}" for table in GROWING]
        return run, record, {t.removesuffix(name): rows_of(self.stack, t) for t in tables}


def files_of(text: str) -> dict[str, str]:
    """One file of sales as four: the history, and three later ones, whose customers come back."""
    header, *rows = list(csv.reader(io.StringIO(text)))
    when = header.index("InvoiceDate")
    dates = sorted({row[when][:10] for row in rows})
    begins = [dates[len(dates) * share // 10] for share in (6, 7, 8)]
    written: dict[str, str] = {}
    for number, name in enumerate(("history", "1", "2", "3")):
        out = io.StringIO()
        mine = [row for row in rows if sum(row[when] >= one for one in begins) == number]
        csv.writer(out, lineterminator="\n").writerows([header, *mine])
        written[f"sales-{name}.csv"] = out.getvalue()
    return written


@pytest.fixture(scope="module")
def shop(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A second stack, with the mapping of one wide file, in the same account."""
    folder = tmp_path_factory.mktemp("wide")
    mapping = foreign.write("wide", USERS, folder)
    files = files_of((folder / "wide" / "sales1.csv").read_text())
    settings = stack.connection.settings.model_copy(
        update={"stack_name": "wide", "source": mapping}
    )
    connection = Connection(settings)
    made = replace(stack, connection=connection, outputs=deploy(connection, print).outputs)
    made.let_in_test_machines()
    yield Shop(made, files, made.machine("Receive trigger", replace=CLEANED))


def test_a_mapped_shop_grows_and_equals_a_run_from_nothing(shop: Shop) -> None:
    history, *days = shop.files

    shop.put(history, days[0])
    _, record, _ = shop.clean()
    one = record["run"]["id"]
    assert record["taken_over"] == []

    # A day that comes too early, then the one before it: later orders get other numbers.
    shop.put(days[2])
    _, record, _ = shop.clean()
    two = record["run"]["id"]
    assert taken(record) == {one: {history, days[0]}}
    assert record["run"]["increment"]["new_objects"] == 1
    cleaned = cleaned_by(shop, two)
    assert cleaned == {(table, days[2]): two for table in GROWING} | {
        (table, name): one for table in GROWING for name in (history, days[0])
    }
    shop.put(days[1])
    _, record, grown = shop.clean()
    assert taken(record) == {one: {history, days[0]}, two: {days[2]}}
    cleaned = cleaned_by(shop, record["run"]["id"])
    assert cleaned["orders", days[2]] == record["run"]["id"]
    assert cleaned["orders", history] == one

    _, record, whole = shop.clean({"full": True})
    assert record["taken_over"] == []
    assert grown == whole

    # A day is corrected, another one taken away.
    shop.files[days[1]] = shop.files[days[1]].replace(" 1,", " 2,").replace(":00,2.50", ":01,2.50")
    shop.put(days[1])
    shop.stack.client("s3").delete_object(
        Bucket=shop.stack.raw_bucket, Key=f"raw/source/sales/{days[2]}"
    )
    _, record, grown = shop.clean()
    assert {name for names in taken(record).values() for name in names} == {history, days[0]}
    _, _, whole = shop.clean({"full": True})
    assert grown == whole


def cleaned_by(shop: Shop, run: str) -> dict[tuple[str, str], str]:
    """(table, file) to the run that cleaned its rows."""
    ledger = json.loads(shop.stack.read(f"runs/run={run}/ledger.json"))
    return {
        (part["table"], part["key"].rpartition("/")[2]): part["run"]
        for part in ledger["partitions"]
    }
