"""Secrets and their versions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.core.aws import start
from localaws.secretsmanager import api


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Any]:
    aws = start(tmp_path / "home", [api.service])
    yield aws.client("secretsmanager")
    aws.stop()


def test_a_new_value_is_current_and_the_one_before_is_previous(vault: Any) -> None:
    made = vault.create_secret(Name="shop/key", SecretString="one", Description="of the shop")
    put = vault.put_secret_value(SecretId="shop/key", SecretString="two")

    assert vault.get_secret_value(SecretId="shop/key")["SecretString"] == "two"
    before = vault.get_secret_value(SecretId=made["ARN"], VersionStage="AWSPREVIOUS")
    assert (before["SecretString"], before["VersionId"]) == ("one", made["VersionId"])
    assert (put["VersionStages"], before["VersionStages"]) == (["AWSCURRENT"], ["AWSPREVIOUS"])
    assert vault.get_secret_value(SecretId=made["ARN"][:-7])["VersionId"] == put["VersionId"]
    vault.update_secret(SecretId="shop/key", SecretBinary=b"\x00\xff")
    assert vault.get_secret_value(SecretId="shop/key")["SecretBinary"] == b"\x00\xff"
    stages = vault.describe_secret(SecretId="shop/key")["VersionIdsToStages"]
    assert sorted(stage for of_one in stages.values() for stage in of_one) == [
        "AWSCURRENT",
        "AWSPREVIOUS",
    ]
    assert stages[put["VersionId"]] == ["AWSPREVIOUS"]
    with pytest.raises(vault.exceptions.ResourceNotFoundException, match="staging label: MINE"):
        vault.get_secret_value(SecretId="shop/key", VersionStage="MINE")


def test_versions_are_listed_with_their_stages_and_times(vault: Any) -> None:
    made = vault.create_secret(Name="a", SecretString="one")
    put = [vault.put_secret_value(SecretId="a", SecretString=text) for text in ("two", "three")]

    listed = vault.list_secret_version_ids(SecretId="a")["Versions"]
    every = vault.list_secret_version_ids(SecretId="a", IncludeDeprecated=True)["Versions"]

    stages = {version["VersionId"]: version["VersionStages"] for version in listed}
    assert stages == {put[0]["VersionId"]: ["AWSPREVIOUS"], put[1]["VersionId"]: ["AWSCURRENT"]}
    assert {version["VersionId"] for version in every} == {made["VersionId"], *stages}
    assert all(version["CreatedDate"].tzinfo for version in every)


def test_the_same_token_with_the_same_value_is_one_version(vault: Any) -> None:
    token = "t" * 32
    first = vault.create_secret(Name="a", SecretString="x", ClientRequestToken=token)
    again = vault.create_secret(Name="a", SecretString="x", ClientRequestToken=token)
    assert (first["ARN"], first["VersionId"]) == (again["ARN"], token)
    with pytest.raises(vault.exceptions.ResourceExistsException):
        vault.put_secret_value(SecretId="a", SecretString="y", ClientRequestToken=token)
    with pytest.raises(vault.exceptions.ResourceExistsException, match="secret a already exists"):
        vault.create_secret(Name="a", SecretString="x")


def test_a_deleted_secret_can_be_restored_until_its_window_is_over(vault: Any) -> None:
    vault.create_secret(Name="a", SecretString="x", Tags=[{"Key": "k", "Value": "v"}])
    vault.create_secret(Name="b", SecretString="y")
    vault.delete_secret(SecretId="a", RecoveryWindowInDays=7)

    with pytest.raises(vault.exceptions.InvalidRequestException, match="marked for deletion"):
        vault.get_secret_value(SecretId="a")
    with pytest.raises(vault.exceptions.InvalidRequestException, match="scheduled for deletion"):
        vault.create_secret(Name="a", SecretString="z")
    assert [one["Name"] for one in vault.list_secrets()["SecretList"]] == ["b"]
    vault.restore_secret(SecretId="a")
    assert vault.get_secret_value(SecretId="a")["SecretString"] == "x"
    vault.delete_secret(SecretId="a", ForceDeleteWithoutRecovery=True)
    with pytest.raises(vault.exceptions.ResourceNotFoundException):
        vault.describe_secret(SecretId="a")


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"Name": "Invalid Name", "SecretString": "x"}, "Invalid name. Must be a valid name"),
        ({"Name": "a", "SecretString": "x", "SecretBinary": b"x"}, "both a binary"),
        ({"Name": "a", "SecretString": "x" * 65537}, "65536"),
        ({"Name": "a", "KmsKeyId": "k"}, "parameter KmsKeyId"),
    ],
)  # https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
def test_what_is_refused(vault: Any, params: dict[str, Any], problem: str) -> None:
    with pytest.raises(ClientError, match=problem):
        vault.create_secret(**params)
