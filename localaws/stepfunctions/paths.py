"""JSONPath as Step Functions takes it: Jayway's dialect, with AWS's roots.

Roots: `$` (the state's input), `$$` (the context object), `$name` (a workflow variable).
A *definite* path names one place and fails when it is not there; any other (wildcard, slice,
filter, `..`, several indices) yields a list, empty when nothing fits. A *reference path* is a
definite path of plain members and non-negative indices; results can be put there.
"""

from __future__ import annotations

import json
import re
import statistics
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from localaws.stepfunctions.errors import runtime_error
from localaws.stepfunctions.filters import (
    MISSING,
    FilterSyntaxError,
    Operand,
    Predicate,
    parse_filter,
)

NAME = re.compile(r"[^\s.\[\]()'\"*?,@$&|<>=!]+")
ROOT = re.compile(r"\$\$|\$(?:[A-Za-z_]\w*)?")
INTEGER = re.compile(r"-?\d+")
MAX_VISITS = 500_000
QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"")
FUNCTION = re.compile(r"\.(\w+)\(\)$")

FUNCTIONS: dict[str, Callable[[list[Any]], Any]] = {
    "length": len,
    "min": min,
    "max": max,
    "sum": sum,
    "avg": statistics.fmean,
    "stddev": statistics.pstdev,
}


class PathSyntaxError(ValueError):
    """The text is no JSONPath of the kind that is accepted here."""


class PathNotFoundError(LookupError):
    """A definite path leads nowhere. `reason` is worded as Jayway does."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(reason)
        self.path = path
        self.reason = reason


@dataclass(frozen=True)
class Step:
    """One step: its kind (name, names, index, indices, slice, wildcard, deep, filter)."""

    kind: str
    value: Any = None

    @property
    def definite(self) -> bool:
        return self.kind in ("name", "index")

    def __str__(self) -> str:
        if self.kind == "name":
            return f"['{self.value}']"
        return f"[{self.value}]"


@dataclass(frozen=True)
class Path:
    """A parsed path. `root` is `$`, `$$` or the name of a variable."""

    text: str
    root: str
    steps: tuple[Step, ...]
    function: str | None = None

    @property
    def definite(self) -> bool:
        return all(step.definite for step in self.steps)


Roots = Mapping[str, Any]


@lru_cache(maxsize=4096)
def parse(text: str) -> Path:
    """Raises PathSyntaxError saying where the text stops being a path."""
    root = ROOT.match(text)
    if root is None:
        raise PathSyntaxError(f"A path begins with $: {text!r}")
    end = len(text)
    function = None
    call = FUNCTION.search(text)
    if call is not None:
        if call[1] not in FUNCTIONS:
            raise PathSyntaxError(
                f"Function {call[1]}() is not one of {', '.join(FUNCTIONS)}: {text!r}"
            )
        function, end = call[1], call.start()
    name = root[0] if root[0] in ("$", "$$") else root[0][1:]
    return Path(text, name, tuple(_steps(text, root.end(), end)), function)


def _steps(text: str, start: int, end: int) -> Iterator[Step]:
    position = start
    while position < end:
        if text.startswith("..", position):
            yield Step("deep")
            position += 2
            if text.startswith("[", position):
                continue
        elif text.startswith(".", position):
            position += 1
            if text.startswith("[", position):
                continue
        elif text.startswith("[", position):
            step, position = _bracket(text, position)
            yield step
            continue
        else:
            raise PathSyntaxError(f"Unexpected {text[position]!r} at {position} in {text!r}")
        if text.startswith("*", position):
            yield Step("wildcard")
            position += 1
            continue
        name = NAME.match(text, position, end)
        if name is None:
            raise PathSyntaxError(f"A member name is missing at {position} in {text!r}")
        yield Step("name", name[0])
        position = name.end()


def _bracket(text: str, start: int) -> tuple[Step, int]:
    """The step written `[...]` at `start`, and the position behind it."""
    end = _closing(text, start)
    inside = text[start + 1 : end].strip()
    if inside == "*":
        return Step("wildcard"), end + 1
    if inside.startswith("?"):
        condition = inside[1:].strip()
        if not (condition.startswith("(") and condition.endswith(")")):
            raise PathSyntaxError(f"A filter is written [?(...)]: {text!r}")
        try:
            return Step("filter", parse_filter(condition[1:-1], _path_operand)), end + 1
        except FilterSyntaxError as error:
            raise PathSyntaxError(f"{error} in {text!r}") from error
    if inside[:1] in ("'", '"'):
        names = _names(inside, text)
        return (Step("name", names[0]) if len(names) == 1 else Step("names", names)), end + 1
    if ":" in inside:
        bounds = [part.strip() for part in inside.split(":")]
        if len(bounds) > 3 or not all(INTEGER.fullmatch(part) or not part for part in bounds):
            raise PathSyntaxError(f"A slice is written [start:end:step]: {text!r}")
        numbers = tuple(int(part) if part else None for part in bounds)
        if len(numbers) == 3 and numbers[2] is not None and numbers[2] <= 0:
            raise PathSyntaxError(f"A slice's step is above 0: {text!r}")
        return Step("slice", numbers), end + 1
    indices = [part.strip() for part in inside.split(",")]
    if not all(INTEGER.fullmatch(part) for part in indices):
        raise PathSyntaxError(f"[{inside}] is neither an index, a slice nor a name: {text!r}")
    if len(indices) == 1:
        return Step("index", int(indices[0])), end + 1
    return Step("indices", tuple(int(part) for part in indices)), end + 1


def _path_operand(text: str) -> Operand:
    """A path inside a filter: `@...` of the item, `$...` of the document."""
    try:
        path = parse("$" + text[1:])
    except PathSyntaxError as error:
        raise FilterSyntaxError(str(error)) from error
    of_item = text.startswith("@")

    def value(item: Any, document: Any) -> Any:
        try:
            return evaluate(path, {"$": item if of_item else document})
        except PathNotFoundError:
            return MISSING

    return value


def _closing(text: str, start: int) -> int:
    """The bracket that closes the one at `start`; quotes and inner brackets are skipped."""
    depth = 0
    position = start
    while position < len(text):
        character = text[position]
        if character in "'\"":
            quoted = QUOTED.match(text, position)
            if quoted is None:
                raise PathSyntaxError(f"An unclosed quote at {position} in {text!r}")
            position = quoted.end()
            continue
        depth += (character == "[") - (character == "]")
        if depth == 0:
            return position
        position += 1
    raise PathSyntaxError(f"An unclosed [ at {start} in {text!r}")


def _names(inside: str, text: str) -> tuple[str, ...]:
    names = []
    position = 0
    while True:
        quoted = QUOTED.match(inside, position)
        if quoted is None:
            raise PathSyntaxError(f"A quoted name is missing in [{inside}] of {text!r}")
        single, double = quoted[1], quoted[2]
        if single is not None:
            names.append(re.sub(r"\\(['\\])", r"\1", single))
        else:
            names.append(re.sub(r'\\(["\\])', r"\1", double))
        rest = inside[quoted.end() :].lstrip()
        if not rest:
            return tuple(names)
        if not rest.startswith(","):
            raise PathSyntaxError(f"A comma is missing in [{inside}] of {text!r}")
        position = len(inside) - len(rest[1:].lstrip())


def evaluate(path: Path, roots: Roots) -> Any:
    """The value a path selects. Raises PathNotFoundError where a definite path leads nowhere, and
    States.Runtime where looking for it takes too long."""
    if path.root not in roots:
        raise PathNotFoundError(path.text, f"Variable ${path.root} is not assigned")
    start = roots[path.root]
    if path.definite:
        value = _walk(path, start)
    else:
        try:
            value = list(_select(path.steps, start, start, _Visits()))
        except TimeoutError as error:  # a regular expression, or too many places to look at
            raise runtime_error(f"The path '{path.text}' cannot be evaluated: {error}") from error
        if path.steps[-1].kind == "names" and all(step.definite for step in path.steps[:-1]):
            value = value[0] if value else {}
    if path.function is None:
        return value
    if not isinstance(value, list) or (not value and path.function != "length"):
        raise PathNotFoundError(path.text, f"{path.function}() needs a list that is not empty")
    try:
        return FUNCTIONS[path.function](value)
    except TypeError as error:
        raise PathNotFoundError(path.text, f"{path.function}() needs numbers: {error}") from error


def find(text: str, roots: Roots) -> Any:
    return evaluate(parse(text), roots)


def _walk(path: Path, value: Any) -> Any:
    walked = "$"
    for position, step in enumerate(path.steps):
        walked += str(step)
        if step.kind == "name" and isinstance(value, dict):
            if step.value in value:
                value = value[step.value]
                continue
            last = position == len(path.steps) - 1
            reason = "No results for path" if last else "Missing property in path"
            if last:
                raise PathNotFoundError(path.text, f"{reason}: {walked}")
            raise PathNotFoundError(path.text, f"{reason} {walked}")
        if step.kind == "index" and isinstance(value, list):
            if -len(value) <= step.value < len(value):
                value = value[step.value]
                continue
            raise PathNotFoundError(path.text, f"Index out of bounds when evaluating path {walked}")
        expected = "array" if step.kind == "index" else "object"
        raise PathNotFoundError(
            path.text,
            f"Expected to find an {expected} in path {walked} but found {json_kind(value)!r}",
        )
    return value


class _Visits:
    """Counts the places that one evaluation looks at: with several `..` they multiply."""

    def __init__(self) -> None:
        self._left = MAX_VISITS

    def one(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise TimeoutError(f"The path looks at more than {MAX_VISITS} places")


def _select(steps: tuple[Step, ...], value: Any, root: Any, visits: _Visits) -> Iterator[Any]:
    """Every value an indefinite path selects, in document order. Raises TimeoutError."""
    visits.one()
    if not steps:
        yield value
        return
    step, rest = steps[0], steps[1:]
    if step.kind == "deep":
        if not rest:
            return
        for item in _descend(value):
            yield from _select(rest, item, root, visits)
        return
    for item in _children(step, value, root):
        yield from _select(rest, item, root, visits)


def _children(step: Step, value: Any, root: Any) -> Iterator[Any]:
    kind = step.kind
    if kind == "wildcard":
        yield from value.values() if isinstance(value, dict) else _items(value)
    elif kind == "name":
        if isinstance(value, dict) and step.value in value:
            yield value[step.value]
    elif kind == "names":
        if isinstance(value, dict):
            yield {name: value[name] for name in step.value if name in value}
    elif kind in ("index", "indices"):
        for index in step.value if kind == "indices" else (step.value,):
            if isinstance(value, list) and -len(value) <= index < len(value):
                yield value[index]
    elif kind == "slice":
        yield from _items(value)[slice(*step.value)]
    else:
        predicate: Predicate = step.value
        candidates = [value] if isinstance(value, dict) else _items(value)
        for item in candidates:
            if predicate(item, root):
                yield item


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _descend(value: Any) -> Iterator[Any]:
    yield value
    for item in value.values() if isinstance(value, dict) else _items(value):
        if isinstance(item, dict | list):
            yield from _descend(item)


def json_kind(value: Any) -> str:
    """The JSON type of a value, as error messages name it."""
    if value is None:
        return "null"
    for kinds, name in (
        (bool, "boolean"),
        (int | float, "number"),
        (str, "string"),
        (list, "array"),
    ):
        if isinstance(value, kinds):
            return name
    return "object"


@lru_cache(maxsize=1024)
def parse_reference(text: str) -> Path:
    """A reference path: from `$`, members and non-negative indices only."""
    path = parse(text)
    plain = all(
        step.kind == "name" or (step.kind == "index" and step.value >= 0) for step in path.steps
    )
    if path.root == "$$" or path.root != "$" or not plain or path.function:
        raise PathSyntaxError(f"{text!r} is no reference path (plain members and indices of $)")
    return path


def put(path: Path, document: Any, value: Any) -> Any:
    """A copy of `document` with `value` at the reference path; objects on the way are made.

    Raises PathNotFoundError where the document has something else than an object or a list
    with that index in the way (States.ResultPathMatchFailure).
    """
    if not path.steps:
        return value
    step, rest = path.steps[0], Path(path.text, "$", path.steps[1:])
    if step.kind == "name":
        if not isinstance(document, dict):
            raise _unfit(path, document)
        inner = document.get(step.value, {}) if rest.steps else None
        return {**document, step.value: put(rest, inner, value)}
    if not isinstance(document, list) or step.value >= len(document):
        raise _unfit(path, document)
    copy = list(document)
    copy[step.value] = put(rest, document[step.value], value)
    return copy


def _unfit(path: Path, document: Any) -> PathNotFoundError:
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return PathNotFoundError(
        path.text, f"Unable to apply ReferencePath {path.text} to input {text}"
    )
