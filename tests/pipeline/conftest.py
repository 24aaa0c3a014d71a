"""One local AWS for all tests of the chain: deployed, with data, and one good run behind it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipeline.stack import Execution, Stack

USERS = 300
WAIT_SCALE = 0.02


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A local AWS in a process of its own on a free port, the stack, and raw files of 300 users."""
    from infrastructure.deploy import deploy
    from rebuy.cli import local
    from rebuy.cli.demo import EXAMPLE
    from rebuy.connection import Connection
    from rebuy.data.generate import generate
    from rebuy.data.upload import upload
    from rebuy.settings import Settings

    folder = tmp_path_factory.mktemp("pipeline")
    home = folder / "home"
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
        upload(data, made.lake, connection.client("s3"))
        assert made.raw
        yield made
    finally:
        local.down(home)
        keep_log(home)


def keep_log(home: Path) -> None:
    """Where REBUY_TEST_LOGS names a folder, the server's log is kept there."""
    folder = os.environ.get("REBUY_TEST_LOGS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / "pipeline-server.log").write_bytes((home / "server.log").read_bytes())


@pytest.fixture(scope="session")
def good(stack: Stack) -> Execution:
    """The first run: everything was done, and its model is live."""
    run = stack.run()
    assert run.status == "SUCCEEDED", f"{run.error}: {run.cause}"
    return run
