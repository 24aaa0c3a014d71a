"""A table's versions, as Glue keeps them: each UpdateTable leaves what was before."""

from __future__ import annotations

from typing import Any

import pytest

TABLE = {"DatabaseName": "shop", "TableName": "orders"}


@pytest.fixture
def glue(aws: Any) -> Any:
    """The table `orders`, updated twice and once without a trace."""
    client = aws.client("glue")
    client.create_database(DatabaseInput={"Name": "shop"})
    client.create_table(DatabaseName="shop", TableInput={"Name": "orders", "Description": "0"})
    for text, skip in (("1", False), ("2", False), ("3", True)):
        given = {"Name": "orders", "Description": text}
        client.update_table(DatabaseName="shop", TableInput=given, SkipArchive=skip)
    return client


def known(glue: Any) -> list[tuple[str, str]]:
    pages = glue.get_paginator("get_table_versions").paginate(
        **TABLE, PaginationConfig={"PageSize": 1}
    )
    return [
        (one["VersionId"], one["Table"]["Description"])
        for page in pages
        for one in page["TableVersions"]
    ]


def test_the_newest_comes_first_and_a_skipped_one_is_not_there(glue: Any) -> None:
    assert known(glue) == [("3", "3"), ("1", "1"), ("0", "0")]
    assert glue.get_table_version(**TABLE, VersionId="1")["TableVersion"]["VersionId"] == "1"
    with pytest.raises(glue.exceptions.EntityNotFoundException):
        glue.get_table_version(**TABLE, VersionId="2")


def test_versions_go_by_themselves_and_with_their_table(glue: Any) -> None:
    glue.delete_table_version(**TABLE, VersionId="0")
    (error,) = glue.batch_delete_table_version(**TABLE, VersionIds=["1", "7"])["Errors"]
    assert (error["VersionId"], error["ErrorDetail"]["ErrorCode"]) == (
        *("7", "EntityNotFoundException"),
    )
    with pytest.raises(glue.exceptions.InvalidInputException):
        glue.delete_table_version(**TABLE, VersionId="3")
    given = {"Name": "orders", "Description": "4"}
    glue.update_table(DatabaseName="shop", TableInput=given)
    glue.delete_table(DatabaseName="shop", Name="orders")
    glue.create_table(DatabaseName="shop", TableInput={"Name": "orders", "Description": "new"})
    assert known(glue) == [("0", "new")]


def test_a_star_asks_for_every_table(glue: Any) -> None:
    found = glue.get_tables(DatabaseName="shop", Expression="*")["TableList"]
    assert [table["Name"] for table in found] == ["orders"]
