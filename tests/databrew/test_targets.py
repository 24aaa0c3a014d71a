"""Jobs whose result goes into tables: of the Data Catalog, and of a real PostgreSQL."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import pg8000.native
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError

from tests import postgres
from tests.databrew.conftest import ROLE, DataBrew, step

LINES = 'id,name,price,day,ok\n1,"a, ""b""",1.5,2020-01-02,true\n2,,2.5,2020-01-03,false\n'
PLACE = {"Location": {"Bucket": "lake", "Key": "tables/t/"}}
PARQUET = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with postgres.server() as port:
        yield port


@pytest.fixture
def database(port: int) -> Iterator[pg8000.native.Connection]:
    name = f"d{random.randrange(1 << 40)}"
    with pg8000.native.Connection("postgres", password=postgres.PASSWORD, port=port) as server:
        server.run(f"CREATE DATABASE {name}")
    with pg8000.native.Connection(
        "postgres", password=postgres.PASSWORD, port=port, database=name
    ) as connection:
        connection.url = f"jdbc:postgresql://127.0.0.1:{port}/{name}"
        yield connection


@pytest.fixture
def lines(brew: DataBrew) -> DataBrew:
    brew.put("raw.csv", LINES)
    brew.dataset("lines", "raw.csv")
    brew.recipe("keep", step("UPPER_CASE", sourceColumn="name"))
    brew.aws.client("glue").create_database(DatabaseInput={"Name": "shop"})
    return brew


def job(brew: DataBrew, **outputs: Any) -> dict[str, Any]:
    """The run of a job with these outputs."""
    brew.client.create_recipe_job(
        Name="j",
        DatasetName="lines",
        RecipeReference={"Name": "keep", "RecipeVersion": "1.0"},
        RoleArn=ROLE,
        **outputs,
    )
    return brew.run("j")


def connect(brew: DataBrew, url: str, **properties: str) -> None:
    given = {"JDBC_CONNECTION_URL": url, **properties}
    if "SECRET_ID" not in given:
        given |= {"USERNAME": "postgres", "PASSWORD": postgres.PASSWORD}
    brew.aws.client("glue").create_connection(
        ConnectionInput={"Name": "pg", "ConnectionType": "JDBC", "ConnectionProperties": given}
    )


def in_database(prefix: str = "lines") -> dict[str, Any]:
    options = {"GlueConnectionName": "pg", "DatabaseOptions": {"TableName": prefix}}
    return {"DatabaseOutputs": [options]}


def tables(database: Any) -> list[str]:
    found = database.run(
        "SELECT table_schema || '.' || table_name FROM information_schema.tables"
        " WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1"
    )
    return [name for (name,) in found]


def test_a_new_table_of_a_database_has_rows_and_types(lines: DataBrew, database: Any) -> None:
    connect(lines, database.url)

    run = job(lines, **in_database())

    assert run["State"] == "SUCCEEDED", run
    assert run["DatabaseOutputs"][0]["DatabaseOutputMode"] == "NEW_TABLE"
    (table,) = tables(database)
    assert table.startswith("public.lines_")
    found = database.run(f"SELECT * FROM {table} ORDER BY id")
    assert [[*row[:3], str(row[3]), row[4]] for row in found] == [
        [1, 'A, "B"', 1.5, "2020-01-02", True],
        [2, None, 2.5, "2020-01-03", False],
    ]
    types = database.run(
        "SELECT data_type FROM information_schema.columns WHERE table_schema = 'public'"
        " ORDER BY ordinal_position"
    )
    assert [kind for (kind,) in types] == [
        "bigint", "text", "double precision", "date", "boolean",
    ]  # fmt: skip

    assert lines.run("j")["State"] == "SUCCEEDED"  # each run has a table of its own
    assert len(tables(database)) == 2


def test_a_missing_cell_is_null_and_an_empty_text_stays_one(lines: DataBrew, database: Any) -> None:
    connect(lines, database.url)
    lines.put("raw.csv", 'id,name\n1,a\n2,\n3,"é\n\\N"\n')
    lines.client.update_recipe(
        Name="keep",
        Steps=[
            step("DUPLICATE", sourceColumn="name", targetColumn="empty"),
            step("FILL_WITH_CUSTOM", sourceColumn="empty", columnDataType="string", value="-"),
            step("REMOVE_COMBINED", sourceColumn="empty", removeCustomCharacters="true",
                 removeCustomValue="false", customCharacters="-"),
            step("NEST_TO_ARRAY", sourceColumns=["id", "name"], targetColumn="all"),
        ],
    )  # fmt: skip
    lines.client.publish_recipe(Name="keep")
    lines.client.create_recipe_job(
        Name="two",
        DatasetName="lines",
        RecipeReference={"Name": "keep", "RecipeVersion": "LATEST_PUBLISHED"},
        RoleArn=ROLE,
        **in_database(),
    )

    run = lines.run("two")

    assert run["State"] == "SUCCEEDED", run
    (table,) = tables(database)
    found = database.run(f"SELECT * FROM {table}")
    assert [row[1:3] for row in found] == [["a", "a"], [None, ""], ["é\n\\N", "é\n\\N"]]
    assert [json.loads(row[3]) for row in found][1:] == [["2", None], ["3", "é\n\\N"]]


def test_the_password_comes_from_a_secret_and_the_table_into_a_schema(
    lines: DataBrew, database: Any
) -> None:
    database.run("CREATE SCHEMA stock")
    word = {"username": "postgres", "password": postgres.PASSWORD}
    lines.aws.client("secretsmanager").create_secret(Name="pg", SecretString=json.dumps(word))
    connect(lines, database.url, SECRET_ID="pg")

    assert job(lines, **in_database("stock.lines"))["State"] == "SUCCEEDED"
    (table,) = tables(database)
    assert table.startswith("stock.lines_")


@pytest.mark.parametrize(
    ("url", "properties", "message"),
    [
        ("jdbc:mysql://h/d", {}, "localaws speaks to PostgreSQL, and to no other kind"),
        ("{url}", {"USERNAME": "postgres", "PASSWORD": "wrong"}, "password authentication failed"),
        ("{url}?sslmode=require", {}, "takes no parameters (sslmode=require) in the URL"),
        ("{url}nowhere", {}, "does not exist"),
        ("jdbc:postgresql://127.0.0.1:9/d", {}, "jdbc:postgresql://127.0.0.1:9/d: "),
    ],
)
def test_what_a_database_refuses_fails_the_run(
    lines: DataBrew, database: Any, url: str, properties: dict[str, str], message: str
) -> None:
    lines.aws.client("glue").create_connection(
        ConnectionInput={
            "Name": "pg",
            "ConnectionType": "JDBC",
            "ConnectionProperties": {
                "JDBC_CONNECTION_URL": url.format(url=database.url),
                "USERNAME": "postgres",
                "PASSWORD": postgres.PASSWORD,
                **properties,
            },
        }
    )

    run = job(lines, **in_database())

    assert run["State"] == "FAILED"
    assert message in run["ErrorMessage"]
    assert tables(database) == []


def test_a_table_is_made_whole_or_not_at_all(lines: DataBrew, database: Any) -> None:
    connect(lines, database.url)
    lines.put("raw.csv", "id,name\n1,a\n2,b\n")
    lines.client.update_recipe(
        Name="keep", Steps=[step("RENAME", sourceColumn="name", targetColumn="n" * 64)]
    )
    lines.client.publish_recipe(Name="keep")
    lines.client.create_recipe_job(
        Name="long", DatasetName="lines", RecipeReference={"Name": "keep", "RecipeVersion": "2.0"},
        RoleArn=ROLE, **in_database(),
    )  # fmt: skip

    run = lines.run("long")

    assert run["State"] == "FAILED"
    assert "is longer than PostgreSQL's names, 63 bytes" in run["ErrorMessage"]
    assert tables(database) == []


def test_a_table_of_the_catalog_is_made_and_then_added_to(lines: DataBrew) -> None:
    output = {"DatabaseName": "shop", "TableName": "lines", "S3Options": PLACE}

    run = job(lines, DataCatalogOutputs=[output])

    assert run["State"] == "SUCCEEDED", run
    assert run["DataCatalogOutputs"] == [output] and "Outputs" not in run
    glue = lines.aws.client("glue")
    table = glue.get_table(DatabaseName="shop", Name="lines")["Table"]
    columns = {each["Name"]: each["Type"] for each in table["StorageDescriptor"]["Columns"]}
    assert columns == {
        "id": "bigint", "name": "string", "price": "double", "day": "date", "ok": "boolean",
    }  # fmt: skip
    assert table["StorageDescriptor"]["Location"] == "s3://lake/tables/t/"

    assert lines.run("j")["State"] == "SUCCEEDED"
    files = [lines.aws.objects.path("lake", key) for key in lines.keys("tables/t/")]
    assert [pq.read_table(file).column("id").to_pylist() for file in files] == [[1, 2], [1, 2]]

    lines.client.create_dataset(  # DataBrew itself reads the table, both runs' rows
        Name="again",
        Input={"DataCatalogInputDefinition": {"DatabaseName": "shop", "TableName": "lines"}},
    )
    lines.job("count", "again", "keep")
    assert lines.run("count")["State"] == "SUCCEEDED"
    (key,) = lines.keys("out/count/")
    assert pq.read_table(lines.aws.objects.path("lake", key)).num_rows == 4


def defined(brew: DataBrew, serde: str = PARQUET, **columns: str) -> None:
    brew.aws.client("glue").create_table(
        DatabaseName="shop",
        TableInput={
            "Name": "lines",
            "StorageDescriptor": {
                "Location": "s3://lake/own/",
                "Columns": [{"Name": name, "Type": kind} for name, kind in columns.items()],
                "SerdeInfo": {"SerializationLibrary": serde},
            },
        },
    )


def test_a_table_that_is_there_is_replaced_in_its_place_and_order(lines: DataBrew) -> None:
    defined(lines, ok="boolean", day="date", price="double", name="string", id="bigint")
    lines.put("own/old.parquet", "old")
    output = {"DatabaseName": "shop", "TableName": "lines", "S3Options": PLACE, "Overwrite": True}

    assert job(lines, DataCatalogOutputs=[output])["State"] == "SUCCEEDED"

    (key,) = lines.keys("own/")
    found = pq.read_table(lines.aws.objects.path("lake", key))
    assert found.column_names == ["ok", "day", "price", "name", "id"]
    assert lines.keys("tables/") == []


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"id": "bigint"}, "The table has the columns id, the result id, name, price, day, ok."),
        (
            {"id": "int", "name": "string", "price": "double", "day": "date", "ok": "boolean"},
            "Column 'id' is bigint in the result and int in the table; CHANGE_DATA_TYPE",
        ),
        ({"serde": "org.apache.hadoop.hive.serde2.OpenCSVSerde"}, "into tables of Parquet files"),
    ],
)
def test_a_table_of_another_shape_fails_the_run(
    lines: DataBrew, columns: dict[str, str], message: str
) -> None:
    defined(lines, **columns)
    output = {"DatabaseName": "shop", "TableName": "lines", "S3Options": PLACE}

    run = job(lines, DataCatalogOutputs=[output])

    assert run["State"] == "FAILED"
    assert message in run["ErrorMessage"]
    assert lines.keys("own/") == []


def test_a_catalog_table_of_a_database_leads_to_its_connection(
    lines: DataBrew, database: Any
) -> None:
    connect(lines, database.url)
    lines.aws.client("glue").create_table(
        DatabaseName="shop",
        TableInput={"Name": "lines", "Parameters": {"connectionName": "pg"}},
    )
    options = {"DatabaseOptions": {"TableName": "kept"}}

    run = job(
        lines,
        Outputs=[{"Location": {"Bucket": "lake", "Key": "plain/"}}],
        DataCatalogOutputs=[{"DatabaseName": "shop", "TableName": "lines", **options}],
    )

    assert run["State"] == "SUCCEEDED", run
    (table,) = tables(database)
    assert database.run(f"SELECT count(*) FROM {table}") == [[2]]
    assert len(lines.keys("plain/")) == 1


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ({}, "either S3Options or DatabaseOptions"),
        ({"DatabaseOptions": {"TableName": "t"}, "Overwrite": True}, "does not go with"),
        ({"S3Options": {"Location": {"Bucket": "lake"}}, "Overwrite": True}, "the whole bucket"),
        ({"S3Options": PLACE, "CatalogId": "1"}, "CatalogId=1"),
    ],
)
def test_what_excludes_each_other_is_refused_at_once(
    lines: DataBrew, output: dict[str, Any], message: str
) -> None:
    with pytest.raises(ClientError, match=message):
        job(lines, DataCatalogOutputs=[{"DatabaseName": "shop", "TableName": "lines", **output}])
