"""Texts in a column that hold a record: what `Unbox` parses them with."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from typing import Any

from awsglue.refusal import only, refuse


def parser(format: str, options: Mapping[str, Any]) -> Callable[[str], Any]:
    """A function that gives a text's value, and raises ValueError for one without."""
    if format == "json":
        only("Unbox of json", options, ("withSchema",))
        return json.loads
    if format == "csv":
        only("Unbox of csv", options, ("separator", "withSchema"))
        separator = str(options.get("separator", ","))
        return lambda text: _row(text, separator)
    return refuse(f"Unbox of {format}", "It takes json and csv.")


def _row(text: str, separator: str) -> dict[str, str]:
    cells = next(csv.reader([text], delimiter=separator), [])
    return {f"col{number}": cell for number, cell in enumerate(cells)}
