"""Shape of the SQL and recipe files: what AWS takes, and what later readers rely on."""

from __future__ import annotations

import json
import re
from pathlib import Path

import botocore.session
import pytest
import sqlglot
from botocore.validate import ParamValidator
from sqlglot import exp

from tests.transform import recipes, tiny
from tests.transform.lake import SQL, Lake

RECIPES = sorted(file.stem for file in recipes.ROOT.glob("*.json"))


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    lake = Lake(tmp_path_factory.mktemp("lake"))
    lake.load(tiny.raw())
    lake.build_features()
    return lake


@pytest.mark.parametrize("recipe", RECIPES)
def test_databrew_takes_the_recipe(recipe: str) -> None:
    steps = json.loads((recipes.ROOT / f"{recipe}.json").read_text())
    model = botocore.session.get_session().get_service_model("databrew")
    shape = model.operation_model("CreateRecipe").input_shape

    report = ParamValidator().validate({"Name": recipe, "Steps": steps}, shape)

    assert not report.has_errors(), report.generate_report()
    values = [value for step in steps for value in step["Action"]["Parameters"].values()]
    assert all(isinstance(value, str) and value for value in values)


def test_a_first_order_keeps_its_missing_gap(lake: Lake) -> None:
    rows = lake.rows("SELECT order_id, days_since_prior_order FROM lake.clean_orders_r1")

    gaps = {row["order_id"]: row["days_since_prior_order"] for row in rows}
    assert (gaps[11], gaps[12], gaps[33]) == (None, 10.0, 0.0)


def test_text_is_trimmed_and_padded_numbers_are_numbers(lake: Lake) -> None:
    rows = lake.rows(
        "SELECT eval_set, order_hour_of_day FROM lake.clean_orders_r1 WHERE order_id IN (11, 22)"
    )

    assert sorted(map(str, rows)) == [
        "{'eval_set': 'prior', 'order_hour_of_day': 10}",
        "{'eval_set': 'prior', 'order_hour_of_day': 8}",
    ]


def test_prior_lines_lie_in_one_folder_a_user_bucket(lake: Lake) -> None:
    folder = lake.root / "runs/run=r1/features/order_products_prior"

    assert {path.name for path in folder.iterdir()} == {f"user_bucket={i}" for i in (1, 2, 3)}


@pytest.mark.parametrize("table", ["user_features", "user_product_features"])
def test_sampled_tables_prune_on_the_partition(lake: Lake, table: str) -> None:
    lake.sample_buckets = 2
    sql = lake.sql(f"features/{table}")
    lake.sample_buckets = 20

    assert "user_bucket < 2" in sql


@pytest.mark.parametrize("file", sorted((SQL / "features").glob("*.sql")), ids=lambda f: f.stem)
def test_a_feature_table_is_compressed_parquet_below_its_run(file: Path) -> None:
    text = file.read_text()

    assert "format = 'PARQUET'" in text
    assert "write_compression = 'SNAPPY'" in text
    prefix = "s3://${LakeBucket}/runs/run=${run}/features"
    assert f"external_location = '{prefix}/{file.stem}${{try}}/'" in text


@pytest.mark.parametrize("file", sorted((SQL / "publish").glob("*.sql")), ids=lambda f: f.stem)
def test_publishing_points_a_view_at_the_table_of_the_run(lake: Lake, file: Path) -> None:
    if file.stem == "next_baskets":  # what training writes: here one row
        lake.connection.execute("CREATE OR REPLACE TABLE lake.next_baskets_r1 AS SELECT 1 AS rank")
    statement = lake.execute(f"publish/{file.stem}")

    assert statement.kind == "VIEW"
    assert statement.find(exp.Table).sql() == f"lake.{file.stem}"  # type: ignore[union-attr]
    count = "SELECT count(*) AS rows_found FROM lake."
    now = " WHERE held_back = 0" if file.stem.startswith("user_") else ""
    assert lake.rows(count + file.stem) == lake.rows(f"{count}{file.stem}_r1{now}")
    lake.execute(f"publish/{file.stem}")  # again, as a later run does


@pytest.mark.parametrize("file", sorted(SQL.rglob("*.sql")), ids=lambda f: f.stem)
def test_a_sql_file_starts_with_words_and_holds_one_statement(file: Path) -> None:
    text = file.read_text()

    assert text.startswith("-- ")
    statements = sqlglot.parse(re.sub(r"\$\{(\w+)\}", r"\1", text), read="athena")
    assert len([statement for statement in statements if statement is not None]) == 1
