"""The same table through Athena and through DataBrew gives the same rows."""

from __future__ import annotations

import gzip
import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

OPEN_CSV = (
    "CREATE EXTERNAL TABLE t (a string, b string) {keys} ROW FORMAT SERDE "
    "'org.apache.hadoop.hive.serde2.OpenCSVSerde' {properties} LOCATION 's3://lake/t/' "
    "TBLPROPERTIES ('skip.header.line.count' = '1')"
)


def parquet(**columns: list[Any]) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def test_hidden_names_at_any_depth_are_no_data(readers: Any) -> None:
    """Trino, HiveFileIterator: also below a folder whose name begins with `_` or `.`."""
    readers.put("t/x.csv", "a,b\n1,2\n")
    for hidden in ("_old/x.csv", ".ipynb_checkpoints/x.csv", "deep/_tmp/y/x.csv", "_x", ".x.crc"):
        readers.put(f"t/{hidden}", "a,b\n9,9\n")
    readers.athena.run(OPEN_CSV.format(keys="", properties=""))

    assert readers.by_athena("t") == readers.by_databrew("t") == [["1", "2"]]
    readers.athena.run("DROP TABLE t")
    assert readers.crawl("s3://lake/t/") == ["t"]
    crawled = readers.glue.get_table(DatabaseName="shop", Name="t")["Table"]
    assert crawled["Parameters"]["objectCount"] == "1"


@pytest.mark.parametrize(
    "key", ["a*.csv", "a?.csv", "a[b].csv", "a b+ü%.csv", "a'b.csv", 'a"b.csv']
)
def test_a_key_is_itself_and_no_pattern(readers: Any, key: str) -> None:
    readers.put(f"t/k=1/{key}", "a,b\n1,x\n")
    readers.put("t/k=1/ab.csv", "a,b\n2,y\n")  # what `a*.csv` would match too
    readers.put("t/k=1/ax.csv", "a,b\n3,z\n")
    keys = "PARTITIONED BY (k int)"
    readers.athena.run(OPEN_CSV.format(keys=keys, properties=""))
    readers.athena.run("MSCK REPAIR TABLE t")

    expected = [["1", "x", "1"], ["2", "y", "1"], ["3", "z", "1"]]
    assert readers.by_athena("t") == readers.by_databrew("t") == expected


def test_escapes_gzip_empty_objects_and_partition_values(readers: Any) -> None:
    properties = "WITH SERDEPROPERTIES ('escapeChar' = '!', 'separatorChar' = ';')"
    readers.put("t/k=a%2Fb/x.csv", 'a;b\n"1!"2";\\n\n')
    readers.put("t/k=__HIVE_DEFAULT_PARTITION__/x.csv.gz", gzip.compress(b'a;b\n"3;4";"5""6"\n'))
    readers.put("t/k=empty/x.csv", "")
    readers.put("t/k=header/x.csv", "a;b\n")
    readers.athena.run(OPEN_CSV.format(keys="PARTITIONED BY (k string)", properties=properties))
    readers.athena.run("MSCK REPAIR TABLE t")

    expected = [['1"2', "\\n", "a/b"], ["3;4", '5"6', ""]]
    assert readers.by_athena("t") == readers.by_databrew("t") == expected
    assert readers.athena.rows("SELECT a FROM t WHERE k IS NULL") == [["3;4"]]
    assert readers.athena.rows("SELECT a FROM t WHERE k = 'a/b'") == [['1"2']]


def test_a_table_of_empty_files_has_no_rows(readers: Any) -> None:
    readers.put("t/x.csv", "a,b\n")
    readers.put("t/y.csv", "")
    readers.athena.run(OPEN_CSV.format(keys="", properties=""))

    assert readers.by_athena("t") == readers.by_databrew("t") == []


def test_typed_text_json_and_parquet(readers: Any) -> None:
    readers.put("text/x.txt", "1|2.5|true|2024-01-02|x\n1.9|bad|FALSE|2024-02-30|\\N\n")
    readers.put("json/x.json", '{"UserId":1,"Deep":{"On":true}}\n{"userid":2}\n')
    readers.put("pq/x.parquet", parquet(A=[1], b=["x"]))
    readers.put("pq/y.parquet", parquet(a=[2]))
    readers.athena.run(
        "CREATE EXTERNAL TABLE text (i int, d double, f boolean, day date, s string) "
        "ROW FORMAT DELIMITED FIELDS TERMINATED BY '|' LOCATION 's3://lake/text/'"
    )
    readers.athena.run(
        "CREATE EXTERNAL TABLE json (userid bigint) ROW FORMAT SERDE "
        "'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://lake/json/'"
    )
    readers.athena.run(
        "CREATE EXTERNAL TABLE pq (a bigint, b string) STORED AS PARQUET LOCATION 's3://lake/pq/'"
    )

    assert (
        readers.by_athena("text")
        == readers.by_databrew("text")
        == [
            ["1", "", "false", "2024-03-01", ""],
            ["1", "2.5", "true", "2024-01-02", "x"],
        ]
    )
    assert readers.by_athena("json") == readers.by_databrew("json") == [["1"], ["2"]]
    assert readers.by_athena("pq") == readers.by_databrew("pq") == [["1", "x"], ["2", ""]]


def test_what_is_not_read_is_refused_by_both_in_the_same_words(readers: Any) -> None:
    readers.put("t/x.csv", "a,b\n1,2\n")
    readers.glue.create_table(
        DatabaseName="shop",
        TableInput={
            "Name": "t",
            "StorageDescriptor": {
                "Columns": [{"Name": "a", "Type": "string"}],
                "Location": "s3://lake/t/",
                "SerdeInfo": {
                    "SerializationLibrary": "org.apache.hadoop.hive.serde2.OpenCSVSerde",
                    "Parameters": {"serialization.encoding": "latin1"},
                },
            },
        },
    )
    words = (
        "NOT_SUPPORTED: localaws does not emulate the SerDe property serialization.encoding of "
        "table shop.t"
    )
    assert readers.athena.failure("SELECT * FROM t").startswith(words)
    with pytest.raises(AssertionError, match=words):
        readers.by_databrew("t")
