"""Connections: https://docs.aws.amazon.com/glue/latest/dg/connection-defining.html"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.core.aws import start
from localaws.glue.api import service


@pytest.fixture(scope="module")
def glue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    home: Path = tmp_path_factory.mktemp("home")
    local = start(home, [service], url="http://127.0.0.1:9", wait_scale=0)
    yield local.client("glue")
    local.stop()


URL = {"JDBC_CONNECTION_URL": "jdbc:postgresql://db:5432/shop"}
USER = {"USERNAME": "app", "PASSWORD": "s3cret"}


def given(name: str, properties: dict[str, str], kind: str = "JDBC", **more: Any) -> Any:
    return {"Name": name, "ConnectionType": kind, "ConnectionProperties": properties, **more}


@pytest.mark.parametrize(
    ("connection", "code", "told"),
    [
        (given("c", {}, "KAFKA"), "NotEmulated", "ConnectionType=KAFKA.*JDBC and NETWORK"),
        (given("c", {**URL, **USER, "JDBC_ENFORCE_SSL": "true"}), "NotEmulated",
         "JDBC_ENFORCE_SSL=true"),
        (given("c", {**URL, **USER, "CUSTOM_JDBC_CERT": "s3://b/c"}), "NotEmulated",
         "CUSTOM_JDBC_CERT"),
        (given("c", USER), "InvalidInputException", "HOST, PORT and JDBC_ENGINE"),
        (given("c", {**USER, "HOST": "db", "PORT": "5432"}), "InvalidInputException",
         "JDBC_ENGINE"),
        (given("c", URL), "InvalidInputException", "USERNAME and PASSWORD, or SECRET_ID"),
        (given("c", {**USER, "JDBC_CONNECTION_URL": "postgresql://db"}), "InvalidInputException",
         "jdbc:postgresql://host:5432/db"),
        (given("c", {**URL, **USER}, AthenaProperties={"a": "b"}), "NotEmulated",
         "AthenaProperties"),
    ],
)  # fmt: skip
def test_a_connection_that_cannot_be_is_refused(
    glue: Any, connection: Any, code: str, told: str
) -> None:
    with pytest.raises(ClientError, match=told) as error:
        glue.create_connection(ConnectionInput=connection)
    assert error.value.response["Error"]["Code"] == code


def test_a_connection_is_kept_hidden_changed_and_deleted(glue: Any) -> None:
    place = {"SubnetId": "subnet-1", "SecurityGroupIdList": ["sg-1"]}
    kept = given("base", {**URL, **USER}, MatchCriteria=["shop"],
                 PhysicalConnectionRequirements=place)  # fmt: skip
    glue.create_connection(ConnectionInput=kept)
    glue.create_connection(ConnectionInput=given("net", {}, "NETWORK"))
    with pytest.raises(glue.exceptions.AlreadyExistsException):
        glue.create_connection(ConnectionInput=kept)

    found = glue.get_connection(Name="base")["Connection"]
    assert found["ConnectionProperties"] == {**URL, **USER}
    assert (found["PhysicalConnectionRequirements"], found["Status"]) == (place, "READY")
    hidden = glue.get_connection(Name="base", HidePassword=True)["Connection"]
    assert hidden["ConnectionProperties"] == {**URL, "USERNAME": "app"}

    def names(**wanted: Any) -> list[str]:
        return [one["Name"] for one in glue.get_connections(Filter=wanted)["ConnectionList"]]

    assert names() == ["base", "net"]
    assert (names(ConnectionType="NETWORK"), names(MatchCriteria=["shop"])) == (["net"], ["base"])
    secret = {**URL, "SECRET_ID": "base"}
    glue.update_connection(Name="base", ConnectionInput=given("base", secret))
    changed = glue.get_connection(Name="base")["Connection"]
    assert changed["ConnectionProperties"] == secret
    assert "MatchCriteria" not in changed
    assert changed["CreationTime"] == found["CreationTime"]
    gone = glue.batch_delete_connection(ConnectionNameList=["net", "none"])
    assert (gone["Succeeded"], list(gone["Errors"])) == (["net"], ["none"])
    glue.delete_connection(ConnectionName="base")
    with pytest.raises(glue.exceptions.EntityNotFoundException):
        glue.delete_connection(ConnectionName="base")
