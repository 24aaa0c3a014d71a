"""A local AWS with everything that reads tables: Athena, DataBrew and the crawler."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.athena.conftest import Athena
from tests.databrew.conftest import DataBrew, step


class Readers:
    """One table, read by each service; rows are sorted, with NULL and empty text both ""."""

    def __init__(self, local: Any) -> None:
        self.local = local
        self.athena = Athena(local)
        self.brew = DataBrew(local)
        self.glue = local.client("glue")
        self.s3 = local.client("s3")
        self.count = 0

    def put(self, key: str, data: str | bytes) -> None:
        body = data.encode() if isinstance(data, str) else data
        self.s3.put_object(Bucket="lake", Key=key, Body=body)

    def by_athena(self, table: str) -> list[list[str]]:
        found = self.athena.rows(f"SELECT * FROM {table}")
        return sorted([cell or "" for cell in row] for row in found)

    def by_databrew(self, table: str) -> list[list[str]]:
        self.count += 1
        name = f"read-{self.count}"
        self.brew.client.create_dataset(
            Name=name,
            Input={"DataCatalogInputDefinition": {"DatabaseName": "shop", "TableName": table}},
        )
        columns = self.glue.get_table(DatabaseName="shop", Name=table)["Table"]
        first = columns["StorageDescriptor"]["Columns"][0]["Name"]
        self.brew.recipe(name, step("DUPLICATE", sourceColumn=first, targetColumn="copy"))
        self.brew.job(name, name, name, Format="CSV")
        run = self.brew.run(name)
        assert run["State"] == "SUCCEEDED", run["ErrorMessage"]
        rows = []
        for key in self.brew.keys(f"out/{name}/"):
            data = self.s3.get_object(Bucket="lake", Key=key)["Body"].read().decode()
            rows += [row[:-1] for row in csv.reader(io.StringIO(data))][1:]
        return sorted(rows)

    def crawl(self, path: str) -> list[str]:
        """Crawls the path; the names of the tables it made."""
        self.count += 1
        name = f"crawler-{self.count}"
        self.glue.create_crawler(
            Name=name,
            Role="crawler",
            DatabaseName="shop",
            Targets={"S3Targets": [{"Path": path}]},
        )
        self.glue.start_crawler(Name=name)
        until = time.monotonic() + 60
        while self.glue.get_crawler(Name=name)["Crawler"]["State"] != "READY":
            assert time.monotonic() < until
            time.sleep(0.01)
        return [table["Name"] for table in self.glue.get_tables(DatabaseName="shop")["TableList"]]


@pytest.fixture
def readers(tmp_path: Path) -> Iterator[Readers]:
    from localaws.core.aws import start
    from localaws.services import factories

    names = ("localaws.s3", "localaws.glue", "localaws.athena", "localaws.databrew")
    wanted = [factory for factory in factories() if factory.__module__.startswith(names)]
    running = start(tmp_path / "home", wanted, url="http://127.0.0.1:9", wait_scale=0)
    made = Readers(running)
    made.s3.create_bucket(Bucket="lake")
    made.glue.create_database(DatabaseInput={"Name": "shop"})
    yield made
    running.stop()
