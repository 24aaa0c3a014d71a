"""Spark within the tests' own process: a Java machine for each module that starts one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pyspark import SparkContext
from pyspark.sql import SparkSession


@contextmanager
def java_machine() -> Iterator[None]:
    """What is started within has a Java machine of its own, which ends with it.

    PySpark keeps one a process, with the classes, settings and folders of who was first.
    """
    _end()
    try:
        yield
    finally:
        _end()


def _end() -> None:
    session = SparkSession.getActiveSession()
    if session is not None:
        session.stop()
    if SparkContext._active_spark_context is not None:
        SparkContext._active_spark_context.stop()
    gateway = SparkContext._gateway
    if gateway is not None:
        gateway.shutdown()
        gateway.proc.stdin.close()  # the machine ends when its input does
        gateway.proc.wait(60)
        SparkContext._gateway = SparkContext._jvm = None
