"""Crawls of new folders alone: docs.aws.amazon.com/glue/latest/dg/incremental-crawls.html"""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

NEW = {"RecrawlPolicy": {"RecrawlBehavior": "CRAWL_NEW_FOLDERS_ONLY"}}
LOG = {"UpdateBehavior": "LOG", "DeleteBehavior": "LOG"}


def partitions(crawls: Any, table: str = "sales") -> list[list[str]]:
    found = crawls.glue.get_partitions(DatabaseName="shop", TableName=table)["Partitions"]
    return [each["Values"] for each in found]


def log(crawls: Any) -> str:
    return str((crawls.local.home.directory("crawler-logs") / "raw.log").read_text())


def test_only_new_folders_are_read_and_become_partitions(crawls: Any) -> None:
    for day in ("1", "2"):
        crawls.put(f"raw/sales/day={day}/a.csv", "id,paid\n1,2\n")
    crawls.create("s3://lake/raw/sales/", **NEW)
    assert crawls.run()["SchemaChangePolicy"] == LOG
    assert partitions(crawls) == [["1"], ["2"]]

    crawls.s3.delete_object(Bucket="lake", Key="raw/sales/day=1/a.csv")
    crawls.put("raw/sales/day=2/b.csv", "it,is,other\nx,y,1\n")  # of a folder that was read
    crawls.put("raw/sales/day=3/a.csv", "id,paid\n3,4\n")
    crawls.put("raw/sales/day=4/a.json", '{"id": 1}\n')
    crawls.put("raw/sales/deep/day=5/a.csv", "id,paid\n3,4\n")
    crawls.put("raw/sales/day=6/a.png", b"\x89PNG\x00\x00")
    assert crawls.run()["LastCrawl"]["Status"] == "SUCCEEDED"

    assert set(crawls.tables()) == {"sales"}
    assert crawls.columns("sales") == {"id": "bigint", "paid": "bigint"}
    assert partitions(crawls) == [["1"], ["2"], ["3"]]
    told = log(crawls)
    for key in ("day=4/a.json", "deep/day=5/a.csv"):
        assert f"INFO : s3://lake/raw/sales/{key} fits no table of database shop" in told
    assert "WARN : s3://lake/raw/sales/day=6/a.png was not recognised by any classifier." in told

    crawls.put("raw/sales/day=7/a.csv", "id,paid\n3,4\n")
    crawls.run()
    assert partitions(crawls) == [["1"], ["2"], ["3"], ["7"]]
    assert log(crawls).count("day=4/a.json") == 1  # its folder is known by now


@pytest.mark.parametrize(
    ("given", "told"),  # the first two as AWS says it, recorded in public threads
    [
        ({"SchemaChangePolicy": {**LOG, "DeleteBehavior": "DELETE_FROM_DATABASE"}},
         "can have only LOG DeleteBehavior value and LOG UpdateBehavior value"),
        ({"Targets": {"DynamoDBTargets": [{"Path": "t"}]}}, "can only apply to Amazon S3 target"),
        ({"Targets": {"S3Targets": [{"Path": "s3://lake/", "SampleSize": 250}]}}, "is 1 to 249"),
    ],
)  # fmt: skip
def test_what_does_not_go_with_new_folders(crawls: Any, given: dict[str, Any], told: str) -> None:
    targets = {"Targets": {"S3Targets": [{"Path": "s3://lake/raw/"}]}}
    with pytest.raises(ClientError, match=told) as error:
        crawls.glue.create_crawler(Name="raw", Role="r", DatabaseName="d", **targets | NEW | given)
    assert error.value.response["Error"]["Code"] == "InvalidInputException"


def test_the_targets_stay_as_long_as_new_folders_are_crawled(crawls: Any) -> None:
    crawls.create(**NEW)
    other = {"S3Targets": [{"Path": "s3://lake/other/"}]}
    with pytest.raises(ClientError, match="the S3 targets cannot be changed"):
        crawls.glue.update_crawler(Name="raw", Targets=other)
    everything = {"RecrawlBehavior": "CRAWL_EVERYTHING"}
    crawls.glue.update_crawler(Name="raw", Targets=other, RecrawlPolicy=everything)


def test_a_sample_of_each_folder_is_read(crawls: Any) -> None:
    for day in ("1", "2"):
        crawls.put(f"raw/sales/day={day}/a.csv", "id,paid\n1,2\n")
        crawls.put(f"raw/sales/day={day}/b.csv", b"\x1f\x8b nothing that could be read")
    target = {"Path": "s3://lake/raw/sales/", "SampleSize": 1}
    crawls.glue.create_crawler(
        Name="raw", Role="r", DatabaseName="shop", Targets={"S3Targets": [target]}
    )
    assert crawls.run()["LastCrawl"]["Status"] == "SUCCEEDED"
    assert partitions(crawls) == [["1"], ["2"]]
