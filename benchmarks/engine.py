"""How fast the Step Functions engine moves, beside moto's interpreter in the same run.

    python -m benchmarks.engine [--states 200] [--executions 100]

Prints: milliseconds per durable transition (a chain of Pass states; time between two
StateEntered events, and whole execution over states), the same chain in moto's interpreter,
the same as EXPRESS, 100 executions at once, and how soon the end of a `.sync` job is noticed.
"""

from __future__ import annotations

import argparse
import itertools
import json
import logging
import sqlite3
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

EXPRESS_EXECUTIONS = 20
ROLE = "arn:aws:iam::000000000000:role/benchmark"
Json = dict[str, Any]


def chain(states: int) -> str:
    """A machine of that many Pass states, each adding to a small document."""
    body = {
        f"S{number}": {
            "Type": "Pass",
            "Parameters": {"n": number, "before.$": "$.n", "name.$": "$$.Execution.Name"},
            **({"Next": f"S{number + 1}"} if number < states - 1 else {"End": True}),
        }
        for number in range(states)
    }
    return json.dumps({"StartAt": "S0", "States": body})


def wait(client: Any, arns: list[str]) -> list[str]:
    """The final status of each execution."""
    statuses = []
    for arn in arns:
        while (status := client.describe_execution(executionArn=arn)["status"]) == "RUNNING":
            time.sleep(0.002)
        statuses.append(status)
    return statuses


def history(client: Any, arn: str) -> list[Json]:
    pages = client.get_paginator("get_execution_history").paginate(
        executionArn=arn, PaginationConfig={"PageSize": 1000}
    )
    return [event for page in pages for event in page["events"]]


def start(client: Any, machine: str, name: str) -> str:
    arn: str = client.start_execution(stateMachineArn=machine, name=name, input='{"n": -1}')[
        "executionArn"
    ]
    return arn


def times_entered(home: Path, arn: str) -> list[float]:
    """When each state was entered, in seconds; from the store, since the API gives milliseconds."""
    with sqlite3.connect(home / "stepfunctions.sqlite") as reader:
        (number,) = reader.execute("SELECT id FROM executions WHERE arn = ?", (arn,)).fetchone()
        rows = reader.execute(
            "SELECT time FROM events WHERE key >> 20 = ? AND type LIKE '%Entered' ORDER BY key",
            (number,),
        ).fetchall()
    return [seconds for (seconds,) in rows]


def ours(states: int, executions: int) -> dict[str, float]:
    from localaws.core.aws import start as start_aws
    from localaws.core.service import Call, Service
    from localaws.core.signals import JobEnded
    from localaws.stepfunctions import api

    ended_at: dict[str, float] = {}

    def glue(aws: Any) -> Service:
        made = Service("glue")

        @made.operation("StartJobRun", "JobName")
        def start_job(call: Call) -> Json:
            return {"JobRunId": call.params["JobName"]}

        @made.operation("GetJobRun", "JobName", "RunId")
        def get_job(call: Call) -> Json:
            ended = call.params["RunId"] in ended_at
            run = {"Id": call.params["RunId"], "JobName": call.params["JobName"]}
            return {"JobRun": {**run, "JobRunState": "SUCCEEDED" if ended else "RUNNING",
                               "StartedOn": datetime.now(UTC)}}  # fmt: skip

        return made

    with tempfile.TemporaryDirectory() as folder:
        aws = start_aws(Path(folder), [glue, api.service], wait_scale=0)
        client = aws.client("stepfunctions")
        machine = client.create_state_machine(name="chain", definition=chain(states), roleArn=ROLE)
        arn = machine["stateMachineArn"]
        wait(client, [start(client, arn, "warm")])
        began = time.perf_counter()
        one = start(client, arn, "one")
        wait(client, [one])
        single = time.perf_counter() - began
        entered = times_entered(Path(folder), one)
        gaps = [(b - a) * 1000 for a, b in itertools.pairwise(entered)]

        began = time.perf_counter()
        arns = [start(client, arn, f"e{number}") for number in range(executions)]
        statuses = wait(client, arns)
        many = time.perf_counter() - began
        if statuses != ["SUCCEEDED"] * executions:
            raise SystemExit(f"Lost executions: {statuses}")

        express = client.create_state_machine(
            name="express", definition=chain(states), roleArn=ROLE, type="EXPRESS"
        )
        began = time.perf_counter()
        for _ in range(EXPRESS_EXECUTIONS):
            client.start_sync_execution(
                stateMachineArn=express["stateMachineArn"], input='{"n": -1}'
            )
        quick = (time.perf_counter() - began) / EXPRESS_EXECUTIONS

        job = {"Type": "Task", "Resource": "arn:aws:states:::glue:startJobRun.sync",
               "Parameters": {"JobName.$": "$$.Execution.Name"}, "End": True}  # fmt: skip
        definition = json.dumps({"StartAt": "J", "States": {"J": job}})
        jobs = client.create_state_machine(name="job", definition=definition, roleArn=ROLE)
        noticed = []
        for number in range(20):
            name = f"job{number}"
            execution = start(client, jobs["stateMachineArn"], name)
            while not any(e["type"] == "TaskSubmitted" for e in history(client, execution)):
                time.sleep(0.002)
            ended_at[name] = time.time()
            aws.signals.publish(JobEnded("glue", name))
            wait(client, [execution])
            done = [e for e in history(client, execution) if e["type"] == "TaskSucceeded"]
            noticed.append((done[0]["timestamp"].timestamp() - ended_at[name]) * 1000)
        aws.stop()
    return {
        "median_ms": statistics.median(gaps),
        "p99_ms": sorted(gaps)[int(len(gaps) * 0.99) - 1],
        "whole_ms": single * 1000 / states,
        "express_ms": quick * 1000 / states,
        "many_seconds": many,
        "many_per_second": executions * states / many,
        "noticed_median_ms": statistics.median(noticed),
        "noticed_worst_ms": max(noticed),
    }


def motos(states: int) -> float:
    """Milliseconds per state of the same chain in moto's interpreter."""
    import boto3
    from moto import mock_aws

    config = {"core": {}, "stepfunctions": {"execute_state_machine": True}}
    with mock_aws(config=config):  # type: ignore[arg-type]
        client = boto3.client("stepfunctions", region_name="us-east-1",
                              aws_access_key_id="x", aws_secret_access_key="x")  # fmt: skip
        machine = client.create_state_machine(name="chain", definition=chain(states), roleArn=ROLE)
        arn = machine["stateMachineArn"]
        wait(client, [start(client, arn, "warm")])
        began = time.perf_counter()
        wait(client, [start(client, arn, "one")])
        return (time.perf_counter() - began) * 1000 / states


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--states", type=int, default=200)
    parser.add_argument("--executions", type=int, default=100)
    given = parser.parse_args()
    logging.disable(logging.WARNING)
    figures = ours(given.states, given.executions)
    print(f"one chain of {given.states} Pass states")
    print(f"  localaws, between two StateEntered   median {figures['median_ms']:.3f} ms,"
          f" p99 {figures['p99_ms']:.3f} ms")  # fmt: skip
    print(f"  localaws, whole execution / states   {figures['whole_ms']:.3f} ms")
    try:
        print(f"  moto, whole execution / states       {motos(given.states):.3f} ms")
    except ModuleNotFoundError as missing:  # moto's interpreter needs moto[stepfunctions]
        print(f"  moto, not measured: {missing}")
    print(f"  as EXPRESS, whole execution / states {figures['express_ms']:.3f} ms,"
          f" {figures['whole_ms'] / figures['express_ms']:.1f} times the rate")  # fmt: skip
    print(f"{given.executions} such chains at once")
    print(f"  localaws  {figures['many_seconds']:.2f} s,"
          f" {figures['many_per_second']:.0f} durable transitions a second, none lost")  # fmt: skip
    print("end of a .sync job noticed after")
    print(f"  localaws  median {figures['noticed_median_ms']:.1f} ms,"
          f" worst {figures['noticed_worst_ms']:.1f} ms")  # fmt: skip


if __name__ == "__main__":
    main()
