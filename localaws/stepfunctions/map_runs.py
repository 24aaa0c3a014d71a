"""The API of map runs: describing, listing and updating them."""

from __future__ import annotations

from localaws.core.service import Call, Service
from localaws.errors import AwsError
from localaws.shapes import Json
from localaws.stepfunctions import names, timestamps
from localaws.stepfunctions.engine import Engine
from localaws.stepfunctions.journal import Journal
from localaws.stepfunctions.resources import MAP_RUN, Resources

LIMITS = {
    "maxConcurrency": None,
    "toleratedFailurePercentage": 100,
    "toleratedFailureCount": None,
}
COUNTS = {
    "SUCCEEDED": "succeeded",
    "FAILED": "failed",
    "RUNNING": "running",
    "TIMED_OUT": "timedOut",
    "ABORTED": "aborted",
}


class MapRuns:
    def __init__(self, resources: Resources, journal: Journal, engine: Engine) -> None:
        self._resources = resources
        self._journal = journal
        self._engine = engine

    def register(self, service: Service) -> None:
        service.operation("DescribeMapRun", "mapRunArn")(self.describe)
        service.operation("UpdateMapRun", "mapRunArn", *LIMITS)(self.update)
        service.operation("ListMapRuns", "executionArn", "maxResults", "nextToken")(self.list_runs)

    def _document(self, arn: str) -> Json:
        document = self._resources.get(MAP_RUN, arn)
        if document is None:
            raise AwsError("ResourceNotFound", f"Resource not found: '{arn}'")
        return document

    def describe(self, call: Call) -> Json:
        document = self._document(call.params["mapRunArn"])
        executions = _counts(self._journal.statuses(document["mapRunArn"]), document["batches"])
        batched = document["batches"] != document["total"]
        items = executions if not batched else {**executions, "total": document["total"]}
        shown = {
            **_summary(document),
            "status": document["status"],
            "maxConcurrency": document["maxConcurrency"],
            "toleratedFailurePercentage": document["toleratedFailurePercentage"],
            "toleratedFailureCount": document["toleratedFailureCount"],
            "itemCounts": items,
            "executionCounts": executions,
            "redriveCount": document["redriveCount"],
        }
        shown.pop("stateMachineArn")
        if "redriveDate" in document:
            shown["redriveDate"] = timestamps.from_epoch(document["redriveDate"])
        return shown

    def update(self, call: Call) -> Json:
        document = self._document(call.params["mapRunArn"])
        if document["status"] != "RUNNING":
            raise AwsError(
                "ValidationException",
                f"The Map Run is {document['status']}; only one that is RUNNING can be updated.",
            )
        changes = {name: value for name, value in call.params.items() if name != "mapRunArn"}
        _check_limits(changes)
        if not changes:
            raise AwsError("ValidationException", f"Give at least one of: {', '.join(LIMITS)}.")
        execution = self._journal.execution(document["executionArn"])
        if execution is not None:
            self._engine.update_map_run(execution.id, document["mapRunArn"], changes)
        return {}

    def list_runs(self, call: Call) -> Json:
        arn = call.params["executionArn"]
        names.check_execution_arn(arn)
        runs = self._resources.resources(MAP_RUN, arn)
        keyed = (((run["startDate"], run["mapRunArn"]), run) for run in runs)
        page, token = names.paged(keyed, call.params)
        shown = [_summary(document) for document in page]
        return {"mapRuns": shown, **({"nextToken": token} if token else {})}


def _check_limits(changes: Json) -> None:
    for name, value in changes.items():
        most = LIMITS[name]
        if value < 0 or (most is not None and value > most):
            accepted = "at least 0" if most is None else f"0 to {most}"
            raise AwsError("ValidationException", f"{name} is {value}; it must be {accepted}.")


def _summary(document: Json) -> Json:
    shown = {
        "executionArn": document["executionArn"],
        "mapRunArn": document["mapRunArn"],
        "stateMachineArn": document["stateMachineArn"],
        "startDate": timestamps.from_epoch(document["startDate"]),
    }
    if document["stopDate"] is not None:
        shown["stopDate"] = timestamps.from_epoch(document["stopDate"])
    return shown


def _counts(statuses: dict[str, int], total: int) -> Json:
    counts = {name: statuses.get(status, 0) for status, name in COUNTS.items()}
    return {
        **counts,
        "pending": max(0, total - sum(counts.values())),
        "total": total,
        "resultsWritten": counts["succeeded"],
        "failuresNotRedrivable": 0,
        "pendingRedrive": 0,
    }
