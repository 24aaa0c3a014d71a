"""Lists in pages, as Athena's operations take and give them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from localaws.core import pages
from localaws.core.errors import AwsError
from localaws.core.pages import Key
from localaws.shapes import Json

Item = TypeVar("Item")


def page(
    items: Iterable[tuple[Key, Item]], params: Json, newest_first: bool = False
) -> tuple[list[Item], Json]:
    """One page of (key, item) by key, and `{"NextToken": ...}` when there is more."""
    found = pages.page(
        items,
        params.get("NextToken"),
        int(params.get("MaxResults") or 50),
        invalid=_invalid,
        newest_first=newest_first,
    )
    return found.items, found.next()


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidRequestException", message)
