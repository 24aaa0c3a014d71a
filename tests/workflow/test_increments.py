"""What a run reads anew and what it takes over, decided from two lists."""

from __future__ import annotations

import hashlib
import json
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest

from localaws.core.aws import start
from localaws.s3 import api as objects
from tasks.functions import clean_data, increments
from tasks.functions.check_raw_data import with_taken

Json = dict[str, Any]


def entry(key: str, content: str = "a", size: int = 100) -> Json:
    return {"key": f"raw/{key}", "sha256": content, "bytes": size}


def partition(key: str, content: str = "a") -> Json:
    raw = entry(key, content)
    return {
        "object": increments.object_id(raw),
        "table": key.split("/")[0],
        **raw,
        "run": "r1",
        "rows": 3,
        "files": [{"key": f"runs/run=r1/cleaned/{key}", "etag": "e"}],
    }


CASES: list[Json] = [
    {
        "why": "the first run reads everything",
        "raw": [entry("orders/a"), entry("order_products/a"), entry("aisles/a")],
        "known": [],
        "new": ["orders/a", "order_products/a", "aisles/a"],
    },
    {
        "why": "a new day, and the catalogue",
        "raw": [
            *(entry("orders/a"), entry("orders/b"), entry("aisles/a")),
            *(entry("order_products/a"), entry("order_products/b")),
        ],
        "known": [partition("orders/a"), partition("order_products/a")],
        "new": ["orders/b", "aisles/a", "order_products/b"],
    },
    {
        "why": "a corrected object is another one",
        "raw": [entry("orders/a", "b"), entry("orders/b"), entry("order_products/a", "b")],
        "known": [partition("orders/a"), partition("orders/b"), partition("order_products/a")],
        "new": ["orders/a", "order_products/a"],
    },
    {
        "why": "the same bytes under another name are another object",
        "raw": [entry("orders/b"), entry("order_products/b")],
        "known": [partition("orders/a"), partition("order_products/a")],
        "new": ["orders/b", "order_products/b"],
    },
    {
        "why": "a table without anything new reads its smallest object",
        "raw": [
            *(entry("orders/a"), entry("orders/b", size=9), entry("orders/c")),
            *(entry("order_products/a"), entry("order_products/b")),
        ],
        "known": [*(partition(f"orders/{name}") for name in "abc"), partition("order_products/a")],
        "new": ["order_products/b", "orders/b"],
    },
    {
        "why": "of a shop's own files what is new, if anything is",
        "raw": [entry("source/sales/a"), entry("source/sales/b"), entry("source/names/a")],
        "known": [partition("source/sales/a"), partition("source/names/a")],
        "new": ["source/sales/b"],
    },
    {
        "why": "a shop's own files of which none is new",
        "raw": [entry("source/sales/a")],
        "known": [partition("source/sales/a")],
        "new": [],
    },
]


@pytest.mark.parametrize("case", CASES, ids=itemgetter("why"))
def test_what_is_new_is_read_and_all_else_is_taken_over(case: Json) -> None:
    new, taken = increments.divided(case["raw"], case["known"])

    assert [one["key"] for one in new] == [f"raw/{name}" for name in case["new"]]
    ids = {increments.object_id(one) for one in case["raw"] if increments.table_of(one["key"])}
    both = [*map(increments.object_id, new), *(one["object"] for one in taken)]
    assert sorted(both) == sorted(ids)  # each once


def test_a_plan_copies_what_is_new_and_tells_how_much_it_is(tmp_path: Path) -> None:
    local = start(tmp_path / "home", [objects.service], wait_scale=0)
    s3, buckets = local.client("s3"), {"raw": "raw-files", "lake": "lake-of-runs"}
    for bucket in buckets.values():
        s3.create_bucket(Bucket=bucket)
    for key in ("raw/orders/a", "raw/orders/b"):
        s3.put_object(Bucket=buckets["raw"], Key=key, Body=key.encode())
    s3.put_object(Bucket=buckets["lake"], Key="incoming/orders/object=o1/left", Body=b"old")
    taken = partition("orders/a")
    (file,) = taken["files"]
    stored = s3.put_object(Bucket=buckets["lake"], Key=file["key"], Body=b"rows")
    file["etag"] = stored["ETag"].strip('"')
    raw = [entry("orders/a"), entry("orders/b", size=310_000_000)]

    told = increments.plan(local.client, buckets, "r2", raw, {"run": "r1", "partitions": [taken]})

    assert told.pop("uri") == "s3://lake-of-runs/runs/run=r2/increment.json"
    written = s3.get_object(Bucket=buckets["lake"], Key=increments.plan_key("r2"))["Body"].read()
    assert told.pop("sha256") == hashlib.sha256(written).hexdigest()
    assert told == {
        **{"from": "r1", "taken_objects": 1},
        **{"new_objects": 1, "new_bytes": 310_000_000, "nodes": 4},
    }
    plan, (copied,) = json.loads(written), increments.incoming(s3, buckets["lake"])
    assert plan["taken"] == [taken] and plan["incoming"] == [copied]
    assert copied["key"] == f"incoming/orders/object={increments.object_id(raw[1])}/b"
    local.stop()


def test_a_table_that_is_named_like_another_is_not_replaced_in_a_check() -> None:
    known = "(SELECT o FROM ${RawDatabase}.orders)"
    text = f"SELECT 1 FROM ${{RawDatabase}}.order_products WHERE o IN {known}"
    increment = {"from": "r1", "dropped": ["oabc"]}

    found = with_taken(text, increment)

    assert with_taken(text, {"from": None}) == text
    assert found.count("${Database}.cleaned_orders_r1 WHERE object NOT IN ('oabc')") == 1
    assert found.count("${Database}.cleaned_order_products_r1 WHERE object NOT IN ('oabc')") == 1
    assert found.count("${RawDatabase}.orders UNION ALL") == 1


def test_a_shops_own_rows_are_checked_as_they_are_mapped() -> None:
    text = (
        "SELECT o FROM ${RawDatabase}.order_products, ${RawDatabase}.orders, ${RawDatabase}.aisles"
    )

    found = with_taken(text, {"from": "r1", "dropped": []}, mapped=True)

    assert found.split("FROM ")[1].replace("${RawDatabase}.", "").split(", ") == [
        "whole_order_products",
        "whole_orders",
        "aisles",
    ]


class Glue:
    """The partitions of one table, as BatchCreatePartition and BatchDeletePartition change them;
    each call takes no more than AWS takes."""

    def __init__(self, there: dict[str, str]) -> None:
        self.there = there

    def get_table(self, **_: Any) -> Json:
        return {"Table": {"StorageDescriptor": {"Location": "s3://lake/t/", "Columns": []}}}

    def get_paginator(self, _: str) -> Glue:
        return self

    def paginate(self, **_: Any) -> list[Json]:
        found = [
            {"Values": [value], "StorageDescriptor": {"Location": location}}
            for value, location in self.there.items()
        ]
        return [{"Partitions": found}]

    def batch_create_partition(self, **given: Any) -> Json:
        assert len(given["PartitionInputList"]) <= 100
        for one in given["PartitionInputList"]:
            assert one["Values"][0] not in self.there
            self.there[one["Values"][0]] = one["StorageDescriptor"]["Location"]
        return {}

    def batch_delete_partition(self, **given: Any) -> Json:
        assert len(given["PartitionsToDelete"]) <= 25
        for one in given["PartitionsToDelete"]:
            del self.there[one["Values"][0]]
        return {}


def test_thousands_of_partitions_replace_what_an_earlier_try_left() -> None:
    wanted = {f"o{number}": f"s3://lake/{number}/" for number in range(2345)}
    glue = Glue({**{f"old{number}": "s3://lake/old/" for number in range(60)}, "o7": "s3://else/"})

    clean_data.define(
        glue, "db", "t", [{"object": name, "location": place} for name, place in wanted.items()]
    )

    assert glue.there == wanted
