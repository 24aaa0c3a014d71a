"""Start on upload: EventBridge and the settle schedule call it; `upload_trigger` decides."""

from __future__ import annotations

import math
import os
import time
from contextlib import suppress
from datetime import datetime, timezone
from typing import Any

from tasks.functions import source_database, storage
from tasks.functions import upload_trigger as trigger

Json = dict[str, Any]

ITEM = {"id": {"S": "upload"}}
LOOKING = "rate(1 minute)"
RESTING = "rate(1 hour)"
TIMING = ("ScheduleExpression", "StartDate")
ANSWERED_BY_SCHEDULER = ("Arn", "CreationDate", "LastModificationDate", "ResponseMetadata")
# DescribeExecution and ListExecutions are eventually consistent: so long a run that was started
# counts as running although nobody has seen it yet.
UNSEEN_SECONDS = 120.0
CONFLICT_TRIES = 5


def handler(event: Json, context: Any) -> Json:
    """`event`: an S3 "Object Created" event, or anything else (a look). Answers {outcome}."""
    import boto3

    settle = float(os.environ["SETTLE_SECONDS"])
    store = Table(boto3.client("dynamodb"), os.environ["TRIGGER_TABLE"])
    world = Aws(boto3.client)
    if event.get("source") == "aws.s3":
        trigger.on_event(store, world, settle)
        outcome = f"noted {event['detail']['object']['key']}"
    else:
        outcome = trigger.look(store, world, settle)
    print(outcome)
    return {"outcome": outcome}


class Table:
    """`upload_trigger.Store` as one item of a DynamoDB table."""

    def __init__(self, dynamodb: Any, name: str) -> None:
        self._dynamodb, self._name = dynamodb, name

    def read(self) -> trigger.Memory:
        found = self._dynamodb.get_item(TableName=self._name, Key=ITEM, ConsistentRead=True)
        item = {name: next(iter(value.values())) for name, value in found.get("Item", {}).items()}
        run = None
        if "run_name" in item:
            run = trigger.Claim(item["run_name"], item["run_input"], float(item["claimed_at"]))
        return trigger.Memory(
            events=int(item.get("events", 0)),
            covered=int(item.get("covered", 0)),
            last_event=float(item.get("last_event", 0)),
            seen=item.get("seen", ""),
            run=run,
            started=item.get("started", True),
        )

    def note_event(self, now: float) -> None:
        self._update(
            "ADD events :one SET last_event = :now", {":one": {"N": "1"}, ":now": _number(now)}
        )

    def cover(self, read: trigger.Memory) -> bool:
        return self._if_unchanged(read, "SET covered = :events", {})

    def claim(self, read: trigger.Memory, seen: str, run: trigger.Claim) -> bool:
        return self._if_unchanged(
            read,
            "SET covered = :events, seen = :seen, run_name = :name, run_input = :input,"
            " claimed_at = :at, started = :no",
            {
                ":seen": {"S": seen},
                ":name": {"S": run.name},
                ":input": {"S": run.input},
                ":at": _number(run.claimed_at),
                ":no": {"BOOL": False},
            },
        )

    def mark_started(self, name: str) -> None:
        self._update(
            "SET started = :yes",
            {":yes": {"BOOL": True}, ":name": {"S": name}},
            "run_name = :name",
        )

    def _if_unchanged(self, read: trigger.Memory, update: str, values: Json) -> bool:
        return self._update(
            update,
            {
                **values,
                ":events": {"N": str(read.events)},
                ":covered": {"N": str(read.covered)},
            },
            "events = :events AND (attribute_not_exists(covered) OR covered = :covered)",
        )

    def _update(self, update: str, values: Json, condition: str | None = None) -> bool:
        request: Json = {
            "TableName": self._name,
            "Key": ITEM,
            "UpdateExpression": update,
            "ExpressionAttributeValues": values,
        }
        if condition is not None:
            request["ConditionExpression"] = condition
        try:
            self._dynamodb.update_item(**request)
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True


class Aws:
    """`upload_trigger.World` over the AWS API."""

    def __init__(self, client: Any) -> None:
        self._s3 = client("s3")
        self._step_functions = client("stepfunctions")
        self._scheduler = client("scheduler")

    def now(self) -> float:
        return time.time()

    def raw_objects(self) -> list[trigger.RawObject]:
        return [
            trigger.RawObject(
                entry["Key"], entry["ETag"], entry["Size"], entry["LastModified"].timestamp()
            )
            for entry in storage.raw_objects(self._s3, os.environ["RAW_BUCKET"])
            if not source_database.is_from(entry["Key"])  # a run has put them there itself
        ]

    def start(self, run: trigger.Claim) -> None:
        # There already: an earlier try of ours was not told that it had worked.
        with suppress(self._step_functions.exceptions.ExecutionAlreadyExists):
            self._step_functions.start_execution(
                stateMachineArn=os.environ["LIVE_ALIAS"], name=run.name, input=run.input
            )

    def running(self, newest: trigger.Claim | None) -> bool:
        machine = os.environ["STATE_MACHINE"]
        if newest is not None and self._status(machine, newest) == "RUNNING":
            return True
        answer = self._step_functions.list_executions(
            stateMachineArn=machine, statusFilter="RUNNING", maxResults=1
        )
        return bool(answer["executions"])

    def _status(self, machine: str, run: trigger.Claim) -> str:
        arn = f"{machine.replace(':stateMachine:', ':execution:')}:{run.name}"
        try:
            return str(self._step_functions.describe_execution(executionArn=arn)["status"])
        except self._step_functions.exceptions.ExecutionDoesNotExist:
            recent = self.now() - run.claimed_at < UNSEEN_SECONDS
            return "RUNNING" if recent else "UNKNOWN"

    def arm(self, at: float) -> None:
        # Whole seconds, and not in the past, which Scheduler would not take.
        start = datetime.fromtimestamp(math.ceil(max(at, self.now())), timezone.utc)
        self._set(ScheduleExpression=LOOKING, StartDate=start)

    def rest(self) -> None:
        self._set(ScheduleExpression=RESTING)

    def _set(self, **timing: Any) -> None:
        """UpdateSchedule replaces the whole schedule, so it is read first."""
        for attempt in range(CONFLICT_TRIES):
            found = self._scheduler.get_schedule(Name=os.environ["SETTLE_SCHEDULE"])
            if {name: found[name] for name in TIMING if name in found} == timing:
                return
            for name in (*ANSWERED_BY_SCHEDULER, *TIMING):
                found.pop(name, None)
            try:
                self._scheduler.update_schedule(**{**found, **timing})
                return
            except self._scheduler.exceptions.ConflictException:
                if attempt == CONFLICT_TRIES - 1:
                    raise
                time.sleep(0.2 * 2**attempt)


def _number(value: float) -> Json:
    return {"N": repr(value)}
