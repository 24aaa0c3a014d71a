"""Scoring a set with a model, and what is reported about it."""

from __future__ import annotations

import platform
from typing import Any

import numpy as np
import pyarrow as pa
import sklearn
import xgboost as xgb

from training import metrics
from training.artefact import Model
from training.errors import TrainingError
from training.features import WIRE_FEATURES
from training.sets import Array, ParquetSet, Scores, wire_form

Json = dict[str, Any]

GOLDEN_ROWS = 12
LEARNING_CURVE_POINTS = 200


def score(
    data: ParquetSet, booster: Any, features: tuple[str, ...], *, wire: bool = False
) -> Scores:
    """The model's probability for every row of `data`, read batch by batch; with `wire` as if it
    were asked with the 18 wire features alone."""
    columns: list[tuple[Array, ...]] = []
    for batch in data.batches(features):
        matrix = wire_form(batch.matrix, features) if wire else batch.matrix
        probability = booster.inplace_predict(matrix)
        columns.append((batch.label, probability, batch.user_id, batch.product_id, batch.order_id))
    return Scores(*(np.concatenate(column) for column in zip(*columns, strict=True)))


def report(model: Model, scores: Scores) -> Json:
    """What evaluation.json says about one model: measures, curves, calibration, importance."""
    calibration = metrics.calibration(scores.label, scores.probability, scores.user_id)
    return {
        "run": model.run,
        **metrics.measures(scores.label, scores.probability, scores.order_id, model.threshold),
        "operating_point": metrics.operating_point(
            scores.label, scores.probability, model.threshold
        ),
        "calibration": calibration,
        **metrics.calibration_errors(calibration),
        **metrics.lift(scores.label, scores.probability, scores.order_id),
        "feature_importance": feature_importance(model),
        **metrics.curves(scores.label, scores.probability),
    }


def of_the_line(model: Model, holdout: ParquetSet, scores: Scores, measured: Json) -> Scores:
    """The model's scores for a line of 18 numbers; of a model that takes no more, its `scores`.
    Otherwise `measured` gets their measures as `with_18_features`."""
    if set(model.features) <= set(WIRE_FEATURES):
        return scores
    line = score(holdout, model.booster, model.features, wire=True)
    measured["with_18_features"] = metrics.measures(
        line.label, line.probability, line.order_id, model.threshold
    )
    return line


def feature_importance(model: Model) -> Json:
    """Per feature: `gain` (mean loss reduction of its splits) and `weight` (number of splits)."""
    kinds = {}
    for kind in ("gain", "weight"):
        found = model.booster.get_score(importance_type=kind)
        kinds[kind] = {name: round(float(found.get(name, 0.0)), 6) for name in model.features}
    return kinds


def check_champion_features(champion: Model, holdout: ParquetSet) -> None:
    """Raises TrainingError if the champion needs a feature that this run's sets do not hold.

    Scored with a hole in its input it would lose a comparison it might have won.
    """
    missing = [name for name in champion.features if name not in holdout.features]
    if missing:
        raise TrainingError(
            f"The champion ({champion.run}) was trained on {', '.join(missing)}, which this run's "
            "sets do not have: the two models cannot be compared on the same rows. Keep these "
            "columns, or train without a champion."
        )


def golden(model: Model, holdout: ParquetSet, scores: Scores) -> Json:
    """A few holdout rows from the least to the most likely, with the model's answers to them.

    Rows are the 18 wire numbers, as text/csv carries them; what else the model takes is missing.
    """
    complete = _complete_rows(holdout)
    if not len(complete):
        raise TrainingError("The holdout set has no row in which all 18 wire features are known.")
    by_probability = complete[np.argsort(scores.probability[complete], kind="stable")]
    spread = np.linspace(0, len(by_probability) - 1, GOLDEN_ROWS).round().astype(np.int64)
    chosen = by_probability[np.unique(spread)]
    rows = _wire_rows(holdout, chosen)
    matrix = np.full((len(rows), len(model.features)), np.nan, dtype=np.float32)
    for position, name in enumerate(WIRE_FEATURES):
        matrix[:, model.features.index(name)] = rows[:, position]
    return {
        # The shortest decimals that read back as the same float32.
        "rows": [[float(str(value)) for value in row] for row in rows],
        "probabilities": [float(p) for p in model.booster.inplace_predict(matrix)],
    }


def learning_curve(history: dict[str, dict[str, list[float]]]) -> Json:
    """XGBoost's per-round record as columns (`round`, `training_auc`, ...), at most 200 rounds."""
    columns = {
        f"{data}_{metric}": values for data, by in history.items() for metric, values in by.items()
    }
    rounds = len(next(iter(columns.values())))
    points = min(rounds, LEARNING_CURVE_POINTS)
    kept = np.unique(np.linspace(0, rounds - 1, points).round().astype(int)).tolist()
    return {
        "round": kept,
        **{name: [round(values[i], 6) for i in kept] for name, values in columns.items()},
    }


def versions() -> dict[str, str]:
    """The libraries that made the model."""
    return {
        "python": platform.python_version(),
        "xgboost": xgb.__version__,
        "numpy": np.__version__,
        "pyarrow": pa.__version__,
        "scikit-learn": sklearn.__version__,
    }


def _complete_rows(data: ParquetSet) -> Array:
    known = [np.isfinite(batch.matrix).all(axis=1) for batch in data.batches(WIRE_FEATURES)]
    return np.flatnonzero(np.concatenate(known))


def _wire_rows(data: ParquetSet, chosen: Array) -> Array:
    """Rows `chosen` (numbers in file order), in that order: (len(chosen), 18) float32."""
    rows = np.empty((len(chosen), len(WIRE_FEATURES)), dtype=np.float32)
    start = 0
    for batch in data.batches(WIRE_FEATURES):
        here = (chosen >= start) & (chosen < start + len(batch.label))
        rows[here] = batch.matrix[chosen[here] - start]
        start += len(batch.label)
    return rows
