"""Rules that need no server."""

from __future__ import annotations

from operator import itemgetter
from typing import Any

import pytest

from localaws.errors import AwsError
from localaws.http_api.cors import allowed_origin
from localaws.http_api.payload import MalformedError, read_result
from localaws.http_api.routing import check_route_key, find_route, source_arn
from localaws.http_api.throttle import Throttle
from tests.conftest import cases


@pytest.mark.parametrize("case", cases("http_api_routes"), ids=itemgetter("why"))
def test_the_most_specific_route_takes_the_request(case: dict[str, Any]) -> None:
    method, path = case["request"].split(" ")
    found = find_route([{"RouteKey": key} for key in case["routes"]], method, path)
    if case["route"] is None:
        assert found is None
    else:
        assert found is not None
        assert found.route["RouteKey"] == case["route"]
        assert found.path_parameters == case["parameters"]


@pytest.mark.parametrize(
    "key", ["GET", "GET pets", "FETCH /pets", "GET /{a+}/b", "GET /x{a}", "$connect"]
)
def test_a_malformed_route_key_is_refused(key: str) -> None:
    with pytest.raises(AwsError, match="oute key"):
        check_route_key(key)


@pytest.mark.parametrize(
    ("key", "tail"),
    [
        ("POST /predict", "POST/predict"),
        ("ANY /{proxy+}", "*/{proxy+}"),
        ("$default", "$default"),
    ],
)
def test_the_source_arn_names_stage_and_route(key: str, tail: str) -> None:
    expected = f"arn:aws:execute-api:us-east-1:000000000000:abc/$default/{tail}"
    assert source_arn("us-east-1", "000000000000", "abc", "$default", key) == expected


@pytest.mark.parametrize(
    ("payload", "status", "content_type", "body"),
    [
        (b'{"statusCode": 201, "body": "x"}', 201, "text/plain;charset=UTF-8", b"x"),
        (b'{"statusCode": "404"}', 404, "text/plain;charset=UTF-8", b""),
        (
            b'{"statusCode": 200, "headers": {"Content-Type": "a/b"}, "body": "eA==",'
            b' "isBase64Encoded": true}',
            200,
            "a/b",
            b"x",
        ),
        (b'{"message": "hi"}', 200, "application/json", b'{"message":"hi"}'),
        (b'"hello"', 200, "application/json", b"hello"),
        (b"[1, 2]", 200, "application/json", b"[1,2]"),
    ],
)
def test_a_result_becomes_a_response(
    payload: bytes, status: int, content_type: str, body: bytes
) -> None:
    response = read_result(payload)
    assert (response.status_code, response.headers["Content-Type"]) == (status, content_type)
    assert response.get_data() == body


@pytest.mark.parametrize(
    "payload",
    [
        b'{"statusCode": "many"}',
        b'{"statusCode": 200, "body": {"a": 1}}',
        b'{"statusCode": 200, "body": "!", "isBase64Encoded": true}',
        b'{"statusCode": 42}',
    ],
)
def test_a_result_that_is_no_response_is_malformed(payload: bytes) -> None:
    with pytest.raises(MalformedError):
        read_result(payload)


@pytest.mark.parametrize(
    ("allowed", "origin", "answer"),
    [
        (["*"], "https://a.b", "*"),
        (["https://a.b"], "https://a.b", "https://a.b"),
        (["https://a.b"], "https://A.b", "https://A.b"),
        (["https://a.b"], "https://c.d", None),
        (["https://*"], "https://c.d", "https://c.d"),
        (["https://*"], "http://c.d", None),
        (["https://a.b"], None, None),
    ],
)
def test_origins_are_allowed_as_configured(
    allowed: list[str], origin: str | None, answer: str | None
) -> None:
    assert allowed_origin({"AllowOrigins": allowed}, origin) == answer


def test_a_bucket_refills_at_its_rate() -> None:
    now = [0.0]
    throttle = Throttle(lambda: now[0])
    settings = {"ThrottlingBurstLimit": 2, "ThrottlingRateLimit": 10.0}
    assert [throttle.admits(("k",), settings) for _ in range(3)] == [True, True, False]
    now[0] = 0.1
    assert [throttle.admits(("k",), settings) for _ in range(2)] == [True, False]
    assert throttle.admits(("other",), settings)
    assert throttle.admits(("k",), {})
