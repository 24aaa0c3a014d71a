"""The recipes through the DataBrew API: the same rows and types as the tests' own reading."""

from __future__ import annotations

import csv
import io
import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.transform import recipes, shoppers
from tests.transform.lake import RAW_COLUMNS, Lake, Raw

CSV_SERDE = "org.apache.hadoop.hive.serde2.OpenCSVSerde"
ROLE = "arn:aws:iam::000000000000:role/databrew"


def raw_table(aws: Any, raw: Raw, table: str) -> dict[str, Any]:
    """A raw CSV in S3 with its catalog table of strings; the dataset input that names it."""
    text = io.StringIO()
    csv.writer(text).writerows([RAW_COLUMNS[table], *raw[table]])
    key = f"raw/{table}/{table}.csv"
    aws.client("s3").put_object(Bucket="lake", Key=key, Body=text.getvalue().encode())
    columns = [{"Name": name, "Type": "string"} for name in RAW_COLUMNS[table]]
    serde = {"separatorChar": ",", "quoteChar": '"', "escapeChar": "\\"}
    aws.client("glue").create_table(
        DatabaseName="raw",
        TableInput={
            "Name": table,
            "StorageDescriptor": {
                "Location": f"s3://lake/raw/{table}/",
                "Columns": columns,
                "SerdeInfo": {"SerializationLibrary": CSV_SERDE, "Parameters": serde},
            },
            "Parameters": {"skip.header.line.count": "1", "classification": "csv"},
        },
    )
    return {"DataCatalogInputDefinition": {"DatabaseName": "raw", "TableName": table}}


def run_recipe(aws: Any, recipe: str, dataset: dict[str, Any]) -> list[Path]:
    """The files a job writes for the recipe over the dataset."""
    brew = aws.client("databrew")
    brew.create_dataset(Name="input", **dataset)
    steps = json.loads((recipes.ROOT / f"{recipe}.json").read_text())
    name = recipe.replace("_", "-")
    brew.create_recipe(Name=name, Steps=steps)
    brew.publish_recipe(Name=name)
    brew.create_recipe_job(
        Name=name,
        DatasetName="input",
        RecipeReference={"Name": name, "RecipeVersion": "1.0"},
        RoleArn=ROLE,
        Outputs=[{"Location": {"Bucket": "lake", "Key": "out/"}, "Format": "PARQUET"}],
    )
    run = brew.start_job_run(Name=name)["RunId"]
    for _ in range(600):
        state = brew.describe_job_run(Name=name, RunId=run)
        if state["State"] not in ("STARTING", "RUNNING"):
            break
        time.sleep(0.05)
    assert state["State"] == "SUCCEEDED", state
    return [stored.path for stored in aws.objects.list("lake", "out/")]


@pytest.mark.parametrize(
    ("recipe", "source", "table"),
    [
        ("clean_orders", "orders", "cleaned_orders"),
        ("clean_order_products", "order_products", "cleaned_order_products"),
        ("product_features", "order_products_prior", "product_features"),
    ],
)
def test_databrew_gives_the_rows_and_types_that_the_tables_declare(
    aws: Any, tmp_path: Path, recipe: str, source: str, table: str
) -> None:
    lake = Lake(tmp_path / "lake")
    raw = shoppers.raw(users=60)
    lake.load(raw)
    lake.build_features()
    aws.client("s3").create_bucket(Bucket="lake")
    if source in RAW_COLUMNS:
        aws.client("glue").create_database(DatabaseInput={"Name": "raw"})
        files = run_recipe(aws, recipe, {"Input": raw_table(aws, raw, source)})
    else:
        file = tmp_path / "prior.parquet"
        lake.connection.execute(f"COPY (FROM lake.{source}_r1) TO '{file}'")
        aws.client("s3").put_object(Bucket="lake", Key="prior.parquet", Body=file.read_bytes())
        location = {"S3InputDefinition": {"Bucket": "lake", "Key": "prior.parquet"}}
        files = run_recipe(aws, recipe, {"Input": location, "Format": "PARQUET"})

    found = lake.connection.sql(f"FROM read_parquet({[str(f) for f in files]})")
    # Its types are the table's; what an object's rows lie under is no column of their files.
    columns = "* EXCLUDE (object)" if source in RAW_COLUMNS else "*"
    declared = lake.connection.sql(f"SELECT {columns} FROM lake.{table}_r1")
    assert (found.columns, found.types) == (declared.columns, declared.types)
    assert sorted(found.fetchall(), key=str) == sorted(declared.fetchall(), key=str)
