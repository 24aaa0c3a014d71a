"""Partition indexes; refusals as AWS gave them, recorded in floci-io/floci's pull request 3551."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

TABLE = {"DatabaseName": "shop", "TableName": "sales"}
KEYS = (("tenant", "string"), ("year", "int"), ("month", "int"), ("share", "double"))


@pytest.fixture
def glue(aws: Any) -> Any:
    """The table `sales` with two indexes."""
    client = aws.client("glue")
    client.create_database(DatabaseInput={"Name": "shop"})
    keys = [{"Name": name, "Type": kind} for name, kind in KEYS]
    client.create_table(DatabaseName="shop", TableInput={"Name": "sales", "PartitionKeys": keys})
    for name, given in (("dup", ["year"]), ("two", ["Tenant", "year"])):
        client.create_partition_index(**TABLE, PartitionIndex={"IndexName": name, "Keys": given})
    return client


def names(glue: Any) -> list[str]:
    found = glue.get_partition_indexes(**TABLE)["PartitionIndexDescriptorList"]
    return [each["IndexName"] for each in found]


def test_an_index_is_described_and_goes_with_its_table(glue: Any) -> None:
    assert glue.get_partition_indexes(**TABLE)["PartitionIndexDescriptorList"][1] == {
        "IndexName": "two",
        "Keys": [{"Name": "tenant", "Type": "string"}, {"Name": "year", "Type": "int"}],
        "IndexStatus": "ACTIVE",
    }
    glue.delete_partition_index(**TABLE, IndexName="dup")
    assert names(glue) == ["two"]
    with pytest.raises(glue.exceptions.EntityNotFoundException):
        glue.delete_partition_index(**TABLE, IndexName="dup")
    glue.delete_table(DatabaseName="shop", Name="sales")
    glue.create_table(DatabaseName="shop", TableInput={"Name": "sales"})
    assert names(glue) == []


@pytest.mark.parametrize(
    ("name", "keys", "code", "told"),
    [
        ("new", ["nosuchcol"], "InvalidInputException",
         "IndexKeys not a part of PartitionColumns. Verify the indexKeys : [nosuchcol]"),
        ("dup", ["month"], "AlreadyExistsException",
         "Partition Index dup already exists with the same name."),
        ("new", ["year"], "AlreadyExistsException",
         "Partition Index new already exists with the same keys."),
        ("new", ["share"], "InvalidInputException",
         "Keys of types that no index takes: share."),  # our words
        ("fourth", ["year", "month"], "ResourceNumberLimitExceededException",
         "Partition index limit exceeded. Maximum: 3"),
    ],
)  # fmt: skip
def test_what_is_no_index(glue: Any, name: str, keys: list[str], code: str, told: str) -> None:
    if name == "fourth":
        given = {"IndexName": "third", "Keys": ["month"]}
        glue.create_partition_index(**TABLE, PartitionIndex=given)
    with pytest.raises(ClientError) as error:
        glue.create_partition_index(**TABLE, PartitionIndex={"IndexName": name, "Keys": keys})
    assert error.value.response["Error"] == {"Code": code, "Message": told}
