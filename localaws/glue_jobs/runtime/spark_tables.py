"""Which tables the script's Spark knows: the Data Catalog's, or its own, which end with the run.

What asks for the catalog by the names of AWS's classes, in `--conf` or in the script, is given a
metastore in this process (`localaws.glue_jobs.metastore`). Not imported by localaws.
"""

from __future__ import annotations

import functools
import json
import os
import re
import shlex
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

FACTORY = "hive.metastore.client.factory.class"
GLUE_FACTORY = "com.amazonaws.glue.catalog.metastore.AWSGlueDataCatalogHiveClientFactory"
# Iceberg's: the catalog, which may be named by its type too, and how files are reached.
_SETTING = re.compile(r"spark\.sql\.catalog\.[^.]+\.(catalog-impl|type|io-impl)")
_GLUE_CATALOG = ("org.apache.iceberg.aws.glue.GlueCatalog", "glue")
_S3_FILES = "org.apache.iceberg.aws.s3.S3FileIO"
_DERBY = "metastore_db"  # where Hive's own metastore is, in the run's scratch
_warned: set[str] = set()


def install(script: str) -> None:
    """Before the script runs; `script` is its text."""
    if "LOCALAWS_BUCKETS" not in os.environ:
        return
    settings = dict(_of_files())
    if os.environ.get("LOCALAWS_CATALOG"):
        settings |= catalog()
    given = " ".join(f"--conf {shlex.quote(f'{k}={v}')}" for k, v in settings.items())
    os.environ["PYSPARK_SUBMIT_ARGS"] = f"{given} {os.environ['PYSPARK_SUBMIT_ARGS']}".strip()
    if "spark" in script:
        from pyspark import SparkContext

        stop: Any = SparkContext.stop
        SparkContext.stop = functools.wraps(stop)(_after(warn_of_lost_tables, stop))
        if GLUE_FACTORY in script or "iceberg" in script:
            _take_settings()


def _of_files() -> Iterable[tuple[str, str]]:
    """What the run's own properties (`--conf`) say that has to be said otherwise here."""
    for line in Path(os.environ["LOCALAWS_PROPERTIES"]).read_text().splitlines():
        name, _, value = line.partition(" ")
        found = instead(name, value)
        if found != {name: value}:
            yield from found.items()


def instead(name: str, value: Any) -> Mapping[str, Any]:
    """The settings for one that a script, or its job, has given for AWS."""
    if name.endswith(FACTORY) and value == GLUE_FACTORY:
        return {name: value, **catalog()}
    setting = _SETTING.fullmatch(name)
    if setting is None:
        return {name: value}
    if setting[1] == "io-impl":
        return {name: "org.apache.iceberg.hadoop.HadoopFileIO" if value == _S3_FILES else value}
    if value not in _GLUE_CATALOG:
        return {name: value}
    of_catalog = name.removesuffix(setting[1])
    return {
        f"{of_catalog}catalog-impl": "org.apache.iceberg.hive.HiveCatalog",
        f"{of_catalog}uri": f"thrift://127.0.0.1:{_port('iceberg')}",
    }


def catalog() -> dict[str, str]:
    """Spark's settings for the tables of the Data Catalog."""
    return {
        "spark.sql.catalogImplementation": "hive",
        "spark.hadoop.hive.metastore.uris": f"thrift://127.0.0.1:{_port('hive')}",
    }


@functools.cache
def _port(kind: str) -> int:
    """Of the metastore for Spark's own tables, or for Iceberg's; begun when it is asked for."""
    import boto3

    from localaws.glue_jobs.metastore import server
    from localaws.glue_jobs.metastore.iceberg import IcebergMetastore
    from localaws.glue_jobs.metastore.metastore import Metastore

    folders = json.loads(Path(os.environ["LOCALAWS_BUCKETS"]).read_text())
    buckets = {name: Path(folder) for name, folder in folders.items()}
    made = IcebergMetastore if kind == "iceberg" else Metastore
    return server.start(made(lambda: boto3.client("glue"), buckets))


def _take_settings() -> None:
    """A script may ask for a catalog itself, where it makes its session or sets its conf."""
    from pyspark import SparkConf
    from pyspark.sql import SparkSession
    from pyspark.sql.conf import RuntimeConfig

    def asking(set_one: Any) -> Any:
        @functools.wraps(set_one)
        def asked(self: Any, key: Any = None, value: Any = None, **named: Any) -> Any:
            if not isinstance(key, str):
                return set_one(self, key, value, **named)
            settled = self.__class__ is RuntimeConfig and key.endswith(FACTORY)  # changes nothing
            for name, setting in ({key: value} if settled else instead(key, value)).items():
                result = set_one(self, name, setting, **named)
            return result

        return asked

    for owner, name in (
        (SparkConf, "set"),
        (SparkSession.Builder, "config"),
        (RuntimeConfig, "set"),
    ):
        setattr(owner, name, asking(getattr(owner, name)))


def _after(first: Any, then: Any) -> Any:
    def both(*given: Any, **named: Any) -> Any:
        first()
        return then(*given, **named)

    return both


def warn_of_lost_tables() -> None:
    """A line in the run's error log for each table that no catalog has."""
    pyspark = sys.modules.get("pyspark")
    context = pyspark.SparkContext._active_spark_context if pyspark else None
    if context is None:
        return
    conf = context.getConf()
    if conf.get("spark.hadoop.hive.metastore.uris"):
        return
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
