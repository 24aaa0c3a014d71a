"""A job as a graph: sources, transforms and sinks, and which frame goes where.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-etl-script-generation.html. The value of an
argument is source text (`"orders"` has its quotes): so recorded graphs of AWS have it.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from localaws.errors import AwsError
from localaws.shapes import Json

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
SOURCE, SINK = "DataSource", "DataSink"
# The frames that a transform takes; `frame` where none is named here.
FRAMES = {"Join": ("frame1", "frame2"), "SelectFromCollection": ("dfc",)}


@dataclass(frozen=True)
class Argument:
    name: str
    value: str  # source text, or the name of a job's parameter
    is_parameter: bool = False

    def described(self) -> Json:
        return {"Name": self.name, "Value": self.value, "Param": self.is_parameter}


@dataclass(frozen=True)
class Node:
    name: str
    kind: str  # DataSource, DataSink, or the name of a transform
    arguments: tuple[Argument, ...]
    inputs: tuple[tuple[str, str], ...] = ()  # (the transform's parameter, the node it comes from)
    line: int = 0

    def has(self, name: str) -> bool:
        return any(argument.name == name for argument in self.arguments)

    def described(self) -> Json:
        return {
            "Id": self.name,
            "NodeType": self.kind,
            "Args": [argument.described() for argument in self.arguments],
            "LineNumber": self.line,
        }


def invalid(message: str) -> AwsError:
    return AwsError("InvalidInputException", message)


def nodes_of(params: Json) -> list[Node]:
    """The nodes of a CreateScript, each after those that it takes frames from.

    Raises InvalidInputException for edges between nodes that are not there or that run in a circle,
    for names that are there twice, and for values that are no expression of Python."""
    given = {each["Id"]: each for each in params.get("DagNodes") or []}
    if len(given) != len(params.get("DagNodes") or []):
        raise invalid("Two nodes have the same Id.")
    edges = params.get("DagEdges") or []
    for edge in edges:
        for end in (edge["Source"], edge["Target"]):
            if end not in given:
                raise invalid(f"An edge names the node {end}, which is not among the DagNodes.")
    before = {name: [e["Source"] for e in edges if e["Target"] == name] for name in given}
    try:
        order = list(TopologicalSorter(before).static_order())
    except CycleError as error:
        raise invalid(f"The edges run in a circle: {' -> '.join(error.args[1])}.") from None
    return [_node(given[name], [e for e in edges if e["Target"] == name]) for name in order]


def edges_of(nodes: list[Node]) -> list[Json]:
    return [
        {"Source": source, "Target": node.name, "TargetParameter": parameter}
        for node in nodes
        for parameter, source in node.inputs
    ]


def keywords(text: str) -> list[tuple[str, str]] | None:
    """`a = 1, b = "x"` as names and source texts; None for what is no such list."""
    call = f"f({text})"
    try:
        parsed = ast.parse(call, mode="eval").body
    except (SyntaxError, ValueError):
        return None
    if not isinstance(parsed, ast.Call) or parsed.args or not isinstance(parsed.func, ast.Name):
        return None
    found = [(each.arg, ast.get_source_segment(call, each.value)) for each in parsed.keywords]
    return [(name, value) for name, value in found if name and value]


def _node(given: Json, edges: list[Json]) -> Node:
    name, kind = given["Id"], given["NodeType"]
    if not IDENTIFIER.fullmatch(name):
        raise invalid(f"{name!r} is no Id: letters, digits and underscores.")
    free = list(FRAMES.get(kind, ("frame",)))
    inputs: list[tuple[str, str]] = []
    for edge in edges:
        taken = [one for one, _ in inputs]
        left = [one for one in free if one not in taken]
        parameter = edge.get("TargetParameter") or (left[0] if left else free[0])
        if parameter in taken or parameter not in free:
            raise invalid(f"{kind} {name} takes no further frame as {parameter!r}.")
        inputs.append((parameter, edge["Source"]))
    if kind == SOURCE and inputs:
        raise invalid(f"{name} is a {SOURCE}: it takes no frame of {inputs[0][1]}.")
    if kind != SOURCE and len(inputs) != len(free):
        raise invalid(f"{kind} {name} takes {' and '.join(free)}; {len(inputs)} edges lead to it.")
    return Node(name, kind, tuple(_argument(name, each) for each in given["Args"]), tuple(inputs))


def _argument(node: str, given: Json) -> Argument:
    name, value = given["Name"], given["Value"]
    if not IDENTIFIER.fullmatch(name):
        raise invalid(f"{node} has an argument {name!r}, which is no name.")
    if given.get("Param") and IDENTIFIER.fullmatch(value):
        return Argument(name, value, is_parameter=True)
    if given.get("Param") or len(value.splitlines()) != 1 or keywords(f"a = {value}") is None:
        raise invalid(
            f"{value!r}, argument {name} of {node}, is no value in one line of Python: "
            'texts have their quotes, as in "orders".'
        )
    return Argument(name, value)
