"""Whether a definition is right: AWS's diagnostics, before anything is created.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_ValidateStateMachineDefinition.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from localaws.shapes import Json
from localaws.stepfunctions import map_rules, timestamps
from localaws.stepfunctions.definition import JSONATA, JSONPATH, inner_bodies
from localaws.stepfunctions.field_rules import (
    Diagnostic,
    arguments,
    article,
    assignment,
    choice_rule,
    expressions,
    handlers,
    is_expression,
    number_field,
    path_field,
    reference_field,
    targets,
    template,
    warnings,
    whole,
)
from localaws.stepfunctions.integrations.resources import SYNC, Resource, ResourceError
from localaws.stepfunctions.json_text import json_location, json_problem
from localaws.stepfunctions.records import EXPRESS
from localaws.stepfunctions.state_fields import (
    CALLS_ALLOWED,
    COMMON,
    EXCLUSIVE,
    FIELDS,
    GROUP_FIELDS,
    HANDLING,
    JSON_TYPES,
    MACHINE_FIELDS,
    NULLABLE,
    PATH_FIELDS,
    REQUIRED,
    TEMPLATES,
    TYPES,
)

Check = Callable[[Resource], None]  # raises ResourceError or NotEmulated

MAX_BYTES = 1024 * 1024
MAX_NAME = 80
TARGET = "MISSING_TRANSITION_TARGET"


def invalid_definition(found: list[Diagnostic]) -> str:
    """The message of InvalidDefinition."""
    return f"Invalid State Machine Definition: '{', '.join(item.text() for item in found)}'"


def diagnose(text: str, check: Check, type_: str = "STANDARD") -> list[Diagnostic]:
    """Every finding, errors first. `check` refuses resources. Raises NotEmulated, by name, for
    what AWS would accept and this runtime lacks."""
    if not text.strip():
        return [Diagnostic("Definition must be a valid JSON object")]
    if len(text.encode()) > MAX_BYTES:
        return [Diagnostic("Definition must not exceed 1048576 bytes")]
    try:
        body = json.loads(text)
    except ValueError as error:
        place = json_location(text, error)
        message = f"{json_problem(text, error)}\n at {place}"
        return [Diagnostic(message, place, code="INVALID_JSON_DESCRIPTION")]
    if not isinstance(body, dict):
        return [Diagnostic("Definition must be a valid JSON object")]
    checker = _Checker(check, type_)
    found = list(checker.machine(body))
    return sorted(found, key=lambda item: item.severity != "ERROR")


class _Checker:
    def __init__(self, check: Check, type_: str) -> None:
        self._check = check
        self._type = type_
        self._language = JSONPATH
        self._names: set[str] = set()

    def machine(self, body: Json) -> Iterator[Diagnostic]:
        language = body.get("QueryLanguage", JSONPATH)
        if language not in (JSONPATH, JSONATA):
            yield Diagnostic(
                "The field 'QueryLanguage' should have one of these values: [JSONPath, JSONata]",
                "/QueryLanguage",
            )
            return
        timeout = body.get("TimeoutSeconds")
        if timeout is not None and not whole(timeout, 1, 99_999_999):
            yield Diagnostic(
                "The value for the field 'TimeoutSeconds' must be an integer from 1 to 99999999",
                "/TimeoutSeconds",
            )
        yield from self._unknown(body, MACHINE_FIELDS, "/")
        self._language = language
        yield from self.group(body, "")

    def _unknown(self, body: Json, allowed: set[str], where: str) -> Iterator[Diagnostic]:
        for name in body:
            if name not in allowed:
                yield Diagnostic(f"Field '{name}' is not supported", where)

    def group(self, body: Json, where: str) -> Iterator[Diagnostic]:
        missing = [name for name in ("States", "StartAt") if name not in body]
        if missing:
            yield Diagnostic(f"These fields are required: [{', '.join(missing)}]", where or "/")
            return
        states, start = body["States"], body["StartAt"]
        if not isinstance(states, dict) or not states:
            yield Diagnostic("The field 'States' must be an object with a state", f"{where}/States")
            return
        if not isinstance(start, str) or start not in states:
            yield Diagnostic(f"Missing 'StartAt' target: {start}", f"{where}/StartAt", code=TARGET)
        for name, state in states.items():
            place = f"{where}/States/{name}"
            if len(name) > MAX_NAME:
                yield Diagnostic(f"State name must not exceed {MAX_NAME} characters", place)
            if name in self._names:
                yield Diagnostic(
                    f"State name '{name}' is not unique", place, code="DUPLICATE_STATE_NAME"
                )
            self._names.add(name)
            if not isinstance(state, dict):
                yield Diagnostic("A state must be an object", place)
                continue
            yield from self.state(state, place)
        yield from self._transitions(states, start, where)

    def _transitions(self, states: Json, start: Any, where: str) -> Iterator[Diagnostic]:
        reached, todo = set(), [start]
        terminal = False
        for name, state in states.items():
            if not isinstance(state, dict):
                continue
            terminal = (
                terminal or state.get("Type") in ("Succeed", "Fail") or bool(state.get("End"))
            )
            for field, target in targets(state):
                if not isinstance(target, str) or target not in states:
                    yield Diagnostic(
                        f"Missing '{field.rsplit('/', 1)[-1]}' target: {target}",
                        f"{where}/States/{name}/{field}",
                        code=TARGET,
                    )
        while todo:
            name = todo.pop()
            if not isinstance(name, str) or name in reached:
                continue
            if not isinstance(states.get(name), dict):
                continue
            reached.add(name)
            todo += [target for _, target in targets(states[name])]
        for name in states:
            if name not in reached and isinstance(start, str) and start in states:
                yield Diagnostic(
                    f'State "{name}" is not reachable.', f"{where}/States/{name}", code=TARGET
                )
        if not terminal:
            yield Diagnostic(
                "No state ends the workflow: none is terminal",
                f"{where}/States" if where else "/States",
                code="MISSING_END_STATE",
                severity="WARNING",
            )

    def state(self, state: Json, where: str) -> Iterator[Diagnostic]:
        kind = state.get("Type")
        if not isinstance(kind, str) or kind not in FIELDS:
            if kind is None:
                yield Diagnostic("These fields are required: [Type]", where)
            else:
                yield Diagnostic(
                    f"The field 'Type' should have one of these values: [{', '.join(TYPES)}]",
                    f"{where}/Type",
                )
            return
        wrong = [
            Diagnostic(
                f"The value for the field '{name}' must be {article(JSON_TYPES[name])}", where
            )
            for name in state
            if name in JSON_TYPES and not isinstance(state[name], JSON_TYPES[name])
        ]
        if wrong:
            yield from wrong
            return
        language = state.get("QueryLanguage", self._language)
        if self._language == JSONATA and language == JSONPATH:
            yield Diagnostic(
                "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine",
                where,
            )
        both, jsonpath, jsonata = FIELDS[kind]
        allowed = COMMON | both | (jsonata if language == JSONATA else jsonpath)
        yield from self._unknown(state, allowed, where)
        missing = [name for name in REQUIRED.get(kind, ()) if name not in state]
        if missing:
            yield Diagnostic(f"These fields are required: [{', '.join(missing)}]", where)
        for one, other in EXCLUSIVE:
            if one in state and other in state:
                yield Diagnostic(f"Only one of these fields is allowed: [{one}, {other}]", where)
        if "Next" in FIELDS[kind][0] and "Next" not in state and state.get("End") is not True:
            yield Diagnostic("One of these fields is required: [Next, End]", where)
        yield from self._fields(state, where, language)
        if language == JSONPATH:
            yield from warnings(state, where)
        yield from KIND_CHECKS.get(kind, _no_check)(self, state, where, language)

    def _fields(self, state: Json, where: str, language: str) -> Iterator[Diagnostic]:
        for name in ("TimeoutSeconds", "HeartbeatSeconds"):
            yield from number_field(state, name, where, 1, 99_999_999, language)
        timeout: Any = state.get("TimeoutSeconds")
        heartbeat: Any = state.get("HeartbeatSeconds")
        both_given = isinstance(timeout, int) and isinstance(heartbeat, int)
        if both_given and heartbeat >= timeout:
            yield Diagnostic("HeartbeatSeconds must be smaller than TimeoutSeconds", where)
        for name in HANDLING & state.keys():
            yield from handlers(state[name], f"{where}/{name}", name, language)
        if language == JSONATA:
            yield from expressions(
                {key: value for key, value in state.items() if key not in GROUP_FIELDS}, where
            )
            return
        for name in PATH_FIELDS:
            if name in state and not (name in NULLABLE and state[name] is None):
                yield from path_field(state[name], f"{where}/{name}", name, name in CALLS_ALLOWED)
        if state.get("ResultPath") is not None:
            yield from reference_field(state["ResultPath"], f"{where}/ResultPath")
        for name in TEMPLATES:
            if name in state:
                yield from template(state[name], f"{where}/{name}")

    # --- by type ---------------------------------------------------------------------------

    def task(self, state: Json, where: str, language: str) -> Iterator[Diagnostic]:
        arn = state.get("Resource")
        if arn is None:
            return
        place = f"{where}/Resource"
        if not isinstance(arn, str):
            yield Diagnostic("The value for the field 'Resource' must be a string", place)
            return
        try:
            resource = Resource.parse(arn)
            if self._type == EXPRESS and (resource.pattern or resource.is_activity):
                what = f"'.{resource.pattern}' service integration"
                what += "" if resource.pattern == SYNC else " "  # as AWS writes it
                what = "Activity ARN" if resource.is_activity else what
                yield Diagnostic(f"Express state machine does not support {what}", place)
                return
            self._check(resource)
        except ResourceError as error:
            yield Diagnostic(str(error), place)
            return
        if not {"RoleArn", "RoleArn.$"} & set(state.get("Credentials", {"RoleArn": ""})):
            yield Diagnostic(
                "The field 'RoleArn' is required but was missing", f"{where}/Credentials"
            )
        yield from arguments(state, where, resource, language)

    def wait(self, state: Json, where: str, language: str) -> Iterator[Diagnostic]:
        names = ("Seconds", "Timestamp", "SecondsPath", "TimestampPath")
        if sum(name in state for name in names) != 1:
            yield Diagnostic(
                f"Exactly one of these fields is required: [{', '.join(names)}]", where
            )
        yield from number_field(state, "Seconds", where, 0, 99_999_999, language)
        until = state.get("Timestamp")
        computed = language == JSONATA and is_expression(until)
        if "Timestamp" in state and not computed and timestamps.parse(until) is None:
            yield Diagnostic(
                "String does not match RFC3339 timestamp",
                f"{where}/Timestamp",
            )

    def choices(self, state: Json, where: str, language: str) -> Iterator[Diagnostic]:
        rules = state.get("Choices")
        if not isinstance(rules, list) or not rules:
            yield Diagnostic("The field 'Choices' must be a list with a rule", f"{where}/Choices")
            return
        for index, rule in enumerate(rules):
            place = f"{where}/Choices[{index}]"
            if not isinstance(rule, dict):
                yield Diagnostic("A choice rule must be an object", place)
                continue
            if "Next" not in rule:
                yield Diagnostic("These fields are required: [Next]", place)
            yield from assignment(rule, place, language)
            if language == JSONATA:
                condition = rule.get("Condition")
                if not is_expression(condition) and not isinstance(condition, bool):
                    yield Diagnostic("The field 'Condition' must be a JSONata expression", place)
            else:
                yield from choice_rule(rule, place, top=True)

    def groups(self, state: Json, where: str) -> Iterator[Diagnostic]:
        for index, body in enumerate(inner_bodies(state)):
            parallel = state["Type"] == "Parallel"
            name = "ItemProcessor" if "ItemProcessor" in state else "Iterator"
            place = f"{where}/Branches[{index}]" if parallel else f"{where}/{name}"
            if not isinstance(body, dict):
                yield Diagnostic("It must be an object with StartAt and States", place)
                continue
            allowed = {"StartAt", "States", "Comment", "ProcessorConfig"}
            yield from self._unknown(
                body, allowed - ({"ProcessorConfig"} if parallel else set()), place
            )
            yield from self.group(body, place)

    def parallel(self, state: Json, where: str, language: str) -> Iterator[Diagnostic]:
        branches = state.get("Branches")
        if not isinstance(branches, list) or not branches:
            yield Diagnostic("Value cannot be empty", f"{where}/Branches")
            return
        yield from self.groups(state, where)

    def map(self, state: Json, where: str, language: str) -> Iterator[Diagnostic]:
        yield from map_rules.check(state, where, language)
        if self._type == EXPRESS and map_rules.is_distributed(state):
            yield Diagnostic("Express state machine does not support Distributed Map", where)
        around = self._type
        if map_rules.has_express_children(state):
            self._type = EXPRESS
        yield from self.groups(state, where)
        self._type = around


def _no_check(*_: Any) -> Iterator[Diagnostic]:
    return iter(())


KIND_CHECKS: dict[str, Callable[[_Checker, Json, str, str], Iterator[Diagnostic]]] = {
    "Task": _Checker.task,
    "Wait": _Checker.wait,
    "Choice": _Checker.choices,
    "Parallel": _Checker.parallel,
    "Map": _Checker.map,
}
