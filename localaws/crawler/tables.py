"""The catalog entry that a crawler writes for a group of files (CONTRACTS of the Glue crawler)."""

from __future__ import annotations

from localaws.crawler.grouping import File, Group, partition_keys, partition_values
from localaws.crawler.schema import Schema
from localaws.shapes import Json
from localaws.tables.storage import (
    AVRO,
    GROK,
    LAZY_SIMPLE,
    OPEN_CSV,
    OPENX_JSON,
    ORC,
    PARQUET,
    descriptor,
)


def table_input(crawler: str, name: str, group: Group) -> Json:
    """TableInput as Glue's crawler fills it; all parameter values are strings."""
    storage = storage_descriptor(group.schema, f"s3://{group.bucket}/{group.location}")
    parameters = _parameters(group.schema, group.files)
    return {
        **_table(crawler, name, storage, parameters),
        "PartitionKeys": [{"Name": key, "Type": "string"} for key in partition_keys(group)],
    }


def store_input(crawler: str, location: str, columns: list[Json], parameters: Json) -> Json:
    """TableInput of a table in another store than S3, without a name: no SerDe reads it."""
    storage = {
        "Columns": columns,
        "Location": location,
        "Compressed": False,
        "NumberOfBuckets": -1,
        "SerdeInfo": {"Parameters": {}},
        "BucketColumns": [],
        "SortColumns": [],
        "StoredAsSubDirectories": False,
    }
    return {**_table(crawler, "", storage, parameters), "PartitionKeys": []}


def _table(crawler: str, name: str, storage: Json, parameters: Json) -> Json:
    every = crawled_parameters(crawler, parameters)
    return {
        "Name": name,
        "Owner": "owner",
        "Retention": 0,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": every,
        "StorageDescriptor": {**storage, "Parameters": dict(every)},
    }


def crawled_parameters(crawler: str, parameters: Json) -> Json:
    """With the crawler's own, by which it knows its tables again."""
    return {
        **parameters,
        "UPDATED_BY_CRAWLER": crawler,
        "CrawlerSchemaSerializerVersion": "1.0",
        "CrawlerSchemaDeserializerVersion": "1.0",
    }


def partition_inputs(group: Group, table: Json, inherit: bool) -> list[Json]:
    """A PartitionInput for each folder of a partitioned table."""
    keys = [key["Name"] for key in table["PartitionKeys"]]
    if not keys:
        return []
    inputs = []
    for folder, files in group.folders.items():
        location = f"{table['StorageDescriptor']['Location']}{'/'.join(folder)}/"
        storage = {**table["StorageDescriptor"], "Location": location}
        storage["Parameters"] = _parameters(files[0].schema, files)
        if not inherit:
            storage["Columns"] = [
                {"Name": name, "Type": kind} for name, kind in files[0].schema.columns
            ]
        inputs.append(
            {
                "Values": partition_values(folder, keys),
                "StorageDescriptor": storage,
                "Parameters": _parameters(files[0].schema, files),
            }
        )
    return inputs


def storage_descriptor(schema: Schema, location: str) -> Json:
    columns = [{"Name": name, "Type": kind} for name, kind in schema.columns]
    described = _described(schema, columns, location)
    return {**described, "Compressed": schema.compression != "none"}


def _described(schema: Schema, columns: list[Json], location: str) -> Json:
    """No SerDe reads XML: frames do, by the element that is a record."""
    if schema.serde != "Xml":
        return descriptor(*_serde(schema), columns, location)
    described = descriptor(LAZY_SIMPLE, {"rowTag": schema.pattern}, columns, location)
    described["SerdeInfo"] = {"Parameters": {"rowTag": schema.pattern}}
    return {k: v for k, v in described.items() if k not in ("InputFormat", "OutputFormat")}


def _serde(schema: Schema) -> tuple[str, dict[str, str]]:
    """The SerDe that a crawler names for the files, and its properties."""
    if schema.classification == "parquet":
        return PARQUET, {"serialization.format": "1"}
    if schema.classification == "orc":
        return ORC, {"serialization.format": "1"}
    if schema.classification == "avro":
        return AVRO, {"serialization.format": "1", "avro.schema.literal": schema.pattern}
    if schema.classification == "json":
        return OPENX_JSON, {"paths": ",".join(name for name, _ in schema.columns)}
    if schema.serde == "Grok":
        custom = {"input.grokCustomPatterns": schema.patterns} if schema.patterns else {}
        return GROK, {"input.format": schema.pattern, **custom}
    if schema.serde == "OpenCSVSerDe":
        quote = {"quoteChar": schema.quote} if schema.quote else {}
        return OPEN_CSV, {"separatorChar": schema.delimiter, **quote}
    return LAZY_SIMPLE, {"field.delim": schema.delimiter}


def _parameters(schema: Schema, files: list[File]) -> dict[str, str]:
    size = sum(file.stored.bytes for file in files)
    rows = sum(file.schema.rows for file in files)
    parameters = {
        "classification": schema.classification,
        "compressionType": schema.compression,
        "typeOfData": "file",
        "objectCount": str(len(files)),
        "recordCount": str(rows),
        "averageRecordSize": str(size // rows if rows else 0),
        "sizeKey": str(size),
    }
    if schema.serde == "Grok":
        parameters |= {"grokPattern": schema.pattern}
    if schema.serde == "Xml":
        parameters["rowTag"] = schema.pattern
    if schema.classification == "avro":
        parameters["avro.schema.literal"] = schema.pattern
    if schema.classification == "json" and schema.pattern:
        parameters["jsonPath"] = schema.pattern
    if schema.classification == "csv":
        parameters |= {
            "delimiter": schema.delimiter,
            "columnsOrdered": "true",
            "areColumnsQuoted": "true" if schema.serde == "OpenCSVSerDe" else "false",
        }
        if schema.header:
            parameters["skip.header.line.count"] = "1"
    return parameters
