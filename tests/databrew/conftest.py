"""A local AWS with S3 and DataBrew, and the Glue catalog when a test needs tables."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from localaws.core.aws import LocalAws, start
from localaws.core.service import Service
from localaws.databrew.api import service as databrew
from localaws.s3.api import service as s3
from localaws.secretsmanager.api import service as secretsmanager

ENDED = ("SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT")
ROLE = "arn:aws:iam::000000000000:role/databrew"


def catalog(aws: LocalAws) -> Service:
    from localaws.catalog import api

    service = Service("glue")
    api.register(service, aws)
    return service


def step(operation: str, **parameters: Any) -> dict[str, Any]:
    """A recipe step; lists and objects are packed into texts as DataBrew wants them."""
    packed = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in parameters.items()
    }
    return {"Action": {"Operation": operation, "Parameters": packed}}


class DataBrew:
    """Short words for what the tests do."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws
        self.client = aws.client("databrew")
        self.s3 = aws.client("s3")

    def put(self, key: str, text: str) -> None:
        self.s3.put_object(Bucket="lake", Key=key, Body=text.encode())

    def dataset(self, name: str, key: str, **settings: Any) -> str:
        self.client.create_dataset(
            Name=name, Input={"S3InputDefinition": {"Bucket": "lake", "Key": key}}, **settings
        )
        return name

    def recipe(self, name: str, *steps: dict[str, Any]) -> str:
        self.client.create_recipe(Name=name, Steps=list(steps))
        self.client.publish_recipe(Name=name)
        return name

    def job(self, name: str, dataset: str, recipe: str, **output: Any) -> str:
        self.client.create_recipe_job(
            Name=name,
            DatasetName=dataset,
            RecipeReference={"Name": recipe, "RecipeVersion": "1.0"},
            RoleArn=ROLE,
            Outputs=[
                {
                    "Location": {"Bucket": "lake", "Key": f"out/{name}/"},
                    "Format": "PARQUET",
                    **output,
                }
            ],
        )
        return name

    def start(self, job: str) -> str:
        run: str = self.client.start_job_run(Name=job)["RunId"]
        return run

    def wait(self, job: str, run: str) -> dict[str, Any]:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            record: dict[str, Any] = self.client.describe_job_run(Name=job, RunId=run)
            if record["State"] in ENDED:
                return record
            time.sleep(0.02)
        raise AssertionError(f"{run} did not end")

    def run(self, job: str) -> dict[str, Any]:
        return self.wait(job, self.start(job))

    def keys(self, prefix: str) -> list[str]:
        listed = self.s3.list_objects_v2(Bucket="lake", Prefix=prefix)
        return [item["Key"] for item in listed.get("Contents", [])]


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Callable[[], DataBrew]]:
    """Starts the local AWS on the test's home; called again it restarts it."""
    running: list[LocalAws] = []

    def begin() -> DataBrew:
        while running:
            running.pop().stop()
        services = [s3, catalog, databrew, secretsmanager]
        running.append(start(tmp_path / "home", services, url="http://127.0.0.1:9", wait_scale=0))
        return DataBrew(running[0])

    yield begin
    while running:
        running.pop().stop()


@pytest.fixture
def brew(local: Callable[[], DataBrew]) -> DataBrew:
    """S3 with the bucket `lake`, the Glue catalog and DataBrew."""
    found = local()
    found.s3.create_bucket(Bucket="lake")
    return found
