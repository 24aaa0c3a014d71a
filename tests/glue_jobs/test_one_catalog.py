"""Spark SQL, Athena and the Glue API on the same tables: a job with `--enable-glue-datacatalog`."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from localaws.core import server as http
from localaws.core.aws import start
from localaws.identity.authorization import Mode
from localaws.services import factories
from tests import asking
from tests.identity.test_enforcement import role, statement

FACTORY = "com.amazonaws.glue.catalog.metastore.AWSGlueDataCatalogHiveClientFactory"
SCRIPT = """
from pyspark.sql import SparkSession
spark = SparkSession.builder.enableHiveSupport().getOrCreate()
def rows(sql):
    return [tuple(row) for row in spark.sql(sql).collect()]
def refused(sql):
    try:
        rows(sql)
    except Exception as error:
        print("REFUSED", str(error))
spark.sql("use shop")
# What Athena has made
print(rows("select * from made_parquet where day = '1'"))
spark.sql("insert into made_parquet values (2, 'y', '2')")
spark.sql("insert into made_csv values (1, 'one')")
refused("select * from made_view")
# What Spark makes
numbers = spark.range(2).selectExpr("id as n", "cast(id as string) as k")
numbers.write.partitionBy("k").saveAsTable("shop.saved_parquet")
spark.sql("create table saved_orc stored as orc as select 1 as a, 'x' as b")
spark.sql("create table saved_csv (a int) partitioned by (d string) row format delimited"
          " fields terminated by ';' location 's3://lake/elsewhere'")
spark.sql("insert into saved_csv partition (d='1') values (1)")
spark.conf.set("hive.exec.dynamic.partition.mode", "nonstrict")
spark.sql("insert overwrite table saved_csv partition (d) values (7, '2')")
spark.sql("alter table saved_csv add partition (d='3') location 's3://lake/third'")
spark.sql("alter table saved_csv drop partition (d='3')")
spark.sql("msck repair table found")
print(rows("show partitions saved_csv"), rows("select * from found"))
spark.sql("create view saved_view as select a from saved_orc")
spark.sql("create table gone as select 1 as x")
spark.sql("drop table gone")
spark.range(1).write.format("json").saveAsTable("shop.own")
# What cannot be
spark.sql("create database nowhere")
refused("create table nowhere.t as select 1 as a")
refused("alter table saved_orc rename to other")
refused("create table js (a int) row format serde 'org.openx.data.jsonserde.JsonSerDe'")
refused("select * from iced")
# What the role may not read
print("of day 2", rows("select name from secret_parquet where day = '2'"))
refused("select count(*) from secret_parquet")
refused("select 1 where 1 = (select max(id) from secret_csv)")
refused("create table stolen as select * from secret_csv")
refused("with s as (select * from secret_parquet where day = '1')"
        " insert into made_csv select id, name from s")
refused("from secret_csv insert into made_csv select id, 'a' insert into made_csv select id, 'b'")
spark.catalog.cacheTable("secret_csv")
spark.catalog.cacheTable("secret_parquet")
refused("select id + 1 from secret_csv")
refused("select id + 1 from secret_parquet")
"""
BEFORE = (
    "CREATE TABLE made_parquet WITH (format = 'PARQUET', external_location = 's3://lake/made/',"
    " partitioned_by = ARRAY['day']) AS SELECT 1 AS id, 'x' AS name, '1' AS day",
    "CREATE EXTERNAL TABLE made_csv (id int, name string) ROW FORMAT DELIMITED FIELDS TERMINATED"
    " BY ',' LOCATION 's3://lake/csv/'",
    "CREATE EXTERNAL TABLE found (id int) PARTITIONED BY (p string) ROW FORMAT DELIMITED FIELDS"
    " TERMINATED BY ',' LOCATION 's3://lake/found/'",
    "CREATE VIEW made_view AS SELECT 1 AS one",
    "CREATE TABLE iced (id int) LOCATION 's3://lake/iced/'"
    " TBLPROPERTIES ('table_type' = 'ICEBERG')",
    "CREATE TABLE secret_parquet WITH (format = 'PARQUET', external_location = 's3://lake/secret/',"
    " partitioned_by = ARRAY['day']) AS SELECT * FROM (VALUES (1, 'x', '1'), (2, 'y', '2'))"
    " AS t(id, name, day)",
    "CREATE EXTERNAL TABLE secret_csv (id int) PARTITIONED BY (p string) ROW FORMAT DELIMITED"
    " FIELDS TERMINATED BY ',' LOCATION 's3://lake/secret_csv/'",
    "ALTER TABLE secret_csv ADD PARTITION (p = 'q') LOCATION 's3://lake/hidden/p/'",
)
UNREADABLE = statement(
    "s3:GetObject",
    "arn:aws:s3:::lake/secret/day=1/*",
    "arn:aws:s3:::lake/hidden/p/*",
    Effect="Deny",
)
AFTER = {
    "made_parquet": [["1", "x", "1"], ["2", "y", "2"]],
    "made_csv": [["1", "one"]],
    "saved_parquet": [["0", "0"], ["1", "1"]],
    "saved_orc": [["1", "x"]],
    "saved_csv": [["1", "1"], ["7", "2"]],
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Any]:
    """A local AWS that goes by IAM's policies."""
    listener = http.bind(0)
    url = f"http://{http.HOST}:{listener.server_port}"
    local = start(tmp_path / "home", factories(), url=url, wait_scale=0, policies=Mode.ENFORCE)
    with http.BackgroundServer(listener, local.gateway):
        yield local
        local.stop()


@pytest.fixture
def ask(server: Any) -> Any:
    """Athena's rows of a query, else why it failed."""
    athena = server.client("athena")

    def asked(sql: str) -> Any:
        query, status = asking.ended(athena, sql)
        if status["State"] == "FAILED":
            return status["StateChangeReason"]
        return asking.answer(athena, query)

    return asked


def test_spark_and_athena_read_what_each_other_writes(server: Any, ask: Any) -> None:
    s3, glue = server.client("s3"), server.client("glue")
    s3.create_bucket(Bucket="lake")
    s3.put_object(Bucket="lake", Key="job.py", Body=SCRIPT.encode())
    s3.put_object(Bucket="lake", Key="found/p=q/f.csv", Body=b"5\n")
    s3.put_object(Bucket="lake", Key="hidden/p/f.csv", Body=b"5\n")
    glue.create_database(DatabaseInput={"Name": "shop", "LocationUri": "s3://lake/shop/"})
    assert [ask(sql) for sql in BEFORE] == [[]] * len(BEFORE)
    glue.create_job(
        Name="tables",
        Role=role(server, "glue", "glue", statement("*"), UNREADABLE),
        Command={"Name": "glueetl", "ScriptLocation": "s3://lake/job.py"},
        DefaultArguments={
            "--enable-glue-datacatalog": "",
            "--conf": "spark.sql.codegen.wholeStage=false"
            " --conf spark.sql.codegen.factoryMode=NO_CODEGEN"
            " --conf spark.driver.extraJavaOptions=-XX:TieredStopAtLevel=1",
        },
    )
    run = glue.start_job_run(JobName="tables")["JobRunId"]
    while True:
        record = glue.get_job_run(JobName="tables", RunId=run)["JobRun"]
        if record["JobRunState"] not in ("STARTING", "RUNNING"):
            break
        time.sleep(0.1)

    folder = server.home.directory("glue-runs") / run
    errors = (folder / "error.log").read_text()
    assert record["JobRunState"] == "SUCCEEDED", errors
    output = (folder / "output.log").read_text()
    assert "[(1, 'x', '1')]" in output
    assert "[('d=1',), ('d=2',)] [(5, 'q')]" in output
    assert "the view shop.made_view is Athena's, which Spark does not read" in output
    assert "Can not create a Path from an empty string" in output
    assert "Table rename is not supported: shop.saved_orc" in output
    assert "ClassNotFoundException Class org.openx.data.jsonserde.JsonSerDe not found" in output
    assert "Unable to fetch table iced. StorageDescriptor#InputFormat cannot be null" in output
    assert "of day 2 [('y',)]" in output
    denied = [line for line in output.splitlines() if "Access Denied" in line]
    places = [line.split("s3://lake/")[1].split("/")[0] for line in denied]
    assert places == ["secret", "hidden", "hidden", "secret", "hidden", "hidden", "secret"], output
    assert "WARN localaws: shop.own is a table of Spark's own (json)" in errors

    for table, rows in AFTER.items():
        assert sorted(ask(f"SELECT * FROM {table}")) == rows, table
    assert ask("SELECT * FROM saved_view") == (
        "INVALID_VIEW: View saved_view is not an Athena view (no Presto view text)"
    )
    tables = {one["Name"]: one for one in glue.get_tables(DatabaseName="shop")["TableList"]}
    assert "gone" not in tables
    kept = tables["saved_parquet"]
    assert (kept["TableType"], kept["StorageDescriptor"]["Location"]) == (
        "MANAGED_TABLE",
        "s3://lake/shop/saved_parquet",
    )
    keys = {one["Key"] for one in s3.list_objects_v2(Bucket="lake")["Contents"]}
    assert not any(key.startswith("shop/gone") or "staging" in key for key in keys)


def test_a_table_without_the_catalog_is_told_to_be_lost(
    context: Any, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import spark_tables

    monkeypatch.setitem(sys.modules, "spark_tables", spark_tables)
    spark = context.spark_session
    spark.range(1).write.saveAsTable("lost")
    try:
        spark_tables.warn_of_lost_tables()
    finally:
        spark.sql("drop table lost")
    assert (
        "WARN localaws: the table default.lost is in no catalog and ends" in capfd.readouterr().err
    )


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, False),
        ({"--enable-glue-datacatalog": "false"}, False),
        ({"--enable-glue-datacatalog": ""}, True),
        ({"--enable-glue-datacatalog": "true"}, True),
        ({"--conf": f"spark.hadoop.hive.metastore.client.factory.class={FACTORY}"}, True),
    ],
)
def test_both_ways_of_asking_for_the_catalog(given: dict[str, str], wanted: bool) -> None:
    from localaws.glue_jobs.arguments import resolve

    assert resolve("j", "jr_1", given).catalog is wanted
