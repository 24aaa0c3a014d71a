"""DynamoDB's tables as frames, through its API with the keys of the job's role.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-connect-dynamodb-home.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from awsglue.dynamicframe import DynamicFrame
from awsglue.records import frame_of
from awsglue.refusal import only

Json = dict[str, Any]
# How much of a table's throughput is used, and in how many pieces, changes no result here.
_PACE = (
    "dynamodb.throughput.read.percent", "dynamodb.throughput.read", "dynamodb.splits",
    "dynamodb.throughput.write.percent", "dynamodb.throughput.write", "dynamodb.output.retry",
    "dynamodb.output.numParallelTasks", "dynamodb.consistentRead",
)  # fmt: skip


def _named(options: Mapping[str, Any], kind: str) -> str:
    only("connection_options of dynamodb", options, (f"dynamodb.{kind}.tableName", *_PACE))
    name = options.get(f"dynamodb.{kind}.tableName")
    if not name:
        raise ValueError(f"A dynamodb connection needs dynamodb.{kind}.tableName.")
    return str(name)


class ItemSource:
    """A table's items: numbers are long or double, sets are arrays."""

    def __init__(self, context: Any, options: Mapping[str, Any]) -> None:
        self._context, self._table = context, _named(options, "input")

    def setFormat(self, format: str | None, **options: Any) -> None:
        """A database has no format."""

    def getFrame(self) -> DynamicFrame:
        session = self._context.spark_session
        outcomes = [(item, None) for item in self._items()]
        read = session.sparkContext.parallelize(outcomes, max(1, min(8, len(outcomes) // 1000)))
        frame, schema, errors = frame_of(session, read)
        return DynamicFrame(
            frame, self._context, self._table, schema=schema, stage_errors=(errors,), sparse=True
        )

    def _items(self) -> Iterator[Json]:
        import boto3

        pages = boto3.client("dynamodb").get_paginator("scan").paginate(TableName=self._table)
        for page in pages:
            for item in page["Items"]:
                yield {name: value_of(each) for name, each in item.items()}


def value_of(given: Json) -> Any:
    """Of an attribute as the API has it, {type: value}."""
    ((kind, value),) = given.items()
    if kind == "N":
        number = Decimal(value)
        return int(number) if number == number.to_integral_value() else float(number)
    if kind == "M":
        return {name: value_of(each) for name, each in value.items()}
    if kind == "L":
        return [value_of(each) for each in value]
    if kind in ("SS", "NS", "BS"):
        return [value_of({kind[0]: each}) for each in value]
    return None if kind == "NULL" else value


class ItemSink:
    """Each record an item; one with the same key is replaced. Nulls are no attributes."""

    def __init__(self, context: Any, options: Mapping[str, Any]) -> None:
        self._context, self._table = context, _named(options, "output")

    def setFormat(self, format: str, **options: Any) -> None:
        """A database has no format."""

    def write(self, frame: Any, info: str = "") -> Any:
        import boto3

        table = boto3.resource("dynamodb").Table(self._table)
        keys = [key["AttributeName"] for key in table.key_schema]
        with table.batch_writer(overwrite_by_pkeys=keys) as batch:
            for row in frame.toDF().toLocalIterator():
                batch.put_item(Item=attribute_of(row.asDict(recursive=True)))
        errors = frame.errorsAsDynamicFrame()
        errors.name = f"{frame.name}_errors"
        return errors

    writeFrame = write


def attribute_of(value: Any) -> Any:
    """As boto3's resources take it."""
    if isinstance(value, dict):
        return {name: attribute_of(each) for name, each in value.items() if each is not None}
    if isinstance(value, list):
        return [attribute_of(each) for each in value]
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, date):  # and a timestamp
        return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
    return bytes(value) if isinstance(value, bytearray) else value
