"""What the API says of customers and products by number: names, days, reasons.

The endpoint looks them up beside its model (`customers.py`); here its answer is checked and put
into the words of the document.
"""

from __future__ import annotations

import math
from typing import Any

from inference import endpoint
from inference.features import FEATURES, MORE_MEANINGS, WORDS
from inference.problems import ProblemError
from inference.requests import PAIR, Pairs

Json = dict[str, Any]

REASONS = 3  # of each product: the contributions that moved its prediction the most
MEANINGS = {feature.name: feature.meaning for feature in FEATURES} | MORE_MEANINGS


def next_basket(customer: int, most: int, explain: bool, request_id: str) -> Json:
    """The customer's next basket first, then what else is most likely, `most` products in all."""
    question = {"customer": customer, "most": most, "explain": True}
    told = endpoint.about_customers(question, request_id)
    with endpoint.checking():
        if told.get("missing"):
            raise ProblemError(404, "Not found", unknown_customer(customer))
        return {
            "customer_id": int(told["customer"]),
            "basket_size": int(told["basket_size"]),
            "products_known": int(told["products_known"]),
            "products": [
                product(entry, float(told["threshold"]), explain) for entry in told["products"]
            ],
            **about(told),
        }


def customers(beginning: str, most: int, request_id: str) -> Json:
    """Customers whose number begins so; examples without a beginning."""
    told = endpoint.about_customers({"customers": beginning, "most": most}, request_id)
    with endpoint.checking():
        return {
            "customers": [customer_entry(entry) for entry in told["customers"]],
            "examples": [customer_entry(entry) for entry in told.get("examples", [])],
            "count": int(told["count"]),
            "model": str(told["model"]),
        }


def predictions(asked: Pairs, explain: bool, request_id: str) -> Json:
    """One prediction for each pair. Raises ProblemError 404 naming each that cannot be made."""
    question = {"pairs": [list(pair) for pair in asked.pairs], "explain": True}
    told = endpoint.about_customers(question, request_id)
    with endpoint.checking():
        entries = told["pairs"]
        if len(entries) != len(asked.pairs):
            raise ValueError(f"{len(entries)} predictions for {len(asked.pairs)} pairs")
        errors = [
            {"row": number, "field": field, "detail": f"Row {number}: {detail}"}
            for number, entry in enumerate(entries, start=1)
            if entry.get("missing")
            for field, detail in [missing(entry)]
        ]
        if errors:
            raise ProblemError(404, "Not found", str(errors[0]["detail"]), errors)
        answered = [
            {
                "customer_id": int(entry["customer"]),
                **product(entry, float(told["threshold"]), explain),
            }
            for entry in entries
        ]
        if asked.one:
            return {**answered[0], **about(told)}
        return {"predictions": answered, **about(told)}


def missing(entry: Json) -> tuple[str, str]:
    """The field, and why there is no prediction."""
    customer, number = int(entry["customer"]), int(entry["product"])
    if entry["missing"] == "customer":
        return PAIR[0], unknown_customer(customer)
    if entry["missing"] == "product":
        return PAIR[1], f"There is no product {number}."
    return (
        PAIR[1],
        f"Customer {customer} has not bought {entry['name']} ({number}) before: the model knows"
        " only what is bought again.",
    )


def unknown_customer(customer: int) -> str:
    return (
        f"Customer {customer} is not among those whose next order the live model was asked about."
    )


def about(told: Json) -> Json:
    return {"threshold": float(told["threshold"]), "model": str(told["model"])}


def customer_entry(entry: Json) -> Json:
    known, size = int(entry["products_known"]), int(entry["basket_size"])
    return {"customer_id": int(entry["customer"]), "products_known": known, "basket_size": size}


def product(entry: Json, threshold: float, explain: bool) -> Json:
    """One product of a customer, with the promised members; ValueError and the like."""
    contributions = {str(k): finite(v) for k, v in entry["contributions"].items()}
    values = {name: entry["features"][name] for name in contributions}
    probability = finite(entry["probability"])
    strongest = sorted(contributions, key=lambda name: -abs(contributions[name]))[:REASONS]
    told: Json = {
        "product_id": int(entry["product"]),
        "product": str(entry["name"]),
        "aisle": str(entry["aisle"]),
        "department": str(entry["department"]),
        "probability": probability,
        "will_buy": probability >= threshold,
        "rank": int(entry["rank"]),
        "in_basket": bool(entry["chosen"]),
        **{word: optional(entry[word]) for word in WORDS},
        "orders_with_product": optional(values.get("up_orders")),
        "reasons": [
            {
                "feature": name,
                "meaning": MEANINGS.get(name, name),
                "value": optional(values[name]),
                "contribution": contributions[name],
            }
            for name in strongest
        ],
    }
    if explain:
        told["explanation"] = {"bias": finite(entry["bias"]), "contributions": contributions}
        told["features"] = {name: optional(value) for name, value in values.items()}
    return told


def optional(value: Any) -> float | None:
    return None if value is None else finite(value)


def finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("a value that is no number")
    return number
