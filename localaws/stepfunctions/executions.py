"""Executions: starting, stopping, running again, describing, listing."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from datetime import datetime

from localaws.core.clock import Clock
from localaws.core.service import Call, Service
from localaws.errors import AwsError
from localaws.shapes import Json
from localaws.stepfunctions import history, injection, names, timestamps
from localaws.stepfunctions.definition import parse
from localaws.stepfunctions.engine import Engine
from localaws.stepfunctions.express import Express
from localaws.stepfunctions.journal import Journal
from localaws.stepfunctions.json_text import json_problem, read_json
from localaws.stepfunctions.machines import OWNED_KEY, Machines
from localaws.stepfunctions.payload import MAX_BYTES
from localaws.stepfunctions.records import EXPRESS, Execution, express_arn
from localaws.stepfunctions.variable_references import variable_references

REDRIVE_SECONDS = 14 * 24 * 3600  # since its end
LONGEST_SECONDS = 365 * 24 * 3600  # since its start
REDRIVE_TOKEN = "redrive-token"  # resources: execution's ARN and token -> {"time"}
TOKEN_SECONDS = 15 * 60
BY_MAP_RUN = "The child executions of a Map Run are redriven with their parent"
MAX_EVENTS = 25_000
MOST_WAIT_SECONDS = 20


class Executions:
    def __init__(
        self, journal: Journal, engine: Engine, machines: Machines, express: Express, clock: Clock
    ) -> None:
        self._journal = journal
        self._express = express
        self._engine = engine
        self._machines = machines
        self._clock = clock

    def register(self, service: Service) -> None:
        started = ("stateMachineArn", "name", "input", "traceHeader")
        service.operation("StartExecution", *started)(self.start)
        service.operation("StartSyncExecution", *started, "includedData")(self.start_synchronous)
        service.operation("StopExecution", "executionArn", "error", "cause")(self.stop)
        service.operation("RedriveExecution", "executionArn", "clientToken")(self.redrive)
        service.operation("DescribeExecution", "executionArn", "includedData")(self.describe)
        service.operation("DescribeStateMachineForExecution", "executionArn", "includedData")(
            self.describe_machine
        )
        service.operation(
            "ListExecutions",
            "stateMachineArn",
            "statusFilter",
            "maxResults",
            "nextToken",
            "mapRunArn",
            "redriveFilter",
        )(self.list_executions)
        service.operation(
            "GetExecutionHistory",
            "executionArn",
            "maxResults",
            "reverseOrder",
            "nextToken",
            "includeExecutionData",
        )(self.history)

    # --- start and stop ------------------------------------------------------------------------

    def start(self, call: Call) -> Json:
        """Raises InvalidName, InvalidExecutionInput, ExecutionAlreadyExists.

        Idempotent: the same name and input text while the execution runs is the same execution.
        """
        params, now = call.params, self._clock.now()
        text = params.get("input", "{}")
        check_input(text)
        name = params.get("name") or str(uuid.uuid4())
        names.check_name(name)
        with self._journal.transaction():
            body, version_arn, alias_arn = self._machines.resolve(params["stateMachineArn"])
            machine_arn = body["stateMachineArn"]
            injections = injection.asked(call.headers, parse(body["definition"]))
            trace_header = injection.mark(injections, params.get("traceHeader"))
            about = _about(body, version_arn, alias_arn, trace_header)
            if injections:
                about[injection.KEY] = injections
            if body["type"] == EXPRESS:
                arn = express_arn(machine_arn, name, str(uuid.uuid4()))
                return self._express.start(self._new(arn, body, name, text, now, about))
            execution_arn = machine_arn.replace(":stateMachine:", ":execution:") + f":{name}"
            existing = self._journal.execution(execution_arn)
            if existing is not None:
                if existing.status == "RUNNING" and existing.input == text:
                    return _started(existing)
                raise AwsError(
                    "ExecutionAlreadyExists", f"Execution Already Exists: '{execution_arn}'"
                )
            row = self._new(execution_arn, body, name, text, now, about)
            self._journal.add_execution(row, history.started_event(row))
        self._engine.begin([row])
        return _started(row)

    def _new(
        self, arn: str, body: Json, name: str, text: str, now: datetime, about: Json
    ) -> Execution:
        """A RUNNING execution that nobody has kept or begun yet."""
        return Execution(
            id=0,
            arn=arn,
            machine_arn=body["stateMachineArn"],
            name=name,
            status="RUNNING",
            input=text,
            output=None,
            error=None,
            cause=None,
            started=now.timestamp(),
            stopped=None,
            definition=self._journal.keep_definition(body["definition"]),
            map_run_arn=None,
            redrive_count=0,
            redriven=None,
            about=about,
        )

    def start_synchronous(self, call: Call) -> Json:
        """Runs an EXPRESS machine and waits for the end. Raises as `start`, and
        StateMachineTypeNotSupported."""
        params, now = call.params, self._clock.now()
        text = params.get("input", "{}")
        check_input(text)
        name = params.get("name") or str(uuid.uuid4())
        names.check_name(name)
        body, version_arn, alias_arn = self._machines.resolve(params["stateMachineArn"])
        if body["type"] != EXPRESS:
            raise _wrong_type()
        arn = express_arn(body["stateMachineArn"], name, str(uuid.uuid4()))
        about = _about(body, version_arn, alias_arn, params.get("traceHeader"))
        row = self._new(arn, body, name, text, now, about)
        data = params.get("includedData", "ALL_DATA") == "ALL_DATA"
        return self._express.start_synchronous(row, data=data)

    def stop(self, call: Call) -> Json:
        """Ends the execution ABORTED and cancels its work; one that has ended stays as it is."""
        params = call.params
        row = self.row(params["executionArn"])
        error, cause = params.get("error"), params.get("cause")
        if row.status == "RUNNING":
            self._engine.submit(lambda: self._engine.end_aborted(row.id, error, cause), row.id)
        stopped = self.row(row.arn).stopped
        return {"stopDate": timestamps.from_epoch(stopped or self._engine.now())}

    def redrive(self, call: Call) -> Json:
        """Runs an unsuccessful execution again from where it failed; the same token within 15
        minutes is the same call. Raises ExecutionNotRedrivable with the reason that
        DescribeExecution gives."""
        now, resources = self._clock.now(), self._engine.resources
        token = call.params.get("clientToken")
        with self._journal.transaction():
            row = self.row(call.params["executionArn"])
            key = f"{row.arn}#{token}"
            before = resources.get(REDRIVE_TOKEN, key) if token is not None else None
            if before is not None and now.timestamp() - before["time"] < TOKEN_SECONDS:
                return {"redriveDate": timestamps.from_epoch(before["time"])}
            reason = self.not_redrivable(row)
            if reason is not None or row.map_run_arn is not None:
                raise AwsError(
                    "ExecutionNotRedrivable",
                    f"Execution {row.arn} invalid for redrive as: {reason or BY_MAP_RUN}",
                )
            self._journal.redrive(row.id, now.timestamp())
            if token is not None:
                resources.put(REDRIVE_TOKEN, key, row.arn, {"time": now.timestamp()})
            row = self.row(row.arn)
        self._engine.redrive([row])
        return {"redriveDate": now}

    def row(self, arn: str) -> Execution:
        names.check_execution_arn(arn)
        found = self._journal.execution(arn)
        if found is None:
            raise AwsError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")
        return found

    def _any_row(self, arn: str) -> Execution:
        """Also an EXPRESS one, where a Map Run has started it."""
        found = self._journal.execution(arn)
        return self.row(arn) if found is None else found

    # --- reading -------------------------------------------------------------------------------

    def describe(self, call: Call) -> Json:
        params = call.params
        row = self._any_row(params["executionArn"])
        data = params.get("includedData", "ALL_DATA") == "ALL_DATA"
        shown = {
            "executionArn": row.arn,
            "stateMachineArn": row.machine_arn,
            "name": row.name,
            "status": row.status,
            "startDate": timestamps.from_epoch(row.started),
            "stopDate": _date(row.stopped),
            "input": row.input if data else None,
            "inputDetails": {"included": data},
            "output": row.output if data else None,
            "outputDetails": {"included": data} if row.output is not None else None,
            "traceHeader": row.about.get("trace_header"),
            "mapRunArn": row.map_run_arn,
            "error": row.error,
            "cause": row.cause,
            "stateMachineVersionArn": row.about.get("version_arn"),
            "stateMachineAliasArn": row.about.get("alias_arn"),
            "redriveCount": row.redrive_count,
            "redriveDate": _date(row.redriven),
        }
        reason = self.not_redrivable(row)
        if row.express:
            del shown["redriveDate"]
            return {key: value for key, value in shown.items() if value is not None}
        able = "REDRIVABLE" if row.map_run_arn is None else "REDRIVABLE_BY_MAP_RUN"
        shown["redriveStatus"] = "NOT_REDRIVABLE" if reason else able
        shown["redriveStatusReason"] = reason
        return {key: value for key, value in shown.items() if value is not None}

    def not_redrivable(self, row: Execution) -> str | None:
        """Why the execution cannot be redriven; None when it can."""
        if row.status == "RUNNING":
            return "Execution is RUNNING and cannot be redriven"
        if row.status == "SUCCEEDED":
            return "Execution is SUCCEEDED and cannot be redriven"
        if self._engine.now() - row.started > LONGEST_SECONDS:
            return "Execution has exceeded the max execution time"
        if self._engine.now() - (row.stopped or row.started) > REDRIVE_SECONDS:
            return "Execution redrivable period exceeded"
        last = self._journal.events(row.id, reverse=True, limit=1)
        if last and last[0].id >= MAX_EVENTS - 1:
            return "Execution has exceeded the maximum history event limit"
        return None

    def describe_machine(self, call: Call) -> Json:
        """The machine as it was when the execution started."""
        row = self._any_row(call.params["executionArn"])
        about, definition = row.about, self._journal.definition(row.definition)
        shown = {
            "stateMachineArn": row.machine_arn,
            "name": row.machine_arn.rsplit(":", 1)[1],
            "definition": definition,
            "roleArn": about["role_arn"],
            "updateDate": timestamps.from_epoch(about["update_date"]),
            "loggingConfiguration": about["logging"],
            "tracingConfiguration": about["tracing"],
            "encryptionConfiguration": OWNED_KEY,
            "mapRunArn": row.map_run_arn,
            "revisionId": about.get("revision"),
            "variableReferences": variable_references(definition) or None,
        }
        return {key: value for key, value in shown.items() if value is not None}

    def list_executions(self, call: Call) -> Json:
        """Newest first; by machine, version, alias or map run."""
        params = call.params
        arn, map_run = params.get("stateMachineArn"), params.get("mapRunArn")
        if (arn is None) == (map_run is None):
            raise AwsError(
                "ValidationException", "Must specify exactly one of stateMachineArn or mapRunArn"
            )
        qualified = None
        if arn is not None:
            names.check_machine_arn(arn)
            if self._machines.machine(names.base_arn(arn))["type"] == EXPRESS:
                raise _wrong_type()
            qualified = arn if names.qualifier(arn) is not None else None
        size = params.get("maxResults") or 100
        before = names.read_page_token(params.get("nextToken")).get("before")
        found: list[Execution] = []
        while len(found) <= size:
            rows = self._journal.executions(
                machine_arn=None if arn is None else names.base_arn(arn),
                map_run_arn=map_run,
                status=params.get("statusFilter"),
                before=before,
                limit=size + 1,
            )
            found += [row for row in rows if _listed(row, qualified, params.get("redriveFilter"))]
            if len(rows) <= size:
                break
            before = rows[-1].id
        page = found[:size]
        answer: Json = {"executions": [_item(row) for row in page]}
        if len(found) > size:
            answer["nextToken"] = names.page_token(before=page[-1].id)
        return answer

    def _wait_for_news(self, arn: str, headers: Mapping[str, str]) -> None:
        """Holds a request with `Prefer: wait=SECONDS` (RFC 7240) and `If-None-Match: "ID"` until
        the execution has an event after ID, or is over. AWS ignores both headers: a client that
        sends them gets its news at once from here, and polls there."""
        asked = re.fullmatch(r"wait=(\d{1,2})", headers.get("Prefer", ""))
        known = re.fullmatch(r'"(\d{1,5})"', headers.get("If-None-Match", ""))
        if asked is None or known is None:
            return
        execution, last = self.row(arn).id, int(known[1])

        def news() -> bool:
            return bool(self._journal.events(execution, first=last + 1, limit=1)) or (
                self.row(arn).status != "RUNNING"
            )

        self._engine.wait_until(news, min(float(asked[1]), MOST_WAIT_SECONDS))

    def history(self, call: Call) -> Json:
        params = call.params
        self._wait_for_news(params["executionArn"], call.headers)
        row = self.row(params["executionArn"])
        reverse = bool(params.get("reverseOrder"))
        data = params.get("includeExecutionData", True)
        size = params.get("maxResults") or 100
        position = names.read_page_token(params.get("nextToken")).get("next")
        bounds = {}
        if position is not None:
            bounds = {"last" if reverse else "first": int(position)}
        events = self._journal.events(row.id, reverse=reverse, limit=size + 1, **bounds)
        answer: Json = {"events": [history.shown(event, data=data) for event in events[:size]]}
        if len(events) > size:
            answer["nextToken"] = names.page_token(next=events[size].id)
        return answer


def check_input(text: str) -> None:
    """Raises InvalidExecutionInput for what is no JSON or has more than 256 KiB."""
    if len(text.encode()) > MAX_BYTES:
        raise AwsError(
            "InvalidExecutionInput",
            f"Invalid State Machine Execution Input: 'The input must not exceed {MAX_BYTES} bytes'",
        )
    try:
        read_json(text)
    except ValueError as error:
        problem = json_problem(text, error) if text else "Invalid execution input."
        raise AwsError(
            "InvalidExecutionInput", f"Invalid State Machine Execution Input: '{problem}'"
        ) from error


def _about(
    body: Json, version_arn: str | None, alias_arn: str | None, trace_header: str | None
) -> Json:
    """What an execution keeps of the machine as it is now."""
    return {
        "role_arn": body["roleArn"],
        "version_arn": version_arn,
        "alias_arn": alias_arn,
        "trace_header": trace_header,
        "revision": body["revisionId"],
        "update_date": body["updateDate"] or body["creationDate"],
        "logging": body["loggingConfiguration"],
        "tracing": body["tracingConfiguration"],
    }


def _wrong_type() -> AwsError:
    return AwsError(
        "StateMachineTypeNotSupported",
        # GUESSED: StartSyncExecution of a STANDARD machine has the words of ListExecutions of an
        #     EXPRESS one.
        "This operation is not supported by this type of state machine",
    )


def _started(row: Execution) -> Json:
    return {"executionArn": row.arn, "startDate": timestamps.from_epoch(row.started)}


def _date(seconds: float | None) -> datetime | None:
    return None if seconds is None else timestamps.from_epoch(seconds)


def _listed(row: Execution, qualified: str | None, redriven: str | None) -> bool:
    if qualified is not None and qualified not in (
        row.about.get("version_arn"),
        row.about.get("alias_arn"),
    ):
        return False
    if redriven is not None:
        return (row.redrive_count > 0) == (redriven == "REDRIVEN")
    return True


def _item(row: Execution) -> Json:
    item = {
        "executionArn": row.arn,
        "stateMachineArn": row.machine_arn,
        "name": row.name,
        "status": row.status,
        "startDate": timestamps.from_epoch(row.started),
        "stopDate": _date(row.stopped),
        "mapRunArn": row.map_run_arn,
        "stateMachineVersionArn": row.about.get("version_arn"),
        "stateMachineAliasArn": row.about.get("alias_arn"),
        "redriveCount": row.redrive_count,
        "redriveDate": _date(row.redriven),
    }
    return {key: value for key, value in item.items() if value is not None}
