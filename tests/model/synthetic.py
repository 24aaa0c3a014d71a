"""Small sets with the columns of the real ones and something in them to learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from training.features import LABEL, WIRE_FEATURES, WORDS
from training.sets import CHANNELS

ROWS_PER_USER = 20
NULLABLE = ("user_mean_days_since_prior", "user_reorder_ratio")


def rows(users: range, seed: int = 0) -> pa.Table:
    """One row per (user, product), 20 a user; label 1 for about one row in ten."""
    random = np.random.default_rng([seed, users.start])
    count = len(users) * ROWS_PER_USER
    user = np.repeat(np.arange(users.start, users.stop), ROWS_PER_USER)
    user_orders = np.repeat(random.integers(4, 60, len(users)), ROWS_PER_USER)
    up_orders = 1 + random.binomial(user_orders - 1, random.beta(1, 5, count))
    first = 1 + (random.random(count) * (user_orders - up_orders + 1)).astype(np.int64)
    last = np.minimum(user_orders, first + up_orders - 1 + random.integers(0, 20, count))
    basket = np.repeat(random.uniform(2, 21, len(users)), ROWS_PER_USER)
    popularity = np.exp(random.uniform(2, 13, count)).astype(np.int64)
    ratio = random.beta(4, 4, count)
    since = user_orders - last
    values = {
        "up_orders": up_orders,
        "user_mean_days_since_prior": np.repeat(random.uniform(2, 30, len(users)), ROWS_PER_USER),
        "user_period": user_orders * 11.0,
        "user_distinct_products": (user_orders * basket * 0.5).astype(np.int64),
        "user_reorder_ratio": np.repeat(random.beta(3, 3, len(users)), ROWS_PER_USER),
        "user_total_products": (user_orders * basket).astype(np.int64),
        "up_average_cart_position": random.uniform(1, 20, count),
        "up_first_order": first,
        "user_orders": user_orders,
        "up_last_order": last,
        "prod_orders": popularity,
        "prod_reorder_probability": ratio * 0.6,
        "prod_reorder_times": 1 + ratio * 2,
        "prod_reorder_ratio": ratio,
        "user_average_basket": basket,
        "up_order_rate": up_orders / user_orders,
        "up_orders_since_last_order": since,
        "up_order_rate_since_first_order": up_orders / (user_orders - first + 1),
    }
    odds = 4 * values["up_order_rate"] + 2 * ratio - 0.15 * since - 3.2
    label = (random.random(count) < 1 / (1 + np.exp(-odds))).astype(np.int32)
    keys = {
        "user_id": user,
        "product_id": np.tile(np.arange(ROWS_PER_USER), len(users)),
        "order_id": user * 10 + 3,
    }
    unknown = user % 30 == 7  # some have ordered once
    columns = {
        name: pa.array(values[name], mask=unknown if name in NULLABLE else None)
        for name in WIRE_FEATURES
    }
    return pa.table({**keys, "label": label, **columns})


def write_sets(folder: Path, users: int = 400, seed: int = 0) -> dict[str, str]:
    """Training (two files), validation, holdout, scoring and products below `folder`, and no
    champion.

    Returns the SM_ environment of a training job over them, writing to `folder`/model.
    """
    parts = {
        "training/part-00000": range(0, users // 2),
        "training/part-00001": range(users // 2, users),
        "validation/part-00000": range(users, users + users // 2),
        "holdout/part-00000": range(users + users // 2, users * 2),
    }
    for name, of in parts.items():
        path = folder / f"{name}.snappy.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(rows(of, seed), path)
    write_scoring(folder, rows(range(users * 2, users * 2 + users // 10), seed))
    (folder / "products").mkdir(exist_ok=True)
    pq.write_table(products(), folder / "products" / "20261129_000000_00000_abcde")
    (folder / "champion").mkdir(exist_ok=True)
    (folder / "champion" / "none.json").write_text("{}")
    return environment(folder)


def write_scoring(folder: Path, table: pa.Table) -> None:
    """The set to score: rows without labels, with the days that predictions are told in."""
    (folder / "scoring").mkdir(exist_ok=True)
    table = table.drop_columns([LABEL])
    once = np.asarray(table.column("up_orders")) == 1
    days = [np.where(once, None, 9.0), np.full(table.num_rows, 12.0)]
    for word, values in zip(WORDS, days, strict=True):
        table = table.append_column(word, pa.array(values.tolist(), pa.float64()))
    pq.write_table(table, folder / "scoring" / "part-00000.snappy.parquet")


def products() -> pa.Table:
    """A catalogue with a name that CSV and HTML would have to escape."""
    numbers = range(ROWS_PER_USER)
    names = [f"Product {number}" for number in numbers]
    names[3] += ', "extra" <b>'
    return pa.table(
        {
            "product_id": pa.array(numbers, pa.int64()),
            "product_name": names,
            "aisle": ["fresh fruits"] * ROWS_PER_USER,
            "department": ["produce"] * ROWS_PER_USER,
        }
    )


def environment(folder: Path) -> dict[str, str]:
    """What SageMaker's toolkit would set for a job whose /opt/ml is `folder`."""
    return {
        **{f"SM_CHANNEL_{name.upper()}": str(folder / name) for name in CHANNELS},
        "SM_MODEL_DIR": str(folder / "model"),
        "SM_OUTPUT_DIR": str(folder / "output"),
    }
