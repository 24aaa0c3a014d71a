"""What a crawl writes into the catalog, from real files."""

from __future__ import annotations

import bz2
import gzip
import io
import os
import signal
import time
import zipfile
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError

from localaws.core import orphans

COMBINE = {"Grouping": {"TableGroupingPolicy": "CombineCompatibleSchemas"}}


def strings_classifier(crawls: Any) -> None:
    crawls.glue.create_classifier(
        CsvClassifier={
            "Name": "strings",
            "Delimiter": ",",
            "QuoteSymbol": '"',
            "ContainsHeader": "PRESENT",
            "Serde": "OpenCSVSerDe",
            "CustomDatatypeConfigured": True,
            "CustomDatatypes": ["STRING"],
        }
    )


def test_each_folder_is_a_table_of_strings_with_the_custom_classifier(crawls: Any) -> None:
    strings_classifier(crawls)
    crawls.put("raw/aisles/a.csv", 'aisle_id,aisle\n1,"soups, ""hot"""\n')
    crawls.put("raw/lines/prior.csv", "order_id,product_id\n1,2\n3,4\n")
    crawls.put("raw/lines/train.csv", "order_id,product_id\n5,6\n")
    crawls.create(Classifiers=["strings"])
    crawler = crawls.run()

    assert crawler["LastCrawl"]["Status"] == "SUCCEEDED"
    assert set(crawls.tables()) == {"aisles", "lines"}
    assert crawls.columns("aisles") == {"aisle_id": "string", "aisle": "string"}
    lines = crawls.tables()["lines"]
    assert lines["StorageDescriptor"]["Location"] == "s3://lake/raw/lines/"
    assert lines["StorageDescriptor"]["SerdeInfo"] == {
        "SerializationLibrary": "org.apache.hadoop.hive.serde2.OpenCSVSerde",
        "Parameters": {"separatorChar": ",", "quoteChar": '"'},
    }
    kept = (
        "classification",
        "skip.header.line.count",
        "recordCount",
        "objectCount",
        "UPDATED_BY_CRAWLER",
    )
    assert {k: lines["Parameters"][k] for k in kept} == {
        "classification": "csv",
        "skip.header.line.count": "1",
        "recordCount": "3",
        "objectCount": "2",
        "UPDATED_BY_CRAWLER": "raw",
    }
    metrics = crawls.glue.get_crawler_metrics(CrawlerNameList=["raw"])["CrawlerMetricsList"][0]
    assert (metrics["TablesCreated"], metrics["TablesUpdated"]) == (2, 0)


@pytest.mark.parametrize(
    ("text", "columns", "header"),
    [
        (
            "id,share,name\n1,0.5,a\n2,,b\n",
            {"id": "bigint", "share": "double", "name": "string"},
            True,
        ),
        ("aisle,kind\na,b\nc,d\n", {"col0": "string", "col1": "string"}, False),
        ("id|n\n1|2\n", {"id": "bigint", "n": "bigint"}, True),
        ("1,a\n2,b\n", {"col0": "bigint", "col1": "string"}, False),
        ("Id,Id,\n1,2,3\n", {"id": "bigint", "id_2": "bigint", "col2": "bigint"}, True),
    ],
)
def test_built_in_csv_finds_header_delimiter_and_types(
    crawls: Any, text: str, columns: Any, header: bool
) -> None:
    crawls.put("raw/t/a.csv", text)
    crawls.create("s3://lake/raw/t/")
    crawls.run()

    assert crawls.columns("t") == columns
    assert ("skip.header.line.count" in crawls.tables()["t"]["Parameters"]) is header


def zipped(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.csv", data)
    return buffer.getvalue()


PACKED = (("zipped", "gzip"), ("bz", "bzip2"), ("archive", "zip"), ("snappy", "snappy"))


def hadoop_snappy(data: bytes) -> bytes:
    packed = bytes(pa.Codec("snappy").compress(data, asbytes=True))
    return len(data).to_bytes(4, "big") + len(packed).to_bytes(4, "big") + packed


def test_packed_files_json_and_parquet_are_read(crawls: Any) -> None:
    crawls.put("raw/zipped/a.csv.gz", gzip.compress(b"id,n\n1,x\n2,y\n"))
    crawls.put("raw/bz/a.csv.bz2", bz2.compress(b"id,n\n1,x\n2,y\n"))
    crawls.put("raw/archive/a.zip", zipped(b"id,n\n1,x\n2,y\n"))
    crawls.put("raw/snappy/a.csv.snappy", hadoop_snappy(b"id,n\n1,x\n2,y\n"))
    crawls.put("raw/array/a.json", '[{"a": 1},\n {"a": 2, "b": "x"}]\n')
    crawls.put("raw/events/a.json", '{"a":1,"b":{"c":[1.5]}}\n{"a":3000000000}\n')
    buffer = io.BytesIO()
    pq.write_table(
        pa.table({"Id": pa.array([1], pa.int32()), "at": pa.array([0], pa.timestamp("ms"))}), buffer
    )
    crawls.put("raw/orders/a.parquet", buffer.getvalue())
    crawls.put("raw/orders/_SUCCESS", "")
    crawls.create()
    crawls.run()

    for table, compression in PACKED:
        assert crawls.columns(table) == {"id": "bigint", "n": "string"}
        assert crawls.tables()[table]["Parameters"]["compressionType"] == compression
        assert crawls.tables()[table]["Parameters"]["recordCount"] == "2"
    assert crawls.columns("array") == {"array": "array<struct<a:int,b:string>>"}
    assert crawls.columns("events") == {"a": "bigint", "b": "struct<c:array<double>>"}
    assert crawls.columns("orders") == {"id": "int", "at": "timestamp"}


def test_folders_named_k_v_and_plain_ones_are_partitions(crawls: Any) -> None:
    for year, month in (("2020", "01"), ("2021", "02")):
        crawls.put(f"raw/sales/year={year}/{month}/a.csv", "id,n\n1,x\n")
    crawls.create("s3://lake/raw/sales/")
    crawls.run()

    table = crawls.tables()["sales"]
    assert table["PartitionKeys"] == [
        {"Name": "year", "Type": "string"},
        {"Name": "partition_1", "Type": "string"},
    ]
    found = crawls.glue.get_partitions(DatabaseName="shop", TableName="sales")["Partitions"]
    assert [p["Values"] for p in found] == [["2020", "01"], ["2021", "02"]]
    assert found[0]["StorageDescriptor"]["Location"] == "s3://lake/raw/sales/year=2020/01/"
    only = crawls.glue.get_partitions(
        DatabaseName="shop", TableName="sales", Expression="year > '2020' AND partition_1 IN ('02')"
    )
    assert [p["Values"] for p in only["Partitions"]] == [["2021", "02"]]


def test_a_table_level_settles_which_folders_are_tables(crawls: Any) -> None:
    crawls.put("raw/a/x/1.csv", "id,n\n1,x\n")
    crawls.put("raw/a/y/2.csv", "id,n,more\n1,x,2\n")
    crawls.put("raw/b/3.csv", "id,n\n1,x\n")
    crawls.create(
        configuration={
            "Version": 1.0,
            "Grouping": {**COMBINE["Grouping"], "TableLevelConfiguration": 3},
        }
    )
    crawls.run()

    assert set(crawls.tables()) == {"a", "b"}
    assert crawls.columns("a") == {"id": "bigint", "n": "string", "more": "bigint"}
    assert [k["Name"] for k in crawls.tables()["a"]["PartitionKeys"]] == ["partition_0"]


def test_files_of_different_schemas_in_one_folder_are_several_tables(crawls: Any) -> None:
    crawls.put("raw/mixed/one.csv", "id,n\n1,x\n")
    crawls.put("raw/mixed/two.csv", "a,b,c\n1.5,2,3\n")
    crawls.create("s3://lake/raw/mixed/")
    crawls.run()
    assert set(crawls.tables()) == {"one_csv", "two_csv"}


def test_exclusions_and_names(crawls: Any) -> None:
    crawls.put("raw/My-Data 1/a.csv", "id,n\n1,x\n")
    crawls.put("raw/skip/deep/b.csv", "other,m,o\n1,2,3\n")
    crawls.put("raw/My-Data 1/c.bak", "other,m,o\n1,2,3\n")
    crawls.create(
        exclusions=["skip/**", "*/*.{bak,tmp}"],
        TablePrefix="pre_",
        configuration={"Version": 1.0, "Grouping": {"TableLevelConfiguration": 3}},
    )
    crawls.run()
    assert set(crawls.tables()) == {"pre_my_data_1"}


@pytest.mark.parametrize(
    ("behaviour", "left"),
    [("DELETE_FROM_DATABASE", set()), ("DEPRECATE_IN_DATABASE", {"t"}), ("LOG", {"t"})],
)
def test_a_folder_that_became_empty_follows_the_policy(
    crawls: Any, behaviour: str, left: set[str]
) -> None:
    crawls.put("raw/t/a.csv", "id,n\n1,x\n")
    crawls.create(
        "s3://lake/raw/t/",
        SchemaChangePolicy={"UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": behaviour},
    )
    crawls.run()
    crawls.s3.delete_object(Bucket="lake", Key="raw/t/a.csv")
    assert crawls.run()["LastCrawl"]["Status"] == "SUCCEEDED"

    assert set(crawls.tables()) == left
    if behaviour == "DEPRECATE_IN_DATABASE":
        assert "DEPRECATED_BY_CRAWLER" in crawls.tables()["t"]["Parameters"]


@pytest.mark.parametrize(
    ("behaviour", "columns"),
    [
        ("UPDATE_IN_DATABASE", {"id": "double", "n": "string", "k": "bigint"}),
        ("LOG", {"id": "bigint", "n": "string"}),
    ],
)
def test_a_changed_schema_follows_the_policy(crawls: Any, behaviour: str, columns: Any) -> None:
    crawls.put("raw/t/a.csv", "id,n\n1,x\n")
    crawls.create(
        "s3://lake/raw/t/",
        SchemaChangePolicy={"UpdateBehavior": behaviour, "DeleteBehavior": "LOG"},
    )
    crawls.run()
    crawls.put("raw/t/a.csv", "id,n,k\n1.5,x,3\n")
    crawls.run()
    assert crawls.columns("t") == columns


def test_a_crawl_of_nothing_succeeds_without_a_table_and_of_no_bucket_fails(crawls: Any) -> None:
    crawls.create("s3://lake/none/")
    assert crawls.run()["LastCrawl"]["Status"] == "SUCCEEDED"
    assert crawls.tables() == {}
    crawls.glue.update_crawler(Name="raw", Targets={"S3Targets": [{"Path": "s3://nowhere/x/"}]})
    last = crawls.run()["LastCrawl"]
    assert last["Status"] == "FAILED"
    assert "bucket" in last["ErrorMessage"].lower()


def test_a_broken_file_fails_the_crawl_and_names_it(crawls: Any) -> None:
    crawls.put("raw/t/a.parquet", b"PAR1 this is no parquet")
    crawls.create("s3://lake/raw/t/")
    last = crawls.run()["LastCrawl"]
    assert last["Status"] == "FAILED"
    assert "s3://lake/raw/t/a.parquet" in last["ErrorMessage"]


def test_a_crawler_runs_once_at_a_time_and_can_be_stopped(crawls: Any) -> None:
    crawls.put("raw/t/a.csv", "id,n\n1,x\n")
    crawls.create("s3://lake/raw/t/")
    crawls.run()
    crawls.glue.delete_table(DatabaseName="shop", Name="t")
    (worker,) = orphans.marked(orphans.home_mark(crawls.local.home.root))
    os.kill(worker, signal.SIGSTOP)  # the next crawl takes a while
    crawls.glue.start_crawler(Name="raw")
    assert crawls.glue.get_crawler(Name="raw")["Crawler"]["State"] == "RUNNING"
    with pytest.raises(ClientError) as caught:
        crawls.glue.start_crawler(Name="raw")
    assert caught.value.response["Error"]["Code"] == "CrawlerRunningException"
    crawls.glue.stop_crawler(Name="raw")
    assert crawls.glue.get_crawler(Name="raw")["Crawler"]["State"] == "STOPPING"
    os.kill(worker, signal.SIGCONT)
    while crawls.glue.get_crawler(Name="raw")["Crawler"]["State"] != "READY":
        pass
    assert crawls.glue.get_crawler(Name="raw")["Crawler"]["LastCrawl"]["Status"] == "CANCELLED"
    assert crawls.tables() == {}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"RecrawlPolicy": {"RecrawlBehavior": "CRAWL_EVENT_MODE"}},
            "RecrawlPolicy.RecrawlBehavior CRAWL_EVENT_MODE",
        ),
        ({"Classifiers": ["nope"]}, "Classifier nope not found"),
        ({"Configuration": '{"Version":1.0,"Surprise":1}'}, "Configuration.Surprise"),
    ],
)
def test_what_a_crawler_cannot_do_is_refused_by_name(crawls: Any, given: Any, message: str) -> None:
    with pytest.raises(ClientError, match=message):
        crawls.create(**given)


def test_a_crawl_that_a_restart_cut_off_is_done_again(crawls: Any) -> None:
    crawls.create()
    documents = crawls.local.documents
    documents.put(
        "glue-crawlers",
        "raw",
        {
            **documents.get("glue-crawlers", "raw"),
            "State": "RUNNING",
            "StartedAt": crawls.local.clock.now(),
        },
    )
    crawls.local.gateway.services["glue"].starters[0]()  # of the crawlers, which come first
    until = time.monotonic() + 60
    while (crawler := crawls.glue.get_crawler(Name="raw")["Crawler"])["State"] != "READY":
        assert time.monotonic() < until
        time.sleep(0.02)
    assert crawler["LastCrawl"]["Status"] == "SUCCEEDED"


def test_catalog_errors_are_glues(crawls: Any) -> None:
    glue = crawls.glue
    for call, code in (
        (lambda: glue.get_table(DatabaseName="shop", Name="t"), "EntityNotFoundException"),
        (lambda: glue.get_database(Name="nope"), "EntityNotFoundException"),
        (lambda: glue.create_database(DatabaseInput={"Name": "SHOP"}), "AlreadyExistsException"),
        (
            lambda: glue.get_partition(DatabaseName="shop", TableName="t", PartitionValues=["1"]),
            "EntityNotFoundException",
        ),
        (
            lambda: glue.get_partition_indexes(DatabaseName="shop", TableName="t"),
            "EntityNotFoundException",
        ),
    ):
        with pytest.raises(ClientError) as caught:
            call()
        assert caught.value.response["Error"]["Code"] == code


def test_tags_are_kept(crawls: Any) -> None:
    crawls.create(Tags={"project": "shop"})
    arn = f"arn:aws:glue:{crawls.local.region}:000000000000:crawler/raw"
    crawls.glue.tag_resource(ResourceArn=arn, TagsToAdd={"stage": "test"})
    crawls.glue.untag_resource(ResourceArn=arn, TagsToRemove=["project"])
    assert crawls.glue.get_tags(ResourceArn=arn)["Tags"] == {"stage": "test"}


@pytest.mark.parametrize(
    ("lines", "columns"),
    [
        (['{"n":{"x":1}}', '{"n":{"x":2,"y":3}}'], {"n": "struct<x:int,y:int>"}),
        (['{"a":[1,2]}', '{"a":[]}'], {"a": "array<int>"}),
        (['{"a":null}', '{"a":5}'], {"a": "int"}),
        (['{"a":[{"x":1},{"x":2.5,"Y":"z"}]}'], {"a": "array<struct<x:double,y:string>>"}),
        (['{"a":[null]}', '{"a":null}'], {"a": "array<string>"}),
        (['{"a":1}', '{"a":"x"}'], {"a": "string"}),
    ],
)
def test_json_types_of_several_rows_become_one(
    crawls: Any, lines: list[str], columns: dict[str, str]
) -> None:
    crawls.put("raw/t/a.json", "".join(f"{line}\n" for line in lines))
    crawls.create("s3://lake/raw/t/")
    crawls.run()
    assert crawls.columns("t") == columns


def test_parts_whose_numbers_differ_are_one_table_and_truth_values_are_boolean(
    crawls: Any,
) -> None:
    crawls.put("raw/t/a.csv", "id,ok\n2,True\n")
    crawls.put("raw/t/b.csv", "id,ok\n2.5,False\n")
    crawls.create("s3://lake/raw/t/")
    crawls.run()
    assert set(crawls.tables()) == {"t"}
    assert crawls.columns("t") == {"id": "double", "ok": "boolean"}


@pytest.mark.parametrize("combine", [False, True])
def test_combining_makes_one_table_of_unlike_folders(crawls: Any, combine: bool) -> None:
    """The example of https://docs.aws.amazon.com/glue/latest/dg/crawler-grouping-policy.html."""
    crawls.put("table1/year=2017/data1.json", '{"A":1,"B":2}\n')
    crawls.put("table1/year=2018/data2.json", '{"C":3,"D":4}\n')
    crawls.create(
        "s3://lake/table1/", configuration={"Version": 1.0, **COMBINE} if combine else None
    )
    crawls.run()
    if not combine:
        assert set(crawls.tables()) == {"year_2017", "year_2018"}
        return
    assert crawls.columns("table1") == {"a": "int", "b": "int", "c": "int", "d": "int"}
    assert crawls.tables()["table1"]["PartitionKeys"] == [{"Name": "year", "Type": "string"}]


def test_a_crawler_without_a_database_fills_the_default_one(crawls: Any) -> None:
    crawls.put("raw/t/a.csv", "id,n\n1,x\n")
    crawls.glue.create_crawler(
        Name="raw", Role="crawler", Targets={"S3Targets": [{"Path": "s3://lake/raw/t/"}]}
    )
    assert crawls.run()["DatabaseName"] == "default"
    found = crawls.glue.get_tables(DatabaseName="default")["TableList"]
    assert [table["Name"] for table in found] == ["t"]
