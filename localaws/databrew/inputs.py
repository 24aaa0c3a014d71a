"""A dataset as a DuckDB relation over the objects' own files.

CSV and JSON in S3 get their types by inference, as DataBrew does; tables of the Data Catalog have
the types that the catalog says, read as their SerDe reads them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from localaws.core.aws import LocalAws
from localaws.databrew.recipe.sql import cast, ident, literal
from localaws.databrew.recipe.steps import Step
from localaws.s3.objects import split_uri

Json = dict[str, Any]
Query = Callable[[str], list[tuple[Any, ...]]]

SAMPLE_ROWS = 20_480
PLAIN = "hive_partitioning = false"  # a folder such as run=1 is no column of the data
CANDIDATES = "['BIGINT', 'DOUBLE', 'BOOLEAN', 'DATE', 'TIMESTAMP', 'VARCHAR']"
OPEN_CSV = "org.apache.hadoop.hive.serde2.OpenCSVSerde"
LAZY_SIMPLE = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
PARQUET = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
JSON_SERDES = ("org.openx.data.jsonserde.JsonSerDe", "org.apache.hive.hcatalog.data.JsonSerDe")
HIVE_TYPES = {
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "int": "INTEGER",
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "string": "VARCHAR",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
}


class InputError(Exception):
    """The dataset cannot be read; the message says which and why."""


@dataclass(frozen=True)
class Relation:
    """A SELECT that gives the dataset's rows, and its columns with their DuckDB types."""

    sql: str
    columns: dict[str, str]


def raw_columns(steps: list[Step]) -> set[str]:
    """Columns in which a step asks for invalid cells: their text must stay as it is."""
    found = set()
    for step in steps:
        for condition in step.conditions:
            if condition.condition == "IS_INVALID":
                found.add(condition.column)
        if step.operation.startswith("REPLACE_WITH_") or step.operation == "REMOVE_INVALID":
            if step.has("sourceColumn"):
                found.add(step.text("sourceColumn"))
            if step.has("sourceColumns"):
                found |= set(step.texts("sourceColumns"))
    return found


def relation(aws: LocalAws, dataset: Json, raw: Collection[str], query: Query) -> Relation:
    """The dataset as SQL. Raises InputError."""
    source = dataset["Input"]
    if "S3InputDefinition" in source:
        return _of_objects(aws, dataset, source["S3InputDefinition"], raw, query)
    return _of_table(aws, source["DataCatalogInputDefinition"], query)


# Objects in S3


def _files(aws: LocalAws, bucket: str, key: str) -> list[Path]:
    """The object at the key, or those below it as a folder; hidden names are left out."""
    listed = aws.objects.list(bucket, key)
    folder = key if key.endswith("/") or not key else key + "/"
    chosen = [
        item.path
        for item in listed
        if (item.key == key or item.key.startswith(folder))
        and not item.key.endswith("/")
        and not item.key.rpartition("/")[2].startswith(("_", "."))
    ]
    if not chosen:
        raise InputError(f"There is no data at s3://{bucket}/{key}.")
    return chosen


def _list(files: list[Path]) -> str:
    return "[" + ", ".join(literal(str(file)) for file in files) + "]"


def _format(dataset: Json, files: list[Path]) -> str:
    if "Format" in dataset:
        return str(dataset["Format"])
    name = re.sub(r"\.(gz|zst|bz2)$", "", files[0].name)
    kinds = {".csv": "CSV", ".tsv": "CSV", ".json": "JSON", ".jsonl": "JSON", ".parquet": "PARQUET"}
    kind = kinds.get(Path(name).suffix)
    if kind is None:
        raise InputError(
            f"Dataset {dataset['Name']}: the format of {files[0].name} is unknown; give Format."
        )
    return kind


def _of_objects(
    aws: LocalAws, dataset: Json, location: Json, raw: Collection[str], query: Query
) -> Relation:
    files = _files(aws, location["Bucket"], location.get("Key", ""))
    kind = _format(dataset, files)
    options = dataset.get("FormatOptions", {})
    if kind == "PARQUET":
        sql = f"SELECT * FROM read_parquet({_list(files)}, union_by_name = true, {PLAIN})"
        return Relation(sql, _described(sql, query))
    if kind == "JSON":
        lines = not options.get("Json", {}).get("MultiLine", False)
        how = "newline_delimited" if lines else "auto"
        sql = f"SELECT * FROM read_json({_list(files)}, format = '{how}', {PLAIN})"
        return Relation(sql, _described(sql, query))
    csv = options.get("Csv", {})
    header = bool(csv.get("HeaderRow", True))
    common = f"{_list(files)}, delim = {literal(csv.get('Delimiter', ','))}, header = {header}"
    common += f", quote = '\"', escape = '\"', {PLAIN}"
    guessed = _described(
        f"SELECT * FROM read_csv({common}, sample_size = {SAMPLE_ROWS},"
        f" auto_type_candidates = {CANDIDATES})",
        query,
    )
    names = list(guessed) if header else [f"Column_{n}" for n in range(1, len(guessed) + 1)]
    columns, cells = {}, []
    for name, (found, guess) in zip(names, guessed.items(), strict=True):
        target = "VARCHAR" if name in raw else guess
        columns[name] = target
        cells.append(f"{cast(ident(found), 'VARCHAR', target)} AS {ident(name)}")
    return Relation(
        f"SELECT {', '.join(cells)} FROM read_csv({common}, all_varchar = true)", columns
    )


def _described(sql: str, query: Query) -> dict[str, str]:
    return {str(row[0]): str(row[1]) for row in query(f"DESCRIBE {sql}")}


# Tables of the Data Catalog


def _of_table(aws: LocalAws, definition: Json, query: Query) -> Relation:
    glue = aws.client("glue")
    database, name = definition["DatabaseName"], definition["TableName"]
    try:
        table = glue.get_table(DatabaseName=database, Name=name)["Table"]
    except ClientError as error:
        raise InputError(
            f"Table {database}.{name}: {error.response['Error']['Message']}"
        ) from error
    descriptor = table.get("StorageDescriptor", {})
    keys = table.get("PartitionKeys", [])
    if not keys:
        parts: list[tuple[str, list[str]]] = [(descriptor["Location"], [])]
    else:
        pages = glue.get_paginator("get_partitions").paginate(DatabaseName=database, TableName=name)
        parts = [
            (partition["StorageDescriptor"]["Location"], partition["Values"])
            for page in pages
            for partition in page["Partitions"]
        ]
    selects = []
    columns: dict[str, str] = {}
    for location, values in parts:
        bucket, key = split_uri(location)
        try:
            files = _files(aws, bucket, key)
        except InputError:
            if keys:  # an empty partition is fine
                continue
            raise
        cells, source, columns = _reader(table, files, query)
        for partition_key, value in zip(keys, values, strict=True):
            kind = _hive_type(partition_key["Type"], name)
            columns[partition_key["Name"]] = kind
            cells.append(f"CAST({literal(value)} AS {kind}) AS {ident(partition_key['Name'])}")
        selects.append(f"SELECT {', '.join(cells)} FROM {source}")
    if not selects:
        raise InputError(f"Table {database}.{name} has no data.")
    return Relation(" UNION ALL ".join(selects), columns)


def _hive_type(written: str, table: str) -> str:
    kind = written.lower()
    if kind in HIVE_TYPES:
        return HIVE_TYPES[kind]
    if re.fullmatch(r"decimal\(\d+,\s*\d+\)", kind):
        return kind.upper().replace(" ", "")
    if re.fullmatch(r"(varchar|char)\(\d+\)", kind):
        return "VARCHAR"
    raise InputError(f"Table {table} has a column of type {written}, which localaws does not read.")


def _reader(table: Json, files: list[Path], query: Query) -> tuple[list[str], str, dict[str, str]]:
    """(the table's columns as SQL, the reading function, the columns' types)."""
    descriptor = table["StorageDescriptor"]
    serde = descriptor.get("SerdeInfo", {})
    library = serde.get("SerializationLibrary", "")
    columns = {
        column["Name"]: _hive_type(column["Type"], table["Name"])
        for column in descriptor["Columns"]
    }
    if library == PARQUET:
        source = f"read_parquet({_list(files)}, union_by_name = true, {PLAIN})"
        return _by_name(columns, _described(f"SELECT * FROM {source}", query)), source, columns
    if library in JSON_SERDES:
        source = f"read_json({_list(files)}, format = 'newline_delimited', {PLAIN})"
        return _by_name(columns, _described(f"SELECT * FROM {source}", query)), source, columns
    if library in (OPEN_CSV, LAZY_SIMPLE):
        source = _csv(table, serde.get("Parameters", {}), files, library == OPEN_CSV)
        cells = [
            f"{cast(ident(name), 'VARCHAR', kind)} AS {ident(name)}"
            for name, kind in columns.items()
        ]
        return cells, source, columns
    raise InputError(f"Table {table['Name']} has the SerDe {library!r}, which localaws lacks.")


def _by_name(columns: dict[str, str], found: dict[str, str]) -> list[str]:
    """The catalog's columns out of files that name theirs; a lacking one is null."""
    here = {name.lower(): name for name in found}
    cells = []
    for name, kind in columns.items():
        actual = here.get(name.lower())
        value = "NULL" if actual is None else cast(ident(actual), found[actual], kind)
        cells.append(f"CAST({value} AS {kind}) AS {ident(name)}")
    return cells


def _csv(table: Json, serde: Json, files: list[Path], quoted: bool) -> str:
    """Text read as the SerDe does: OpenCSV knows quotes, LazySimple only the delimiter."""
    parameters = table["StorageDescriptor"].get("Parameters", {}) | table.get("Parameters", {})
    names = [column["Name"] for column in table["StorageDescriptor"]["Columns"]]
    delimiter = serde.get("separatorChar") or serde.get("field.delim")
    delimiter = delimiter or parameters.get("delimiter") or ("," if quoted else "\x01")
    quote = serde.get("quoteChar", '"') if quoted else ""
    shape = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
    options = [
        f"columns = {{{shape}}}",
        "header = false",
        f"skip = {int(parameters.get('skip.header.line.count', 0))}",
        f"delim = {literal(delimiter)}",
        f"quote = {literal(quote)}",
        f"escape = {literal(quote)}",
        PLAIN,
    ]
    if quoted:  # an empty cell is the empty text there, not null
        options.append(f"force_not_null = [{', '.join(literal(name) for name in names)}]")
    else:
        options.append(
            f"nullstr = {literal(serde.get('serialization.null.format', chr(92) + 'N'))}"
        )
    return f"read_csv({_list(files)}, {', '.join(options)})"
