"""Answers that stand for any, for a rehearsal: of a service by its model, of a function by what its
source writes."""

from __future__ import annotations

import ast
from collections.abc import Container, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from localaws.stepfunctions.integrations import models
from localaws.stepfunctions.integrations.jobs import KINDS
from localaws.stepfunctions.integrations.resources import SYNC, SYNC_JSON, Resource
from localaws.stepfunctions.integrations.shapes import sdk_metadata, to_output
from rebuy.validation import sources
from rebuy.validation.stack import NAME

Json = dict[str, Any]
WHEN = datetime(2026, 1, 1, tzinfo=UTC)
DEPTH = 6  # of a model's structures
# What a `.sync` task looks at for its end, and answers.
DESCRIBED = {
    ("athena", "startQueryExecution"): "GetQueryExecution",
    ("glue", "startJobRun"): "GetJobRun",
    ("databrew", "startJobRun"): "DescribeJobRun",
    ("sagemaker", "createTrainingJob"): "DescribeTrainingJob",
    ("sagemaker", "createHyperParameterTuningJob"): "DescribeHyperParameterTuningJob",
    ("sagemaker", "createTransformJob"): "DescribeTransformJob",
    ("states", "startExecution"): "DescribeExecution",
}
UNKNOWN = object()
MADE_JOB = f"{NAME}--samplejob"  # a DataBrew job that a function has made, as it answers


@lru_cache(maxsize=64)
def of_service(resource: Resource) -> Any:
    """The result of a task of this resource, with every member that the service may answer."""
    name = models.botocore_name(resource.service) or resource.service
    if resource.pattern in (SYNC, SYNC_JSON):
        operation = DESCRIBED.get((resource.service, resource.action))
        kind = KINDS.get((resource.service, resource.action))
        if operation is None or kind is None:
            return None
        model = models.operation_model(name, operation)
        return kind.output(of_shape(model.output_shape))
    model = models.operation_model(name, resource.operation)
    if model is None or model.output_shape is None:
        return {}
    answer = of_shape(model.output_shape)
    output = to_output(model.output_shape, answer, milliseconds=not resource.sdk)
    return output if resource.sdk else {**output, **sdk_metadata({})}


def of_shape(shape: Any, name: str = "", depth: int = DEPTH) -> Any:
    kind = shape.type_name
    if kind == "structure":
        if depth == 0:
            return {}
        return {key: of_shape(value, key, depth - 1) for key, value in shape.members.items()}
    if kind == "list":
        return [of_shape(shape.member, name, depth)] if depth else []
    if kind == "map":
        return {"sample": of_shape(shape.value, name, depth)} if depth else {}
    if kind == "string":
        return shape.enum[0] if shape.enum else of_name(name)
    values = {"boolean": True, "timestamp": WHEN, "blob": b"sample", "float": 1.0, "double": 1.0}
    return values.get(kind, 1)


def of_name(name: str) -> str | int:
    """What a member of this name may have: a text, but for a number of seconds or of nodes."""
    lower = name.lower()
    if lower == "job":
        return MADE_JOB
    if lower.endswith("_seconds") or lower == "nodes":
        return 1
    if "s3" in lower or lower.endswith(("uri", "url", "location")):
        return "s3://sample-bucket/sample/"
    if lower.endswith("arn"):
        return "arn:aws:sample:us-east-1:000000000000:sample/sample"
    if lower.endswith(("_at", "_before", "time")):
        return "2026-01-01T00:00:00Z"
    return "sample" + "".join(filter(str.isalnum, lower))


def of_function(wanted: Json, written: Mapping[str, Any]) -> Json:
    """The members of `wanted` (a tree of what states read) that the function's source writes."""
    found: Json = {}
    for name, inner in wanted.items():
        if name not in written:
            continue
        value = written[name]
        if inner:
            found[name] = of_function(inner, written)
        elif value is UNKNOWN:
            found[name] = of_name(name)
        else:
            found[name] = value
    return found


def written_by(files: Mapping[str, str], path: str) -> dict[str, Any]:
    """Every member name that a file, or one of ours that it imports, writes into an answer: keys of
    dictionaries, `x["name"] = ...`, fields of dataclasses; with the constant that is their value,
    else UNKNOWN. Which of them is in an answer only a run can say."""
    found: dict[str, Any] = {}
    for file in sources.reached(files, path):
        for name, value in _written(files[file]):
            if found.get(name, UNKNOWN) is UNKNOWN:
                found[name] = value
    return found


@lru_cache(maxsize=256)
def _written(text: str) -> list[tuple[str, Any]]:
    tree = sources.tree(text)
    return [] if tree is None else list(_members(tree))


def _members(tree: ast.Module) -> Iterator[tuple[str, Any]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield key.value, _constant(value)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
                    yield str(target.slice.value), UNKNOWN
        elif isinstance(node, ast.ClassDef):
            for member in node.body:
                if isinstance(member, ast.AnnAssign) and isinstance(member.target, ast.Name):
                    yield member.target.id, UNKNOWN


def _constant(node: ast.expr) -> Any:
    """A constant, or the first of a tuple: how tables of options say their default."""
    if isinstance(node, ast.Tuple) and node.elts:
        node = node.elts[0]
    if isinstance(node, ast.Dict | ast.DictComp):
        return {}  # an object; what states read of it is looked up by name
    if isinstance(node, ast.Constant) and node.value is not None:
        return node.value
    return UNKNOWN


def asked_of_event(text: str, sent: Container[str] = ()) -> Iterator[tuple[tuple[str, ...], int]]:
    """(members, line) of every `event["a"]["b"]` that the function `handler` reads of an event with
    the members `sent`: with `a`, nothing of what follows `if "a" in event: return ...`."""
    tree = sources.tree(text)
    handler = next(
        (
            node
            for node in (tree.body if tree else ())
            if isinstance(node, ast.FunctionDef) and node.name == "handler"
        ),
        None,
    )
    if handler is None or not handler.args.args:
        return
    # Only the event itself: what a handler makes of a part of it, it may have written itself.
    event = handler.args.args[0].arg
    inner = {id(node.value) for node in ast.walk(handler) if isinstance(node, ast.Subscript)}
    optional = {
        str(node.left.value)  # asked for by `"a" in event`
        for node in ast.walk(handler)
        if isinstance(node, ast.Compare)
        and isinstance(node.left, ast.Constant)
        and any(isinstance(one, ast.Name) and one.id == event for one in node.comparators)
    }
    for statement in handler.body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
                chain = _chain(node, event)
                if chain and id(node) not in inner and chain[0] not in optional:
                    yield chain, node.lineno
        if _ends_with(statement, event, sent):
            return


def _ends_with(statement: ast.stmt, event: str, sent: Container[str]) -> bool:
    """Whether it is `if "a" in event: return ...` and `a` is sent."""
    if not isinstance(statement, ast.If) or not isinstance(statement.body[-1], ast.Return):
        return False
    test = statement.test
    return (
        isinstance(test, ast.Compare)
        and isinstance(test.ops[0], ast.In)
        and isinstance(test.left, ast.Constant)
        and isinstance(test.comparators[0], ast.Name)
        and test.comparators[0].id == event
        and str(test.left.value) in sent
    )


def _chain(node: ast.expr, root: str) -> tuple[str, ...]:
    names: list[str] = []
    while isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        names.append(str(node.slice.value))
        node = node.value
    return tuple(reversed(names)) if isinstance(node, ast.Name) and node.id == root else ()
