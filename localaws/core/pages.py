"""Lists in pages, for every service.

A token says after which item the next page begins, not at which position: what is deleted or added
between two pages neither skips nor repeats an item that stays.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from localaws.errors import AwsError
from localaws.shapes import Json

Item = TypeVar("Item")
Key = str | int | float | datetime | tuple["Key", ...]


@dataclass(frozen=True)
class Page(Generic[Item]):
    """Some items of a list, and the token of the next page while there is more."""

    items: list[Item]
    token: str | None

    def next(self, name: str = "NextToken") -> dict[str, str]:
        """The token as a member of an answer; nothing on the last page."""
        return {} if self.token is None else {name: self.token}


@dataclass(frozen=True)
class Pages:
    """How a service gives its lists, by NextToken and MaxResults: its size and its error."""

    size: int  # of a page, where the caller names none
    invalid: Callable[[str], AwsError]

    def page(
        self, items: Iterable[tuple[Key, Item]], params: Json, newest_first: bool = False
    ) -> tuple[list[Item], dict[str, str]]:
        """One page of (key, item) by key, and `{"NextToken": ...}` while there is more."""
        token, most = params.get("NextToken"), int(params.get("MaxResults") or self.size)
        found = page(items, token, most, invalid=self.invalid, newest_first=newest_first)
        return found.items, found.next()


def page(
    items: Iterable[tuple[Key, Item]],
    token: str | None,
    most: int,
    *,
    invalid: Callable[[str], AwsError],
    newest_first: bool = False,
) -> Page[Item]:
    """At most `most` of the items, in the order of their keys, after where `token` ends.

    Keys differ from each other and stay with their items: a name, or a time and a name. Raises
    `invalid(message)`, the service's own error, for a token that this list did not give, and for a
    `most` below 1.
    """
    if most < 1:
        raise invalid(f"A page has at least 1 item, not {most}.")
    ordered = sorted(((_plain(key), item) for key, item in items), key=_first, reverse=newest_first)
    if token:
        last = _key_in(token, invalid)
        try:
            ordered = [
                (key, item) for key, item in ordered if (key < last if newest_first else key > last)
            ]
        except TypeError as error:
            raise invalid(f"The token {token!r} was not given by this list.") from error
    chosen = ordered[:most]
    more = len(ordered) > most
    return Page([item for _, item in chosen], _token(chosen[-1][0]) if more else None)


def _first(pair: tuple[Any, Any]) -> Any:
    return pair[0]


def _plain(key: Key) -> Any:
    """A key as something that JSON keeps and that compares as the key does."""
    if isinstance(key, tuple):
        return [_plain(part) for part in key]
    if isinstance(key, datetime):
        return (key if key.tzinfo else key.replace(tzinfo=UTC)).timestamp()
    return key


def _token(key: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps({"after": key}).encode()).decode()


def _key_in(token: str, invalid: Callable[[str], AwsError]) -> Any:
    try:
        return json.loads(base64.urlsafe_b64decode(token.encode("ascii")))["after"]
    except (ValueError, KeyError, TypeError) as error:
        raise invalid(f"The token {token!r} was not given by this list.") from error
