"""Which tables the script's Spark knows: the Data Catalog's, or its own, which end with the run.

Not imported by localaws.
"""

from __future__ import annotations

import functools
import json
import os
import shlex
import sys
from pathlib import Path
from typing import Any

FACTORY = "hive.metastore.client.factory.class"
GLUE_FACTORY = "com.amazonaws.glue.catalog.metastore.AWSGlueDataCatalogHiveClientFactory"
_DERBY = "metastore_db"  # where Hive's own metastore is, in the run's scratch
_warned: set[str] = set()


def install(script: str) -> None:
    """Before the script runs; `script` is its text."""
    if os.environ.get("LOCALAWS_CATALOG"):
        given = " ".join(f"--conf {shlex.quote(f'{k}={v}')}" for k, v in catalog().items())
        os.environ["PYSPARK_SUBMIT_ARGS"] = f"{given} {os.environ['PYSPARK_SUBMIT_ARGS']}"
    elif "LOCALAWS_BUCKETS" in os.environ and "spark" in script:
        from pyspark import SparkContext

        stop: Any = SparkContext.stop
        SparkContext.stop = functools.wraps(stop)(_after(warn_of_lost_tables, stop))
        if GLUE_FACTORY in script:
            _take_factory()


def _after(first: Any, then: Any) -> Any:
    def both(*given: Any, **named: Any) -> Any:
        first()
        return then(*given, **named)

    return both


@functools.cache
def catalog() -> dict[str, str]:
    """Spark's settings for the Data Catalog, which a metastore in this process gives it."""
    import boto3

    from localaws.glue_jobs.metastore import server
    from localaws.glue_jobs.metastore.metastore import Metastore

    folders = json.loads(Path(os.environ["LOCALAWS_BUCKETS"]).read_text())
    buckets = {name: Path(folder) for name, folder in folders.items()}
    port = server.start(Metastore(lambda: boto3.client("glue"), buckets))
    return {
        "spark.sql.catalogImplementation": "hive",
        "spark.hadoop.hive.metastore.uris": f"thrift://127.0.0.1:{port}",
    }


def _take_factory() -> None:
    """A script may ask for the catalog itself, where it makes its session."""
    from pyspark import SparkConf
    from pyspark.sql import SparkSession

    def asking(set_one: Any) -> Any:
        @functools.wraps(set_one)
        def asked(self: Any, key: Any = None, value: Any = None, **named: Any) -> Any:
            if isinstance(key, str) and key.endswith(FACTORY) and value == GLUE_FACTORY:
                for name, setting in catalog().items():
                    set_one(self, name, setting)
            return set_one(self, key, value, **named)

        return asked

    SparkConf.set = asking(SparkConf.set)
    SparkSession.Builder.config = asking(SparkSession.Builder.config)


def warn_of_lost_tables() -> None:
    """A line in the run's error log for each table that no catalog has."""
    if os.environ.get("LOCALAWS_CATALOG") or catalog.cache_info().currsize:
        return
    pyspark = sys.modules.get("pyspark")
    context = pyspark.SparkContext._active_spark_context if pyspark else None
    if context is None:
        return
    conf = context.getConf()
    if conf.get("spark.sql.catalogImplementation") == "hive" and not Path(_DERBY).exists():
        return  # nobody has asked it; to ask would make it
    session = sys.modules["pyspark.sql"].SparkSession._instantiatedSession
    if session is None:
        return
    tables = session._jsparkSession.sharedState().externalCatalog()
    for database in _each(tables.listDatabases()):
        for table in _each(tables.listTables(database)):
            name = f"{database}.{table}"
            if name not in _warned:
                _warned.add(name)
                print(
                    f"WARN localaws: the table {name} is in no catalog and ends with this run, as"
                    " on AWS without --enable-glue-datacatalog.",
                    file=sys.stderr,
                    flush=True,
                )


def _each(seq: Any) -> list[str]:
    return [seq.apply(at) for at in range(seq.size())]
