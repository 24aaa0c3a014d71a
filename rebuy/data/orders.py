"""When users order: how many times, how far apart, on which day and at which hour."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from rebuy.data import shape
from rebuy.data.shape import Floats

Integers = NDArray[np.int64]

FREQUENCY_AND_GAP = 0.75  # how strongly many orders go with short gaps
HABIT = 0.6  # share of the variation of gaps that is between users, not within one
OWN_HOURS, AT_OWN_HOURS = 2, 0.4  # how many hours a user likes, and share of orders at them
FIRST_ORDER_GAP = -1


@dataclass(frozen=True)
class Orders:
    """The orders of some users as parallel arrays, user by user and in order."""

    user: Integers  # 0-based
    number: Integers  # 1, 2, 3, ... for each user
    is_last: NDArray[np.bool_]
    gap: Integers  # days since the one before, 0-30; FIRST_ORDER_GAP for the first order
    day: Integers  # 0-6
    hour: Integers  # 0-23


def counts(users: int, rng: np.random.Generator) -> Integers:
    """How many orders each user has made."""
    chances = shape.orders_per_user()
    return rng.choice(len(chances), users, p=chances)


def make(order_counts: Integers, rng: np.random.Generator) -> Orders:
    """The orders of users who have `order_counts` of them.

    Days of the week follow the calendar: gap and day agree, except at the cap of 30 days,
    which stands for any longer gap. An exact share of gaps comes from a Gaussian copula: one
    normal number for the user's habit, one for the order, and the quantile of their sum.
    """
    user = np.repeat(np.arange(len(order_counts)), order_counts)
    first = np.cumsum(order_counts) - order_counts
    number = np.arange(len(user)) - first[user] + 1
    is_last = number == order_counts[user]
    chance = _gap_chances(order_counts, user, is_last, rng)
    gap = np.full(len(user), FIRST_ORDER_GAP)
    day = np.zeros(len(user), dtype=np.int64)
    day[first] = rng.choice(7, len(first), p=shape.DAY_OF_WEEK)
    any_day = rng.choice(7, len(user), p=shape.DAY_OF_WEEK)
    tables = _gap_quantiles()
    for step in range(1, int(order_counts.max())):
        row = first[order_counts > step] + step
        table = tables[is_last[row].astype(int), day[row - 1]]
        gap[row] = (chance[row, None] > table).sum(axis=1)
        capped = gap[row] == shape.GAP_CAP_DAYS
        day[row] = np.where(capped, any_day[row], (day[row - 1] + gap[row]) % 7)
    hour = rng.choice(24, len(user), p=shape.HOUR_OF_DAY)
    hour = _with_own_hours(user, hour, rng.spawn(1)[0])
    return Orders(user, number, is_last, gap, day, hour)


def _with_own_hours(user: Integers, hour: Integers, rng: np.random.Generator) -> Integers:
    """The hours, many of them now one of the user's own: drawn as all are, so that the hours keep
    their shares."""
    own = rng.choice(24, (int(user[-1]) + 1, OWN_HOURS), p=shape.HOUR_OF_DAY)
    which = rng.integers(0, OWN_HOURS, len(user))
    return np.where(rng.random(len(user)) < AT_OWN_HOURS, own[user, which], hour)


def _gap_chances(
    order_counts: Integers, user: Integers, is_last: NDArray[np.bool_], rng: np.random.Generator
) -> Floats:
    """For each order a number, uniform on 0 to 1, that says how long its gap is among all gaps."""
    own = rng.normal(size=len(order_counts))
    by_orders, by_users = _frequency_scores()
    rest = np.sqrt(1 - FREQUENCY_AND_GAP**2)
    score = np.where(is_last, by_users[order_counts[user]], by_orders[order_counts[user]])
    habit = rest * own[user] - FREQUENCY_AND_GAP * score
    mixed = np.sqrt(HABIT) * habit + np.sqrt(1 - HABIT) * rng.normal(size=len(user))
    return _normal_cdf(mixed)


def _frequency_scores() -> tuple[Floats, Floats]:
    """Normal score of having n orders, n = 0..100: among orders, and among users."""
    users = shape.orders_per_user()
    gaps = users * np.maximum(np.arange(len(users)) - 2, 0)  # earlier orders that have a gap

    def scores(weight: Floats) -> Floats:
        share = weight / weight.sum()
        middle = np.clip(np.cumsum(share) - share / 2, 1e-6, 1 - 1e-6)
        normal = NormalDist()
        score = np.array([normal.inv_cdf(float(p)) for p in middle])
        mean = share @ score
        return np.asarray((score - mean) / np.sqrt(share @ (score - mean) ** 2))

    return scores(gaps), scores(users)


def _gap_quantiles() -> Floats:
    """[earlier or last order, day of the order before, gap]: upper ends of the gaps' shares.

    A gap that leads to a popular day is likelier, so that the days keep their own shares.
    """
    days = np.arange(shape.GAP_CAP_DAYS + 1)
    result = np.empty((2, 7, len(days)))
    for kind, gaps in enumerate(shape.gap_days()):
        for day in range(7):
            weight = gaps * shape.DAY_OF_WEEK[(day + days) % 7]
            weight[-1] = gaps[-1]  # the cap keeps its share: it leads to any day
            weight[:-1] *= (1 - gaps[-1]) / weight[:-1].sum()
            result[kind, day] = np.cumsum(weight)
    result[:, :, -1] = 1.0
    return result


def _normal_cdf(x: Floats) -> Floats:
    """The standard normal distribution function, from a fine table (numpy has no erf)."""
    at = np.linspace(-8, 8, 4001)
    normal = NormalDist()
    table = np.array([normal.cdf(float(value)) for value in at])
    return np.interp(x, at, table)
