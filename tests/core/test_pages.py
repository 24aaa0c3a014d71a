"""Every list in pages: complete, without repeats, whatever is deleted in between."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from localaws.core.pages import Key, page
from localaws.errors import AwsError


def invalid(message: str) -> AwsError:
    return AwsError("InvalidNextToken", message)


def test_all_items_come_once_in_the_order_of_their_keys() -> None:
    items: list[tuple[Key, str]] = [(name, name.upper()) for name in "dacbe"]
    shown, token = [], None
    for _ in range(3):
        found = page(items, token, 2, invalid=invalid)
        shown.append(found.items)
        token = found.token
    assert shown == [["A", "B"], ["C", "D"], ["E"]]
    assert token is None


@pytest.mark.parametrize("newest_first", [False, True])
def test_what_is_deleted_or_added_between_pages_skips_and_repeats_nothing(
    newest_first: bool,
) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    runs: list[tuple[Key, int]] = [
        ((start + timedelta(milliseconds=n // 2), f"run-{n}"), n) for n in range(8)
    ]
    first = page(runs, None, 3, invalid=invalid, newest_first=newest_first)
    kept = [run for run in runs if run[1] not in first.items]  # also the token's own item goes
    added: list[tuple[Key, int]] = [((start - timedelta(days=1), "run-x"), 100)]
    added += [((start + timedelta(days=1), "run-y"), 101)]
    rest = page([*kept, *added], first.token, 10, invalid=invalid, newest_first=newest_first)
    everything = [*first.items, *(n for n in rest.items if n < 100)]
    assert everything == sorted(range(8), reverse=newest_first)
    assert [n for n in rest.items if n >= 100] == [100 if newest_first else 101]


@pytest.mark.parametrize(
    "token",
    ["5", "ü", "!", base64.urlsafe_b64encode(b"[1]").decode()]
    + [base64.urlsafe_b64encode(text).decode() for text in (b'{"after": 5}', b'{"after": [1]}')],
)
def test_a_token_that_was_not_given_is_the_services_own_error(token: str) -> None:
    with pytest.raises(AwsError, match=r"InvalidNextToken: The token .* was not given"):
        page([("a", 1), ("b", 2)], token, 1, invalid=invalid)


def test_a_page_of_no_items_is_refused() -> None:
    with pytest.raises(AwsError, match="InvalidNextToken: A page has at least 1 item, not 0"):
        page([("a", 1)], None, 0, invalid=invalid)


def test_iams_lists_neither_skip_nor_repeat_what_stays(aws: Any) -> None:
    iam = aws.client("iam")
    for name in ("ann", "bob", "cid", "dan"):
        iam.create_user(UserName=name)
    first = iam.list_users(MaxItems=2)
    assert [user["UserName"] for user in first["Users"]] == ["ann", "bob"]
    iam.delete_user(UserName="ann")
    rest = iam.list_users(MaxItems=2, Marker=first["Marker"])
    assert [user["UserName"] for user in rest["Users"]] == ["cid", "dan"]
    assert not rest["IsTruncated"]


def test_tags_of_sagemaker_come_in_pages(aws: Any) -> None:
    tags = [{"Key": f"k{n:03}", "Value": "v"} for n in range(120)]
    aws.documents.put("sagemaker-model", "m", {"describe": {}, "tags": tags})
    sagemaker = aws.client("sagemaker")
    place = f"arn:aws:sagemaker:{aws.region}:{aws.account}:model/m"
    sizes, shown = [], []
    for answer in sagemaker.get_paginator("list_tags").paginate(
        ResourceArn=place, PaginationConfig={"PageSize": 50}
    ):
        sizes.append(len(answer["Tags"]))
        shown += answer["Tags"]
    assert sizes == [50, 50, 20]
    assert shown == tags
