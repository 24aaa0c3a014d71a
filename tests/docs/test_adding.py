"""What docs/contributing shows is so: excerpts stand in the files they name, the service runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.core.aws import LocalAws, start

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs/contributing").glob("*.md"))
PAGE = ROOT / "docs/contributing/local-aws.md"
# A block of code, and the file before it: "From `file`:".
EXCERPT = re.compile(
    r"`([\w./-]+\.(?:sql|json|py))`:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL
)
CODE = re.compile(r"^```(?:sql|json|python)$", re.MULTILINE)


@pytest.mark.parametrize("page", [one for one in PAGES if one != PAGE], ids=lambda page: page.stem)
def test_an_excerpt_stands_in_the_file_it_is_from(page: Path) -> None:
    excerpts = EXCERPT.findall(page.read_text())
    assert len(excerpts) == len(CODE.findall(page.read_text())) > 0
    for file, excerpt in excerpts:
        # One of several members may be the last: without the comma that the page shows.
        assert excerpt.rstrip(",\n") in (ROOT / file).read_text(), f"{page.name}: {file}"


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
