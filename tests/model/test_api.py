"""The API's handler before the real endpoint functions; faults are injected in the client alone."""

from __future__ import annotations

import base64
import json
import math
import os
import time
from collections.abc import Callable
from operator import itemgetter
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inference import features, requests
from tests.conftest import cases
from tests.model.served import FailingRuntime, ServedModel, client_error
from tests.model.trained import EXAMPLE_LINE, Trained
from training.features import WIRE_FEATURES

Json = dict[str, Any]
VALUES = EXAMPLE_LINE.split(",")
EXAMPLE = dict(zip(WIRE_FEATURES, map(float, VALUES), strict=True))


@pytest.fixture(scope="module")
def api(trained: Trained):
    """The handler's module, its client replaced by the real endpoint functions."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")  # Lambda sets it before the import
        patch.setenv("ENDPOINT_NAME", "rebuy")
        from inference import api

        patch.setattr(api.endpoint, "sagemaker", ServedModel(trained.model_dir))
        yield api


def event(
    body: str | None,
    content_type: str | None = "text/csv",
    *,
    method: str = "POST",
    path: str = "/predict",
    encoded: bool = False,
    stage: str = "$default",
    query: str = "",
) -> Json:
    """A request as an HTTP API hands it to the function (payload format 2.0)."""
    return {
        "version": "2.0",
        "routeKey": f"{method} {path}",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {"content-type": content_type} if content_type is not None else {},
        "requestContext": {
            "http": {"method": method, "path": path},
            "requestId": "request-1",
            "stage": stage,
        },
        "body": body,
        "isBase64Encoded": encoded,
    }


def of_case(case: Json) -> Json:
    """`csv` and `json` are changes to the example: by position, and by name ("DROP" leaves out)."""
    content_type = case.get("content_type", "application/json" if "json" in case else "text/csv")
    body = case.get("body")
    if "csv" in case:
        body = ",".join(case["csv"].get(str(i), v) for i, v in enumerate(VALUES, start=1))
    if "json" in case:
        row = {**EXAMPLE, **case["json"]}
        body = json.dumps({name: value for name, value in row.items() if value != "DROP"})
        body = body.replace("Infinity", "1" + "0" * 400)
    method, path = case.get("method", "POST"), case.get("path", "/predict")
    encoded = case.get("base64", False)
    return event(body, content_type, method=method, path=path, encoded=encoded)


def body_of(answer: Json) -> Json:
    return json.loads(answer["body"])


@pytest.mark.parametrize("case", cases("api_requests"), ids=itemgetter("why"))
def test_requests(api, case) -> None:
    answer = api.handler(of_case(case), None)
    told = body_of(answer)

    assert answer["statusCode"] == case["status"], told
    if case["status"] == 200:
        assert set(told) == {"will_buy", "probability", "threshold", "model"}
        assert told["will_buy"] == (told["probability"] >= told["threshold"])
        assert told["model"] == "run-1"
        return
    assert answer["headers"]["content-type"] == "application/problem+json"
    assert told["status"] == case["status"]
    assert told["request_id"] == answer["headers"]["x-request-id"] == "request-1"
    assert case.get("detail", "") in told["detail"]
    if "fields" in case:
        found = [[e.get("position"), e["field"]] for e in told["errors"]]
        assert found == case["fields"]


def test_csv_and_json_and_the_endpoint_itself_give_the_same_probability(api, trained) -> None:
    golden = trained.read("golden.json")

    for row, expected in zip(golden["rows"], golden["probabilities"], strict=True):
        line = ",".join(map(repr, row))
        named = json.dumps(dict(zip(WIRE_FEATURES, row, strict=True)))
        assert body_of(api.handler(event(line), None))["probability"] == expected
        by_name = body_of(api.handler(event(named, "application/json"), None))
        assert by_name["probability"] == expected


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (f"{EXAMPLE_LINE}\n{EXAMPLE_LINE}\n", "text/csv"),
        (json.dumps({"rows": [EXAMPLE, EXAMPLE]}), "application/json"),
    ],
)
def test_many_rows_are_answered_in_their_order(api, body, kind) -> None:
    told = body_of(api.handler(event(body, kind), None))

    assert set(told) == {"predictions", "threshold", "model"}
    assert [set(p) for p in told["predictions"]] == [{"probability", "will_buy"}] * 2


def test_rows_with_one_row_keep_the_form_of_rows(api) -> None:
    body = json.dumps({"rows": [EXAMPLE]})

    assert len(body_of(api.handler(event(body, "application/json"), None))["predictions"]) == 1


def test_base64_bodies_are_read(api) -> None:
    body = base64.b64encode(b"\xef\xbb\xbf" + EXAMPLE_LINE.encode()).decode()

    assert api.handler(event(body, encoded=True), None)["statusCode"] == 200


def test_named_stage_in_the_path_is_no_part_of_the_route(api) -> None:
    answer = api.handler(event(EXAMPLE_LINE, path="/prod/predict", stage="prod"), None)

    assert answer["statusCode"] == 200


def test_wrong_value_says_in_which_row_it_stands(api) -> None:
    rows = [EXAMPLE, {**EXAMPLE, "up_order_rate": 7}]
    told = body_of(api.handler(event(json.dumps({"rows": rows}), "application/json"), None))

    assert told["errors"] == [
        {
            "row": 2,
            "field": "up_order_rate",
            "position": 16,
            "detail": "Row 2: value 16, up_order_rate, is 7; accepted: a number from 0 to 1.",
        }
    ]


def test_too_many_rows_and_too_many_bytes_are_413(api) -> None:
    rows = api.handler(event("\n".join([EXAMPLE_LINE] * (requests.MAX_ROWS + 1))), None)
    assert rows["statusCode"] == 413
    assert f"at most {requests.MAX_ROWS}" in body_of(rows)["detail"]

    large = api.handler(event("1" * (requests.MAX_BODY_BYTES + 1)), None)
    assert large["statusCode"] == 413
    assert f"at most {requests.MAX_BODY_BYTES} are read" in body_of(large)["detail"]


def test_errors_are_listed_only_so_far(api) -> None:
    body = json.dumps({"rows": [{}] * 900})
    told = body_of(api.handler(event(body, "application/json"), None))

    assert told["detail"].startswith("At least 50 values are wrong: Row 1: value 1, up_orders,")
    assert len(told["errors"]) == 50


HOSTILE: dict[str, tuple[Callable[[], str], str]] = {
    "deep": (lambda: "[" * 500_000, "application/json"),
    "deep objects": (lambda: '{"a":' * 200_000, "application/json"),
    "names": (lambda: json.dumps({f"n{i}": 1 for i in range(70_000)}), "application/json"),
    "twice": (
        lambda: "{" + ",".join(f'"{i % 60_000}":1' for i in range(90_000)) + "}",
        "application/json",
    ),
    "digits": (lambda: ",".join(["1" * 55_000 + "x"] * 18), "text/csv"),
    "integer": (lambda: '{"up_orders": ' + "9" * 900_000 + "}", "application/json"),
    "lines": (lambda: "\n" * 400_000 + "1" + "\n1" * 300_000, "text/csv"),
    "surrogate": (lambda: '{"\\ud800": "\\udfff"}', "application/json"),
}


@pytest.mark.parametrize(("body", "kind"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_bodies_are_4xx_within_a_second_of_a_processor(api, body, kind) -> None:
    request = event(body(), kind)
    started = time.thread_time()

    assert 400 <= api.handler(request, None)["statusCode"] < 500
    assert time.thread_time() - started < 1.0


NUMBERISH = st.one_of(
    st.floats().map(repr), st.integers().map(str), st.text(max_size=5), st.sampled_from(VALUES)
)
CSV_BODIES = st.lists(NUMBERISH, min_size=17, max_size=19).map(",".join)
JSON_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.floats(), st.integers(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from([*WIRE_FEATURES, "rows", "x"]), inner, max_size=20),
    ),
    max_leaves=30,
)
NEARLY = st.dictionaries(st.sampled_from(WIRE_FEATURES), JSON_VALUES, max_size=4).map(
    lambda changes: {**EXAMPLE, **changes}
)
BODIES = st.one_of(
    st.none(),
    st.text(st.characters(), max_size=80),
    CSV_BODIES,
    JSON_VALUES.map(json.dumps),
    NEARLY.map(json.dumps),
    st.lists(NEARLY, max_size=3).map(lambda rows: json.dumps({"rows": rows})),
    st.binary(max_size=60).map(lambda raw: base64.b64encode(raw).decode()),
)


# REBUY_FUZZ=10000 asks for that many (about a minute).
@settings(
    max_examples=int(os.environ.get("REBUY_FUZZ", "400")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    body=BODIES,
    kind=st.sampled_from(["text/csv", "application/json", "application/json; x", "", None]),
    encoded=st.booleans(),
    method=st.sampled_from(["POST", "POST", "POST", "GET", "BREW"]),
    path=st.sampled_from(
        ["/predict", "/predict", "/predict", "/health", "/model", "/openapi.json", "/", ""]
    ),
    query=st.one_of(
        st.just(""),
        st.sampled_from(["explain=true", "explain=false", "explain", "explain=true&explain=true"]),
        st.text(max_size=12),
    ),
)
def test_no_request_whatever_is_answered_5xx(api, body, kind, encoded, method, path, query) -> None:
    request = event(body, kind, encoded=encoded, method=method, path=path, query=query)
    answer = api.handler(request, None)

    assert answer["statusCode"] == 200 or 400 <= answer["statusCode"] < 500
    assert isinstance(json.loads(answer["body"]), dict)


def test_health_says_which_model_answers(api) -> None:
    answer = api.handler(event(None, None, method="GET", path="/health"), None)

    assert (answer["statusCode"], body_of(answer)) == (200, {"status": "ok", "model": "run-1"})


FAULTS = [
    (client_error("ValidationError", "Endpoint rebuy not found"), 503, "is missing or not ready"),
    (client_error("ModelNotReadyException"), 503, "is missing or not ready"),
    (client_error("ServiceUnavailable"), 503, "is missing or not ready"),
    (client_error("ThrottlingException"), 503, "is missing or not ready"),
    (EndpointConnectionError(endpoint_url="http://x"), 503, "cannot be reached"),
    (ReadTimeoutError(endpoint_url="http://x"), 503, "cannot be reached"),
    (client_error("ModelError"), 502, "The model behind the endpoint rebuy failed"),
    (client_error("AccessDeniedException"), 502, "could not be asked (AccessDeniedException)"),
    (client_error("InternalFailure"), 502, "could not be asked (InternalFailure)"),
]


@pytest.mark.parametrize(("error", "status", "detail"), FAULTS, ids=lambda v: str(v)[:60])
def test_faults_behind_the_api_are_told_from_bad_requests(
    api, monkeypatch, error, status, detail
) -> None:
    monkeypatch.setattr(api.endpoint, "sagemaker", FailingRuntime(error))

    answer = api.handler(event(EXAMPLE_LINE), None)

    assert answer["statusCode"] == status
    assert detail in body_of(answer)["detail"]
    assert body_of(answer)["request_id"] == "request-1"
    assert ("retry-after" in answer["headers"]) == (status == 503)
    health = api.handler(event(None, method="GET", path="/health"), None)
    assert health["statusCode"] == status


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"0.5\n",
        b"[]",
        b'{"predictions": [], "threshold": 0.2, "model": "m"}',
        b'{"predictions": [{"probability": 7, "will_buy": true}], "threshold": 0.2, "model": "m"}',
        b'{"predictions": [{"probability": 0.7, "will_buy": true}]}',
        b"\xff",
    ],
)
def test_endpoint_that_answers_something_else_is_502(api, monkeypatch, body) -> None:
    monkeypatch.setattr(api.endpoint, "sagemaker", FailingRuntime(body=body))

    answer = api.handler(event(EXAMPLE_LINE), None)

    assert answer["statusCode"] == 502
    assert "answered something that is not a prediction" in body_of(answer)["detail"]


def test_api_without_an_endpoint_name_says_so(api, monkeypatch) -> None:
    monkeypatch.delenv("ENDPOINT_NAME")

    answer = api.handler(event(EXAMPLE_LINE), None)

    assert answer["statusCode"] == 503
    assert "ENDPOINT_NAME is not set" in body_of(answer)["detail"]


def test_explanations_add_up_to_the_log_odds(api, trained) -> None:
    golden = trained.read("golden.json")
    lines = "\n".join(",".join(map(repr, row)) for row in golden["rows"])

    told = body_of(api.handler(event(lines, query="explain=true"), None))

    for prediction, probability in zip(told["predictions"], golden["probabilities"], strict=True):
        assert prediction["probability"] == probability
        explanation = prediction["explanation"]
        assert tuple(explanation["contributions"]) == WIRE_FEATURES
        total = explanation["bias"] + sum(explanation["contributions"].values())
        assert total == pytest.approx(math.log(probability / (1 - probability)), abs=1e-4)


def test_one_row_is_explained_in_the_one_row_form(api) -> None:
    told = body_of(
        api.handler(event(json.dumps(EXAMPLE), "application/json", query="explain=true"), None)
    )

    assert set(told) == {"will_buy", "probability", "explanation", "threshold", "model"}


def test_more_rows_than_are_explained_at_once_are_413(api) -> None:
    lines = "\n".join([EXAMPLE_LINE] * (requests.MAX_EXPLAINED_ROWS + 1))

    refused = api.handler(event(lines, query="explain=true"), None)

    assert refused["statusCode"] == 413
    assert f"at most {requests.MAX_EXPLAINED_ROWS} are explained" in body_of(refused)["detail"]
    assert api.handler(event(lines, query="explain=false"), None)["statusCode"] == 200


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("explian=true", '"explian" is not a query parameter; accepted: explain.'),
        ("explain=yes", 'explain is "yes"; accepted: true, false.'),
        ("explain", 'explain is ""; accepted: true, false.'),
        ("explain=true&explain=true", "explain is given twice."),
    ],
)
def test_wrong_query_strings_are_named(api, query, detail) -> None:
    answer = api.handler(event(EXAMPLE_LINE, query=query), None)

    assert (answer["statusCode"], body_of(answer)["status"]) == (400, 400)
    assert detail in body_of(answer)["detail"]


def test_model_says_what_it_is(api, trained) -> None:
    told = body_of(api.handler(event(None, None, method="GET", path="/model"), None))

    saved = json.loads((trained.model_dir / "model.json").read_text())
    assert told["model"] == "run-1"
    assert told["features"] == list(WIRE_FEATURES)
    assert {name: told[name] for name in ("threshold", "trained_at", "versions")} == {
        name: saved[name] for name in ("threshold", "trained_at", "versions")
    }


@pytest.mark.parametrize(
    ("path", "method", "query"), [("/predict", "POST", "explain=true"), ("/model", "GET", "")]
)
def test_models_from_before_explanations_are_told_apart(
    api, monkeypatch, path, method, query
) -> None:
    refused = client_error("ModelError", "The body is not of the form", original_status=400)
    monkeypatch.setattr(api.endpoint, "sagemaker", FailingRuntime(refused))

    answer = api.handler(event(EXAMPLE_LINE, method=method, path=path, query=query), None)

    assert answer["statusCode"] == 501
    assert "published before models could" in body_of(answer)["detail"]


def log_lines(capsys) -> list[Json]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_each_request_leaves_one_line_of_json_in_the_log(api, capsys) -> None:
    api.handler(event("\n".join([EXAMPLE_LINE] * 3)), None)

    of_endpoint, of_api = log_lines(capsys)
    assert of_endpoint["request_id"] == of_api["request_id"] == "request-1"
    assert of_endpoint["rows"] == of_api["rows"] == 3
    assert of_api["milliseconds"] > 0
    assert {k: v for k, v in of_api.items() if k != "milliseconds"} == {
        "request_id": "request-1",
        "method": "POST",
        "path": "/predict",
        "rows": 3,
        "explain": False,
        "status": 200,
    }


def test_the_log_never_has_the_body(api, monkeypatch, capsys) -> None:
    secret = EXAMPLE_LINE.replace("3418", "secret").replace("1599", "80081355555")
    api.handler(event(secret), None)
    repeated = client_error("ModelError", f"Row 1, x: {secret!r} is not a number", 500)
    monkeypatch.setattr(api.endpoint, "sagemaker", FailingRuntime(repeated))
    api.handler(event(EXAMPLE_LINE), None)

    refused, failed = log_lines(capsys)
    assert (refused["status"], refused["problem"]) == (400, "Bad request")
    assert (failed["status"], failed["problem"]) == (502, "Model failed")
    assert "ModelError 500" in failed["cause"]
    assert "secret" not in json.dumps([refused, failed])
    assert "80081355555" not in json.dumps([refused, failed])


def test_fault_of_our_own_is_500_with_its_place_in_the_log(api, monkeypatch, capsys) -> None:
    monkeypatch.setattr(api.endpoint, "sagemaker", FailingRuntime(RuntimeError("1,2,3")))

    answer = api.handler(event(EXAMPLE_LINE), None)

    assert answer["statusCode"] == 500
    assert body_of(answer)["detail"] == "The API failed; its log says why."
    (line,) = log_lines(capsys)
    assert line["cause"].startswith("RuntimeError in handler:")
    assert "1,2,3" not in json.dumps(line)


def test_features_are_those_of_training_in_their_order() -> None:
    assert tuple(feature.name for feature in features.FEATURES) == WIRE_FEATURES
