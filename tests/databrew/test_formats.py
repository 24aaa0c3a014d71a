"""What jobs read and write: formats, headers, delimiters, types, partitioned tables."""

from __future__ import annotations

import gzip
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from tests.databrew.conftest import DataBrew, step

KEEP = step("DUPLICATE", sourceColumn="a", targetColumn="a_copy")


def text_of_output(brew: DataBrew, **output: Any) -> str:
    brew.recipe("keep", KEEP)
    brew.job("job", "d", "keep", **output)
    run = brew.run("job")
    assert run["State"] == "SUCCEEDED", run
    (key,) = brew.keys("out/")
    data = brew.s3.get_object(Bucket="lake", Key=key)["Body"].read()
    return (gzip.decompress(data) if key.endswith(".gz") else data).decode()


def test_csv_types_are_inferred_over_the_whole_column(brew: DataBrew) -> None:
    lines = "".join(f"{n},{n}.5,2020-01-02,{n}\n" for n in range(30_000))
    brew.put("raw/d.csv", f"a,b,c,late\n{lines},,,n/a\n")
    brew.dataset("d", "raw/d.csv")
    brew.recipe("keep", KEEP)
    brew.job("job", "d", "keep")

    assert brew.run("job")["State"] == "SUCCEEDED"

    (key,) = brew.keys("out/")
    with duckdb.connect() as connection:
        found = connection.sql(
            f"FROM read_parquet('{brew.aws.objects.path('lake', key)}', hive_partitioning = false)"
        )
        assert dict(zip(found.columns, map(str, found.types), strict=True)) == {
            "a": "BIGINT",
            "b": "DOUBLE",
            "c": "DATE",
            "late": "VARCHAR",
            "a_copy": "BIGINT",
        }
        assert found.filter("late = 'n/a'").count("*").fetchall() == [(1,)]


def test_invalid_cells_stay_visible_to_a_step_that_asks_for_them(brew: DataBrew) -> None:
    brew.put("raw/d.csv", "a\n" + "1\n" * 30_000 + "x\n")
    brew.dataset("d", "raw/d.csv")
    brew.recipe(
        "fix", step("REPLACE_WITH_CUSTOM", sourceColumn="a", columnDataType="number", value="7")
    )
    brew.job("job", "d", "fix", Format="CSV")

    assert brew.run("job")["State"] == "SUCCEEDED"
    (key,) = brew.keys("out/")
    lines = brew.s3.get_object(Bucket="lake", Key=key)["Body"].read().decode().splitlines()
    assert (lines[0], lines[1], lines[-1]) == ("a", "1", "7")


def test_csv_without_header_and_with_another_delimiter(brew: DataBrew) -> None:
    brew.put("raw/d.txt", "1;x\n2;y\n")
    brew.dataset(
        "d",
        "raw/d.txt",
        Format="CSV",
        FormatOptions={"Csv": {"Delimiter": ";", "HeaderRow": False}},
    )
    brew.recipe("name", step("RENAME", sourceColumn="Column_2", targetColumn="a"), KEEP)
    brew.job("job", "d", "name", Format="CSV", FormatOptions={"Csv": {"Delimiter": "|"}})

    assert brew.run("job")["State"] == "SUCCEEDED"
    (key,) = brew.keys("out/")
    body = brew.s3.get_object(Bucket="lake", Key=key)["Body"].read().decode()
    assert body == "Column_1|a|a_copy\n1|x|x\n2|y|y\n"


def test_json_lines_in_and_out(brew: DataBrew) -> None:
    brew.put("raw/d.json", '{"a": 1, "b": "x"}\n{"a": 2}\n')
    brew.dataset("d", "raw/d.json")

    text = text_of_output(brew, Format="JSON", CompressionFormat="GZIP")

    assert text == '{"a":1,"b":"x","a_copy":1}\n{"a":2,"b":null,"a_copy":2}\n'


def test_a_partitioned_parquet_table_has_its_partition_columns(brew: DataBrew) -> None:
    glue = brew.aws.client("glue")
    serde = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
    descriptor = {
        "Columns": [{"Name": "a", "Type": "int"}, {"Name": "new", "Type": "string"}],
        "SerdeInfo": {"SerializationLibrary": serde},
    }
    glue.create_database(DatabaseInput={"Name": "db"})
    glue.create_table(
        DatabaseName="db",
        TableInput={
            "Name": "t",
            "PartitionKeys": [{"Name": "day", "Type": "date"}],
            "StorageDescriptor": {"Location": "s3://lake/t/", **descriptor},
        },
    )
    for number, day in enumerate(("2024-01-01", "2024-01-02")):
        sink = pa.BufferOutputStream()
        pq.write_table(pa.table({"A": pa.array([number], pa.int64())}), sink)
        brew.s3.put_object(
            Bucket="lake", Key=f"t/p{number}/x.parquet", Body=sink.getvalue().to_pybytes()
        )
        glue.create_partition(
            DatabaseName="db",
            TableName="t",
            PartitionInput={
                "Values": [day],
                "StorageDescriptor": {"Location": f"s3://lake/t/p{number}/", **descriptor},
            },
        )
    brew.client.create_dataset(
        Name="d", Input={"DataCatalogInputDefinition": {"DatabaseName": "db", "TableName": "t"}}
    )

    text = text_of_output(brew, Format="CSV")

    assert text.splitlines() == ["a,new,day,a_copy", "0,,2024-01-01,0", "1,,2024-01-02,1"]


def test_a_missing_table_fails_the_run(brew: DataBrew) -> None:
    brew.client.create_dataset(
        Name="d",
        Input={"DataCatalogInputDefinition": {"DatabaseName": "db", "TableName": "none"}},
    )
    brew.recipe("keep", KEEP)
    brew.job("job", "d", "keep")

    run = brew.run("job")

    assert run["State"] == "FAILED"
    assert run["ErrorMessage"].startswith("Table db.none: ")
