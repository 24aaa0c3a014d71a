"""Next baskets, asked of the view `next_baskets`: what the live model expects customers to buy."""

from __future__ import annotations

import csv
import io
import shutil
import time
from pathlib import Path
from typing import Any

from configuration.connection import Connection
from configuration.errors import InputError, RunError

POLL_SECONDS = 0.3
TOP = 10  # products of one customer that are shown unless told otherwise
BUCKETS = 20  # the table's partitions: user_id % 20
COLUMNS = ("user_id", "rank", "chosen", "product_id", "product_name", "probability", "model")
Row = dict[str, str]


def statement(customer: int | None, top: int | None) -> str:
    """The rows of one customer or of all: the `top` most likely of each, or the chosen ones."""
    conditions = ["chosen" if top is None else f"rank <= {top}"]
    if customer is not None:
        conditions += [f"user_id = {customer}", f"user_bucket = {customer % BUCKETS}"]
    return (
        f"SELECT {', '.join(COLUMNS)} FROM next_baskets WHERE {' AND '.join(conditions)}"
        " ORDER BY user_id, rank"
    )


SUMMARY = """
SELECT
    count(DISTINCT user_id) AS customers,
    count(DISTINCT CASE WHEN chosen THEN user_id END) AS customers_with_a_basket,
    coalesce(sum(CASE WHEN chosen THEN 1 ELSE 0 END), 0) AS products_in_baskets,
    max(model) AS model
FROM next_baskets
"""


def of_customer(
    connection: Connection, outputs: dict[str, str], customer: int, top: int | None
) -> list[Row]:
    """The customer's most likely products. InputError for one who is not to be predicted."""
    rows = read(connection, query(connection, outputs, statement(customer, top or TOP)))
    if not rows:
        raise InputError(
            f"Customer {customer} has no next basket: it is predicted for customers whose last"
            " order is a test order and who bought something before."
        )
    return rows


def summary(connection: Connection, outputs: dict[str, str]) -> Row:
    """How many customers and products the live baskets have, and of which model they are."""
    return read(connection, query(connection, outputs, SUMMARY))[0]


def save(
    connection: Connection,
    outputs: dict[str, str],
    file: Path,
    customer: int | None,
    top: int | None,
) -> None:
    """Writes the rows as CSV with a header, as Athena does."""
    uri = query(connection, outputs, statement(customer, top))
    body = _open(connection, uri)
    with file.open("wb") as target:
        shutil.copyfileobj(body, target)


def query(connection: Connection, outputs: dict[str, str], sql: str) -> str:
    """Runs a statement to its end; the URI of its result. RunError with Athena's reason."""
    athena = connection.client("athena")
    query_id = athena.start_query_execution(
        QueryString=sql,
        QueryExecutionContext={"Database": outputs["Database"]},
        WorkGroup=outputs["WorkGroup"],
    )["QueryExecutionId"]
    while True:
        found = athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
        status = found["Status"]
        if status["State"] == "SUCCEEDED":
            return str(found["ResultConfiguration"]["OutputLocation"])
        if status["State"] in ("FAILED", "CANCELLED"):
            reason = status.get("StateChangeReason", status["State"])
            if "next_baskets" in reason and "does not exist" in reason:
                reason = "there are no next baskets yet: they are published with a model"
            raise RunError(f"Athena: {reason}")
        time.sleep(POLL_SECONDS)


def read(connection: Connection, uri: str) -> list[Row]:
    """The rows of a result, as texts."""
    text = _open(connection, uri).read().decode()
    return list(csv.DictReader(io.StringIO(text)))


def _open(connection: Connection, uri: str) -> Any:
    bucket, key = uri.removeprefix("s3://").split("/", 1)
    return connection.client("s3").get_object(Bucket=bucket, Key=key)["Body"]
