"""What a function calls of AWS, read from its source: from the handler on, through our modules."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache

from botocore import xform_name

from localaws.stepfunctions.integrations import models
from rebuy.validation import sources

SERVICES = (
    *("athena", "databrew", "dynamodb", "glue", "s3", "sagemaker", "sagemaker-runtime"),
    *("scheduler", "sns", "sqs", "stepfunctions"),
)
PREFIXES = {"stepfunctions": "states", "sagemaker-runtime": "sagemaker"}
# Where the action is not the operation's name.
S3_ACTIONS = {
    "list_objects_v2": {"s3:ListBucket"},
    "head_object": {"s3:GetObject"},
    "copy_object": {"s3:PutObject"},
    "delete_objects": {"s3:DeleteObject"},
}
# What a library calls for us.
LIBRARY = {"read_sql_query": {"athena:StartQueryExecution"}}

Function = tuple[str, str]  # module, name
Files = Mapping[str, str]  # path in the repository to text


@cache
def operations() -> dict[str, frozenset[str]]:
    """boto3 method to the actions that it may mean; several where services share a name."""
    found: dict[str, set[str]] = {}
    for service in SERVICES:
        for operation in models.service_model(service).operation_names:
            action = f"{PREFIXES.get(service, service)}:{operation}"
            found.setdefault(xform_name(operation), set()).add(action)
    return {
        name: frozenset(actions) for name, actions in {**found, **S3_ACTIONS, **LIBRARY}.items()
    }


def actions_of(files: Files, module: str) -> dict[str, frozenset[str]]:
    """boto3 method to its possible actions, for all that `module`'s handler can reach."""
    waiting: list[Function] = [(module, "handler")]
    seen: set[Function] = set()
    found: dict[str, frozenset[str]] = {}
    while waiting:
        function = waiting.pop()
        if function in seen:
            continue
        seen.add(function)
        aliases, bodies = parsed(files, function[0])
        body = bodies.get(function[1])
        if body is None:
            continue
        for node in ast.walk(body):
            for name in mentioned(node):
                if name in operations() and name not in bodies:
                    found[name] = operations()[name]
            waiting += called(node, function[0], aliases)
    return found


def mentioned(node: ast.AST) -> Iterator[str]:
    """Names of methods that are called on something, or asked of a paginator by name."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        yield node.func.attr
    paged = ("list_", "describe_", "get_")
    if isinstance(node, ast.Constant) and str(node.value).startswith(paged):
        yield str(node.value)


def called(node: ast.AST, module: str, aliases: dict[str, str]) -> Iterator[Function]:
    """Our own functions and classes that the node names."""
    if isinstance(node, ast.Name):
        yield module, node.id
        if "." in aliases.get(node.id, ""):
            where, _, name = aliases[node.id].rpartition(".")
            yield where, name
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        yield aliases.get(node.value.id, ""), node.attr


def parsed(files: Files, module: str) -> tuple[dict[str, str], dict[str, ast.AST]]:
    """(name in the module to the module or member it stands for, functions and classes)."""
    return _parsed(files.get(module.replace(".", "/") + ".py", ""))


@lru_cache(maxsize=256)
def _parsed(text: str) -> tuple[dict[str, str], dict[str, ast.AST]]:
    tree = sources.tree(text)
    if tree is None:
        return {}, {}
    aliases = {
        (name.asname or name.name): f"{node.module}.{name.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for name in node.names
    }
    bodies: dict[str, ast.AST] = {
        node.name: node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }
    for node in tree.body:  # tables of functions
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            bodies.setdefault(node.targets[0].id, node.value)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            bodies.setdefault(node.target.id, node.value)
    return aliases, bodies
