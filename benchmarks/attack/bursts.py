"""Bursts of uploads, the server killed in some: one execution a burst, which sees every file."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from typing import Any

from benchmarks.attack.product import Product

SETTLE_SECONDS = 3
LONGEST_SECONDS = 1200.0
KILLED_SHARE = 0.3
AGAIN_SHARE = 0.3  # of the bursts: some files are put once more, as they are
MOST_FILES = 12
RUN_SECONDS = 4  # Wait is scaled by it, so that some bursts meet a run at work
Json = dict[str, Any]


def attack(product: Product, bursts: int, seed: int) -> Iterator[str]:
    """Lines as it goes; what does not hold begins with WRONG."""
    chance = random.Random(seed)
    product.set_up(settle_seconds=SETTLE_SECONDS, upload_trigger="ENABLED")
    wait_for_rest(product)
    make_runs_short(product)
    before = set(runs(product))
    keys, killed, parts, wrong = set(raw_keys(product)), 0, 0, 0
    for number in range(bursts):
        kill_after = chance.randrange(6) if chance.random() < KILLED_SHARE else None
        apart = burst(product, number, chance, kill_after, keys)
        killed += kill_after is not None
        wait_for_run(product, len(keys))
        wait_for_rest(product)
        found = {arn: given for arn, given in runs(product).items() if arn not in before}
        before |= found.keys()
        seen = [given.get("upload", {}).get("objects") for given in found.values()]
        parts += apart
        if seen[:1] != [len(keys)] or len(seen) > 1 + apart:  # the newest first
            wrong += 1
            yield f"WRONG burst {number} with {apart} pauses: runs saw {seen} of {len(keys)} files"
        elif number % 10 == 9:
            yield f"{number + 1} bursts, {killed} with a kill, {parts} pauses, {wrong} wrong"
    yield (f"{bursts} bursts, the server killed in {killed}, which with a busy machine made {parts}"
           f" pauses longer than the settle window: {bursts - wrong} gave an execution for each"
           " part, the last of which saw every file")  # fmt: skip


def burst(
    product: Product, number: int, chance: random.Random, kill_after: int | None, keys: set[str]
) -> int:
    """Some files, in any order, some of them twice; how often one came later than the settle
    window after the one before, which parts the burst."""
    s3, lake = product.connection.client("s3"), product.outputs["RawBucket"]
    start = int(time.time())
    names = [f"raw/attack/{start}-{number}-{n}.csv" for n in range(chance.randrange(1, MOST_FILES))]
    if chance.random() < AGAIN_SHARE:
        names += names[: len(names) // 2]
    apart, before = 0, time.monotonic()
    for position, key in enumerate(names):
        if position == kill_after:
            product.kill()
        s3.put_object(Bucket=lake, Key=key, Body=b"a,b\n1,%d\n" % number)
        now = time.monotonic()
        apart, before = apart + (now - before > SETTLE_SECONDS * 0.8), now
        time.sleep(chance.uniform(0, SETTLE_SECONDS / 10))
    if kill_after is not None and kill_after >= len(names):
        product.kill()
    keys |= set(names)
    return apart


def make_runs_short(product: Product) -> None:
    """What is live is a workflow that waits and is over; its trigger stays the product's own."""
    client = product.connection.client("stepfunctions")
    seconds = RUN_SECONDS * 50  # the waits of the product's server are scaled by a fiftieth
    definition = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": seconds}}}
    definition["States"]["Wait"]["End"] = True  # type: ignore[index]
    version = client.update_state_machine(
        stateMachineArn=product.outputs["StateMachineArn"],
        definition=json.dumps(definition),
        publish=True,
    )["stateMachineVersionArn"]
    client.update_state_machine_alias(
        stateMachineAliasArn=product.outputs["LiveAliasArn"],
        routingConfiguration=[{"stateMachineVersionArn": version, "weight": 100}],
    )


def raw_keys(product: Product) -> Iterator[str]:
    pages = product.connection.client("s3").get_paginator("list_objects_v2")
    for page in pages.paginate(Bucket=product.outputs["RawBucket"], Prefix="raw/"):
        for entry in page.get("Contents", []):
            if entry["Size"]:
                yield entry["Key"]


def runs(product: Product) -> dict[str, Json]:
    """{ARN: input} of every execution."""
    client = product.connection.client("stepfunctions")
    pages = client.get_paginator("list_executions").paginate(
        stateMachineArn=product.outputs["StateMachineArn"]
    )
    return {
        entry["executionArn"]: json.loads(
            client.describe_execution(executionArn=entry["executionArn"])["input"]
        )
        for page in pages
        for entry in page["executions"]
    }


def wait_for_run(product: Product, files: int) -> None:
    """Until the newest run has seen so many files, or it is too late for it."""
    client = product.connection.client("stepfunctions")
    machine = product.outputs["StateMachineArn"]
    deadline = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < deadline:
        newest = client.list_executions(stateMachineArn=machine, maxResults=1)["executions"]
        for entry in newest:
            text = client.describe_execution(executionArn=entry["executionArn"])["input"]
            if json.loads(text).get("upload", {}).get("objects") == files:
                return
        time.sleep(0.2)


def wait_for_rest(product: Product) -> None:
    """Until every upload has been dealt with, and no run is at work."""
    connection = product.connection
    name = connection.settings.stack_name
    deadline = time.monotonic() + LONGEST_SECONDS
    while True:
        schedule = connection.client("scheduler").get_schedule(Name=f"{name}-settle")
        item = connection.client("dynamodb").get_item(
            TableName=f"{name}-upload-trigger", Key={"id": {"S": "upload"}}
        )
        memory = item.get("Item", {})
        running = connection.client("stepfunctions").list_executions(
            stateMachineArn=product.outputs["StateMachineArn"], statusFilter="RUNNING"
        )["executions"]
        rests = memory and memory.get("events") == memory.get("covered")
        if rests and schedule["ScheduleExpression"] == "rate(1 hour)" and not running:
            return
        if time.monotonic() > deadline:
            raise RuntimeError(f"The trigger does not rest: {memory}, {schedule}")
        time.sleep(0.2)
