"""Sinks: where frames go, and the catalog's table that is kept up to date with them.

https://docs.aws.amazon.com/glue/latest/dg/update-from-job.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from awsglue import gluetypes as glue
from awsglue.objects import flag
from awsglue.refusal import only, refuse
from awsglue.spark_types import to_spark
from awsglue.writing import Target, partition_values, write
from localaws.tables.storage import LAZY_SIMPLE, OPEN_CSV, OPENX_JSON, PARQUET, descriptor

Json = dict[str, Any]
_OPTIONS = (
    "path", "partitionKeys", "enableUpdateCatalog", "updateBehavior", "compression", "groupFiles",
    "groupSize", "useGlueParquetWriter", "callDeleteObjectsOnCancel", "mode",
)  # fmt: skip
_BATCH = 100  # partitions in a call of BatchCreatePartition
BEHAVIORS = ("UPDATE_IN_DATABASE", "LOG")
_LIBRARIES = {"csv": OPEN_CSV, "json": OPENX_JSON, "glueparquet": PARQUET, "parquet": PARQUET}


class S3Sink:
    """`getSink(connection_type="s3", path=...)`: a format, perhaps a table, then frames."""

    def __init__(self, context: Any, options: Mapping[str, Any], transformation_ctx: str) -> None:
        only("connection_options of an S3 target", options, _OPTIONS)
        if not options.get("path"):
            raise ValueError("An S3 target needs a path.")
        self._behavior = options.get("updateBehavior", BEHAVIORS[0])
        if self._behavior not in BEHAVIORS:
            raise ValueError(f"updateBehavior is {self._behavior}; it is {' or '.join(BEHAVIORS)}.")
        self._context, self._options = context, dict(options)
        self._transformation_ctx = transformation_ctx
        self._format: str | None = None
        self._format_options: dict[str, Any] = {}
        self._table: tuple[str, str] | None = None

    def setFormat(self, format: str, **options: Any) -> None:
        self._format, self._format_options = format, options

    def setCatalogInfo(
        self, catalogDatabase: str, catalogTableName: str, catalogId: str = ""
    ) -> None:
        self._table = catalogDatabase, catalogTableName

    def write(self, frame_or_dfc: Any, info: str = "") -> Any:
        """A frame; of a collection each frame in a folder of its name."""
        if hasattr(frame_or_dfc, "keys"):
            made = {
                name: self._write(frame, f"{self._options['path'].rstrip('/')}/{name}")
                for name, frame in frame_or_dfc.items()
            }
            return type(frame_or_dfc)(made, self._context)
        return self._write(frame_or_dfc, self._options["path"])

    def writeFrame(self, dynamic_frame: Any, info: str = "") -> Any:
        return self.write(dynamic_frame, info)

    def _write(self, frame: Any, path: str) -> Any:
        if not self._format:
            raise ValueError("An S3 target needs a format.")
        keys = list(self._options.get("partitionKeys") or [])
        name = self._format
        if name == "parquet" and flag(
            self._format_options.get(
                "useGlueParquetWriter", self._options.get("useGlueParquetWriter")
            )
        ):
            name = "glueparquet"
        target = Target(
            path, name, self._format_options, keys, str(self._options.get("compression") or ""),
            self._transformation_ctx,
        )  # fmt: skip
        table = None
        if self._table is not None and flag(self._options.get("enableUpdateCatalog", False)):
            table = CatalogTable(self._context._catalog().client, *self._table)
            table.check(target, frame.schema())
        folders = write(frame.toDF(), frame.schema(), target, self._context._objects())
        if table is not None:
            table.update(target, frame.schema(), folders, self._behavior)
        errors = frame.errorsAsDynamicFrame()
        errors.name = f"{frame.name}_errors"
        return errors


class CatalogTable:
    """The table of a sink: made when it is not there."""

    def __init__(self, client: Any, database: str, name: str) -> None:
        self._client, self._database, self._name = client, database, name

    def check(self, target: Target, schema: Any) -> None:
        """Before anything is written: raises for what the catalog could not take."""
        if target.format not in _LIBRARIES:
            refuse(f"a catalog update with {target.format}", f"It takes {', '.join(_LIBRARIES)}.")
        table = self._current()
        if table is None:
            return
        keys = [key["Name"] for key in table.get("PartitionKeys") or []]
        given = [key.lower() for key in target.partition_keys]
        if keys != given:
            raise ValueError(
                f"partitionKeys are {given}; those of {self._database}.{self._name} are {keys}."
            )

    def update(self, target: Target, schema: Any, folders: set[str], behavior: str) -> None:
        """The table, and a partition for each folder that is new to it."""
        columns = [
            {"Name": field.name.lower(), "Type": _hive(field.dataType)}
            for field in schema.fields
            if field.name not in target.partition_keys
        ]
        table = self._current()
        if table is None:
            table = self._input(target, schema, columns)
            self._client.create_table(DatabaseName=self._database, TableInput=table)
        elif behavior == BEHAVIORS[0]:
            table = _table_input(table)
            table["StorageDescriptor"]["Columns"] = columns
            self._client.update_table(DatabaseName=self._database, TableInput=table)
        else:
            known = {(each["Name"], each["Type"]) for each in table["StorageDescriptor"]["Columns"]}
            if not {(each["Name"], each["Type"]) for each in columns} <= known:
                return
        self._add_partitions(target, table, sorted(folders))

    def _current(self) -> Json | None:
        try:
            found: Json = self._client.get_table(DatabaseName=self._database, Name=self._name)
        except self._client.exceptions.EntityNotFoundException:
            self._client.get_database(Name=self._database)
            return None
        return found["Table"]

    def _input(self, target: Target, schema: Any, columns: list[Json]) -> Json:
        kind = {"glueparquet": "parquet"}.get(target.format, target.format)
        location = f"{target.path.rstrip('/')}/"
        described = descriptor(_LIBRARIES[target.format], _serde(target, schema), columns, location)
        parameters = {"classification": kind, "compressionType": target.compression or "none",
                      "typeOfData": "file"}  # fmt: skip
        if kind == "csv" and flag(target.options.get("writeHeader", True)):
            parameters["skip.header.line.count"] = "1"
        if target.format == "glueparquet":
            parameters["useGlueParquetWriter"] = "true"
        return {
            "Name": self._name.lower(),
            "TableType": "EXTERNAL_TABLE",
            "Parameters": parameters,
            "PartitionKeys": [
                {"Name": key.lower(), "Type": _hive(schema.field_map[key].dataType)}
                for key in target.partition_keys
            ],
            "StorageDescriptor": described,
        }

    def _add_partitions(self, target: Target, table: Json, folders: Sequence[str]) -> None:
        place = table["StorageDescriptor"]
        inputs = [
            {
                "Values": partition_values(folder),
                "StorageDescriptor": {
                    **place,
                    "Location": f"{target.path.rstrip('/')}/{folder}/",
                },
            }
            for folder in folders
        ]
        for at in range(0, len(inputs), _BATCH):
            answer = self._client.batch_create_partition(
                DatabaseName=self._database, TableName=self._name,
                PartitionInputList=inputs[at : at + _BATCH],
            )  # fmt: skip
            for error in answer.get("Errors") or []:
                detail = error["ErrorDetail"]
                if detail["ErrorCode"] != "AlreadyExistsException":
                    raise RuntimeError(f"{detail['ErrorCode']}: {detail['ErrorMessage']}")


def _serde(target: Target, schema: Any) -> dict[str, str]:
    if target.format == "csv":
        quote = str(target.options.get("quoteChar", '"'))
        return {
            "separatorChar": str(target.options.get("separator", ",")),
            "quoteChar": "\0" if quote == "-1" else quote,
            "escapeChar": "\\",
        }
    if target.format == "json":
        names = [f.name for f in schema.fields if f.name not in target.partition_keys]
        return {"paths": ",".join(sorted(names))}
    return {"serialization.format": "1"}


def _table_input(table: Json) -> Json:
    kept = (
        "Name", "Description", "Owner", "Retention", "StorageDescriptor", "PartitionKeys",
        "TableType", "Parameters", "ViewOriginalText", "ViewExpandedText",
    )  # fmt: skip
    return {name: table[name] for name in kept if name in table}


def _hive(kind: Any) -> str:
    if isinstance(kind, glue.NullType):
        return "string"
    return str(to_spark(kind).simpleString())


def of_table(
    context: Any, database: str, name: str, options: Json, transformation_ctx: str
) -> S3Sink:
    """The sink that writes at a table's location as its files are."""
    table = context._catalog().table(database, name)
    place = table["StorageDescriptor"]
    library = (place.get("SerdeInfo") or {}).get("SerializationLibrary") or ""
    serde = (place.get("SerdeInfo") or {}).get("Parameters") or {}
    parameters = table.get("Parameters") or {}
    formats = {OPEN_CSV: "csv", LAZY_SIMPLE: "csv", OPENX_JSON: "json", PARQUET: "glueparquet"}
    if library not in formats:
        refuse(f"writing to {database}.{name}, whose SerDe is {library or 'none'}")
    sink = S3Sink(context, {**options, "path": place["Location"]}, transformation_ctx)
    if formats[library] == "csv":
        separator = serde.get("separatorChar") or serde.get("field.delim") or ","
        header = parameters.get("skip.header.line.count", "0") not in ("0", "")
        quote = serde.get("quoteChar") or ('"' if library == OPEN_CSV else "-1")
        sink.setFormat("csv", separator=separator, writeHeader=header, quoteChar=quote)
    else:
        sink.setFormat(formats[library])
    sink.setCatalogInfo(database, name)
    return sink
