"""Crawls of Iceberg tables that no catalog here knows: made by Athena in another database."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests import asking


@pytest.fixture
def ask(crawls: Any) -> Any:
    return partial(asking.rows, crawls.local.client("athena"), database="others")


def create(crawls: Any, **target: Any) -> None:
    crawls.glue.create_crawler(
        Name="raw",
        Role="crawler",
        DatabaseName="shop",
        TablePrefix="ice_",
        Targets={"IcebergTargets": [{"Paths": ["s3://lake/wide"], **target}]},
    )


def test_each_folder_of_metadata_is_a_table_at_its_latest_version(crawls: Any, ask: Any) -> None:
    crawls.glue.create_database(DatabaseInput={"Name": "others"})
    for name, place in (("orders", "wide/orders"), ("deep", "wide/a/b/deep")):
        ask(
            f"CREATE TABLE {name} (id bigint, day date) LOCATION 's3://lake/{place}/'"
            " TBLPROPERTIES ('table_type' = 'ICEBERG')"
        )
    create(crawls, MaximumTraversalDepth=2)
    assert crawls.run()["LastCrawl"]["Status"] == "SUCCEEDED"
    assert set(crawls.tables()) == {"ice_orders"}
    assert ask("SELECT * FROM ice_orders", database="shop") == []

    ask("ALTER TABLE orders ADD COLUMNS (note string)")
    ask("INSERT INTO orders VALUES (1, DATE '2026-11-30', 'x')")
    crawls.run()
    assert ask("SELECT * FROM ice_orders", database="shop") == [["1", "2026-11-30", "x"]]
    table = crawls.tables()["ice_orders"]
    assert crawls.columns("ice_orders") == {"id": "bigint", "day": "date", "note": "string"}
    there = crawls.glue.get_table(DatabaseName="others", Name="orders")["Table"]
    assert table["StorageDescriptor"]["Columns"] == there["StorageDescriptor"]["Columns"]
    for parameter in ("table_type", "metadata_location"):
        assert table["Parameters"][parameter] == there["Parameters"][parameter]

    crawls.put("wide/broken/metadata/v1.metadata.json", "{}")
    ended = crawls.run()["LastCrawl"]
    assert ended["Status"] == "FAILED"
    assert ended["ErrorMessage"].startswith(
        "s3://lake/wide/broken/metadata/v1.metadata.json is no metadata of an Iceberg table"
    )


def test_a_depth_is_1_to_20(crawls: Any) -> None:
    with pytest.raises(ClientError, match="is 1 to 20"):
        create(crawls, MaximumTraversalDepth=21)
