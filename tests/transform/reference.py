"""The further features once more, in plain Python and apart from the chain.

What is known `held_back` orders before the last is found by throwing the later orders of every
user away; then everything is computed as if that were all there is.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from dataclasses import dataclass
from statistics import fmean, pstdev
from typing import Any

from tests.transform.lake import Raw

N_MOST = 20


@dataclass(frozen=True)
class Order:
    order_id: int
    kind: str
    day: float
    gap: float | None
    products: tuple[int, ...]
    again: frozenset[int]  # the products whose line says reordered


@dataclass
class Waits:
    """Orders that came while a product was waited for, by n, and purchases that ended it."""

    orders: dict[int, int]
    ended: dict[int, int]

    @classmethod
    def none(cls) -> Waits:
        return cls(defaultdict(int), defaultdict(int))

    def add(self, length: int, bought: bool) -> None:
        for n in range(1, length + 1):
            self.orders[min(n, N_MOST)] += 1
        if bought:
            self.ended[min(length, N_MOST)] += 1


def histories(raw: Raw) -> dict[int, list[Order]]:
    lines: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    for order_id, product, position, again in raw["order_products"]:
        lines[int(order_id or 0)].append((int(position or 0), int(product or 0), int(again or 0)))
    found: dict[int, list[tuple[int, Order]]] = defaultdict(list)
    for order_id, user, kind, number, _, _, gap in raw["orders"]:
        held = sorted(lines[int(order_id or 0)])
        order = Order(
            int(order_id or 0),
            str(kind).strip() or "prior",
            0.0,
            float(gap) if gap else None,
            tuple(product for _, product, _ in held),
            frozenset(product for _, product, again in held if again),
        )
        found[int(user or 0)].append((int(number or 0), order))
    gaps = [order.gap for of in found.values() for _, order in of if order.gap is not None]
    told = {
        user: [order for _, order in sorted(of, key=lambda o: o[0])] for user, of in found.items()
    }
    for user, orders in told.items():
        if all(order.kind == "prior" for order in orders):
            own = [order.gap for order in orders if order.gap is not None]
            gap = math.floor(fmean(own or gaps) + 0.5)
            orders.append(Order(-1 - user, "next", 0.0, gap, (), frozenset()))
    return {user: dated(orders) for user, orders in told.items()}


def last_known(orders: list[Order]) -> Order:
    """The order that the user is labelled with: the last one whose products are known."""
    return orders[-2] if orders[-1].kind == "next" else orders[-1]


def dated(orders: list[Order]) -> list[Order]:
    day, told = 0.0, []
    for order in orders:
        day += order.gap or 0
        told.append(Order(order.order_id, order.kind, day, order.gap, order.products, order.again))
    return told


def features(raw: Raw, held_back: int) -> dict[tuple[int, int, int], dict[str, float | None]]:
    """{(user, product, order to predict): {feature: value}} of all users with an order to predict
    (or to hold back), as known `held_back` orders before the last."""
    aisle_of = {int(row[0] or 0): int(row[2] or 0) for row in raw["products"]}
    known, asked = {}, {}
    for user, orders in histories(raw).items():
        prior = [order for order in orders if order.kind == "prior"]
        ahead = [*prior, *[order for order in orders if order.kind != "prior"]]
        known[user] = prior[: len(prior) - held_back]
        if len(ahead) > len(known[user]):
            asked[user] = ahead[len(known[user])]
    of_product, of_aisle, of_all = defaultdict(Waits.none), defaultdict(Waits.none), Waits.none()
    firsts: dict[int, int] = defaultdict(int)
    seconds: dict[int, int] = defaultdict(int)
    pairs: dict[tuple[int, int], list[int]] = {}
    of_user: dict[int, list[list[int]]] = defaultdict(list)  # the places of each product's orders
    for user, orders in known.items():
        places: dict[int, list[int]] = defaultdict(list)
        for place, order in enumerate(orders):
            for product in order.products:
                places[product].append(place)
        for product, bought in places.items():
            pairs[user, product] = bought
            of_user[user].append(bought)
            aisle = aisle_of[product]
            firsts[aisle] += 1
            seconds[aisle] += len(bought) > 1
            for waits in (of_product[product], of_aisle[aisle], of_all):
                for before, after in itertools.pairwise(bought):
                    waits.add(after - before, True)
                waits.add(len(orders) - 1 - bought[-1], False)

    def hazard(waits: Waits, n: int) -> float:
        n = min(n, N_MOST)
        everywhere = of_all.ended[n] / of_all.orders[n] if of_all.orders[n] else 0
        return (waits.ended[n] + 20 * everywhere) / (waits.orders[n] + 20)

    found = {}
    for (user, product), bought in pairs.items():
        if user not in asked:
            continue
        orders, order, aisle = known[user], asked[user], aisle_of[product]
        count, last_day = len(orders), orders[-1].day
        n = count - bought[-1]
        gaps = [after - before for before, after in itertools.pairwise(bought)]
        days = [orders[place].day for place in bought]
        usual_days = (days[-1] - days[0]) / (len(bought) - 1) if gaps else None
        user_gaps = [o.gap for o in orders if o.gap is not None]
        ask: float = order.gap if order.gap is not None else math.nan
        decayed = sum(0.9 ** (count - 1 - place) for place in bought)
        recent = sum(place >= count - 5 for place in bought)
        mine = of_user[user]
        since = last_day - days[-1]
        later = [(p, p in o.again) for o in orders[max(1, count - 3) :] for p in o.products]
        values: dict[str, Any] = {
            "up_hazard": (sum(gap == n for gap in gaps) + 2 * hazard(of_product[product], n))
            / (sum(gap >= n for gap in gaps) + 2),
            "up_decayed_orders": decayed,
            "up_orders_of_last_5": recent,
            "up_decayed_30_days": sum(math.exp((day - last_day) / 30) for day in days),
            "up_rate_of_last_5": recent / min(5, count),
            "up_decayed_90_days": sum(math.exp((day - last_day) / 90) for day in days),
            "up_decayed_rate": decayed / sum(0.9**k for k in range(count)),
            "prod_hazard": hazard(of_product[product], n),
            "up_days_since_last": since,
            "up_wait_ratio": n / fmean(gaps) if gaps else None,
            "up_days_overdue": None if usual_days is None else since + ask - usual_days,
            "aisle_hazard": hazard(of_aisle[aisle], n),
            "user_wait_ratio": ask / fmean(user_gaps) if user_gaps and fmean(user_gaps) else None,
            "user_recent_reorder_ratio": sum(a for _, a in later) / len(later) if later else None,
            "up_days_since_last_at_order": since + ask,
            "user_active_share": sum(of[-1] >= count - 5 for of in mine) / len(mine),
            "user_days_spread": pstdev(user_gaps) if user_gaps else None,
            "aisle_reorder_probability": seconds[aisle] / firsts[aisle],
            "user_once_share": sum(len(of) == 1 for of in mine) / len(mine),
            "user_aisle_rate": sum(any(aisle_of[p] == aisle for p in o.products) for o in orders)
            / count,
        }
        found[user, product, order.order_id] = values
    return found
