"""Asks S3 for what Spark is about to read, with the keys of the job's role.

Spark reads an S3 path as files, which knows no permissions: each path that a script gives to
`spark.read` is listed first and its objects are looked at, as the S3 connector of Glue does, and
so are the places of tables before rows are read of them (`plan_reads`). Not imported by localaws.
"""

from __future__ import annotations

import functools
import importlib
from typing import Any

SCHEMES = ("s3://", "s3a://", "s3n://")
_granted: set[str] = set()  # the objects that may be read
METHODS = ("csv", "json", "load", "orc", "parquet", "text")


class Py4JJavaError(Exception):
    """Named as what a script sees on Glue, where the JVM is refused."""


def install() -> None:
    """Puts the question before every read of a DataFrameReader, and of a catalog's tables."""
    from pyspark.sql.readwriter import DataFrameReader

    for name in METHODS:
        setattr(DataFrameReader, name, _asking(name, getattr(DataFrameReader, name)))
    importlib.import_module("plan_reads").install(ask)  # beside this file


def _asking(name: str, read: Any) -> Any:
    @functools.wraps(read)
    def asking(reader: Any, *given: Any, **named: Any) -> Any:
        for path in _paths([*given, named.get("path"), named.get("paths")]):
            ask(name, path)
        return read(reader, *given, **named)

    return asking


def _paths(given: list[Any]) -> list[str]:
    found: list[str] = []
    for one in given:
        if isinstance(one, str) and one.startswith(SCHEMES):
            found.append(one)
        elif isinstance(one, (list, tuple)):
            found += _paths(list(one))
    return found


def ask(name: str, path: str) -> None:
    """Raises Py4JJavaError for what the role may not read."""
    from botocore.exceptions import ClientError

    if not path.startswith(SCHEMES) or path in _granted:
        return
    bucket, _, key = path.partition("://")[2].partition("/")
    prefix = key.split("*")[0]
    try:
        client = _client()
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for item in page.get("Contents", []):
                if (uri := f"s3://{bucket}/{item['Key']}") not in _granted:
                    client.head_object(Bucket=bucket, Key=item["Key"])
                    _granted.add(uri)
    except ClientError as error:
        about = error.response
        status = about["ResponseMetadata"]["HTTPStatusCode"]
        if status != 403:
            return  # Spark says it better
        raise Py4JJavaError(
            f"An error occurred while calling o1.{name}. {path}: Access Denied"
            f" (Service: Amazon S3; Status Code: {status}; Error Code: AccessDenied;"
            f" Request ID: {about['ResponseMetadata'].get('RequestId')})"
        ) from None


@functools.cache
def _client() -> Any:
    import boto3

    return boto3.client("s3")
