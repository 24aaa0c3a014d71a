"""The smallest request that botocore's model lets through, made from the model."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

# A text that passes for a name, a bucket and a key; services want some to be longer.
TEXT = "refused"


def smallest(shape: Any, *paths: str) -> Any:
    """A value of the shape with its required members, and with the members of dotted `paths`."""
    if shape is None:
        return {}
    return _value(shape, [path.split(".") for path in paths if path], ())


def _value(shape: Any, paths: list[list[str]], above: tuple[str, ...]) -> Any:
    kind = shape.type_name
    if kind == "structure":
        return _structure(shape, paths, above)
    if kind == "list":
        return [_value(shape.member, paths, above)] * max(1, shape.metadata.get("min", 1))
    if kind == "map":
        return {_text(shape.key): _value(shape.value, paths, above)}
    return SCALARS[kind](shape)


def _structure(shape: Any, paths: list[list[str]], above: tuple[str, ...]) -> dict[str, Any]:
    wanted = {path[0] for path in paths}
    if shape.name in above:
        return {}
    members = {}
    for name, member in shape.members.items():
        if name in shape.required_members or name in wanted:
            below = [path[1:] for path in paths if path[0] == name and len(path) > 1]
            members[name] = _value(member, below, (*above, shape.name))
    # A union needs a member; so does an end of a path, since an empty structure may not be sent.
    if shape.members and not members and (shape.metadata.get("union") or above):
        name, member = next(iter(shape.members.items()))
        members[name] = _value(member, [], (*above, shape.name))
    return members


def _text(shape: Any) -> str:
    if shape.enum:
        return str(shape.enum[0])
    return TEXT.ljust(shape.metadata.get("min", 0), "x")


SCALARS = {
    "string": _text,
    "character": lambda _: "x",
    "boolean": lambda _: True,
    "integer": lambda shape: shape.metadata.get("min", 1),
    "long": lambda shape: shape.metadata.get("min", 1),
    "float": lambda shape: float(shape.metadata.get("min", 1)),
    "double": lambda shape: float(shape.metadata.get("min", 1)),
    "blob": lambda _: b"refused",
    "timestamp": lambda _: datetime(2026, 1, 1, tzinfo=UTC),
}
