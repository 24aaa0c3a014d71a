"""Crawls of databases: a real PostgreSQL, and DynamoDB, beside files, in one run."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pg8000.native
import pytest
from botocore.exceptions import ClientError

from localaws.core.aws import start
from localaws.services import factories
from tests import postgres

WANTED = ("localaws.s3", "localaws.glue", "localaws.plain", "localaws.secretsmanager")
SCHEMA = """
CREATE SCHEMA sales;
CREATE TABLE sales."Orders" (id int8 PRIMARY KEY, "PaidAt" timestamptz, price numeric(10,2),
    n int4, small int2, share float8, ok bool, day date, note varchar(9), tags text[], raw bytea,
    any_number numeric, who uuid);
CREATE TABLE sales.old (id int4);
CREATE VIEW public.totals AS SELECT sum(price) AS total FROM sales."Orders";
"""


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    home: Path = tmp_path_factory.mktemp("home")
    services = [factory for factory in factories() if factory.__module__.startswith(WANTED)]
    with postgres.server() as port:
        with pg8000.native.Connection("postgres", password=postgres.PASSWORD, port=port) as shop:
            shop.run(SCHEMA)
        local = start(home, services, url="http://127.0.0.1:9", wait_scale=0)
        local.port = port
        local.client("glue").create_database(DatabaseInput={"Name": "shop"})
        local.client("secretsmanager").create_secret(
            Name="word",
            SecretString=f'{{"username": "postgres", "password": "{postgres.PASSWORD}"}}',
        )
        connect(local, "shop", SECRET_ID="word")
        yield local
        local.stop()


def connect(local: Any, name: str, **properties: str) -> None:
    url = {"JDBC_CONNECTION_URL": f"jdbc:postgresql://127.0.0.1:{local.port}/postgres"}
    local.client("glue").create_connection(
        ConnectionInput={
            "Name": name,
            "ConnectionType": "JDBC",
            "ConnectionProperties": {**url, **properties},
        }
    )


def crawl(local: Any, name: str, **targets: Any) -> Any:
    """How the crawl ended."""
    glue = local.client("glue")
    glue.create_crawler(Name=name, Role="crawler", DatabaseName="shop", Targets=targets)
    return again(local, name)


def again(local: Any, name: str) -> Any:
    glue = local.client("glue")
    glue.start_crawler(Name=name)
    for _ in range(1000):
        crawler = glue.get_crawler(Name=name)["Crawler"]
        if crawler["State"] == "READY":
            return crawler["LastCrawl"]
        time.sleep(0.01)
    raise AssertionError("the crawl did not end")


def columns(table: Any) -> dict[str, str]:
    return {each["Name"]: each["Type"] for each in table["StorageDescriptor"]["Columns"]}


def test_files_a_database_and_dynamodb_are_crawled_in_one_run(local: Any) -> None:
    s3, dynamodb, glue = (local.client(name) for name in ("s3", "dynamodb", "glue"))
    s3.create_bucket(Bucket="lake")
    s3.put_object(Bucket="lake", Key="people/p.csv", Body=b"id,name\n1,a\n")
    dynamodb.create_table(
        TableName="Carts",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "Id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "Id", "AttributeType": "S"}],
    )
    for item in (
        {"Id": {"S": "a"}, "n": {"N": "1"}, "lines": {"L": [{"M": {"Qty": {"N": "2"}}}]}},
        {"Id": {"S": "b"}, "n": {"N": "1.5"}, "ok": {"BOOL": True}, "tags": {"SS": ["x"]}},
    ):
        dynamodb.put_item(TableName="Carts", Item=item)

    ended = crawl(
        local,
        "all",
        S3Targets=[{"Path": "s3://lake/people/"}],
        JdbcTargets=[{"ConnectionName": "shop", "Path": "postgres/%", "Exclusions": ["sales/old"]}],
        DynamoDBTargets=[{"Path": "Carts"}],
    )

    assert ended["Status"] == "SUCCEEDED", ended
    tables = {one["Name"]: one for one in glue.get_tables(DatabaseName="shop")["TableList"]}
    assert set(tables) == {"carts", "people", "postgres_public_totals", "postgres_sales_orders"}
    orders = tables["postgres_sales_orders"]
    assert columns(orders) == {
        "id": "bigint", "paidat": "timestamp", "price": "decimal(10,2)", "n": "int",
        "small": "smallint", "share": "double", "ok": "boolean", "day": "date", "note": "string",
        "tags": "array<string>", "raw": "binary", "any_number": "decimal(38,18)", "who": "string",
    }  # fmt: skip
    assert orders["StorageDescriptor"]["Location"] == "postgres.sales.Orders"
    kept = ("classification", "connectionName", "typeOfData", "UPDATED_BY_CRAWLER")
    assert [orders["Parameters"][name] for name in kept] == ["postgresql", "shop", "table", "all"]
    assert tables["postgres_public_totals"]["Parameters"]["typeOfData"] == "view"
    carts = tables["carts"]
    assert columns(carts) == {
        "id": "string", "n": "double", "lines": "array<struct<qty:bigint>>", "ok": "boolean",
        "tags": "array<string>",
    }  # fmt: skip
    assert carts["StorageDescriptor"]["Location"].endswith(":table/Carts")
    assert (carts["Parameters"]["recordCount"], carts["Parameters"]["hashKey"]) == ("2", "Id")

    with pg8000.native.Connection("postgres", password=postgres.PASSWORD, port=local.port) as shop:
        shop.run("DROP VIEW public.totals")
        shop.run('ALTER TABLE sales."Orders" ADD COLUMN late text')
    assert again(local, "all")["Status"] == "SUCCEEDED"
    tables = {one["Name"]: one for one in glue.get_tables(DatabaseName="shop")["TableList"]}
    assert columns(tables["postgres_sales_orders"])["late"] == "string"
    assert "DEPRECATED_BY_CRAWLER" in tables["postgres_public_totals"]["Parameters"]


@pytest.mark.parametrize(
    ("targets", "told"),
    [
        (
            {"JdbcTargets": [{"ConnectionName": "shop", "Path": "postgres/none/%"}]},
            "postgres/none/% has no table that shop shows.",
        ),
        (
            {"JdbcTargets": [{"ConnectionName": "wrong", "Path": "postgres/%"}]},
            "password authentication failed",
        ),
        (
            {"JdbcTargets": [{"ConnectionName": "mysql", "Path": "d/%"}]},
            "localaws speaks to PostgreSQL, and to no other kind of database",
        ),
        ({"JdbcTargets": [{"ConnectionName": "x", "Path": "d/%"}]}, "Connection x not found"),
        ({"DynamoDBTargets": [{"Path": "None"}]}, "DynamoDB table None: "),
    ],
    ids=["path", "password", "engine", "connection", "dynamodb"],
)
def test_a_store_that_cannot_be_read_fails_the_crawl(
    local: Any, targets: Any, told: str, request: pytest.FixtureRequest
) -> None:
    name = request.node.callspec.id
    if name == "password":
        connect(local, "wrong", USERNAME="postgres", PASSWORD="no")
    if name == "engine":
        user = {"USERNAME": "u", "PASSWORD": "p"}
        connect(local, "mysql", JDBC_CONNECTION_URL="jdbc:mysql://h:3306/d", **user)
    ended = crawl(local, name, **targets)
    assert ended["Status"] == "FAILED"
    assert told in ended["ErrorMessage"]


def test_a_connection_is_tested_by_speaking_to_the_database(local: Any) -> None:
    glue = local.client("glue")
    glue.test_connection(ConnectionName="shop")
    connect(local, "closed", USERNAME="postgres", PASSWORD="no")
    with pytest.raises(ClientError, match="password authentication failed"):
        glue.test_connection(ConnectionName="closed")
    with pytest.raises(ClientError, match="Connection none not found"):
        glue.test_connection(ConnectionName="none")


def test_a_jdbc_target_names_connection_and_database(local: Any) -> None:
    with pytest.raises(ClientError, match="ConnectionName and a Path"):
        crawl(local, "bad", JdbcTargets=[{"ConnectionName": "shop", "Path": "%"}])
