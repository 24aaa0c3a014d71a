"""The same model without any of it: one DuckDB script and XGBoost, as one would write it by hand.

    python -m benchmarks.by_hand FOLDER

FOLDER has the raw files. Same features, same rows, same split and the workflow's hyperparameters;
no checks, no cleaning, nothing kept but a score for every row to predict. Prints one line of JSON:
seconds of each part, rows, rounds, and the AUC and logloss of the holdout. `benchmarks.pipeline`
runs it beside the chain.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as training/train.py

import duckdb
import numpy as np
import pyarrow as pa
import xgboost as xgb
from sklearn.metrics import log_loss, roc_auc_score

from tasks.training import HYPERPARAMETERS
from training.features import WIRE_FEATURES
from training.sets import MOST_LINES, wire_form

Array = Any
SQL = Path(__file__).with_suffix(".sql")
WEEK = "2026-W48"
BATCH_ROWS = 262_144
MOST_STOPPING_ROWS = 200_000


class Rows(xgb.DataIter):
    """The training rows, and a share of them once more with the 18 numbers alone."""

    def __init__(self, matrix: Array, label: Array, features: list[str]) -> None:
        super().__init__()
        self._matrix, self._label, self._features = matrix, label, features
        self._every = -(-len(label) // MOST_LINES)
        self._at = 0

    def reset(self) -> None:
        self._at = 0

    def next(self, input_data: Callable[..., None]) -> bool:
        batch, lines = divmod(self._at, 2)
        part = slice(batch * BATCH_ROWS, (batch + 1) * BATCH_ROWS)
        matrix, label = self._matrix[part], self._label[part]
        if not len(label):
            return False
        if lines:
            matrix, label = matrix[:: self._every], label[:: self._every]
            matrix = wire_form(matrix, tuple(self._features))
        input_data(data=matrix, label=label, feature_names=self._features)
        self._at += 1
        return True


def set_of(user_id: int) -> str:
    """training, validation or holdout: the rule of docs/data.md."""
    if 10 <= zlib.crc32(f"rebuy-split-1:{user_id}".encode()) % 100 < 90:
        return "training"
    digest = hashlib.sha256(f"rebuy-holdout-{WEEK}:{user_id}".encode()).hexdigest()
    return "validation" if int(digest[:8], 16) % 20 < 10 else "holdout"


def make_rows(folder: Path) -> duckdb.DuckDBPyConnection:
    """A database with a table `rows`."""
    database = duckdb.connect()
    database.execute("SET preserve_insertion_order = false")
    files = {
        "orders": "orders.csv",
        "order_products": "order_products__*.csv",
        "products": "products.csv",
    }
    script = SQL.read_text()
    for name, pattern in files.items():
        script = script.replace(f"${name}", f"'{folder / pattern}'")
    database.execute(script)
    users = [user for (user,) in database.execute("SELECT DISTINCT user_id FROM rows").fetchall()]
    database.execute("CREATE TABLE split (user_id INT, part TEXT)")
    split = pa.table({"user_id": users, "part": [set_of(user) for user in users]})
    database.register("split_of_users", split)
    database.execute("INSERT INTO split SELECT * FROM split_of_users")
    return database


def read(database: duckdb.DuckDBPyConnection, condition: str) -> tuple[Array, Array, list[str]]:
    """(matrix (rows, features) float32, label (rows,), the features) of the rows that meet it."""
    found = database.execute(
        "SELECT label, COLUMNS(* EXCLUDE (user_id, product_id, order_id, eval_set, label, part,"
        " taught, labels))::FLOAT FROM rows JOIN split USING (user_id) JOIN users USING (user_id)"
        f" WHERE {condition}"
    )
    parts = [found.fetchnumpy()]
    names = list(parts[0])[1:]
    matrix = np.empty((len(parts[0]["label"]), len(names)), dtype=np.float32)
    for place, name in enumerate(names):
        column = parts[0].pop(name)
        matrix[:, place] = column.filled(np.nan) if np.ma.isMaskedArray(column) else column
    return matrix, np.asarray(parts[0]["label"], dtype=np.float32), names


def run(folder: Path) -> dict[str, Any]:
    seconds: dict[str, float] = {}
    began = time.perf_counter()

    def lap(part: str) -> None:
        seconds[part] = round(time.perf_counter() - began - sum(seconds.values()), 2)

    database = make_rows(folder)
    lap("rows")
    learned_from = "eval_set <> 'test' AND part = 'training' AND taught"
    matrix, label, features = read(database, learned_from)
    assert set(WIRE_FEATURES) <= set(features)
    told = dict(HYPERPARAMETERS)
    bins = int(told["max_bin"])
    training = xgb.QuantileDMatrix(Rows(matrix, label, features), max_bin=bins)
    counts = {"training": len(label)}
    del matrix, label
    labelled = "eval_set = 'train' AND part ="
    seen, seen_label, _ = read(database, f"{labelled} 'validation'")
    every = -(-len(seen_label) // MOST_STOPPING_ROWS)
    stopping = xgb.QuantileDMatrix(
        seen[::every], seen_label[::every], feature_names=features, ref=training, max_bin=bins
    )
    lap("matrix")
    rounds, patience = int(told.pop("num_round")), int(told.pop("early_stopping_rounds"))
    booster = xgb.train(
        {**told, "tree_method": "hist"},
        training,
        rounds,
        evals=[(stopping, "validation")],
        early_stopping_rounds=patience,
        verbose_eval=False,
    )
    booster = booster[: booster.best_iteration + 1]
    lap("training")
    unseen, unseen_label, _ = read(database, f"{labelled} 'holdout'")
    probability = booster.inplace_predict(unseen).astype(np.float64)
    scored, _, _ = read(database, "eval_set = 'test'")
    booster.inplace_predict(scored)
    lap("scoring")
    counts |= {"validation": len(seen_label), "holdout": len(unseen_label), "scoring": len(scored)}
    return {
        "seconds": round(time.perf_counter() - began, 2),
        "parts": seconds,
        "rows": counts,
        "rounds": booster.num_boosted_rounds(),
        "auc": round(float(roc_auc_score(unseen_label, probability)), 6),
        "logloss": round(float(log_loss(unseen_label, probability)), 6),
    }


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]).resolve())))
