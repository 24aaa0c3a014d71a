"""Recipe jobs from the API to the objects they leave, with the real engine."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError

from localaws.core.signals import JobEnded
from tests.databrew.conftest import DataBrew, step

ORDERS = 'order_id,user_id,note\n1,7,"a, b"\n2,7,\n3,8,"say ""hi"""\n'


def rows(brew: DataBrew, prefix: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for key in brew.keys(prefix):
        found += pq.read_table(brew.aws.objects.path("lake", key)).to_pylist()
    return found


def test_a_published_recipe_turns_csv_into_parquet(brew: DataBrew) -> None:
    brew.put("raw/orders/orders.csv", ORDERS)
    brew.dataset("orders", "raw/orders/", Format="CSV")
    brew.recipe(
        "count",
        step(
            "GROUP_BY",
            sourceColumns=["user_id"],
            groupByAggFunctionOptions=[
                {
                    "sourceColumnName": "order_id",
                    "targetColumnName": "orders",
                    "targetColumnDataType": "int",
                    "functionName": "COUNT",
                }
            ],
            useNewDataFrame="true",
        ),
        step("SORT", expressions=[{"sourceColumn": "user_id", "ordering": "DESCENDING"}]),
    )
    brew.job("count-orders", "orders", "count", CompressionFormat="SNAPPY")
    ended: list[dict[str, Any]] = []
    brew.aws.signals.subscribe(JobEnded, lambda signal: ended.append(asdict(signal)))

    run = brew.run("count-orders")

    assert run["State"] == "SUCCEEDED", run
    (key,) = brew.keys("out/")
    assert re.fullmatch(
        r"out/count-orders/(count-orders_\d{2}[A-Z][a-z]{2}\d{4}_\d{13})/\1"
        r"_part00000\.parquet\.snappy",
        key,
    )
    assert rows(brew, "out/") == [{"user_id": 8, "orders": 1}, {"user_id": 7, "orders": 2}]
    assert run["RecipeReference"] == {"Name": "count", "RecipeVersion": "1.0"}
    assert run["Outputs"][0]["Location"] == {"Bucket": "lake", "Key": "out/count-orders/"}
    assert run["RunId"].startswith("db_")
    assert ended == [{"service": "databrew", "id": run["RunId"]}]


def test_a_catalog_table_is_read_as_its_serde_reads_it(brew: DataBrew) -> None:
    brew.put("raw/orders/one.csv", ORDERS)
    glue = brew.aws.client("glue")
    glue.create_database(DatabaseInput={"Name": "raw"})
    glue.create_table(
        DatabaseName="raw",
        TableInput={
            "Name": "orders",
            "StorageDescriptor": {
                "Location": "s3://lake/raw/orders/",
                "Columns": [
                    {"Name": name, "Type": "string"} for name in ("order_id", "user_id", "note")
                ],
                "SerdeInfo": {
                    "SerializationLibrary": "org.apache.hadoop.hive.serde2.OpenCSVSerde",
                    "Parameters": {"separatorChar": ",", "quoteChar": '"', "escapeChar": "\\"},
                },
            },
            "Parameters": {"skip.header.line.count": "1", "classification": "csv"},
        },
    )
    brew.client.create_dataset(
        Name="orders",
        Input={"DataCatalogInputDefinition": {"DatabaseName": "raw", "TableName": "orders"}},
    )
    brew.recipe("typed", step("CHANGE_DATA_TYPE", sourceColumn="order_id", columnDataType="long"))
    brew.job("typed", "orders", "typed")

    assert brew.run("typed")["State"] == "SUCCEEDED"
    assert rows(brew, "out/") == [
        {"order_id": 1, "user_id": "7", "note": "a, b"},
        {"order_id": 2, "user_id": "7", "note": ""},
        {"order_id": 3, "user_id": "8", "note": 'say "hi"'},
    ]


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        (["7", "007", "+5", " 5 ", "-3", "", "x", "5 5"], [7, 7, 5, 5, -3, None, None, None]),
        (["7", "1e3", "1_000", "0x1F", "3.7", "0b11"], [7, None, None, None, 3, None]),
    ],
    ids=["bytes that say that DuckDB's casts are Spark's", "bytes that do not"],
)
def test_texts_of_a_table_become_whole_numbers_as_spark_casts_them(
    brew: DataBrew, cells: list[str], found: list[int | None]
) -> None:
    brew.put("raw/n/one.csv", "ee_.e\n" + "".join(f'"{cell}"\n' for cell in cells))
    glue = brew.aws.client("glue")
    glue.create_database(DatabaseInput={"Name": "raw"})
    glue.create_table(
        DatabaseName="raw",
        TableInput={
            "Name": "n",
            "StorageDescriptor": {
                "Location": "s3://lake/raw/n/",
                "Columns": [{"Name": "n", "Type": "string"}],
                "SerdeInfo": {
                    "SerializationLibrary": "org.apache.hadoop.hive.serde2.OpenCSVSerde",
                    "Parameters": {"separatorChar": ",", "quoteChar": '"', "escapeChar": "\\"},
                },
            },
            "Parameters": {"skip.header.line.count": "1"},
        },
    )
    brew.client.create_dataset(
        Name="n", Input={"DataCatalogInputDefinition": {"DatabaseName": "raw", "TableName": "n"}}
    )
    brew.recipe("typed", step("CHANGE_DATA_TYPE", sourceColumn="n", columnDataType="int"))
    brew.job("typed", "n", "typed")

    assert brew.run("typed")["State"] == "SUCCEEDED"
    assert [row["n"] for row in rows(brew, "out/")] == found


def test_partition_columns_become_folders_and_leave_the_files(brew: DataBrew) -> None:
    brew.put("raw/orders.csv", ORDERS)
    brew.dataset("orders", "raw/orders.csv")
    brew.recipe("keep", step("DELETE", sourceColumns=["note"]))
    brew.job("keep", "orders", "keep", PartitionColumns=["user_id"])

    assert brew.run("keep")["State"] == "SUCCEEDED"
    assert [key.split("/")[3] for key in brew.keys("out/")] == ["user_id=7", "user_id=8"]
    assert rows(brew, "out/") == [{"order_id": 1}, {"order_id": 2}, {"order_id": 3}]


def test_a_folder_named_like_a_partition_adds_no_column(brew: DataBrew) -> None:
    brew.put("runs/run=r1/orders.csv", ORDERS)
    brew.dataset("orders", "runs/run=r1/", Format="CSV")
    brew.recipe("keep", step("DELETE", sourceColumns=["note"]))
    brew.job("first", "orders", "keep", Location={"Bucket": "lake", "Key": "runs/run=r2/clean"})
    brew.dataset("clean", "runs/run=r2/clean", Format="PARQUET")
    brew.recipe("upper", step("RENAME", sourceColumn="user_id", targetColumn="user"))
    brew.job("second", "clean", "upper")

    assert brew.run("first")["State"] == "SUCCEEDED"
    assert brew.run("second")["State"] == "SUCCEEDED"
    assert rows(brew, "out/")[0] == {"order_id": 1, "user": 7}


def test_overwrite_replaces_what_was_at_the_location(brew: DataBrew) -> None:
    brew.put("raw/orders.csv", ORDERS)
    brew.put("out/csv/old.csv", "old")
    brew.dataset("orders", "raw/orders.csv")
    brew.recipe("upper", step("UPPER_CASE", sourceColumn="note"))
    brew.job("csv", "orders", "upper", Format="CSV", CompressionFormat="GZIP", Overwrite=True)

    assert brew.run("csv")["State"] == "SUCCEEDED"
    assert brew.run("csv")["State"] == "SUCCEEDED"

    (key,) = brew.keys("out/")
    assert re.fullmatch(r"out/csv/csv_part00000\.csv\.gz", key)


def test_a_step_that_does_not_fit_the_data_fails_the_run_by_number(brew: DataBrew) -> None:
    brew.put("raw/orders.csv", ORDERS)
    brew.dataset("orders", "raw/orders.csv")
    brew.recipe(
        "wrong",
        step("UPPER_CASE", sourceColumn="note"),
        step("RENAME", sourceColumn="nothing", targetColumn="x"),
    )
    brew.job("wrong", "orders", "wrong")

    run = brew.run("wrong")

    assert run["State"] == "FAILED"
    assert run["ErrorMessage"] == (
        "Step 2 (RENAME): there is no column 'nothing'. The columns are order_id, user_id, note."
    )
    assert brew.keys("out/") == []


def test_missing_data_fails_the_run(brew: DataBrew) -> None:
    brew.dataset("none", "raw/none/", Format="CSV")
    brew.recipe("upper", step("UPPER_CASE", sourceColumn="note"))
    brew.job("none", "none", "upper")

    run = brew.run("none")

    assert (run["State"], run["ErrorMessage"]) == (
        "FAILED",
        "There is no data at s3://lake/raw/none/.",
    )


def test_a_secret_that_is_missing_is_made_or_fails_the_run(brew: DataBrew) -> None:
    brew.put("raw/orders.csv", ORDERS)
    brew.dataset("orders", "raw/orders.csv")
    seal = step("DETERMINISTIC_ENCRYPT", sourceColumns=["note"])
    made = step("DETERMINISTIC_ENCRYPT", sourceColumns=["note"], createSecretIfMissing="true")
    back = step("DETERMINISTIC_DECRYPT", sourceColumns=["note"])
    brew.recipe("seal", seal)
    brew.recipe("both", made, back)
    brew.job("seal", "orders", "seal")
    brew.job("both", "orders", "both")

    failed = brew.run("seal")
    done = brew.run("both")

    assert failed["State"] == "FAILED"
    assert failed["ErrorMessage"].startswith("The secret databrew!default: ")
    assert done["State"] == "SUCCEEDED", done
    assert [row["note"] for row in rows(brew, "out/both/")] == ["a, b", None, 'say "hi"']
    secret = brew.aws.client("secretsmanager").get_secret_value(SecretId="databrew!default")
    assert len(base64.b64decode(secret["SecretString"])) == 32


def test_union_reads_the_second_dataset_by_its_name_or_else_by_its_location(
    brew: DataBrew,
) -> None:
    brew.put("raw/a.csv", "id,name\n1,x\n")
    brew.put("more/b.csv", "n\n2\n")
    brew.dataset("a", "raw/a.csv")
    place = {"S3InputDefinition": {"Bucket": "lake", "Key": "more/b.csv"}}
    brew.recipe(
        "all",
        step(
            "UNION",
            secondaryDatasetNames=["not there"],
            secondaryInputs=[place],
            datasetsColumns=[["id", "name"], ["n", None]],
            targetColumnNames=["id", "name"],
        ),
    )
    brew.job("all", "a", "all")

    assert brew.run("all")["State"] == "SUCCEEDED"
    assert rows(brew, "out/") == [{"id": 1, "name": "x"}, {"id": 2, "name": None}]


def _endless(brew: DataBrew) -> str:
    """A job that works for longer than any test: a join of everything with everything."""
    brew.put("raw/n.csv", "k\n" + "1\n" * 30_000)
    brew.dataset("n", "raw/n.csv", Format="CSV")
    brew.recipe(
        "cross",
        *(
            step(
                "JOIN",
                joinKeys=[{"key": "k", "value": "k"}],
                joinType="INNER_JOIN",
                leftColumns=["k"],
                rightColumns=[],
                secondaryDatasetName="n",
            )
            for _ in range(3)
        ),
    )
    return brew.job("endless", "n", "cross")


def test_a_run_can_be_stopped_and_a_job_has_one_run_at_a_time(brew: DataBrew) -> None:
    job = _endless(brew)
    run = brew.start(job)
    with pytest.raises(ClientError, match="ConflictException"):
        brew.start(job)

    brew.client.stop_job_run(Name=job, RunId=run)

    assert brew.wait(job, run)["State"] == "STOPPED"
    assert brew.keys("out/") == []
    assert [r["State"] for r in brew.client.list_job_runs(Name=job)["JobRuns"]] == ["STOPPED"]


def test_a_run_that_a_restart_cut_off_is_started_again(
    brew: DataBrew, local: Callable[[], DataBrew]
) -> None:
    job = _endless(brew)
    run = brew.start(job)

    again = local()

    record = again.client.describe_job_run(Name=job, RunId=run)
    assert record["State"] in ("STARTING", "RUNNING")
    again.client.stop_job_run(Name=job, RunId=run)
    assert again.wait(job, run)["State"] == "STOPPED"
    assert again.keys("out/") == []
    assert again.client.describe_job(Name=job)["DatasetName"] == "n", "definitions are durable"
