"""Static websites, as a browser gets them."""

from __future__ import annotations

import json
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, build_opener

import pytest

STATEMENT = {
    **{"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject"]},
    "Resource": "arn:aws:s3:::lake/*",
}


def get(client: Any, path: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    url = f"{client.meta.endpoint_url}/_aws/website/{path}"
    try:
        answer = build_opener().open(Request(url, headers=headers))
    except HTTPError as error:
        answer = error
    with answer:
        return answer.status, answer.read(), dict(answer.headers)


@pytest.fixture
def site(remote: Any) -> Any:
    remote.delete_public_access_block(Bucket="lake")
    policy = json.dumps({"Version": "2012-10-17", "Statement": [STATEMENT]})
    remote.put_bucket_policy(Bucket="lake", Policy=policy)
    remote.put_bucket_website(
        Bucket="lake",
        WebsiteConfiguration={
            "IndexDocument": {"Suffix": "index.html"},
            "ErrorDocument": {"Key": "error.html"},
        },
    )
    for key, text in (("index.html", "home"), ("error.html", "sorry"), ("docs/index.html", "docs")):
        remote.put_object(Bucket="lake", Key=key, Body=text.encode(), ContentType="text/html")
    return remote


def test_index_documents_types_and_folders(site: Any) -> None:
    status, body, headers = get(site, "lake/")
    assert (status, body, headers["Content-Type"]) == (200, b"home", "text/html")
    assert get(site, "lake/docs")[1] == b"docs"  # by way of a redirect to docs/


def test_an_unchanged_page_is_not_sent_again(site: Any) -> None:
    etag = get(site, "lake/")[2]["ETag"]
    assert get(site, "lake/", **{"If-None-Match": etag})[:2] == (304, b"")


def test_a_missing_page_gives_the_error_document(site: Any) -> None:
    assert get(site, "lake/none.html")[:2] == (404, b"sorry")


def test_without_a_public_policy_nothing_is_shown(site: Any) -> None:
    site.delete_bucket_policy(Bucket="lake")
    assert get(site, "lake/")[0] == 403


def test_a_public_access_block_wins_over_the_policy(site: Any) -> None:
    site.put_public_access_block(
        Bucket="lake", PublicAccessBlockConfiguration={"RestrictPublicBuckets": True}
    )
    assert get(site, "lake/")[0] == 403


def test_a_bucket_without_website_configuration_is_no_website(site: Any) -> None:
    site.delete_bucket_website(Bucket="lake")
    assert get(site, "lake/")[0] == 404
    assert get(site, "nobucket/")[0] == 404
