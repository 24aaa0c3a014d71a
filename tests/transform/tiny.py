"""Three users and four products, small enough to work out every feature by hand."""

from __future__ import annotations

import copy

from tests.transform.lake import Raw

MILK, BREAD, TEA, SOAP = "100", "101", "102", "103"

_RAW: Raw = {
    "aisles": [["1", "milk"], ["2", "bread, rolls"]],
    "departments": [["1", "dairy eggs"], ["2", "pantry"]],
    "products": [
        [MILK, "Whole Milk, 2%", "1", "1"],
        [BREAD, 'The "Daily" Loaf', "2", "2"],
        [TEA, "Thé vert", "2", "2"],
        [SOAP, "Soap", "2", "2"],
    ],
    "orders": [
        ["11", "1", "prior", "1", "0", "08", ""],
        ["12", "1", "prior", "2", "3", "23", "10.0"],
        ["13", "1", "prior", "3", "6", "00", "20.0"],
        ["14", "1", "train", "4", "1", "12", "5.0"],
        ["21", "2", "prior", "1", "2", "10", ""],
        ["22", "2", " prior ", "2", "2", "10", "7.0"],
        ["23", "2", "test", "3", "2", "10", "30.0"],
        ["31", "3", "prior", "1", "4", "15", ""],
        ["32", "3", "prior", "2", "5", "16", "3.0"],
        ["33", "3", "train", "3", "5", "17", "0.0"],
    ],
    "order_products": [
        ["11", MILK, "1", "0"],
        ["11", BREAD, "2", "0"],
        ["12", MILK, "1", "1"],
        ["12", TEA, "2", "0"],
        ["13", BREAD, "1", "1"],
        ["13", MILK, "2", "1"],
        ["14", MILK, "1", "1"],
        ["14", SOAP, "2", "0"],
        ["21", MILK, "1", "0"],
        ["22", TEA, "1", "0"],
        ["22", MILK, "2", "1"],
        ["31", TEA, "1", "0"],
        ["32", BREAD, "1", "0"],
        ["33", TEA, "1", "1"],
    ],
}

# (user, product): order to predict, label, then the 18 features in wire order.
EXPECTED: dict[tuple[int, int], tuple[int, int | None, tuple[float, ...]]] = {
    (1, 100): (14, 1, (3, 15, 30, 3, 3 / 4, 6, 4 / 3, 1, 3, 3, 5, 1, 2.5, 3 / 5, 2, 1, 0, 1)),
    (1, 101): (
        14,
        0,
        (2, 15, 30, 3, 3 / 4, 6, 3 / 2, 1, 3, 3, 3, 1 / 2, 1.5, 1 / 3, 2, 2 / 3, 0, 2 / 3),
    ),
    (1, 102): (14, 0, (1, 15, 30, 3, 3 / 4, 6, 2, 2, 3, 2, 3, 0, 1, 0, 2, 1 / 3, 1, 1 / 2)),
    (2, 100): (23, None, (2, 7, 7, 2, 1 / 2, 3, 3 / 2, 1, 2, 2, 5, 1, 2.5, 3 / 5, 1.5, 1, 0, 1)),
    (2, 102): (23, None, (1, 7, 7, 2, 1 / 2, 3, 1, 2, 2, 2, 3, 0, 1, 0, 1.5, 1 / 2, 0, 1)),
    (3, 101): (33, 0, (1, 3, 3, 2, 0, 2, 1, 2, 2, 2, 3, 1 / 2, 1.5, 1 / 3, 1, 1 / 2, 0, 1)),
    (3, 102): (33, 1, (1, 3, 3, 2, 0, 2, 1, 1, 2, 1, 3, 0, 1, 0, 1, 1 / 2, 1, 1 / 2)),
}


def raw() -> Raw:
    """A fresh copy of the raw tables."""
    return copy.deepcopy(_RAW)
