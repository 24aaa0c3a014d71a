"""What a deployment takes of its mapping: rules for its files, statements and checks, as JSON."""

from __future__ import annotations

from typing import Any

from configuration.mapping import sql
from configuration.mapping.checks import checks
from configuration.mapping.model import INSTACART, Files, Mapping, load

Json = dict[str, Any]


def compiled(mapping: Mapping | None) -> Json:
    """{sha256, files, statements, checks} (tasks/functions/plan_mapping.py). None: the
    mapping that ships, whose files are the five tables as they are: there is nothing to run."""
    if mapping is None:
        return {
            "sha256": load(INSTACART).sha256,
            "files": {},
            "statements": [],
            "checks": [],
        }
    return {
        "sha256": mapping.sha256,
        "files": {kind: rules(mapping, kind) for kind in mapping.files},
        "statements": [
            {"name": one.name, "sql": one.sql, "table": one.table}
            for one in sql.statements(mapping)
        ],
        "checks": [{"check": name, "sql": text} for name, text in checks(mapping).items()],
    }


def rules(mapping: Mapping, kind: str) -> Json:
    """What must hold of each file of a kind (tasks/functions/source_files.py)."""
    files = mapping.files[kind]
    return {
        "format": files.format,
        "separator": files.separator,
        "columns": {column: files.type_of(column) for column in files.columns},
        "values": values(mapping, kind, files),
    }


def values(mapping: Mapping, kind: str, files: Files) -> dict[str, str]:
    """Column to what its values must be: `number`, or `time:` and the format."""
    found: dict[str, str] = {}
    for _, part in mapping.parts():
        if part.file != kind:
            continue
        for member, column in part:
            number = member.endswith("_id") or member == "order_number"
            if number and isinstance(column, str) and member not in mapping.text_ids:
                found[column] = "number"
    orders = mapping.orders
    if orders.file == kind and orders.ordered_at and files.type_of(orders.ordered_at) == "string":
        zoned = orders.timezone is not None and orders.ordered_at_format == "iso"
        form = "iso with an offset" if zoned else orders.ordered_at_format
        found[orders.ordered_at] = f"time:{form}"
    return found
