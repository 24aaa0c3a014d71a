"""What every customer to predict will buy next: scored, chosen, and written in two forms.

`next_baskets/user_bucket=<n>/`: Parquet beside evaluation.json, for whoever queries; one row per
customer and product (user_id, product_id, product_name, probability, rank, chosen, model).

`customers/` in the model's folder: the same with the features, for the endpoint, which answers
about a customer by number (`inference/customers.py` reads it). It is part of the artifact, so it
goes live and comes back with its model, and a look costs nothing but reading memory. NumPy files,
to be mapped into memory, so that the processes of a server share one copy:

    customers.json     {"levels": {feature: "user" | "product" | "pair"}}
    user_id.npy        (customers,) int64, ascending
    starts.npy         (customers + 1,) int64: where a customer's rows begin
    chosen.npy         (customers,) int64: so many of them are the next basket
    product_id.npy     (rows,) int64, within a customer the most likely first
    probability.npy    (rows,) float32
    <word>.npy         (rows,) float32, `training.features.WORDS`
    products.npy       (products,) int64, ascending; products.json: their names, aisles, departments
    feature.<name>.npy float32, NaN where it is not known: one number a row, or a customer, or a
                       product (by its place in products.npy) where it is the same in all their rows
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from training import next_basket
from training.errors import TrainingError
from training.features import WORDS
from training.sets import Array, ParquetSet, files_of

FOLDER = "customers"
TABLE = "next_baskets"
BUCKETS = 20  # user_id % 20, as the lake's other tables of users
NAMING = ("product_name", "aisle", "department")


@dataclass(frozen=True)
class Products:
    """The catalogue: `product_id` (products,) ascending, and texts by NAMING in that order."""

    product_id: Array
    texts: dict[str, list[str]]

    def places(self, product_id: Array) -> Array:
        """Where each id stands. Raises TrainingError for one that the catalogue does not have."""
        found = np.searchsorted(self.product_id, product_id)
        found = np.minimum(found, max(0, len(self.product_id) - 1))
        unknown = product_id[self.product_id[found] != product_id]
        if len(unknown):
            raise TrainingError(
                f"Channel 'products' has no product {unknown[0]}, which the sets have."
            )
        return found

    def departments(self, product_id: Array) -> list[str]:
        """The department of each, (rows,)."""
        names = self.texts["department"]
        return [names[place] for place in self.places(product_id).tolist()]


@dataclass(frozen=True)
class Baskets:
    """The scored rows by customer, in each the most likely first, equally likely ones by product.

    `order` (rows,) says which row of the set stands there; `starts` (customers + 1,), `user_id` and
    `chosen` (customers,); `product_id` and `probability` (rows,).
    """

    order: Array
    starts: Array
    user_id: Array
    chosen: Array
    product_id: Array
    probability: Array


def read_products(folder: str | None) -> Products:
    """The channel `products`. Athena's files have no suffix. Raises TrainingError for others."""
    columns = ["product_id", *NAMING]
    files = files_of("products", folder, "*")
    try:
        table = pa.concat_tables([pq.read_table(file, columns=columns) for file in files])
    except (pa.ArrowException, OSError) as error:
        raise TrainingError(f"Channel 'products' cannot be read: {error}") from error
    table = table.sort_by("product_id")
    texts = {name: table.column(name).to_pylist() for name in NAMING}
    return Products(table.column("product_id").to_numpy(), texts)


def baskets(scoring: ParquetSet, booster: Any, features: tuple[str, ...]) -> Baskets:
    """Scores the set and chooses each customer's next basket."""
    users, products, probabilities = [np.empty(0, np.int64)], [np.empty(0, np.int64)], []
    for batch in scoring.batches(features):
        users.append(batch.user_id)
        products.append(batch.product_id)
        probabilities.append(booster.inplace_predict(batch.matrix))
    user_id, product_id = np.concatenate(users), np.concatenate(products)
    probability = np.concatenate([np.empty(0, np.float32), *probabilities])
    order = np.lexsort((product_id, -probability, user_id))
    customers, starts = np.unique(user_id[order], return_index=True)
    starts = np.append(starts, len(order)).astype(np.int64)
    probability = probability[order]
    chosen, _ = next_basket.best_sizes(probability, starts)
    return Baskets(order, starts, customers, chosen, product_id[order], probability)


def write_table(folder: Path, found: Baskets, products: Products, run: str) -> None:
    """The table's files, one a bucket that has customers; no other file is left in `folder`."""
    counts = np.diff(found.starts)
    user_id = np.repeat(found.user_id, counts)
    rank = np.arange(1, len(user_id) + 1) - np.repeat(found.starts[:-1], counts)
    names = np.array(products.texts["product_name"], dtype=object)
    table = pa.table(
        {
            "user_id": pa.array(user_id, pa.int64()),
            "product_id": pa.array(found.product_id, pa.int64()),
            "product_name": pa.DictionaryArray.from_arrays(
                pa.array(products.places(found.product_id), pa.int32()), pa.array(names)
            ),
            "probability": pa.array(found.probability.astype(np.float64)),
            "rank": pa.array(rank, pa.int32()),
            "chosen": pa.array(rank <= np.repeat(found.chosen, counts)),
            "model": pa.DictionaryArray.from_arrays(
                pa.array(np.zeros(len(rank)), pa.int32()), pa.array([run])
            ),
        }
    )
    for earlier in folder.rglob("*.parquet"):  # of a try before this one
        earlier.unlink()
    for bucket in range(BUCKETS):
        rows = np.flatnonzero(user_id % BUCKETS == bucket)
        if len(rows):
            file = folder / f"user_bucket={bucket}" / "part-00000.snappy.parquet"
            file.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(table.take(rows), file, store_schema=False)


def write_store(folder: Path, found: Baskets, scoring: ParquetSet, products: Products) -> None:
    """The endpoint's files."""
    folder.mkdir(parents=True, exist_ok=True)
    counts = np.diff(found.starts)
    place = products.places(found.product_id)

    def save(name: str, values: Array) -> None:
        np.save(folder / f"{name}.npy", np.ascontiguousarray(values), allow_pickle=False)

    for name in ("user_id", "starts", "chosen", "product_id", "probability"):
        save(name, getattr(found, name))
    for word in WORDS:
        save(word, scoring.column(word)[found.order])
    save("products", products.product_id)

    def keep(name: str) -> str:
        """The feature's level: the one that takes the fewest numbers."""
        values = scoring.column(name)[found.order]
        of_user = values[found.starts[:-1]]
        of_product = np.full(len(products.product_id), np.nan, dtype=np.float32)
        of_product[place] = values
        kept = {
            "user": (of_user, np.repeat(of_user, counts)),
            "product": (of_product, of_product[place]),
            "pair": (values, values),
        }
        level, smallest = next(
            (level, small)
            for level, (small, again) in kept.items()
            if np.array_equal(again, values, equal_nan=True)
        )
        save(f"feature.{name}", smallest)
        return level

    with ThreadPoolExecutor(2) as pool:
        levels = dict(zip(scoring.features, pool.map(keep, scoring.features), strict=True))
    (folder / "products.json").write_text(json.dumps(products.texts), encoding="utf-8")
    (folder / "customers.json").write_text(json.dumps({"levels": levels}), encoding="utf-8")


def summary(found: Baskets) -> dict[str, Any]:
    """What evaluation.json says of it: how many customers, rows, chosen products and empty sets."""
    return {
        "customers": len(found.user_id),
        "rows": len(found.order),
        "chosen": int(found.chosen.sum()),
        "empty": int((found.chosen == 0).sum()),
    }
