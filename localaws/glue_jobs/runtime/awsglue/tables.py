"""The Data Catalog, as the job's role may use it: tables to read, and to write to.

A table is described by `localaws.tables`, for everybody who reads one.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from awsglue import choices, reading
from awsglue import gluetypes as glue
from awsglue.bookmarks import BOOKMARK
from awsglue.joining import union
from awsglue.objects import ListedFile, MountedObjects
from awsglue.places import column, fields_of
from awsglue.refusal import only, refuse
from awsglue.spark_types import parse, to_spark
from localaws.tables.files import take
from localaws.tables.partitions import NULL_PARTITION
from localaws.tables.snapshot import Partition, TableSnapshot

Json = dict[str, Any]
OPTIONS = (
    "catalogPartitionPredicate", "groupFiles", "groupSize", "boundedFiles", "boundedSize",
    "useS3ListImplementation", "recurse", "exclusions", "maxBand", "maxFilesInBand", "isFailFast",
    "withSchema", "multiline", "multiLine", "jsonPath", "withHeader", "separator", "quoteChar",
    "jobBookmarkKeys", "jobBookmarkKeysSortOrder",  # of databases: bookmarks of S3 go by objects
)  # fmt: skip


class CatalogTables:
    """Calls Glue's API with the keys of the run."""

    def __init__(self, session: SparkSession, objects: MountedObjects) -> None:
        self._session, self._objects = session, objects
        self.objects = objects

    @functools.cached_property
    def client(self) -> Any:
        import boto3

        return boto3.client("glue")

    def table(self, database: str, name: str) -> Json:
        """Raises EntityNotFoundException of Glue's client."""
        return self.client.get_table(DatabaseName=database, Name=name)["Table"]

    def types(self, database: str, name: str) -> dict[str, str]:
        """The types of a table's columns and keys by their names."""
        return self._types(self.table(database, name))

    def as_described(self, frame: Any, table: Json) -> DataFrame:
        """A dynamic frame as a data frame with the table's columns, in their order and types."""
        types = self._types(table)
        resolved = choices.resolve(fields_of(frame.schema()), None, "match_catalog", types)
        found = {name.lower(): value.column for name, value in resolved}
        columns = (
            found.get(name, F.lit(None).cast(to_spark(parse(kind)))).alias(name)
            for name, kind in types.items()
        )
        described: DataFrame = frame.toDF().select(*columns)
        return described

    @staticmethod
    def _types(table: Json) -> dict[str, str]:
        listed = [*table["StorageDescriptor"]["Columns"], *(table.get("PartitionKeys") or [])]
        return {each["Name"].lower(): each.get("Type") or "string" for each in listed}

    def partitions(self, table: Json, expression: str = "") -> list[Json]:
        if not table.get("PartitionKeys"):
            return []
        pages = self.client.get_paginator("get_partitions").paginate(
            DatabaseName=table["DatabaseName"], TableName=table["Name"],
            **({"Expression": expression} if expression else {}),
        )  # fmt: skip
        return [partition for page in pages for partition in page["Partitions"]]

    def read(
        self, table: Json, predicate: str, options: Mapping[str, Any], context: str
    ) -> reading.Read:
        """The table's records with its partition keys last, without the column of files."""
        only("additional_options of a catalog source", options, OPTIONS)
        path = (table.get("Parameters") or {}).get("jsonPath")
        options = {"jsonPath": path, **options} if path else options
        partitions = self.partitions(table, options.get("catalogPartitionPredicate", ""))
        snapshot = _spelled(take(table, partitions, self._objects, single=True), table)
        return self._rows(snapshot, self._wanted(snapshot, predicate), options, context)

    def _wanted(self, snapshot: TableSnapshot, predicate: str) -> list[Partition]:
        """Those partitions for which the predicate, in Spark's SQL, holds."""
        if not predicate or not snapshot.keys or not snapshot.partitions:
            return list(snapshot.partitions)
        rows = [(number, *part.values) for number, part in enumerate(snapshot.partitions)]
        names = ", ".join(f"`{name}` string" for name, _ in snapshot.keys)
        texts = self._session.createDataFrame(rows, f"__number int, {names}")
        typed = texts.select(
            "__number", *(_key(column(name), kind).alias(name) for name, kind in snapshot.keys)
        )
        kept = {row[0] for row in typed.where(predicate).select("__number").collect()}
        return [part for number, part in enumerate(snapshot.partitions) if number in kept]

    def _rows(
        self,
        snapshot: TableSnapshot,
        partitions: Sequence[Partition],
        options: Mapping[str, Any],
        context: str,
    ) -> reading.Read:
        listed = [
            (part, ListedFile(*_place(file.uri, self._objects), file.bytes, int(file.etag)))
            for part in partitions
            for file in part.files
        ]
        fresh = {
            file.uri for file in BOOKMARK.fresh(context, [file for _, file in listed], options)
        }
        groups: dict[Any, list[ListedFile]] = {}
        for part, file in listed:
            if file.uri in fresh:
                groups.setdefault((part.storage, part.columns), []).append(file)
        if not groups:
            kinds = [
                glue.Field(name, parse(kind)) for name, kind in (*snapshot.columns, *snapshot.keys)
            ]
            schema = glue.StructType(kinds)
            return reading.Read(self._session.createDataFrame([], to_spark(schema)), schema)
        found = [
            self._read(storage, columns, files, options)
            for (storage, columns), files in groups.items()
        ]
        frame, schema = functools.reduce(
            union, [(read.frame, _and_file(read.schema)) for read in found]
        )
        errors = tuple(each for read in found for each in read.errors)
        values = {file.uri: part.values for part, file in listed}
        sparse = any(read.sparse for read in found)
        return reading.Read(*self._with_keys(snapshot, frame, schema, values), errors, sparse)

    def _read(
        self,
        storage: Any,
        columns: Sequence[tuple[str, str]],
        files: Sequence[ListedFile],
        options: Mapping[str, Any],
    ) -> reading.Read:
        """Files of one description."""
        source = reading.Source(self._session, files, {}, columns)
        if storage.format == "json":
            lines = {
                k: v for k, v in options.items() if k in ("jsonPath", "multiline", "multiLine")
            }
            found = reading.read("json", reading.Source(self._session, files, lines))
            return _named(found, columns)
        if storage.format in ("open_csv", "text"):
            if storage.header_lines > 1:
                refuse(f"skip.header.line.count={storage.header_lines} for a DynamicFrame")
            marks = reading.Marks(storage.separator, storage.quote, storage.escape)
            return reading.typed_csv(source, marks, skip=storage.header_lines == 1)
        return reading.read(storage.format, source)

    def _with_keys(
        self,
        snapshot: TableSnapshot,
        frame: DataFrame,
        schema: Any,
        values: Mapping[str, Sequence[str]],
    ) -> tuple[DataFrame, Any]:
        own = [field for field in schema.fields if field.name != reading.FILE]
        keys = [
            glue.Field(name, parse(kind))
            for name, kind in snapshot.keys
            if name not in {field.name for field in own}
        ]
        if not keys:
            return frame.drop(reading.FILE), glue.StructType(own)
        path = self._session.sparkContext._jvm.org.apache.hadoop.fs.Path
        rows = [(str(path(uri).toUri()), *each) for uri, each in values.items()]
        names = ", ".join(f"`__key_{name}` string" for name, _ in snapshot.keys)
        known = F.broadcast(self._session.createDataFrame(rows, f"__of string, {names}"))
        both = frame.join(known, column(reading.FILE) == column("__of"), "left")
        kinds = dict(snapshot.keys)
        return (
            both.select(
                *(column(field.name) for field in own),
                *(_key(column(f"__key_{k.name}"), kinds[k.name]).alias(k.name) for k in keys),
            ),
            glue.StructType([*own, *keys]),
        )


def _spelled(snapshot: TableSnapshot, table: Json) -> TableSnapshot:
    """The snapshot with columns written as the catalog has them, which keeps their case."""
    listed = [*table["StorageDescriptor"]["Columns"], *(table.get("PartitionKeys") or [])]
    names = {each["Name"].lower(): each["Name"] for each in listed}

    def own(columns: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        return tuple((names.get(name, name), kind) for name, kind in columns)

    parts = tuple(replace(part, columns=own(part.columns)) for part in snapshot.partitions)
    return replace(
        snapshot, columns=own(snapshot.columns), keys=own(snapshot.keys), partitions=parts
    )


def _named(read: reading.Read, columns: Sequence[tuple[str, str]]) -> reading.Read:
    """JSON's fields under the names that the catalog has for them: its SerDe minds no case."""
    known = {name.lower(): name for name, _ in columns}
    names = [known.get(field.name.lower(), field.name) for field in read.schema.fields]
    if len(set(names)) < len(names):
        refuse(f"JSON whose fields differ in case only, as {', '.join(names)}")
    frame = read.frame.select(
        *(
            column(field.name).alias(name)
            for field, name in zip(read.schema.fields, names, strict=True)
        ),
        reading.FILE,
    )
    kinds = (field.dataType for field in read.schema.fields)
    return replace(read, frame=frame, schema=glue.StructType(map(glue.Field, names, kinds)))


def _key(text: Any, kind: str) -> Any:
    """A partition's value as its key's type."""
    return F.when(text != NULL_PARTITION, text).cast(to_spark(parse(kind)))


def _place(uri: str, objects: MountedObjects) -> tuple[str, str, Any]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key, objects.folder(bucket) / key


def _and_file(schema: Any) -> Any:
    return glue.StructType([*schema.fields, glue.Field(reading.FILE, glue.SCALARS["string"])])
