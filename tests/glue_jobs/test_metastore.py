"""The Hive metastore over the Data Catalog, spoken to as Spark does: over Thrift, without Spark."""

from __future__ import annotations

import io
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from localaws.core.aws import start
from localaws.core.service import Service
from localaws.glue_jobs.metastore import server, thrift
from localaws.glue_jobs.metastore.iceberg import IcebergMetastore
from localaws.glue_jobs.metastore.interface import METHODS, STRUCTS
from localaws.glue_jobs.metastore.metastore import Metastore

Call = Callable[..., Any]


class Client:
    """Sends calls, and gives back results; an exception is (its kind, its message)."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._stream = self._socket.makefile("rb")

    def __call__(self, name: str, /, **given: Any) -> Any:
        method = METHODS.get(name) or METHODS["get_all_databases"]
        writer = thrift.Writer(STRUCTS)
        writer.message(name, thrift.CALL, 1)
        writer.struct(method.arguments, given)
        self._socket.sendall(writer.sent())
        reader = thrift.Reader(self._stream, STRUCTS)
        kind = int.from_bytes(self._stream.peek(4)[:4], "big") & 0xFF
        assert reader.message() == (name, 1)
        if kind == thrift.EXCEPTION:
            return reader.struct(STRUCTS["TApplicationException"])["message"]
        result = reader.struct(method.result)
        if "success" in result or not result:
            return result.get("success")
        ((error, about),) = result.items()
        return error, about["message"]


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lake")


@pytest.fixture(scope="module")
def glue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from localaws.catalog import api

    def service(aws: Any) -> Service:
        made = Service("glue")
        api.register(made, aws)
        return made

    home = tmp_path_factory.mktemp("home")
    aws = start(home, [service], url="http://127.0.0.1:9", wait_scale=0)
    client = aws.client("glue")
    client.create_database(DatabaseInput={"Name": "shop", "LocationUri": "s3://lake/shop"})
    yield client
    aws.stop()


@pytest.fixture(scope="module")
def call(glue: Any, bucket: Path) -> Call:
    return Client(server.start(Metastore(lambda: glue, {"lake": bucket})))


@pytest.fixture(scope="module")
def iceberg(glue: Any, bucket: Path) -> Call:
    return Client(server.start(IcebergMetastore(lambda: glue, {"lake": bucket})))


def table(name: str, **more: Any) -> dict[str, Any]:
    storage = {
        "cols": [{"name": "a", "type": "int"}],
        "inputFormat": "in",
        "outputFormat": "out",
        "serdeInfo": {"serializationLib": "serde", "parameters": {"path": "ü"}},
    }
    return {
        "tableName": name,
        "dbName": "shop",
        "sd": storage,
        "parameters": {"k": "v"},
        "tableType": "MANAGED_TABLE",
        "partitionKeys": [{"name": "d", "type": "string"}],
        **more,
    }


def test_a_managed_table_lies_in_its_database_and_its_files_go_with_it(
    call: Call, bucket: Path
) -> None:
    assert call("create_table_with_environment_context", tbl=table("t")) is None
    found = call("get_table_req", req={"dbName": "shop", "tblName": "t"})["table"]
    assert found["sd"]["location"] == "s3://lake/shop/t"
    assert found["sd"]["serdeInfo"]["parameters"] == {"path": "ü"}
    assert found["partitionKeys"] == [{"name": "d", "type": "string"}]

    part = {"dbName": "shop", "tableName": "t", "values": ["a/b"], "sd": {"cols": []}}
    call("add_partition_with_environment_context", new_part=part)
    again = call("add_partition_with_environment_context", new_part=part)
    assert again[0] == "AlreadyExistsException"
    quiet = {"dbName": "shop", "tblName": "t", "parts": [part], "ifNotExists": True}
    assert len(call("add_partitions_req", request=quiet)["partitions"]) == 1
    assert call("get_partition_names", db_name="shop", tbl_name="t") == ["d=a%2Fb"]
    (named,) = call("get_partitions_by_names", db_name="shop", tbl_name="t", names=["d=a%2Fb"])
    assert named["sd"]["location"] == "s3://lake/shop/t/d=a%2Fb"
    (bucket / "shop/t/d=a%2Fb/file").write_text("1")
    assert call("get_partitions_ps", db_name="shop", tbl_name="t", part_vals=["x"]) == []

    call("drop_table_with_environment_context", db_name="shop", tbl_name="t", deleteData=True)
    assert not (bucket / "shop/t").exists()
    missing = call("get_table_req", req={"dbName": "shop", "tblName": "t"})
    assert missing[0] == "NoSuchObjectException"


def test_an_external_table_leaves_its_files(call: Call, bucket: Path) -> None:
    (bucket / "out").mkdir()
    (bucket / "out/file").write_text("1")
    storage = {**table("e")["sd"], "location": "s3a://lake/out"}
    call("create_table", tbl=table("e", tableType="EXTERNAL_TABLE", sd=storage))
    call("drop_table", db_name="shop", tbl_name="e", deleteData=True)
    assert (bucket / "out/file").exists()


def test_what_would_end_with_the_run_is_refused(call: Call) -> None:
    given = {"name": "bare", "locationUri": "file:/tmp/warehouse/bare.db"}
    call("create_database", database=given)
    assert call("get_database", name="bare")["locationUri"] == ""
    kind, message = call("create_table", tbl=table("t", dbName="bare"))
    assert (kind, "bare.t would lie at no place" in message) == ("MetaException", True)
    assert call("get_all_tables", db_name="bare") == []


@pytest.mark.parametrize(
    ("pattern", "found"), [("*", ["bare", "shop"]), ("s*|x", ["shop"]), ("SHOP", ["shop"])]
)
def test_names_are_found_by_hives_patterns(call: Call, pattern: str, found: list[str]) -> None:
    assert [
        name for name in ["bare", "shop"] if name in call("get_databases", pattern=pattern)
    ] == (found)


def test_a_pattern_of_many_stars_is_answered(call: Call) -> None:
    """A regular expression of as many would try every place for each star."""
    name = "a" * 100
    call("create_database", database={"name": name, "locationUri": ""})
    assert call("get_databases", pattern="*a" * 25 + "*b") == []
    assert call("get_databases", pattern="*a" * 25 + "*") == [name]


def test_a_method_that_is_not_there_is_told_by_name(call: Call) -> None:
    assert call("grant_role") == "localaws does not emulate grant_role of the Hive metastore."


def test_what_is_unknown_on_the_wire_is_skipped() -> None:
    newer = {
        "In": (thrift.Field(1, "x", "i64"),),
        "New": (
            thrift.Field(1, "a", "string"),
            thrift.Field(2, "b", thrift.Items("In")),
            thrift.Field(3, "c", thrift.Texts()),
            thrift.Field(4, "d", "bool"),
            thrift.Field(5, "e", "double"),
        ),
    }
    writer = thrift.Writer(newer)
    value = {"a": "1", "b": [{"x": 1 << 40}], "c": {"k": "v"}, "d": True, "e": 0.5}
    writer.struct(newer["New"], value)
    assert thrift.Reader(io.BytesIO(writer.sent()), newer).struct(newer["New"]) == value
    known = (thrift.Field(4, "d", "bool"),)
    assert thrift.Reader(io.BytesIO(writer.sent()), {}).struct(known) == {"d": True}


def test_icebergs_commits_stand_on_the_metadata_that_they_name(call: Call, iceberg: Call) -> None:
    def at(place: str) -> dict[str, Any]:
        parameters = {"table_type": "iceberg", "metadata_location": place, "uuid": "1"}
        storage = {**table("ice")["sd"], "location": "s3://lake/ice"}
        return table("ice", parameters=parameters, sd=storage, partitionKeys=[])

    def commit(before: str, after: str) -> Any:
        properties = {
            "expected_parameter_key": "metadata_location",
            "expected_parameter_value": before,
        }
        return iceberg(
            "alter_table_with_environment_context",
            db_name="shop",
            tbl_name="ice",
            new_tbl=at(after),
            environment_context={"properties": properties},
        )

    assert iceberg("create_table_with_environment_context", tbl=at("one")) is None
    assert commit("one", "two") is None
    kind, message = commit("one", "three")
    assert (kind, message.startswith("The table has been modified.")) == ("MetaException", True)
    (found,) = iceberg("get_table_objects_by_name", db_name="shop", tbl_names=["ice"])
    assert found["parameters"]["metadata_location"] == "two"
    assert "inputFormat" not in found["sd"] and "uuid" not in found["parameters"]
    for_spark = call("get_table_req", req={"dbName": "shop", "tblName": "ice"})
    assert "it is an Iceberg table" in for_spark[1]
    iceberg("create_database", database={"name": "ices", "locationUri": "s3://w/ices.db"})
    assert "locationUri" not in iceberg("get_database", name="ices")
