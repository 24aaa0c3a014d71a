"""What a model is worth, from plain arrays: label (0 or 1), probability (0 to 1), order id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.metrics import (
    average_precision_score,
    log_loss,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)

from training import next_basket

Array = Any
Json = dict[str, Any]

CALIBRATION_BINS = 10
CURVE_POINTS = 100
TOP_K = (5, 10, 20)
DIGITS = 6


def mean_f1_per_order(label: Array, probability: Array, order_id: Array, threshold: float) -> float:
    """Mean over orders of the F1 of the predicted products (probability >= threshold).

    An order in which nothing was bought again and nothing is predicted counts 1, as in the
    Instacart competition; every other order without a hit counts 0.
    """
    return mean_f1_of_choices(label, probability.astype(np.float64) >= threshold, order_id)


def mean_f1_of_baskets(label: Array, probability: Array, order_id: Array) -> float:
    """The same, when for each order the set with the highest expected F1 is predicted."""
    return float(f1_of_baskets(label, probability, order_id).mean())


def f1_of_baskets(label: Array, probability: Array, order_id: Array) -> Array:
    """(orders,), by order id: the F1 of each order's set with the highest expected F1."""
    order, starts, place = ranked(probability, order_id)
    sizes, _ = next_basket.best_sizes(probability[order], starts)
    chosen = place < np.repeat(sizes, np.diff(starts))
    return f1_of_choices(label[order], chosen, order_id[order])


def ranked(probability: Array, order_id: Array) -> tuple[Array, Array, Array]:
    """The rows by order id, in an order the most likely first: (rows,) which row stands there,
    (orders + 1,) where each order starts, and (rows,) which place in its order that is, from 0."""
    order = np.lexsort((-probability, order_id))
    _, starts = np.unique(order_id[order], return_index=True)
    starts = np.append(starts, len(order))
    place = np.arange(len(order)) - np.repeat(starts[:-1], np.diff(starts))
    return order, starts, place


def mean_f1_of_choices(label: Array, predicted: Array, order_id: Array) -> float:
    """Mean over orders of the F1 of the rows that are `predicted` (bool)."""
    return float(f1_of_choices(label, predicted, order_id).mean())


def f1_of_choices(label: Array, predicted: Array, order_id: Array) -> Array:
    """(orders,), by order id: the F1 of the rows that are `predicted` (bool)."""
    _, order = np.unique(order_id, return_inverse=True)
    hits = np.bincount(order, weights=predicted & (label == 1))
    chosen = np.bincount(order, weights=predicted)
    bought = np.bincount(order, weights=label)
    either = chosen + bought
    return np.divide(2 * hits, either, out=np.ones_like(hits), where=either > 0)


def best_threshold(label: Array, probability: Array, order_id: Array) -> tuple[float, float]:
    """The threshold with the highest mean F1 per order, and that mean.

    Every distinct probability is tried, exactly: rows enter the prediction from the most likely
    down, each changes the F1 of its own order only, and the running sum of those changes is the
    total F1 at every cut. The threshold lies halfway between the last row in and the first out;
    of equally good cuts the highest is taken.
    """
    _, order = np.unique(order_id, return_inverse=True)
    orders = int(order.max()) + 1
    score = probability.astype(np.float64)
    bought = np.bincount(order, weights=label, minlength=orders)

    by_order = np.lexsort((-score, order))  # within an order: most likely first
    starts = np.searchsorted(order[by_order], np.arange(orders))
    rank = np.arange(len(order)) - starts[order[by_order]] + 1
    running = np.cumsum(label[by_order], dtype=np.float64)
    before = np.concatenate(([0.0], running))[starts]
    hits = running - before[order[by_order]]
    f1 = 2 * hits / (rank + bought[order[by_order]])
    empty = np.where(bought == 0, 1.0, 0.0)  # the F1 of predicting nothing
    previous = np.concatenate(([0.0], f1[:-1]))
    previous[starts] = empty
    change = np.empty_like(f1)
    change[by_order] = f1 - previous

    falling = np.argsort(-score, kind="stable")
    ordered = score[falling]
    totals = empty.sum() + np.cumsum(change[falling])
    last_of_tie = np.append(ordered[1:] != ordered[:-1], True)
    cuts = np.concatenate(([empty.sum()], totals[last_of_tie])) / orders
    included = np.concatenate(([1.0], ordered[last_of_tie]))
    excluded = np.append(included[1:], 0.0)
    # Sums that differ only by rounding are the same cut: the highest threshold of them wins.
    best = int(np.flatnonzero(cuts >= cuts.max() - 1e-12)[0])
    return float((included[best] + excluded[best]) / 2), float(cuts[best])


def calibration(label: Array, probability: Array, user_id: Array) -> list[Json]:
    """Rows in ten equally large groups by probability: `mean_predicted`, `observed`, `rows`, and
    `by_chance`, how far the first two would lie apart on average if the model were right."""
    by_probability = np.argsort(probability, kind="stable")
    return [
        {
            "mean_predicted": _rounded(probability[rows].mean(dtype=np.float64)),
            "observed": _rounded(label[rows].mean(dtype=np.float64)),
            "rows": len(rows),
            "by_chance": _rounded(_by_chance(label[rows], probability[rows], user_id[rows])),
        }
        for rows in np.array_split(by_probability, CALIBRATION_BINS)
        if len(rows)
    ]


def _by_chance(label: Array, probability: Array, user_id: Array) -> float:
    """Rows of one user go astray together, so that users are what is drawn (a sandwich estimate:
    Liang and Zeger, Biometrika 73, 1986); of few of them no less than of rows by themselves."""
    predicted = probability.astype(np.float64)
    astray = label - predicted
    _, user = np.unique(user_id, return_inverse=True)
    of_user = np.bincount(user, weights=astray - astray.mean())
    variance = max((of_user**2).sum(), (predicted * (1 - predicted)).sum())
    # The mean distance of a normal variable from its mean is sqrt(2 / pi) standard deviations.
    return float(np.sqrt(2 / np.pi * variance) / len(label))


def calibration_errors(groups: list[Json]) -> Json:
    """`calibration_error`: how far probability and share bought lie apart in a group of
    `calibration`, on average over the rows (0 to 1); `calibration_error_by_chance`: what so few
    users would show of a model that is exactly right."""
    rows, predicted, observed, by_chance = (
        np.array([group[name] for group in groups])
        for name in ("rows", "mean_predicted", "observed", "by_chance")
    )
    return {
        "calibration_error": _rounded(np.average(np.abs(predicted - observed), weights=rows)),
        "calibration_error_by_chance": _rounded(np.average(by_chance, weights=rows)),
    }


def lift(label: Array, probability: Array, order_id: Array) -> Json:
    """`top_k_recall`: the share of an order's repeats that are among its k most likely products,
    over all orders; `lift`: how many times as many of the most likely tenth (or twentieth, or
    hundredth) of the rows are bought as of all."""
    by_probability = np.argsort(-probability, kind="stable")
    base = label.mean(dtype=np.float64)
    shares = {"10": 10, "5": 20, "1": 100}
    return {
        "top_k_recall": top_recall(label, probability, order_id, TOP_K),
        "lift": {
            percent: _rounded(
                label[by_probability[: max(1, len(label) // part)]].mean(dtype=np.float64) / base
            )
            for percent, part in shares.items()
        },
    }


def top_recall(
    label: Array, probability: Array, order_id: Array, sizes: Sequence[int]
) -> dict[str, float]:
    """{k: share of all repeats that are among the k most likely products of their order}, of each
    k of `sizes`."""
    order, _, place = ranked(probability, order_id)
    bought, repeats = label[order], label.sum(dtype=np.float64)
    return {str(k): _rounded(bought[place < k].sum(dtype=np.float64) / repeats) for k in sizes}


def auc(label: Array, score: Array) -> float:
    return float(roc_auc_score(label, score.astype(np.float64)))


def loss_of_rows(label: Array, probability: Array) -> Array:
    """(rows,): the logarithmic loss of each, in nats, as scikit-learn's `log_loss` has it."""
    smallest = np.finfo(np.float64).eps
    score = np.clip(probability.astype(np.float64), smallest, 1 - smallest)
    return -np.log(np.where(label == 1, score, 1 - score))


def measures(label: Array, probability: Array, order_id: Array, threshold: float) -> Json:
    """AUC, logloss, average precision, and mean F1 per order with one threshold for all and with
    the best set for each (all 0 to 1 but logloss, in nats)."""
    score = probability.astype(np.float64)
    return {
        "auc": float(roc_auc_score(label, score)),
        "logloss": float(log_loss(label, score)),
        "average_precision": float(average_precision_score(label, score)),
        "mean_f1": mean_f1_per_order(label, probability, order_id, threshold),
        "mean_f1_of_baskets": mean_f1_of_baskets(label, probability, order_id),
        "threshold": threshold,
    }


def operating_point(label: Array, probability: Array, threshold: float) -> Json:
    """Where on the curves the threshold lies: the rates (0 to 1) of its predictions.

    `precision` is None when nothing is predicted.
    """
    predicted = probability.astype(np.float64) >= threshold
    hits = int((predicted & (label == 1)).sum())
    chosen, bought = int(predicted.sum()), int((label == 1).sum())
    return {
        "false_positive_rate": _rounded((chosen - hits) / max(1, len(label) - bought)),
        "true_positive_rate": _rounded(hits / max(1, bought)),
        "recall": _rounded(hits / max(1, bought)),
        "precision": _rounded(hits / chosen) if chosen else None,
    }


def curves(label: Array, probability: Array) -> Json:
    """The ROC and the precision-recall curve, each at most 100 points, evenly spread on x."""
    false_positive, true_positive, _ = roc_curve(label, probability)
    precision, recall, _ = precision_recall_curve(label, probability)
    return {
        "roc_curve": _thinned(
            "false_positive_rate", false_positive, "true_positive_rate", true_positive
        ),
        # scikit-learn gives recall falling from 1 to 0; a curve reads from left to right.
        "precision_recall_curve": _thinned("recall", recall[::-1], "precision", precision[::-1]),
    }


def _thinned(x_name: str, x: Array, y_name: str, y: Array) -> Json:
    wanted = np.searchsorted(x, np.linspace(x[0], x[-1], CURVE_POINTS - 1), side="right") - 1
    kept = np.union1d([0], np.clip(wanted, 0, len(x) - 1))
    return {x_name: [_rounded(v) for v in x[kept]], y_name: [_rounded(v) for v in y[kept]]}


def _rounded(value: Any) -> float:
    return round(float(value), DIGITS)
