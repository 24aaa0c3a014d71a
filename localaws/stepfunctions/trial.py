"""TestState: one state, run once, without an execution.

The state's data flow is that of the engine: the same language, integrations, retriers and
catchers. A Wait does not wait. A task is really called unless `mock` answers for it; a `.sync` or
`.waitForTaskToken` task needs the mock, since nothing would wait for its end, and so does a
Parallel or Map, whose inner states do not run.
https://docs.aws.amazon.com/step-functions/latest/dg/test-state-isolation.html
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from localaws.core.clock import Clock
from localaws.core.service import Call, Service
from localaws.errors import AwsError
from localaws.shapes import Json
from localaws.stepfunctions import (
    map_items,
    payload,
    retry,
    tasks,
    timestamps,
    trial_context,
    trial_mocks,
    validation,
)
from localaws.stepfunctions.definition import JSONPATH, State, parse
from localaws.stepfunctions.errors import (
    NO_CHOICE_MATCHED,
    TOLERANCE_EXCEEDED,
    StateError,
    runtime_error,
)
from localaws.stepfunctions.executions import check_input
from localaws.stepfunctions.field_rules import targets
from localaws.stepfunctions.integrations.resources import REFUSED, RR, Resource, ResourceError
from localaws.stepfunctions.integrations.runtime import Integrations, TaskCall
from localaws.stepfunctions.json_text import json_problem
from localaws.stepfunctions.language import Language, Scope
from localaws.stepfunctions.states import NO_CHOICE


@dataclass
class Trial:
    """One test: what the state did, step by step. `seen` is the inspection data; `given` are the
    caller's texts, whose spelling a value keeps that is passed on as it is."""

    state: State
    language: Language
    scope: Scope
    mock: Json | None  # its result is parsed and checked
    settings: Json
    integrations: Integrations
    given: list[str]
    now: datetime
    account: str
    seen: Json = field(default_factory=dict)

    def run(self) -> Json:
        """The answer's members except `inspectionData`."""
        try:
            return self._run()
        except StateError as failure:
            return self._failed(failure)

    def _run(self) -> Json:
        body, kind = self.state.body, self.state.type
        value = self.language.input(self.scope)
        if self._jsonpath and kind != "Parallel" and not (kind == "Pass" and "Result" in body):
            self.seen["afterInputPath"] = self._text(value)
        if kind == "Choice":
            target, output, assigned = self.language.choose(self.scope)
            if target is None:
                raise StateError(NO_CHOICE_MATCHED, NO_CHOICE)
            return self._left(output, assigned, target)
        if kind == "Fail":
            raise StateError(
                self.language.text(self.scope, "Error"), self.language.text(self.scope, "Cause")
            )
        if kind in ("Wait", "Succeed"):
            self._wait() if kind == "Wait" else None
            result = value
        else:
            result = self._result(kind)
            self._selected(result)
        output, assigned = self.language.output(self.scope, result)
        return self._left(output, assigned, body.get("Next"))

    @property
    def _jsonpath(self) -> bool:
        return self.state.language == JSONPATH

    def _text(self, value: Any) -> str:
        plain = payload.dumps(value)
        return next((t for t in self.given if payload.dumps(json.loads(t)) == plain), plain)

    def _part(self, value: Any) -> str:
        """A part of what the caller gave, spelled as there."""
        spaced = json.dumps(value, ensure_ascii=False)
        return spaced if any(spaced in text for text in self.given) else self._text(value)

    # --- what the state does -------------------------------------------------------------------

    def _result(self, kind: str) -> Any:
        if kind == "Pass":
            return self._pass()
        if kind == "Task":
            return self._task()
        if kind == "Map":
            total = self._items()
            result = self._mocked()
            self._check_tolerance(total)
            return result
        self.language.arguments(self.scope)
        return self._mocked()

    def _pass(self) -> Any:
        if "Result" in self.state.body:
            self.seen["result"] = payload.dumps(self.state.body["Result"])
            return self.state.body["Result"]
        result = self.language.arguments(self.scope)
        if self._jsonpath:
            self.seen["afterParameters"] = self._text(result)
        return result

    def _wait(self) -> None:
        seconds = self.language.number(self.scope, "Seconds")
        if seconds is not None:
            if seconds < 0:
                raise runtime_error(f"The Seconds parameter must not be negative: {seconds}")
            return
        text = self.language.text(self.scope, "Timestamp")
        if timestamps.parse(text) is None:
            raise runtime_error(f"The Timestamp parameter does not reference a timestamp: {text}")

    def _task(self) -> Any:
        resource = Resource.parse(self.state.body["Resource"])
        arguments = self.language.arguments(self.scope)
        name = "afterParameters" if self._jsonpath else "afterArguments"
        self.seen[name] = self._text(arguments)
        if resource.service not in REFUSED:
            self.integrations.check_arguments(resource, arguments)
        if self.mock is not None:
            output = self._mocked()
        elif resource.pattern != RR or resource.is_activity:
            raise AwsError(
                "ValidationException", f"{resource.arn} cannot be tested without a mock."
            )
        else:
            call = TaskCall(
                resource,
                arguments,
                uuid.uuid4().hex * 2,
                "TestState",
                "TestState",
                self.now.timestamp(),
                role=tasks.role(self.language, self.scope, self.account),
            )
            output = self.integrations.start(call).output
            payload.check_size(payload.dumps(output), resource.label, from_task=True)
        self.seen["result"] = self._text(output)
        return output

    def _items(self) -> int:
        """How many items the Map has, with what it would give each iteration."""
        body = self.state.body
        if "ItemReader" in body:
            items = _json(self.settings.get("mapItemReaderData", "[]"), "mapItemReaderData")
        else:
            items = self.language.items(self.scope)
            if self._jsonpath:
                self.seen["afterItemsPath"] = self._part(items)
        if "ItemSelector" in body or "Parameters" in body:
            selected = map_items.selected(self.language, self.scope, items)
            self.seen["afterItemSelector"] = payload.dumps(selected)
        if "ItemBatcher" in body:
            batches = map_items.batches(self.language, self.scope, items)
            self.seen["afterItemBatcher"] = payload.dumps(batches)
        self.seen["maxConcurrency"] = map_items.concurrency(self.language, self.scope)
        count, percentage = map_items.limits(self.language, self.scope)
        if count is not None:
            self.seen["toleratedFailureCount"] = count
        if percentage is not None:
            self.seen["toleratedFailurePercentage"] = percentage
        return len(items)

    def _check_tolerance(self, total: int) -> None:
        failed = self.settings.get("mapIterationFailureCount", 0)
        if failed > total:
            raise AwsError(
                "ValidationException",
                "Map iteration failure count must be less than or equal to the number of Map"
                " iterations",
            )
        borne = map_items.tolerance(self.language, self.scope, total)
        if borne is not None and failed > borne:
            raise StateError(TOLERANCE_EXCEEDED, map_items.TOLERANCE_CAUSE)

    def _mocked(self) -> Any:
        mock = self.mock or {}
        if "errorOutput" in mock:
            given = mock["errorOutput"]
            raise StateError(given.get("error"), given.get("cause"), from_task=True)
        return mock["result"]

    # --- the ends ------------------------------------------------------------------------------

    def _selected(self, result: Any) -> None:
        if not self._jsonpath:
            return
        body = self.state.body
        if "ResultSelector" in body:
            roots = {**self.scope.variables, "$": result, "$$": self.scope.context}
            result = payload.fill(body["ResultSelector"], roots)
        self.seen["afterResultSelector"] = self._text(result)
        combined = payload.put_result(body.get("ResultPath", "$"), self.scope.input, result)
        self.seen["afterResultPath"] = self._text(combined)

    def _left(self, output: Any, assigned: Json, target: str | None) -> Json:
        text = payload.dumps(output) if "OutputPath" in self.state.body else self._text(output)
        payload.check_size(text, self.state.name)
        self._assign(assigned)
        return {"status": "SUCCEEDED", "output": text, **({"nextState": target} if target else {})}

    def _assign(self, assigned: Json) -> None:
        if assigned or self.scope.variables:
            self.seen["variables"] = payload.dumps({**self.scope.variables, **assigned})

    def _failed(self, failure: StateError) -> Json:
        body = self.state.body
        told = {"error": failure.error, "cause": failure.cause}
        told = {name: text for name, text in told.items() if text is not None}
        details: Json = {}
        retriers, used = body.get("Retry", ()), self.settings.get("retrierRetryCount", 0)
        named = retry.retrier_for(retriers, [-1] * len(retriers), failure)
        if named is not None:
            details["retryIndex"] = named
            self.seen["errorDetails"] = details
            if retry.retrier_for(retriers, [used] * len(retriers), failure) is not None:
                seconds = retry.delay_seconds(retriers[named], used, lambda low, high: high)
                details["retryBackoffIntervalSeconds"] = round(seconds)
                return {"status": "RETRIABLE", **told}
        catchers = body.get("Catch", ())
        catcher = retry.catcher_for(catchers, failure)
        if catcher is None:
            return {"status": "FAILED", **told}
        self.seen["errorDetails"] = details | {"catchIndex": list(catchers).index(catcher)}
        try:
            output, assigned = self.language.caught(self.scope, catcher, failure.output())
        except StateError as another:
            return {"status": "FAILED", "error": another.error, "cause": another.cause or ""}
        self._assign(assigned)
        text = payload.dumps(output)
        return {"status": "CAUGHT_ERROR", **told, "output": text, "nextState": catcher["Next"]}


@dataclass(frozen=True)
class Trials:
    """TestState of one local AWS."""

    integrations: Integrations
    languages: dict[str, Language]
    clock: Clock
    region: str
    account: str

    def register(self, service: Service) -> None:
        service.operation(
            "TestState",
            "definition",
            "roleArn",
            "input",
            "inspectionLevel",
            "revealSecrets",
            "variables",
            "stateName",
            "mock.result",
            "mock.errorOutput",
            "mock.fieldValidationMode",
            "context",
            "stateConfiguration",
        )(self.run)

    def run(self, call: Call) -> Json:
        """The answer of TestState.

        Raises InvalidDefinition, InvalidExecutionInput, ValidationException, NotEmulated.
        """
        params, now = call.params, self.clock.now()
        text = params.get("input", "{}")
        check_input(text)
        state = _state(params)
        trial_mocks.check(params, state)
        mock = params.get("mock")
        if mock is None and state.type == "Task":
            self._check_resource(state)
        texts = ((mock or {}).get("result", ""), text, params.get("context", ""))
        spelling = [given for given in texts if _is_json(given)]
        if mock is not None and "result" in mock:
            mock = {"result": trial_mocks.result(mock, state)}
        level = params.get("inspectionLevel", "INFO")
        if params.get("revealSecrets") and level != "TRACE":
            raise AwsError("ValidationException", "revealSecrets needs the inspection level TRACE.")
        value = json.loads(text)
        variables = _object(params.get("variables", "{}"), "variables")
        if "context" in params:
            context = _object(params["context"], "context")
            trial_context.check(state, context)
        else:
            context = trial_context.usual(
                state, value, params.get("roleArn"), now, self.region, self.account
            )
        trial = Trial(
            state,
            self.languages[state.language],
            Scope(state, value, context, variables),
            mock,
            params.get("stateConfiguration") or {},
            self.integrations.acting(params.get("roleArn"), "TestState"),
            spelling,
            now,
            self.account,
        )
        answer = trial.run()
        if level != "INFO":
            answer["inspectionData"] = {"input": text, **trial.seen}
        return answer

    def _check_resource(self, state: State) -> None:
        try:
            self.integrations.check_resource(Resource.parse(state.body["Resource"]))
        except ResourceError as error:
            raise AwsError("InvalidDefinition", str(error)) from error


def _state(params: Json) -> State:
    """The state to test: the definition itself, or `stateName` of a whole machine, at any depth.
    What the other states call does not matter."""
    text, name = params["definition"], params.get("stateName")
    body = _object(text, "definition", code="InvalidDefinition")
    if name is None:
        name = trial_context.STATE_NAME
        ends = {target: {"Type": "Succeed"} for _, target in targets(body)}
        ends.pop(name, None)
        body = {"StartAt": name, "States": {name: body, **ends}}
    machine = json.dumps(body)
    found = validation.diagnose(machine, lambda resource: None)
    errors = [item for item in found if item.severity == "ERROR"]
    if errors:
        raise AwsError("InvalidDefinition", validation.invalid_definition(errors))
    for group in parse(machine).groups.values():
        if name in group.states:
            return group.states[name]
    raise AwsError("ValidationException", "State not found in definition")


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _json(text: str, name: str, code: str = "ValidationException") -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise AwsError(code, f"{name} is no JSON: {json_problem(text, error)}") from error


def _object(text: str, name: str, code: str = "ValidationException") -> Json:
    value = _json(text, name, code)
    if not isinstance(value, dict):
        raise AwsError(code, f"{name} must be a JSON object.")
    return value
