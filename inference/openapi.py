"""Writes openapi.json, which the API serves, from the features and limits that it checks by.

python -m inference.openapi
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from inference.features import FEATURES, Feature
from inference.problems import PROBLEM
from inference.requests import (
    BEGINNING,
    CSV,
    EXPLAIN,
    JSON,
    MAX_BODY_BYTES,
    MAX_DIGITS,
    MAX_ERRORS,
    MAX_EXPLAINED_ROWS,
    MAX_LISTED_CUSTOMERS,
    MAX_LISTED_PRODUCTS,
    MAX_ROWS,
    MOST_CUSTOMERS,
    MOST_PRODUCTS,
)

Json = dict[str, Any]

FILE = Path(__file__).with_name("openapi.json")

EXAMPLE_LINE = "12,7.2,136.8,61,0.58,190,4.5,3,20,19,24000,0.48,3.1,0.67,9.5,0.6,1,0.6667"
EXAMPLE = {
    feature.name: int(value) if feature.whole else float(value)
    for feature, value in zip(FEATURES, EXAMPLE_LINE.split(","), strict=True)
}


def document() -> Json:
    """The OpenAPI 3.1 description of the API."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Will this customer buy this product again?",
            "version": "1",
            "summary": "Next baskets of customers, and purchase predictions from 18 numbers.",
            "description": f"""
Customers whose next order the live model was asked about are known by number: their next basket,
and any product that they bought before, with names and reasons. Anybody else is described by 18
numbers: every row is one customer and one product that the customer bought before; the answer says
how likely the product is to be in the customer's next order.

At most {MAX_ROWS} rows and {MAX_BODY_BYTES} bytes a request, {MAX_EXPLAINED_ROWS} rows with an
explanation. Errors are application/problem+json (RFC 9457); API Gateway's own (429 above the rate
limit, 404 for other paths, 500 and 503 when the function fails) are `{{"message": "..."}}`.
`x-request-id` names the request in the logs.
""".strip(),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": {
            "/predict": {"post": predict()},
            "/customers": {
                "get": {
                    **operation(
                        "customers",
                        "Customers whose number begins so; without a beginning also examples",
                        "Customers",
                        {"501": "TooOld", "502": "Failed", "503": "Unavailable"},
                    ),
                    "parameters": [
                        query(
                            "beginning",
                            "Of the customer's number",
                            {"type": "string", "pattern": rf"^[0-9]{{0,{MAX_DIGITS}}}$"},
                            BEGINNING[0],
                        ),
                        query(
                            "most",
                            "So many customers",
                            {"type": "integer", "minimum": 1, "maximum": MAX_LISTED_CUSTOMERS},
                            MOST_CUSTOMERS[0],
                        ),
                    ],
                }
            },
            "/customers/{customer_id}/next-basket": {"get": next_basket()},
            "/health": {
                "get": operation(
                    "health",
                    "Whether the model answers",
                    "Health",
                    {"502": "Failed", "503": "Unavailable"},
                )
            },
            "/model": {
                "get": operation(
                    "model",
                    "Which model answers, when and on what it was trained",
                    "Model",
                    {"501": "TooOld", "502": "Failed", "503": "Unavailable"},
                )
            },
            "/openapi.json": {"get": operation("openapi", "This document", {"type": "object"}, {})},
        },
        "components": {"schemas": schemas(), "responses": responses(), "headers": headers()},
    }


def operation(name: str, summary: str, schema: str | Json, problems: dict[str, str]) -> Json:
    shape = reference("schemas", schema) if isinstance(schema, str) else schema
    return {
        "operationId": name,
        "summary": summary,
        "responses": {
            "200": answer("The answer.", JSON, shape),
            "400": reference("responses", "BadRequest"),
            **{code: reference("responses", response) for code, response in problems.items()},
            "429": reference("responses", "TooManyRequests"),
        },
    }


def query(name: str, description: str, schema: Json, default: Any) -> Json:
    """A parameter of the query string."""
    return {
        "name": name,
        "in": "query",
        "description": description,
        "schema": {**schema, "default": default},
    }


EXPLAINED = query(
    "explain",
    "Whether each prediction says what every feature contributed.",
    {"type": "boolean"},
    EXPLAIN[0],
)


def next_basket() -> Json:
    problems = {
        "404": "NotFound",
        "501": "TooOld",
        "502": "Failed",
        "503": "Unavailable",
    }
    return {
        **operation("nextBasket", "What a customer will buy next", "NextBasket", problems),
        "description": "The basket is the set of products with the highest expected F1 (which may "
        "be none): the first `basket_size` of the products, which are listed from the most likely "
        "on. What follows are other products to try.",
        "parameters": [
            {
                "name": "customer_id",
                "in": "path",
                "required": True,
                "schema": {"type": "integer", "minimum": 0, "maximum": 10**MAX_DIGITS - 1},
            },
            query(
                "most",
                "So many products",
                {"type": "integer", "minimum": 1, "maximum": MAX_LISTED_PRODUCTS},
                MOST_PRODUCTS[0],
            ),
            EXPLAINED,
        ],
    }


def predict() -> Json:
    one_or_many = {"oneOf": [shape(name) for name in ("Row", "Rows", "Pair", "Pairs")]}
    answers = {
        "oneOf": [
            shape(name)
            for name in ("Prediction", "Predictions", "PairPrediction", "PairPredictions")
        ]
    }
    problems = {
        "404": "NotFound",
        "413": "TooLarge",
        "415": "UnsupportedMediaType",
        "501": "TooOld",
        "502": "Failed",
        "503": "Unavailable",
    }
    names = ", ".join(feature.name for feature in FEATURES)
    return {
        **operation("predict", "Predict one row or many", answers, problems),
        "description": "One CSV line or one JSON object is answered with one prediction; several "
        "lines, or `rows`, with `predictions` in their order. A customer and a product by number "
        f"are answered with names and reasons; at most {MAX_EXPLAINED_ROWS} `pairs`.",
        "parameters": [EXPLAINED],
        "requestBody": {
            "required": True,
            "content": {
                JSON: {
                    "schema": one_or_many,
                    "examples": {
                        "one": {"value": EXAMPLE},
                        "many": {"value": {"rows": [EXAMPLE]}},
                        "by number": {"value": {"customer_id": 17, "product_id": 24852}},
                    },
                },
                CSV: {
                    "schema": {
                        "type": "string",
                        "description": "Lines of 18 numbers without a header, in this order: "
                        f"{names}. The limits are those of `Row`.",
                    },
                    "examples": {"one": {"value": EXAMPLE_LINE}},
                },
            },
        },
    }


def schemas() -> Json:
    share = {"type": "number", "minimum": 0, "maximum": 1}
    prediction = {
        "will_buy": {"type": "boolean", "description": "probability >= threshold"},
        "probability": {**share, "description": "That the product is in the next order"},
        "explanation": reference("schemas", "Explanation"),
    }
    about = {
        "threshold": {**share, "description": "The probability from which on will_buy is true"},
        "model": {"type": "string", "description": "The run that trained the model"},
    }
    count = {"type": "integer", "minimum": 0}
    number = {"type": "integer", "minimum": 0, "maximum": 10**MAX_DIGITS - 1}
    customer = {"customer_id": number, "products_known": count, "basket_size": count}
    product = product_members(share, count)
    optional = ("explanation", "features")
    return {
        "Pair": closed({"customer_id": number, "product_id": number}),
        "Pairs": closed(
            {
                "pairs": {
                    "type": "array",
                    "items": shape("Pair"),
                    "minItems": 1,
                    "maxItems": MAX_EXPLAINED_ROWS,
                }
            }
        ),
        "Product": closed(product, optional),
        "PairPrediction": closed({"customer_id": number, **product, **about}, optional),
        "PairPredictions": closed(
            {
                "predictions": {
                    "type": "array",
                    "items": closed({"customer_id": number, **product}, optional),
                },
                **about,
            }
        ),
        "NextBasket": closed(
            {
                **customer,
                "products": {
                    "type": "array",
                    "description": "The most likely first; the first `basket_size` are the basket",
                    "items": shape("Product"),
                    "maxItems": MAX_LISTED_PRODUCTS,
                },
                **about,
            }
        ),
        "Customers": closed(
            {
                "customers": {"type": "array", "items": closed(customer)},
                "examples": {
                    "type": "array",
                    "description": "With few, as many as most, and many products",
                    "items": closed(customer),
                },
                "count": {**count, "description": "Of all customers that are known"},
                "model": about["model"],
            }
        ),
        "Row": closed({feature.name: value_of(feature) for feature in FEATURES}),
        "Rows": closed(
            {
                "rows": {
                    "type": "array",
                    "items": reference("schemas", "Row"),
                    "minItems": 1,
                    "maxItems": MAX_ROWS,
                }
            }
        ),
        "Prediction": closed({**prediction, **about}, optional=("explanation",)),
        "Predictions": closed(
            {
                "predictions": {
                    "type": "array",
                    "items": closed(prediction, optional=("explanation",)),
                },
                **about,
            }
        ),
        "Explanation": {
            **closed(
                {
                    "bias": {"type": "number", "description": "Where every prediction starts"},
                    "contributions": {
                        "type": "object",
                        "description": "By feature of the model; above 0 speaks for buying",
                        "additionalProperties": {"type": "number"},
                    },
                }
            ),
            "description": "XGBoost's own SHAP values, in log-odds: bias and contributions add up "
            "to ln(probability / (1 - probability)).",
        },
        "Health": closed({"status": {"const": "ok"}, "model": about["model"]}),
        "Model": {
            "type": "object",
            "properties": {
                **about,
                "features": {"type": "array", "items": {"type": "string"}},
                "trained_at": {"type": "string", "format": "date-time"},
                "versions": {"type": "object", "additionalProperties": {"type": "string"}},
                "trained_on": {
                    "type": "object",
                    "description": "How much the model learned from",
                    "properties": {"rows": count, "users": count},
                },
                "holdout": {
                    "type": "object",
                    "description": "Measured on customers that the model never saw",
                    "additionalProperties": {"type": "number"},
                },
            },
            "required": ["model", "threshold", "features"],
        },
        "Problem": {
            "type": "object",
            "description": "RFC 9457",
            "properties": {
                "type": {"type": "string", "format": "uri-reference"},
                "title": {"type": "string"},
                "status": {"type": "integer", "minimum": 400, "maximum": 599},
                "detail": {"type": "string"},
                "request_id": {"type": "string"},
                "errors": {
                    "type": "array",
                    "description": "One entry for each wrong value",
                    "maxItems": MAX_ERRORS,
                    "items": {
                        "type": "object",
                        "properties": {
                            "row": {"type": "integer", "minimum": 1},
                            "field": {"type": "string"},
                            "position": {
                                "type": "integer",
                                "minimum": 1,
                                "maximum": len(FEATURES),
                            },
                            "detail": {"type": "string"},
                        },
                        "required": ["row", "detail"],
                    },
                },
            },
            "required": ["type", "title", "status", "detail", "request_id"],
        },
        "GatewayMessage": {
            "type": "object",
            "properties": {"message": {"type": "string"}},
            "required": ["message"],
        },
    }


def product_members(share: Json, count: Json) -> Json:
    """What is said of one product of a customer."""
    days = {"type": ["number", "null"], "minimum": 0}
    number = {"type": ["number", "null"]}
    return {
        "product_id": count,
        "product": {"type": "string", "description": "What it is called"},
        "aisle": {"type": "string"},
        "department": {"type": "string"},
        "probability": {**share, "description": "That the product is in the next order"},
        "will_buy": {"type": "boolean", "description": "probability >= threshold"},
        "rank": {**count, "description": "1: the customer's most likely product"},
        "in_basket": {
            "type": "boolean",
            "description": "Whether it is in the set with the highest expected F1",
        },
        "days_between_purchases": {
            **days,
            "description": "On average; null when it was bought once",
        },
        "days_since_last_purchase": {**days, "description": "On the day of the next order"},
        "orders_with_product": {"type": ["number", "null"], "minimum": 0},
        "reasons": {
            "type": "array",
            "description": "The features that moved this prediction the most",
            "items": closed(
                {
                    "feature": {"type": "string"},
                    "meaning": {"type": "string"},
                    "value": number,
                    "contribution": {"type": "number", "description": "As in Explanation"},
                }
            ),
        },
        "explanation": shape("Explanation"),
        "features": {
            "type": "object",
            "description": "What the model was asked with",
            "additionalProperties": number,
        },
    }


def value_of(feature: Feature) -> Json:
    kind = "integer" if feature.whole else "number"
    return {
        "type": [kind, "null"] if feature.nullable else kind,
        "description": feature.meaning,
        "minimum": feature.low,
        "maximum": feature.high,
    }


def responses() -> Json:
    problems = {
        "BadRequest": "What is wrong, value by value.",
        "NotFound": "There is no such customer or product.",
        "TooLarge": "Too many bytes or rows.",
        "UnsupportedMediaType": f"Content-Type is neither {JSON} nor {CSV}.",
        "TooOld": "The live model was published before models could do this.",
        "Failed": "The model failed, or answered something that is not a prediction.",
    }
    unavailable = answer(
        "The endpoint is missing, not ready or out of reach.", PROBLEM, shape("Problem")
    )
    unavailable["headers"]["retry-after"] = {"schema": {"type": "string"}, "required": True}
    return {
        **{name: answer(text, PROBLEM, shape("Problem")) for name, text in problems.items()},
        "Unavailable": unavailable,
        "TooManyRequests": {
            "description": "Above the API's rate limit: try again in a second.",
            "content": {JSON: {"schema": shape("GatewayMessage")}},
        },
    }


def headers() -> Json:
    return {
        "RequestId": {
            "description": "The request's id in the logs",
            "schema": {"type": "string"},
            "required": True,
        }
    }


def answer(description: str, kind: str, schema: Json) -> Json:
    return {
        "description": description,
        "headers": {"x-request-id": reference("headers", "RequestId")},
        "content": {kind: {"schema": schema}},
    }


def closed(properties: Json, optional: tuple[str, ...] = ()) -> Json:
    """An object with these members and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


def reference(kind: str, name: str) -> Json:
    return {"$ref": f"#/components/{kind}/{name}"}


def shape(name: str) -> Json:
    return reference("schemas", name)


def text() -> str:
    return json.dumps(document(), indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
