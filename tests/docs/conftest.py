"""A local AWS that the tests of one file share; moto allows one at a time in a process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A local AWS for all of these: they change nothing."""
    from localaws.core.aws import start
    from localaws.services import factories

    home = tmp_path_factory.mktemp("support")
    aws = start(home, factories(), url="http://127.0.0.1:9", wait_scale=0)
    yield aws
    aws.stop()
