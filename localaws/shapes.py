"""Shapes that everybody knows: JSON, and an object as a file.

Requests, answers and documents go about as objects of JSON. Their members are spelled as in
botocore's models; values are what JSON has, and datetime and bytes.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

Json = dict[str, Any]


class ObjectFile(Protocol):
    """What of an object whoever reads rows needs: its bytes are the file `path`. `etag` has no
    quotes."""

    @property
    def bucket(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def path(self) -> Path: ...
    @property
    def bytes(self) -> int: ...
    @property
    def etag(self) -> str: ...
    @property
    def last_modified(self) -> datetime: ...


def without_nulls(value: Any) -> Any:
    """The document without members that are null, at any depth; items of lists stay."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value
