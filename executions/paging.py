"""Lists that AWS gives page by page."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

# A member of an answer to that of the request for what comes after.
LEADS_ON = {
    "NextToken": "NextToken",
    "nextToken": "nextToken",
    "NextMarker": "Marker",
    "NextContinuationToken": "ContinuationToken",
}


def everything(
    client: Any, operation: str, member: str, most: int | None = None, **request: Any
) -> list[Any]:
    """The `member` of all pages of an operation, up to `most` entries.

    For operations without a paginator of their own as well: what leads on is in LEADS_ON.
    """
    return list(islice(_entries(client, operation, member, request), most))


def _entries(client: Any, operation: str, member: str, request: Any) -> Iterator[Any]:
    while True:
        answer = getattr(client, operation)(**request)
        yield from answer.get(member, ())
        name = next((n for n in LEADS_ON if answer.get(n)), None)
        if name is None:
            return
        request = {**request, LEADS_ON[name]: answer[name]}
