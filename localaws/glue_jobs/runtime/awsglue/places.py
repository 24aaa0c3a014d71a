"""Where a value is in a record: paths with dots, and what can be done at the end of one.

`a.b` is the field b in the struct a, `` `a.b` `` the field whose name holds a dot, `a[].b` the
field b of each element of the array a.
https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-dynamic-frame.html
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import functions as F  # noqa: N812

from awsglue import gluetypes as glue
from awsglue.refusal import refuse


@dataclass(frozen=True)
class Value:
    """A Spark expression and the schema's type of what it gives."""

    column: Any
    kind: Any


Fields = list[tuple[str, Value]]
# What becomes of a field: those in its place, and those at the end of its struct.
Action = Callable[[str, Value], tuple[Fields, Fields]]


def column(name: str) -> Any:
    """A data frame's column, whatever characters its name has."""
    return F.col("`" + name.replace("`", "``") + "`")


def fields_of(schema: Any) -> Fields:
    """The columns of a data frame of this schema."""
    return [(field.name, Value(column(field.name), field.dataType)) for field in schema.fields]


def members(value: Value) -> Fields:
    """The fields of a struct, or the kinds of a choice."""
    if isinstance(value.kind, glue.StructType):
        return [
            (field.name, Value(value.column.getField(field.name), field.dataType))
            for field in value.kind.fields
        ]
    return [
        (each.name, Value(value.column.getField(each.name), each)) for each in value.kind.choices
    ]


def names(path: str) -> list[str]:
    """The names along a path; an element of an array is named `[]`."""
    found, at = [], 0
    while at < len(path):
        if path[at] == "`":
            end = path.find("`", at + 1)
            if end < 0:
                raise ValueError(f"The path {path!r} has a backtick that is not closed.")
            found.append(path[at + 1 : end])
            at = end + 1
        else:
            end = at
            while end < len(path) and path[end] != "." and path[end : end + 2] != "[]":
                end += 1
            found.append(path[at:end])
            at = end
        while path[at : at + 2] == "[]":
            found.append("[]")
            at += 2
        if at < len(path):
            if path[at] != ".":
                raise ValueError(f"The path {path!r} has no dot at {path[at:]!r}.")
            at += 1
    return found


def find(fields: Fields, path: str, *, ignore_case: bool = False) -> Value | None:
    """The value at a path through structs; None if there is no such field."""
    value: Value | None = None
    for name in names(path):
        if value is not None:
            if not isinstance(value.kind, glue.StructType):
                return None
            fields = members(value)
        exact = [found for label, found in fields if label == name]
        if not exact and ignore_case:
            exact = [found for label, found in fields if label.lower() == name.lower()]
        if not exact:
            return None
        value = exact[0]
    return value


def edit(fields: Fields, steps: Sequence[str], action: Action) -> Fields:
    """The fields, with `action` done to the one at the end of the steps; arrays on the way are
    entered. Without such a field nothing changes."""
    in_place: Fields = []
    at_end: Fields = []
    for name, value in fields:
        if name != steps[0]:
            in_place.append((name, value))
        elif len(steps) == 1:
            here, there = action(name, value)
            in_place += here
            at_end += there
        else:
            changed = _below(value, steps[1:], action)
            if changed is not None:
                in_place.append((name, changed))
    return in_place + at_end


def _below(value: Value, steps: Sequence[str], action: Action) -> Value | None:
    if isinstance(value.kind, glue.ArrayType):
        inner = steps[1:] if steps[0] == "[]" else steps
        if inner:
            return elements(value, lambda element: _below(element, inner, action))
        return elements(value, lambda element: _alone(action("element", element)))
    if isinstance(value.kind, glue.StructType):
        return struct(edit(members(value), steps, action), value.column)
    return value


def _alone(done: tuple[Fields, Fields]) -> Value | None:
    in_place, at_end = done
    if len(in_place) + len(at_end) > 1:
        refuse("an element of an array that becomes several columns", "Use make_struct.")
    return in_place[0][1] if in_place else None


def elements(value: Value, change: Callable[[Value], Value | None]) -> Value | None:
    """An array with each element changed; None where nothing of it is left."""
    result: list[Value | None] = []

    def one(element: Any) -> Any:
        result[:] = [change(Value(element, value.kind.elementType))]
        return element if result[0] is None else result[0].column

    changed = F.transform(value.column, one)
    if result[0] is None:
        return None
    return Value(changed, type(value.kind)(result[0].kind))


def struct(fields: Fields, whole: Any = None) -> Value | None:
    """A struct of the fields, null where `whole` is; None without fields."""
    if not fields:
        return None
    made = F.struct(*(value.column.alias(name) for name, value in fields))
    if whole is not None:
        made = F.when(whole.isNotNull(), made)
    return Value(made, glue.StructType(glue.Field(name, value.kind) for name, value in fields))


def nest(targets: Sequence[tuple[Sequence[str], Value]]) -> Fields:
    """Fields of the values at their paths: those whose paths begin alike share a struct."""
    groups: dict[str, list[tuple[Sequence[str], Value]]] = {}
    for steps, value in targets:
        groups.setdefault(steps[0], []).append((steps[1:], value))
    found: Fields = []
    for name, group in groups.items():
        whole = [value for rest, value in group if not rest]
        below = [(rest, value) for rest, value in group if rest]
        if whole:
            found.append((name, whole[-1]))  # a later mapping to the same field wins
        elif made := struct(nest(below)):
            found.append((name, made))
    return found


def schema_of(fields: Fields) -> Any:
    return glue.StructType(glue.Field(name, value.kind) for name, value in fields)
