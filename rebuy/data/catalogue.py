"""The products on offer: where each one stands, how it is called, how much it sells, how it sticks.

The catalogue always has the full 49,688 products, however few users shop from it: a small set
then looks like a sample of the users of the full one, with the same popularity curve.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rebuy.data import names, shape
from rebuy.data.shape import Floats

Integers = NDArray[np.int64]


class Department(NamedTuple):
    """How many products it has, its share of all lines, and the share of those reordered."""

    products: int
    line_share: float
    reorder_rate: float


DEPARTMENTS: dict[str, Department] = {
    "frozen": Department(4007, 0.069, 0.542),
    "other": Department(548, 0.0011, 0.408),
    "bakery": Department(1516, 0.036, 0.628),
    "produce": Department(1684, 0.292, 0.650),
    "alcohol": Department(1054, 0.0047, 0.570),
    "international": Department(1139, 0.0083, 0.369),
    "beverages": Department(4365, 0.083, 0.653),
    "pets": Department(972, 0.0030, 0.601),
    "dry goods pasta": Department(1858, 0.027, 0.461),
    "bulk": Department(38, 0.0011, 0.577),
    "personal care": Department(6563, 0.0138, 0.321),
    "meat seafood": Department(907, 0.022, 0.568),
    "pantry": Department(5371, 0.058, 0.347),
    "breakfast": Department(1115, 0.022, 0.561),
    "canned goods": Department(2092, 0.033, 0.457),
    "dairy eggs": Department(3449, 0.167, 0.670),
    "household": Department(3085, 0.023, 0.402),
    "babies": Department(1081, 0.0131, 0.579),
    "snacks": Department(6264, 0.089, 0.574),
    "deli": Department(1322, 0.032, 0.608),
    "missing": Department(1258, 0.0021, 0.396),
}
HEAD_IS_PRODUCE = 8  # the most popular products of all are fruit and vegetables
REORDER_LOGIT_SPREAD = 0.48  # between products of one department and popularity
REORDER_LOGIT_PER_LOG_LINES = 0.13  # popular products are reordered more
MOST_REORDERED = 0.88
MOST_USERS_OF_ONE_PRODUCT = 0.4  # share of users who ever buy the most popular ones
# Distinct products that a user ends up with: log-normal around the measured mean.
PAIRS_PER_USER = shape.FULL_PRIOR_PAIRS / shape.FULL_USERS
PAIRS_LOG_SPREAD = 0.85


@dataclass(frozen=True)
class Catalogue:
    """Products as parallel arrays, most popular first; ids start at 1 and are shuffled."""

    aisles: list[str]
    departments: list[str]
    product_id: Integers
    name: list[str]
    aisle_id: Integers
    department_id: Integers
    discovery: Floats  # relative chance to be the next product that is new to a user
    reorder_rate: Floats  # share of the product's lines that should be reorders


def make(rng: np.random.Generator) -> Catalogue:
    """The catalogue for this stream of random numbers."""
    departments = list(DEPARTMENTS)
    aisles = sorted(aisle for group in names.AISLES.values() for aisle in group)
    line_share = shape.lines_by_rank()
    department = _place(line_share, rng)
    aisle = _choose_aisles(department, departments, aisles, rng)
    nouns = {name: noun for group in names.AISLES.values() for name, noun in group.items()}
    reorder_rate = _reorder_rates(line_share, department, rng)
    return Catalogue(
        aisles=aisles,
        departments=departments,
        product_id=rng.permutation(len(line_share)) + 1,
        name=names.product_names([nouns[aisles[index]] for index in aisle], rng),
        aisle_id=aisle + 1,
        department_id=department + 1,
        discovery=_discovery(line_share * (1 - reorder_rate)),
        reorder_rate=reorder_rate,
    )


def _place(line_share: Floats, rng: np.random.Generator) -> Integers:
    """The department (0-based) of each product, so that both line shares and counts come out.

    A department is more or less likely the more popular a product is: chance ~ exp(level +
    slope * log lines), both fitted. Then products are dealt out in order of popularity, each
    to the department that lags most behind what it is due.
    """
    count_due = np.array([d.products for d in DEPARTMENTS.values()], dtype=float)
    lines_due = np.array([d.line_share for d in DEPARTMENTS.values()])
    lines_due /= lines_due.sum()
    popularity = np.log(line_share) - np.log(line_share).mean()
    strip = np.array_split(np.arange(len(line_share)), 400)  # fit on strips of similar products
    strip_size = np.array([len(s) for s in strip], dtype=float)
    strip_lines = np.array([line_share[s].sum() for s in strip])
    strip_popularity = np.array([popularity[s].mean() for s in strip])
    level, slope = np.log(count_due), np.zeros(len(count_due))
    for _ in range(600):
        chance = _softmax(level + slope * strip_popularity[:, None])
        slope += 0.1 * np.log(lines_due / (strip_lines @ chance))
        level += 0.5 * np.log(count_due / (strip_size @ chance))
    chance = _softmax(level + slope * popularity[:, None])
    result = np.empty(len(line_share), dtype=np.int64)
    lag = np.zeros(len(count_due))
    jitter = rng.random(chance.shape)
    for rank, lines in enumerate(line_share):
        lag += chance[rank] * lines
        pick = int(np.argmax(lag - lines * jitter[rank]))
        if rank < HEAD_IS_PRODUCE:
            pick = list(DEPARTMENTS).index("produce")
        result[rank] = pick
        lag[pick] -= lines
    return result


def _choose_aisles(
    department: Integers, departments: list[str], aisles: list[str], rng: np.random.Generator
) -> Integers:
    """The aisle (0-based) of each product; earlier aisles of a department are larger."""
    result = np.empty(len(department), dtype=np.int64)
    for index, name in enumerate(departments):
        members = np.flatnonzero(department == index)
        own = np.array([aisles.index(aisle) for aisle in names.AISLES[name]])
        size = 1 / (np.arange(len(own)) + 3)
        result[members] = rng.choice(own, len(members), p=size / size.sum())
    return result


def _reorder_rates(line_share: Floats, department: Integers, rng: np.random.Generator) -> Floats:
    """Share of each product's lines to be reorders: its department's rate, more if popular."""
    rates = np.array([d.reorder_rate for d in DEPARTMENTS.values()])
    lines = np.log(line_share)
    lines_of_a_user = line_share * shape.FULL_PRIOR_LINES / shape.FULL_USERS
    floor = _logit(np.maximum(1 - MOST_USERS_OF_ONE_PRODUCT / lines_of_a_user, 0.01))
    logit = REORDER_LOGIT_PER_LOG_LINES * lines + rng.normal(0, REORDER_LOGIT_SPREAD, len(lines))
    for _ in range(20):  # the spread and the slope must not move a department's own rate
        reordered = np.bincount(department, line_share * _expit(logit), len(rates))
        now = reordered / np.bincount(department, line_share, len(rates))
        logit += (_logit(rates) - _logit(now))[department]
        logit = np.clip(logit, floor, _logit(np.array(MOST_REORDERED)))
    return _expit(logit)


def _discovery(first_purchases: Floats) -> Floats:
    """Weights for drawing new products, such that first purchases come out in these shares.

    A user discovers a product once only, so a very popular one needs more than its share. By
    Rosén's approximation a user who draws for the time tau without replacement has the product
    with probability 1 - exp(-weight * tau).
    """
    normal = np.array([-1.65, -1.04, -0.68, -0.39, -0.13, 0.13, 0.39, 0.68, 1.04, 1.65])
    pairs = np.exp(PAIRS_LOG_SPREAD * normal)
    pairs *= PAIRS_PER_USER / pairs.mean()
    due = first_purchases / first_purchases.sum() * PAIRS_PER_USER  # chance that a user has it
    weight, tau = due / due.sum(), pairs.copy()
    for _ in range(25):
        has = 1 - np.exp(-weight[:, None] * tau)
        tau *= pairs / has.sum(axis=0)
        weight *= due / has.mean(axis=1)
    return weight / weight.sum()


def _softmax(x: Floats) -> Floats:
    powers = np.exp(x - x.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _expit(x: Floats) -> Floats:
    return 1 / (1 + np.exp(-x))


def _logit(p: Floats) -> Floats:
    return np.log(p) - np.log1p(-p)
