"""Partition values as folders: `year=2024/city=a%2Fb/`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import unquote

NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"


def escape(value: str) -> str:
    """A partition value as Hive writes it into a folder name."""
    return re.sub(
        r"[\x00-\x1f\"#%'*/:=?\\\x7f{\[\]^]", lambda match: f"%{ord(match[0]):02X}", value
    )


def folder(keys: Sequence[str], values: Sequence[str]) -> str:
    """The folders of a partition below its table, ending in `/`."""
    return "".join(f"{key}={escape(value)}/" for key, value in zip(keys, values, strict=True))


def value(part: str) -> str:
    """The value of one folder `key=value`."""
    return unquote(part.partition("=")[2])
