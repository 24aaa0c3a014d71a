"""Tables over files: CSV and JSON SerDes, Parquet, partitions, and the bytes that are counted."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

OPEN_CSV = (
    "CREATE EXTERNAL TABLE {name} ({columns}) "
    "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde' "
    "WITH SERDEPROPERTIES ('separatorChar' = ',', 'quoteChar' = '\"') "
    "LOCATION 's3://lake/{name}/' TBLPROPERTIES ('skip.header.line.count' = '1')"
)


def test_open_csv_keeps_quoted_commas_and_empty_text(athena: Any) -> None:
    athena.put("products/a.csv", 'id,name,note\n1,"Soup, ""hot""",\n2,Tea,x\n')
    athena.run(OPEN_CSV.format(name="products", columns="id string, name string, note string"))

    assert athena.rows("SELECT * FROM products ORDER BY id") == [
        ["1", 'Soup, "hot"', ""],
        ["2", "Tea", "x"],
    ]


def test_open_csv_reads_irregular_rows_backslashes_and_gzip_line_by_line(athena: Any) -> None:
    athena.put("products/a.csv", 'id,name,note\n1,one\n2,"a \\"b\\"",x,dropped\n')
    data = gzip.compress(b"id,name,note\n3,three,y\n")
    athena.s3.put_object(Bucket="lake", Key="products/b.csv.gz", Body=data)
    athena.run(OPEN_CSV.format(name="products", columns="id string, name string, note string"))

    assert athena.rows("SELECT * FROM products ORDER BY id") == [
        ["1", "one", None],
        ["2", 'a "b"', "x"],
        ["3", "three", "y"],
    ]


def test_rows_of_another_width_are_read_even_without_a_backslash(athena: Any) -> None:
    athena.put("products/a.csv", "id,name,note\n1,one\n2,two,x,dropped\n")
    athena.run(OPEN_CSV.format(name="products", columns="id string, name string, note string"))

    assert athena.rows("SELECT * FROM products ORDER BY id") == [
        ["1", "one", None],
        ["2", "two", "x"],
    ]


def test_lazy_simple_makes_null_of_what_does_not_fit(athena: Any) -> None:
    athena.put("plain/a.txt", "1|2.5|x\n|oops|\n\\N|1|\\N\n")
    athena.run(
        "CREATE EXTERNAL TABLE plain (a int, b double, c string) "
        "ROW FORMAT DELIMITED FIELDS TERMINATED BY '|' LOCATION 's3://lake/plain/'"
    )

    assert athena.rows("SELECT a, b, c FROM plain ORDER BY a, b") == [
        ["1", "2.5", "x"],
        [None, "1.0", None],
        [None, None, ""],
    ]


def test_json_lines_with_nested_values(athena: Any) -> None:
    athena.put("events/a.json", '{"a":1,"b":{"c":[1,2]}}\n{"a":2}\n')
    athena.run(
        "CREATE EXTERNAL TABLE events (a int, b struct<c:array<int>>) "
        "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://lake/events/'"
    )

    assert athena.rows("SELECT a, b.c[2], cardinality(b.c) FROM events ORDER BY a") == [
        ["1", "2", "2"],
        ["2", None, None],
    ]


def test_partitions_are_pruned_also_through_a_view_and_only_used_columns_count(athena: Any) -> None:
    athena.run(
        "CREATE TABLE sales WITH (partitioned_by = ARRAY['day']) AS "
        "SELECT x AS id, array_join(repeat('y', 50), '') AS filler, x % 4 AS day "
        "FROM UNNEST(sequence(1, 400)) AS t(x)"
    )
    athena.run("CREATE VIEW sales_view AS SELECT * FROM sales")
    whole = athena.run("SELECT * FROM sales")["Statistics"]["DataScannedInBytes"]
    one_column = athena.run("SELECT sum(id) FROM sales")["Statistics"]["DataScannedInBytes"]
    one_day = athena.run("SELECT sum(id) FROM sales WHERE day = 1")["Statistics"][
        "DataScannedInBytes"
    ]
    viewed = athena.run("SELECT sum(id) FROM sales_view WHERE day = 1")["Statistics"][
        "DataScannedInBytes"
    ]

    assert 0 < one_day < one_column < whole
    assert viewed == one_day
    assert athena.run("SELECT count(*) FROM sales")["Statistics"]["DataScannedInBytes"] == 0
    named = """SELECT sum(id) FROM sales WHERE 'r1."filler"' <> 'c1'"""
    assert athena.run(named)["Statistics"]["DataScannedInBytes"] == one_column
    twice = "SELECT sum(id) FROM (SELECT id, filler FROM sales UNION ALL SELECT id, 'x' FROM sales)"
    assert athena.run(twice)["Statistics"]["DataScannedInBytes"] == 2 * one_column
    assert athena.rows(
        "SELECT day, count(*) FROM sales WHERE day IN (1, 2) GROUP BY day ORDER BY day"
    ) == [
        ["1", "100"],
        ["2", "100"],
    ]


def test_an_outer_join_is_not_pruned_by_a_condition_on_its_missing_side(athena: Any) -> None:
    athena.run(
        "CREATE TABLE days WITH (partitioned_by = ARRAY['day']) AS SELECT 1 AS id, 'a' AS day"
    )

    assert athena.rows(
        "SELECT s.x FROM (VALUES 1, 2) AS s(x) LEFT JOIN days ON days.id = s.x WHERE days.day IS "
        "NULL"
    ) == [["2"]]


def test_the_path_of_a_row_is_its_object(athena: Any) -> None:
    athena.put("events/k=1/a.json", '{"a":1}\n')
    athena.run(
        "CREATE EXTERNAL TABLE events (a int) PARTITIONED BY (k int) "
        "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://lake/events/'"
    )
    athena.run("ALTER TABLE events ADD PARTITION (k = 1)")

    assert athena.rows('SELECT a, k, "$path" FROM events') == [
        ["1", "1", "s3://lake/events/k=1/a.json"]
    ]


def test_a_table_whose_files_are_gone_is_empty_and_a_wrong_type_is_bad_data(athena: Any) -> None:
    athena.run("CREATE TABLE t WITH (external_location = 's3://lake/t/') AS SELECT 1 AS a")
    athena.run("CREATE EXTERNAL TABLE u (a string) STORED AS PARQUET LOCATION 's3://lake/t/'")

    assert athena.failure("SELECT a FROM u").startswith(
        "HIVE_BAD_DATA: Field a's type INTEGER in parquet file s3://lake/t/"
    )
    for key in athena.keys("t/"):
        athena.s3.delete_object(Bucket="lake", Key=key)
    assert athena.rows("SELECT * FROM t") == []


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT * FROM nope.t", "SCHEMA_NOT_FOUND: line 1:15: Schema 'nope' does not exist"),
        ("SELECT * FROM other.shop.t", "CATALOG_NOT_FOUND: line 1:15: Catalog 'other' not found"),
        ("DROP TABLE t", "FAILED: Execution Error, return code 1"),
        ("DROP VIEW t", "VIEW_NOT_FOUND: line 1:1: View 'awsdatacatalog.shop.t' does not exist"),
        ("SHOW PARTITIONS t", "TABLE_NOT_FOUND: Table 'awsdatacatalog.shop.t' does not exist"),
    ],
)
def test_what_is_missing_is_named(athena: Any, sql: str, message: str) -> None:
    assert athena.failure(sql).startswith(message)


def test_ddl_shows_what_it_made(athena: Any) -> None:
    athena.run("CREATE DATABASE IF NOT EXISTS extra COMMENT 'more'")
    athena.run(
        "CREATE EXTERNAL TABLE `extra`.`days` (`a` int COMMENT 'one', b decimal(5,2)) "
        "PARTITIONED BY (dt string) STORED AS PARQUET LOCATION 's3://lake/days/' "
    )
    athena.put("days/dt=2020-01-01/x", "")
    athena.put("days/dt=2020-01-02/y", "")
    athena.run("MSCK REPAIR TABLE extra.days")
    athena.run("ALTER TABLE extra.days DROP PARTITION (dt = '2020-01-02')")

    assert athena.rows("SHOW DATABASES") == [["extra"], ["shop"]]
    assert athena.rows("SHOW TABLES IN extra 'd*'") == [["days"]]
    assert athena.rows("SHOW PARTITIONS extra.days") == [["dt=2020-01-01"]]
    assert [row[0].strip() for row in athena.rows("SHOW COLUMNS IN extra.days")] == ["a", "b", "dt"]
    assert athena.failure("DROP DATABASE extra").startswith("FAILED: Execution Error")
    athena.run("DROP DATABASE extra CASCADE")
    assert athena.rows("SHOW SCHEMAS") == [["shop"]]


def test_a_literal_that_looks_like_a_column_is_not_billed(athena: Any) -> None:
    athena.run(
        "CREATE TABLE wide AS SELECT x AS id, array_join(repeat('y', 50), '') AS filler "
        "FROM UNNEST(sequence(1, 400)) AS t(x)"
    )
    scanned = [
        athena.run(f"SELECT sum(id) FROM wide WHERE id > 0 OR {other} = 'x'")["Statistics"][
            "DataScannedInBytes"
        ]
        for other in ("'y'", """'it''s r1."filler" r2."filler" r3."filler"'""", "filler")
    ]

    assert scanned[0] == scanned[1] < scanned[2]


@pytest.mark.parametrize(
    "lines",
    ["1,one\n2,two,x\n", "1,one,x,y\n2,two,x\n", "1,one,x\r\n2,two,x\n3,three,x\r\n"],
    ids=["short", "long", "two kinds of line ends"],
)
def test_rows_that_the_quick_reader_does_not_take_are_read_by_the_exact_one(
    athena: Any, lines: str
) -> None:
    """It knows them by DuckDB's words; a new version of DuckDB may have others."""
    athena.put("products/a.csv", "id,name,note\n" + lines)
    athena.run(OPEN_CSV.format(name="products", columns="id string, name string, note string"))

    assert athena.rows("SELECT id FROM products ORDER BY id") == [
        [line.split(",")[0]] for line in lines.splitlines()
    ]
