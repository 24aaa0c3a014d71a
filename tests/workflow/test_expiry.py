"""What an old run left goes, and never what is live, was published, or is taken over."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from localaws.core.aws import LocalAws, start
from localaws.sagemaker.names import MODEL
from localaws.services import factories
from tasks.functions import expire_runs, increments

LAKE, DATABASE = "lake-of-runs", "shop"
# Of each run why it stays; None: it goes.
RUNS = {
    "daily_01_aaaaaaaa": "published, long ago",
    "daily_02_bbbbbbbb": "its rows were taken over by the last good one",
    "daily_03_cccccccc": None,  # not better
    "daily_04_dddddddd": None,  # failed
    "daily_05_eeeeeeee": "the last that went well",
    "daily_06_ffffffff": "SageMaker has its model",
    "daily_07_abababab": "the views show its tables",
    "daily_08_cdcdcdcd": None,  # ended without a record
}
OUTCOMES = {
    "daily_01_aaaaaaaa": ("SUCCEEDED", "published"),
    "daily_02_bbbbbbbb": ("SUCCEEDED", "not better"),
    "daily_03_cccccccc": ("SUCCEEDED", "not better"),
    "daily_04_dddddddd": ("FAILED", "failed"),
    "daily_05_eeeeeeee": ("SUCCEEDED", "not better"),
    "daily_06_ffffffff": ("FAILED", "failed"),
    "daily_07_abababab": ("FAILED", "failed"),
}
GONE = sorted(run for run, why in RUNS.items() if why is None)


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: Any) -> Iterator[LocalAws]:
    local = start(tmp_path / "home", factories(), wait_scale=1)
    monkeypatch.setattr(boto3, "client", local.client)
    machine = "arn:aws:states:us-east-1:000000000000:stateMachine:shop-purchase-prediction"
    for name, value in {
        **{"LAKE_BUCKET": LAKE, "DATABASE": DATABASE, "MADE_PREFIX": "shop--"},
        **{"KEEP_RUNS_DAYS": "30", "STATE_MACHINE": machine},
    }.items():
        monkeypatch.setenv(name, value)
    fill(local)
    yield local
    local.stop()


def fill(local: LocalAws) -> None:
    s3, glue = local.client("s3"), local.client("glue")
    s3.create_bucket(Bucket=LAKE)
    glue.create_database(DatabaseInput={"Name": DATABASE})
    local.client("stepfunctions").create_state_machine(
        name="shop-purchase-prediction",
        roleArn="arn:aws:iam::000000000000:role/r",
        definition=json.dumps({"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 60,
                                                                "End": True}}}),
    )  # fmt: skip

    def put(key: str, document: Any = "x") -> None:
        s3.put_object(Bucket=LAKE, Key=key, Body=json.dumps(document))

    for number, run in enumerate(RUNS):
        name = run.replace("_", "-")
        put(f"runs/run={run}/features/f.parquet")
        put(f"models/shop--{name}-2/output/model.tar.gz")
        put(f"models/shop--{name[-8:]}-0001-abc/output/model.tar.gz")  # a trial
        for table in ("features", "cleaned_orders"):
            glue.create_table(DatabaseName=DATABASE, TableInput={"Name": f"{table}_{run}"})
        if run in OUTCOMES:
            status, outcome = OUTCOMES[run]
            record = {"status": status, "outcome": outcome, "run": {"id": run}}
            put(f"audit/2026010{number}T080000_{run}.json", record)
    nothing = {"status": "SUCCEEDED", "outcome": "nothing new",
               "run": {"id": "daily_09_efefefef", "nothing_new": True}}  # fmt: skip
    put("audit/20260109T080000_daily_09_efefefef.json", nothing)
    ledger = {"partitions": [{"run": "daily_05_eeeeeeee"}, {"run": "daily_02_bbbbbbbb"}]}
    put(increments.ledger_key("daily_05_eeeeeeee"), ledger)
    local.documents.put(MODEL, "shop--daily-06-ffffffff", {"describe": {
        "ModelName": "shop--daily-06-ffffffff", "ModelArn": "a", "CreationTime": datetime.now(UTC),
    }})  # fmt: skip
    sql = base64.b64encode(b'{"originalSql": "SELECT * FROM features_daily_07_abababab"}').decode()
    view = {"Name": "user_features", "ViewOriginalText": f"/* Presto View: {sql} */"}
    glue.create_table(DatabaseName=DATABASE, TableInput=view)


def look(days: float) -> Any:
    when = datetime.now(UTC) + timedelta(days=days)
    return expire_runs.handler({"look": when.isoformat().replace("+00:00", "Z")}, None)


def left(aws: LocalAws, prefix: str) -> set[str]:
    pages = aws.client("s3").get_paginator("list_objects_v2").paginate(Bucket=LAKE, Prefix=prefix)
    return {entry["Key"] for page in pages for entry in page.get("Contents", [])}


def test_only_what_nobody_needs_goes_and_as_a_whole(aws: LocalAws) -> None:
    audit = left(aws, "audit/")
    assert look(29)["expired"] == []
    assert len(left(aws, "runs/")) == len(RUNS) + 1

    assert sorted(look(31)["expired"]) == GONE
    for run, why in RUNS.items():
        name, stays = run.replace("_", "-"), why is not None
        assert bool(left(aws, f"runs/run={run}/")) is stays, run
        assert bool(left(aws, f"models/shop--{name}")) is stays, run
        assert bool(left(aws, f"models/shop--{name[-8:]}")) is stays, run
    tables = aws.client("glue").get_tables(DatabaseName=DATABASE)["TableList"]
    names = {table["Name"] for table in tables}
    assert not any(name.endswith(run) for name in names for run in GONE)
    assert {f"features_{run}" for run, why in RUNS.items() if why} <= names
    assert left(aws, "audit/") == audit
    assert look(31)["expired"] == []


def test_nothing_goes_while_a_run_is_in_progress(aws: LocalAws) -> None:
    client = aws.client("stepfunctions")
    machine = client.list_state_machines()["stateMachines"][0]["stateMachineArn"]
    running = client.start_execution(stateMachineArn=machine)["executionArn"]
    assert look(400) == {"waits_for": [running]}
    assert len(left(aws, "runs/")) == len(RUNS) + 1


def test_a_run_that_could_be_redriven_never_goes(aws: LocalAws, monkeypatch: Any) -> None:
    monkeypatch.setenv("KEEP_RUNS_DAYS", "14")
    with pytest.raises(ValueError, match="can be redriven for 14"):
        look(400)
