"""Which expressions are cheap: those whose work is bounded by the text times the data.

Only such an expression is evaluated on the engine's thread. It calls a few functions that look at
each item once, iterates over the data once and not in each iteration anew, binds nothing, recurs
nowhere and has no regular expression. Everything else may take long, or for ever.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from localaws.shapes import Json
from localaws.stepfunctions.jsonata_functions import ExpressionSyntaxError, compiled

# Functions whose work and result are linear in their arguments.
LINEAR = frozenset(
    """
    sum count max min average string number boolean not exists length lowercase uppercase trim
    substring substringBefore substringAfter contains split join append reverse keys lookup merge
    spread type abs floor ceil round sqrt parse uuid hash random partition base64encode
    base64decode encodeUrl encodeUrlComponent decodeUrl decodeUrlComponent now millis fromMillis
    toMillis formatNumber formatBase zip
    """.split()  # noqa: SIM905 - a list a person can read
)
ITERATING = frozenset({"map", "filter", "single", "each", "sift"})  # with a function written there
# What escapes or encodes makes texts longer, and one in the other longer by a factor each time.
GROWING = frozenset({"string", "base64encode", "encodeUrl", "encodeUrlComponent"})
MAX_GROWING = 3
MAX_NODES = 500
LEAVES = frozenset({"string", "number", "value", "name", "wildcard"})
OPERATORS = frozenset({"+", "-", "*", "/", "%", "=", "!=", "<", "<=", ">", ">=", "and", "or", "in",
                       "&"})  # fmt: skip


class NotCheapError(Exception):
    """The expression may take long."""


def expression(value: Any) -> str | None:
    """The JSONata inside `{% ... %}`; None for any other value."""
    if isinstance(value, str) and value.startswith("{%") and value.endswith("%}"):
        return value[2:-2].strip()
    return None


@lru_cache(maxsize=4096)
def is_cheap(text: str) -> bool:
    """Whether the JSONata may be evaluated where others wait for it."""
    try:
        return _Cost().of(compiled(text).ast, frozenset(), inside=False) <= 1
    except (NotCheapError, ExpressionSyntaxError, RecursionError):
        return False


def may_take_long(body: Json) -> bool:
    """Whether a state's own fields have an expression that is not cheap, or a path with a regular
    expression or several `..`, which multiply."""
    for value in texts(body):
        text = expression(value)
        if text is not None and not is_cheap(text):
            return True
        if value.startswith(("$", "States.")) and ("=~" in value or value.count("..") > 1):
            return True
    return False


def texts(value: Any) -> Iterator[str]:
    """Every text in it, but for names of members."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts(item)


class _Cost:
    """How deep iterations over the data are nested: 0 is a constant, 1 each item once."""

    def __init__(self) -> None:
        self._nodes = 0
        self._growing = 0

    def of(self, node: Any, own: frozenset[str], *, inside: bool) -> int:
        """`own`: parameters of the function around; what they hold is a part of the data that is
        iterated over already. `inside`: in an iteration, where a bare name is such a part too."""
        self._nodes += 1
        if self._nodes > MAX_NODES or node.group is not None or _holds(node, "seeking_parent"):
            raise NotCheapError
        kind = node.type
        if kind in LEAVES or kind == "variable":
            cost = 0
        elif kind == "path":
            cost = self._path(node, own, inside=inside)
        elif kind == "binary" and node.value in OPERATORS:
            cost = self._most((node.lhs, node.rhs), own, inside=inside)
        elif kind == "unary":
            cost = self._unary(node, own, inside=inside)
        elif kind == "condition":
            branches = (node.condition, node.then, node._else)
            cost = self._most([n for n in branches if n is not None], own, inside=inside)
        elif kind == "block" and len(node.expressions) == 1:
            cost = self.of(node.expressions[0], own, inside=inside)
        elif kind == "function":
            cost = self._call(node, own, inside=inside)
        else:
            raise NotCheapError
        return max(cost, self._filters(node, own))

    def _most(self, nodes: Any, own: frozenset[str], *, inside: bool) -> int:
        return max((self.of(node, own, inside=inside) for node in nodes), default=0)

    def _filters(self, node: Any, own: frozenset[str]) -> int:
        stages = [*(node.predicate or ()), *(node.stages or ())]
        if any(stage.type != "filter" for stage in stages):
            raise NotCheapError
        return max((1 + self.of(stage.expr, own, inside=True) for stage in stages), default=0)

    def _path(self, node: Any, own: frozenset[str], *, inside: bool) -> int:
        first, *rest = node.steps
        part = (first.type == "variable" and first.value in own) or (
            inside and first.type in ("name", "wildcard")
        )
        cost = max(0 if part else 1, self.of(first, own, inside=inside))
        for step in rest:
            simple = step.type in ("name", "wildcard")
            inner = self.of(step, own, inside=True)
            cost = max(cost, inner if simple else 1 + inner)
        return cost

    def _unary(self, node: Any, own: frozenset[str], *, inside: bool) -> int:
        if node.value == "-":
            return self.of(node.expression, own, inside=inside)
        if node.value == "[":
            return self._most(node.expressions or (), own, inside=inside)
        if node.value == "{":
            pairs = [part for pair in node.lhs_object or () for part in pair]
            return self._most(pairs, own, inside=inside)
        raise NotCheapError

    def _call(self, node: Any, own: frozenset[str], *, inside: bool) -> int:
        if node.procedure.type != "variable":
            raise NotCheapError
        name, arguments = node.procedure.value, list(node.arguments or ())
        self._growing += name in GROWING
        if name in own or self._growing > MAX_GROWING:
            raise NotCheapError
        if name in LINEAR:
            return self._most(arguments, own, inside=inside)
        if name not in ITERATING or len(arguments) != 2 or own:
            raise NotCheapError
        items, function = arguments
        if function.type != "lambda":
            raise NotCheapError
        parameters = frozenset(argument.value for argument in function.arguments)
        inner = self.of(function.body, parameters, inside=True)
        return max(self.of(items, own, inside=inside), 1 + inner)


def _holds(node: Any, name: str) -> bool:
    return bool(getattr(node, name, None))
