"""How many earlier orders are labels, by the number of customers to learn from."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest

from tasks.glue import join_features as join_features_state
from tasks.glue_jobs.join_features import LEARNED_FROM, SPLIT_SALT
from tests.transform.lake import Lake

ARGUMENTS = join_features_state().to_dict()["Parameters"]["Arguments"]
VALIDATION, HOLDOUT = (int(ARGUMENTS[f"--{of}_percent"]) for of in ("validation", "holdout"))


@pytest.mark.parametrize(
    ("users", "share"), [(1_000, 1.0), (15_000, 1.0), (30_000, 0.25), (45_000, 0.0), (130_000, 0.0)]
)
def test_earlier_orders_fill_up_what_there_is_to_learn_from(
    tmp_path: Path, users: int, share: float
) -> None:
    lake = Lake(tmp_path)
    # Three prior orders and a train order each; those of a few users more are test orders.
    lake.connection.execute(
        f"""
        CREATE TABLE lake.clean_orders_r1 AS
        SELECT 4 * user_id + number AS order_id, user_id, number::INTEGER AS order_number,
            CASE WHEN number < 4 THEN 'prior' WHEN user_id <= {users} THEN 'train' ELSE 'test' END
                AS eval_set,
            7.0 AS days_since_prior_order
        FROM range(1, {users + users // 20 + 1}) AS u (user_id), range(1, 5) AS n (number);
        CREATE TABLE lake.clean_order_products_r1 AS
        SELECT order_id, 1::BIGINT AS product_id, 1 AS add_to_cart_order, 1 AS reordered
        FROM lake.clean_orders_r1 WHERE eval_set = 'prior';
        CREATE TABLE raw.products AS SELECT '1' AS product_id, '1' AS aisle_id
        """
    )
    lake.execute("features/order_products_prior")

    (found,) = lake.rows(
        "SELECT count(DISTINCT user_id) AS users, sum(earlier_labels) / 3 AS earlier,"
        f" max(CASE WHEN user_id > {users} THEN earlier_labels END) AS of_others"
        " FROM lake.order_products_prior_r1"
    )
    in_no_set = lake.rows(
        "SELECT DISTINCT user_id FROM lake.order_products_prior_r1 WHERE earlier_labels IS NULL"
    )

    assert found["earlier"] == pytest.approx(2 * share * users, rel=0.03)
    assert found["of_others"] == 0
    assert users + found["earlier"] <= max(users, LEARNED_FROM * 1.03)
    # Exactly those whom the job that makes the sets leaves out: features of others are never read.
    assert {row["user_id"] for row in in_no_set} == {
        user
        for user in range(1, users + 1)
        if user // 20 % 100 * users >= LEARNED_FROM * 100
        and VALIDATION <= zlib.crc32(f"{SPLIT_SALT}{user}".encode()) % 100 <= 99 - HOLDOUT
    }
