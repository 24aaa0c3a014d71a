"""S3 alone: quick to start, and free of what other services do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from localaws.core import server as http
from localaws.core.aws import LocalAws, start
from localaws.s3.api import service


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[LocalAws]:
    local = start(tmp_path / "home", [service], url="http://127.0.0.1:9")
    local.client("s3").create_bucket(Bucket="lake")
    yield local
    local.stop()


@pytest.fixture
def s3(aws: LocalAws) -> Any:
    return aws.client("s3")


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[Any]:
    """A client as anyone makes it, over a socket; `remote.url` is the server's."""
    listener = http.bind(0)
    url = f"http://{http.HOST}:{listener.server_port}"
    local = start(tmp_path / "home", [service], url=url)
    with http.BackgroundServer(listener, local.gateway):
        client = boto3.client(
            *("s3", "us-east-1"),
            endpoint_url=url,
            aws_access_key_id="any",
            aws_secret_access_key="any",
        )
        client.create_bucket(Bucket="lake")
        yield client
        client.close()
        local.stop()
