"""A few hundred invented users with habits, as raw tables."""

from __future__ import annotations

import random

from tests.transform.lake import Raw


def raw(users: int = 300, products: int = 60, seed: int = 7) -> Raw:
    """`users` users with 1 to 12 prior orders; two thirds have a train order, the others a test.

    Some orders have no lines, one user in twenty has no order to predict, and ids have gaps.
    """
    rng = random.Random(seed)
    tables: Raw = {
        "aisles": [[str(i), f"aisle {i}"] for i in range(1, 6)],
        "departments": [[str(i), f"department {i}"] for i in range(1, 4)],
        "products": [
            [str(1000 + i), f'Product "{i}", boxed', str(i % 5 + 1), str(i % 3 + 1)]
            for i in range(products)
        ],
        "orders": [],
        "order_products": [],
    }
    order_id = 10_000
    for user in range(1, users + 1):
        user_id = user * 3
        habits = rng.sample(range(products), rng.randint(2, 15))
        prior_orders = rng.randint(1, 12)
        kinds = ["prior"] * prior_orders
        if user % 20:
            kinds.append("train" if user % 3 else "test")
        bought: set[int] = set()
        for number, kind in enumerate(kinds, start=1):
            order_id += rng.randint(1, 9)
            gap = "" if number == 1 else f"{rng.randint(0, 30)}.0"
            hour = f"{rng.randint(0, 23):02d}"
            dow = str(rng.randint(0, 6))
            tables["orders"].append(
                [str(order_id), str(user_id), kind, str(number), dow, hour, gap]
            )
            empty = kind == "test" or (number > 1 and rng.random() < 0.03)
            basket = [] if empty else rng.sample(habits, rng.randint(1, len(habits)))
            for position, product in enumerate(basket, start=1):
                again = "1" if product in bought else "0"
                tables["order_products"].append(
                    [str(order_id), str(1000 + product), str(position), again]
                )
            bought.update(basket)
    return tables
