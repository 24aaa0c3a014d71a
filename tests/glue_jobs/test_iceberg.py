"""Iceberg tables that Spark and Athena write in turn: a job with `--datalake-formats iceberg`."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import pytest

from localaws.errors import NotEmulated
from localaws.glue_jobs import iceberg
from localaws.glue_jobs.arguments import check
from tests import asking

CONF = " --conf ".join(
    (
        "spark.sql.extensions=org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        "spark.sql.catalog.glue_catalog=org.apache.iceberg.spark.SparkCatalog",
        "spark.sql.catalog.glue_catalog.warehouse=s3://lake/warehouse/",
        "spark.sql.catalog.glue_catalog.catalog-impl=org.apache.iceberg.aws.glue.GlueCatalog",
        "spark.sql.catalog.glue_catalog.io-impl=org.apache.iceberg.aws.s3.S3FileIO",
        "spark.sql.codegen.wholeStage=false",
        "spark.sql.codegen.factoryMode=NO_CODEGEN",
        "spark.driver.extraJavaOptions=-XX:TieredStopAtLevel=1",
    )
)
SCRIPT = """
from awsglue.context import GlueContext
from pyspark.context import SparkContext
glueContext = GlueContext(SparkContext())
spark = glueContext.spark_session
table = "glue_catalog.shop.orders"
print(sorted(tuple(row) for row in spark.table("glue_catalog.shop.made").collect()))
spark.sql("insert into glue_catalog.shop.made values (2, 'spark')")
rows = spark.createDataFrame([(1, "a", "x"), (2, "b", "y")], "id int, name string, day string")
rows.createOrReplaceTempView("rows")
spark.sql(f"create table {table} using iceberg partitioned by (day)"
          " tblproperties ('format-version' = '2') as select * from rows")
spark.sql(f"merge into {table} t using (select 2 as id, 'B' as name, 'y' as day union all"
          " select 3, 'c', 'z') s on t.id = s.id when matched then update set *"
          " when not matched then insert *")
rows.where("id = 1").withColumn("id", rows.id + 10).writeTo(table).append()
spark.sql(f"delete from {table} where id = 1")
rows.writeTo("glue_catalog.shop.gone").create()
spark.sql("drop table glue_catalog.shop.gone")
df = glueContext.create_data_frame.from_catalog(database="shop", table_name="made")
glueContext.write_data_frame.from_catalog(
    frame=df.where("id = 2").selectExpr("'frame' as by", "id + 1 as id"),
    database="shop", table_name="made", additional_options={})
print(sorted(row.tableName for row in spark.sql("show tables in glue_catalog.shop").collect()))
"""


@pytest.fixture
def ask(server: Any) -> Any:
    return partial(asking.rows, server.client("athena"))


@pytest.mark.skipif(iceberg.jar() is None, reason="needs the extra `iceberg`")
def test_spark_and_athena_write_the_same_iceberg_tables(server: Any, ask: Any) -> None:
    s3, glue = server.client("s3"), server.client("glue")
    s3.create_bucket(Bucket="lake")
    s3.put_object(Bucket="lake", Key="job.py", Body=SCRIPT.encode())
    glue.create_database(DatabaseInput={"Name": "shop"})
    ask(
        "CREATE TABLE made (id int, by string) LOCATION 's3://lake/made/'"
        " TBLPROPERTIES ('table_type' = 'ICEBERG')"
    )
    ask("INSERT INTO made VALUES (1, 'athena')")
    glue.create_job(
        Name="ice",
        Role="arn:aws:iam::000000000000:role/glue",
        Command={"Name": "glueetl", "ScriptLocation": "s3://lake/job.py"},
        DefaultArguments={"--datalake-formats": "iceberg", "--conf": CONF},
    )
    run = glue.start_job_run(JobName="ice")["JobRunId"]
    while True:
        record = glue.get_job_run(JobName="ice", RunId=run)["JobRun"]
        if record["JobRunState"] not in ("STARTING", "RUNNING"):
            break
        time.sleep(0.1)

    folder = server.home.directory("glue-runs") / run
    assert record["JobRunState"] == "SUCCEEDED", (folder / "error.log").read_text()[-6000:]
    assert (folder / "output.log").read_text().splitlines() == [
        "[(1, 'athena')]",
        "['made', 'orders']",
    ]
    assert ask("SELECT * FROM made ORDER BY id") == [
        ["1", "athena"],
        ["2", "spark"],
        ["3", "frame"],
    ]
    assert ask("SELECT * FROM orders ORDER BY id") == [
        ["2", "B", "y"],
        ["3", "c", "z"],
        ["11", "a", "x"],
    ]
    ask("INSERT INTO orders VALUES (12, 'athena', 'x')")
    assert ask("SELECT name FROM orders WHERE id = 12") == [["athena"]]
    table = glue.get_table(DatabaseName="shop", Name="orders")["Table"]
    assert set(table["Parameters"]) == {
        "table_type", "metadata_location", "previous_metadata_location",
    }  # fmt: skip
    assert table["StorageDescriptor"]["Location"] == "s3://lake/warehouse/shop.db/orders"
    assert "InputFormat" not in table["StorageDescriptor"]


def test_other_lakes_and_iceberg_without_its_runtime_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(NotEmulated, match="datalake-formats=hudi"):
        check("CreateJob", "glueetl", {"--datalake-formats": "hudi"})
    monkeypatch.setattr(iceberg, "PACKAGE", "not_installed_here")
    with pytest.raises(NotEmulated, match="pip install not-installed-here"):
        check("CreateJob", "glueetl", {"--datalake-formats": "iceberg"})
