"""The product on a local AWS in a process of its own, which can be killed."""

from __future__ import annotations

import collections
import hashlib
import io
import json
import os
import signal
import tarfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.attack.histories import history_problems
from configuration.connection import Connection
from configuration.errors import RebuyError
from configuration.settings import Settings
from localaws.core.home import holder
from rebuy.cli import background, local

Json = dict[str, Any]
WAIT_SCALE = 0.02
LONGEST_SECONDS = 900.0
GIVEN = {"publish": "always"}  # the same model again is put into service again: all states run


@dataclass
class Product:
    """The product on a local AWS in a process of its own, which can be killed."""

    home: Path
    users: int = 300
    policies: str = "enforce"
    url: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    connection: Connection = field(init=False)

    def set_up(self, **settings: Any) -> None:
        """Server, stack and raw files; `settings` other than without a trigger."""
        from infrastructure.deploy import deploy
        from rebuy.data.generate import generate
        from rebuy.data.upload import upload

        self.url = local.up(self.home, 0, WAIT_SCALE, policies=self.policies).url
        given = {"schedule_state": "DISABLED", "upload_trigger": "DISABLED", **settings}
        self.connection = connection = Connection(Settings(endpoint_url=self.url, **given))
        self.outputs = deploy(connection, lambda line: None).outputs
        data = self.home / "data"
        generate(self.users, data)
        upload(data, self.outputs["RawBucket"], connection.client("s3"))

    def kill(self) -> None:
        """kill -9 of the server; its children are left to themselves. Then a new server."""
        pid = holder(self.home)
        if pid is None:
            raise RuntimeError(f"No local AWS runs on {self.home}: it ended by itself.")
        os.kill(pid, signal.SIGKILL)
        while background.alive(pid):
            time.sleep(0.01)
        deadline = time.monotonic() + LONGEST_SECONDS
        while True:
            try:
                local.up(self.home, None, WAIT_SCALE, policies=self.policies)
                return
            except RebuyError:  # a machine that is busy with much else
                if time.monotonic() > deadline:
                    raise

    def tear_down(self) -> None:
        local.down(self.home)

    # -- executions ----------------------------------------------------------------------------

    def start(self, name: str, given: Json | None = None) -> str:
        answer = self.connection.client("stepfunctions").start_execution(
            stateMachineArn=self.outputs["LiveAliasArn"],
            name=name,
            input=json.dumps(given or GIVEN),
        )
        return str(answer["executionArn"])

    def ended(self, arn: str) -> bool:
        found = self.connection.client("stepfunctions").describe_execution(executionArn=arn)
        return bool(found["status"] != "RUNNING")

    def history(self, arn: str) -> list[Json]:
        pages = self.connection.client("stepfunctions").get_paginator("get_execution_history")
        paging = {"PageSize": 1000}
        return [
            event
            for page in pages.paginate(executionArn=arn, PaginationConfig=paging)
            for event in page["events"]
        ]

    def inside(self, arn: str) -> list[str]:
        """The states that were entered and not left."""
        counts: collections.Counter[str] = collections.Counter()
        for event in self.history(arn):
            if "stateEnteredEventDetails" in event:
                counts[event["stateEnteredEventDetails"]["name"]] += 1
            elif "stateExitedEventDetails" in event:
                counts[event["stateExitedEventDetails"]["name"]] -= 1
        return [name for name, open_ in counts.items() if open_ > 0]

    def wait(self, arn: str, until: Callable[[], bool], seconds: float = LONGEST_SECONDS) -> bool:
        """Whether it came true before the execution ended (or that many seconds were over)."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if until():
                return True
            if self.ended(arn):
                return False
            time.sleep(0.05)
        return False

    def finish(self, arn: str) -> Outcome:
        self.wait(arn, lambda: False)
        client = self.connection.client("stepfunctions")
        found = client.describe_execution(executionArn=arn)
        definition = client.describe_state_machine_for_execution(executionArn=arn)["definition"]
        return Outcome(
            arn=arn,
            status=found["status"],
            reason=f"{found.get('error')}: {found.get('cause')}",
            seconds=(
                (found["stopDate"] - found["startDate"]).total_seconds()
                if "stopDate" in found
                else LONGEST_SECONDS
            ),
            model=self.model(arn) if found["status"] == "SUCCEEDED" else "",
            problems=list(history_problems(self.history(arn), json.loads(definition))),
        )

    def model(self, arn: str) -> str:
        """SHA-256 of the booster that the execution trained; nothing where it trained none."""
        sagemaker, s3 = self.connection.client("sagemaker"), self.connection.client("s3")
        jobs = [
            json.loads(event["taskSucceededEventDetails"]["output"])["TrainingJobName"]
            for event in self.history(arn)
            if event["type"] == "TaskSucceeded"
            and event["taskSucceededEventDetails"]["resource"] == "createTrainingJob.sync"
        ]
        if not jobs:
            return ""
        (job,) = jobs
        uri = sagemaker.describe_training_job(TrainingJobName=job)["ModelArtifacts"][
            "S3ModelArtifacts"
        ]
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        with tarfile.open(fileobj=io.BytesIO(body)) as archive:
            member = archive.extractfile("xgboost-model")
            if member is None:
                raise RuntimeError(f"{uri} has no xgboost-model.")
            return hashlib.sha256(member.read()).hexdigest()


@dataclass(frozen=True)
class Outcome:
    """An execution that has ended; `problems` are those of its history."""

    arn: str
    status: str
    reason: str
    seconds: float
    model: str
    problems: list[str]
