"""The pipeline under `kill -9`: does it end as if nothing had happened?

    python -m benchmarks.crashes [--kills 50] [--users 300] [--seed 7] [--share 0.3] [--home FOLDER]

Deploys the product to a local AWS of its own, runs the pipeline once undisturbed, and then again
and again while the server is killed at random moments and started anew. Every run must end
SUCCEEDED with the same model, byte for byte, as the undisturbed one, and with a history that has
no gap and nothing twice. Prints a line per run; exit code 1 at the first that does not hold.
"""

from __future__ import annotations

import argparse
import collections
import hashlib
import io
import json
import os
import random
import signal
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rebuy.cli import local
from rebuy.connection import Connection

Json = dict[str, Any]
WAIT_SCALE = 0.02
LONGEST_SECONDS = 900.0
MOST_IN_A_STATE = 2
UNDISTURBED = "undisturbed"
GIVEN = {"publish": "always"}  # the same model again is put into service again: all states run


@dataclass
class Pipeline:
    """The product on a local AWS in a process of its own, which can be killed."""

    home: Path
    users: int = 300
    url: str = ""
    outputs: dict[str, str] = field(default_factory=dict)

    def set_up(self) -> None:
        """Server, stack and raw files."""
        from infrastructure.deploy import deploy
        from rebuy.data.generate import generate
        from rebuy.data.upload import upload

        self.url = local.up(self.home, 0, WAIT_SCALE, policies="off").url
        connection = self.connection
        self.outputs = deploy(connection, lambda line: None).outputs
        data = self.home / "data"
        generate(self.users, data)
        upload(data, self.outputs["LakeBucket"], connection.client("s3"))

    @property
    def connection(self) -> Connection:
        from rebuy.settings import Settings

        settings = Settings(
            endpoint_url=self.url, schedule_state="DISABLED", upload_trigger="DISABLED"
        )
        return Connection(settings)

    def kill(self) -> None:
        """kill -9 of the server; its children are left to themselves. Then a new server."""
        server = local.find(self.home)
        if server is None:
            raise RuntimeError("The local AWS does not answer, so it cannot be killed.")
        os.kill(server.pid, signal.SIGKILL)
        while running(server.pid):
            time.sleep(0.01)
        local.up(self.home, None, WAIT_SCALE, policies="off")

    def tear_down(self) -> None:
        local.down(self.home)

    # -- executions ----------------------------------------------------------------------------

    def start(self, name: str) -> str:
        answer = self.connection.client("stepfunctions").start_execution(
            stateMachineArn=self.outputs["LiveAliasArn"], name=name, input=json.dumps(GIVEN)
        )
        return str(answer["executionArn"])

    def undisturbed(self) -> str | None:
        """The undisturbed run of an earlier measurement, in a home that was kept."""
        found = self.connection.client("stepfunctions").list_executions(
            stateMachineArn=self.outputs["StateMachineArn"], statusFilter="SUCCEEDED"
        )["executions"]
        arns = [entry["executionArn"] for entry in found if entry["name"].endswith(UNDISTURBED)]
        return arns[0] if arns else None

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
        """SHA-256 of the booster that the execution trained."""
        sagemaker, s3 = self.connection.client("sagemaker"), self.connection.client("s3")
        (job,) = [
            json.loads(event["taskSucceededEventDetails"]["output"])["TrainingJobName"]
            for event in self.history(arn)
            if event["type"] == "TaskSucceeded"
            and event["taskSucceededEventDetails"]["resource"] == "createTrainingJob.sync"
        ]
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


def running(pid: int) -> bool:
    """Whether the process is there and no zombie of ours."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rsplit(")", 1)[1].split()[0] != "Z"


def history_problems(events: list[Json], definition: Json) -> Iterator[str]:
    """What is missing in a history or twice in it."""
    ids = [event["id"] for event in events]
    if ids != list(range(1, len(ids) + 1)):
        yield f"event ids are not consecutive: {ids}"
    for event in events:
        if not 0 <= event["previousEventId"] < event["id"]:
            yield f"event {event['id']} follows {event['previousEventId']}"
    entered: collections.Counter[str] = collections.Counter()
    exited: collections.Counter[str] = collections.Counter()
    for event in events:
        if "stateEnteredEventDetails" in event:
            entered[event["stateEnteredEventDetails"]["name"]] += 1
        if "stateExitedEventDetails" in event:
            exited[event["stateExitedEventDetails"]["name"]] += 1
    if entered != exited:
        yield f"entered and not left: {entered - exited}; left and not entered: {exited - entered}"
    again = {name for name, times in entered.items() if times > 1}
    if again - loops(definition):
        yield f"entered more than once without a loop: {sorted(again - loops(definition))}"
    types = collections.Counter(event["type"] for event in events)
    ends = types["TaskSucceeded"] + types["TaskFailed"] + types["TaskTimedOut"]
    if not types["TaskScheduled"] == types["TaskStarted"] == ends:
        yield f"tasks scheduled, started and ended differ: {dict(types)}"
    tasks = types["TaskStateEntered"]
    retries = types["TaskFailed"] + types["TaskTimedOut"]  # at most: a failure may be caught
    if not tasks <= types["TaskScheduled"] <= tasks + retries:
        yield f"{types['TaskScheduled']} tasks were scheduled for {tasks} task states"


def loops(definition: Json) -> set[str]:
    """The states that a definition's transitions lead back to."""
    states = definition["States"]
    next_ = {name: set(targets(state)) for name, state in states.items()}
    found = set()
    for name in states:
        reached, todo = set[str](), list(next_[name])
        while todo:
            target = todo.pop()
            if target not in reached:
                reached.add(target)
                todo += next_[target]
        if name in reached:
            found.add(name)
    return found


def targets(state: Json) -> Iterator[str]:
    for block in (state, *state.get("Choices", ()), *state.get("Catch", ())):
        if "Next" in block:
            yield block["Next"]
    if "Default" in state:
        yield state["Default"]


def measure(pipeline: Pipeline, kills: int, seed: int, share: float) -> bool:
    """Runs until so many kills are done; whether all held. A kill comes at a random moment within
    `share` of an undisturbed run's time, counted from the start or the last restart."""
    chance = random.Random(seed)
    pipeline.set_up()
    print(f"raw files of {pipeline.users} users; seed {seed}", flush=True)
    prefix = f"crashes-{int(time.time())}"
    good = pipeline.finish(pipeline.undisturbed() or pipeline.start(f"{prefix}-{UNDISTURBED}"))
    if good.status != "SUCCEEDED" or good.problems:
        print(f"the undisturbed run is {good.status}: {good.reason} {good.problems}")
        return False
    print(f"undisturbed: {good.seconds:.1f} s, model {good.model[:16]}", flush=True)
    done, number = 0, 0
    restarts: list[float] = []
    while done < kills:
        number += 1
        arn = pipeline.start(f"{prefix}-{number}")
        where: list[str] = []
        while done < kills:
            moment = chance.uniform(0, good.seconds * share)
            pipeline.wait(arn, lambda: False, moment)
            if pipeline.ended(arn):
                break
            place = " + ".join(pipeline.inside(arn)) or "between states"
            if where.count(place) == MOST_IN_A_STATE:
                continue  # or a long job would never get the time it needs
            where.append(place)
            began = time.monotonic()
            pipeline.kill()
            restarts.append(time.monotonic() - began)
            done += 1
        ended = pipeline.finish(arn)
        same = ended.model == good.model
        held = ended.status == "SUCCEEDED" and same and not ended.problems
        print(f"run {number}: {len(where)} kills ({'; '.join(where) or 'none'}), {ended.status} in"
              f" {ended.seconds:.1f} s, model {'the same' if same else 'ANOTHER'},"
              f" history {'whole' if not ended.problems else ended.problems};"
              f" {done} of {kills}", flush=True)  # fmt: skip
        if not held:
            print(f"{ended.arn}: {ended.reason}")
            return False
    print(f"{done} kills in {number} runs: all SUCCEEDED, one model, every history whole")
    print(f"server up again after {sum(restarts) / len(restarts):.1f} s (mean)")
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--users", type=int, default=300)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument(
        "--share", type=float, default=0.3, help="the smaller, the more kills a run"
    )
    parser.add_argument("--home", type=Path, help="kept afterwards; default: a temporary folder")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        pipeline = Pipeline(given.home or Path(folder) / "home", given.users)
        try:
            held = measure(pipeline, given.kills, given.seed, given.share)
        finally:
            pipeline.tear_down()
    sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()
