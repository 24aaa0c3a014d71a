"""EXPRESS executions: quick, five minutes at the most, with CloudWatch Logs as their only history.

They run on the same engine as the others and are not in its journal (the children of a Map Run,
which are, see `map_run`). An asynchronous one is
noted while it runs, so that a server that dies runs it again from its beginning: at least once. A
synchronous one ends with the server: at most once.
https://docs.aws.amazon.com/step-functions/latest/dg/choosing-workflow-type.html
"""

from __future__ import annotations

import itertools
import math
import threading
from dataclasses import asdict

from localaws.errors import AwsError
from localaws.shapes import Json
from localaws.stepfunctions import timestamps
from localaws.stepfunctions.engine import Engine
from localaws.stepfunctions.errors import TIMEOUT
from localaws.stepfunctions.history import started_event
from localaws.stepfunctions.records import Execution
from localaws.stepfunctions.resources import Resources

RUNNING = "express-execution"  # the kind of an asynchronous execution's document
BILLED_MILLISECONDS = 100  # AWS bills in steps of these
BILLED_MEMORY_MB = 64


class Express:
    def __init__(self, resources: Resources, engine: Engine) -> None:
        self._resources = resources
        self._engine = engine
        self._ids = itertools.count(-1, -1)  # an id below 0 is none of the journal's

    def recover(self) -> None:
        """Runs again what was running when the server went away."""
        for document in self._resources.resources(RUNNING):
            self._begin(Execution(**document))

    def start(self, row: Execution) -> Json:
        """Every start runs, also one whose name has run before."""
        self._resources.put(RUNNING, row.arn, row.machine_arn, asdict(row))
        self._begin(row)
        return {"executionArn": row.arn, "startDate": timestamps.from_epoch(row.started)}

    def _begin(self, row: Execution) -> None:
        row.id = next(self._ids)
        self._engine.begin_express(
            row, started_event(row), lambda ended: self._resources.delete(ended.arn)
        )

    def start_synchronous(self, row: Execution, *, data: bool) -> Json:
        """The answer of StartSyncExecution, once the execution has ended."""
        row.id = next(self._ids)
        row.about["synchronous"] = True
        over = threading.Event()
        self._engine.begin_express(row, started_event(row), lambda _: over.set())
        while not over.wait(1):
            if self._engine.stopping:
                raise AwsError("ServiceUnavailable", "The local AWS is being stopped.", 503)
        duration = (row.stopped or row.started) - row.started
        steps = max(1, math.ceil(duration * 1000 / BILLED_MILLISECONDS))
        shown = {
            "executionArn": row.arn,
            "stateMachineArn": row.machine_arn,
            "name": row.name,
            "startDate": timestamps.from_epoch(row.started),
            "stopDate": timestamps.from_epoch(row.stopped or row.started),
            "status": row.status,
            "error": TIMEOUT if row.status == "TIMED_OUT" else row.error,
            "cause": row.cause,
            "input": row.input if data else None,
            "inputDetails": {"included": data},
            "output": row.output if data else None,
            "outputDetails": {"included": data},
            "traceHeader": row.about.get("trace_header"),
            "billingDetails": {
                "billedMemoryUsedInMB": BILLED_MEMORY_MB,
                "billedDurationInMilliseconds": steps * BILLED_MILLISECONDS,
            },
        }
        return {key: value for key, value in shown.items() if value is not None}
