"""ResolveChoice: columns of several types become columns of one.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-transforms-ResolveChoice.html
What each action gives is what AWS's own sample prints
(https://github.com/aws-samples/aws-glue-samples/blob/master/examples/resolve_choice.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from awsglue import gluetypes as glue
from awsglue.casts import cast, only_of
from awsglue.places import Action, Fields, Value, edit, elements, members, names, struct
from awsglue.spark_types import parse

ACTIONS = "make_cols, make_struct, cast:<type>, project:<type>, match_catalog"


def resolve(fields: Fields, specs: Any, choice: str, catalog: Mapping[str, str] | None) -> Fields:
    """The fields after the actions of `specs` (pairs of path and action), or `choice` for every
    choice. `catalog` has the types of the table's columns, for match_catalog."""
    if not specs and not choice:
        raise Exception("Parameter specs and option are both missing, add one.")
    if specs and choice:
        raise Exception("Parameter specs and option are both specified, choose one.")
    if choice.lower() == "match_catalog":
        return _match(fields, catalog or {})
    if choice:
        return _everywhere(fields, _action(choice))
    for path, action in [specs] if isinstance(specs, tuple) else specs:
        fields = edit(fields, names(path), _action(action))
    return fields


def _action(written: str) -> Action:
    name, _, argument = (part.strip() for part in written.partition(":"))
    if name == "make_cols" and not argument:
        return _columns
    if name == "make_struct" and not argument:
        return _struct
    if name in ("cast", "project") and argument:
        wanted = parse(argument)
        return _cast(wanted) if name == "cast" else _project(wanted)
    raise ValueError(f"ResolveChoice: {written!r} is no action; there are {ACTIONS}.")


def _columns(name: str, value: Value) -> tuple[Fields, Fields]:
    """One field for each type, the first in place, the others at the end."""
    if not isinstance(value.kind, glue.ChoiceType):
        return [(name, value)], []
    made = [(f"{name}_{kind}", each) for kind, each in members(value)]
    return made[:1], made[1:]


def _struct(name: str, value: Value) -> tuple[Fields, Fields]:
    """What stood for a choice in Spark is a struct now."""
    if not isinstance(value.kind, glue.ChoiceType):
        return [(name, value)], []
    kind = glue.StructType(glue.Field(each.name, each) for each in value.kind.choices)
    return [(name, Value(value.column, kind))], []


def _cast(wanted: Any) -> Action:
    return lambda name, value: ([(name, cast(value, wanted))], [])


def _project(wanted: Any) -> Action:
    """Values of the type; those of other types are discarded."""

    def projected(name: str, value: Value) -> tuple[Fields, Fields]:
        if not isinstance(value.kind, glue.ChoiceType):
            return [(name, value)], []
        found = only_of(value, wanted)
        if found is None:
            kinds = ", ".join(each.name for each in value.kind.choices)
            raise ValueError(f"ResolveChoice: {name} has no {wanted.name}; it has {kinds}.")
        return [(name, cast(found, wanted))], []

    return projected


def _match(fields: Fields, catalog: Mapping[str, str]) -> Fields:
    """Every column cast to its type in the catalog's table; others as they are."""
    found: Fields = []
    for name, value in fields:
        written = catalog.get(name.lower())
        if written is None:
            found += _struct(name, value)[0]
        else:
            found.append((name, cast(value, parse(written))))
    return found


def _everywhere(fields: Fields, action: Action) -> Fields:
    in_place: Fields = []
    at_end: Fields = []
    for name, value in fields:
        if isinstance(value.kind, glue.ChoiceType):
            here, there = action(name, value)
            in_place += here
            at_end += there
        else:
            in_place.append((name, _inside(value, action)))
    return in_place + at_end


def _inside(value: Value, action: Action) -> Value:
    if not has_choice(value.kind):
        return value
    if isinstance(value.kind, glue.StructType):
        return struct(_everywhere(members(value), action), value.column) or value
    if isinstance(value.kind, glue.ArrayType):
        return elements(value, lambda element: _element(element, action)) or value
    return value


def _element(element: Value, action: Action) -> Value:
    """An element has no name to make columns of: its types become a struct."""
    if isinstance(element.kind, glue.ChoiceType):
        made = _struct if action is _columns else action
        return made("element", element)[0][0][1]
    return _inside(element, action)


def has_choice(kind: Any) -> bool:
    """Whether there is a choice anywhere in the type."""
    if isinstance(kind, glue.StructType):
        return any(has_choice(field.dataType) for field in kind.fields)
    if isinstance(kind, glue.ArrayType):
        return has_choice(kind.elementType)
    if isinstance(kind, glue.MapType):
        return has_choice(kind.valueType)
    return isinstance(kind, glue.ChoiceType)
