"""States whose QueryLanguage is JSONata.

Expressions are texts `{% ... %}` anywhere in a field. They see `$states.input`, `.result`,
`.errorOutput`, `.context`, the workflow variables, and AWS's functions beside JSONata's own.
https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
"""

from __future__ import annotations

import json
from typing import Any

from localaws.shapes import Json
from localaws.stepfunctions import bounded
from localaws.stepfunctions.errors import QUERY_EVALUATION, StateError
from localaws.stepfunctions.expression_cost import expression
from localaws.stepfunctions.item_formats import elements
from localaws.stepfunctions.jsonata_functions import ExpressionFailedError
from localaws.stepfunctions.language import Scope


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
            return elements(value)
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
        bindings = bounded.Bindings({"states": states, **scope.variables})
        return self._fill(scope, template, field, bindings)

    def _fill(self, scope: Scope, template: Any, field: str, bindings: bounded.Bindings) -> Any:
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


def _value(scope: Scope, field: str, text: str, bindings: bounded.Bindings) -> Any:
    try:
        return bounded.evaluate(text, bindings)
    except ExpressionFailedError as error:
        raise _failed(scope, field, text, str(error)) from error


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
