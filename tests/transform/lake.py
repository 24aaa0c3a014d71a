"""A lake in a folder, and the product's chain over it: SQL files and recipes in DuckDB, the Glue
job's functions in Spark, each reading what the one before wrote."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import sqlglot
from duckdb.sqltypes import BIGINT, BLOB
from pyspark.sql import SparkSession
from sqlglot import exp

from localaws.athena.sql.python.numbers import crc32
from tasks.functions.raw_checks import SHAPES
from tasks.glue_jobs import join_features
from tests.transform import recipes

FEATURE_TABLES = (
    "product_history",
    "user_features",
    "user_product_features",
    "product_features",
    "products",
)
SQL = Path(__file__).resolve().parents[2] / "sql"
RAW_COLUMNS = {table: list(shape.columns) for table, shape in SHAPES.items()}
Row = list[str | None]
Raw = dict[str, list[Row]]


@cache
def _translated(sql: str) -> str:
    (text,) = sqlglot.transpile(sql, read="athena", write="duckdb")
    return text


@dataclass
class Lake:
    """One lake bucket as a folder, its catalog as DuckDB schemas `raw` and `lake`."""

    root: Path
    run: str = "r1"
    sample_buckets: int = 20
    week: str = "2026-W48"
    connection: duckdb.DuckDBPyConnection = field(default_factory=duckdb.connect)
    summary: dict[str, Any] = field(default_factory=dict)  # of the last join

    def __post_init__(self) -> None:
        self.connection.execute("SET threads = 2; CREATE SCHEMA raw; CREATE SCHEMA lake")
        # DuckDB has none, Athena has.
        self.connection.create_function("crc32", crc32, [BLOB], BIGINT)

    def load(self, raw: Raw) -> None:
        """The five raw tables; every column is text, as the crawler declares them."""
        for table, columns in RAW_COLUMNS.items():
            typed = ", ".join(f"{column} VARCHAR" for column in columns)
            self.connection.execute(f"CREATE OR REPLACE TABLE raw.{table} ({typed})")
            if raw[table]:
                marks = ", ".join("?" for _ in columns)
                self.connection.executemany(f"INSERT INTO raw.{table} VALUES ({marks})", raw[table])

    def sql(self, name: str) -> str:
        """`sql/<name>.sql` with its placeholders filled in."""
        values = {
            "LakeBucket": "lake",
            "RawDatabase": "raw",
            "Database": "lake",
            "run": self.run,
            "sample_buckets": str(self.sample_buckets),
            "try": "",
            "clean_orders_table": f"clean_orders_{self.run}",
            "clean_order_products_table": f"clean_order_products_{self.run}",
            "prior_lines_table": f"order_products_prior_{self.run}",
            **{f"{table}_table": f"{table}_{self.run}" for table in FEATURE_TABLES},
        }
        text = (SQL / f"{name}.sql").read_text()
        return re.sub(r"\$\{(\w+)\}", lambda match: values[match[1]], text)

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """The rows of an Athena SELECT."""
        result = self.connection.execute(_translated(sql))
        names = [column[0] for column in result.description or []]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def execute(self, name: str) -> exp.Create:
        """Run `sql/<name>.sql`: CTAS, external table or view. Returns the parsed statement."""
        statement = sqlglot.parse_one(self.sql(name), read="athena")
        assert isinstance(statement, exp.Create)
        if statement.kind == "VIEW":
            self.connection.execute(statement.sql("duckdb"))
        elif statement.expression is not None:
            self._create_table_as(statement)
        else:
            self._create_external_table(statement)
        return statement

    def _create_table_as(self, statement: exp.Create) -> None:
        """Write the SELECT as Parquet where external_location says; the table reads it there."""
        options = {
            item.name: item.args["value"]
            for item in statement.find_all(exp.Property)
            if "value" in item.args
        }
        partitions = statement.find(exp.PartitionedByProperty)
        columns = [item.name for item in partitions.this.expressions] if partitions else []
        folder = self.path(options["external_location"].name)
        assert not folder.exists(), f"{folder} is not empty"
        folder.mkdir(parents=True)
        select = statement.expression.sql("duckdb")
        described = self.connection.execute(f"DESCRIBE {select}").fetchall()
        assert [row[0] for row in described][len(described) - len(columns) :] == columns
        by = f", PARTITION_BY ({', '.join(columns)})" if columns else ""
        target = folder if columns else folder / "part-0.parquet"
        self.connection.execute(f"COPY ({select}) TO '{target}' (FORMAT parquet{by})")
        self._table(statement.this.sql("duckdb"), folder, partitioned=bool(columns))

    def _create_external_table(self, statement: exp.Create) -> None:
        """The files must have exactly the declared columns and types, as Athena needs them."""
        location = statement.find(exp.LocationProperty)
        assert location is not None
        table = statement.this.this.sql("duckdb")
        partitioned = statement.find(exp.PartitionedByProperty) is not None
        self._table(table, self.path(location.name), partitioned=partitioned)
        declared = {
            column.name: column.args["kind"].sql("duckdb").replace("TEXT", "VARCHAR")
            for column in statement.find_all(exp.ColumnDef)
        }
        stored = {
            name: kind.replace("INTEGER", "INT")
            for name, kind, *_ in self.connection.execute(f"DESCRIBE {table}").fetchall()
        }
        assert stored == declared

    def _table(self, table: str, folder: Path, *, partitioned: bool = False) -> None:
        """`run=<run>` above the folder looks like a partition to DuckDB and is none."""
        files = f"read_parquet('{folder}/**/*.parquet*', hive_partitioning = {partitioned})"
        columns = "* EXCLUDE (run)" if partitioned else "*"
        self.connection.execute(f"CREATE VIEW {table} AS SELECT {columns} FROM {files}")

    def path(self, uri: str) -> Path:
        """The folder that stands for `s3://lake/<key>`."""
        return self.root / uri.removeprefix("s3://lake/")

    def brew(self, recipe: str, source: str, folder: str) -> None:
        """Run a recipe as DataBrew does: its files go into a folder of their own below `folder`."""
        job_folder = self.root / f"runs/run={self.run}/{folder}/{recipe}_22Nov2026_1795000000000"
        job_folder.mkdir(parents=True)
        file = job_folder / f"{recipe}_22Nov2026_1795000000000_part00000.parquet.snappy"
        sql = recipes.query(recipe, source)
        self.connection.execute(f"COPY ({sql}) TO '{file}' (FORMAT parquet)")

    def build_features(self) -> None:
        """Raw tables to feature tables, in the order of the workflow."""
        for table in ("orders", "order_products"):  # all of one raw object
            self.brew(f"clean_{table}", f"raw.{table}", f"cleaned/{table}/object=o1")
        self.execute("tables/cleaned_orders")
        self.execute("tables/cleaned_order_products")
        self.execute("clean/orders")
        self.execute("clean/order_products")
        self.execute("features/order_products_prior")
        self.execute("features/product_history")
        self.execute("features/user_features")
        self.execute("features/user_product_features")
        prior = f"lake.order_products_prior_{self.run}"
        self.brew("product_features", prior, "features/product_features")
        self.execute("tables/product_features")
        self.execute("features/products")

    def join(self, spark: SparkSession, percent: int = 20) -> None:
        """The Glue job's work over the feature tables."""
        arguments = join_features.Arguments(str(self.root), self.run, percent, percent, self.week)
        self.summary = join_features.write_sets(spark, arguments)

    def set_rows(self, name: str) -> list[tuple[Any, ...]]:
        """The rows of one of the four sets, by user and product."""
        sql = f"SELECT * FROM {self.set_files(name)} ORDER BY user_id, product_id, order_id"
        return self.connection.execute(sql).fetchall()

    def set_files(self, name: str) -> str:
        """One of the four sets, for a FROM."""
        files = f"{self.root}/runs/run={self.run}/sets/set={name}/*.parquet"
        return f"read_parquet('{files}', hive_partitioning = false)"
