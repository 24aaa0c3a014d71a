"""The customers whom a model was asked about when it was trained, looked up by number.

Their features, probabilities and next baskets are files in the model's own archive
(`training/customers.py` says which), so they switch with the model. They are mapped into memory:
the processes of a server share one copy, and a look reads a few pages.

Questions, as application/json (`request_id` as everywhere):

* `{"customer": 17, "most": 20, "explain": true}`: their next basket and the most likely products.
* `{"pairs": [[17, 24852], ...], "explain": true}`: one customer and one product each.
* `{"customers": "17", "most": 10}`: whose number begins so; `""` also gives examples.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from inference.features import WORDS

FOLDER = "customers"
MAX_PRODUCTS = 100  # of one customer, in one answer
MAX_PAIRS = 1_000
MAX_LISTED = 50
MAX_DIGITS = 18
EXAMPLE_QUANTILES = (0.15, 0.5, 0.9)  # of how many products customers know

Json = dict[str, Any]
Array = Any
Explain = Callable[[Array], Array]  # (rows, features) to (rows, features + 1), the bias last


@dataclass(frozen=True)
class Customers:
    """The store of one model; see `training/customers.py` for what each array holds."""

    user_id: Array
    starts: Array
    chosen: Array
    product_id: Array
    probability: Array
    words: Mapping[str, Array]
    features: Mapping[str, tuple[str, Array]]  # level, values
    products: Array
    texts: Mapping[str, list[str]]

    def place(self, customer: int) -> int | None:
        """Where the customer stands; None for one who is not here."""
        return _find(self.user_id, customer)

    def rows(self, place: int) -> range:
        return range(int(self.starts[place]), int(self.starts[place + 1]))

    def matrix(self, place: int, rows: list[int], names: tuple[str, ...]) -> Array:
        """The features `names` of rows of one customer: (rows, names) float32."""
        of_product = np.searchsorted(self.products, self.product_id[rows])
        where = {"user": np.full(len(rows), place), "product": of_product, "pair": np.array(rows)}
        matrix = np.empty((len(rows), len(names)), dtype=np.float32)
        for position, name in enumerate(names):
            level, values = self.features[name]
            matrix[:, position] = values[where[level]]
        return matrix


def load(folder: Path) -> Customers | None:
    """The store in a model's folder; None when the model is from before there was one."""
    if not (folder / "customers.json").exists():
        return None
    customers = np.load(folder / "user_id.npy", allow_pickle=False)
    levels = json.loads((folder / "customers.json").read_text(encoding="utf-8"))["levels"]

    def mapped(name: str) -> Array:
        # What holds nothing cannot be mapped.
        empty = name not in ("products", "starts") and not len(customers)
        return np.load(folder / f"{name}.npy", None if empty else "r", allow_pickle=False)

    return Customers(
        user_id=mapped("user_id"),
        starts=mapped("starts"),
        chosen=mapped("chosen"),
        product_id=mapped("product_id"),
        probability=mapped("probability"),
        words={word: mapped(word) for word in WORDS},
        features={name: (level, mapped(f"feature.{name}")) for name, level in levels.items()},
        products=mapped("products"),
        texts=json.loads((folder / "products.json").read_text(encoding="utf-8")),
    )


@dataclass(frozen=True)
class Question:
    """One of the three questions: `customer`, or `pairs`, or what a number begins with."""

    most: int
    explain: bool
    customer: int | None = None
    pairs: tuple[tuple[int, int], ...] | None = None
    beginning: str | None = None


def read(told: Json, explain: bool) -> Question | None:
    """The question in a body (without `explain` and `request_id`); None when it is another one.

    Raises ValueError saying what is wrong with it.
    """
    kind = next((name for name in ("customer", "pairs", "customers") if name in told), None)
    if kind is None:
        return None
    others = sorted(set(told) - {kind, "most"})
    if others:
        raise ValueError(f"Beside {kind} the body holds {', '.join(others)[:200]}.")
    limit = MAX_LISTED if kind == "customers" else MAX_PRODUCTS
    most = _whole("most", told.get("most", float(min(20, limit))), 1, limit)
    if kind == "customer":
        return Question(most, explain, customer=_whole("customer", told[kind]))
    if kind == "customers":
        beginning = told[kind]
        digits = isinstance(beginning, str) and (beginning.isdecimal() or beginning == "")
        if not digits or not beginning.isascii() or len(beginning) > MAX_DIGITS:
            raise ValueError(f"customers is not a text of at most {MAX_DIGITS} digits.")
        return Question(most, explain, beginning=beginning)
    pairs = told[kind]
    if not isinstance(pairs, list) or not 1 <= len(pairs) <= MAX_PAIRS:
        raise ValueError(f"pairs is not a list of 1 to {MAX_PAIRS}.")
    if not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
        raise ValueError("pairs holds something else than [customer, product].")
    checked = [(_whole("customer", user), _whole("product", product)) for user, product in pairs]
    return Question(most, explain, pairs=tuple(checked))


def answer(
    question: Question, store: Customers, features: tuple[str, ...], explain: Explain
) -> Json:
    """What the store knows; an unknown customer or product is told as `missing`."""
    if question.beginning is not None:
        return _customers(store, question.beginning, question.most)
    if question.pairs is not None:
        return {
            "pairs": [_pair(store, *pair, question, features, explain) for pair in question.pairs]
        }
    assert question.customer is not None
    place = store.place(question.customer)
    if place is None:
        return {"customer": question.customer, "missing": "customer"}
    rows = store.rows(place)
    chosen = int(store.chosen[place])
    shown = list(rows[: question.most])
    return {
        "customer": question.customer,
        "products_known": len(rows),
        "basket_size": chosen,
        "products": _products(store, place, shown, question, features, explain),
    }


def _pair(
    store: Customers,
    customer: int,
    product: int,
    question: Question,
    features: tuple[str, ...],
    explain: Explain,
) -> Json:
    name = _find(store.products, product)
    told: Json = {"customer": customer, "product": product}
    if name is not None:
        told |= {"name": store.texts["product_name"][name]}
    place = store.place(customer)
    if place is None:
        return {**told, "missing": "customer"}
    if name is None:
        return {**told, "missing": "product"}
    rows = store.rows(place)
    found = np.flatnonzero(store.product_id[rows.start : rows.stop] == product)
    if not len(found):
        return {**told, "missing": "purchase"}
    row = [rows.start + int(found[0])]
    return {**told, **_products(store, place, row, question, features, explain)[0]}


def _products(
    store: Customers,
    place: int,
    rows: list[int],
    question: Question,
    features: tuple[str, ...],
    explain: Explain,
) -> list[Json]:
    """One entry a row: what the product is called, how likely it is, how it was bought, and with
    `explain` what every feature contributed."""
    if not rows:
        return []
    matrix = store.matrix(place, rows, features)
    names = np.searchsorted(store.products, store.product_id[rows]).tolist()
    told = []
    for position, row in enumerate(rows):
        rank = row - int(store.starts[place]) + 1
        values = [_number(value) for value in matrix[position].tolist()]
        told.append(
            {
                "product": int(store.product_id[row]),
                "name": store.texts["product_name"][names[position]],
                "aisle": store.texts["aisle"][names[position]],
                "department": store.texts["department"][names[position]],
                "probability": float(store.probability[row]),
                "rank": rank,
                "chosen": rank <= int(store.chosen[place]),
                **{word: _number(float(store.words[word][row])) for word in WORDS},
                "features": dict(zip(features, values, strict=True)),
            }
        )
    if question.explain:
        for entry, (*contributions, bias) in zip(told, explain(matrix).tolist(), strict=True):
            entry |= {
                "bias": bias,
                "contributions": dict(zip(features, contributions, strict=True)),
            }
    return told


def _customers(store: Customers, beginning: str, most: int) -> Json:
    """Customers whose number begins so, in ascending order, and without a beginning examples: one
    with few, one with as many as most and one with many products, each with a basket."""
    places: list[int] = []
    # Numbers from `low` on and below `high` begin so, with one more digit each time.
    low, high = (int(beginning), int(beginning) + 1) if beginning else (0, 10**MAX_DIGITS)
    if beginning.startswith("0") and beginning != "0":
        high = low  # no number is written so
    last = int(store.user_id[-1]) if len(store.user_id) else -1
    while len(places) < most and low <= last:
        start, stop = np.searchsorted(store.user_id, [low, high]).tolist()
        places += range(start, min(stop, start + most - len(places)))
        if low == 0 or beginning.startswith("0"):
            break
        low, high = low * 10, high * 10
    told: Json = {
        "customers": [_about(store, place) for place in places],
        "count": len(store.user_id),
    }
    if beginning == "":
        told["examples"] = [_about(store, place) for place in _examples(store)]
    return told


def _examples(store: Customers) -> list[int]:
    with_basket = np.flatnonzero(np.asarray(store.chosen) > 0)
    if not len(with_basket):
        return []
    counts = np.diff(store.starts)[with_basket]
    by_count = with_basket[np.argsort(counts, kind="stable")]
    picks = [by_count[int(share * (len(by_count) - 1))] for share in EXAMPLE_QUANTILES]
    return [int(place) for place in dict.fromkeys(picks)]


def _about(store: Customers, place: int) -> Json:
    return {
        "customer": int(store.user_id[place]),
        "products_known": len(store.rows(place)),
        "basket_size": int(store.chosen[place]),
    }


def _find(ascending: Array, value: int) -> int | None:
    place = int(np.searchsorted(ascending, value))
    return place if place < len(ascending) and int(ascending[place]) == value else None


def _number(value: float) -> float | None:
    """JSON has no NaN: what is not known is null."""
    return None if math.isnan(value) else value


def _whole(name: str, value: object, low: int = 0, high: int = 10**MAX_DIGITS) -> int:
    """The bodies' numbers are all read as floats."""
    if not isinstance(value, float) or not value.is_integer() or not low <= value <= high:
        raise ValueError(f"{name} is not a whole number from {low} to {high}.")
    return int(value)
