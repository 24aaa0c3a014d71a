"""What of the Hive metastore's interface Spark 3.5 calls, with the fields' numbers on the wire.

https://github.com/apache/hive/blob/rel/release-2.3.9/metastore/if/hive_metastore.thrift
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from localaws.glue_jobs.metastore.thrift import Field, Items, Texts


def _fields(**kinds: Any) -> tuple[Field, ...]:
    """Numbered from one, as they come."""
    return tuple(Field(number, name, kind) for number, (name, kind) in enumerate(kinds.items(), 1))


TEXTS = Items("string")
_MESSAGE = _fields(message="string")
EXCEPTIONS = (
    "MetaException", "NoSuchObjectException", "AlreadyExistsException", "InvalidObjectException",
    "InvalidOperationException", "UnknownDBException",
)  # fmt: skip
STRUCTS: dict[str, tuple[Field, ...]] = {
    **dict.fromkeys(EXCEPTIONS, _MESSAGE),
    "FieldSchema": _fields(name="string", type="string", comment="string"),
    "Order": _fields(col="string", order="i32"),
    "SerDeInfo": _fields(name="string", serializationLib="string", parameters=Texts()),
    "StorageDescriptor": _fields(
        cols=Items("FieldSchema"), location="string", inputFormat="string", outputFormat="string",
        compressed="bool", numBuckets="i32", serdeInfo="SerDeInfo", bucketCols=TEXTS,
        sortCols=Items("Order"), parameters=Texts(),
    ),
    "Table": _fields(
        tableName="string", dbName="string", owner="string", createTime="i32",
        lastAccessTime="i32", retention="i32", sd="StorageDescriptor",
        partitionKeys=Items("FieldSchema"), parameters=Texts(), viewOriginalText="string",
        viewExpandedText="string", tableType="string",
    ),
    "Partition": _fields(
        values=TEXTS, dbName="string", tableName="string", createTime="i32",
        lastAccessTime="i32", sd="StorageDescriptor", parameters=Texts(),
    ),
    "Database": _fields(
        name="string", description="string", locationUri="string", parameters=Texts()
    ),
    "EnvironmentContext": _fields(properties=Texts()),
    "GetTableRequest": _fields(dbName="string", tblName="string"),
    "GetTableResult": _fields(table="Table"),
    "GetTablesRequest": _fields(dbName="string", tblNames=TEXTS),
    "GetTablesResult": _fields(tables=Items("Table")),
    "AddPartitionsRequest": _fields(
        dbName="string", tblName="string", parts=Items("Partition"), ifNotExists="bool",
        needResult="bool",
    ),
    "AddPartitionsResult": _fields(partitions=Items("Partition")),
    "PartitionsByExprRequest": _fields(dbName="string", tblName="string"),
    "PartitionsByExprResult": _fields(partitions=Items("Partition"), hasUnknownPartitions="bool"),
    "Functions": _fields(functions=TEXTS),  # GetAllFunctionsResponse; always without any
    "TApplicationException": _fields(message="string", type="i32"),
}  # fmt: skip


@dataclass(frozen=True)
class Method:
    arguments: tuple[Field, ...]
    result: tuple[Field, ...]


def _method(returns: Any, raises: str, **arguments: Any) -> Method:
    """`raises` are the exceptions by their first letters, in the order of their numbers."""
    names = {"M": "MetaException", "N": "NoSuchObjectException", "A": "AlreadyExistsException",
             "I": "InvalidObjectException", "O": "InvalidOperationException",
             "U": "UnknownDBException"}  # fmt: skip
    success = (Field(0, "success", returns),) if returns is not None else ()
    errors = tuple(Field(n, names[letter], names[letter]) for n, letter in enumerate(raises, 1))
    return Method(_fields(**arguments), success + errors)


_TABLE = {"db_name": "string", "tbl_name": "string"}
_PARTITIONS = Items("Partition")
_VALUES = {**_TABLE, "part_vals": TEXTS}
_WHO = {"user_name": "string", "group_names": TEXTS}
METHODS = {
    "set_ugi": _method(TEXTS, "M", user_name="string", group_names=TEXTS),
    "get_database": _method("Database", "NM", name="string"),
    "get_databases": _method(TEXTS, "M", pattern="string"),
    "get_all_databases": _method(TEXTS, "M"),
    "create_database": _method(None, "AIM", database="Database"),
    "alter_database": _method(None, "MN", name="string", database="Database"),
    "drop_database": _method(None, "NOM", name="string", deleteData="bool", cascade="bool"),
    "get_table": _method("Table", "MN", **_TABLE),
    "get_table_req": _method("GetTableResult", "MN", req="GetTableRequest"),
    "get_table_objects_by_name": _method(Items("Table"), "MOU", db_name="string", tbl_names=TEXTS),
    "get_table_objects_by_name_req": _method("GetTablesResult", "MOU", req="GetTablesRequest"),
    "get_tables": _method(TEXTS, "M", db_name="string", pattern="string"),
    "get_tables_by_type": _method(
        TEXTS, "M", db_name="string", pattern="string", tableType="string"
    ),
    "get_all_tables": _method(TEXTS, "M", db_name="string"),
    "create_table": _method(None, "AIMN", tbl="Table"),
    "create_table_with_environment_context": _method(None, "AIMN", tbl="Table"),
    "drop_table": _method(None, "NM", **_TABLE, deleteData="bool"),
    "drop_table_with_environment_context": _method(None, "NM", **_TABLE, deleteData="bool"),
    "alter_table": _method(None, "OM", **_TABLE, new_tbl="Table"),
    "alter_table_with_environment_context": _method(
        None, "OM", **_TABLE, new_tbl="Table", environment_context="EnvironmentContext"
    ),
    "get_partition": _method("Partition", "MN", **_VALUES),
    "get_partition_with_auth": _method("Partition", "MN", **_VALUES, **_WHO),
    "get_partitions": _method(_PARTITIONS, "NM", **_TABLE, max_parts="i16"),
    "get_partitions_with_auth": _method(_PARTITIONS, "NM", **_TABLE, max_parts="i16", **_WHO),
    "get_partitions_ps": _method(_PARTITIONS, "MN", **_VALUES, max_parts="i16"),
    "get_partitions_ps_with_auth": _method(_PARTITIONS, "NM", **_VALUES, max_parts="i16", **_WHO),
    "get_partition_names": _method(TEXTS, "NM", **_TABLE, max_parts="i16"),
    "get_partition_names_ps": _method(TEXTS, "MN", **_VALUES, max_parts="i16"),
    "get_partitions_by_filter": _method(_PARTITIONS, "MN", **_TABLE, filter="string"),
    "get_partitions_by_expr": _method(
        "PartitionsByExprResult", "MN", req="PartitionsByExprRequest"
    ),
    "get_partitions_by_names": _method(_PARTITIONS, "MN", **_TABLE, names=TEXTS),
    "add_partition": _method("Partition", "IAM", new_part="Partition"),
    "add_partition_with_environment_context": _method("Partition", "IAM", new_part="Partition"),
    "add_partitions": _method("i32", "IAM", new_parts=_PARTITIONS),
    "add_partitions_req": _method("AddPartitionsResult", "IAM", request="AddPartitionsRequest"),
    "drop_partition": _method("bool", "NM", **_VALUES, deleteData="bool"),
    "drop_partition_with_environment_context": _method("bool", "NM", **_VALUES, deleteData="bool"),
    "alter_partition": _method(None, "OM", **_TABLE, new_part="Partition"),
    "alter_partition_with_environment_context": _method(None, "OM", **_TABLE, new_part="Partition"),
    "alter_partitions": _method(None, "OM", **_TABLE, new_parts=_PARTITIONS),
    "alter_partitions_with_environment_context": _method(
        None, "OM", **_TABLE, new_parts=_PARTITIONS
    ),
    "rename_partition": _method(None, "OM", **_VALUES, new_part="Partition"),
    "get_functions": _method(TEXTS, "M", db_name="string", pattern="string"),
    "get_all_functions": _method("Functions", "M"),
    "getMetaConf": _method("string", "M", key="string"),
}
