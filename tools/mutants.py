"""Small changes of a source that a test should notice: what `tools.mutations` chooses from."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeGuard

SWAPPED = {
    **{ast.Eq: "!=", ast.NotEq: "==", ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">"},
    **{ast.Is: "is not", ast.IsNot: "is", ast.In: "not in", ast.NotIn: "in"},
}
IN_SQL = {  # what stands there, what stands there instead
    r" = ": " <> ",
    r" <> ": " = ",
    r" < ": " <= ",
    r" <= ": " < ",
    r" > ": " >= ",
    r" >= ": " > ",
    r"\bAND\b": "OR",
    r"\bOR\b": "AND",
    r"\bINNER JOIN\b": "LEFT JOIN",
    r"\bLEFT JOIN\b": "INNER JOIN",
    r"\bIS NULL\b": "IS NOT NULL",
    r"\bIS NOT NULL\b": "IS NULL",
    r"\bDISTINCT ": "",
    r" DESC\b": "",
    r"\bmin\(": "max(",
    r"\bmax\(": "min(",
    r"\bsum\(": "max(",
    r" \+ ": " - ",
    r" - ": " + ",
}


@dataclass(frozen=True)
class Mutant:
    """Other bytes from `start` to `end` of a file; `line` (from 1) is where they begin."""

    line: int
    start: int
    end: int
    text: bytes
    kind: str
    within: str = ""  # the function

    def apply(self, source: bytes) -> bytes:
        return source[: self.start] + self.text + source[self.end :]


def of_sql(source: bytes) -> Iterator[Mutant]:
    for number, line in enumerate(source.splitlines(keepends=True), 1):
        begin = sum(map(len, source.splitlines(keepends=True)[: number - 1]))
        code = line.split(b"--", 1)[0]
        for pattern, text in IN_SQL.items():
            for found in re.finditer(pattern.encode(), code):
                start, end = (begin + place for place in found.span())
                yield Mutant(number, start, end, text.encode(), f"{found[0].decode()} to {text}")
        for found in re.finditer(rb"(?<![\w.'])\d+(?![\w.'])", code):
            start, end = (begin + place for place in found.span())
            yield Mutant(number, start, end, b"%d" % (int(found[0]) + 1), "off by one")


def of_python(source: bytes) -> Iterator[Mutant]:
    """Conditions, comparisons, numbers, statements, operators, answers and keys."""
    lines = source.splitlines(keepends=True)
    begins = [0]
    for line in lines:
        begins.append(begins[-1] + len(line))

    def span(node: ast.expr | ast.stmt) -> tuple[int, int]:
        assert node.end_lineno is not None and node.end_col_offset is not None
        start = begins[node.lineno - 1] + node.col_offset
        return start, begins[node.end_lineno - 1] + node.end_col_offset

    def made(node: ast.expr | ast.stmt, text: str, kind: str) -> Mutant:
        return Mutant(node.lineno, *span(node), text.encode(), kind)

    def changes(node: ast.AST) -> Iterator[Mutant]:
        if isinstance(node, ast.If | ast.While | ast.IfExp):
            start, end = span(node.test)
            yield made(node.test, f"(not ({source[start:end].decode()}))", "condition negated")
        elif isinstance(node, ast.Compare) and len(node.ops) == 1:
            left, right = (
                source[slice(*span(side))].decode() for side in (node.left, node.comparators[0])
            )
            operator = SWAPPED[type(node.ops[0])]
            yield made(node, f"({left}) {operator} ({right})", f"comparison is {operator}")
        elif isinstance(node, ast.BoolOp):
            other: ast.boolop = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            text = ast.unparse(ast.BoolOp(other, node.values))
            yield made(node, f"({text})", "and for or, or for and")
        elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
            yield made(node, str(not node.value), "true for false, false for true")
        elif isinstance(node, ast.Constant) and isinstance(node.value, int):
            yield made(node, str(node.value + 1), "off by one")
        elif isinstance(node, ast.Return) and node.value is not None:
            if not (isinstance(node.value, ast.Constant) and node.value.value is None):
                yield made(node, "return None", "returns None")
        elif _can_go(node):
            yield made(node, "pass", "statement dropped")
        for key, word in _keys(node):
            yield made(key, repr(f"{word}_"), "another key")

    for within, node in _executable(ast.parse(source)):
        for mutant in changes(node):
            yield replace(mutant, within=within)


def _can_go(node: ast.AST) -> TypeGuard[ast.stmt]:
    """A statement without which the code still runs."""
    if isinstance(node, ast.Assign):  # of a member or an item
        return not isinstance(node.targets[0], ast.Name | ast.Tuple)
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Call | ast.Await)
    return isinstance(node, ast.Raise | ast.AugAssign | ast.Continue | ast.Break | ast.Delete)


def _executable(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """(function, node), without annotations, texts in f-strings, what only a type checker runs."""
    waiting: list[tuple[str, ast.AST]] = [("", tree)]
    while waiting:
        function, node = waiting.pop()
        if isinstance(node, ast.JoinedStr | ast.arg):
            continue
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        yield function, node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            function = node.name
        skipped = {id(getattr(node, name, None)) for name in ("annotation", "returns")}
        children = [child for child in ast.iter_child_nodes(node) if id(child) not in skipped]
        waiting += [(function, child) for child in children]


def _keys(node: ast.AST) -> Iterator[tuple[ast.Constant, str]]:
    """Texts by which something is found in a dict."""
    found: Sequence[ast.expr | None] = ()
    if isinstance(node, ast.Subscript):
        found = [node.slice]
    elif isinstance(node, ast.Dict):
        found = node.keys
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        found = node.args[:1] if node.func.attr in ("get", "pop", "setdefault") else ()
    for key in found:
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            yield key, key.value
