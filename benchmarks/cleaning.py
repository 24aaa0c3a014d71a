"""How long DataBrew's engine takes for the workflow's recipe of order lines, and plain DuckDB.

    python -m benchmarks.cleaning [--lines 3000000] [--runs 3]

The same lines as a catalog table of texts, as the workflow has them, and as a CSV dataset, whose
types are found first; beside `read_csv` and `TRY_CAST` into Parquet in the same run. Median seconds
by the clock, and their ratio: a machine that does something else as well tells little.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

from localaws.core.aws import LocalAws, start
from localaws.services import factories

ROOT = Path(__file__).parents[1]
RECIPE = ROOT / "databrew_recipes/clean_order_products.json"
TYPES = {
    "order_id": "BIGINT",
    "product_id": "BIGINT",
    "add_to_cart_order": "INTEGER",
    "reordered": "INTEGER",
}
SERDE = "org.apache.hadoop.hive.serde2.OpenCSVSerde"
TEXT = "org.apache.hadoop.mapred.TextInputFormat"
HIVE_TEXT = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
ENDED = ("SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT")


def write_lines(file: Path, lines: int) -> None:
    """Ten lines an order; as the public set's files are written."""
    duckdb.execute(
        f"COPY (SELECT n // 10 + 1 AS order_id, hash(n) % 49688 + 1 AS product_id,"
        f" n % 10 + 1 AS add_to_cart_order, hash(n) % 2 AS reordered FROM range({lines}) AS t (n))"
        f" TO '{file}' (HEADER, DELIMITER ',')"
    )


def put_up(aws: LocalAws, file: Path) -> None:
    """The lines as an object, as a table of the catalog, and the recipe's jobs over both."""
    s3, glue, databrew = aws.client("s3"), aws.client("glue"), aws.client("databrew")
    s3.create_bucket(Bucket="lake")
    s3.upload_file(str(file), "lake", "lines/lines.csv")
    glue.create_database(DatabaseInput={"Name": "shop"})
    described = {
        "Columns": [{"Name": name, "Type": "string"} for name in TYPES],
        "Location": "s3://lake/lines/",
        "InputFormat": TEXT,
        "OutputFormat": HIVE_TEXT,
        "SerdeInfo": {
            "SerializationLibrary": SERDE,
            "Parameters": {"separatorChar": ",", "quoteChar": '"'},
        },
    }
    table = {
        "Name": "lines",
        "TableType": "EXTERNAL_TABLE",
        "StorageDescriptor": described,
        "Parameters": {"skip.header.line.count": "1", "classification": "csv"},
    }
    glue.create_table(DatabaseName="shop", TableInput=table)
    databrew.create_recipe(Name="clean", Steps=json.loads(RECIPE.read_text()))
    databrew.publish_recipe(Name="clean")
    inputs: dict[str, Any] = {
        "table": {"DataCatalogInputDefinition": {"DatabaseName": "shop", "TableName": "lines"}},
        "csv": {"S3InputDefinition": {"Bucket": "lake", "Key": "lines/lines.csv"}},
    }
    for name, given in inputs.items():
        databrew.create_dataset(Name=name, Format="CSV", Input=given)
        databrew.create_recipe_job(
            Name=name,
            DatasetName=name,
            RecipeReference={"Name": "clean", "RecipeVersion": "1.0"},
            RoleArn=f"arn:aws:iam::{aws.account}:role/databrew",
            Outputs=[{"Location": {"Bucket": "lake", "Key": f"{name}/"}, "Format": "PARQUET"}],
        )


def job(aws: LocalAws, name: str) -> None:
    client = aws.client("databrew")
    run = {"Name": name, "RunId": client.start_job_run(Name=name)["RunId"]}
    while (found := client.describe_job_run(**run))["State"] not in ENDED:
        time.sleep(0.005)
    if found["State"] != "SUCCEEDED":
        raise SystemExit(str(found.get("ErrorMessage")))


def by_duckdb(file: Path, target: Path) -> None:
    columns = ", ".join(f"TRY_CAST({name} AS {kind}) AS {name}" for name, kind in TYPES.items())
    duckdb.execute(
        f"COPY (SELECT {columns} FROM read_csv('{file}', header = true, all_varchar = true))"
        f" TO '{target}' (FORMAT parquet, COMPRESSION snappy)"
    )


def median(act: Callable[[], None], runs: int) -> float:
    act()  # engines are up, files are in the cache
    spent = []
    for _ in range(runs):
        began = time.perf_counter()
        act()
        spent.append(time.perf_counter() - began)
    return statistics.median(spent)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=3_000_000)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "lines.csv")
        write_lines(file, given.lines)
        aws = start(Path(folder, "home"), factories(), url="http://127.0.0.1:9", wait_scale=0)
        try:
            put_up(aws, file)
            plain = median(lambda: by_duckdb(file, Path(folder, "plain.parquet")), given.runs)
            print(f"{given.lines} lines: plain DuckDB {plain:.2f} s")
            for name in ("table", "csv"):
                ours = median(lambda name=name: job(aws, name), given.runs)
                print(f"{name}: {ours:.2f} s, {ours / plain:.2f} times", flush=True)
        finally:
            aws.stop()


if __name__ == "__main__":
    main()
