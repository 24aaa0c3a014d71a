"""What a task did, asked of the service that did it: SQL and rows, recipe, logs, configuration.

`look_up` takes the task's own request and answer, as the history has them, and gives sections
{title, kind, ...} (console.sections) that the page draws.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from console import data_work, model_work
from console.logs import log
from console.sections import Section, facts, mapping, note

Json = dict[str, Any]


class Task:
    """One task attempt: its service, verb, request, what it submitted or answered, its times."""

    def __init__(self, scheduled: Json, later: list[Json]) -> None:
        self.service: str = scheduled["resourceType"].removeprefix("aws-sdk:")
        self.verb: str = scheduled["resource"].split(".")[0].split(":")[-1]
        self.request: Json = mapping(scheduled.get("parameters"))
        self.answer: Json = {}
        self.started: datetime | None = None
        self.ended: datetime | None = None
        for event in later:
            for name in ("taskSubmittedEventDetails", "taskSucceededEventDetails"):
                self.answer |= mapping((event.get(name) or {}).get("output"))


def look_up(clients: Any, task: Task) -> list[Section]:
    """The sections; what a service refuses to tell becomes a note in its place."""
    handler = HANDLERS.get((task.service, task.verb)) or HANDLERS.get((task.service, "*"))
    if handler is None:
        return []
    sections: list[Section] = []
    try:
        for section in handler(clients, task):
            sections.append(section)
    except (ClientError, BotoCoreError) as error:
        sections.append(note(f"{task.service} does not tell: {error}"))
    except (KeyError, IndexError, TypeError) as error:
        sections.append(note(f"{task.service} answered in another form: no {error}."))
    return sections


def task_of(events: list[Json], number: int) -> Task | None:
    """The attempt that the TaskScheduled event `number` began."""
    begun = next((e for e in events if e["id"] == number and e["type"] == "TaskScheduled"), None)
    if begun is None:
        return None
    chain, later = {number}, []
    for event in events:
        if event.get("previousEventId") in chain and event["type"].startswith("Task"):
            chain.add(event["id"])
            later.append(event)
    task = Task(begun["taskScheduledEventDetails"], later)
    task.started = begun["timestamp"]
    task.ended = later[-1]["timestamp"] if later else None
    return task


def _function(clients: Any, task: Task) -> Iterator[Section]:
    name = task.request.get("FunctionName", "")
    found = clients("lambda").get_function_configuration(FunctionName=name)
    yield facts(
        "Function",
        {
            "Name": found["FunctionName"],
            "Runtime": found.get("Runtime"),
            "Handler": found.get("Handler"),
            "Memory": found.get("MemorySize"),
            "Timeout": found.get("Timeout"),
            "Version": found.get("Version"),
            "Code SHA-256": found.get("CodeSha256"),
        },
        {"Memory": "MB", "Timeout": "s"},
    )
    group = found.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{found['FunctionName']}"
    yield from log(clients, group, between=(task.started, task.ended))


Handler = Callable[[Any, Task], Iterator[Section]]
HANDLERS: dict[tuple[str, str], Handler] = {
    ("athena", "startQueryExecution"): data_work.athena,
    ("databrew", "startJobRun"): data_work.databrew_run,
    ("databrew", "updateRecipeJob"): data_work.databrew_job,
    ("glue", "startJobRun"): data_work.glue_run,
    ("glue", "startCrawler"): data_work.crawler,
    ("glue", "getCrawler"): data_work.crawler,
    ("sagemaker", "createTrainingJob"): model_work.training,
    ("sagemaker", "createModel"): model_work.model,
    ("sagemaker", "createEndpointConfig"): model_work.endpoint_config_made,
    ("sagemaker", "createEndpoint"): model_work.endpoint,
    ("sagemaker", "updateEndpoint"): model_work.endpoint,
    ("sagemaker", "describeEndpoint"): model_work.endpoint,
    ("lambda", "*"): _function,
}
