"""States whose QueryLanguage is JSONPath."""

from __future__ import annotations

import re
from typing import Any

from localaws.shapes import Json
from localaws.stepfunctions import choice, intrinsics, paths, payload
from localaws.stepfunctions.errors import StateError, runtime_error
from localaws.stepfunctions.item_formats import elements
from localaws.stepfunctions.language import Scope

# Fields of a Map whose number may be written as a text where their path leads.
WRITTEN = frozenset(
    {
        "MaxConcurrencyPath",
        "ToleratedFailureCountPath",
        "ToleratedFailurePercentagePath",
        "MaxItemsPath",
        "MaxItemsPerBatchPath",
        "MaxInputBytesPerBatchPath",
    }
)
INTEGER = re.compile(r"[+-]?\d+")
DECIMAL = re.compile(r"[+-]?\d+(\.\d+)?")


def _roots(scope: Scope, value: Any) -> paths.Roots:
    return {**scope.variables, "$": value, "$$": scope.context}


class JsonPathLanguage:
    """See `language.Language`."""

    def input(self, scope: Scope) -> Any:
        path = scope.state.body.get("InputPath", "$")
        return payload.apply_path(path, _roots(scope, scope.input))

    def arguments(self, scope: Scope) -> Any:
        value = self.input(scope)
        body = scope.state.body
        if "Parameters" in body:
            return payload.fill(body["Parameters"], _roots(scope, value))
        return value

    def number(self, scope: Scope, name: str) -> float | None:
        body = scope.state.body
        if name in body:
            return float(body[name])
        field = name + "Path"
        if field not in body:
            return None
        return _number(field, body[field], self._find(scope, field))

    def text(self, scope: Scope, name: str) -> str | None:
        body = scope.state.body
        if name + "Path" in body:
            value = self._find(scope, name + "Path")
            if not isinstance(value, str):
                shown = payload.dumps(value)
                raise runtime_error(
                    f"The {name}Path parameter does not reference a string: {shown}"
                )
            return value
        text: str | None = body.get(name)
        return text

    def _find(self, scope: Scope, field: str) -> Any:
        text: str = scope.state.body[field]
        roots = _roots(scope, self.input(scope))
        if intrinsics.is_call(text):
            return intrinsics.evaluate(intrinsics.parse(text), roots)
        try:
            return paths.find(text, roots)
        except paths.PathNotFoundError as error:
            if field in ("SecondsPath", "TimestampPath"):
                cause = f"The {field} parameter does not reference an input value: {text}"
            elif field in ("ErrorPath", "CausePath"):
                cause = payload.NOT_IN_INPUT.format(
                    path=text, field=field, found=payload.dumps(roots["$"])
                )
            else:
                cause = f"Invalid path '{text}' : {error.reason}"
            raise runtime_error(cause) from error

    def output(self, scope: Scope, result: Any) -> tuple[Any, Json]:
        body = scope.state.body
        if "ResultSelector" in body:
            result = payload.fill(body["ResultSelector"], _roots(scope, result))
        assigned = payload.fill(body.get("Assign", {}), _roots(scope, result))
        combined = payload.put_result(body.get("ResultPath", "$"), scope.input, result)
        return self._leave(scope, combined), assigned

    def _leave(self, scope: Scope, value: Any) -> Any:
        path = scope.state.body.get("OutputPath", "$")
        return payload.apply_path(path, _roots(scope, value))

    def choose(self, scope: Scope) -> tuple[str | None, Any, Json]:
        body = scope.state.body
        value = self.input(scope)
        roots = _roots(scope, value)
        chosen = next((rule for rule in body["Choices"] if choice.fits(rule, roots)), None)
        target = body.get("Default") if chosen is None else chosen["Next"]
        assign = body.get("Assign", {}) if chosen is None else chosen.get("Assign", {})
        return target, self._leave(scope, value), payload.fill(assign, roots)

    def items(self, scope: Scope) -> Any:
        path = scope.state.body.get("ItemsPath", "$")
        try:
            value = payload.apply_path(path, _roots(scope, self.input(scope)))
        except StateError as error:
            raise runtime_error(
                f"Invalid path '{path}': The ItemsPath references an invalid value."
            ) from error
        if isinstance(value, dict) and scope.state.distributed:
            return elements(value)
        if not isinstance(value, list):
            shown = path.removeprefix("$") if path.startswith("$$") else path
            raise runtime_error(f'Reference path "{shown}" must point to array.')
        return value

    def item_input(self, scope: Scope, item: Any) -> Any:
        body = scope.state.body
        template = body.get("ItemSelector", body.get("Parameters"))
        if template is None:
            return item
        return payload.fill(template, _roots(scope, self.input(scope)))

    def template(self, scope: Scope, template: Any) -> Any:
        return payload.fill(template, _roots(scope, self.input(scope)))

    def caught(self, scope: Scope, catcher: Json, error: Json) -> tuple[Any, Json]:
        assigned = payload.fill(catcher.get("Assign", {}), _roots(scope, error))
        return payload.put_result(catcher.get("ResultPath", "$"), scope.input, error), assigned


def _number(field: str, path: str, value: Any) -> float:
    """The value that a `...Path` field leads to; worded as AWS does where it is no such number."""
    fraction = field == "ToleratedFailurePercentagePath"
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if fraction and isinstance(value, float):
        return value
    form = DECIMAL if fraction else INTEGER
    if field in WRITTEN and isinstance(value, str) and form.fullmatch(value):
        return float(value)
    shown = value if isinstance(value, str) else payload.dumps(value)
    if field == "SecondsPath":
        cause = f"The {field} parameter cannot be parsed as a long value: {path} == {shown}"
    else:
        kind = "float" if fraction else "integer"
        cause = f'The {field} field refers to value "{shown}" which is not a valid {kind}: {path}'
    raise runtime_error(cause)
