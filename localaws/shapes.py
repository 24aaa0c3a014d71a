"""The shape in which requests, answers and documents go about: an object of JSON.

Its members are spelled as in botocore's models. Values are what JSON has, and datetime and bytes.
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def without_nulls(value: Any) -> Any:
    """The document without members that are null, at any depth; items of lists stay."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value
