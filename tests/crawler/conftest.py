"""A crawler over one bucket, through boto3."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


class Crawls:
    def __init__(self, local: Any) -> None:
        self.local = local
        self.glue = local.client("glue")
        self.s3 = local.client("s3")

    def put(self, key: str, data: str | bytes) -> None:
        body = data.encode() if isinstance(data, str) else data
        self.s3.put_object(Bucket="lake", Key=key, Body=body)

    def create(self, path: str = "s3://lake/raw/", configuration: Any = None, **more: Any) -> None:
        if configuration is not None:
            more["Configuration"] = json.dumps(configuration)
        targets = {"S3Targets": [{"Path": path, "Exclusions": more.pop("exclusions", [])}]}
        self.glue.create_crawler(
            Name="raw", Role="crawler", DatabaseName="shop", Targets=targets, **more
        )

    def run(self) -> Any:
        """The crawler after the crawl."""
        self.glue.start_crawler(Name="raw")
        for _ in range(1000):
            crawler = self.glue.get_crawler(Name="raw")["Crawler"]
            if crawler["State"] == "READY":
                return crawler
            time.sleep(0.01)
        raise AssertionError("the crawl did not end")

    def tables(self) -> dict[str, Any]:
        return {t["Name"]: t for t in self.glue.get_tables(DatabaseName="shop")["TableList"]}

    def columns(self, table: str) -> dict[str, str]:
        return {c["Name"]: c["Type"] for c in self.tables()[table]["StorageDescriptor"]["Columns"]}


@pytest.fixture
def crawls(tmp_path: Path) -> Iterator[Crawls]:
    from localaws.core.aws import start
    from localaws.services import factories

    names = ("localaws.s3", "localaws.glue", "localaws.athena")
    wanted = [factory for factory in factories() if factory.__module__.startswith(names)]
    local = start(tmp_path / "home", wanted, url="http://127.0.0.1:9", wait_scale=0)
    made = Crawls(local)
    made.s3.create_bucket(Bucket="lake")
    made.glue.create_database(DatabaseInput={"Name": "shop"})
    yield made
    local.stop()
