"""One Spark session for all tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

from localaws.glue_jobs.spark import java_option
from tests import archive
from tests.spark import java_machine


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """Local Spark on two cores, as small as it gets."""
    folder = tmp_path_factory.mktemp("spark")
    # Small data: Java's second compiler costs more than it saves.
    options = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
    if (file := archive.shared()) is not None:
        options.append(java_option(f"-XX:SharedArchiveFile={file}"))
    with java_machine():
        session = (
            SparkSession.builder.master("local[2]")
            .config("spark.ui.enabled", "false")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.sql.shuffle.partitions", "2")
            .config("spark.driver.extraJavaOptions", " ".join(options))
            .config("spark.sql.warehouse.dir", str(folder / "warehouse"))
            .config("spark.local.dir", str(folder / "local"))
            .getOrCreate()
        )
        session.sparkContext.setLogLevel("ERROR")
        yield session
        session.stop()
