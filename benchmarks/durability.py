"""What it costs that acknowledged work outlives a power cut: the same work with and without it.

    python -m benchmarks.durability [--rounds 5] [--folder FOLDER] [--json]

Both sides take turns, so that whatever else the machine does hits both. `--folder` says on which
disk: a file system in memory forces nothing anywhere. Prints the median milliseconds of one piece
of each kind of work, with and without, and the median of the rounds' ratios.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from localaws.core.aws import LocalAws, start
from localaws.plain.api import FACTORIES
from localaws.s3.api import service as s3
from localaws.stepfunctions.api import service as stepfunctions

ROLE = "arn:aws:iam::000000000000:role/benchmark"
BODY = b"x" * 10_000
PUT = {
    "Type": "Task",
    "Resource": "arn:aws:states:::aws-sdk:s3:putObject",
    "Parameters": {"Bucket": "lake", "Key.$": "$.key", "Body": "written"},
    "End": True,
}
CHILDREN = 100


def machine(aws: LocalAws, name: str, states: dict[str, Any]) -> str:
    definition = json.dumps({"StartAt": next(iter(states)), "States": states})
    made = aws.client("stepfunctions").create_state_machine(
        name=name, definition=definition, roleArn=ROLE
    )
    return str(made["stateMachineArn"])


def execute(aws: LocalAws, arn: str, given: Any) -> None:
    client = aws.client("stepfunctions")
    execution = client.start_execution(stateMachineArn=arn, input=json.dumps(given))["executionArn"]
    while (found := client.describe_execution(executionArn=execution))["status"] == "RUNNING":
        time.sleep(0.002)
    if found["status"] != "SUCCEEDED":
        raise RuntimeError(f"{found.get('error')}: {found.get('cause')}")


def timed(times: int, work: Callable[[int], object]) -> float:
    """Milliseconds a piece."""
    began = time.perf_counter()
    for number in range(times):
        work(number)
    return (time.perf_counter() - began) * 1000 / times


def once(folder: Path, *, power_safe: bool) -> dict[str, float]:
    """{kind of work: milliseconds a piece} on a fresh home."""
    aws = start(folder, [s3, stepfunctions, FACTORIES["dynamodb"]], power_safe=power_safe)
    try:
        client, table = aws.client("s3"), aws.client("dynamodb")
        client.create_bucket(Bucket="lake")
        table.create_table(
            TableName="t",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        processor = {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            **{"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}},
        }
        put = machine(aws, "put", {"Put": PUT})
        each = {"Type": "Map", "ItemProcessor": processor, "End": True}
        many = machine(aws, "many", {"Each": each})
        children = [{"number": number} for number in range(CHILDREN)]
        return {
            "PutObject, 10 kB": timed(
                200, lambda n: client.put_object(Bucket="lake", Key=f"a/{n}", Body=BODY)
            ),
            "PutItem": timed(100, lambda n: table.put_item(TableName="t", Item=item(n))),
            "an execution that puts an object": timed(
                30, lambda n: execute(aws, put, {"key": f"b/{n}"})
            ),
            f"a Map Run of {CHILDREN} children": timed(2, lambda n: execute(aws, many, children)),
        }
    finally:
        aws.stop()


def item(number: int) -> dict[str, dict[str, str]]:
    return {"id": {"S": str(number)}}


def measure(rounds: int, folder: Path) -> dict[str, dict[str, float]]:
    """{kind: {with_ms, without_ms, ratio}}, medians of the rounds."""
    found: dict[str, list[tuple[float, float]]] = {}
    for number in range(rounds):
        sides = [True, False] if number % 2 else [False, True]
        took = {
            side: once(folder / f"{number}-{'with' if side else 'without'}", power_safe=side)
            for side in sides
        }
        for kind in took[True]:
            found.setdefault(kind, []).append((took[True][kind], took[False][kind]))
    return {
        kind: {
            "with_ms": statistics.median(safe for safe, _ in pairs),
            "without_ms": statistics.median(bare for _, bare in pairs),
            "ratio": statistics.median(safe / bare for safe, bare in pairs),
        }
        for kind, pairs in found.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="on the disk to measure; default: temporary")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        figures = measure(given.rounds, Path(folder))
    if given.json:
        print(json.dumps(figures))
        return
    print("| | without | with | ratio |\n|---|---|---|---|")
    for kind, took in figures.items():
        print(f"| {kind} | {took['without_ms']:.1f} ms | {took['with_ms']:.1f} ms"
              f" | {took['ratio']:.2f} |")  # fmt: skip


if __name__ == "__main__":
    main()
