"""What the calls of the Data Catalog have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from localaws.core.service import Call
from localaws.errors import AwsError
from localaws.shapes import Json


def check(call: Call) -> Json:
    """The parameters. Raises EntityNotFoundException for another account's catalog."""
    given = call.params.get("CatalogId")
    if given not in (None, call.account):
        raise AwsError(
            "EntityNotFoundException", f"Catalog {given} not found; there is {call.account}."
        )
    return call.params


def each(items: list[Any], act: Callable[[Any], None], label: Callable[[Any], Json]) -> list[Json]:
    """Acts on every item; the items that fail come back labelled, with their error."""
    errors = []
    for item in items:
        try:
            act(item)
        except AwsError as error:
            detail = {"ErrorCode": error.code, "ErrorMessage": error.message}
            errors.append({**label(item), "ErrorDetail": detail})
    return errors
