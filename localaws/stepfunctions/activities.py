"""Activities: tasks that a worker outside asks for, does, and answers by their token.

A scheduled task is offered until a worker's GetActivityTask takes it; from then on it is a task
that waits for its token, with its timeout and heartbeat counted from that moment. What is on offer
is in the journal: an activity's tasks survive the server.
https://docs.aws.amazon.com/step-functions/latest/dg/concepts-activities.html
"""

from __future__ import annotations

import time

from localaws.core.clock import Clock
from localaws.core.service import Call, Service
from localaws.errors import AwsError
from localaws.shapes import Json
from localaws.stepfunctions import names, timestamps
from localaws.stepfunctions.engine import Engine
from localaws.stepfunctions.machines import OWNED_KEY
from localaws.stepfunctions.resources import ACTIVITY, Resources

POLL_SECONDS = 60.0  # how long a worker's question is held


class Activities:
    def __init__(
        self, resources: Resources, engine: Engine, clock: Clock, region: str, account: str
    ) -> None:
        self._resources = resources
        self._engine = engine
        self._clock = clock
        self._prefix = f"arn:aws:states:{region}:{account}:activity:"

    def register(self, service: Service) -> None:
        service.operation("CreateActivity", "name", "tags")(self.create)
        service.operation("DescribeActivity", "activityArn")(self.describe)
        service.operation("DeleteActivity", "activityArn")(self.delete)
        service.operation("ListActivities", "maxResults", "nextToken")(self.page)
        service.operation("GetActivityTask", "activityArn", "workerName")(self.task)

    def create(self, call: Call) -> Json:
        """Idempotent by name: tags of a later call are not taken, as on AWS."""
        params, now = call.params, self._clock.now()
        names.check_name(params["name"])
        arn = self._prefix + params["name"]
        with self._resources.transaction():
            body = self._resources.get(ACTIVITY, arn)
            if body is None:
                body = {
                    "activityArn": arn,
                    "name": params["name"],
                    "creationDate": now.timestamp(),
                    "tags": params.get("tags", []),
                }
                self._resources.put(ACTIVITY, arn, "", body)
        return {"activityArn": arn, "creationDate": timestamps.from_epoch(body["creationDate"])}

    def describe(self, call: Call) -> Json:
        return {
            **_shown(self._activity(call.params["activityArn"])),
            "encryptionConfiguration": OWNED_KEY,
        }

    def delete(self, call: Call) -> Json:
        """Deleting twice is fine; tasks that are on offer stay so."""
        arn = call.params["activityArn"]
        names.check_activity_arn(arn)
        self._resources.delete(arn)
        return {}

    def page(self, call: Call) -> Json:
        """By name."""
        bodies = self._resources.resources(ACTIVITY)
        page, token = names.paged(((str(body["name"]), body) for body in bodies), call.params)
        shown = [_shown(body) for body in page]
        return {"activities": shown, **({"nextToken": token} if token else {})}

    def task(self, call: Call) -> Json:
        """The oldest task on offer, taken; {} when none comes within a minute."""
        arn, worker = call.params["activityArn"], call.params.get("workerName")
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
        body = self._resources.get(ACTIVITY, arn)
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
        task = offers.pop(0)(worker)
        if task is not None:
            return task
    return None
