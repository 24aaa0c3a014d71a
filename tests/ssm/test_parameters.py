"""Parameters of Systems Manager."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.core.aws import start
from localaws.ssm import api


@pytest.fixture
def ssm(tmp_path: Path) -> Iterator[Any]:
    aws = start(tmp_path / "home", [api.service])
    yield aws.client("ssm")
    aws.stop()


def test_a_parameter_has_versions_and_is_found_by_name_arn_and_version(ssm: Any) -> None:
    first = ssm.put_parameter(Name="/shop/url", Value="a", Type="String", Description="where")
    assert (first["Version"], first["Tier"]) == (1, "Standard")
    with pytest.raises(ssm.exceptions.ParameterAlreadyExists):
        ssm.put_parameter(Name="/shop/url", Value="b", Type="String")
    assert ssm.put_parameter(Name="/shop/url", Value="b", Overwrite=True)["Version"] == 2

    found = ssm.get_parameter(Name="/shop/url")["Parameter"]
    assert (found["Value"], found["Type"], found["Version"]) == ("b", "String", 2)
    assert found["ARN"] == "arn:aws:ssm:us-east-1:000000000000:parameter/shop/url"
    assert ssm.get_parameter(Name=found["ARN"])["Parameter"]["Value"] == "b"
    assert ssm.get_parameter(Name="/shop/url:1")["Parameter"]["Value"] == "a"
    with pytest.raises(ssm.exceptions.ParameterVersionNotFound, match="version 3 of /shop/url"):
        ssm.get_parameter(Name="/shop/url:3")
    history = ssm.get_parameter_history(Name="/shop/url")["Parameters"]
    assert [(one["Version"], one["Value"]) for one in history] == [(1, "a"), (2, "b")]
    assert [one["Description"] for one in history] == ["where", "where"]


def test_several_and_those_below_a_path(ssm: Any) -> None:
    for name in ("/a/x", "/a/y", "/a/deep/z", "/b", "plain"):
        ssm.put_parameter(Name=name, Value=name, Type="String")

    several = ssm.get_parameters(Names=["plain", "/none", "/b"])
    assert [one["Name"] for one in several["Parameters"]] == ["plain", "/b"]
    assert several["InvalidParameters"] == ["/none"]
    assert [one["Name"] for one in ssm.get_parameters_by_path(Path="/a")["Parameters"]] == [
        "/a/x",
        "/a/y",
    ]
    pages = ssm.get_paginator("get_parameters_by_path").paginate(
        Path="/", Recursive=True, PaginationConfig={"PageSize": 2}
    )
    names = [one["Name"] for page in pages for one in page["Parameters"]]
    assert names == ["/a/deep/z", "/a/x", "/a/y", "/b"]
    assert ssm.delete_parameters(Names=["/b", "/b2"]) | {"ResponseMetadata": 0} == {
        "DeletedParameters": ["/b"],
        "InvalidParameters": ["/b2"],
        "ResponseMetadata": 0,
    }
    ssm.delete_parameter(Name="plain")
    with pytest.raises(ssm.exceptions.ParameterNotFound):
        ssm.get_parameter(Name="plain")


def test_a_secure_string_is_shown_to_who_asks_for_it(ssm: Any) -> None:
    ssm.put_parameter(Name="key", Value="hidden", Type="SecureString")
    assert ssm.get_parameter(Name="key", WithDecryption=True)["Parameter"]["Value"] == "hidden"
    assert "hidden" not in ssm.get_parameter(Name="key")["Parameter"]["Value"]
    assert "Value" not in ssm.describe_parameters()["Parameters"][0]


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"Name": "a/b", "Value": "x", "Type": "String"}, "fully qualified name"),
        ({"Name": "aws-x", "Value": "x", "Type": "String"}, "can't be prefixed"),
        ({"Name": "a b", "Value": "x", "Type": "String"}, "letters, numbers"),
        ({"Name": "a", "Value": "x"}, "A parameter type is required"),
        ({"Name": "a", "Value": "x" * 4097, "Type": "String"}, "4096"),
        ({"Name": "a", "Value": "x", "Type": "String", "Tier": "Advanced"}, "Tier=Advanced"),
    ],
)  # https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
def test_what_is_refused(ssm: Any, params: dict[str, Any], problem: str) -> None:
    with pytest.raises(ClientError, match=problem):
        ssm.put_parameter(**params)
