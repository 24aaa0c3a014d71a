"""Parts of a holdout that a mean may hide: by how active the customer is, how popular the product,
and which department it stands in."""

from __future__ import annotations

from typing import Any

import numpy as np

from training import metrics
from training.sets import Array, ParquetSet, Scores

Json = dict[str, Any]

# Prior orders of the customer, as the public Instacart competition is often told in.
ACTIVITY = ((0, 5), (6, 10), (11, 20), (21, 40), (41, None))
POPULARITY = ("rare", "known", "popular")  # thirds of the rows, by purchases of the product
LEAST_POSITIVES = 30  # fewer say nothing about a slice


def masks(holdout: ParquetSet, label: Array, departments: list[str]) -> dict[str, Array]:
    """{name: (rows,) bool}, in the order of the kinds; `departments` has one entry a row. Slices
    with fewer than LEAST_POSITIVES of either label are left out."""
    orders = holdout.column("user_orders")
    found: dict[str, Array] = {}
    for low, high in ACTIVITY:
        name = f"{low} to {high}" if high is not None else f"{low} and more"
        inside = (orders >= low) & (orders <= (np.inf if high is None else high))
        found[f"customers of {name} orders"] = inside
    bought = holdout.column("prod_orders")
    edges = np.quantile(bought, [1 / 3, 2 / 3])
    third = np.searchsorted(edges, bought)
    for place, name in enumerate(POPULARITY):
        found[f"{name} products"] = third == place
    named = np.array(departments, dtype=object)
    for name in sorted(set(departments)):
        found[f"department {name}"] = named == name
    return {
        name: mask
        for name, mask in found.items()
        if min(label[mask].sum(), (1 - label[mask]).sum()) >= LEAST_POSITIVES
    }


def measured(scores: Scores, parts: dict[str, Array]) -> list[Json]:
    """[{slice, rows, users, positives, auc, logloss}]."""
    found = []
    for name, mask in parts.items():
        some = scores.where(mask)
        found.append(
            {
                "slice": name,
                "rows": len(some.label),
                "users": len(np.unique(some.user_id)),
                "positives": int(some.label.sum()),
                "auc": round(some.auc(), 6),
                "logloss": round(
                    float(metrics.loss_of_rows(some.label, some.probability).mean()), 6
                ),
            }
        )
    return found
