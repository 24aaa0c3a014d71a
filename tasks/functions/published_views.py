"""The views that people query: read as they are, and put back as they were."""

from __future__ import annotations

import base64
from typing import Any

Json = dict[str, Any]

VIEWS = (
    *("next_baskets", "order_products_prior"),
    *("product_features", "user_features", "user_product_features"),
)
# What CreateTable and UpdateTable take of what GetTable answers.
DEFINITION = (
    *("Name", "Description", "Owner", "Retention", "StorageDescriptor", "PartitionKeys"),
    *("ViewOriginalText", "ViewExpandedText", "TableType", "Parameters"),
)


def key(run_id: str) -> str:
    """Where a run notes the views that it found."""
    return f"runs/run={run_id}/live_views.json"


def read(glue: Any, database: str) -> dict[str, Json | None]:
    """Each view's TableInput; None for one that is not there."""
    return {name: _read(glue, database, name) for name in VIEWS}


def put_back(glue: Any, database: str, before: dict[str, Json | None], run_id: str) -> list[str]:
    """Gives the views that show tables of the run the definition that they had before it; a view
    that there was not is deleted. The names of those that were changed."""
    changed = []
    for name, now in read(glue, database).items():
        if now is None or not shows(now, run_id):
            continue
        definition = before[name]
        if definition is None:
            glue.delete_table(DatabaseName=database, Name=name)
        else:
            glue.update_table(DatabaseName=database, TableInput=definition)
        changed.append(name)
    return changed


def shows(view: Json, run_id: str) -> bool:
    """Whether the view selects from a table of this run. Athena keeps a view's SQL as base64."""
    text = view["ViewOriginalText"].removeprefix("/* Presto View: ").removesuffix(" */")
    return f"_{run_id}" in base64.b64decode(text).decode()


def _read(glue: Any, database: str, name: str) -> Json | None:
    try:
        table = glue.get_table(DatabaseName=database, Name=name)["Table"]
    except glue.exceptions.EntityNotFoundException:
        return None
    return {member: table[member] for member in DEFINITION if member in table}
