"""Puts parameters in the places of `?`."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from localaws.trino.errors import QueryError, SyntaxMistake

from .parsing import parse


def bind(tree: Any, parameters: list[str]) -> Any:
    """The tree with every `?`, in the order of the text, replaced by its parameter.

    A parameter that is an expression without names stands for itself, any other is a text; without
    a `?` parameters mean nothing (recorded on Athena). Raises QueryError (INVALID_PARAMETER_USAGE)
    for too few or too many.
    """
    marks = sorted(tree.find_all(exp.Placeholder), key=lambda mark: mark.meta["start"])
    if not marks:
        return tree
    if len(marks) != len(parameters):
        raise QueryError(
            "INVALID_PARAMETER_USAGE",
            f"Incorrect number of parameters: expected {len(marks)} but found {len(parameters)}",
        )
    for mark, parameter in zip(marks, parameters, strict=True):
        value = _value(parameter)
        mark.replace(exp.Paren(this=value) if isinstance(value, exp.Binary) else value)
    return tree


def _value(parameter: str) -> Any:
    try:
        tree = parse(f"SELECT {parameter}")
    except SyntaxMistake:
        return exp.Literal.string(parameter)
    if (
        not isinstance(tree, exp.Select)
        or len(tree.expressions) != 1
        or {part for part, value in tree.args.items() if value} != {"expressions"}
        or tree.find(exp.Identifier, exp.Star)
    ):
        return exp.Literal.string(parameter)
    return tree.expressions[0]
