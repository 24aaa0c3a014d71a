"""Event patterns, from a table of cases."""

from __future__ import annotations

import json
from operator import itemgetter
from typing import Any

import pytest

from localaws.errors import AwsError
from localaws.events.patterns import matches, parse
from tests.conftest import CASES

TABLE = json.loads((CASES / "event_patterns.json").read_text())


@pytest.mark.parametrize("case", TABLE["cases"], ids=itemgetter("why"))
def test_matching(case: dict[str, Any]) -> None:
    assert matches(parse(json.dumps(case["pattern"])), TABLE["event"]) is case["matches"]


@pytest.mark.parametrize("case", TABLE["refused"], ids=itemgetter("why"))
def test_a_wrong_pattern_says_where_and_why(case: dict[str, Any]) -> None:
    with pytest.raises(AwsError) as caught:
        parse(case["pattern"])
    assert caught.value.code == "InvalidEventPatternException"
    assert case["error"] in caught.value.message
