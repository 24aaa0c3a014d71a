"""The work of Athena, DataBrew and Glue: SQL and rows, recipes, samples, crawled tables."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from console import queries, samples
from console.logs import log
from console.sections import Section, facts, section, table
from console.task import Task

Json = dict[str, Any]

FIRST_ROWS = 20


def athena(clients: Any, task: Task) -> Iterator[Section]:
    client = clients("athena")
    number = task.answer.get("QueryExecutionId") or task.answer.get("QueryExecution", {}).get(
        "QueryExecutionId"
    )
    if number is None:
        yield section("code", "SQL", text=task.request.get("QueryString", ""))
        return
    query = client.get_query_execution(QueryExecutionId=number)["QueryExecution"]
    statistics = query.get("Statistics", {})
    yield facts(
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
    yield section("code", "SQL", text=query["Query"])
    if queries.query_of(query["Query"]) is not None:
        yield section("plan", "Plan", query=number)
    if query["Status"]["State"] == "SUCCEEDED" and query.get("StatementType") != "DDL":
        names, rows = queries.first_rows(client, number, FIRST_ROWS)
        if rows:
            yield table("First rows", names, rows)


def databrew_run(clients: Any, task: Task) -> Iterator[Section]:
    client = clients("databrew")
    name = task.request["Name"]
    run_id = task.answer.get("RunId")
    if run_id is not None:
        run = client.describe_job_run(Name=name, RunId=run_id)
        outputs = [entry["Location"] for entry in run.get("Outputs", [])]
        yield facts(
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
    steps = _steps(client, reference) if reference else []
    if reference:
        yield _recipe(reference, steps)
    if run_id is not None:
        if run["State"] == "SUCCEEDED" and reference:
            yield samples.section(clients, run) | {"touched": samples.touched(steps)}
        elif run["State"] == "SUCCEEDED":
            yield _profile(clients("s3"), run)
        if run.get("LogGroupName"):
            yield from log(clients, run["LogGroupName"], stream_prefix=name)


def _steps(client: Any, reference: Json) -> list[Json]:
    version = {"RecipeVersion": reference["RecipeVersion"]} if "RecipeVersion" in reference else {}
    found: list[Json] = client.describe_recipe(Name=reference["Name"], **version)["Steps"]
    return found


def _recipe(reference: Json, steps: list[Json]) -> Section:
    rows = []
    for index, step in enumerate(steps, 1):
        action = step["Action"]
        given = ", ".join(f"{k}: {v}" for k, v in (action.get("Parameters") or {}).items())
        when = "; ".join(
            f"{c['TargetColumn']} {c['Condition']} {c.get('Value', '')}".strip()
            for c in step.get("ConditionExpressions") or []
        )
        rows.append([str(index), action["Operation"], given, when])
    title = f"Recipe {reference['Name']} {reference.get('RecipeVersion', '')}".strip()
    return table(title, ["Step", "Operation", "Parameters", "Only where"], rows)


def _profile(s3: Any, run: dict[str, Any]) -> Section:
    """What a profile job found of each column."""
    place = run["Outputs"][0]["Location"]
    profile = json.loads(s3.get_object(Bucket=place["Bucket"], Key=place["Key"])["Body"].read())
    figures = ("missingValuesCount", "distinctValuesCount", "min", "mean", "max")
    rows = [
        [column["name"], column["type"], *(str(column.get(figure, "")) for figure in figures)]
        for column in profile["columns"]
    ]
    title = f"Profile of {profile['sampleSize']:,} rows; of texts, the figures are their lengths'"
    return table(title, ["Column", "Type", "Missing", "Different", "Min", "Mean", "Max"], rows)


def databrew_job(clients: Any, task: Task) -> Iterator[Section]:
    job = clients("databrew").describe_job(Name=task.request["Name"])
    reference = job.get("RecipeReference")
    if reference:
        yield _recipe(reference, _steps(clients("databrew"), reference))


def glue_run(clients: Any, task: Task) -> Iterator[Section]:
    run_id = task.answer.get("JobRunId") or task.answer.get("Id")
    name = task.request["JobName"]
    if run_id is None:
        return
    client = clients("glue")
    run = client.get_job_run(JobName=name, RunId=run_id)["JobRun"]
    script = client.get_job(JobName=name)["Job"].get("Command", {}).get("ScriptLocation")
    yield facts(
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
        yield facts("Arguments", run["Arguments"])
    group = run.get("LogGroupName") or "/aws-glue/jobs"
    for title, name in (("Output", "output"), ("Log", "error")):
        yield from log(clients, f"{group}/{name}", stream_prefix=run_id, title=title)


def crawler(clients: Any, task: Task) -> Iterator[Section]:
    client = clients("glue")
    crawler = client.get_crawler(Name=task.request["Name"])["Crawler"]
    last = crawler.get("LastCrawl", {})
    targets = [entry["Path"] for entry in crawler.get("Targets", {}).get("S3Targets", [])]
    yield facts(
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
        {"Began": "time"},
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
    yield table(
        f"Tables of {database}",
        ["Table", "Format", "Columns", "Partitions", "Location"],
        rows,
    )
