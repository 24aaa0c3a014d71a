"""How deep an item of DynamoDB may be nested: moto takes any depth.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
"""

from __future__ import annotations

from localaws.core.service import Call
from localaws.errors import AwsError

DEEPEST = 32


def check(call: Call) -> None:
    """Raises ValidationException for a value in more than 32 lists and maps."""
    waiting: list[tuple[object, int]] = [(call.params, 0)]
    while waiting:
        value, depth = waiting.pop()
        if depth > DEEPEST:
            raise AwsError(
                "ValidationException",
                "Nesting Levels have exceeded supported limits: Attributes in the item have nested"
                " levels beyond supported limit",
            )
        inner = _inside(value)
        if inner is not None:
            waiting += [(each, depth + 1) for each in inner]
        elif depth == 0 and isinstance(value, (dict, list)):
            members = value.values() if isinstance(value, dict) else value
            waiting += [(each, depth) for each in members]


def _inside(value: object) -> list[object] | None:
    """The values in a list or map as DynamoDB writes them, {"L": [...]} or {"M": {...}}."""
    if not isinstance(value, dict) or len(value) != 1:
        return None
    ((kind, inner),) = value.items()
    if kind == "L" and isinstance(inner, list):
        return list(inner)
    return list(inner.values()) if kind == "M" and isinstance(inner, dict) else None
