"""Asks S3 for what Spark is about to read, with the keys of the job's role.

Spark reads an S3 path as files, which knows no permissions: each path that a script gives to
`spark.read` is listed first and its objects are looked at, as the S3 connector of Glue does, and
so are the places of tables before rows are read of them (`plan_reads`). Not imported by localaws.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
from collections.abc import Iterator
from typing import Any

SCHEMES = ("s3://", "s3a://", "s3n://")
_granted: set[tuple[str, str]] = set()  # the objects that may be read, by bucket and key
_listed: set[tuple[str, str]] = set()  # the folders that may be
METHODS = ("csv", "json", "load", "orc", "parquet", "text")


class Py4JJavaError(Exception):
    """Named as what a script sees on Glue, where the JVM is refused."""


def install() -> None:
    """Puts the question before every read of a DataFrameReader, and of a catalog's tables."""
    from pyspark.sql.readwriter import DataFrameReader

    for name in METHODS:
        setattr(DataFrameReader, name, _asking(name, getattr(DataFrameReader, name)))
    importlib.import_module("plan_reads").install(ask_place)  # beside this file


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


def ask_place(name: str, place: str) -> None:
    """The same of a file, whose folder Spark lists, or of a folder, which ends in /."""
    if place.endswith("/") or not place.startswith(SCHEMES):
        ask(name, place)
        return
    bucket, _, key = place.partition("://")[2].partition("/")
    folder = key.rpartition("/")[0] + "/" if "/" in key else ""
    with _told(name, place):
        if (bucket, folder) not in _listed:
            _client().list_objects_v2(Bucket=bucket, Prefix=folder, MaxKeys=1)
            _listed.add((bucket, folder))
        _look(bucket, key)


def ask(name: str, path: str) -> None:
    """Raises Py4JJavaError for what the role may not read."""
    if not path.startswith(SCHEMES):
        return
    bucket, _, key = path.partition("://")[2].partition("/")
    listing = _client().get_paginator("list_objects_v2")
    with _told(name, path):
        for page in listing.paginate(Bucket=bucket, Prefix=key.split("*")[0]):
            for item in page.get("Contents", []):
                _look(bucket, item["Key"])


def _look(bucket: str, key: str) -> None:
    if (bucket, key) not in _granted:
        _client().head_object(Bucket=bucket, Key=key)
        _granted.add((bucket, key))


@contextlib.contextmanager
def _told(name: str, path: str) -> Iterator[None]:
    """A refusal as Spark tells it; of anything else Spark speaks better."""
    from botocore.exceptions import ClientError

    try:
        yield
    except ClientError as error:
        about = error.response
        status = about["ResponseMetadata"]["HTTPStatusCode"]
        if status != 403:
            return
        raise Py4JJavaError(
            f"An error occurred while calling o1.{name}. {path}: Access Denied"
            f" (Service: Amazon S3; Status Code: {status}; Error Code: AccessDenied;"
            f" Request ID: {about['ResponseMetadata'].get('RequestId')})"
        ) from None


@functools.cache
def _client() -> Any:
    import boto3

    return boto3.client("s3")
