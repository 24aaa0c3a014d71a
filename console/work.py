"""What a task did, asked of the service that did it: SQL and rows, recipe, logs, configuration.

`look_up` takes the task's own request and answer, as the history has them, and gives sections
{title, kind, ...} that the page draws by kind: facts, code, table, log, json, note.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

Json = dict[str, Any]
Section = dict[str, Any]

FIRST_ROWS = 20
LOG_LINES = 400


class Task:
    """One task attempt: its service, verb, request, what it submitted or answered, its times."""

    def __init__(self, scheduled: Json, later: list[Json]) -> None:
        self.service: str = scheduled["resourceType"].removeprefix("aws-sdk:")
        self.verb: str = scheduled["resource"].split(".")[0].split(":")[-1]
        self.request: Json = _object(scheduled.get("parameters"))
        self.answer: Json = {}
        self.started: datetime | None = None
        self.ended: datetime | None = None
        for event in later:
            for name in ("taskSubmittedEventDetails", "taskSucceededEventDetails"):
                self.answer |= _object((event.get(name) or {}).get("output"))


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


def note(text: str) -> Section:
    return {"title": "", "kind": "note", "text": text}


def _facts(title: str, rows: dict[str, Any], units: dict[str, str] | None = None) -> Section:
    kept = {name: value for name, value in rows.items() if value not in (None, "", [], {})}
    return {"title": title, "kind": "facts", "rows": kept, "units": units or {}}


def _object(text: Any) -> Json:
    try:
        found = json.loads(text)
    except (TypeError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _athena(clients: Any, task: Task) -> Iterator[Section]:
    client = clients("athena")
    number = task.answer.get("QueryExecutionId") or task.answer.get("QueryExecution", {}).get(
        "QueryExecutionId"
    )
    if number is None:
        yield {"title": "SQL", "kind": "code", "text": task.request.get("QueryString", "")}
        return
    query = client.get_query_execution(QueryExecutionId=number)["QueryExecution"]
    statistics = query.get("Statistics", {})
    yield _facts(
        "Query",
        {
            "State": query["Status"]["State"],
            "Scanned": statistics.get("DataScannedInBytes"),
            "Engine time": statistics.get("EngineExecutionTimeInMillis"),
            "Queued": statistics.get("QueryQueueTimeInMillis"),
            "Database": query.get("QueryExecutionContext", {}).get("Database"),
            "Work group": query.get("WorkGroup"),
            "Results": query.get("ResultConfiguration", {}).get("OutputLocation"),
            "Id": number,
            "Reason": query["Status"].get("StateChangeReason"),
        },
        {"Scanned": "bytes", "Engine time": "ms", "Queued": "ms"},
    )
    yield {"title": "SQL", "kind": "code", "text": query["Query"]}
    if query["Status"]["State"] == "SUCCEEDED" and query.get("StatementType") != "DDL":
        answer = client.get_query_results(QueryExecutionId=number, MaxResults=FIRST_ROWS + 1)
        rows = [
            [cell.get("VarCharValue") for cell in row["Data"]]
            for row in answer["ResultSet"]["Rows"]
        ]
        names = [c["Name"] for c in answer["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]]
        rows = rows[1:] if rows and rows[0] == names else rows
        if rows:
            yield {
                "title": "First rows",
                "kind": "table",
                "columns": names,
                "rows": rows[:FIRST_ROWS],
            }


def _databrew_run(clients: Any, task: Task) -> Iterator[Section]:
    client = clients("databrew")
    name = task.request["Name"]
    run_id = task.answer.get("RunId")
    if run_id is not None:
        run = client.describe_job_run(Name=name, RunId=run_id)
        outputs = [entry["Location"] for entry in run.get("Outputs", [])]
        yield _facts(
            "Job run",
            {
                "Job": name,
                "State": run["State"],
                "Execution time": run.get("ExecutionTime"),
                "Dataset": run.get("DatasetName"),
                "Output": ", ".join(f"s3://{at['Bucket']}/{at.get('Key', '')}" for at in outputs),
                "Log": run.get("LogGroupName"),
                "Id": run_id,
                "Error": run.get("ErrorMessage"),
            },
            {"Execution time": "s"},
        )
        reference = run.get("RecipeReference")
    else:
        reference = client.describe_job(Name=name).get("RecipeReference")
    if reference:
        yield from _recipe(client, reference)
    if run_id is not None and run.get("LogGroupName"):
        yield from _log(clients, run["LogGroupName"], stream_prefix=name)


def _recipe(client: Any, reference: Json) -> Iterator[Section]:
    version = {"RecipeVersion": reference["RecipeVersion"]} if "RecipeVersion" in reference else {}
    recipe = client.describe_recipe(Name=reference["Name"], **version)
    rows = []
    for index, step in enumerate(recipe["Steps"], 1):
        action = step["Action"]
        given = ", ".join(f"{k}: {v}" for k, v in (action.get("Parameters") or {}).items())
        when = "; ".join(
            f"{c['TargetColumn']} {c['Condition']} {c.get('Value', '')}".strip()
            for c in step.get("ConditionExpressions") or []
        )
        rows.append([str(index), action["Operation"], given, when])
    title = f"Recipe {reference['Name']} {reference.get('RecipeVersion', '')}".strip()
    yield {
        "title": title,
        "kind": "table",
        "columns": ["Step", "Operation", "Parameters", "Only where"],
        "rows": rows,
    }


def _databrew_job(clients: Any, task: Task) -> Iterator[Section]:
    job = clients("databrew").describe_job(Name=task.request["Name"])
    if job.get("RecipeReference"):
        yield from _recipe(clients("databrew"), job["RecipeReference"])


def _glue_run(clients: Any, task: Task) -> Iterator[Section]:
    run_id = task.answer.get("JobRunId") or task.answer.get("Id")
    name = task.request["JobName"]
    if run_id is None:
        return
    client = clients("glue")
    run = client.get_job_run(JobName=name, RunId=run_id)["JobRun"]
    script = client.get_job(JobName=name)["Job"].get("Command", {}).get("ScriptLocation")
    yield _facts(
        "Job run",
        {
            "Job": name,
            "State": run["JobRunState"],
            "Execution time": run.get("ExecutionTime"),
            "Glue": run.get("GlueVersion"),
            "Workers": " x ".join(
                str(run[key]) for key in ("NumberOfWorkers", "WorkerType") if key in run
            ),
            "DPU seconds": run.get("DPUSeconds"),
            "Script": script,
            "Id": run_id,
            "Error": run.get("ErrorMessage"),
        },
        {"Execution time": "s"},
    )
    if run.get("Arguments"):
        yield _facts("Arguments", run["Arguments"])
    group = run.get("LogGroupName") or "/aws-glue/jobs"
    for title, name in (("Output", "output"), ("Log", "error")):
        yield from _log(clients, f"{group}/{name}", stream_prefix=run_id, title=title)


def _crawler(clients: Any, task: Task) -> Iterator[Section]:
    client = clients("glue")
    crawler = client.get_crawler(Name=task.request["Name"])["Crawler"]
    last = crawler.get("LastCrawl", {})
    targets = [entry["Path"] for entry in crawler.get("Targets", {}).get("S3Targets", [])]
    yield _facts(
        "Crawler",
        {
            "Name": crawler["Name"],
            "State": crawler["State"],
            "Targets": ", ".join(targets),
            "Database": crawler.get("DatabaseName"),
            "Last crawl": last.get("Status"),
            "Began": last.get("StartTime"),
            "Error": last.get("ErrorMessage"),
        },
    )
    if crawler.get("DatabaseName"):
        yield from _tables(client, crawler["DatabaseName"])


def _tables(client: Any, database: str) -> Iterator[Section]:
    tables = client.get_tables(DatabaseName=database)["TableList"]
    rows = [
        [
            table["Name"],
            table.get("Parameters", {}).get("classification", ""),
            ", ".join(
                f"{c['Name']} {c.get('Type', '')}"
                for c in table.get("StorageDescriptor", {}).get("Columns", [])
            ),
            ", ".join(c["Name"] for c in table.get("PartitionKeys", [])),
            table.get("StorageDescriptor", {}).get("Location", ""),
        ]
        for table in tables
    ]
    yield {
        "title": f"Tables of {database}",
        "kind": "table",
        "columns": ["Table", "Format", "Columns", "Partitions", "Location"],
        "rows": rows,
    }


def _training(clients: Any, task: Task) -> Iterator[Section]:
    name = task.request["TrainingJobName"]
    job = clients("sagemaker").describe_training_job(TrainingJobName=name)
    resources = job.get("ResourceConfig", {})
    yield _facts(
        "Training job",
        {
            "Name": name,
            "State": job["TrainingJobStatus"],
            "Stage": job.get("SecondaryStatus"),
            "Instances": " x ".join(
                str(resources[key]) for key in ("InstanceCount", "InstanceType") if key in resources
            ),
            "Training time": job.get("TrainingTimeInSeconds"),
            "Billable": job.get("BillableTimeInSeconds"),
            "Model": job.get("ModelArtifacts", {}).get("S3ModelArtifacts"),
            "Image": job.get("AlgorithmSpecification", {}).get("TrainingImage"),
            "Failure": job.get("FailureReason"),
        },
        {"Training time": "s", "Billable": "s"},
    )
    if job.get("HyperParameters"):
        yield _facts("Hyperparameters", job["HyperParameters"])
    channels = [
        [c["ChannelName"], c["DataSource"].get("S3DataSource", {}).get("S3Uri", "")]
        for c in job.get("InputDataConfig", [])
    ]
    if channels:
        yield {
            "title": "Channels",
            "kind": "table",
            "columns": ["Channel", "Data"],
            "rows": channels,
        }
    metrics = [[m["MetricName"], m["Value"]] for m in job.get("FinalMetricDataList", [])]
    if metrics:
        yield {"title": "Metrics", "kind": "table", "columns": ["Metric", "Value"], "rows": metrics}
    yield from _log(clients, "/aws/sagemaker/TrainingJobs", stream_prefix=name)


def _endpoint(clients: Any, task: Task) -> Iterator[Section]:
    client = clients("sagemaker")
    found = client.describe_endpoint(EndpointName=task.request["EndpointName"])
    yield _facts(
        "Endpoint now",
        {
            "Name": found["EndpointName"],
            "State": found["EndpointStatus"],
            "Configuration": found["EndpointConfigName"],
            "Changed": found.get("LastModifiedTime"),
            "Failure": found.get("FailureReason"),
        },
    )
    yield from _endpoint_config(client, found["EndpointConfigName"])


def _endpoint_config_made(clients: Any, task: Task) -> Iterator[Section]:
    yield from _endpoint_config(clients("sagemaker"), task.request["EndpointConfigName"])


def _endpoint_config(client: Any, name: str) -> Iterator[Section]:
    config = client.describe_endpoint_config(EndpointConfigName=name)
    for variant in config.get("ProductionVariants", []):
        yield _facts(f"Configuration {name}", {k: str(v) for k, v in variant.items()})


def _model(clients: Any, task: Task) -> Iterator[Section]:
    model = clients("sagemaker").describe_model(ModelName=task.request["ModelName"])
    container = model.get("PrimaryContainer", {})
    yield _facts(
        "Model",
        {
            "Name": model["ModelName"],
            "Data": container.get("ModelDataUrl"),
            "Image": container.get("Image"),
            **container.get("Environment", {}),
        },
    )


def _function(clients: Any, task: Task) -> Iterator[Section]:
    name = task.request.get("FunctionName", "")
    found = clients("lambda").get_function_configuration(FunctionName=name)
    yield _facts(
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
    yield from _log(clients, group, between=(task.started, task.ended))


def _log(
    clients: Any,
    group: str,
    *,
    stream_prefix: str | None = None,
    title: str = "Log",
    between: tuple[datetime | None, datetime | None] | None = None,
) -> Iterator[Section]:
    """The last lines; nothing when the group is not there (yet) or is empty."""
    client = clients("logs")
    given: Json = {"logGroupName": group}
    if stream_prefix:
        given["logStreamNamePrefix"] = stream_prefix
    if between and between[0]:
        given["startTime"] = int(between[0].timestamp() * 1000) - 500
        if between[1]:
            given["endTime"] = int(between[1].timestamp() * 1000) + 2000
    lines: list[Json] = []
    try:
        for answer in client.get_paginator("filter_log_events").paginate(**given):
            lines = [*lines, *answer["events"]][-LOG_LINES:]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            yield note(f"Log {group}: {error}")
        return
    if lines:
        shown = [{"time": e["timestamp"], "text": e["message"].rstrip("\n")} for e in lines]
        yield {"title": title, "kind": "log", "group": group, "lines": shown}


Handler = Callable[[Any, Task], Iterator[Section]]
HANDLERS: dict[tuple[str, str], Handler] = {
    ("athena", "startQueryExecution"): _athena,
    ("databrew", "startJobRun"): _databrew_run,
    ("databrew", "updateRecipeJob"): _databrew_job,
    ("glue", "startJobRun"): _glue_run,
    ("glue", "startCrawler"): _crawler,
    ("glue", "getCrawler"): _crawler,
    ("sagemaker", "createTrainingJob"): _training,
    ("sagemaker", "createModel"): _model,
    ("sagemaker", "createEndpointConfig"): _endpoint_config_made,
    ("sagemaker", "createEndpoint"): _endpoint,
    ("sagemaker", "updateEndpoint"): _endpoint,
    ("sagemaker", "describeEndpoint"): _endpoint,
    ("lambda", "*"): _function,
}
