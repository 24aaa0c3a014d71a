"""The rules of single fields: paths, templates, retriers, catchers, choice rules, parameters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from localaws.shapes import Json
from localaws.stepfunctions import choice, intrinsics, paths, timestamps
from localaws.stepfunctions.definition import JSONATA, JSONPATH
from localaws.stepfunctions.expression_cost import expression
from localaws.stepfunctions.integrations import http_tasks, models
from localaws.stepfunctions.integrations.resources import Resource
from localaws.stepfunctions.integrations.shapes import problems
from localaws.stepfunctions.jsonata_functions import ExpressionSyntaxError, compiled

SCHEMA = "SCHEMA_VALIDATION_FAILED"


@dataclass(frozen=True)
class Diagnostic:
    """One finding, as ValidateStateMachineDefinition returns it."""

    message: str
    location: str | None = None
    code: str = SCHEMA
    severity: str = "ERROR"

    def text(self) -> str:
        """As in the message of InvalidDefinition."""
        where = f" at {self.location}" if self.location else ""
        return f"{self.code}: {self.message}{where}"


def expressions(value: Any, where: str) -> Iterator[Diagnostic]:
    """The JSONata expressions anywhere below a field."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from expressions(item, f"{where}/{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from expressions(item, f"{where}[{index}]")
    elif (text := expression(value)) is not None:
        try:
            compiled(text)
        except ExpressionSyntaxError as error:
            yield Diagnostic(f"The JSONata expression is not valid: {error}", where)


def article(kind: type) -> str:
    return {str: "a string", list: "a list", dict: "an object", bool: "a boolean"}[kind]


def whole(value: Any, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def is_expression(value: Any) -> bool:
    """Whether it is a JSONata expression."""
    return isinstance(value, str) and value.startswith("{%") and value.endswith("%}")


def number_field(
    block: Json, name: str, where: str, low: int, high: int, language: str = JSONPATH
) -> Iterator[Diagnostic]:
    """A whole number, where the block has the field; in JSONata an expression may stand for it."""
    value = block.get(name, low)
    if not whole(value, low, high) and not (language == JSONATA and is_expression(value)):
        yield Diagnostic(
            f"The value for the field '{name}' must be an integer from {low} to {high}",
            f"{where}/{name}",
        )


def assignment(block: Json, where: str, language: str) -> Iterator[Diagnostic]:
    """The Assign of a state, a choice rule or a catcher."""
    place = f"{where}/Assign"
    if not isinstance(block.get("Assign", {}), dict):
        yield Diagnostic("The value for the field 'Assign' must be an object", place)
    elif language == JSONPATH:
        yield from template(block.get("Assign", {}), place)


def targets(state: Json) -> Iterator[tuple[str, Any]]:
    """(field, name of the state it leads to), for every transition of the state."""
    for name in ("Next", "Default"):
        if name in state:
            yield name, state[name]
    for list_name in ("Choices", "Catch"):
        blocks = state.get(list_name)
        for index, block in enumerate(blocks if isinstance(blocks, list) else ()):
            if isinstance(block, dict) and "Next" in block:
                yield f"{list_name}[{index}]/Next", block["Next"]


def path_field(value: Any, where: str, name: str, calls: bool) -> Iterator[Diagnostic]:
    try:
        if calls and isinstance(value, str) and intrinsics.is_call(value):
            intrinsics.parse(value)
        elif isinstance(value, str):
            paths.parse(value)
        else:
            raise paths.PathSyntaxError(str(value))
    except (paths.PathSyntaxError, intrinsics.IntrinsicSyntaxError):
        yield Diagnostic(f"Value is not a valid JSONPath: '{value}' (field '{name}')", where)


def reference_field(value: Any, where: str) -> Iterator[Diagnostic]:
    try:
        paths.parse_reference(value if isinstance(value, str) else "")
    except paths.PathSyntaxError:
        yield Diagnostic(f"Value is not a Reference Path: '{value}'", where)


def template(value: Any, where: str) -> Iterator[Diagnostic]:
    """The paths and intrinsic functions of a payload template."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from template(item, f"{where}[{index}]")
    if not isinstance(value, dict):
        return
    for key, item in value.items():
        place = f"{where}/{key}"
        if not key.endswith(".$"):
            yield from template(item, place)
            continue
        try:
            if not isinstance(item, str):
                raise paths.PathSyntaxError(str(item))
            if intrinsics.is_call(item):
                intrinsics.parse(item)
            else:
                paths.parse(item)
        except (paths.PathSyntaxError, intrinsics.IntrinsicSyntaxError):
            yield Diagnostic(
                f"The value for the field '{key}' must be a valid JSONPath or a valid intrinsic"
                " function call",
                where,
            )


def handlers(blocks: Any, where: str, name: str, language: str) -> Iterator[Diagnostic]:
    """Retriers and catchers: what they must have, and where States.ALL may stand."""
    if not isinstance(blocks, list):
        yield Diagnostic(f"The field '{name}' must be a list", where)
        return
    required = ["ErrorEquals"] + (["Next"] if name == "Catch" else [])
    for index, block in enumerate(blocks):
        place = f"{where}[{index}]"
        if not isinstance(block, dict):
            yield Diagnostic(f"The values of the field '{name}' must be objects", place)
            continue
        missing = [field for field in required if field not in block]
        if missing:
            yield Diagnostic(f"These fields are required: [{', '.join(missing)}]", place)
            continue
        errors = block["ErrorEquals"]
        named = isinstance(errors, list) and all(isinstance(error, str) for error in errors)
        if not named or not errors:
            yield Diagnostic("The field 'ErrorEquals' must be a list of error names", place)
            continue
        if "States.ALL" in errors and (len(errors) > 1 or index < len(blocks) - 1):
            yield Diagnostic(
                "States.ALL must appear alone in ErrorEquals and in the last "
                + ("retrier" if name == "Retry" else "catcher"),
                f"{place}/ErrorEquals",
            )
        if name == "Retry":
            yield from _retrier(block, place)
            continue
        if block.get("ResultPath") is not None:
            yield from reference_field(block["ResultPath"], f"{place}/ResultPath")
        yield from assignment(block, place, language)


def _retrier(block: Json, where: str) -> Iterator[Diagnostic]:
    limits = {
        "IntervalSeconds": (1, 99_999_999),
        "MaxAttempts": (0, 99_999_999),
        "MaxDelaySeconds": (1, 31_622_399),
    }
    for name, (low, high) in limits.items():
        yield from number_field(block, name, where, low, high)
    rate = block.get("BackoffRate", 2)
    if isinstance(rate, bool) or not isinstance(rate, int | float) or rate < 1:
        yield Diagnostic(
            "The value for the field 'BackoffRate' must be a number of at least 1.0",
            f"{where}/BackoffRate",
        )
    if block.get("JitterStrategy", "NONE") not in ("NONE", "FULL"):
        yield Diagnostic(
            "The field 'JitterStrategy' should have one of these values: [NONE, FULL]",
            f"{where}/JitterStrategy",
        )
    allowed = {"ErrorEquals", "Comment", "BackoffRate", "JitterStrategy", *limits}
    for name in block:
        if name not in allowed:
            yield Diagnostic(f"Field '{name}' is not supported", where)


def choice_rule(rule: Json, where: str, *, top: bool) -> Iterator[Diagnostic]:
    if not top and "Next" in rule:
        yield Diagnostic("Field 'Next' is not supported", where)
    combined: list[str] = [name for name in ("And", "Or", "Not") if name in rule]
    if combined:
        name = combined[0]
        parts = [rule[name]] if name == "Not" else rule[name]
        if not isinstance(parts, list) or not parts:
            yield Diagnostic(f"The field '{name}' must be a list with a rule", where)
            return
        for index, part in enumerate(parts):
            place = f"{where}/{name}" + ("" if name == "Not" else f"[{index}]")
            if isinstance(part, dict):
                yield from choice_rule(part, place, top=False)
            else:
                yield Diagnostic("A choice rule must be an object", place)
        return
    operators = [name for name in rule if name in choice.OPERATORS]
    if "Variable" not in rule:
        yield Diagnostic("These fields are required: [Variable]", where)
    else:
        yield from path_field(rule["Variable"], f"{where}/Variable", "Variable", calls=False)
    if len(operators) != 1:
        yield Diagnostic("Exactly one comparison operator is required", where)
        return
    known = {"Variable", "Next", "Comment", "Assign", *operators}
    for name in rule:
        if name not in known:
            yield Diagnostic(f"Field '{name}' is not supported", where)
    yield from _operand(operators[0], rule[operators[0]], f"{where}/{operators[0]}")


def _operand(operator: str, value: Any, where: str) -> Iterator[Diagnostic]:
    if operator.endswith("Path"):
        yield from path_field(value, where, operator, calls=False)
        return
    kind = "a string"
    fits = isinstance(value, str)
    if operator.startswith(("Is", "Boolean")):
        kind, fits = "a boolean", isinstance(value, bool)
    elif operator.startswith("Numeric"):
        kind = "a number"
        fits = isinstance(value, int | float) and not isinstance(value, bool)
    elif operator.startswith("Timestamp") and timestamps.parse(value) is None:
        yield Diagnostic("String does not match RFC3339 timestamp", where)
        return
    if not fits:
        yield Diagnostic(f"The value for the field '{operator}' must be {kind}", where)


def arguments(state: Json, where: str, resource: Resource, language: str) -> Iterator[Diagnostic]:
    name = "Arguments" if language == JSONATA else "Parameters"
    if resource.is_http and name in state:
        for problem in http_tasks.problems(resource, state[name]):
            yield Diagnostic(problem, f"{where}/{name}")
        return
    service = models.botocore_name(resource.service)
    if resource.is_function or name not in state or service is None:
        return
    operation = models.operation_model(service, resource.operation)
    given = state[name]
    if operation is None or not isinstance(given, dict):
        return
    for problem in problems(operation.input_shape, given):
        yield Diagnostic(problem, f"{where}/{name}")


def warnings(state: Json, where: str) -> Iterator[Diagnostic]:
    """Values that look like paths in places where they are only texts.

    https://docs.aws.amazon.com/step-functions/latest/apireference/API_ValidateStateMachineDefinitionDiagnostic.html
    """
    for name in ("Parameters", "ResultSelector", "ItemSelector", "Assign"):
        for key, place in _looks_dynamic(state.get(name), f"{where}/{name}"):
            yield Diagnostic(
                f"The value of the field '{key}' looks like a JSONPath or an intrinsic function"
                f" call, but the field's name does not end with .$",
                place,
                code="NO_DOLLAR",
                severity="WARNING",
            )
    for _, place in _looks_dynamic({"Result": state.get("Result")}, where):
        yield Diagnostic(
            "The Result of a Pass is static: what looks like a path in it is only a text",
            place,
            code="PASS_RESULT_IS_STATIC",
            severity="WARNING",
        )
    for name in ("Error", "Cause"):
        if _is_dynamic(state.get(name)):
            yield Diagnostic(
                f"The value of the field '{name}' looks like a path, but the field's name does not"
                " end with Path",
                f"{where}/{name}",
                code="NO_PATH",
                severity="WARNING",
            )


def _looks_dynamic(value: Any, where: str) -> Iterator[tuple[str, str]]:
    """(key, place) of every text below the value that is written like a path or a call."""
    entries: list[tuple[str, str, Any]] = []
    if isinstance(value, dict):
        entries = [(key, f"{where}/{key}", item) for key, item in value.items()]
    elif isinstance(value, list):
        entries = [(str(at), f"{where}[{at}]", item) for at, item in enumerate(value)]
    for key, place, item in entries:
        if _is_dynamic(item) and not key.endswith(".$"):
            yield key, place
        else:
            yield from _looks_dynamic(item, place)


def _is_dynamic(value: Any) -> bool:
    return isinstance(value, str) and (value.startswith(("$.", "$$.")) or is_call(value))


def is_call(text: str) -> bool:
    """Whether the text is the call of an intrinsic function that there is."""
    try:
        intrinsics.parse(text)
    except intrinsics.IntrinsicSyntaxError:
        return False
    return True
