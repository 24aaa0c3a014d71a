"""Lists in pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from localaws.core.errors import AwsError

Item = TypeVar("Item")

PAGE = 200


def page(items: Sequence[Item], params: dict[str, Any]) -> tuple[list[Item], dict[str, str]]:
    """The page that `params` asks for, and `{"NextToken": ...}` while there is more."""
    token = params.get("NextToken") or "0"
    if not token.isdigit():
        raise AwsError("InvalidInputException", f"NextToken {token!r} is not one of ours.")
    start = int(token)
    end = start + int(params.get("MaxResults") or PAGE)
    return list(items[start:end]), ({"NextToken": str(end)} if end < len(items) else {})
