"""One local AWS for all tests of the chain: deployed, with data, and one good run behind it.

While tests are written, REBUY_TEST_HOME=<folder> keeps it between sessions, with its good run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipeline.stack import Execution, Stack

USERS = 300
WAIT_SCALE = 0.02


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A local AWS in a process of its own on a free port, the stack, and raw files of 300 users."""
    from configuration.connection import Connection
    from configuration.settings import Settings
    from infrastructure.deploy import deploy
    from rebuy.cli import local
    from rebuy.cli.demo import EXAMPLE
    from rebuy.data.generate import generate
    from rebuy.data.upload import upload

    kept = os.environ.get("REBUY_TEST_HOME")
    folder = tmp_path_factory.mktemp("pipeline")
    home = Path(kept) if kept else folder / "home"
    server = local.up(home, 0, WAIT_SCALE)
    try:
        settings = Settings(
            endpoint_url=server.url, schedule_state="DISABLED", upload_trigger="DISABLED"
        )
        connection = Connection(settings)
        deployment = deploy(connection, lambda line: None)
        data = folder / "data"
        generate(USERS, data)
        made = Stack(connection, home, deployment.outputs, EXAMPLE)
        made.let_in_test_machines()
        upload(data, made.raw_bucket, connection.client("s3"))
        assert made.raw
        yield made
    finally:
        if not kept:
            local.down(home)


@pytest.fixture(scope="package")
def good(stack: Stack) -> Execution:
    """The first run: everything was done, and its model is live."""
    for arn in stack.executions()[::-1]:
        before = stack.wait(arn)
        if before.status == "SUCCEEDED":
            return before
    run = stack.run()
    assert run.status == "SUCCEEDED", f"{run.error}: {run.cause}"
    return run
