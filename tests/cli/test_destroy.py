"""`rebuy destroy`: what it takes away, what it leaves, and that it can be said twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infrastructure.deploy import deploy
from rebuy.cli import local
from rebuy.connection import Connection
from rebuy.settings import Settings
from tests.cli.test_commands import assert_refused, rebuy

BUCKET = "rebuy-raw-000000000000-us-east-1"
LAKE = "rebuy-lake-000000000000-us-east-1"
SITE = "rebuy-site-000000000000-us-east-1"
CODE = "rebuy-code-000000000000-us-east-1"
RAW = "raw/orders/orders.csv"


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    home = tmp_path_factory.mktemp("destroy") / "home"
    server = local.up(home, 0, 0.02)
    try:
        yield Connection(Settings(endpoint_url=server.url, upload_trigger="DISABLED"))
    finally:
        local.down(home)


def destroy(connection: Connection, *more: str) -> Any:
    return rebuy("destroy", "--yes", *more, url=str(connection.settings.endpoint_url))


def buckets(connection: Connection) -> set[str]:
    return {bucket["Name"] for bucket in connection.client("s3").list_buckets()["Buckets"]}


def test_the_data_stays_unless_told_otherwise(connection: Connection, tmp_path: Path) -> None:
    deploy(connection, lambda line: None)
    s3, databrew = connection.client("s3"), connection.client("databrew")
    for body in (b"order_id\n1\n", b"order_id\n2\n"):  # two versions
        s3.put_object(Bucket=BUCKET, Key=RAW, Body=body)
    recipe = databrew.list_recipes()["Recipes"][0]
    made = "rebuy-run-clean-orders-demo"
    databrew.create_recipe_job(
        Name=made,
        DatasetName="rebuy-raw-orders",
        RecipeReference={"Name": recipe["Name"], "RecipeVersion": recipe["RecipeVersion"]},
        RoleArn="arn:aws:iam::000000000000:role/any",
        Outputs=[{"Location": {"Bucket": LAKE, "Key": "x/"}, "Format": "PARQUET"}],
    )

    done = destroy(connection)

    assert done.returncode == 0, done.stderr
    assert f"left: s3://{BUCKET} with raw files" in done.stdout
    assert f"left: s3://{LAKE} with models and audit records" in done.stdout
    assert f"delete {made}" in done.stderr
    assert buckets(connection) == {LAKE, BUCKET}
    assert s3.get_object(Bucket=BUCKET, Key=RAW)["Body"].read() == b"order_id\n2\n"
    assert databrew.list_jobs()["Jobs"] == []
    assert connection.client("stepfunctions").list_state_machines()["stateMachines"] == []

    # What was left can still be taken away, without a stack.
    done = destroy(connection, "--with-data")
    assert done.returncode == 0, done.stderr
    assert not {LAKE, BUCKET} & set(done.stdout.split())
    assert buckets(connection) == set()
    assert_refused(destroy(connection), "There is no stack rebuy at http://127.0.0.1")


def test_with_its_data_everything_goes_and_what_runs_is_stopped(connection: Connection) -> None:
    outputs = deploy(connection, lambda line: None).outputs
    s3, step_functions = connection.client("s3"), connection.client("stepfunctions")
    assert buckets(connection) == {LAKE, BUCKET, SITE, CODE}
    s3.put_object(Bucket=BUCKET, Key=RAW, Body=b"order_id\n1\n")
    arn = step_functions.start_execution(stateMachineArn=outputs["LiveAliasArn"])["executionArn"]

    done = destroy(connection, "--with-data")

    assert done.returncode == 0, done.stderr
    assert f"stop {arn.rsplit(':', 1)[1]}" in done.stderr
    assert "s3://" not in done.stdout
    assert buckets(connection) == set()
    assert connection.client("glue").get_databases()["DatabaseList"] == []
