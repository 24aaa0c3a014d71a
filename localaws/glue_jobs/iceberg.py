"""Iceberg for Spark, where it is installed: `--datalake-formats iceberg`.

The package (Apache-2.0) brings Iceberg's own runtime for Spark 3.5 and Scala 2.12, as AWS's is.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

PACKAGE = "snowpark_connect_deps_iceberg"
FORMAT = "iceberg"


def jar() -> Path | None:
    """Iceberg's runtime; None where the package is not installed."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        return None
    jars = Path(found.origin).parent.glob("jars/iceberg-spark-runtime-3.5_2.12-*.jar")
    return next(jars, None)
