"""The OpenAPI document: made from the one table, served, and true, as schemathesis finds it."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.generation import GenerationMode
from werkzeug.test import Client

from inference import features, openapi, requests
from tests.model.served import ServedModel, application

load_all_checks()


@schemathesis.serializer("text/csv")
def csv(context: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


@pytest.fixture(scope="module")
def api(trained):
    """The handler before the real endpoint functions, as a WSGI application."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("ENDPOINT_NAME", "rebuy")
        from inference import api

        patch.setattr(api.endpoint, "sagemaker", ServedModel(trained.model_dir))
        yield application(api.handler)


PROMISES = [
    ("/predict", "POST", GenerationMode.POSITIVE),
    ("/predict", "POST", GenerationMode.NEGATIVE),
    ("/customers", "GET", GenerationMode.POSITIVE),
    ("/customers", "GET", GenerationMode.NEGATIVE),
    ("/customers/{customer_id}/next-basket", "GET", GenerationMode.POSITIVE),
    ("/health", "GET", GenerationMode.POSITIVE),
    ("/model", "GET", GenerationMode.POSITIVE),
    ("/openapi.json", "GET", GenerationMode.POSITIVE),
]


@pytest.mark.parametrize(("path", "method", "mode"), PROMISES, ids=lambda v: getattr(v, "value", v))
def test_the_handler_keeps_what_its_document_promises(api, path, method, mode) -> None:
    """Status, content type, headers and members of every answer; that what the document allows is
    answered (but for CSV, which it calls any text) and what it forbids is refused."""
    operation = schemathesis.openapi.from_wsgi("/openapi.json", api)[path][method]

    # REBUY_FUZZ=10000 asks for that many.
    @settings(
        max_examples=int(os.environ.get("REBUY_FUZZ", "60")),
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(mode))
    def check(case: Any) -> None:
        free = ["positive_data_acceptance"] if case.media_type == "text/csv" else []
        case.call_and_validate(excluded_checks=CHECKS.get_by_names(free))

    check()


def test_the_document_is_the_one_that_the_table_gives() -> None:
    assert openapi.FILE.read_text() == openapi.text(), "python -m inference.openapi writes it"


def test_the_document_is_served(api) -> None:
    answer = Client(api).get("/openapi.json")

    assert (answer.status_code, answer.json) == (200, openapi.document())
    assert answer.headers["x-request-id"] == "request-1"


def test_its_examples_are_answered(api) -> None:
    content = openapi.document()["paths"]["/predict"]["post"]["requestBody"]["content"]
    for kind, told in content.items():
        for example in told["examples"].values():
            value = example["value"]
            body = value if isinstance(value, str) else json.dumps(value)
            answer = Client(api).post("/predict?explain=true", data=body, content_type=kind)
            unknown = "customer_id" in value  # a customer of somebody else's data
            assert answer.status_code == (404 if unknown else 200), answer.text


def test_its_limits_are_those_of_the_checks(api) -> None:
    row = openapi.document()["components"]["schemas"]["Row"]["properties"]

    assert list(row) == [feature.name for feature in features.FEATURES]
    for feature in features.FEATURES:
        for value in (feature.low, feature.high):
            assert requests.reason_against(feature, float(value)) is None
        assert (row[feature.name]["minimum"], row[feature.name]["maximum"]) == (
            feature.low,
            feature.high,
        )
