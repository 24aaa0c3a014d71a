"""Runs that a trigger starts: under an id that it gave, so that none is started twice."""

from __future__ import annotations

from localaws.core.aws import LocalAws
from localaws.core.jobs.kind import GLUE_RUN
from localaws.errors import AwsError
from localaws.glue_jobs.runs import ATTEMPT, KIND, JobRuns
from localaws.shapes import Json


class TriggeredRuns:
    def __init__(self, aws: LocalAws, runs: JobRuns) -> None:
        self._aws = aws
        self._runs = runs

    def start_by_trigger(self, name: str, started: str, action: Json, origin: Json) -> None:
        """Starts the run with the id, unless it is there; where it may not start there is one that
        says why: ERROR without a job, else FAILED.

        https://docs.aws.amazon.com/glue/latest/dg/job-run-statuses.html
        """
        if self._aws.documents.get(KIND, started) is not None:
            return
        given = dict(action.get("Arguments") or {})
        if origin["Workflow"] is not None:
            given |= {
                "--WORKFLOW_NAME": origin["Workflow"],
                "--WORKFLOW_RUN_ID": origin["WorkflowRun"],
            }
        members = {
            "Id": started,
            "TriggerName": origin["Trigger"],
            "PredecessorRuns": origin["Predecessors"],
        }
        params: Json = {"JobName": name, "Arguments": given}
        params |= {key: action[key] for key in ("Timeout", "NotificationProperty") if key in action}
        try:
            self._runs.start_run("StartTrigger", params, members)
        except AwsError as error:
            gone = error.code == "EntityNotFoundException"
            end = {
                "JobRunState": "ERROR" if gone else "FAILED",
                "ErrorMessage": error.message,
                "CompletedOn": self._aws.clock.now(),
            }
            self._aws.documents.put(KIND, started, self._runs.new(name, given) | members | end)

    def state_of(self, name: str, started: str) -> Json | None:
        """Of the run with the id, or of the last attempt at the same."""
        run = self._aws.documents.get(KIND, started)
        if run is None:
            return None
        while again := self._aws.documents.get(KIND, f"{started}{ATTEMPT}{run['Attempt'] + 1}"):
            run = again
        return {"State": run["JobRunState"], "Shown": run}

    def stop_started(self, name: str, started: str) -> None:
        found = self.state_of(name, started)
        if found is not None and found["State"] in GLUE_RUN.active:
            self._runs.stop(name, found["Shown"]["Id"])
