"""Where a dataset's rows are: the files of S3 objects or of a table of the Data Catalog."""

from __future__ import annotations

from pathlib import Path

from botocore.exceptions import ClientError

from localaws.core.aws import LocalAws
from localaws.databrew import paths
from localaws.databrew.source import InputError, Source
from localaws.errors import AwsError
from localaws.expressions import BadExpression
from localaws.shapes import Json
from localaws.tables import files as tables
from localaws.tables.codecs import codec
from localaws.tables.errors import TableError
from localaws.tables.snapshot import TableSnapshot


def resolve(aws: LocalAws, dataset: Json) -> Source:
    """Raises InputError for a table that is not there, and where there is no data."""
    source, name = dataset["Input"], dataset["Name"]
    try:
        if "S3InputDefinition" in source:
            return _objects(aws, dataset, source["S3InputDefinition"])
        table = _table(aws, source["DataCatalogInputDefinition"])
        if not table.files:
            raise InputError(f"There is no data in table {table.database}.{table.name}.")
    except TableError as error:
        raise InputError(str(error)) from error
    return Source(name, "TABLE", {}, table=table)


def _table(aws: LocalAws, definition: Json) -> TableSnapshot:
    glue = aws.client("glue")
    place = {"DatabaseName": definition["DatabaseName"]}
    name = definition["TableName"]
    try:
        table = glue.get_table(**place, Name=name)["Table"]
        pages = glue.get_paginator("get_partitions").paginate(**place, TableName=name)
        partitions = [one for page in pages for one in page["Partitions"]]
    except ClientError as error:
        message = error.response["Error"]["Message"]
        raise InputError(f"Table {place['DatabaseName']}.{name}: {message}") from error
    return tables.take(table, partitions, aws.objects, single=True)


def _objects(aws: LocalAws, dataset: Json, location: Json) -> Source:
    bucket, key = location["Bucket"], location.get("Key", "")
    path = paths.compiled(key, dataset.get("PathOptions", {}))
    try:
        if path.pattern is None:
            listed = tables.below(aws.objects, bucket, key, single=True)
        else:
            listed = aws.objects.list(bucket, path.prefix)
    except AwsError as error:
        raise InputError(f"s3://{bucket}/{key}: {error.message}") from error
    try:
        found = path.select([item for item in listed if item.bytes], aws.clock.now())
    except BadExpression as error:
        raise InputError(f"s3://{bucket}/{key}: the expression {error}") from error
    files = tuple(tables.data_file(each.item) for each in found)
    if not files:
        raise InputError(f"There is no data at s3://{bucket}/{key}.")
    return Source(
        dataset["Name"],
        _format(dataset, files[0].uri),
        dataset.get("FormatOptions", {}),
        files,
        path_columns=tuple(each.columns for each in found),
    )


def _format(dataset: Json, uri: str) -> str:
    if "Format" in dataset:
        return str(dataset["Format"])
    name = uri.rpartition("/")[2]
    plain = name if codec(uri) == "none" else name.rpartition(".")[0]
    kinds = {".csv": "CSV", ".tsv": "CSV", ".json": "JSON", ".jsonl": "JSON", ".xlsx": "EXCEL"}
    kinds |= {".parquet": "PARQUET", ".orc": "ORC"}
    kind = kinds.get(Path(plain).suffix)
    if kind is None:
        raise InputError(
            f"Dataset {dataset['Name']}: the format of {name} is unknown; give Format."
        )
    return kind
