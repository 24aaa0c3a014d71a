"""Lists as SageMaker gives them: filtered, sorted, in pages."""

from __future__ import annotations

from localaws.core import pages
from localaws.core.service import Call
from localaws.sagemaker.names import validation
from localaws.shapes import Json

PARAMETERS = (
    "NextToken",
    "MaxResults",
    "SortBy",
    "SortOrder",
    "NameContains",
    "CreationTimeBefore",
    "CreationTimeAfter",
)
CHANGING = (*PARAMETERS, "LastModifiedTimeBefore", "LastModifiedTimeAfter", "StatusEquals")


def page(call: Call, member: str, stem: str, items: list[Json], status: str | None = None) -> Json:
    """One page under `member`.

    `stem` is what names have before "Name" (`EndpointName`); `status` the member of the status.
    """
    params = call.params
    chosen = [item for item in items if matches(params, item, stem, status)]
    by = params.get("SortBy", "CreationTime")
    keys = {"Name": f"{stem}Name", "Status": status, "CreationTime": "CreationTime"}
    key = keys.get(by) or "CreationTime"
    # The newest first unless the caller says otherwise.
    descending = params.get("SortOrder", "Descending") == "Descending"
    found = pages.page(
        # The versions of a model share its name.
        (
            ((item[key], item[f"{stem}Name"], item.get("ModelPackageVersion", 0)), item)
            for item in chosen
        ),
        params.get("NextToken"),
        min(params.get("MaxResults", 10), 100),
        invalid=validation,
        newest_first=descending,
    )
    return {member: found.items, **found.next()}


def matches(params: Json, item: Json, stem: str, status: str | None) -> bool:
    """Whether an item passes the request's filters."""
    if params.get("NameContains", "").lower() not in item[f"{stem}Name"].lower():
        return False
    if status and "StatusEquals" in params and item[status] != params["StatusEquals"]:
        return False
    for member in ("CreationTime", "LastModifiedTime"):
        before, after = params.get(f"{member}Before"), params.get(f"{member}After")
        if before is not None and not item[member] < before:
            return False
        if after is not None and not item[member] > after:
            return False
    return True
