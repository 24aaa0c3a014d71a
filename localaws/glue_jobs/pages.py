"""Lists in pages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from localaws.core import pages
from localaws.core.errors import AwsError
from localaws.core.pages import Key

Item = TypeVar("Item")

PAGE = 200


def page(
    items: Iterable[tuple[Key, Item]], params: dict[str, Any], newest_first: bool = False
) -> tuple[list[Item], dict[str, str]]:
    """One page of (key, item) by key, and `{"NextToken": ...}` while there is more."""
    found = pages.page(
        items,
        params.get("NextToken"),
        int(params.get("MaxResults") or PAGE),
        invalid=_invalid,
        newest_first=newest_first,
    )
    return found.items, found.next()


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidInputException", message)
