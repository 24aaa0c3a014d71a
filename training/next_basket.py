"""The next basket of a customer: the set of products with the highest expected F1.

Each product is bought, or not, independently of the others, with the probability that the model
gives it. Of all sets of k products the k most likely are then the best (Lewis 1995, "Evaluating and
optimizing autonomous text classification systems"; Ye, Chai, Lee and Chieu 2012, "Optimizing
F-measures: a tale of two approaches"), so what is looked for is k; 0 is an answer.

With y_i = 1 for a product that is bought, the F1 of the first k is 2 sum_{i<=k} y_i / (k + sum y).
Since 1 / m is the integral of t^(m-1) over 0 to 1, its expectation is

    2 * integral of  t^k  prod_j (1 - p_j + p_j t)  sum_{i<=k} p_i / (1 - p_i + p_i t)  dt,

a polynomial in t of degree d = n + k - 1 at most, with coefficients of one sign: Gauss-Legendre
quadrature is exact with d / 2 nodes, and the largest error of t^0 ... t^d bounds that of so few as
`quadrature` takes, below 1e-13. Nothing chosen counts 1 when nothing is bought (as
`metrics.mean_f1_per_order` does), so the expected F1 of the empty set is prod_j (1 - p_j).

Few sizes need a look. With mu = sum p, that of k is at most E[2 sum y / (k + sum y)], by Jensen at
most 2 mu / (k + mu), which falls with k: from where the best so far is no less, none is better.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
from scipy.special import roots_legendre

Array = Any

WIDTH_STEP = 8  # customers of about as many products are computed together, filled up with zeros
LOOKED_AT = 5  # times what is expected to be bought: so many sizes are looked at first
BATCH_NUMBERS = 300_000  # of a (customers, products, nodes) table: it stays in the cache


def best_sizes(probability: Array, starts: Array) -> tuple[Array, Array]:
    """For each customer how many of the most likely products to choose, and their expected F1.

    Customer c has the rows `starts[c]` to `starts[c + 1]` of `probability`, the most likely first;
    `starts` is (customers + 1,). Both results are (customers,): int64, and float64 from 0 to 1. Of
    equally good sizes the smallest is taken.
    """
    counts = np.diff(starts)
    sizes = np.zeros(len(counts), dtype=np.int64)
    values = np.ones(len(counts))  # nothing to buy, nothing chosen
    expected = np.add.reduceat(np.append(probability, 0.0), starts[:-1], dtype=np.float64)
    expected[counts == 0] = 0.0
    open_ones = np.flatnonzero(counts > 0)
    most = np.minimum(counts, np.ceil(LOOKED_AT * expected).astype(np.int64) + 1)
    while len(open_ones):
        widths = -(-counts[open_ones] // WIDTH_STEP) * WIDTH_STEP
        looked_at = -(-most[open_ones] // WIDTH_STEP) * WIDTH_STEP
        for width, few in np.unique(np.stack([widths, looked_at]), axis=1).T.tolist():
            customers = open_ones[(widths == width) & (looked_at == few)]
            step = max(1, BATCH_NUMBERS // (width * len(quadrature(width + few - 1)[0])))
            for first in range(0, len(customers), step):
                some = customers[first : first + step]
                found = expected_f1(_table(probability, starts, some, width), few)
                # More than there is to choose from is only worse: those rows are zeros.
                sizes[some] = found.argmax(axis=1)
                values[some] = found.max(axis=1)
        bound = 2 * expected / (most + 1 + expected)
        open_ones = open_ones[(most < counts)[open_ones] & (values < bound)[open_ones]]
        most = counts
    return sizes, values


def _table(probability: Array, starts: Array, customers: Array, width: int) -> Array:
    """(customers, width) float64: their rows, filled up with zeros."""
    place = np.arange(width)
    inside = place < (starts[customers + 1] - starts[customers])[:, None]
    rows = np.where(inside, starts[customers, None] + place, 0)
    return np.where(inside, probability[rows].astype(np.float64), 0.0)


def expected_f1(probability: Array, most: int | None = None) -> Array:
    """(customers, most + 1): the expected F1 of choosing the first 0, 1, ... `most` (n) of each row
    of `probability`, (customers, n) float64."""
    n = probability.shape[1]
    most = n if most is None else most
    nodes, weights = quadrature(n + most - 1)
    # One table, changed in place: the time goes into memory.
    table = probability[:, :, None] * (nodes - 1)
    table += 1  # 1 - p + p t, never 0 inside (0, 1)
    weighted = table.prod(axis=1) * weights
    table = np.divide(probability[:, :most, None], table[:, :most], out=table[:, :most])
    np.cumsum(table, axis=1, out=table)
    table *= nodes ** np.arange(1, most + 1)[:, None]
    chosen = 2 * np.matmul(table, weighted[:, :, None])[:, :, 0]
    empty = (1 - probability).prod(axis=1)
    return np.concatenate([empty[:, None], chosen], axis=1)


@cache
def quadrature(degree: int) -> tuple[Array, Array]:
    """Gauss-Legendre nodes and weights on 0 to 1, for t^0 to t^degree."""
    enough = math.ceil(2.7 * math.sqrt(degree)) + 2
    nodes, weights = roots_legendre(min(degree // 2 + 1, enough))
    return (nodes + 1) / 2, weights / 2
