"""Tables of RegexSerDe, ORC and Avro, and nested types in text, as AWS documents them."""

from __future__ import annotations

import gzip
import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import fastavro
import pyarrow as pa
import pytest
from pyarrow import orc

from localaws.tables import grok

# https://docs.aws.amazon.com/athena/latest/ug/regex-serde.html
REGEX = (
    "CREATE EXTERNAL TABLE t (host string, status int, bytes bigint) ROW FORMAT SERDE "
    "'org.apache.hadoop.hive.serde2.RegexSerDe' WITH SERDEPROPERTIES ({properties}) "
    "LOCATION 's3://lake/t/'"
)
LINES = '1.2.3.4 "GET /a" 200 17\nnonsense\n::1 "GET /b" ok -\n'


def test_a_line_is_cut_by_the_groups_of_a_pattern(readers: Any) -> None:
    readers.put("t/a.log", LINES)
    pattern = r"^(\\S+) \"(?:GET|PUT) [^\"]*\" (\\S+) (?:(\\d+)|-)$"
    readers.athena.run(REGEX.format(properties=f"'input.regex' = '{pattern}'"))

    expected = [["", "", ""], ["1.2.3.4", "200", "17"], ["::1", "", ""]]
    assert readers.by_athena("t") == readers.by_databrew("t") == expected


def test_a_pattern_may_ignore_case(readers: Any) -> None:
    readers.put("t/a.log", "A 1 2\n")
    properties = "'input.regex' = '(a) (.) (.)', 'input.regex.case.insensitive' = 'true'"
    readers.athena.run(REGEX.format(properties=properties))

    assert readers.by_athena("t") == [["A", "1", "2"]]


def test_a_pattern_has_a_group_for_each_column(readers: Any) -> None:
    readers.put("t/a.log", LINES)
    readers.athena.run(REGEX.format(properties="'input.regex' = '(a)'"))

    failure = readers.athena.failure("SELECT * FROM t")
    assert failure == (
        "HIVE_CURSOR_ERROR: Number of matching groups doesn't match the number of columns"
    )


# https://docs.aws.amazon.com/athena/latest/ug/grok-serde.html, and its reader as it was offered to
# Trino: https://github.com/trinodb/trino/pull/25205
GROK = (
    "CREATE EXTERNAL TABLE t ({columns}) ROW FORMAT SERDE 'com.amazonaws.glue.serde.GrokSerDe' "
    "WITH SERDEPROPERTIES ({properties}) STORED AS INPUTFORMAT "
    "'org.apache.hadoop.mapred.TextInputFormat' OUTPUTFORMAT "
    "'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat' LOCATION 's3://lake/t/'"
)


def test_lines_of_a_log_are_read_by_grok_patterns(readers: Any) -> None:
    readers.put(
        "t/a.log",
        '1.2.3.4 - ann [27/Feb/2026:10:15:30 +0000] "GET /a?b=c HTTP/1.1" 200 17 SKU-7\nnonsense\n',
    )
    columns = (
        "ip string, usr string, at string, verb string, url string, status int, b int, s string"
    )
    written = (
        r'%{IP:ip} - %{USER:usr} \\[%{HTTPDATE:at}\\] "%{WORD:verb} %{URIPATHPARAM:url} '
        r'HTTP/%{NUMBER}" %{NUMBER:status:int} %{NUMBER:b} %{SKU:s}'
    )
    custom = r"'input.grokCustomPatterns' = 'DIGITS [0-9]+\nSKU SKU-%{DIGITS}'"
    properties = f"'input.format' = '{written}', {custom}"
    readers.athena.run(GROK.format(columns=columns, properties=properties))

    assert (
        readers.by_athena("t")
        == readers.by_databrew("t")
        == [
            [""] * 8,
            ["1.2.3.4", "ann", "27/Feb/2026:10:15:30 +0000", "GET", "/a?b=c", "200", "17", "SKU-7"],
        ]
    )


@pytest.mark.parametrize(
    ("line", "written", "cells"),
    [
        # Columns are filled by place, and only named patterns count, also those inside of another.
        ("Feb 9 07:15:00 mail postfix[19]: rest", "%{SYSLOGBASE} %{DATA:a}$",
         ["Feb 9 07:15:00", "mail", "postfix", "19", "rest"]),
        ("x - 7", "%{WORD:a} (?:%{INT:b}|-) %{INT:c}", ["x", "7"]),  # what is not there moves on
        ("x 'y z' \"\"", "%{WORD:a} %{QS:b} %{QS:c}", ["x", "y z", ""]),  # no quotes around
        ("fe80::1%eth0", "^%{IP:a}$", ["fe80::1%eth0"]),
        ("::ffff:1.2.3.4 1:2:3:4:5:6:7:8", "%{IPV6:a} %{IPV6:b}",
         ["::ffff:1.2.3.4", "1:2:3:4:5:6:7:8"]),
        ("300.1.1.1", "^%{IPV4:a}$", []),
        ("007 +5 TRUE", "%{INT:a:int} %{INT:b:long} %{WORD:c:boolean}", ["7", "5", "true"]),
        ("1.50 7 -.5e9", "%{NUMBER:a:double} %{INT:b:float} %{NOTSPACE:c:float}",
         ["1.5", "7.0", "-5.0E8"]),
        ("", "%{SPACE:a}", []),
        ("k v", r"(?<key>\S+) (?<val_ue>\S+)", ["k", "v"]),
        ("2026-09-12T12:10:34,972Z Error", "%{TIMESTAMP_ISO8601:a} %{LOGLEVEL:b}",
         ["2026-09-12T12:10:34,972Z", "Error"]),
    ],
)  # fmt: skip
def test_what_a_line_holds_by_grok(line: str, written: str, cells: list[str]) -> None:
    assert grok.cells(line, written, "") == cells


@pytest.mark.parametrize(
    ("columns", "written", "message"),
    [
        ("a string", "%{NOPE:a}", "Grok compilation failure: Pattern NOPE is not defined."),
        ("a string", "%{UNIXPATH:a}", "does not emulate the pattern UNIXPATH of GrokSerDe"),
        ("a date", "%{DATE:a:date}", "does not emulate date in %{..:a:date}"),
        ("a string", "%{INT:a} %{INT:a}", "%{INT:a} stands in input.format twice"),
        ("a int", "%{WORD:a}", "INVALID_FUNCTION_ARGUMENT: Error Parsing a column in the table"),
    ],
)
def test_grok_refuses_by_name_what_it_does_not_read(
    readers: Any, columns: str, written: str, message: str
) -> None:
    readers.put("t/a.log", "x y\n")
    sql = GROK.format(columns=columns, properties=f"'input.format' = '{written}'")
    if columns == "a int":  # a cell that is none
        readers.athena.run(sql)
        sql = "SELECT * FROM t"

    assert message in readers.athena.failure(sql)


def orc_file(**columns: Any) -> bytes:
    buffer = io.BytesIO()
    orc.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ("", [["1", "x", "[1, 2]"], ["2", "", ""]]),  # by position, whatever the file's names are
        (
            "WITH SERDEPROPERTIES ('orc.column.index.access' = 'false')",
            [["", "", "[1, 2]"], ["", "", ""]],
        ),
    ],
)
def test_orc_columns_by_position_or_by_name(
    readers: Any, properties: str, expected: list[list[str]]
) -> None:
    # https://docs.aws.amazon.com/athena/latest/ug/handling-schema-updates-chapter.html
    data = orc_file(_col0=[1, 2], _col1=["x", None], many=[[1, 2], None])
    readers.put("t/k=a/data", data)
    readers.athena.run(
        "CREATE EXTERNAL TABLE t (a bigint, b string, many array<bigint>) "
        "PARTITIONED BY (k string) ROW FORMAT SERDE 'org.apache.hadoop.hive.ql.io.orc.OrcSerde' "
        f"{properties} STORED AS ORC LOCATION 's3://lake/t/'"
    )
    readers.athena.run("MSCK REPAIR TABLE t")

    rows = readers.athena.rows('SELECT a, b, many, k, "$path" FROM t')
    assert sorted([cell or "" for cell in row[:3]] for row in rows) == sorted(expected)
    assert {(row[3], row[4]) for row in rows} == {("a", "s3://lake/t/k=a/data")}


def test_a_file_that_is_no_orc(readers: Any) -> None:
    readers.put("t/data", "text")
    readers.athena.run("CREATE EXTERNAL TABLE t (a int) STORED AS ORC LOCATION 's3://lake/t/'")

    failure = readers.athena.failure("SELECT * FROM t")
    assert failure.startswith("HIVE_CANNOT_OPEN_SPLIT: Error opening Hive split s3://lake/t/data")


SCHEMA = {
    "type": "record",
    "name": "row",
    "fields": [
        {"name": "Id", "type": "long"},
        {"name": "paid", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9,
                                  "scale": 2}},
        {"name": "day", "type": {"type": "int", "logicalType": "date"}},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "tags", "type": {"type": "map", "values": "int"}},
        {"name": "who", "type": ["null", {"type": "record", "name": "who", "fields": [
            {"name": "firstName", "type": "string"}]}]},
    ],
}  # fmt: skip


def test_avro_by_the_tables_schema(readers: Any) -> None:
    # https://docs.aws.amazon.com/athena/latest/ug/avro-serde.html
    row = {
        "Id": 7, "paid": Decimal("1.50"), "day": date(2024, 2, 29),
        "at": datetime(2024, 2, 29, 12, 0, 0, 250_000, tzinfo=UTC), "tags": {"a": 1},
        "who": {"firstName": "Ann"},
    }  # fmt: skip
    buffer = io.BytesIO()
    fastavro.writer(buffer, SCHEMA, [row, {**row, "Id": 8, "who": None}])
    readers.put("t/a.avro", buffer.getvalue())
    wider = json.loads(json.dumps(SCHEMA))
    wider["fields"].append({"name": "extra", "type": "string", "default": "none"})
    readers.athena.run(
        "CREATE EXTERNAL TABLE t (id bigint, paid decimal(9,2), day date, at timestamp, "
        "tags map<string,int>, who struct<firstname:string>, extra string) ROW FORMAT SERDE "
        "'org.apache.hadoop.hive.serde2.avro.AvroSerDe' WITH SERDEPROPERTIES "
        f"('avro.schema.literal' = '{json.dumps(wider)}') STORED AS AVRO LOCATION 's3://lake/t/'"
    )

    rest = ["1.50", "2024-02-29", "2024-02-29 12:00:00.250", "{a=1}"]
    assert readers.by_athena("t") == [
        ["7", *rest, "{firstname=Ann}", "none"],
        ["8", *rest, "", "none"],
    ]


def test_avro_wants_its_schema(readers: Any) -> None:
    failure = readers.athena.failure(
        "CREATE EXTERNAL TABLE t (a int) STORED AS AVRO LOCATION 's3://lake/t/'"
    )
    assert "avro.schema.literal" in failure


# https://docs.aws.amazon.com/athena/latest/ug/lazy-simple-serde.html
def test_nested_types_in_text(readers: Any) -> None:
    readers.put(
        "t/a.txt",
        "1|a,b|x:1,y:2,x:3|5,6:7\n"  # the first of two keys counts
        "2||\\N|\n"
        "3|\\N,c|z|9\n",
    )
    readers.athena.run(
        "CREATE EXTERNAL TABLE t (id int, tags array<string>, sizes map<string,int>, "
        "who struct<a:int,b:array<int>>) ROW FORMAT DELIMITED FIELDS TERMINATED BY '|' "
        "COLLECTION ITEMS TERMINATED BY ',' MAP KEYS TERMINATED BY ':' LOCATION 's3://lake/t/'"
    )

    assert readers.by_athena("t") == [
        ["1", "[a, b]", "{x=1, y=2}", "{a=5, b=[6, 7]}"],
        ["2", "[]", "", "{a=null, b=null}"],
        ["3", "[null, c]", "{z=null}", "{a=9, b=null}"],
    ]


# https://docs.aws.amazon.com/athena/latest/ug/cloudtrail-logs.html
TRAIL = {
    "eventName": "GetObject",
    "requestParameters": {"key": "a"},
    "userIdentity": {"type": "Root"},
}


@pytest.mark.parametrize(
    "how",
    [
        "ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe' STORED AS INPUTFORMAT "
        "'com.amazon.emr.cloudtrail.CloudTrailInputFormat' OUTPUTFORMAT "
        "'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'",
        "ROW FORMAT SERDE 'com.amazon.emr.hive.serde.CloudTrailSerde'",
    ],
)
def test_a_trail_has_a_row_for_each_record(readers: Any, how: str) -> None:
    readers.put("t/a.json.gz", gzip.compress(json.dumps({"Records": [TRAIL, TRAIL]}).encode()))
    readers.athena.run(
        "CREATE EXTERNAL TABLE t (eventname string, requestparameters string, "
        f"useridentity struct<type:string>) {how} LOCATION 's3://lake/t/'"
    )

    assert readers.by_athena("t") == [["GetObject", '{"key":"a"}', "{type=Root}"]] * 2
    assert "NOT_SUPPORTED" in readers.athena.failure("INSERT INTO t SELECT * FROM t")
