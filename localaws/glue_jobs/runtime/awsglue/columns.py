"""Transforms that choose, name and cast fields: each gives the fields of the new frame.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-transforms.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from awsglue import gluetypes as glue
from awsglue.casts import cast, named, nulls, only_of
from awsglue.places import Fields, Value, edit, elements, find, members, names, nest, struct
from awsglue.refusal import refuse, warn


def apply_mapping(fields: Fields, mappings: Any, case_sensitive: bool) -> Fields:
    """Only the mapped fields, in the order of the mappings, named and cast as these say.

    A source of another type than the mapping says gives nulls, as on AWS (and a warning here).
    """
    targets: list[tuple[Sequence[str], Value]] = []
    for given in mappings if isinstance(mappings, list) else [mappings]:
        source, source_type, target, target_type = _mapping(given)
        value = find(fields, source, ignore_case=not case_sensitive)
        if value is None:
            warn(f"ApplyMapping: there is no field {source}; its mapping gives no column.")
            continue
        if source_type is not None:
            value = _typed(value, source, source_type, target_type or source_type)
        if target_type is not None:
            value = cast(value, named(target_type))
        targets.append((names(target), value))
    return nest(targets)


def _mapping(given: Any) -> tuple[str, str | None, str, str | None]:
    if not isinstance(given, tuple | list):
        raise TypeError(f"Mapping must be a tuple. Got {type(given)}")
    if len(given) == 2:
        return given[0], None, given[1], None
    if len(given) == 3:
        return given[0], None, given[1], given[2]
    if len(given) == 4:
        return given[0], given[1], given[2], given[3]
    raise ValueError(f"Mapping tuple must be of length 2, 3, or 4Got tuple of length {len(given)}")


def _typed(value: Value, source: str, source_type: str, target_type: str) -> Value:
    found = only_of(value, named(source_type))
    if found is not None:
        return found
    target = named(target_type)
    warn(
        f"ApplyMapping: {source} is {value.kind.name}, not {source_type} as the mapping says: its"
        " column is null, as on AWS."
    )
    return nulls(glue.SCALARS["null"] if isinstance(target, str) else target)


def select_fields(fields: Fields, paths: Any) -> Fields:
    """The named top-level fields, in the frame's order."""
    wanted = {names(path)[0] for path in as_list(paths)}
    deep = [path for path in as_list(paths) if len(names(path)) > 1]
    if deep:
        refuse(f"SelectFields of the nested field {deep[0]}", "It takes top-level fields.")
    return [(name, value) for name, value in fields if name in wanted]


def drop_fields(fields: Fields, paths: Any) -> Fields:
    """All but the fields at the paths; those in elements of arrays too."""
    for path in as_list(paths):
        fields = edit(fields, names(path), lambda name, value: ([], []))
    return fields


def rename_field(fields: Fields, old: str, new: str) -> Fields:
    """The field under its new name, in its place."""
    before, after = names(old), names(new)
    if before[:-1] != after[:-1]:
        refuse(f"RenameField from {old} to {new}", "It renames a field within its struct.")
    return edit(fields, before, lambda name, value: ([(after[-1], value)], []))


def split_fields(fields: Fields, paths: Any) -> tuple[Fields, Fields]:
    """The fields at the paths, and the others."""
    targets = [(names(path), find(fields, path)) for path in as_list(paths)]
    first = nest([(steps, value) for steps, value in targets if value is not None])
    return first, drop_fields(fields, paths)


def drop_null_fields(fields: Fields) -> tuple[Fields, list[str]]:
    """Without the fields whose type is null, and the paths of those."""
    dropped: list[str] = []

    def kept(fields: Fields, above: str) -> Fields:
        found = []
        for name, value in fields:
            if isinstance(value.kind, glue.NullType):
                dropped.append(above + name)
                continue
            rest = inside(value, f"{above}{name}.")
            if rest is not None:
                found.append((name, rest))
        return found

    def inside(value: Value, above: str) -> Value | None:
        if isinstance(value.kind, glue.StructType) and _has_null(value.kind):
            return struct(kept(members(value), above), value.column)
        if isinstance(value.kind, glue.ArrayType) and _has_null(value.kind.elementType):
            return elements(value, lambda element: inside(element, above))
        return value

    return kept(fields, ""), dropped


def _has_null(kind: Any) -> bool:
    if isinstance(kind, glue.StructType):
        return any(
            isinstance(field.dataType, glue.NullType) or _has_null(field.dataType)
            for field in kind.fields
        )
    return isinstance(kind, glue.ArrayType) and _has_null(kind.elementType)


def unnest(fields: Fields) -> Fields:
    """Fields of structs at the top, named by their paths; the fields of structs in an array as
    arrays named `<array>.val.<field>`."""
    found: Fields = []
    for name, value in fields:
        if isinstance(value.kind, glue.StructType):
            inner = unnest(members(value))
            found += [(f"{name}.{below}", each) for below, each in inner]
        elif isinstance(value.kind, glue.ArrayType) and isinstance(
            value.kind.elementType, glue.StructType
        ):
            kinds = {field.name: field.dataType for field in value.kind.elementType.fields}
            each = [
                (f"{name}.val.{below}", Value(value.column[below], glue.ArrayType(kind)))
                for below, kind in kinds.items()
            ]
            found += unnest(each)
        else:
            found.append((name, value))
    return found


def as_list(given: Any) -> list[Any]:
    """A bare value stands for a list with it."""
    if isinstance(given, str):
        return [given]
    return list(given or [])
