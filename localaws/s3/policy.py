"""Whether a bucket policy lets anyone read: what the website route and BlockPublicPolicy ask."""

from __future__ import annotations

import json
from typing import Any

from localaws.wildcards import like


def allows_public(policy: str, action: str, resource: str) -> bool:
    """Whether an unconditional statement lets everyone do `action` on `resource`.

    A Deny for everyone wins. A statement with a Condition lets nobody in: conditions are not
    worked out here, and refusing is the safe side.
    """
    allowed = False
    for statement in _list(json.loads(policy)["Statement"]):
        if not (_everyone(statement) and _matches(statement, action, resource)):
            continue
        if statement["Effect"] == "Deny":
            return False
        allowed = allowed or "Condition" not in statement
    return allowed


def is_public(policy: str) -> bool:
    """Whether any statement of the policy lets everyone in without a condition."""
    return any(
        statement["Effect"] == "Allow" and _everyone(statement) and "Condition" not in statement
        for statement in _list(json.loads(policy)["Statement"])
    )


def _everyone(statement: dict[str, Any]) -> bool:
    principal = statement.get("Principal")
    return principal == "*" or (isinstance(principal, dict) and "*" in _list(principal.get("AWS")))


def _matches(statement: dict[str, Any], action: str, resource: str) -> bool:
    """NotAction and NotResource match nothing here (again the safe side, for Allow)."""
    actions, resources = _list(statement.get("Action")), _list(statement.get("Resource"))
    return any(like(action.lower(), name.lower()) for name in actions) and any(
        like(resource, name) for name in resources
    )


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
