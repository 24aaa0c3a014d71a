"""What users put into their orders, one order after the other.

A shopper fills an order partly with products bought before and partly with new ones. How many
are reorders depends on how many orders came before and on the user. Which ones is a race: each
known product runs at a speed that grows with the user's taste for it, the product's own
stickiness, and how lately it was bought, and falls with how far off it is from the day on which it
is wanted again; many a product was only tried. The fastest get into the basket. New products are
drawn by popularity among those that the user does not know. So `reordered` is true by
construction, and the signal in a purchase history is limited by the luck of the race.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rebuy.data import shape
from rebuy.data.catalogue import Catalogue
from rebuy.data.shape import Floats

Integers = NDArray[np.int64]

# Basket sizes: gamma between users, gamma-Poisson within one.
BASKET_MEAN, BASKET_USER_SHAPE, BASKET_ORDER_SHAPE = 10.15, 2.5, 6.5
FINAL_BASKET_FACTOR = 1.04
LARGEST_BASKET = 80
# How reordering differs, on the logit scale, between users and between orders of one user.
REORDER_USER_SPREAD, REORDER_ORDER_SPREAD = 1.1, 0.9
ODD_ORDERS = 0.026  # share of orders that hold only new products, whatever went before
FINAL_REORDER_SHIFT = -0.2  # a user's last order comes after a longer gap
REORDER_SHIFT = 0.31  # makes up for what the next two take away
LARGE_BASKET_SHIFT = -0.5  # per log (basket size / mean size): big shops hold more new things
# Speed of a known product in the race, on the log scale.
TASTE_SPREAD = 0.2  # between the products of one user
STICKINESS = 1.17  # per logit of the product's reorder rate
ONE_OFFS = 0.5  # share of new products that were tried, and are hardly wanted again
ONE_OFF_SHIFT = 1.85
RECENCY_SLOPE = 0.2  # per log (1 + orders since the last purchase)
# A product is wanted again after some days of its own: speed falls with how far off they are.
CYCLE_DAYS, CYCLE_SPREAD = 18.0, 1.2  # of the cycles' median; of their logarithm
DUE_SLOPE = 0.7  # per log (days since it was bought / days of its cycle), either way
HABIT_SLOPE = 0.05  # per log (times bought)
# Reorders tend to go into the cart first: this share of new products is put in second thoughts.
LATE_NEW_PRODUCTS = 0.6


@dataclass(frozen=True)
class Lines:
    """Order lines as parallel arrays, order by order and in cart order."""

    order: Integers  # row of the order, where orders stand user by user
    product: Integers  # rank in the catalogue
    position: Integers  # add_to_cart_order, from 1
    reordered: NDArray[np.int8]


def fill(
    order_counts: Integers, gaps: Integers, catalogue: Catalogue, rng: np.random.Generator
) -> Lines:
    """The lines of all orders of users who have `order_counts` orders: some 50 KiB a user. `gaps`
    are the days before each order, user by user."""
    by_count = np.argsort(-order_counts, kind="stable")  # then the users of step n stand first
    count = order_counts[by_count]
    first_row = (np.cumsum(order_counts) - order_counts)[by_count]
    shop = _Shop(len(count), catalogue, rng)
    parts: list[tuple[Integers, Integers, NDArray[np.bool_]]] = []
    for step in range(int(count[0])):
        active = int(np.searchsorted(-count, -step))
        gap = gaps[first_row[:active] + step]
        last = count[:active] == step + 1
        user, product, is_reorder = shop.visit(step, active, gap, last)
        parts.append((first_row[user] + step, product, is_reorder))
    order, product, is_reorder = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    cart_key = rng.random(len(order), dtype=np.float32)
    is_late = ~is_reorder & (rng.random(len(order), dtype=np.float32) < LATE_NEW_PRODUCTS)
    later = np.maximum(cart_key, rng.random(len(order), dtype=np.float32))
    cart_key = np.where(is_late, later, cart_key)
    place = _sorted_within(order, cart_key)
    order = order[place]
    start = np.flatnonzero(np.diff(order, prepend=-1))
    position = np.arange(len(order)) - np.repeat(start, np.diff(start, append=len(order))) + 1
    return Lines(order, product[place], position, is_reorder[place].astype(np.int8))


class _Shop:
    """What a group of users know, as one row per (user, product bought before)."""

    def __init__(self, users: int, catalogue: Catalogue, rng: np.random.Generator) -> None:
        self.rng = rng
        self.popularity = np.cumsum(catalogue.discovery)
        self.popularity /= self.popularity[-1]
        logit = np.log(catalogue.reorder_rate / (1 - catalogue.reorder_rate))
        self.stickiness = (STICKINESS * logit).astype(np.float32)
        mean = BASKET_MEAN - 1  # the first item of a basket is certain
        self.basket_mean = rng.gamma(BASKET_USER_SHAPE, mean / BASKET_USER_SHAPE, users)
        self.reorder_habit = rng.normal(0, REORDER_USER_SPREAD, users)
        self.reorder_logit = _reorder_logits()
        self.knows = np.zeros((users, len(catalogue.discovery)), dtype=bool)
        self.user = np.empty(0, dtype=np.int64)
        self.product = np.empty(0, dtype=np.int64)
        self.taste = np.empty(0, dtype=np.float32)
        self.times = np.empty(0, dtype=np.int32)
        self.last_step = np.empty(0, dtype=np.int32)
        self.last_day = np.empty(0, dtype=np.float32)
        self.cycle = np.empty(0, dtype=np.float32)  # log days after which it is wanted again
        self.today = np.zeros(users, dtype=np.float32)
        steps = np.arange(1, shape.MOST_ORDERS + 2, dtype=np.float32)
        self.recency = -RECENCY_SLOPE * np.log(steps)
        self.habit = HABIT_SLOPE * np.log(np.maximum(steps - 1, 1))

    def visit(
        self, step: int, active: int, gap: Integers, last: NDArray[np.bool_]
    ) -> tuple[Integers, Integers, NDArray[np.bool_]]:
        """One order each of the first `active` users, `gap` days after the one before: (user,
        product, is a reorder) by line."""
        self.today[:active] += np.maximum(gap, 0)
        self._forget_users_from(active)
        size = self._basket_sizes(active, last)
        known = np.bincount(self.user, minlength=active)
        logit = REORDER_SHIFT + self.reorder_logit[step + 1] + self.reorder_habit[:active]
        logit = logit + LARGE_BASKET_SHIFT * np.log(size / BASKET_MEAN)
        logit = (
            logit + FINAL_REORDER_SHIFT * last + self.rng.normal(0, REORDER_ORDER_SPREAD, active)
        )
        rate = np.where(self.rng.random(active) < ODD_ORDERS, 0, 1 / (1 + np.exp(-logit)))
        reorders = np.minimum(self.rng.binomial(size, rate), known)
        again = self._winners(step, reorders, known)
        self.times[again] += 1
        self.last_step[again] = step
        self.last_day[again] = self.today[self.user[again]]
        user, product = self._discover(size - reorders)
        lines_user = np.concatenate((self.user[again], user))
        lines_product = np.concatenate((self.product[again], product))
        self._learn(user, product, step)
        return lines_user, lines_product, np.arange(len(lines_user)) < len(again)

    def _forget_users_from(self, active: int) -> None:
        keep = self.user < active
        if not keep.all():
            for name in ("user", "product", "taste", "times", "last_step", "last_day", "cycle"):
                setattr(self, name, getattr(self, name)[keep])

    def _basket_sizes(self, active: int, last: NDArray[np.bool_]) -> Integers:
        mean = self.basket_mean[:active] * np.where(last, FINAL_BASKET_FACTOR, 1.0)
        varied = mean * self.rng.gamma(BASKET_ORDER_SHAPE, 1 / BASKET_ORDER_SHAPE, active)
        return np.minimum(1 + self.rng.poisson(varied), LARGEST_BASKET)

    def _winners(self, step: int, wanted: Integers, known: Integers) -> Integers:
        """Rows of the known products that go into the baskets: the first `wanted` of each user.

        The time of each is exponential with its speed as rate, which is drawing without
        replacement with the speeds as weights.
        """
        speed = self.taste + self.recency[step - 1 - self.last_step] + self.habit[self.times]
        days = self.today[self.user] - self.last_day
        speed -= np.float32(DUE_SLOPE) * np.abs(np.log1p(days) - self.cycle)
        time = self.rng.standard_exponential(len(speed), dtype=np.float32) * np.exp(-speed)
        place = _sorted_within(self.user, time)
        rank = np.arange(len(place)) - np.repeat(np.cumsum(known) - known, known)
        return place[rank < np.repeat(wanted, known)]

    def _discover(self, wanted: Integers) -> tuple[Integers, Integers]:
        """`wanted` new products for each user: drawn by popularity, drawn again if known."""
        users: list[Integers] = []
        products: list[Integers] = []
        waiting = np.repeat(np.arange(len(wanted)), wanted)
        while len(waiting):
            drawn = np.searchsorted(self.popularity, self.rng.random(len(waiting)), side="right")
            fresh = np.zeros(len(waiting), dtype=bool)
            fresh[np.unique(waiting * len(self.popularity) + drawn, return_index=True)[1]] = True
            fresh &= ~self.knows[waiting, drawn]
            users.append(waiting[fresh])
            products.append(drawn[fresh])
            self.knows[waiting[fresh], drawn[fresh]] = True
            waiting = waiting[~fresh]
        if not users:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        return np.concatenate(users), np.concatenate(products)

    def _learn(self, user: Integers, product: Integers, step: int) -> None:
        taste = self.rng.standard_normal(len(user), dtype=np.float32) * np.float32(TASTE_SPREAD)
        one_off = self.rng.random(len(user), dtype=np.float32) < ONE_OFFS
        taste -= np.float32(ONE_OFF_SHIFT) * one_off
        self.user = np.append(self.user, user)
        self.product = np.append(self.product, product)
        self.taste = np.append(self.taste, taste + self.stickiness[product])
        self.times = np.append(self.times, np.ones(len(user), dtype=np.int32))
        self.last_step = np.append(self.last_step, np.full(len(user), step, dtype=np.int32))
        self.last_day = np.append(self.last_day, self.today[user])
        cycle = self.rng.standard_normal(len(user), dtype=np.float32) * np.float32(CYCLE_SPREAD)
        self.cycle = np.append(self.cycle, cycle + np.float32(np.log1p(CYCLE_DAYS)))


def _reorder_logits() -> Floats:
    """Logit of the reorder rate by order number, steepened so that its spread leaves the mean."""
    rate = np.clip(shape.reorder_rate_by_order(), 1e-9, 1 - 1e-9)
    spread = REORDER_USER_SPREAD**2 + REORDER_ORDER_SPREAD**2
    return np.asarray(np.log(rate / (1 - rate)) * np.sqrt(1 + 0.346 * spread))


def _sorted_within(group: Integers, key: NDArray[np.float32]) -> Integers:
    """Row numbers ordered by (group, key), key >= 0.

    Packed into one integer each, because numpy sorts plain integers several times faster than
    it argsorts: group, then the bits of the float (they order as the float does; the lowest
    are dropped where room is short), then row.
    """
    if not len(key):
        return np.empty(0, dtype=np.int64)
    row_bits = len(key).bit_length()
    key_bits = min(31, 64 - row_bits - int(group.max()).bit_length())
    packed = group.astype(np.uint64) << np.uint64(key_bits + row_bits)
    bits = np.ascontiguousarray(key, dtype=np.float32).view(np.uint32) >> np.uint32(31 - key_bits)
    packed |= bits.astype(np.uint64) << np.uint64(row_bits)
    packed |= np.arange(len(key), dtype=np.uint64)
    packed.sort()
    return (packed & np.uint64((1 << row_bits) - 1)).astype(np.int64)
