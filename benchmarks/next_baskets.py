"""How long it takes to score customers, choose their next baskets and write them: what the training
job does with the set `scoring`, here with made-up rows of the shape of the real ones.

    python -m benchmarks.next_baskets <folder of a model> [customers]

Prints one line of JSON: seconds by step, those of the processors in all, and the bytes of what was
written.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from training import customers
from training.artefact import DESCRIPTION_FILE, MODEL_FILE, Model, booster_from
from training.features import KEYS, WORDS
from training.sets import open_set

MEAN_PRODUCTS = 64  # 4.8 million rows of 75,000 customers
PRODUCTS = 49_688


def model_of(folder: Path) -> Model:
    told = json.loads((folder / DESCRIPTION_FILE).read_text())
    booster = booster_from((folder / MODEL_FILE).read_bytes(), 0)
    return Model(booster, tuple(told["features"]), told["threshold"], told["run"])


def make(folder: Path, count: int, features: tuple[str, ...]) -> dict[str, str]:
    """The channels: customers with products in a log-normal number, features that are noise at
    the level (customer, product, both) that their names say."""
    random = np.random.default_rng(7)
    sizes = np.clip(random.lognormal(np.log(MEAN_PRODUCTS) - 0.3, 0.77, count), 1, 900).astype(int)
    user = np.repeat(np.arange(count), sizes)
    product = random.integers(0, PRODUCTS, len(user))
    columns: dict[str, Any] = dict(zip(KEYS, (user, product, user), strict=True))
    for name in (*WORDS, *features):
        of = {"user": user, "prod": product}.get(name.split("_")[0])
        noise = random.random(len(user) if of is None else max(count, PRODUCTS)) * 20
        columns[name] = noise if of is None else noise[of]
    channels = {name: folder / name for name in ("scoring", "products")}
    for channel in channels.values():
        channel.mkdir()
    pq.write_table(pa.table(columns), channels["scoring"] / "part-0.parquet")
    names = [f"A product with a name of its own {number}" for number in range(PRODUCTS)]
    catalogue = {"product_id": np.arange(PRODUCTS), "product_name": names}
    catalogue |= {name: ["some"] * PRODUCTS for name in ("aisle", "department")}
    pq.write_table(pa.table(catalogue), channels["products"] / "part-0.parquet")
    return {name: str(channel) for name, channel in channels.items()}


def measure(model: Model, count: int) -> dict[str, Any]:
    seconds: dict[str, float] = {}

    def lap(step: str, since: float) -> float:
        seconds[step] = round(time.perf_counter() - since, 2)
        return time.perf_counter()

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        channels = make(folder, count, model.features)
        began, used = time.perf_counter(), time.process_time()
        scoring = open_set("scoring", channels["scoring"])
        products = customers.read_products(channels["products"])
        found = customers.baskets(scoring, model.booster, model.features)
        at = lap("score and choose", began)
        customers.write_store(folder / "store", found, scoring, products)
        at = lap("store", at)
        customers.write_table(folder / "table", found, products, model.run)
        lap("table", at)
        lap("all", began)
        seconds["processors"] = round(time.process_time() - used, 2)
        written = {
            part: sum(file.stat().st_size for file in (folder / part).rglob("*") if file.is_file())
            for part in ("store", "table")
        }
        return {**customers.summary(found), "seconds": seconds, "bytes": written}


def main() -> None:
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 20_000
    print(json.dumps(measure(model_of(Path(sys.argv[1])), count)))


if __name__ == "__main__":
    main()
