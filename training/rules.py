"""Rules that need no model. One that does not beat them is not worth its machine.

* `order_rate`: how often the customer's orders held the product (`up_order_rate`), as if it were
  a probability; with the one threshold that is best on validation.
* `last_basket`: what was in the customer's last order is bought again, and nothing else.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from training import metrics
from training.sets import ParquetSet, Scores

Json = dict[str, Any]


def measured(holdout: ParquetSet, seen: Scores, validation: ParquetSet, unseen: Scores) -> Json:
    """{order_rate: {auc, mean_f1, threshold, top_10_recall}, last_basket: {mean_f1}}."""
    threshold, _ = metrics.best_threshold(
        seen.label, validation.column("up_order_rate"), seen.order_id
    )
    rate = holdout.column("up_order_rate")
    again = holdout.column("up_orders_since_last_order") == 0
    label, order_id = unseen.label, unseen.order_id
    return {
        "order_rate": {
            "auc": metrics.auc(label, rate),
            "mean_f1": metrics.mean_f1_per_order(label, rate, order_id, threshold),
            "threshold": threshold,
            "top_10_recall": metrics.top_recall(label, rate, order_id, [10])["10"],
        },
        "last_basket": {"mean_f1": metrics.mean_f1_of_choices(label, np.asarray(again), order_id)},
    }
