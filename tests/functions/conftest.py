"""A function from a few lines of code."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

ROLE = "arn:aws:iam::000000000000:role/functions"
Answer = tuple[str | None, Any]


def package(code: str, name: str = "index.py") -> bytes:
    """A deployment package with one module."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), code)  # without the time of day
    return data.getvalue()


def create(aws: Any, name: str, code: str, **more: Any) -> Any:
    """CreateFunction for `index.handler`."""
    given = {"Runtime": "python3.11", "Handler": "index.handler", "Role": ROLE, **more}
    return aws.client("lambda").create_function(
        FunctionName=name, Code={"ZipFile": package(code)}, **given
    )


def invoke(aws: Any, name: str, event: object = None, **more: Any) -> Answer:
    """(FunctionError or None, the payload)."""
    answer = aws.client("lambda").invoke(
        FunctionName=name, Payload=json.dumps(event).encode(), **more
    )
    payload = answer["Payload"].read()
    return answer.get("FunctionError"), json.loads(payload) if payload else None


@pytest.fixture
def run(aws: Any) -> Callable[..., Answer]:
    """Creates a function of the code and invokes it once."""

    def once(code: str, event: object = None, **more: Any) -> Answer:
        create(aws, "f", code, **more)
        return invoke(aws, "f", event)

    return once
