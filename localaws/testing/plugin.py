"""Fixtures for pytest: in a conftest.py, `pytest_plugins = ["localaws.testing.plugin"]`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from localaws.testing.context import local_aws
from localaws.testing.running import Running


@pytest.fixture(scope="session")
def session_aws() -> Iterator[Running]:
    """One local AWS for all tests of a process; what a test makes stays for the next one."""
    with local_aws() as running:
        yield running


@pytest.fixture(name="local_aws")
def fresh_aws(session_aws: Running) -> Iterator[Running]:
    """A local AWS with nothing in it: that of the session, reset after the test."""
    yield session_aws
    session_aws.reset()
