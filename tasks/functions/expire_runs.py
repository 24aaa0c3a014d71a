"""Expire runs: what runs left that nobody needs any more goes, after as many days as the settings
say.

An age alone (a lifecycle rule) cannot tell: what serves today may be the oldest there is. So a run
goes as a whole, its folder, its models and its tables in the catalog, when nothing has been written
there for so long, and never one

* whose model SageMaker still has: what is live, and what `rebuy models --roll-back` can bring back;
* which an audit record calls published, or whose tables the views show;
* which was the last to go well: the next run takes over from it;
* whose cleaned rows one of those has taken over (their ledgers say which).

None goes while an execution is in progress, or as long as it could be redriven (14 days). What is
deleted can be brought back for as long as the bucket keeps versions. Audit records stay.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from tasks.functions import increments, published_views, storage

Json = dict[str, Any]

RUNS, MODELS = "runs/run=", "models/"
MOST_KEYS, MOST_TABLES = 1000, 100  # of one DeleteObjects, of one BatchDeleteTable
REDRIVE_DAYS = 14  # https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html


def handler(event: Json, context: Any) -> Json:
    """`event`: {look}, the time that it is called for. Answers {expired, kept}: ids of runs; or
    {waits_for}, the executions that are in progress."""
    import boto3

    now = datetime.fromisoformat(event["look"].replace("Z", "+00:00"))
    days = int(os.environ["KEEP_RUNS_DAYS"])
    if days <= REDRIVE_DAYS:
        raise ValueError(f"KEEP_RUNS_DAYS is {days}; a run can be redriven for {REDRIVE_DAYS}.")
    running = in_progress(boto3.client("stepfunctions"), os.environ["STATE_MACHINE"])
    if running:
        return {"waits_for": running}
    bucket, database = os.environ["LAKE_BUCKET"], os.environ["DATABASE"]
    s3, glue = boto3.client("s3"), boto3.client("glue")
    made = os.environ["MADE_PREFIX"]
    there = runs(s3, bucket)
    models = model_names(boto3.client("sagemaker"), made)
    modelled = {run for run in there if any(of_run(name, run) for name in models)}
    kept = closed(s3, bucket, modelled | needed(s3, glue, bucket, database))
    old = [
        run
        for run in there
        if run not in kept and newest(s3, bucket, run) < now - timedelta(days=days)
    ]
    for run in old:
        drop_tables(glue, database, run)
        delete(s3, bucket, keys(s3, bucket, run, made))
    return {"expired": old, "kept": sorted(kept)}


def in_progress(step_functions: Any, machine: str) -> list[str]:
    pages = step_functions.get_paginator("list_executions").paginate(
        stateMachineArn=machine, statusFilter="RUNNING"
    )
    return [one["executionArn"] for page in pages for one in page["executions"]]


def runs(s3: Any, bucket: str) -> list[str]:
    """The ids of the runs that have a folder."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=RUNS, Delimiter="/")
    found = (one["Prefix"] for page in pages for one in page.get("CommonPrefixes", []))
    return [prefix.removeprefix(RUNS).rstrip("/") for prefix in found]


def newest(s3: Any, bucket: str, run: str) -> datetime:
    """When something was last written to the run's folder."""
    found: datetime = max(
        entry["LastModified"] for entry in storage.listed(s3, bucket, f"{RUNS}{run}/")
    )
    return found


def needed(s3: Any, glue: Any, bucket: str, database: str) -> set[str]:
    """Ids of the runs that were published, that the views show, and that went well last."""
    found: set[str] = set()
    last = None
    for _, record in storage.audit_records(s3, bucket):
        run = record["run"]
        if run is None:
            continue
        well = record["status"] == "SUCCEEDED" and not run.get("nothing_new")
        if well and last is None:
            last = run["id"]
        if record["outcome"] == "published":
            found.add(run["id"])
    views = [view for view in published_views.read(glue, database).values() if view is not None]
    found |= {
        run for run in runs(s3, bucket) if any(published_views.shows(view, run) for view in views)
    }
    return found | ({last} if last else set())


def closed(s3: Any, bucket: str, wanted: Iterable[str]) -> set[str]:
    """With the runs whose cleaned rows they have taken over."""
    found, open_ones = set(), set(wanted)
    while open_ones:
        run = open_ones.pop()
        found.add(run)
        key = increments.ledger_key(run)
        if any(entry["Key"] == key for entry in storage.objects(s3, bucket, key)):
            ledger = storage.read_json(s3, bucket, key)
            open_ones |= {partition["run"] for partition in ledger["partitions"]} - found
    return found


def model_names(sagemaker: Any, made: str) -> list[str]:
    """Of SageMaker's models, without the begin that tells whose they are."""
    pages = sagemaker.get_paginator("list_models").paginate(NameContains=made)
    found = [model["ModelName"] for page in pages for model in page["Models"]]
    return [name.removeprefix(made) for name in found if name.startswith(made)]


def of_run(name: str, run: str) -> bool:
    """Whether a model, a training job or one of its trials is the run's: its name, or the end of it
    (tasks/training.py), and what tries and trials append."""
    own = run.replace("_", "-")
    return any(name == begin or name.startswith(f"{begin}-") for begin in (own, own[-8:]))


def keys(s3: Any, bucket: str, run: str, made: str) -> Iterator[str]:
    """Of the run's folder, and of the models that its jobs trained."""
    yield from (entry["Key"] for entry in storage.listed(s3, bucket, f"{RUNS}{run}/"))
    for begin in (run.replace("_", "-"), run.replace("_", "-")[-8:]):
        for entry in storage.listed(s3, bucket, f"{MODELS}{made}{begin}"):
            job = entry["Key"].removeprefix(MODELS).partition("/")[0]
            if of_run(job.removeprefix(made), run):
                yield entry["Key"]


def drop_tables(glue: Any, database: str, run: str) -> None:
    """A table whose files are gone must not look as if they were there."""
    own = re.compile(rf".*_{re.escape(run)}(_\d+)?")
    pages = glue.get_paginator("get_tables").paginate(DatabaseName=database)
    names = [table["Name"] for page in pages for table in page["TableList"]]
    tables = [name for name in names if own.fullmatch(name)]
    for start in range(0, len(tables), MOST_TABLES):
        glue.batch_delete_table(
            DatabaseName=database, TablesToDelete=tables[start : start + MOST_TABLES]
        )


def delete(s3: Any, bucket: str, found: Iterable[str]) -> None:
    """Raises RuntimeError for what S3 would not delete."""
    wanted = list(dict.fromkeys(found))
    for start in range(0, len(wanted), MOST_KEYS):
        part = [{"Key": key} for key in wanted[start : start + MOST_KEYS]]
        answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": part, "Quiet": True})
        for error in answer.get("Errors", []):
            raise RuntimeError(f"s3://{bucket}/{error['Key']}: {error['Message']}")
