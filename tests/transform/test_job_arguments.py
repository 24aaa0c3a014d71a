"""What the Glue job accepts, and what it says otherwise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pyspark.sql import SparkSession
from pyspark.sql.types import _parse_datatype_string

from tasks.glue_jobs import join_features

GOOD = {
    "lake_bucket": "rebuy-lake-000000000000",
    "run": "2026_11_22_a",
    "validation_percent": "10",
    "holdout_percent": "15",
    "holdout_week": "2026-W48",
}


def test_the_lake_is_the_bucket() -> None:
    arguments = join_features.read_arguments(GOOD)

    assert arguments.run_uri == "s3://rebuy-lake-000000000000/runs/run=2026_11_22_a"
    assert (arguments.validation_percent, arguments.holdout_percent) == (10, 15)


def test_the_lake_may_be_anywhere_else() -> None:
    arguments = join_features.read_arguments({**GOOD, "lake_uri": "file:///lake/"})

    assert arguments.run_uri == "file:///lake/runs/run=2026_11_22_a"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("validation_percent", "0", "--validation_percent was '0'; accepted is a whole number"),
        ("validation_percent", "10.5", "--validation_percent was '10.5'"),
        ("validation_percent", "-1", "--validation_percent was '-1'"),
        ("holdout_percent", "", "--holdout_percent was ''"),
        ("holdout_percent", "99", "--holdout_percent was '99'; accepted is a whole number from 1"),
        ("holdout_percent", "90", "leave no user for training; together they may be at most 99"),
        ("holdout_week", "48", "--holdout_week was '48'; accepted is a week as 2026-W48."),
        ("run", "Run-1", "--run was 'Run-1'; accepted are 1 to 40 lower-case letters"),
        ("run", "r" * 41, "accepted are 1 to 40"),
        ("lake_bucket", "s3://lake", "--lake_bucket was 's3://lake'; accepted is the name"),
    ],
)
def test_a_wrong_argument_is_named(name: str, value: str, message: str) -> None:
    with pytest.raises(ValueError) as error:
        join_features.read_arguments({**GOOD, name: value})

    assert message in str(error.value)


@pytest.mark.parametrize(
    ("orders_of_user", "orders_of_product", "message"),
    [
        ("NULL", "5.0", "The training set has rows of user_id 7, which features/user_features/"),
        ("5.0", "NULL", "The training set has rows of product_id 100, which features/product_fea"),
    ],
)
def test_a_candidate_without_features_stops_the_job(
    tmp_path: Path,
    spark: SparkSession,
    orders_of_user: str,
    orders_of_product: str,
    message: str,
) -> None:
    known = f"{orders_of_product}::DOUBLE AS prod_reorder_probability"
    values = f"{orders_of_user}::DOUBLE AS user_orders, {known}"
    row = f"SELECT 7::BIGINT user_id, 100::BIGINT product_id, 1::BIGINT order_id, 1 label, {values}"
    for name in join_features.SETS:
        folder = tmp_path / f"runs/run=r1/sets/set={name}"
        folder.mkdir(parents=True)
        empty = "" if name == "training" else " WHERE false"
        duckdb.sql(f"COPY (SELECT * FROM ({row}){empty}) TO '{folder}/part-0.parquet'")

    schema = _parse_datatype_string(
        "user_id bigint, product_id bigint, order_id bigint, label int, user_orders double,"
        " prod_reorder_probability double, set string"
    )
    with pytest.raises(ValueError, match=message):
        join_features.summarize(
            spark, join_features.Arguments(str(tmp_path), "r1", 10, 10, "2026-W48"), schema
        )


def test_a_product_of_which_nobody_has_a_first_purchase_has_no_reorder_probability(
    spark: SparkSession,
) -> None:
    """So that counts that a recipe has lost stop the job, as a missing product does."""
    columns = ["product_id", "held_back", "prod_orders", "prod_reorders"]
    counts = spark.createDataFrame(
        [(1, 0, 5, 2, 3, 1), (2, 0, 5, 2, 0, 0)], [*columns, *join_features.FIRST_AND_SECOND]
    )

    told = join_features.product_ratios(counts).orderBy("product_id").collect()

    assert [row["prod_reorder_probability"] for row in told] == [1 / 3, None]


def test_a_set_with_one_kind_of_label_stops_the_job() -> None:
    summary: dict[str, Any] = {
        "validation_percent": 10,
        "holdout_percent": 10,
        "rows": {"training": 90, "validation": 10, "holdout": 0},
        "users": {"training": 9, "validation": 1, "holdout": 0},
        "positives": {"training": 9, "validation": 1, "holdout": 0},
    }

    with pytest.raises(ValueError, match="The holdout set has 0 rows, 0 of them bought again"):
        join_features.require_both_labels(summary)


def test_the_summary_is_one_line_of_json(tmp_path: Path, spark: SparkSession) -> None:
    join_features.write_summary(spark, str(tmp_path), {"rows": {"training": 5}, "run": "r'1"})

    (file,) = (tmp_path / "sets/summary").glob("part-*")
    (line,) = file.read_text().splitlines()
    assert json.loads(line) == {"rows": {"training": 5}, "run": "r'1"}
