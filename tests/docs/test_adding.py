"""The service that docs/architecture.md shows is one: its code runs as it stands there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.core.aws import LocalAws, start

PAGE = Path(__file__).parents[2] / "docs/architecture.md"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def opened(home: Path) -> LocalAws:
    (code,) = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    module = ModuleType("example")
    exec(compile(code, str(PAGE), "exec"), module.__dict__)
    return start(home, [module.service])


@pytest.fixture
def ssm(home: Path) -> Iterator[Any]:
    local = opened(home)
    yield local.client("ssm")
    local.stop()


def test_the_example_keeps_pages_and_refuses(ssm: Any) -> None:
    for name in ("b", "a", "c"):
        assert ssm.put_parameter(Name=name, Value=name.upper(), Type="String")["Version"] == 1
    assert ssm.put_parameter(Name="a", Value="A2", Type="String", Overwrite=True)["Version"] == 2
    assert ssm.get_parameter(Name="a")["Parameter"]["Value"] == "A2"

    first = ssm.describe_parameters(MaxResults=2)
    second = ssm.describe_parameters(MaxResults=2, NextToken=first["NextToken"])
    pages = [[one["Name"] for one in page["Parameters"]] for page in (first, second)]
    assert pages == [["a", "b"], ["c"]]
    assert "NextToken" not in second

    with pytest.raises(ssm.exceptions.InvalidNextToken):
        ssm.describe_parameters(NextToken="2")
    with pytest.raises(ssm.exceptions.ParameterNotFound):
        ssm.get_parameter(Name="none")
    with pytest.raises(ssm.exceptions.ParameterAlreadyExists):
        ssm.put_parameter(Name="a", Value="x", Type="String")
    with pytest.raises(ClientError, match="does not emulate ssm:PutParameter, parameter KeyId"):
        ssm.put_parameter(Name="a", Value="x", Type="String", KeyId="k")


def test_what_the_example_keeps_is_there_after_a_restart(home: Path) -> None:
    first = opened(home)
    first.client("ssm").put_parameter(Name="a", Value="A", Type="String")
    first.stop()
    second = opened(home)
    assert second.client("ssm").get_parameter(Name="a")["Parameter"]["Value"] == "A"
    second.stop()
