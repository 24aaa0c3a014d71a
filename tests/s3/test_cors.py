"""A bucket's CORS rules: what pages of other origins may do, by the headers that browsers send."""

from __future__ import annotations

from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, build_opener

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from executions.endpoint_key import local_keys

RULES = [
    {
        "ID": "app",
        "AllowedOrigins": ["https://app.example", "https://*.app.example"],
        "AllowedMethods": ["PUT", "GET"],
        "AllowedHeaders": ["x-amz-*", "Content-Type"],
        "ExposeHeaders": ["ETag", "x-amz-version-id"],
        "MaxAgeSeconds": 600,
    },
    {"AllowedOrigins": ["*"], "AllowedMethods": ["HEAD"]},
]
V4 = Config(signature_version="s3v4")  # which does not sign the type that a browser adds
Answer = tuple[int, dict[str, str]]


@pytest.fixture
def shared(remote: Any) -> Any:
    remote.put_bucket_cors(Bucket="lake", CORSConfiguration={"CORSRules": RULES})
    remote.put_object(Bucket="lake", Key="a", Body=b"before")
    return remote


def send(client: Any, url: str, method: str, body: bytes | None = None, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if url.startswith("/"):
        url = client.meta.endpoint_url + url
    try:
        answer = build_opener().open(Request(url, body, named, method=method), timeout=60)
    except HTTPError as error:
        answer = error
    with answer:
        return answer.status, dict(answer.headers)


# (origin, method, headers asked for; status, headers of the answer), by
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/ManageCorsUsing.html
APP = "https://app.example"
PREFLIGHTS = [
    (APP, "PUT", "x-amz-date, content-type", 200, {
        "Access-Control-Allow-Origin": APP, "Access-Control-Allow-Methods": "PUT, GET",
        "Access-Control-Allow-Headers": "x-amz-date, content-type",
        "Access-Control-Allow-Credentials": "true", "Access-Control-Max-Age": "600",
        "Access-Control-Expose-Headers": "ETag, x-amz-version-id",
    }),
    ("https://de.app.example", "GET", "", 200, {
        "Access-Control-Allow-Origin": "https://de.app.example",
    }),
    ("null", "HEAD", "", 200, {
        "Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "HEAD",
    }),
    (APP, "DELETE", "", 403, {}),
    (APP, "PUT", "authorization", 403, {}),
    ("http://app.example", "PUT", "", 403, {}),
    ("https://evilapp.example", "PUT", "", 403, {}),
    ("null", "GET", "", 403, {}),
]  # fmt: skip


@pytest.mark.parametrize(("origin", "method", "asked", "status", "said"), PREFLIGHTS)
def test_preflight(
    shared: Any, origin: str, method: str, asked: str, status: int, said: dict[str, str]
) -> None:
    headers = {"Origin": origin, "Access_Control_Request_Method": method}
    if asked:
        headers["Access_Control_Request_Headers"] = asked
    found, answered = send(shared, "/lake/a", "OPTIONS", **headers)

    assert found == status
    assert said.items() <= answered.items()
    assert ("Access-Control-Allow-Origin" in answered) == (status == 200)


def test_page_does_what_rule_and_signature_allow_and_no_more(shared: Any) -> None:
    url = shared.meta.endpoint_url
    signer = boto3.client("s3", "us-east-1", endpoint_url=url, config=V4, **local_keys(url))
    urls = {
        name: signer.generate_presigned_url(name, Params={"Bucket": "lake", "Key": "a"})
        for name in ("get_object", "put_object", "delete_object")
    }
    status, said = send(shared, urls["put_object"], "PUT", b"after", Origin=APP)
    assert (status, said["Access-Control-Allow-Origin"]) == (200, APP)
    assert send(shared, urls["get_object"], "GET", Origin=APP)[0] == 200

    assert send(shared, urls["delete_object"], "DELETE", Origin=APP)[0] == 403
    assert send(shared, urls["put_object"], "PUT", b"x", Origin="https://evil.example")[0] == 403
    assert send(shared, "/lake/a", "PUT", b"x", Origin=APP)[0] == 403  # unsigned, also where any
    assert shared.get_object(Bucket="lake", Key="a")["Body"].read() == b"after"


@pytest.mark.parametrize(
    "headers",
    [
        {"X_Amz_Target": "DynamoDB_20120810.ListTables"},
        {"Authorization": "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/sns/aws4_request,"
         " SignedHeaders=host, Signature=0"},
    ],
)  # fmt: skip
def test_rule_of_a_bucket_opens_no_other_service(shared: Any, headers: dict[str, str]) -> None:
    assert send(shared, "/lake/a", "PUT", b"{}", Origin=APP, **headers)[0] == 403
    assert shared.get_object(Bucket="lake", Key="a")["Body"].read() == b"before"


def test_bucket_without_rules_lets_no_page_in(remote: Any) -> None:
    url = remote.generate_presigned_url("put_object", Params={"Bucket": "lake", "Key": "a"})
    assert send(remote, url, "PUT", b"x", Origin=APP)[0] == 403
    asked = {"Origin": APP, "Access_Control_Request_Method": "PUT"}
    assert send(remote, "/lake/a", "OPTIONS", **asked)[0] == 403
    assert "Contents" not in remote.list_objects_v2(Bucket="lake")


def test_website_says_what_its_bucket_allows(shared: Any) -> None:
    status, said = send(shared, "/_aws/website/lake/a", "GET", Origin=APP)
    assert (status, said["Access-Control-Allow-Origin"]) == (404, APP)  # it is no website
    assert "Access-Control-Allow-Origin" not in send(
        shared, "/_aws/website/lake/a", "GET", Origin="https://evil.example"
    )[1]  # fmt: skip


@pytest.mark.parametrize(
    ("member", "value", "message"),
    [
        ("AllowedMethods", ["PATCH"], "Found unsupported HTTP method in CORS config."),
        ("AllowedOrigins", ["https://*.*"], "can not have more than one wildcard."),
        ("AllowedHeaders", ["*-*"], "can not have more than one wildcard."),
    ],
)
def test_rules_that_s3_does_not_take(s3: Any, member: str, value: list[str], message: str) -> None:
    rule = {"AllowedOrigins": ["*"], "AllowedMethods": ["GET"], member: value}
    with pytest.raises(ClientError, match=message) as refused:
        s3.put_bucket_cors(Bucket="lake", CORSConfiguration={"CORSRules": [rule]})
    assert refused.value.response["Error"]["Code"] == "InvalidRequest"
