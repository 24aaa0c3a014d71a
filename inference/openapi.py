"""Writes openapi.json, which the API serves, from the features and limits that it checks by.

python -m inference.openapi
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from inference.features import FEATURES, Feature
from inference.problems import PROBLEM
from inference.requests import CSV, JSON, MAX_BODY_BYTES, MAX_ERRORS, MAX_EXPLAINED_ROWS, MAX_ROWS

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
            "summary": "A purchase prediction from 18 numbers.",
            "description": f"""
Every row is one customer and one product that the customer bought before; the answer says how
likely the product is to be in the customer's next order.

At most {MAX_ROWS} rows and {MAX_BODY_BYTES} bytes a request, {MAX_EXPLAINED_ROWS} rows with an
explanation. Errors are application/problem+json (RFC 9457); API Gateway's own (429 above the rate
limit, 404 for other paths, 500 and 503 when the function fails) are `{{"message": "..."}}`.
`x-request-id` names the request in the logs.
""".strip(),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": {
            "/predict": {"post": predict()},
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


def predict() -> Json:
    one_or_many = {"oneOf": [reference("schemas", "Row"), reference("schemas", "Rows")]}
    answers = {"oneOf": [reference("schemas", "Prediction"), reference("schemas", "Predictions")]}
    problems = {
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
        "lines, or `rows`, with `predictions` in their order.",
        "parameters": [
            {
                "name": "explain",
                "in": "query",
                "description": "Whether each prediction says what every feature contributed.",
                "schema": {"type": "boolean", "default": False},
            }
        ],
        "requestBody": {
            "required": True,
            "content": {
                JSON: {
                    "schema": one_or_many,
                    "examples": {
                        "one": {"value": EXAMPLE},
                        "many": {"value": {"rows": [EXAMPLE]}},
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
    return {
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


def value_of(feature: Feature) -> Json:
    return {
        "type": "integer" if feature.whole else "number",
        "description": feature.meaning,
        "minimum": feature.low,
        "maximum": feature.high,
    }


def responses() -> Json:
    problems = {
        "BadRequest": "What is wrong, value by value.",
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
