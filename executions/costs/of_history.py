"""What an execution costs, or would have cost, on AWS: an estimate from its own history.

Quantities are those that services answered to the execution's tasks; prices are public list
prices (`prices.json`, with their date and pages). What an answer does not tell is not guessed:
it is named under `not_counted`.
"""

from __future__ import annotations

import base64
import math
import re
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from executions.costs.prices import PRICES, Line, crawl, dated
from executions.events import RUNNING, all_events
from executions.history import Attempt, History, mapping

Json = dict[str, Any]

HISTORIES_AT_ONCE = 4
MEGABYTE = 1_000_000
RUNNING_QUERY = ("QUEUED", "RUNNING")


class NotKnown(Exception):
    """Why a task's charge cannot be said."""


def estimate(events: Iterable[Json]) -> Json:
    """{total, lines: [{service, state, quantity, dollars, times}], states, not_counted, prices}.

    `total` in dollars, `states` each state's, its transitions included. Lines of the same service
    and state are one, and so are all transitions.
    """
    history = History(events)
    price = PRICES["step_functions"]["transition"]
    states: defaultdict[str, float] = defaultdict(float)
    lines: list[tuple[str, Line]] = []
    unknown: Counter[str] = Counter()
    for visit in history.visits:
        states[visit.state] += price * max(1, len(visit.attempts))
        for attempt in visit.attempts:
            if attempt.status == "running":
                continue
            try:
                for line in _charges(attempt):
                    lines.append((visit.state, line))
            except NotKnown as why:
                unknown[str(why)] += 1
    for state, line in lines:
        states[state] += line.dollars
    quantity = f"{history.transitions:,} transitions"
    entered = Line("Step Functions", quantity, history.transitions * price)
    shown = [{"state": "", "times": 1} | vars(entered), *_merged(lines)]
    return {
        "total": sum(line["dollars"] for line in shown),
        "lines": shown,
        "states": dict(states),
        "not_counted": [f"{why} ({n} times)" if n > 1 else why for why, n in unknown.items()],
        "prices": dated(),
    }


def _merged(lines: list[tuple[str, Line]]) -> list[Json]:
    found: dict[tuple[str, str], Json] = {}
    for state, line in lines:
        known = found.get((state, line.service))
        if known is None:
            found[state, line.service] = {"state": state, "times": 1} | vars(line)
        else:
            known["times"] += 1
            known["dollars"] += line.dollars
            known["quantity"] = line.quantity if known["quantity"] == line.quantity else ""
    return list(found.values())


def _charges(attempt: Attempt) -> Iterator[Line]:
    service, verb = attempt.service, attempt.verb
    if (service, verb) in UNTOLD:
        raise NotKnown(UNTOLD[service, verb])
    charge = CHARGES.get((service, verb))
    if charge is None:
        return
    if attempt.status == "aborted":
        raise NotKnown(f"{service} {verb}: what a stopped task had used by then")
    if not attempt.waits and service != "lambda":
        raise NotKnown(f"{service} {verb}: the task does not wait for what it starts")
    answer = attempt.output if attempt.status == "succeeded" else attempt.cause
    yield from charge(mapping(attempt.request), mapping(answer))


def of_query(query: Json) -> float | None:
    """Dollars of a query as GetQueryExecution answers it; None while that is not known."""
    if query["Status"]["State"] in RUNNING_QUERY:
        return None
    try:
        return sum(line.dollars for line in _athena({}, {"QueryExecution": query}))
    except NotKnown:
        return None


def _athena(_: Json, answer: Json) -> Iterator[Line]:
    query = answer.get("QueryExecution", {})
    created = query.get("SubstatementType") == "CREATE_TABLE_AS_SELECT"  # DDL that scans
    if query.get("StatementType") != "DML" and not created:
        return  # DDL and utility statements are free
    if query.get("Status", {}).get("State") == "FAILED":
        return
    scanned = query.get("Statistics", {}).get("DataScannedInBytes")
    if scanned is None:
        raise NotKnown("athena: scanned bytes were not told")
    price = PRICES["athena"]
    billed = max(math.ceil(scanned / MEGABYTE), price["minimum_megabytes"])
    yield Line("Athena", f"{billed:,} MB scanned", billed / 1e6 * price["terabyte"])


def _glue(_: Json, run: Json) -> Iterator[Line]:
    price = PRICES["glue"]
    flex = run.get("ExecutionClass") == "FLEX"
    seconds = run.get("DPUSeconds")
    if seconds is None:
        capacity, time = run.get("MaxCapacity"), run.get("ExecutionTime")
        if capacity is None or time is None:
            raise NotKnown("glue: DPU seconds were not told")
        seconds = capacity * max(time, price["minimum_seconds"])
    rate = price["flex_dpu_hour" if flex else "dpu_hour"]
    yield Line("Glue", f"{seconds:,.0f} DPU seconds", seconds / 3600 * rate)


def _databrew(_: Json, run: Json) -> Iterator[Line]:
    if run.get("ExecutionTime") is None:
        raise NotKnown("databrew: the execution time was not told")
    price = PRICES["databrew"]
    minutes = math.ceil(max(run["ExecutionTime"], price["minimum_seconds"]) / 60)
    nodes = price["default_nodes"]
    hours = nodes * minutes / 60
    yield Line(
        "DataBrew", f"{minutes} min x {nodes} nodes (the default)", hours * price["node_hour"]
    )


def _training(request: Json, job: Json) -> Iterator[Line]:
    resources = job.get("ResourceConfig") or request.get("ResourceConfig") or {}
    kind, seconds = resources.get("InstanceType"), job.get("BillableTimeInSeconds")
    if seconds is None:
        raise NotKnown("sagemaker: billable seconds were not told")
    rate = PRICES["sagemaker"]["training_hour"].get(kind)
    if rate is None:
        raise NotKnown(f"sagemaker: no price of {kind} is known here")
    count = resources.get("InstanceCount", 1)
    yield Line("SageMaker", f"{seconds:,} s x {count} {kind}", seconds / 3600 * count * rate)


def _tuning(request: Json, job: Json) -> Iterator[Line]:
    """All its training jobs', together."""
    definition = job.get("TrainingJobDefinition") or request.get("TrainingJobDefinition") or {}
    resources = definition.get("ResourceConfig") or definition.get(
        "HyperParameterTuningResourceConfig"
    )
    seconds = (job.get("ConsumedResources") or {}).get("RuntimeInSeconds")
    yield from _training({}, {"ResourceConfig": resources, "BillableTimeInSeconds": seconds})


def _function(_: Json, answer: Json) -> Iterator[Line]:
    price = PRICES["lambda"]
    payload = answer.get("Payload")  # `lambda:invoke` answers it as JSON, the SDK's action as text
    told = payload if isinstance(payload, dict) else mapping(payload)
    if told.get("finished") is True and told.get("last_crawl"):
        yield crawl()  # that the function began elsewhere: no service answers its DPU hours
    log = base64.b64decode(answer.get("LogResult") or "").decode("utf-8", "replace")
    found = re.search(r"Billed Duration: (\d+) ms\s+Memory Size: (\d+) MB", log)
    if found is None:
        yield Line("Lambda", "1 request", price["request"])
        raise NotKnown(
            "lambda: the billed duration, and what a function begins elsewhere (queries, an"
            " endpoint), is not in the answer"
        )
    size = int(found[1]) / 1000 * int(found[2]) / 1024
    dollars = price["request"] + size * price["gigabyte_second"]
    yield Line("Lambda", f"1 request, {size:.3f} GB-s", dollars)


CHARGES: dict[tuple[str, str], Callable[[Json, Json], Iterator[Line]]] = {
    ("athena", "startQueryExecution"): _athena,
    ("glue", "startJobRun"): _glue,
    ("databrew", "startJobRun"): _databrew,
    ("sagemaker", "createTrainingJob"): _training,
    ("sagemaker", "createHyperParameterTuningJob"): _tuning,
    ("lambda", "invoke"): _function,
}
# What costs, and of which an execution's history does not say how much.
UNTOLD = {
    ("glue", "startCrawler"): "glue startCrawler: the crawl's DPU hours",
    ("states", "startExecution"): "states startExecution: the other execution has its own estimate",
    ("sagemaker", "createEndpoint"): "sagemaker: an endpoint costs as long as it stands",
    ("sagemaker", "updateEndpoint"): "sagemaker: an endpoint costs as long as it stands",
}


class Estimates:
    """Totals of ended executions, each read once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, float] = {}
        self._pool = ThreadPoolExecutor(HISTORIES_AT_ONCE, thread_name_prefix="estimates")

    def forget(self, arn: str) -> None:
        """It goes on: what it cost is not all."""
        with self._lock:
            self._known.pop(arn, None)

    def of(self, step_functions: Any, arns: list[str]) -> dict[str, float]:
        """Dollars by ARN; without those that run, or whose history cannot be read."""
        missing = [arn for arn in arns if arn not in self._known]

        def ask(arn: str) -> None:
            try:
                status = step_functions.describe_execution(executionArn=arn)["status"]
                if status in RUNNING:
                    return
                total = estimate(all_events(step_functions, arn))["total"]
            except (ClientError, BotoCoreError):
                return
            with self._lock:
                self._known[arn] = total

        list(self._pool.map(ask, missing))
        return {arn: self._known[arn] for arn in arns if arn in self._known}
