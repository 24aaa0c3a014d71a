"""The API about customers by number: next baskets, pairs, search; and what cannot be known."""

from __future__ import annotations

import json
import math
from typing import Any

import pyarrow.parquet as pq
import pytest
from werkzeug.test import Client

from tests.model.served import FailingRuntime, ServedModel, application, client_error
from tests.model.trained import Trained

CUSTOMER = 610  # one of the 30 that the trained fixture scores: 600 to 629


@pytest.fixture
def api(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")  # Lambda sets it before the import
    monkeypatch.setenv("ENDPOINT_NAME", "rebuy")
    from inference import api

    monkeypatch.setattr(api.endpoint, "sagemaker", ServedModel(trained.model_dir))
    return Client(application(api.handler))


def get(api: Client, path: str) -> Any:
    answer = api.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json


def table_rows(trained: Trained) -> list[dict[str, Any]]:
    table = pq.read_table(trained.folder / "checkpoints/next_baskets", partitioning="hive")
    return [row for row in table.sort_by("rank").to_pylist() if row["user_id"] == CUSTOMER]


def test_a_next_basket_is_what_the_table_says(api: Client, trained: Trained) -> None:
    told = get(api, f"/customers/{CUSTOMER}/next-basket?most=100")
    rows = table_rows(trained)

    assert told["model"] == "run-1"
    assert told["basket_size"] == sum(row["chosen"] for row in rows)
    assert told["products_known"] == len(rows) == len(told["products"])
    for row, product in zip(rows, told["products"], strict=True):
        assert row["product_id"] == product["product_id"]
        assert row["product_name"] == product["product"]
        assert row["probability"] == product["probability"]
        assert row["chosen"] == product["in_basket"]
        assert product["days_since_last_purchase"] == 12
        once = product["orders_with_product"] == 1
        assert product["days_between_purchases"] == (None if once else 9)
    assert len(get(api, f"/customers/{CUSTOMER}/next-basket?most=3")["products"]) == 3


def test_looked_up_features_are_those_of_the_set_and_explain_the_probability(
    api: Client, trained: Trained
) -> None:
    """Predicting from the features that the API shows gives the probability that it tells."""
    scored = {
        row["product_id"]: row
        for row in pq.read_table(trained.folder / "scoring").to_pylist()
        if row["user_id"] == CUSTOMER
    }
    told = get(api, f"/customers/{CUSTOMER}/next-basket?explain=true")
    for product in told["products"]:
        features = product["features"]
        expected = {name: scored[product["product_id"]][name] for name in features}
        assert features == pytest.approx(expected, rel=1e-6)
        told_why = product["explanation"]
        log_odds = told_why["bias"] + sum(told_why["contributions"].values())
        p = product["probability"]
        assert log_odds == pytest.approx(math.log(p / (1 - p)), abs=1e-4)
        strongest = max(told_why["contributions"].items(), key=lambda item: abs(item[1]))
        reason = product["reasons"][0]
        assert (reason["feature"], reason["contribution"]) == strongest
    rows = {"rows": [product["features"] for product in told["products"]]}
    again = api.post("/predict", json=rows).json
    assert [entry["probability"] for entry in again["predictions"]] == pytest.approx(
        [product["probability"] for product in told["products"]], abs=1e-6
    )


def test_pairs_are_answered_as_in_the_basket(api: Client) -> None:
    products = get(api, f"/customers/{CUSTOMER}/next-basket")["products"]
    pairs = [{"customer_id": CUSTOMER, "product_id": p["product_id"]} for p in products[:4]]

    one = api.post("/predict", json=pairs[0]).json
    many = api.post("/predict", json={"pairs": pairs}).json

    assert {name: one[name] for name in products[0]} == products[0]
    assert one["model"] == many["model"] == "run-1"
    assert [p["product"] for p in many["predictions"]] == [p["product"] for p in products[:4]]


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        ({"customer_id": 17, "product_id": 1}, 404, "Customer 17 is not among those"),
        ({"customer_id": CUSTOMER, "product_id": 99}, 404, "There is no product 99."),
        ({"customer_id": CUSTOMER}, 400, '"product_id" is missing'),
        ({"customer_id": "17", "product_id": 1}, 400, '"customer_id" is "17"; accepted: a whole'),
        ({"customer_id": 1.5, "product_id": 1}, 400, '"customer_id" is 1.5; accepted'),
        ({"customer_id": 1, "product_id": -1}, 400, '"product_id" is -1.0; accepted'),
        ({"customer_id": 1, "product_id": 1, "up": 1}, 400, '"up" is not known here'),
        ({"pairs": []}, 400, "pairs is not a list of at least one"),
        ({"pairs": [1]}, 400, "Pair 1 is no object"),
        ({"pairs": [{"customer_id": 1, "product_id": 1}] * 101}, 413, "at most 100 are answered"),
    ],
)
def test_pairs_that_cannot_be_answered_are_told_by_name(
    api: Client, body: Any, status: int, detail: str
) -> None:
    answer = api.post("/predict", json=body)

    assert answer.status_code == status
    assert detail in json.dumps(answer.json).replace('\\"', '"')


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/customers/17/next-basket", 404),
        ("/customers/x/next-basket", 400),
        ("/customers/1e3/next-basket", 400),
        (f"/customers/{CUSTOMER}/next-basket?most=0", 400),
        (f"/customers/{CUSTOMER}/next-basket?most=101", 400),
        ("/customers?beginning=a", 400),
        ("/customers/610", 404),
    ],
)
def test_wrong_paths_and_queries_are_refused(api: Client, path: str, status: int) -> None:
    assert api.get(path).status_code == status


@pytest.mark.parametrize(
    ("beginning", "most", "expected"),
    [
        ("61", 20, list(range(610, 620))),
        ("61", 2, [610, 611]),
        ("610", 20, [610]),
        ("7", 20, []),
        ("0", 20, []),
        ("0610", 20, []),
        ("", 3, [600, 601, 602]),
    ],
)
def test_customers_are_found_by_what_their_number_begins_with(
    api: Client, beginning: str, most: int, expected: list[int]
) -> None:
    told = get(api, f"/customers?beginning={beginning}&most={most}")

    assert [entry["customer_id"] for entry in told["customers"]] == expected
    assert told["count"] == 30
    assert bool(told["examples"]) == (beginning == "")


def test_null_is_taken_where_training_had_it_and_refused_elsewhere(api: Client) -> None:
    row = get(api, f"/customers/{CUSTOMER}/next-basket?explain=true")["products"][0]["features"]

    known = {**row, "user_reorder_ratio": None}
    cells = ["" if value is None else repr(value) for value in known.values()]
    as_csv = api.post("/predict", data=",".join(cells), content_type="text/csv")
    as_json = api.post("/predict", json=known)
    wrong = api.post("/predict", json={**row, "up_orders": None})

    assert as_csv.status_code == as_json.status_code == 200
    assert as_csv.json == as_json.json
    assert wrong.status_code == 400
    assert "up_orders, is null, not a number" in wrong.json["detail"]


def test_models_from_before_customers_are_told_apart(
    api: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = client_error("ModelError", "The model knows no customers", 400)
    monkeypatch.setattr("inference.endpoint.sagemaker", FailingRuntime(refused))

    answer = api.get("/customers")

    assert answer.status_code == 501
    assert "before models could look customers up" in answer.json["detail"]


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"customers": 1, "model": "m", "count": 1}'])
def test_an_answer_that_is_none_is_502(
    api: Client, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    monkeypatch.setattr("inference.endpoint.sagemaker", FailingRuntime(body=body))

    assert api.get("/customers").status_code == 502
