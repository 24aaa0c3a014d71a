"""Lists in pages, as CloudFormation gives them: the caller does not choose their length."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from localaws.cloudformation.template import invalid
from localaws.core import pages
from localaws.core.pages import Key, Page
from localaws.core.service import Call

Item = TypeVar("Item")
PAGE_ITEMS = 100


def page(
    items: Iterable[tuple[Key, Item]], call: Call, *, newest_first: bool = False
) -> Page[Item]:
    """The page of (key, item) that NextToken asks for. Raises ValidationError for a foreign one."""
    token = call.params.get("NextToken")
    return pages.page(items, token, PAGE_ITEMS, invalid=invalid, newest_first=newest_first)
