"""TestState: one state, run once, without an execution.

The state's data flow is that of the engine: the same language, integrations, retriers and
catchers. A Wait does not wait. A task is really called unless `mock` answers for it; a `.sync` or
`.waitForTaskToken` task needs the mock, since nothing would wait for its end.
https://docs.aws.amazon.com/step-functions/latest/dg/test-state-isolation.html
"""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from localaws.core.errors import AwsError, NotEmulated
from localaws.stepfunctions import payload, retry, timestamps, validation
from localaws.stepfunctions.definition import JSONATA, JSONPATH, State
from localaws.stepfunctions.errors import NO_CHOICE_MATCHED, StateError, runtime_error
from localaws.stepfunctions.executions import check_input
from localaws.stepfunctions.field_rules import targets
from localaws.stepfunctions.integrations import models
from localaws.stepfunctions.integrations.resources import RR, Resource
from localaws.stepfunctions.integrations.runtime import Integrations, TaskCall
from localaws.stepfunctions.integrations.shapes import problems
from localaws.stepfunctions.language import Language, Scope
from localaws.stepfunctions.states import NO_CHOICE

Json = dict[str, Any]

TESTED = ("Task", "Pass", "Wait", "Choice", "Succeed", "Fail")
ONE_STATE = "Tested"  # AWS does not name a state that comes without a machine


@dataclass
class Trial:
    """One test: what the state did, step by step. `seen` is the inspection data."""

    state: State
    language: Language
    scope: Scope
    mock: Json | None
    retries: int
    integrations: Integrations
    seen: Json = field(default_factory=dict)

    def run(self) -> Json:
        """The answer's members except `inspectionData`."""
        try:
            return self._run()
        except StateError as failure:
            return self._failed(failure)

    def _run(self) -> Json:
        body, kind = self.state.body, self.state.type
        self._before()
        if kind == "Choice":
            target, output, assigned = self.language.choose(self.scope)
            if target is None:
                raise StateError(NO_CHOICE_MATCHED, NO_CHOICE)
            return self._left(output, assigned, target)
        if kind == "Fail":
            raise StateError(
                self.language.text(self.scope, "Error"), self.language.text(self.scope, "Cause")
            )
        if kind == "Task":
            result = self._task()
        elif kind == "Pass":
            result = body["Result"] if "Result" in body else self.language.arguments(self.scope)
        else:
            self._wait() if kind == "Wait" else None
            result = self.language.input(self.scope)
        self._after(result)
        output, assigned = self.language.output(self.scope, result)
        return self._left(output, assigned, body.get("Next"))

    # --- the steps -----------------------------------------------------------------------------

    def _before(self) -> None:
        value = self.language.input(self.scope)
        if self.state.language == JSONPATH:
            self.seen["afterInputPath"] = payload.dumps(value)
        if self.state.type in ("Task", "Pass"):
            name = "afterArguments" if self.state.language == JSONATA else "afterParameters"
            self.seen[name] = payload.dumps(self.language.arguments(self.scope))

    def _after(self, result: Any) -> None:
        self.seen["result"] = payload.dumps(result)
        if self.state.language == JSONATA:
            return
        body = self.state.body
        if "ResultSelector" in body:
            roots = {**self.scope.variables, "$": result, "$$": self.scope.context}
            result = payload.fill(body["ResultSelector"], roots)
        self.seen["afterResultSelector"] = payload.dumps(result)
        combined = payload.put_result(body.get("ResultPath", "$"), self.scope.input, result)
        self.seen["afterResultPath"] = payload.dumps(combined)

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
        self.integrations.check_arguments(resource, arguments)
        if self.mock is not None:
            return self._mocked(resource)
        if resource.pattern != RR:
            raise AwsError(
                "ValidationException",
                f"A Task with .{resource.pattern} cannot be tested without a mock.",
            )
        call = TaskCall(resource, arguments, uuid.uuid4().hex * 2, "TestState", time.time())
        output = self.integrations.start(call).output
        payload.check_size(payload.dumps(output), resource.label, from_task=True)
        return output

    def _mocked(self, resource: Resource) -> Any:
        mock = self.mock or {}
        if "errorOutput" in mock:
            given = mock["errorOutput"]
            raise StateError(given.get("error"), given.get("cause"), from_task=True)
        result = _json(mock.get("result", "null"), "mock.result")
        mode = mock.get("fieldValidationMode", "STRICT")
        if mode != "NONE":
            _check_mock(resource, result, mode)
        return result

    # --- the ends ------------------------------------------------------------------------------

    def _left(self, output: Any, assigned: Json, target: str | None) -> Json:
        text = payload.check_size(payload.dumps(output), self.state.name)
        self._assign(assigned)
        return {"status": "SUCCEEDED", "output": text, **({"nextState": target} if target else {})}

    def _assign(self, assigned: Json) -> None:
        if assigned or self.scope.variables:
            self.seen["variables"] = payload.dumps({**self.scope.variables, **assigned})

    def _failed(self, failure: StateError) -> Json:
        body = self.state.body
        told = {"error": failure.error, "cause": failure.cause}
        told = {name: text for name, text in told.items() if text is not None}
        if self.state.type == "Task":
            retriers = body.get("Retry", ())
            used = [self.retries] * len(retriers)
            index = retry.retrier_for(retriers, used, failure)
            if index is not None:
                seconds = retry.delay_seconds(retriers[index], self.retries, lambda low, high: high)
                self.seen["errorDetails"] = {
                    "retryIndex": index,
                    "retryBackoffIntervalSeconds": round(seconds),
                }
                return {"status": "RETRIABLE", **told}
        catchers = body.get("Catch", ())
        catcher = retry.catcher_for(catchers, failure)
        if catcher is None:
            return {"status": "FAILED", **told}
        self.seen["errorDetails"] = {"catchIndex": list(catchers).index(catcher)}
        try:
            output, assigned = self.language.caught(self.scope, catcher, failure.output())
        except StateError as another:
            return {"status": "FAILED", "error": another.error, "cause": another.cause or ""}
        self._assign(assigned)
        text = payload.dumps(output)
        return {"status": "CAUGHT_ERROR", **told, "output": text, "nextState": catcher["Next"]}


def run(params: Json, integrations: Integrations, languages: dict[str, Language]) -> Json:
    """The answer of TestState.

    Raises InvalidDefinition, InvalidExecutionInput, ValidationException, NotEmulated.
    """
    state = _state(params, integrations)
    text = params.get("input", "{}")
    check_input(text)
    mock = params.get("mock")
    if mock is not None and (("result" in mock) == ("errorOutput" in mock)):
        raise AwsError("ValidationException", "A mock has either a result or an errorOutput.")
    if mock is None and "roleArn" not in params:
        raise AwsError("ValidationException", "A roleArn is required when there is no mock.")
    level = params.get("inspectionLevel", "INFO")
    if params.get("revealSecrets") and level != "TRACE":
        raise AwsError("ValidationException", "revealSecrets needs the inspection level TRACE.")
    value = json.loads(text)
    variables = _object(params.get("variables", "{}"), "variables")
    context = _context(state, value, _object(params.get("context", "{}"), "context"))
    retries = (params.get("stateConfiguration") or {}).get("retrierRetryCount", 0)
    trial = Trial(
        state,
        languages[state.language],
        Scope(state, value, context, variables),
        mock,
        retries,
        integrations,
    )
    answer = trial.run()
    if level != "INFO":
        answer["inspectionData"] = {"input": text, **trial.seen}
    return answer


def _state(params: Json, integrations: Integrations) -> State:
    """The state to test: the definition itself, or `stateName` of a whole machine."""
    text, name = params["definition"], params.get("stateName")
    body = _object(text, "definition", code="InvalidDefinition")
    if name is None:
        ends = {target: {"Type": "Succeed"} for _, target in targets(body)}
        ends.pop(ONE_STATE, None)
        machine: Json = {"StartAt": ONE_STATE, "States": {ONE_STATE: body, **ends}}
        name = ONE_STATE
    else:
        machine = body
    found = validation.diagnose(json.dumps(machine), integrations.check_resource)
    errors = [item for item in found if item.severity == "ERROR"]
    if errors:
        raise AwsError("InvalidDefinition", validation.invalid_definition(errors))
    state = machine["States"].get(name)
    if state is None:
        raise AwsError(
            "ValidationException",
            f"The definition has no state {name!r}; it has: {', '.join(machine['States'])}.",
        )
    if state["Type"] not in TESTED:
        raise NotEmulated(
            "stepfunctions", "TestState", f"definition with Type {state['Type']}",
            f"Tested are {', '.join(TESTED)}.",
        )  # fmt: skip
    language = state.get("QueryLanguage", machine.get("QueryLanguage", JSONPATH))
    return State(name, state["Type"], state, language)


def _context(state: State, value: Any, given: Json) -> Json:
    """The context object: what is given, over what an execution would have."""
    usual: Json = {
        "Execution": {"Input": value},
        "State": {"Name": state.name, "RetryCount": 0},
    }
    return {
        key: {**usual.get(key, {}), **item} if isinstance(item, dict) else item
        for key, item in {**usual, **given}.items()
    }


def _check_mock(resource: Resource, result: Any, mode: str) -> None:
    """Raises ValidationException where the API could not answer so. STRICT: its names and what
    it requires; PRESENT: the names of the fields that are there."""
    service = models.botocore_name(resource.service)
    operation = models.operation_model(service, resource.operation) if service else None
    if resource.is_function or operation is None or resource.pattern != RR:
        raise NotEmulated(
            "stepfunctions", "TestState", f"mock.fieldValidationMode {mode}",
            f"The answer of {resource.arn} is not checked here; NONE is.",
        )  # fmt: skip
    given = result
    if isinstance(result, dict) and not resource.sdk:
        added = ("SdkHttpMetadata", "SdkResponseMetadata", "Payload", "JobName")
        given = {name: item for name, item in result.items() if name not in added}
    found = list(problems(operation.output_shape, given))
    if mode == "PRESENT":
        found = [problem for problem in found if "required" not in problem]
    if found:
        raise AwsError("ValidationException", f"The mock's result is not valid: {'; '.join(found)}")


def _json(text: str, name: str, code: str = "ValidationException") -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise AwsError(
            code, f"{name} is no JSON: {validation.json_problem(text, error)}"
        ) from error


def _object(text: str, name: str, code: str = "ValidationException") -> Json:
    value = _json(text, name, code)
    if not isinstance(value, dict):
        raise AwsError(code, f"{name} must be a JSON object.")
    return value
