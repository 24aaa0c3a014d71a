"""Each request of a run, and each call in a function's source, against its service's model."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from botocore import xform_name

from localaws.stepfunctions.integrations import models
from localaws.stepfunctions.integrations.shapes import to_request
from rebuy.validation import calls, sources
from rebuy.validation.findings import Finding
from rebuy.validation.product import Product
from rebuy.validation.rehearsal import Rehearsal

Json = dict[str, Any]
# Whose methods functions call: where two services share a name, either may be meant.
SERVICES = (*calls.SERVICES, "lambda", "logs", "cloudwatch", "events")
SHIPPED = ("tasks/functions/", "inference/", "executions/")


def check(product: Product, rehearsal: Rehearsal) -> Iterator[Finding]:
    """Findings about the requests of states, then about those in functions."""
    told: set[tuple[str, str]] = set()
    for call in rehearsal.calls:
        for problem in of_task(call.resource, call.arguments):
            if (call.state, problem) in told:
                continue
            told.add((call.state, problem))
            file, line = product.where_state(call.state)
            operation = f"{call.resource.service}:{call.resource.operation}"
            yield Finding(
                file,
                line,
                f"State {call.state!r}: {operation} would refuse its request: {problem}.",
                f"botocore's model of {call.resource.operation} has what is taken.",
            )
    for path, text in sorted(product.files.items()):
        if path.startswith(SHIPPED) and path.endswith(".py"):
            yield from of_source(path, text)


def of_task(resource: Any, arguments: Any) -> Iterator[str]:
    if resource.is_function or resource.is_activity or resource.is_http:
        return
    name = models.botocore_name(resource.service)
    model = models.operation_model(name, resource.operation) if name else None
    if model is None:
        yield f"there is no operation {resource.service}:{resource.operation}"
        return
    params, problems = to_request(model.input_shape, arguments)
    yield from problems
    if not problems and model.input_shape is not None:
        yield from bounds(model.input_shape, params, "")


def bounds(shape: Any, value: Any, path: str) -> Iterator[str]:
    """What botocore's own check leaves to the service: lengths, patterns, enums."""
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        for name, item in value.items():
            if name in shape.members:
                yield from bounds(shape.members[name], item, f"{path}.{name}".strip("."))
    elif kind == "list" and isinstance(value, list):
        yield from _between(len(value), shape.metadata, path, "entries")
        for item in value:
            yield from bounds(shape.member, item, path)
    elif kind == "map" and isinstance(value, dict):
        yield from _between(len(value), shape.metadata, path, "entries")
        for key, item in value.items():
            yield from bounds(shape.key, key, f"{path}.{key}")
            yield from bounds(shape.value, item, f"{path}.{key}")
    elif kind == "string" and isinstance(value, str):
        yield from _between(len(value), shape.metadata, path, "characters")
        if shape.enum and value not in shape.enum:
            yield f"{path} is {value!r}; it takes {', '.join(sorted(shape.enum)[:40])}"
        pattern = shape.metadata.get("pattern")
        if pattern and _fits(pattern, value) is False:
            yield f"{path} is {value[:100]!r}, which does not match {pattern}"
    elif kind in ("integer", "long") and isinstance(value, int):
        yield from _between(value, shape.metadata, path, "")


def _between(number: int, metadata: Json, path: str, unit: str) -> Iterator[str]:
    least, most = metadata.get("min"), metadata.get("max")
    if (least is not None and number < least) or (most is not None and number > most):
        counted = f"{number} {unit}".strip()
        yield f"{path} has {counted}; it takes {least if least is not None else 0} to {most}"


def _fits(pattern: str, value: str) -> bool | None:
    """Whether the text is of the pattern; None for a pattern of Java that Python cannot read."""
    try:
        return re.fullmatch(pattern, value) is not None
    except re.error:
        return None


# --- calls in functions ------------------------------------------------------------------------


@cache
def operations() -> dict[str, list[Any]]:
    """boto3 method to the operations of SERVICES that it may be."""
    found: dict[str, list[Any]] = {}
    for service in SERVICES:
        model = models.service_model(service)
        for name in model.operation_names:
            found.setdefault(xform_name(name), []).append(model.operation_model(name))
    return found


def of_source(path: str, text: str) -> Iterator[Finding]:
    """Calls like `s3.get_object(Bucket=..., Key=...)` whose names no service takes."""
    tree = sources.tree(text)
    if tree is None:
        return
    own = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        method = node.func.attr
        given = [word.arg for word in node.keywords]
        if method in own or method not in operations() or node.args or None in given:
            continue
        problems = [_problem(model, given) for model in operations()[method]]
        if given and all(problems):
            yield Finding(
                path,
                node.lineno,
                f"{method} {problems[0]}.",
                "The names are those of botocore's model, upper case included.",
            )


def _problem(model: Any, given: list[Any]) -> str:
    members = model.input_shape.members if model.input_shape is not None else {}
    unknown = [name for name in given if name not in members]
    if unknown:
        return f"takes no {', '.join(unknown)}; it takes {', '.join(list(members)[:30])}"
    required = model.input_shape.required_members if model.input_shape is not None else []
    lacking = [name for name in required if name not in given]
    return f"needs {', '.join(lacking)}" if lacking else ""
