"""Green means that the work happened: what an engine made is taken away, and the run says so."""

from __future__ import annotations

import json
import shutil
from operator import itemgetter
from typing import Any

import pytest

from tests.pipeline.stack import Execution, Stack, table_input

REMOVED: list[dict[str, Any]] = [
    {
        "engine": "DataBrew",
        "prefix": "runs/run={id}/cleaned/orders/",
        "next": "Complete orders",
        # Athena joins the nothing that it finds, as on AWS; a recipe has no use for nothing.
        "fails": "Compute product features",
        "error": "States.TaskFailed",
        "says": "There is no data in table",
    },
    {
        "engine": "Athena CTAS",
        "prefix": "runs/run={id}/features/user_product_features/",
        "next": "Join features",
        "fails": "Join features",
        "error": "States.TaskFailed",
        "says": "features/user_product_features",
    },
    {
        "engine": "Glue",
        "prefix": "runs/run={id}/sets/set=holdout/",
        "next": "Train",
        "fails": "Train",
        "error": "States.TaskFailed",
        "says": "sets/set=holdout",
    },
    {
        "engine": "training (its evaluation)",
        "prefix": "runs/run={id}/evaluation/evaluation.json",
        "next": "Judge model",
        "fails": "Judge model",
        "error": "NoSuchKey",
        "says": "The specified key does not exist",
    },
    {
        "engine": "training (its model)",
        "prefix": "models/rebuy--{name}/",
        "next": "Create model",
        "fails": "Create model",
        "error": "SageMaker.AmazonSageMakerException",
        "says": "model.tar.gz",
    },
]


def test_run_from_the_middle_succeeds_when_nothing_is_taken_away(
    stack: Stack, good: Execution
) -> None:
    """The way in which the other tests here start, without what they break."""
    given = stack.fork(good, "Create model")

    run = stack.run(given, stack.machine("Create model"))

    assert run.status == "SUCCEEDED", f"{run.error}: {run.cause}"
    assert stack.live().endpoint_config == f"rebuy--{given['run']['name']}"


@pytest.mark.parametrize("case", REMOVED, ids=itemgetter("engine"))
def test_next_state_fails_when_the_output_is_gone(
    stack: Stack, good: Execution, case: dict[str, Any]
) -> None:
    live = stack.live()
    given = stack.fork(good, case["next"])
    assert stack.remove(case["prefix"].format(**given["run"])) > 0

    run = stack.run(given, stack.machine(case["next"]))

    assert (run.status, run.error) == ("FAILED", case["error"]), f"{run.error}: {run.cause}"
    assert case["says"] in run.cause
    assert stack.record(run.arn)["failed_state"] == case["fails"]
    assert stack.live().answer == live.answer


def test_crawled_table_that_is_gone_is_found_by_the_checks(stack: Stack, good: Execution) -> None:
    glue, database = stack.client("glue"), stack.outputs["RawDatabase"]
    table = glue.get_table(DatabaseName=database, Name="orders")["Table"]
    given = stack.fork(good, "Check raw data")
    glue.delete_table(DatabaseName=database, Name="orders")
    try:
        run = stack.run(given, stack.machine("Check raw data"))
    finally:
        glue.create_table(DatabaseName=database, TableInput=table_input(table))

    assert (run.status, run.error) == ("FAILED", "RawDataCheckFailed"), f"{run.error}: {run.cause}"
    message = json.loads(run.cause)["errorMessage"]
    assert '{"table": "orders",' in message and "no such table" in message


def test_endpoint_that_is_gone_fails_its_smoke_test(stack: Stack, good: Execution) -> None:
    live = stack.live()
    name = stack.outputs["EndpointName"]
    renamed = {f'"endpoint": "{name}"': '"endpoint": "gone"'}

    run = stack.run(stack.fork(good, "Smoke test"), stack.machine("Smoke test", replace=renamed))

    assert (run.status, run.error) == ("FAILED", "SmokeTestFailed"), f"{run.error}: {run.cause}"
    assert "Endpoint gone" in run.cause
    assert stack.record(run.arn)["failed_state"] == "Smoke test"
    assert stack.live().answer == live.answer


# -- an engine that cannot write where it should may not say that it did -----------------------


BLOCKED: list[dict[str, Any]] = [
    {
        "engine": "DataBrew",
        "state": "Clean with DataBrew",
        "output": "runs/run={id}/cleaned/orders",
    },
    {
        "engine": "Athena CTAS",
        "state": "Join prior order lines",
        "output": "runs/run={id}/features/order_products_prior",
    },
    {"engine": "training", "state": "Train", "output": "models/rebuy--{name}"},
]


@pytest.mark.parametrize("case", BLOCKED, ids=itemgetter("engine"))
def test_engine_whose_folder_is_taken_fails_or_has_written(
    stack: Stack, good: Execution, case: dict[str, Any]
) -> None:
    """On the disk, a file stands where the output's folder must be made."""
    given = stack.fork(good, case["state"])
    output = case["output"].format(**given["run"])
    stack.remove(f"{output}/")
    place = stack.home / "objects" / stack.lake / output
    shutil.rmtree(place, ignore_errors=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(b"in the way")

    run = stack.run(given, stack.machine(case["state"], until=case["state"]))

    if run.status == "FAILED":
        assert run.error and run.cause
        return
    written = stack.objects(f"{output}/")
    assert written, f"{case['engine']} has written nothing and says it did"
    assert all(stack.read(key) for key in written)
