"""CTAS, INSERT INTO, UNLOAD and views, with the rules Athena has for them."""

from __future__ import annotations

from typing import Any

import pyarrow.parquet as pq
import pytest


def test_ctas_writes_partitioned_compressed_parquet(athena: Any) -> None:
    done = athena.run(
        "CREATE TABLE shop.orders WITH (format = 'PARQUET', write_compression = 'SNAPPY', "
        "external_location = 's3://lake/out/orders/', partitioned_by = ARRAY['dow']) AS "
        "SELECT * FROM (VALUES (1, 'a b', 'x/y'), (2, NULL, 'z')) AS t(id, name, dow)"
    )

    folders = sorted({key.rpartition("/")[0] for key in athena.keys("out/orders/")})
    assert folders == ["out/orders/dow=x%2Fy", "out/orders/dow=z"]
    stored = athena.local.objects.list("lake", "out/orders/dow=z/")[0]
    file = pq.ParquetFile(stored.path)
    assert file.schema_arrow.names == ["id", "name"]
    assert file.metadata.row_group(0).column(0).compression == "SNAPPY"
    table = athena.glue.get_table(DatabaseName="shop", Name="orders")["Table"]
    assert table["PartitionKeys"] == [{"Name": "dow", "Type": "varchar(3)"}]
    assert table["Parameters"]["classification"] == "parquet"
    assert athena.rows("SELECT id, name, dow FROM orders ORDER BY id") == [
        ["1", "a b", "x/y"],
        ["2", None, "z"],
    ]
    manifest = done["Statistics"]["DataManifestLocation"].removeprefix("s3://lake/")
    listed = athena.local.objects.path("lake", manifest).read_text().split()
    assert sorted(uri.removeprefix("s3://lake/") for uri in listed) == athena.keys("out/orders/")
    results = athena.client.get_query_results(QueryExecutionId=done["QueryExecutionId"])
    assert results["UpdateCount"] == 2


@pytest.mark.parametrize("format_", ["PARQUET", "JSON", "TEXTFILE"])
def test_insert_appends_in_the_tables_format(athena: Any, format_: str) -> None:
    athena.run(
        f"CREATE TABLE t WITH (format = '{format_}', partitioned_by = ARRAY['k']) AS SELECT 1 AS "
        "a, 'x' AS b, 1 AS k"
    )
    athena.run("INSERT INTO t VALUES (2, 'y', 1), (3, NULL, 2)")
    athena.run("INSERT INTO t (k, a) SELECT 3, 4")

    assert athena.rows("SELECT a, b, k FROM t ORDER BY a") == [
        ["1", "x", "1"],
        ["2", "y", "1"],
        ["3", None, "2"],
        ["4", None, "3"],
    ]
    assert athena.rows("SHOW PARTITIONS t") == [["k=1"], ["k=2"], ["k=3"]]


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        (
            "CREATE TABLE t WITH (partitioned_by = ARRAY['a']) AS SELECT 1 AS a, 2 AS b",
            "HIVE_COLUMN_ORDER_MISMATCH: Partition keys must be the last columns",
        ),
        (
            "CREATE TABLE t WITH (partitioned_by = ARRAY['p']) AS SELECT x AS a, x AS p FROM "
            "UNNEST(sequence(1, 101)) AS t(x)",
            "HIVE_TOO_MANY_OPEN_PARTITIONS: Exceeded limit of 100 open writers for "
            "partitions/buckets",
        ),
        (
            "CREATE TABLE t AS SELECT 1",
            "MISSING_COLUMN_NAME: line 1:1: Column name not specified at position 1",
        ),
        (
            "CREATE TABLE t AS SELECT 1 AS a, 2 AS a",
            "DUPLICATE_COLUMN_NAME: Column name 'a' specified more than once",
        ),
        ("CREATE TABLE t AS SELECT NULL AS a", "NOT_SUPPORTED: Unsupported Hive type: unknown"),
        (
            "CREATE TABLE t WITH (format = 'ORC') AS SELECT 1 AS a",
            "NOT_SUPPORTED: localaws does not emulate the format ORC",
        ),
        (
            "CREATE TABLE t WITH (format = 'PARQUET', compression_level = 3) AS SELECT 1 AS a",
            "NOT_SUPPORTED: localaws does not emulate compression_level",
        ),
        ("CREATE TABLE t AS SELECT 1 / 0 AS a", "DIVISION_BY_ZERO: Division by zero"),
        (
            "CREATE TABLE t WITH (external_location = 's3://lake/full') AS SELECT 1 AS a",
            "HIVE_PATH_ALREADY_EXISTS: Target directory for table 'shop.t' already exists: s3://lake/full/",
        ),
    ],
)
def test_a_ctas_that_fails_leaves_no_table_and_no_files(
    athena: Any, sql: str, message: str
) -> None:
    athena.put("full/x", "x")
    assert athena.failure(sql).startswith(message)
    assert athena.rows("SHOW TABLES") == []
    assert not athena.keys("athena-results/tables/")


def test_ctas_of_an_existing_table_fails_unless_it_may_be_there(athena: Any) -> None:
    athena.run("CREATE TABLE t AS SELECT 1 AS a")
    assert athena.failure("CREATE TABLE t AS SELECT 2 AS a") == (
        "TABLE_ALREADY_EXISTS: line 1:1: Destination table 'awsdatacatalog.shop.t' already exists"
    )
    athena.run("CREATE TABLE IF NOT EXISTS t AS SELECT 2 AS a")
    assert athena.rows("SELECT a FROM t") == [["1"]]
    athena.run("CREATE TABLE empty AS SELECT 2 AS a WITH NO DATA")
    assert athena.rows("SELECT a FROM empty") == []


def test_dropping_a_table_leaves_its_files_and_its_view_stale(athena: Any) -> None:
    athena.run(
        "CREATE TABLE t WITH (external_location = 's3://lake/t/') AS SELECT 1 AS a, 'x' AS b"
    )
    athena.run("CREATE OR REPLACE VIEW v AS SELECT a + 1 AS c FROM t")
    assert athena.rows("SELECT c FROM v") == [["2"]]
    assert (
        athena.glue.get_table(DatabaseName="shop", Name="v")["Table"]["TableType"] == "VIRTUAL_VIEW"
    )
    assert athena.rows("SHOW VIEWS") == [["v"]]

    athena.run("DROP TABLE t")

    assert len(athena.keys("t/")) == 1
    assert athena.failure("SELECT * FROM v").startswith("TABLE_NOT_FOUND: ")
    athena.run("CREATE TABLE t AS SELECT 'text' AS a")
    assert athena.failure("SELECT * FROM v").startswith("TYPE_MISMATCH: ")


def test_insert_refuses_other_types(athena: Any) -> None:
    athena.run("CREATE TABLE t AS SELECT 1 AS a")
    assert athena.failure("INSERT INTO t VALUES 'x'") == (
        "TYPE_MISMATCH: Insert query has mismatched column types: Table: [integer], Query: "
        "[varchar(1)]"
    )


def test_an_inserted_text_loses_blanks_and_nothing_else(athena: Any) -> None:
    """Trino, LogicalPlanner.noTruncationCast"""
    athena.run("CREATE TABLE t AS SELECT 'ab' AS a, ARRAY['ab'] AS b")
    athena.run("INSERT INTO t (a) VALUES 'x   '")
    assert athena.rows("SELECT a FROM t ORDER BY a") == [["ab"], ["x "]]
    assert athena.failure("INSERT INTO t (a) VALUES 'xyz'") == (
        "INVALID_CAST_ARGUMENT: Cannot truncate non-space characters when casting from varchar(3) "
        "to varchar(2) on INSERT"
    )
    assert athena.failure("INSERT INTO t (b) VALUES ARRAY['xyz']").startswith("TYPE_MISMATCH")


def test_a_text_of_parquet_has_no_more_characters_than_its_column(athena: Any) -> None:
    athena.run("CREATE TABLE t WITH (external_location = 's3://lake/t/') AS SELECT 'abc' AS a")
    athena.run("CREATE EXTERNAL TABLE u (a varchar(2)) STORED AS PARQUET LOCATION 's3://lake/t/'")
    assert athena.rows("SELECT a FROM u") == [["ab"]]


def test_a_hive_table_has_milliseconds(athena: Any) -> None:
    sql = "CREATE TABLE t AS SELECT TIMESTAMP '2024-01-01 00:00:00.123456' AS a"
    assert athena.failure(sql) == (
        "NOT_SUPPORTED: Incorrect timestamp precision for timestamp(6); the configured precision "
        "is MILLISECONDS"
    )


def test_unload_writes_files_and_no_table(athena: Any) -> None:
    athena.run(
        "UNLOAD (SELECT 1 AS a, 'x' AS p) TO 's3://lake/un/' WITH (format = 'JSON', compression "
        "= 'none', partitioned_by = ARRAY['p'])"
    )
    (stored,) = athena.local.objects.list("lake", "un/p=x/")
    assert stored.path.read_text() == '{"a":1}\n'
    assert athena.rows("SHOW TABLES") == []
