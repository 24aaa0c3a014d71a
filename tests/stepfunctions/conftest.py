"""A local AWS with the real engine, and small services whose jobs the tests end by hand."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from localaws.core.aws import LocalAws, start
from localaws.core.service import Call, Service
from localaws.core.signals import JobEnded
from localaws.errors import AwsError
from localaws.stepfunctions import api

Json = dict[str, Any]
ROLE = "arn:aws:iam::000000000000:role/workflow"


@dataclass
class Jobs:
    """Glue job runs, Athena queries and Lambda calls that the tests decide about."""

    aws: LocalAws | None = None
    states: dict[str, str] = field(default_factory=dict)
    calls: list[tuple[str, Json]] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    errors: list[AwsError] = field(default_factory=list)  # raised by the next calls, in order
    replies: dict[str, Callable[[Json], Any]] = field(default_factory=dict)
    ends_at_once: str | None = "SUCCEEDED"
    delay_seconds: float = 0.0  # before each call is answered

    def begin(self, operation: str, params: Json) -> str:
        self.calls.append((operation, params))
        time.sleep(self.delay_seconds)
        if self.errors:
            raise self.errors.pop(0)
        name = f"jr_{len(self.states)}"
        self.states[name] = self.ends_at_once or "RUNNING"
        return name

    def end(self, name: str, state: str, *, signal: bool = True) -> None:
        self.states[name] = state
        if signal and self.aws is not None:
            for service in ("glue", "athena"):
                self.aws.signals.publish(JobEnded(service, name))


def services(jobs: Jobs) -> list[Callable[[LocalAws], Service]]:
    began = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    def glue(aws: LocalAws) -> Service:
        jobs.aws = aws
        made = Service("glue")

        @made.operation("StartJobRun", "JobName", "Arguments", "Timeout")
        def start_job_run(call: Call) -> Json:
            return {"JobRunId": jobs.begin("StartJobRun", call.params)}

        def run(name: str) -> Json:
            state = jobs.states[name]
            failure = {"ErrorMessage": "it broke"} if state == "FAILED" else {}
            return {
                "Id": name,
                "JobName": "join",
                "JobRunState": state,
                "StartedOn": datetime.now(UTC),
                "CompletedOn": began,
                **failure,
            }

        @made.operation("GetJobRun", "JobName", "RunId")
        def get_job_run(call: Call) -> Json:
            return {"JobRun": run(call.params["RunId"])}

        @made.operation("GetJobRuns", "JobName")
        def get_job_runs(call: Call) -> Json:
            return {"JobRuns": [run(name) for name in jobs.states]}

        @made.operation("BatchStopJobRun", "JobName", "JobRunIds")
        def stop(call: Call) -> Json:
            jobs.stopped += call.params["JobRunIds"]
            return {"SuccessfulSubmissions": [], "Errors": []}

        @made.operation("GetCrawler", "Name")
        def get_crawler(call: Call) -> Json:
            jobs.begin("GetCrawler", call.params)
            return {
                "Crawler": {"Name": call.params["Name"], "State": "READY", "CreationTime": began}
            }

        @made.operation("StartCrawler", "Name")
        def start_crawler(call: Call) -> Json:
            jobs.begin("StartCrawler", call.params)
            return {}

        return made

    def athena(aws: LocalAws) -> Service:
        made = Service("athena")

        @made.operation("StartQueryExecution", "QueryString", "ClientRequestToken", "WorkGroup")
        def start_query(call: Call) -> Json:
            return {"QueryExecutionId": jobs.begin("StartQueryExecution", call.params)}

        @made.operation("GetQueryExecution", "QueryExecutionId")
        def get_query(call: Call) -> Json:
            state = jobs.states[call.params["QueryExecutionId"]]
            status = {"State": state, "SubmissionDateTime": began}
            return {
                "QueryExecution": {
                    "QueryExecutionId": call.params["QueryExecutionId"],
                    "Status": status,
                    "Query": "SELECT 1",
                }
            }

        @made.operation("StopQueryExecution", "QueryExecutionId")
        def stop(call: Call) -> Json:
            jobs.stopped.append(call.params["QueryExecutionId"])
            return {}

        return made

    def functions(aws: LocalAws) -> Service:
        made = Service("lambda")

        @made.operation("Invoke", "FunctionName", "Payload", "InvocationType")
        def invoke(call: Call) -> Json:
            event = json.loads(call.params.get("Payload") or b"null")
            jobs.begin("Invoke", {"event": event, **call.params})
            reply = jobs.replies.get(call.params["FunctionName"].split(":")[-1], lambda e: e)
            try:
                value = reply(event)
            except ValueError as error:
                body = {"errorMessage": str(error), "errorType": type(error).__name__}
                return {
                    "StatusCode": 200,
                    "FunctionError": "Unhandled",
                    "Payload": json.dumps(body).encode(),
                }
            return {
                "StatusCode": 200,
                "ExecutedVersion": "$LATEST",
                "Payload": json.dumps(value).encode(),
            }

        return made

    def sqs(aws: LocalAws) -> Service:
        made = Service("sqs")

        @made.operation("SendMessage", "QueueUrl", "MessageBody")
        def send(call: Call) -> Json:
            jobs.begin("SendMessage", call.params)
            return {"MessageId": "m-1", "MD5OfMessageBody": "0" * 32}

        return made

    def sts(aws: LocalAws) -> Service:
        made = Service("sts")

        @made.operation("AssumeRole", "RoleArn", "RoleSessionName", "DurationSeconds")
        def assume(call: Call) -> Json:
            keys = ("AccessKeyId", "SecretAccessKey", "SessionToken")
            return {"Credentials": {**dict.fromkeys(keys, "x" * 16), "Expiration": began}}

        return made

    return [glue, athena, functions, sqs, sts, api.service]


@dataclass
class Ended:
    """An execution that has ended, with its history."""

    description: Json
    events: list[Json]

    @property
    def status(self) -> str:
        return str(self.description["status"])

    @property
    def output(self) -> Any:
        return json.loads(self.description["output"])

    @property
    def error(self) -> str | None:
        return self.description.get("error")

    @property
    def cause(self) -> str:
        return str(self.description.get("cause"))

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.events]

    @property
    def previous(self) -> list[int]:
        return [event["previousEventId"] for event in self.events]

    def details(self, type_: str, index: int = 0) -> Json:
        """The details member of the index-th event of that type."""
        event = [event for event in self.events if event["type"] == type_][index]
        return next(value for key, value in event.items() if key.endswith("EventDetails"))


class Workflows:
    """Runs definitions on the real engine."""

    def __init__(self, aws: LocalAws, jobs: Jobs) -> None:
        self.aws = aws
        self.jobs = jobs
        self.client = aws.client("stepfunctions")
        self._number = 0

    def create(self, definition: Json | str, **more: Any) -> str:
        self._number += 1
        text = definition if isinstance(definition, str) else json.dumps(definition)
        made = self.client.create_state_machine(
            name=f"machine-{self._number}", definition=text, roleArn=ROLE, **more
        )
        return str(made["stateMachineArn"])

    def begin(self, definition: Json, input_: Any = None, **more: Any) -> str:
        """Starts it; the execution's ARN."""
        text = json.dumps({} if input_ is None else input_)
        started = self.client.start_execution(
            stateMachineArn=self.create(definition), input=text, **more
        )
        return str(started["executionArn"])

    def wait(self, arn: str, seconds: float = 60) -> Ended:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            description = self.client.describe_execution(executionArn=arn)
            if description["status"] != "RUNNING":
                return Ended(description, self.history(arn))
            time.sleep(0.005)
        raise AssertionError(f"Still RUNNING: {[e['type'] for e in self.history(arn)]}")

    def run(self, definition: Json, input_: Any = None) -> Ended:
        return self.wait(self.begin(definition, input_))

    def history(self, arn: str) -> list[Json]:
        pages = self.client.get_paginator("get_execution_history").paginate(executionArn=arn)
        return [event for page in pages for event in page["events"]]

    def until(self, condition: Callable[[], Any], seconds: float = 60) -> Any:
        """Waits until the condition holds; its value."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if value := condition():
                return value
            time.sleep(0.005)
        raise AssertionError("The condition has not come true.")

    def has(self, arn: str, type_: str) -> Callable[[], bool]:
        return lambda: type_ in [event["type"] for event in self.history(arn)]


@pytest.fixture
def jobs() -> Jobs:
    return Jobs()


@pytest.fixture
def sfn(tmp_path: Path, jobs: Jobs) -> Iterator[Workflows]:
    aws = start(tmp_path / "home", services(jobs), wait_scale=0)
    yield Workflows(aws, jobs)
    aws.stop()


def machine(**states: Json) -> Json:
    """A machine of these states, which lead to each other in their order unless they say else."""
    names = list(states)
    for name, follower in zip(names, [*names[1:], None], strict=True):
        state = states[name]
        if state["Type"] in ("Choice", "Succeed", "Fail") or "Next" in state or "End" in state:
            continue
        state |= {"End": True} if follower is None else {"Next": follower}
    return {"StartAt": names[0], "States": states}
