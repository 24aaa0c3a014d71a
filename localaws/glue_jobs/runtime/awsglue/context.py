"""GlueContext, as far as it is Spark."""

from __future__ import annotations

import logging
from typing import Any

from pyspark.context import SparkContext
from pyspark.sql import SparkSession

from awsglue.refusal import refuse

# Of Spark's SQLContext, which Glue's context extends.
SPARK = ("sql", "read", "readStream", "table", "createDataFrame", "range", "udf", "streams")


class GlueContext:
    """Wraps a SparkContext; `spark_session` is the session to work with."""

    def __init__(self, sparkContext: SparkContext, **options: Any) -> None:  # noqa: N803
        if options:
            refuse(f"GlueContext({', '.join(options)})")
        self.spark_session: SparkSession = SparkSession.builder.getOrCreate()
        self._sc = sparkContext

    def get_logger(self) -> logging.Logger:
        return logging.getLogger("glue")

    def setTempDir(self, tmpDir: str) -> None:  # noqa: N802, N803
        """Only DynamicFrames use it."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in SPARK:
            return getattr(self.spark_session, name)
        return refuse(f"GlueContext.{name}")
