"""Task tokens: how who does a task outside answers it."""

from __future__ import annotations

import json

from localaws.core.service import Call, Service
from localaws.errors import AwsError
from localaws.shapes import Json
from localaws.stepfunctions import tasks
from localaws.stepfunctions.engine import Engine
from localaws.stepfunctions.frames import Frame
from localaws.stepfunctions.journal import Journal
from localaws.stepfunctions.json_text import json_problem
from localaws.stepfunctions.run import Run

TAKE_UP_SECONDS = 30.0


class TaskTokens:
    def __init__(self, journal: Journal, engine: Engine) -> None:
        self._journal = journal
        self._engine = engine

    def register(self, service: Service) -> None:
        service.operation("SendTaskSuccess", "taskToken", "output")(self.task_success)
        service.operation("SendTaskFailure", "taskToken", "error", "cause")(self.task_failure)
        service.operation("SendTaskHeartbeat", "taskToken")(self.task_heartbeat)

    def task_success(self, call: Call) -> Json:
        """Raises InvalidOutput for what is no JSON."""
        output = call.params["output"]
        self._waiting(call.params["taskToken"])
        try:
            json.loads(output)
        except ValueError as error:
            problem = json_problem(output, error)
            raise AwsError("InvalidOutput", f"Invalid Output: '{problem}'") from error
        self._settle(call.params["taskToken"], {"output": output})
        return {}

    def task_failure(self, call: Call) -> Json:
        outcome = {"error": call.params.get("error"), "cause": call.params.get("cause")}
        self._settle(call.params["taskToken"], outcome)
        return {}

    def task_heartbeat(self, call: Call) -> Json:
        run, frame = self._waiting(call.params["taskToken"])
        self._engine.post(run.id, lambda: run.soon(frame, tasks.heartbeat))
        return {}

    def _settle(self, token: str, outcome: Json) -> None:
        """The task's outcome is kept at once, and applied when the task is submitted."""
        run, frame = self._waiting(token)
        if not self._journal.settle_token(token, outcome):
            raise _timed_out()
        self._engine.post(run.id, lambda: run.soon(frame, tasks.token_settled))

    def _waiting(self, token: str) -> tuple[Run, Frame]:
        """The task that waits for the token. Raises InvalidToken, TaskTimedOut."""
        known = self._journal.token(token)
        if known is None:
            raise AwsError("InvalidToken", "Invalid Token: 'Invalid token'")
        self._engine.taken_up.wait(TAKE_UP_SECONDS)  # an answer to a server that has just started
        run = self._engine.runs.get(known[0])
        frame = None if run is None else run.frames.get(known[1])
        if run is None or frame is None or frame.token != token:
            raise _timed_out()
        return run, frame


def _timed_out() -> AwsError:
    return AwsError("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")
