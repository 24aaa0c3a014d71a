"""Activities: tasks that a worker outside asks for, does, and answers by their token.

A scheduled task is offered until a worker's GetActivityTask takes it; from then on it is a task
that waits for its token, with its timeout and heartbeat counted from that moment. What is on offer
is in the journal: an activity's tasks survive the server.
https://docs.aws.amazon.com/step-functions/latest/dg/concepts-activities.html
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from localaws.core.errors import AwsError
from localaws.stepfunctions import names, tasks, timestamps
from localaws.stepfunctions.engine import Engine
from localaws.stepfunctions.machines import OWNED_KEY
from localaws.stepfunctions.store import ACTIVITY, Store

Json = dict[str, Any]

POLL_SECONDS = 60.0  # how long a worker's question is held


class Activities:
    def __init__(self, store: Store, engine: Engine, region: str, account: str) -> None:
        self._store = store
        self._engine = engine
        self._prefix = f"arn:aws:states:{region}:{account}:activity:"

    def create(self, params: Json, now: datetime) -> Json:
        """Idempotent by name: tags of a later call are not taken, as on AWS."""
        names.check_name(params["name"])
        arn = self._prefix + params["name"]
        with self._store.transaction():
            body = self._store.get(ACTIVITY, arn)
            if body is None:
                body = {
                    "activityArn": arn,
                    "name": params["name"],
                    "creationDate": now.timestamp(),
                    "tags": params.get("tags", []),
                }
                self._store.put(ACTIVITY, arn, "", body)
        return {"activityArn": arn, "creationDate": timestamps.from_epoch(body["creationDate"])}

    def describe(self, arn: str) -> Json:
        return {**_shown(self._activity(arn)), "encryptionConfiguration": OWNED_KEY}

    def delete(self, arn: str) -> None:
        """Deleting twice is fine; tasks that are on offer stay so."""
        names.check_activity_arn(arn)
        self._store.delete(arn)

    def page(self, params: Json) -> Json:
        """By name."""
        bodies = sorted(self._store.resources(ACTIVITY), key=lambda body: str(body["name"]))
        page, token = names.paged(bodies, params)
        shown = [_shown(body) for body in page]
        return {"activities": shown, **({"nextToken": token} if token else {})}

    def task(self, arn: str, worker: str | None) -> Json:
        """The oldest task on offer, taken; {} when none comes within a minute."""
        self._activity(arn)
        until = time.monotonic() + POLL_SECONDS
        offers = self._engine.offers
        while True:
            taken = self._engine.submit(lambda: _take(self._engine, arn, worker))
            left = until - time.monotonic()
            if taken is not None:
                return taken
            if not self._engine.wait_until(lambda: bool(offers.get(arn)), left):
                return {}

    def _activity(self, arn: str) -> Json:
        names.check_activity_arn(arn)
        body = self._store.get(ACTIVITY, arn)
        if body is None:
            raise AwsError("ActivityDoesNotExist", f"Activity Does Not Exist: '{arn}'")
        return body


def _shown(body: Json) -> Json:
    return {
        "activityArn": body["activityArn"],
        "name": body["name"],
        "creationDate": timestamps.from_epoch(body["creationDate"]),
    }


def _take(engine: Engine, arn: str, worker: str | None) -> Json | None:
    """Hands the oldest task that still stands to a worker; runs on the engine's thread."""
    offers = engine.offers.get(arn, [])
    while offers:
        run, frame, epoch = offers.pop(0)
        if run.active and frame.epoch == epoch and frame.id in run.frames:
            return {"taskToken": frame.token, "input": tasks.taken(run, frame, worker)}
    return None
