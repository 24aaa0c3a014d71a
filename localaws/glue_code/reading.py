"""From a script back to the graph, by the comments that Glue writes into it.

A call without its comments is no node: AWS's guide has the same of its diagram of a script.
"""

from __future__ import annotations

import re

from localaws.glue_code.graph import IDENTIFIER, Argument, Node, invalid, keywords

_COMMENT = re.compile(r"\s*##\s*@(type|args|return|inputs|params):\s*(.*?)\s*")


def nodes_of(script: str) -> list[Node]:
    """The nodes in the order of the script; `line` is that of the node's @type, from 1.

    Raises InvalidInputException for a comment that cannot be read."""
    parameters: set[str] = set()
    nodes: list[Node] = []
    found: dict[str, str] = {}
    line = 0
    for number, text in enumerate(script.splitlines(), 1):
        comment = _COMMENT.fullmatch(text)
        if comment is None:
            continue
        key, value = comment.groups()
        if key == "params":
            parameters |= set(re.findall(r"\w+", value))
            continue
        if key == "type":
            found, line = {}, number
        found[key] = value
        if {"type", "args", "return", "inputs"} <= found.keys():
            nodes.append(_node(found, line, parameters))
            found = {}
    return nodes


def _node(found: dict[str, str], line: int, parameters: set[str]) -> Node:
    name = found["return"]
    if not IDENTIFIER.fullmatch(name):
        raise invalid(f"Line {line}: @return is {name!r}, which is no name of a variable.")
    arguments = tuple(
        Argument(key, value, is_parameter=value in parameters)
        for key, value in _pairs(found["args"], line)
    )
    return Node(name, found["type"], arguments, tuple(_pairs(found["inputs"], line)), line)


def _pairs(text: str, line: int) -> list[tuple[str, str]]:
    """`[a = 1, b = "x"]` as names and source texts."""
    found = keywords(text[1:-1]) if text.startswith("[") and text.endswith("]") else None
    if found is None:
        raise invalid(f"Line {line}: {text!r} is no list of names and values.")
    return found
