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
        # Trino, MetadataUtil.createQualifiedObjectName
        ("SELECT * FROM t.a.b.c", "SYNTAX_ERROR: Too many dots in table name: t.a.b.c"),
        ("DELETE FROM a.b.shop.t", "SYNTAX_ERROR: Too many dots in table name: a.b.shop.t"),
        ("DROP TABLE t", "FAILED: SemanticException [Error 10001]: Table not found shop.t"),
        ("DROP VIEW t", "VIEW_NOT_FOUND: line 1:1: View 'awsdatacatalog.shop.t' does not exist"),
        ("SHOW PARTITIONS t", "TABLE_NOT_FOUND: Table 'awsdatacatalog.shop.t' does not exist"),
    ],
)
def test_what_is_missing_is_named(athena: Any, sql: str, message: str) -> None:
    assert athena.failure(sql).startswith(message)


def test_ddl_shows_what_it_made(athena: Any) -> None:
    athena.run("CREATE DATABASE IF NOT EXISTS extra COMMENT 'more'")
    refused = athena.wait(athena.start("CREATE DATABASE extra"))["Status"]
    assert refused["StateChangeReason"].endswith("DDLTask. Database extra already exists")
    error = refused["AthenaError"]
    assert (error["ErrorCategory"], error["ErrorType"]) == (1, 1502)
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


def test_a_column_of_a_table_stands_once(athena: Any) -> None:
    sql = "CREATE EXTERNAL TABLE t (a int, A string) LOCATION 's3://lake/t/'"
    assert athena.failure(sql) == (
        "FAILED: SemanticException [Error 10036]: Duplicate column name: a"
    )


def test_a_view_is_described_in_trinos_types_and_is_in_the_catalog_with_hives(athena: Any) -> None:
    athena.run("CREATE VIEW v AS SELECT 1 AS a, 'x' AS b")
    assert athena.rows("DESCRIBE v") == [["a\tinteger"], ["b\tvarchar(1)"]]
    kept = athena.glue.get_table(DatabaseName="shop", Name="v")["Table"]["StorageDescriptor"]
    assert kept["Columns"] == [{"Name": "a", "Type": "int"}, {"Name": "b", "Type": "varchar(1)"}]


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


def test_alter_table_changes_columns_and_partitions(athena: Any) -> None:
    """https://docs.aws.amazon.com/athena/latest/ug/alter-table-replace-columns.html and its
    neighbours."""
    athena.put("days/dt=1/x.txt", "1|a|9\n")
    athena.put("else/x.txt", "2|b|8\n")
    athena.run(
        "CREATE EXTERNAL TABLE days (a int, b string) PARTITIONED BY (dt string) "
        "ROW FORMAT DELIMITED FIELDS TERMINATED BY '|' LOCATION 's3://lake/days/'"
    )
    athena.run("MSCK REPAIR TABLE days")
    athena.run("ALTER TABLE days ADD COLUMNS (c int)")
    athena.run("ALTER TABLE days CHANGE COLUMN b name string COMMENT 'who' AFTER c")
    assert athena.glue.get_table(DatabaseName="shop", Name="days")["Table"]["StorageDescriptor"][
        "Columns"
    ] == [
        {"Name": "a", "Type": "int"},
        {"Name": "c", "Type": "int"},
        {"Name": "name", "Type": "string", "Comment": "who"},
    ]
    athena.run("ALTER TABLE days REPLACE COLUMNS (x int, y string)")
    assert athena.rows("SELECT x, y, dt FROM days") == [["1", "a", "1"]]
    athena.run("ALTER TABLE days PARTITION (dt = '1') RENAME TO PARTITION (dt = '2')")
    assert athena.rows("SELECT x, dt FROM days") == [["1", "2"]]
    athena.run("ALTER TABLE days PARTITION (dt = '2') SET LOCATION 's3://lake/else/'")
    assert athena.rows("SELECT x, dt FROM days") == [["2", "2"]]
    assert "Duplicate column name: x" in athena.failure("ALTER TABLE days ADD COLUMNS (x int)")
    assert "Invalid column reference nope" in athena.failure("ALTER TABLE days CHANGE nope z int")
    assert "Query type not supported by DDL engine." in athena.failure(
        "ALTER TABLE days RENAME TO weeks"
    )


def test_two_changes_of_one_table_are_not_mixed(athena: Any) -> None:
    """A change is made only to the version of the table that it was planned on."""
    from localaws.errors import AwsError
    from localaws.tables.catalog import Catalog

    athena.run("CREATE EXTERNAL TABLE t (a int) LOCATION 's3://lake/t/'")
    catalog = Catalog(athena.local)
    table = {"Name": "t", "StorageDescriptor": {}}
    catalog.update_table("shop", table, "0")
    with pytest.raises(AwsError, match="ConcurrentModificationException"):
        catalog.update_table("shop", table, "0")
    assert catalog.table("shop", "t")["VersionId"] == "1"


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        (
            "CREATE EXTERNAL TABLE t (a string) ROW FORMAT SERDE "
            "'org.apache.hadoop.hive.serde2.OpenCSVSerde' WITH SERDEPROPERTIES ('seperatorChar' = "
            "';') LOCATION 's3://lake/t/'",
            "NOT_SUPPORTED: localaws does not emulate the SerDe property seperatorChar of table "
            "shop.t; OpenCSVSerde has",
        ),
        (
            "CREATE EXTERNAL TABLE t (a string) LOCATION 's3://lake/t/' "
            "TBLPROPERTIES ('skip.footer.line.count' = '1')",
            "NOT_SUPPORTED: localaws does not emulate the table property skip.footer.line.count",
        ),
        (
            "CREATE EXTERNAL TABLE t (a string) STORED AS INPUTFORMAT "
            "'org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat' OUTPUTFORMAT "
            "'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat' LOCATION 's3://lake/t/'",
            "NOT_SUPPORTED: localaws does not emulate the input format "
            "org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat",
        ),
        (
            "CREATE TABLE t WITH (field_delimiter = ',') AS SELECT 1 AS a",
            "INVALID_TABLE_PROPERTY: field_delimiter cannot be given with format = 'PARQUET'",
        ),
        (
            "CREATE TABLE t WITH (format = 'JSON', parquet_compression = 'GZIP') AS SELECT 1 AS a",
            "INVALID_TABLE_PROPERTY: parquet_compression cannot be given with format = 'JSON'",
        ),
        (
            "UNLOAD (SELECT 1 AS a) TO 's3://lake/u/' WITH (format = 'JSON', surprise = 'x')",
            "INVALID_UNLOAD_PROPERTY: Unload property 'surprise' does not exist",
        ),
    ],
)
def test_a_property_without_effect_is_refused_by_name(athena: Any, sql: str, message: str) -> None:
    assert athena.failure(sql).startswith(message)


def test_an_unreadable_file_is_named_by_its_uri_and_no_local_path_is_told(athena: Any) -> None:
    athena.put("t/a.parquet", "PAR1 this is no parquet")
    athena.put("j/a.json", '{"a":1}\n')
    athena.run("CREATE EXTERNAL TABLE t (a int) STORED AS PARQUET LOCATION 's3://lake/t/'")

    reason = athena.failure("SELECT a FROM t")

    assert reason.startswith("HIVE_BAD_DATA: Not valid Parquet file: s3://lake/t/a.parquet")
    assert str(athena.local.home.root) not in reason


@pytest.mark.parametrize(
    "query",
    [
        "SELECT x IN (SELECT a FROM j) FROM (VALUES 'k') AS v(x)",
        "SELECT x = ANY (SELECT a FROM j) FROM (VALUES 'k') AS v(x)",
        "SELECT x = (SELECT a FROM j) FROM (VALUES 'k') AS v(x)",
    ],
)
def test_a_subquery_reads_the_column_that_it_is_compared_by(athena: Any, query: str) -> None:
    athena.put("j/a.json", '{"a":"k","b":1}\n')
    athena.run(
        "CREATE EXTERNAL TABLE j (a string, b int)"
        " ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://lake/j/'"
    )
    assert athena.rows(query) == [["true"]]


@pytest.mark.parametrize("written", ["\\u0001", "\\001"])
def test_a_character_may_be_written_by_its_number(athena: Any, written: str) -> None:
    """Hive's unescapeSQLString: with this escape character a backslash is data."""
    athena.put("c/a.csv", '1,"6\\"" cake",8\n')
    athena.run(
        "CREATE EXTERNAL TABLE c (a string, b string, c string)"
        " ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'"
        f" WITH SERDEPROPERTIES ('escapeChar' = '{written}') LOCATION 's3://lake/c/'"
    )
    assert athena.rows("SELECT * FROM c") == [["1", '6\\" cake', "8"]]


def test_declared_partition_types_count(athena: Any) -> None:
    """https://docs.aws.amazon.com/athena/latest/ug/updates-and-partitions.html"""
    athena.put("t/k=1/x.txt", "1\n")
    athena.run("CREATE EXTERNAL TABLE t (a int) PARTITIONED BY (k int) LOCATION 's3://lake/t/'")
    athena.run("MSCK REPAIR TABLE t")
    athena.run("ALTER TABLE t REPLACE COLUMNS (a bigint)")
    assert athena.rows("SELECT a, k FROM t") == [["1", "1"]]
    athena.run("ALTER TABLE t REPLACE COLUMNS (a date)")
    assert athena.failure("SELECT a FROM t").startswith(
        "HIVE_PARTITION_SCHEMA_MISMATCH: There is a mismatch between the table and partition "
        "schemas."
    )


def test_a_view_may_name_its_columns(athena: Any) -> None:
    athena.run("CREATE VIEW v (x, y) AS SELECT 1, 'b'")
    assert athena.rows("SELECT y, x FROM v") == [["b", "1"]]
    assert athena.failure("CREATE VIEW w (x) AS SELECT 1, 2").startswith(
        "MISMATCHED_COLUMN_ALIASES"
    )


def test_the_catalog_answers_queries_about_itself(athena: Any) -> None:
    """https://docs.aws.amazon.com/athena/latest/ug/querying-glue-catalog.html"""
    athena.run(
        "CREATE EXTERNAL TABLE days (a int COMMENT 'one', b decimal(5,2)) "
        "PARTITIONED BY (dt date, n int) STORED AS PARQUET LOCATION 's3://lake/days/'"
    )
    assert athena.rows('SELECT * FROM "days$partitions"') == []
    athena.run(
        "ALTER TABLE days ADD PARTITION (dt='2024-01-02', n=10) PARTITION (dt='2024-01-02', n=9)"
    )
    athena.run("CREATE VIEW v AS SELECT 1 AS x")

    assert athena.rows('SELECT max(dt), max(n) FROM "days$partitions"') == [["2024-01-02", "10"]]
    assert athena.rows("SELECT schema_name FROM information_schema.schemata") == [["shop"]]
    assert athena.rows(
        "SELECT table_name, table_type FROM information_schema.tables "
        "WHERE table_schema = 'shop' ORDER BY 1"
    ) == [["days", "BASE TABLE"], ["v", "VIEW"]]
    assert athena.rows(
        "SELECT column_name, data_type, ordinal_position, comment, extra_info FROM "
        "awsdatacatalog.information_schema.columns WHERE table_name = 'days' ORDER BY 3"
    ) == [
        ["a", "integer", "1", "one", None],
        ["b", "decimal(5,2)", "2", None, None],
        ["dt", "date", "3", None, "partition key"],
        ["n", "integer", "4", None, "partition key"],
    ]
    for missing in ("information_schema.nope", '"v$partitions"', '"nope$partitions"'):
        assert athena.failure(f"SELECT * FROM {missing}").startswith("TABLE_NOT_FOUND: line 1:15")
