"""What a task did, asked of the service that did it: SQL and rows, recipe, logs, configuration.

`look_up` takes the task's own request and answer, as the history has them, and gives sections
{title, kind, ...} (console.sections) that the page draws.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from console import data_work, model_work
from console.logs import log
from console.sections import Section, facts, note
from console.task import Task

LOG = logging.getLogger(__name__)


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
    except Exception as error:  # of ours: the sections before it are still of use
        LOG.exception("Work of %s %s", task.service, task.verb)
        problem = f"{type(error).__name__}: {error}"
        sections.append(
            note(f"The console failed at showing more ({problem}); its log says where.")
        )
    return sections


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
    ("databrew", "createRecipeJob"): data_work.databrew_job,
    ("databrew", "updateRecipeJob"): data_work.databrew_job,
    ("glue", "startJobRun"): data_work.glue_run,
    ("glue", "startCrawler"): data_work.crawler,
    ("glue", "getCrawler"): data_work.crawler,
    ("sagemaker", "createTrainingJob"): model_work.training,
    ("sagemaker", "createHyperParameterTuningJob"): model_work.tuning,
    ("sagemaker", "createModel"): model_work.model,
    ("sagemaker", "createEndpointConfig"): model_work.endpoint_config_made,
    ("sagemaker", "createEndpoint"): model_work.endpoint,
    ("sagemaker", "updateEndpoint"): model_work.endpoint,
    ("sagemaker", "describeEndpoint"): model_work.endpoint,
    ("lambda", "*"): _function,
}
