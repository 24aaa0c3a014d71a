"""Orders and lines that are in PostgreSQL: from its rows to a run's plan and audit record."""

from __future__ import annotations

import argparse
import importlib.metadata
import io
import json
import time
import zipfile
from collections.abc import Iterator
from typing import Any

import pg8000.native
import pytest

from configuration.connection import Connection
from configuration.database import Database
from infrastructure.deploy import deploy
from tasks.glue_jobs import read_database
from tests import postgres
from tests.pipeline.stack import Stack

Json = dict[str, Any]

# One customer with three orders: two products, of which one is bought each time.
TABLES = """
CREATE TABLE sale (number int, customer int, nth int, weekday int, hour int, pause float);
INSERT INTO sale VALUES (9000001, 900001, 1, 2, 10, NULL), (9000002, 900001, 2, 3, 11, 7),
    (9000003, 900001, 3, 4, 12, 30);
CREATE TABLE order_products (order_id int, product_id int, add_to_cart_order int, reordered int);
INSERT INTO order_products VALUES (9000001, 1, 1, 0), (9000001, 2, 2, 0), (9000002, 1, 1, 1),
    (9000003, 1, 1, 1);
"""
ORDERS = (
    "SELECT number AS order_id, customer AS user_id, CASE nth WHEN 3 THEN 'train' ELSE 'prior' END"
    " AS eval_set, nth AS order_number, weekday AS order_dow, hour AS order_hour_of_day,"
    " pause AS days_since_prior_order FROM sale"
)
LINES = "order_id,product_id,add_to_cart_order,reordered\n"
KEYS = ["raw/order_products/database_000009000000.csv", "raw/orders/database_000009000000.csv"]


class Shop:
    def __init__(self, port: int) -> None:
        self.port = port
        place: Json = {"host": "127.0.0.1", "port": port, "database": "postgres"}
        self.base = pg8000.native.Connection("postgres", password=postgres.PASSWORD, **place)
        for statement in TABLES.split(";\n"):
            self.run(statement)

    def run(self, statement: str) -> Any:
        return self.base.run(statement)


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    with postgres.server() as port:
        made = Shop(port)
        yield made
        made.base.close()


def test_a_file_that_holds_what_it_held_is_not_put_again(stack: Stack, shop: Shop) -> None:
    s3 = stack.client("s3")
    bucket = f"read-{shop.port}"
    s3.create_bucket(Bucket=bucket)
    wanted = argparse.Namespace(raw_bucket=bucket, orders=ORDERS, order_products="order_products")

    def read() -> Json:
        properties = {"JDBC_CONNECTION_URL": f"jdbc:postgresql://127.0.0.1:{shop.port}/postgres"}
        secret = {"username": "postgres", "password": postgres.PASSWORD}
        connection = read_database.connect(properties, secret)
        try:
            return read_database.read(connection, s3, wanted)
        finally:
            connection.close()

    def files(document: Json, member: str) -> dict[str, Any]:
        return {o["key"]: o[member] for of in document["tables"] for o in of["objects"]}

    first = read()
    shop.run("INSERT INTO order_products VALUES (12, 3, 1, 0)")
    second = read()
    shop.run("DELETE FROM order_products WHERE order_id = 12")
    third = read()

    assert [(of["table"], of["rows"], of["last_order_id"]) for of in first["tables"]] == [
        ("orders", 3, 9000003),
        ("order_products", 4, 9000003),
    ]
    assert files(first, "put") == dict.fromkeys(KEYS, True)
    assert files(second, "put") == {
        **dict.fromkeys(KEYS, False),
        "raw/order_products/database_000000000000.csv": True,
    }
    assert files(third, "put") == dict.fromkeys(KEYS, False)
    there = s3.list_objects_v2(Bucket=bucket)["Contents"]
    assert [entry["Key"] for entry in there] == KEYS
    body = s3.get_object(Bucket=bucket, Key=KEYS[0])["Body"].read().decode()
    assert body == f"{LINES}9000001,1,1,0\n9000001,2,2,0\n9000002,1,1,1\n9000003,1,1,1\n"
    assert len({document["snapshot"] for document in (first, second, third)}) == 3


@pytest.fixture
def with_database(stack: Stack, shop: Shop) -> Iterator[None]:
    """The stack deployed with the database, and afterwards as it was."""
    client, s3 = stack.client("secretsmanager"), stack.client("s3")
    said = json.dumps({"username": "postgres", "password": postgres.PASSWORD})
    secret = client.create_secret(Name=f"shop-{shop.port}", SecretString=said)["ARN"]
    code = stack.lake.replace("-lake-", "-code-")
    modules = []
    for name in ("pg8000", "scramp", "asn1crypto", "python-dateutil", "six"):
        file, body = wheel(name)
        s3.put_object(Bucket=code, Key=f"wheels/{file}", Body=body)
        modules.append(f"s3://{code}/wheels/{file}")
    database = Database(
        url=f"jdbc:postgresql://127.0.0.1:{shop.port}/postgres",
        secret=secret, orders=ORDERS, tls=False, driver=",".join(modules),
    )  # fmt: skip
    settings = stack.connection.settings
    deploy(Connection(settings.model_copy(update={"database": database})), lambda line: None)
    yield
    deploy(stack.connection, lambda line: None)
    for key in KEYS:
        s3.delete_object(Bucket=stack.raw_bucket, Key=key)


def wheel(name: str) -> tuple[str, bytes]:
    """An installed package as pip would have it from an index."""
    found = importlib.metadata.distribution(name)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        for one in found.files or []:
            if ".." not in one.parts and one.suffix != ".pyc":
                file.write(str(one.locate()), str(one))
    return f"{name.replace('-', '_')}-{found.version}-py3-none-any.whl", made.getvalue()


def test_orders_of_a_database_are_planned_checked_and_recorded(
    stack: Stack, shop: Shop, with_database: None
) -> None:
    arn = stack.start({"train": False})
    deadline = time.monotonic() + 300
    client = stack.client("stepfunctions")
    while not any(
        (event.get("stateEnteredEventDetails") or {}).get("name") == "Clean with DataBrew"
        for event in stack.history(arn)
    ):
        described = client.describe_execution(executionArn=arn)
        assert described["status"] == "RUNNING", described.get("cause")
        assert time.monotonic() < deadline, stack.history(arn)[-1]
        time.sleep(0.2)
    client.stop_execution(executionArn=arn)
    stack.wait(arn)
    record = stack.record(arn)

    read = record["run"]["database"]
    assert read["tables"] == {
        "orders": {"rows": 3, "last_order_id": 9000003},
        "order_products": {"rows": 4, "last_order_id": 9000003},
    }
    xmin, xmax, _ = read["snapshot"].split(":")
    assert 0 < int(xmin) <= int(xmax) <= shop.run("SELECT txid_current()")[0][0]
    assert record["execution"]["started_at"] < read["read_at"] < record["written_at"]
    document = json.loads(stack.read(read["uri"].removeprefix(f"s3://{stack.lake}/")))
    assert document["tables"][0]["query"] == ORDERS
    planned = {entry["key"]: entry["sha256"] for entry in record["inputs"]}
    assert {key: planned[key] for key in KEYS} == {
        o["key"]: o["sha256"] for of in document["tables"] for o in of["objects"]
    }
    assert "raw/products/products.csv" in planned  # in the same run as the files
    rows = json.loads(stack.read(f"runs/run={record['run']['id']}/rows.json"))
    assert [rows[key] for key in KEYS] == [4, 3]
    assert record["cost_inputs"]["glue_dpu_seconds"] == read["dpu_seconds"]
