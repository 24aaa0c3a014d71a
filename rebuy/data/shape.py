"""The shape of the public Instacart 2017 data, as numbers for the generator to follow.

The files themselves may not be redistributed; these are counts taken from them. What stands
here is measured. How the generator reaches it (the behaviour of a shopper) is in `baskets`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FULL_USERS = 206_209
FULL_ORDERS = 3_421_083
FULL_PRIOR_LINES = 32_434_489
FULL_PRIOR_PAIRS = 13_307_953
TRAIN_USERS = 131_209

FEWEST_ORDERS, MOST_ORDERS = 4, 100
MEAN_ORDERS = FULL_ORDERS / FULL_USERS
# Share of users with exactly this many orders; 100 is a cap and has a spike of its own.
ORDERS_SHARE = {
    4: 0.116, 5: 0.095, 6: 0.078, 7: 0.067, 8: 0.057,
    10: 0.044, 15: 0.025, 20: 0.016, 30: 0.007, 50: 0.003,
}  # fmt: skip
ORDERS_AT_CAP = 0.0067

# Lines (of 32.4 million) of the product at this popularity rank.
LINES_AT_RANK = {
    1: 472_565, 10: 137_905, 100: 32_788, 1_000: 5_445,
    5_000: 1_013, 10_000: 372, 20_000: 100, 40_000: 13, 49_688: 1,
}  # fmt: skip

# Share of reordered lines in a user's n-th order.
REORDER_RATE_AT_ORDER = {
    2: 0.27, 3: 0.38, 4: 0.47, 5: 0.52, 6: 0.53, 8: 0.58,
    10: 0.66, 15: 0.69, 20: 0.74, 30: 0.77, 40: 0.82, 100: 0.82,
}  # fmt: skip

# Share of orders on each order_dow (0-6), in each order_hour_of_day (0-23), and with each
# days_since_prior_order (0-30, where 30 means 30 or more).
DAY_OF_WEEK = np.array([0.176, 0.172, 0.137, 0.128, 0.125, 0.133, 0.131])
HOUR_OF_DAY = np.array([
    0.0067, 0.0036, 0.0022, 0.0016, 0.0016, 0.0028, 0.0089, 0.0269, 0.0521, 0.0754, 0.0843, 0.0832,
    0.0798, 0.0813, 0.0827, 0.0829, 0.0797, 0.0669, 0.0535, 0.0411, 0.0305, 0.0228, 0.0180, 0.0117,
])  # fmt: skip
GAP_DAYS = np.array([
    0.0211, 0.0452, 0.0601, 0.0675, 0.0690, 0.0667, 0.0747, 0.0997, 0.0565, 0.0368, 0.0296,
    0.0252, 0.0237, 0.0259, 0.0312, 0.0207, 0.0146, 0.0122, 0.0112, 0.0107, 0.0120,
    0.0141, 0.0100, 0.0074, 0.0064, 0.0060, 0.0059, 0.0068, 0.0083, 0.0060, 0.1149,
])  # fmt: skip
GAP_CAP_DAYS = 30
for _shares in (DAY_OF_WEEK, HOUR_OF_DAY, GAP_DAYS):  # published rounded
    _shares /= _shares.sum()
# A user's last order (train or test) stands later than the others.
FINAL_GAP_MEAN_DAYS, FINAL_GAP_AT_CAP = 17.05, 0.306


def orders_per_user() -> Floats:
    """Probability of 0..100 orders. The tail above 50 is bent until the mean is the real one."""
    counts = np.arange(MOST_ORDERS + 1)

    def shares(at_99: float) -> Floats:
        known = {**ORDERS_SHARE, 99: at_99}
        result = _between(known, counts)
        result[:FEWEST_ORDERS] = 0.0
        result[MOST_ORDERS] = 0.0
        return np.append(result[:-1] / result.sum() * (1 - ORDERS_AT_CAP), ORDERS_AT_CAP)

    low, high = 1e-6, 3e-3
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if shares(middle) @ counts < MEAN_ORDERS else (low, middle)
    return shares(low)


def lines_by_rank() -> Floats:
    """Share of all lines that each product has, most popular first; sums to 1."""
    ranks = np.arange(1, max(LINES_AT_RANK) + 1)
    lines = _between(dict(LINES_AT_RANK), ranks)
    return lines / lines.sum()


def reorder_rate_by_order() -> Floats:
    """Share of reordered lines in order 0..100 of a user (0 for the first order)."""
    numbers = np.arange(MOST_ORDERS + 1)
    rates = np.interp(numbers, list(REORDER_RATE_AT_ORDER), list(REORDER_RATE_AT_ORDER.values()))
    rates[:2] = 0.0
    return rates


def gap_days() -> tuple[Floats, Floats]:
    """Probability of each gap 0..30 before (an earlier order, a user's last order).

    `GAP_DAYS` counts both; the last orders are the same histogram tilted to their own mean
    below the cap, the earlier orders are what then remains.
    """
    overall = GAP_DAYS
    days = np.arange(GAP_CAP_DAYS)
    below_cap = (FINAL_GAP_MEAN_DAYS - GAP_CAP_DAYS * FINAL_GAP_AT_CAP) / (1 - FINAL_GAP_AT_CAP)
    low, high = 0.0, 1.0
    for _ in range(60):
        tilt = (low + high) / 2
        tilted = overall[:-1] * np.exp(tilt * days)
        low, high = (tilt, high) if tilted @ days / tilted.sum() < below_cap else (low, tilt)
    final = np.append(tilted / tilted.sum() * (1 - FINAL_GAP_AT_CAP), FINAL_GAP_AT_CAP)
    final_share = FULL_USERS / (FULL_ORDERS - FULL_USERS)
    earlier = np.clip(overall - final_share * final, 1e-6, None)
    return earlier / earlier.sum(), final


def _between(points: dict[int, float], at: NDArray[np.int64]) -> Floats:
    """`points` interpolated on a log-log scale."""
    x = np.log(np.maximum(at, 1))
    return np.exp(np.interp(x, np.log(list(points)), np.log(list(points.values()))))
