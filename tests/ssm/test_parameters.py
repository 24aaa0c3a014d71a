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


# What a label may be, and each error:
# https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_LabelParameterVersion.html


def versions_of(ssm: Any, name: str, count: int) -> None:
    for number in range(count):
        ssm.put_parameter(Name=name, Value=f"v{number + 1}", Type="String", Overwrite=True)


def labels_of(ssm: Any, name: str) -> dict[int, list[str]]:
    pages = ssm.get_paginator("get_parameter_history").paginate(Name=name)
    return {one["Version"]: one["Labels"] for page in pages for one in page["Parameters"]}


def test_a_label_finds_its_version_and_moves(ssm: Any) -> None:
    versions_of(ssm, "/shop/url", 2)
    first = ssm.label_parameter_version(Name="/shop/url", ParameterVersion=1, Labels=["Prod", "a"])
    assert (first["ParameterVersion"], first["InvalidLabels"]) == (1, [])
    found = ssm.get_parameter(Name="/shop/url:Prod")["Parameter"]
    assert (found["Value"], found["Version"], found["Selector"]) == ("v1", 1, ":Prod")
    assert ssm.get_parameter(Name=f"{found['ARN']}:a")["Parameter"]["Value"] == "v1"
    several = ssm.get_parameters(Names=["/shop/url:Prod", "/shop/url:prod"])
    assert [one["Value"] for one in several["Parameters"]] == ["v1"]
    assert several["InvalidParameters"] == ["/shop/url:prod"]  # case sensitive
    with pytest.raises(ssm.exceptions.ParameterVersionNotFound, match="prod of /shop/url"):
        ssm.get_parameter(Name="/shop/url:prod")

    # Without a version: the latest. The other label stays where it is.
    assert ssm.label_parameter_version(Name=" /shop/url ", Labels=["Prod"])["ParameterVersion"] == 2
    assert ssm.get_parameter(Name="/shop/url:Prod")["Parameter"]["Value"] == "v2"
    assert labels_of(ssm, "/shop/url") == {1: ["a"], 2: ["Prod"]}

    # A new version has none, whatever the one before it has.
    versions_of(ssm, "/shop/url", 1)
    assert labels_of(ssm, "/shop/url") == {1: ["a"], 2: ["Prod"], 3: []}


@pytest.mark.parametrize(
    ("label", "valid"),
    [
        ("My_label-1.2", True),
        ("xaws", True),
        ("x" * 100, True),
        ("1st", False),
        ("awsome", False),
        ("AWS-x", False),
        ("ssm", False),
        ("SsM.x", False),
        ("a b", False),
        ("a/b", False),
        ("a:b", False),
        ("\u00e4", False),
        ("a\n", False),
    ],
)
def test_an_invalid_label_is_told_and_not_attached(ssm: Any, label: str, valid: bool) -> None:
    versions_of(ssm, "x", 1)
    answer = ssm.label_parameter_version(Name="x", Labels=[label, "good", label])
    assert answer["InvalidLabels"] == ([] if valid else [label])
    assert labels_of(ssm, "x") == {1: [label, "good"] if valid else ["good"]}


@pytest.mark.parametrize(
    ("params", "code", "problem"),
    [
        ({"Name": "y"}, "ParameterNotFound", None),
        ({"Name": "arn:aws:ssm:us-east-1:000000000000:parameter/x"}, "ParameterNotFound", None),
        ({"Name": "x:1"}, "ParameterNotFound", None),
        ({"Name": "x y"}, "ValidationException", "can't contain spaces"),
        ({"ParameterVersion": 3}, "ParameterVersionNotFound", "version 3 of x"),
        ({"Labels": ["x" * 101]}, "ValidationException", "less than or equal to 100"),
        ({"Labels": [f"l{n}" for n in range(11)]}, "ValidationException", "or equal to 10$"),
        ({"Labels": ["b", "new"]}, "ParameterVersionLabelLimitExceeded", "maximum of ten labels"),
    ],
)
def test_what_a_label_is_refused_for(
    ssm: Any, params: dict[str, Any], code: str, problem: str | None
) -> None:
    versions_of(ssm, "x", 2)
    ten = [f"l{number}" for number in range(10)]
    ssm.label_parameter_version(Name="x", ParameterVersion=1, Labels=["b"])
    ssm.label_parameter_version(Name="x", Labels=ten)
    with pytest.raises(ClientError, match=problem) as refused:
        ssm.label_parameter_version(**{"Name": "x", "Labels": ["c"], **params})
    assert refused.value.response["Error"]["Code"] == code
    assert labels_of(ssm, "x") == {1: ["b"], 2: ten}  # nothing has moved
    again = ssm.label_parameter_version(Name="x", Labels=ten[:2])  # those are there already
    assert again["InvalidLabels"] == []


def test_the_oldest_version_is_kept_for_its_label(ssm: Any) -> None:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html:
    ParameterMaxVersionLimitExceeded."""
    versions_of(ssm, "x", 101)
    assert list(labels_of(ssm, "x")) == list(range(2, 102))
    ssm.label_parameter_version(Name="x", ParameterVersion=2, Labels=["first"])
    with pytest.raises(
        ssm.exceptions.ParameterMaxVersionLimitExceeded, match="Version 2, the oldest version"
    ):
        versions_of(ssm, "x", 1)
    ssm.label_parameter_version(Name="x", Labels=["first"])
    versions_of(ssm, "x", 1)
    assert list(labels_of(ssm, "x")) == list(range(3, 103))
    assert ssm.get_parameter(Name="x:first")["Parameter"]["Version"] == 101


def test_labels_are_there_after_a_restart(tmp_path: Path) -> None:
    first = start(tmp_path / "home", [api.service])
    versions_of(first.client("ssm"), "x", 2)
    first.client("ssm").label_parameter_version(Name="x", ParameterVersion=1, Labels=["old"])
    first.stop()
    second = start(tmp_path / "home", [api.service])
    assert second.client("ssm").get_parameter(Name="x:old")["Parameter"]["Version"] == 1
    second.stop()
