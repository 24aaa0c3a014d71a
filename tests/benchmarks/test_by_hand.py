"""What the chain is compared with makes the same rows: held to the references that the chain's
tests are held to."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest

from benchmarks import by_hand
from tasks.glue_jobs.join_features import MORE_FEATURES
from tests.transform import reference, shoppers
from tests.transform.lake import RAW_COLUMNS


def test_its_rows_are_those_of_the_chain(tmp_path: Path) -> None:
    raw = shoppers.raw()
    for table, columns in RAW_COLUMNS.items():
        name = "order_products__all" if table == "order_products" else table
        with (tmp_path / f"{name}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([columns, *raw[table]])

    database = by_hand.make_rows(tmp_path)
    names = ", ".join(MORE_FEATURES)
    found = database.execute(
        f"SELECT user_id, product_id, order_id, {names} FROM rows WHERE eval_set <> 'prior'"
        " OR user_id IN (SELECT user_id FROM users WHERE labels = 2)"
    ).fetchall()
    expected = {}
    for held_back in (2, 1, 0):
        expected |= reference.features(raw, held_back)

    kinds = {int(row[0] or 0): row[2] for row in raw["orders"]}
    assert len(found) > 2000
    assert sum(kinds[order] == "prior" for _, _, order, *_ in found) > 1000
    for user, product, order, *values in found:
        theirs = [expected[user, product, order][name] for name in MORE_FEATURES]
        mine = [math.nan if v is None else v for v in values]
        known = [math.nan if t is None else t for t in theirs]
        assert mine == pytest.approx(known, rel=1e-9, abs=1e-9, nan_ok=True), (user, product, order)
