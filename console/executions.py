"""State machines and executions as the page shows them."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.exceptions import ClientError

from executions.paging import everything

Json = dict[str, Any]

MOST_MACHINES = 1000
PAGE_EXECUTIONS = 1000
DESCRIBED_AT_ONCE = 8
PARENT_KEY = "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID"


def machines(step_functions: Any) -> list[Json]:
    """Every state machine, by name."""
    listed = everything(
        step_functions, "list_state_machines", "stateMachines", MOST_MACHINES, maxResults=1000
    )
    return sorted(listed, key=lambda entry: str(entry["name"]).lower())


def machine(step_functions: Any, arn: str) -> Json:
    """The description, with `aliases` and `versions` (empty where the endpoint has none)."""
    found: Json = step_functions.describe_state_machine(stateMachineArn=arn)
    found.pop("ResponseMetadata", None)
    found["aliases"] = _optional(
        lambda: step_functions.list_state_machine_aliases(stateMachineArn=arn, maxResults=100)[
            "stateMachineAliases"
        ]
    )
    found["versions"] = _optional(
        lambda: step_functions.list_state_machine_versions(stateMachineArn=arn, maxResults=100)[
            "stateMachineVersions"
        ]
    )
    return found


def _optional(ask: Any) -> list[Json]:
    try:
        found: list[Json] = ask()
    except ClientError:
        return []
    return found


def page(step_functions: Any, machine_arn: str, status: str | None, token: str | None) -> Json:
    """{executions, next}: up to a thousand, newest first."""
    given: Json = {"stateMachineArn": machine_arn, "maxResults": PAGE_EXECUTIONS}
    if ":mapRun:" in machine_arn:
        given["mapRunArn"] = given.pop("stateMachineArn")
    if status:
        given["statusFilter"] = status
    if token:
        given["nextToken"] = token
    answer = step_functions.list_executions(**given)
    return {"executions": answer["executions"], "next": answer.get("nextToken")}


def definition(step_functions: Any, arn: str, machine_arn: str) -> Json:
    """{definition, revision}: as this execution runs it, or, where the endpoint does not keep
    that, as the state machine is now."""
    try:
        found = step_functions.describe_state_machine_for_execution(executionArn=arn)
    except ClientError:
        base = ":".join(machine_arn.split(":")[:7])
        found = step_functions.describe_state_machine(stateMachineArn=base)
    return {"definition": found["definition"], "revision": found.get("revisionId")}


class Origins:
    """What started an execution. Only DescribeExecution tells, and an input never changes:
    each execution is asked about once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, Json] = {}
        self._pool = ThreadPoolExecutor(DESCRIBED_AT_ONCE, thread_name_prefix="origins")

    def of(self, step_functions: Any, arns: list[str]) -> dict[str, Json]:
        missing = [arn for arn in arns if arn not in self._known]

        def ask(arn: str) -> None:
            try:
                found = step_functions.describe_execution(executionArn=arn)
            except ClientError:
                return
            with self._lock:
                self._known[arn] = origin(found)

        list(self._pool.map(ask, missing))
        return {arn: self._known[arn] for arn in arns if arn in self._known}


def origin(description: Json) -> Json:
    """{kind, detail}: kind is upload, schedule, event, execution or request."""
    try:
        given = json.loads(description.get("input") or "{}")
    except ValueError:
        given = None
    if isinstance(given, dict):
        if given.get(PARENT_KEY):
            return {"kind": "execution", "detail": str(given[PARENT_KEY]).split(":")[-1]}
        kind, source = given.get("detail-type"), given.get("source")
        if source == "aws.s3" and isinstance(given.get("detail"), dict):
            detail = given["detail"]
            bucket = (detail.get("bucket") or {}).get("name", "")
            return {
                "kind": "upload",
                "detail": f"{bucket}/{(detail.get('object') or {}).get('key', '')}",
            }
        if kind in ("Scheduled Event", "Schedule") or source in ("aws.scheduler", "schedule"):
            return {"kind": "schedule", "detail": str((given.get("resources") or [""])[0])}
        if kind and source:
            return {"kind": "event", "detail": f"{source}: {kind}"}
        # Starters between an event and the execution say themselves what they stand for.
        if isinstance(given.get("upload"), dict):
            return {"kind": "upload", "detail": str(given["upload"].get("newest", ""))}
        if isinstance(given.get("schedule"), dict):
            name = str(given["schedule"].get("arn", "")).rpartition("/")[2]
            return {"kind": "schedule", "detail": name}
    return {"kind": "request", "detail": ""}
