"""The next basket of a customer: the set of products with the highest expected F1.

Each product is bought, or not, independently of the others, with the probability that the model
gives it. Of all sets of k products the k most likely are then the best (Lewis 1995, "Evaluating and
optimizing autonomous text classification systems"; Ye, Chai, Lee and Chieu 2012, "Optimizing
F-measures: a tale of two approaches"), so what is looked for is k; 0 is an answer.

With y_i = 1 for a product that is bought, the F1 of the first k is 2 sum_{i<=k} y_i / (k + sum y).
Since 1 / m is the integral of t^(m-1) over 0 to 1, its expectation is

    2 * integral of  t^k  prod_j (1 - p_j + p_j t)  sum_{i<=k} p_i / (1 - p_i + p_i t)  dt,

a polynomial in t of degree n + k - 1 at most: Gauss-Legendre quadrature with n nodes has no error
but rounding. Nothing chosen counts 1 when nothing is bought (as `metrics.mean_f1_per_order` does),
so the expected F1 of the empty set is prod_j (1 - p_j).
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from scipy.special import roots_legendre

Array = Any

WIDTH_STEP = 8  # customers of about as many products are computed together, filled up with zeros
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
    widths = -(-counts // WIDTH_STEP) * WIDTH_STEP
    for width in np.unique(widths[widths > 0]).tolist():
        customers = np.flatnonzero(widths == width)
        step = max(1, BATCH_NUMBERS // width**2)
        for first in range(0, len(customers), step):
            some = customers[first : first + step]
            place = np.arange(width)
            inside = place < counts[some, None]
            rows = np.where(inside, starts[some, None] + place, 0)
            table = np.where(inside, probability[rows].astype(np.float64), 0.0)
            expected = expected_f1(table)
            # More than there is to choose from is only worse: those rows are zeros.
            sizes[some] = expected.argmax(axis=1)
            values[some] = expected.max(axis=1)
    return sizes, values


def expected_f1(probability: Array) -> Array:
    """(customers, n + 1): the expected F1 of choosing the first 0, 1, ... n of each row of
    `probability`, (customers, n) float64."""
    n = probability.shape[1]
    nodes, weights = quadrature(n)
    # One table, changed in place: the time goes into memory.
    table = probability[:, :, None] * (nodes - 1)
    table += 1  # 1 - p + p t, never 0 inside (0, 1)
    weighted = table.prod(axis=1) * weights
    np.divide(probability[:, :, None], table, out=table)
    np.cumsum(table, axis=1, out=table)
    table *= nodes ** np.arange(1, n + 1)[:, None]
    chosen = 2 * np.matmul(table, weighted[:, :, None])[:, :, 0]
    empty = (1 - probability).prod(axis=1)
    return np.concatenate([empty[:, None], chosen], axis=1)


@cache
def quadrature(n: int) -> tuple[Array, Array]:
    """Gauss-Legendre nodes and weights on 0 to 1: exact for polynomials of degree 2 n - 1."""
    nodes, weights = roots_legendre(n)
    return (nodes + 1) / 2, weights / 2
