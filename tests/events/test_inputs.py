"""What targets are given."""

from __future__ import annotations

import json
from typing import Any

import pytest

from localaws.errors import AwsError
from localaws.events.inputs import check_transformer, fill, target_input

EVENT = {"source": "aws.s3", "detail": {"object": {"key": "raw/a.csv", "size": 5}, "tags": ["x"]}}
RULE = {"Name": "uploads", "Arn": "arn:aws:events:us-east-1:000000000000:rule/uploads"}


def given(target: dict[str, Any]) -> Any:
    return json.loads(target_input(target, EVENT, RULE, "2026-01-01T00:00:00Z"))


def test_without_more_the_whole_event() -> None:
    assert given({}) == EVENT


def test_a_fixed_input_and_a_part_of_the_event() -> None:
    assert given({"Input": '{"a": 1}'}) == {"a": 1}
    assert given({"InputPath": "$.detail.object"}) == EVENT["detail"]["object"]  # type: ignore[index]
    assert given({"InputPath": "$.detail['tags'][0]"}) == "x"


def test_a_template_writes_texts_with_quotes_outside_quotes_only() -> None:
    transformer = {
        "InputPathsMap": {"key": "$.detail.object.key", "object": "$.detail.object", "no": "$.x.y"},
        "InputTemplate": '{"a": <key>, "b": "s3://<key>", "c": <object>, "d": <no>, "e": "<no>"}',
    }
    assert given({"InputTransformer": transformer}) == {
        "a": "raw/a.csv",
        "b": "s3://raw/a.csv",
        "c": {"key": "raw/a.csv", "size": 5},
        "d": "",
        "e": "",
    }


def test_the_variables_that_are_always_there() -> None:
    template = (
        '{"rule": "<aws.events.rule-name>", "arn": <aws.events.rule-arn>,'
        ' "event": <aws.events.event.json>, "when": <aws.events.event.ingestion-time>}'
    )
    assert given({"InputTransformer": {"InputTemplate": template}}) == {
        "rule": "uploads",
        "arn": RULE["Arn"],
        "event": EVENT,
        "when": "2026-01-01T00:00:00Z",
    }


def test_a_template_of_plain_text() -> None:
    assert fill('"<a> has <b> bytes"', {"a": "x", "b": 5}) == '"x has 5 bytes"'


def test_a_name_that_is_not_in_the_map_is_refused() -> None:
    with pytest.raises(AwsError, match="<other> is not in InputPathsMap"):
        check_transformer({"InputPathsMap": {"key": "$.detail"}, "InputTemplate": "<other>"})
