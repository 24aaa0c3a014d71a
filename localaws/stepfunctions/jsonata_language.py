"""States whose QueryLanguage is JSONata.

Expressions are texts `{% ... %}` anywhere in a field. They see `$states.input`, `.result`,
`.errorOutput`, `.context`, the workflow variables, and AWS's functions beside JSONata's own.
https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
"""

from __future__ import annotations

import hashlib
import json
import random
import threading
import uuid
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from jsonata.jexception import JException
from jsonata.jsonata import Jsonata
from jsonata.utils import Utils

from localaws.stepfunctions.errors import QUERY_EVALUATION, StateError
from localaws.stepfunctions.language import Json, Scope

MAX_MILLISECONDS, MAX_DEPTH = 5_000, 400  # of one evaluation
_one_at_a_time = threading.Lock()  # a compiled expression keeps its environment while it runs


class UnsupportedValueError(TypeError):
    """The value of an expression is no JSON: a function, say."""


class ExpressionSyntaxError(ValueError):
    """The text between {% and %} is no JSONata."""


def expression(value: Any) -> str | None:
    """The JSONata inside `{% ... %}`; None for any other value."""
    if isinstance(value, str) and value.startswith("{%") and value.endswith("%}"):
        return value[2:-2].strip()
    return None


@lru_cache(maxsize=1024)
def compiled(text: str) -> Any:
    try:
        made = Jsonata(text)
    except Exception as error:  # the library has several kinds
        raise ExpressionSyntaxError(f"{text!r} is no JSONata: {error}") from error
    made.set_output_convert_nulls(False)
    return made


def _range(first: float, last: float, step: float) -> list[float] | float:
    """A sequence, as JSONata has them: one number alone stands for itself."""
    if step == 0:
        raise ValueError("$range: the step must not be 0")
    count = int((last - first) / step) + 1 if (last - first) / step >= 0 else 0
    numbers = [first + number * step for number in range(count)]
    return numbers[0] if count == 1 else numbers


def _partition(items: list[Any], size: float) -> list[list[Any]]:
    width = int(size)
    if width < 1:
        raise ValueError("$partition: the chunk size must be above 0")
    return [list(items[start : start + width]) for start in range(0, len(items), width)]


def _hash(data: Any, algorithm: str) -> str:
    name = algorithm.replace("-", "").lower()
    if name not in ("md5", "sha1", "sha256", "sha384", "sha512"):
        raise ValueError(f"$hash: unknown algorithm {algorithm}")
    text = data if isinstance(data, str) else json.dumps(_plain(data), separators=(",", ":"))
    return hashlib.new(name, text.encode()).hexdigest()


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "partition": _partition,
    "range": _range,
    "hash": _hash,
    "random": lambda *seed: (random.Random(seed[0]) if seed else random).random(),
    "uuid": lambda: str(uuid.uuid4()),
    "parse": lambda text: _with_nulls(json.loads(text)),
}


def _with_nulls(value: Any) -> Any:
    """The library's null in place of None, which it takes for undefined."""
    if value is None:
        return Utils.NULL_VALUE
    if isinstance(value, dict):
        return {key: _with_nulls(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_nulls(item) for item in value]
    return value


def _plain(value: Any) -> Any:
    """Plain JSON values. Raises UnsupportedValueError for what is none, such as a function."""
    if value is Utils.NULL_VALUE or value is None:
        return None
    if isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 2**53 else value
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | range):
        return [_plain(item) for item in value]
    raise UnsupportedValueError(f"the value is a {type(value).__name__}, not JSON")


class JsonataLanguage:
    """See `language.Language`."""

    def input(self, scope: Scope) -> Any:
        return scope.input

    def arguments(self, scope: Scope) -> Any:
        if "Arguments" in scope.state.body:
            return self._evaluate(scope, scope.state.body["Arguments"], "Arguments")
        return scope.input

    def number(self, scope: Scope, name: str) -> float | None:
        if name not in scope.state.body:
            return None
        value = self._evaluate(scope, scope.state.body[name], name)
        if _kind(value) != "number":
            raise _unexpected(scope.state.body[name], name, "number", value)
        return float(value)

    def text(self, scope: Scope, name: str) -> str | None:
        if name not in scope.state.body:
            return None
        value = self._evaluate(scope, scope.state.body[name], name)
        if not isinstance(value, str):
            raise _unexpected(scope.state.body[name], name, "string", value)
        return value

    def output(self, scope: Scope, result: Any) -> tuple[Any, Json]:
        return self._leave(scope, scope.state.body, result, {"result": result})

    def _leave(self, scope: Scope, block: Json, default: Any, seen: Json) -> tuple[Any, Json]:
        assigned = self._evaluate(scope, block.get("Assign", {}), "Assign", **seen)
        if "Output" not in block:
            return default, assigned
        return self._evaluate(scope, block["Output"], "Output", **seen), assigned

    def choose(self, scope: Scope) -> tuple[str | None, Any, Json]:
        body = scope.state.body
        for index, rule in enumerate(body["Choices"]):
            field = f"Choices[{index}]/Condition"
            fits = self._evaluate(scope, rule["Condition"], field)
            if not isinstance(fits, bool):
                raise _unexpected(rule["Condition"], field, "boolean", fits)
            if fits:
                block = rule if "Output" in rule else {**rule, **_only(body, "Output")}
                output, assigned = self._leave(scope, block, scope.input, {})
                return rule["Next"], output, assigned
        output, assigned = self._leave(scope, body, scope.input, {})
        return body.get("Default"), output, assigned

    def items(self, scope: Scope) -> Any:
        value = scope.input
        if "Items" in scope.state.body:
            value = self._evaluate(scope, scope.state.body["Items"], "Items")
        if isinstance(value, dict) and scope.state.distributed:
            return [{"Key": key, "Value": item} for key, item in value.items()]
        if isinstance(value, list):
            return value
        if "Items" in scope.state.body:
            raise _unexpected(scope.state.body["Items"], "Items", "array", value)
        shown = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        raise StateError(QUERY_EVALUATION, f"Map state input must be an array but was: {shown}")

    def item_input(self, scope: Scope, item: Any) -> Any:
        if "ItemSelector" not in scope.state.body:
            return item
        return self._evaluate(scope, scope.state.body["ItemSelector"], "ItemSelector")

    def template(self, scope: Scope, template: Any) -> Any:
        return self._evaluate(scope, template, "Arguments")

    def caught(self, scope: Scope, catcher: Json, error: Json) -> tuple[Any, Json]:
        return self._leave(scope, catcher, error, {"errorOutput": error})

    def _evaluate(self, scope: Scope, template: Any, field: str, **seen: Any) -> Any:
        states = {"input": scope.input, "context": scope.context, **seen}
        bindings = {"states": _with_nulls(states)}
        bindings |= {name: _with_nulls(value) for name, value in scope.variables.items()}
        return self._fill(scope, template, field, bindings)

    def _fill(self, scope: Scope, template: Any, field: str, bindings: Json) -> Any:
        if isinstance(template, dict):
            return {
                key: self._fill(scope, value, f"{field}/{key}", bindings)
                for key, value in template.items()
            }
        if isinstance(template, list):
            return [
                self._fill(scope, value, f"{field}[{index}]", bindings)
                for index, value in enumerate(template)
            ]
        text = expression(template)
        return template if text is None else _value(scope, field, text, bindings)


def _value(scope: Scope, field: str, text: str, bindings: Json) -> Any:
    try:
        with _one_at_a_time:
            program = compiled(text)
            frame = program.create_frame()
            frame.set_runtime_bounds(MAX_MILLISECONDS, MAX_DEPTH)
            for name, function in FUNCTIONS.items():
                frame.bind(name, Jsonata.JLambda(function))
            for name, value in bindings.items():
                frame.bind(name, value)
            value = program.evaluate(None, frame)
        if value is not None:
            return _plain(value)
    except UnsupportedValueError as error:
        raise _failed(scope, field, text, "returned an unsupported result type.") from error
    except (Exception, RecursionError) as error:
        code = f"{error.get_error()}: " if isinstance(error, JException) else ""
        said = f"threw an error during evaluation. {code}{error}"
        raise _failed(scope, field, text, said) from error
    raise _failed(scope, field, text, "returned nothing (undefined).")


def _failed(scope: Scope, field: str, text: str, said: str) -> StateError:
    cause = f"The JSONata expression '{text}' specified for the field '{field}' {said}"
    return StateError(QUERY_EVALUATION, cause, location=field)


def _kind(value: Any) -> str:
    """The value's JSON type, as AWS names it."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else "boolean"
    names: dict[type, str] = {str: "string", list: "array", dict: "object"}
    return names.get(type(value), "number")


def _unexpected(given: Any, field: str, expected: str, value: Any) -> StateError:
    shown = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    text = expression(given)
    cause = (
        f"The JSONata expression '{given if text is None else text}' specified for the field"
        f" '{field}' returned an unexpected result type. Expected '{expected}', but was"
        f" '{_kind(value)}' for value: {shown}"
    )
    return StateError(QUERY_EVALUATION, cause, location=field)


def _only(body: Json, name: str) -> Json:
    return {name: body[name]} if name in body else {}
