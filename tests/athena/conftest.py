"""Athena over a small shop, through boto3 and no socket."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

OUTPUT = "s3://lake/athena-results/"


class Athena:
    """Runs statements to their end and remembers nothing."""

    def __init__(self, local: Any) -> None:
        self.local = local
        self.client = local.client("athena")
        self.s3 = local.client("s3")
        self.glue = local.client("glue")

    def start(self, sql: str, **more: Any) -> str:
        given = {
            "ResultConfiguration": {"OutputLocation": OUTPUT},
            "QueryExecutionContext": {"Database": "shop"},
            **more,
        }
        return str(self.client.start_query_execution(QueryString=sql, **given)["QueryExecutionId"])

    def wait(self, execution_id: str) -> Any:
        for _ in range(3000):
            found = self.client.get_query_execution(QueryExecutionId=execution_id)["QueryExecution"]
            if found["Status"]["State"] in ("SUCCEEDED", "FAILED", "CANCELLED"):
                return found
            time.sleep(0.01)
        raise AssertionError(f"{execution_id} did not end")

    def run(self, sql: str, **more: Any) -> Any:
        found = self.wait(self.start(sql, **more))
        assert found["Status"]["State"] == "SUCCEEDED", found["Status"]
        return found

    def failure(self, sql: str, **more: Any) -> str:
        found = self.wait(self.start(sql, **more))
        assert found["Status"]["State"] == "FAILED", found["Status"]
        assert (
            found["Status"]["AthenaError"]["ErrorMessage"] == found["Status"]["StateChangeReason"]
        )
        return str(found["Status"]["StateChangeReason"])

    def rows(self, sql: str, **more: Any) -> list[list[str | None]]:
        """Without the header line."""
        found = self.run(sql, **more)
        pages = self.client.get_paginator("get_query_results")
        rows = [
            [cell.get("VarCharValue") for cell in row["Data"]]
            for page in pages.paginate(QueryExecutionId=found["QueryExecutionId"])
            for row in page["ResultSet"]["Rows"]
        ]
        return rows[1:] if found["SubstatementType"] == "SELECT" else rows

    def put(self, key: str, text: str) -> None:
        self.s3.put_object(Bucket="lake", Key=key, Body=text.encode())

    def keys(self, prefix: str) -> list[str]:
        return [stored.key for stored in self.local.objects.list("lake", prefix)]


@contextmanager
def services(folder: Path) -> Iterator[Any]:
    """Only the services that Athena needs: it starts faster than the whole."""
    from localaws.core.aws import start
    from localaws.services import factories

    names = ("localaws.s3", "localaws.glue", "localaws.athena")
    wanted = [factory for factory in factories() if factory.__module__.startswith(names)]
    running = start(folder / "home", wanted, url="http://127.0.0.1:9", wait_scale=0)
    yield running
    running.stop()


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Any]:
    with services(tmp_path) as running:
        yield running


@pytest.fixture
def athena(local: Any) -> Athena:
    made = Athena(local)
    made.s3.create_bucket(Bucket="lake")
    made.glue.create_database(DatabaseInput={"Name": "shop"})
    return made
