"""Crawls of tables that are there: docs.aws.amazon.com/glue/latest/dg/crawler-data-stores.html"""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

TABLE = {"CatalogTargets": [{"DatabaseName": "shop", "Tables": ["sales"]}]}
LOG = {"UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": "LOG"}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"Targets": TABLE}, "it is LOG for catalog targets"),
        ({"Targets": {**TABLE, "S3Targets": [{"Path": "s3://lake/raw/"}]},
          "SchemaChangePolicy": LOG}, "are given with others"),
        ({"Targets": {}}, "and all others are empty"),
    ],
)  # fmt: skip
def test_catalog_targets_stand_alone_and_delete_nothing(
    crawls: Any, given: dict[str, Any], told: str
) -> None:
    with pytest.raises(ClientError, match=told) as error:
        crawls.glue.create_crawler(Name="raw", Role="crawler", DatabaseName="shop", **given)
    assert error.value.response["Error"]["Code"] == "InvalidInputException"


def test_a_table_that_is_there_gets_its_columns_and_partitions_and_no_table_is_made(
    crawls: Any,
) -> None:
    crawls.put("sales/2026-01-01/a.csv", "id,paid\n1,2\n2,3\n")
    crawls.put("sales/2026-01-02/a.csv", "id,paid,shop\n3,4,x\n")
    place = {"Columns": [{"Name": "id", "Type": "string"}], "Location": "s3://lake/sales/"}
    days = [{"Name": "day", "Type": "string"}]
    table = {"Name": "sales", "StorageDescriptor": place, "PartitionKeys": days}
    crawls.glue.create_table(DatabaseName="shop", TableInput=table)
    crawls.glue.create_crawler(Name="raw", Role="crawler", Targets=TABLE, SchemaChangePolicy=LOG)

    crawler = crawls.run()

    assert crawler["LastCrawl"]["Status"] == "SUCCEEDED", crawler["LastCrawl"]
    assert crawls.columns("sales") == {"id": "bigint", "paid": "bigint", "shop": "string"}
    assert crawls.tables()["sales"]["PartitionKeys"] == days
    partitions = crawls.glue.get_partitions(DatabaseName="shop", TableName="sales")["Partitions"]
    assert [one["Values"] for one in partitions] == [["2026-01-01"], ["2026-01-02"]]
    assert set(crawls.tables()) == {"sales"}

    crawls.put("sales/2026-01-02/b.json", '{"id": 1}\n')
    assert crawls.run()["LastCrawl"]["ErrorMessage"] == (
        "Table shop.sales has files of schemas that are not compatible."
    )
    assert crawls.columns("sales") == {"id": "bigint", "paid": "bigint", "shop": "string"}
    assert [one["Name"] for one in crawls.glue.get_databases()["DatabaseList"]] == ["shop"]
