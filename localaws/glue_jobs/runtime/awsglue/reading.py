"""Files of one format as a data frame, its schema and the records that could not be read.

Each row has the URI of its file in the column `__file`, by which partition values come to it.
https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-format.html
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql import types as spark

from awsglue import avro_files
from awsglue import gluetypes as glue
from awsglue.documents import begins_with_array, json_reader, opened, xml_reader
from awsglue.objects import ListedFile, flag
from awsglue.places import Value, column
from awsglue.records import frame_of
from awsglue.refusal import only, refuse, warn
from awsglue.spark_types import from_spark, parse, to_spark
from localaws.tables import xml_records

FILE = "__file"
_STRING = glue.SCALARS["string"]
_GLOB = str.maketrans({letter: f"\\{letter}" for letter in "*?[]{}\\"})


@dataclass(frozen=True)
class Read:
    """What was read. `frame` has the column `__file`, `schema` has not."""

    frame: DataFrame
    schema: Any
    errors: tuple[DataFrame, ...] = ()
    sparse: bool = False  # its records may lack fields


@dataclass(frozen=True)
class Source:
    """Files, and how they are to be read. `columns` are those of a catalog's table, in order."""

    session: SparkSession
    files: Sequence[ListedFile]
    options: Mapping[str, Any]
    columns: Sequence[tuple[str, str]] = ()
    compression: str = ""

    def places(self) -> list[tuple[str, str]]:
        return [(str(file.path), self.spark_uri(file)) for file in self.files]

    def spark_uri(self, file: ListedFile) -> str:
        """As `input_file_name` gives it."""
        return str(self._path(file.uri).toUri())

    def _path(self, uri: str) -> Any:
        return self.session.sparkContext._jvm.org.apache.hadoop.fs.Path(uri)

    def paths(self) -> list[str]:
        """As Spark's readers take them: they would expand patterns."""
        return [file.uri.translate(_GLOB) for file in self.files]


def read(format: str, source: Source) -> Read:
    """Raises NotEmulated for a format or an option that is not read here."""
    reader = READERS.get(format)
    if reader is None:
        return refuse(f"the format {format} of an S3 source", f"It reads {', '.join(READERS)}.")
    if not source.files:
        kinds = [glue.Field(name, parse(kind)) for name, kind in source.columns]
        schema = glue.StructType(kinds)
        empty = source.session.createDataFrame([], to_spark(schema))
        return Read(empty.withColumn(FILE, F.lit("")), schema)
    return reader(source)


def _with_file(frame: DataFrame) -> DataFrame:
    return frame.withColumn(FILE, F.input_file_name())


# Parquet, ORC


def _columnar(name: str) -> Callable[[Source], Read]:
    def reader(source: Source) -> Read:
        """AWS hands no format_options on to Spark's readers; Glue Studio writes some."""
        if source.options:
            warn(f"format_options of {name} change nothing, as on AWS.")
        given = source.session.read.option("mergeSchema", "true")
        frame = given.format(name).load(source.paths())
        return Read(_with_file(frame), from_spark(frame.schema))

    return reader


# CSV


_CSV = ("separator", "escaper", "quoteChar", "multiLine", "multiline", "withHeader", "writeHeader",
        "skipFirst", "optimizePerformance", "strictCheckForQuoting")  # fmt: skip


def _csv(source: Source) -> Read:
    """Every column a text; an empty cell is an empty text. Files are read by their own headers."""
    options = source.options
    only("format_options of csv", options, _CSV)
    header = flag(options.get("withHeader", False))
    quote = str(options.get("quoteChar", '"'))
    marks = Marks(str(options.get("separator", ",")), "" if quote == "-1" else quote,
                  str(options.get("escaper", "") or ""))  # fmt: skip
    groups: dict[tuple[str, ...], list[ListedFile]] = {}
    for file in source.files:
        first = _first_row(file, marks, source.compression)
        labels = first if header else [f"col{number}" for number in range(len(first))]
        if first:
            groups.setdefault(tuple(labels), []).append(file)
    skip = header or flag(options.get("skipFirst", False))
    lines = flag(options.get("multiLine", options.get("multiline", False)))
    frames = [
        csv_rows(Source(source.session, files, {}), labels, marks, skip, lines).select(
            *(F.coalesce(column(label), F.lit("")).alias(label) for label in labels), FILE
        )
        for labels, files in groups.items()
    ]
    if not frames:
        return Read(source.session.createDataFrame([], f"{FILE} string"), glue.StructType())
    whole = frames[0]
    for frame in frames[1:]:
        whole = whole.unionByName(frame, allowMissingColumns=True)
    labels = [label for label in whole.columns if label != FILE]
    schema = glue.StructType(glue.Field(label, _STRING) for label in labels)
    return Read(whole.select(*(column(label) for label in labels), FILE), schema)


@dataclass(frozen=True)
class Marks:
    """Of text files; no quote or no escape is an empty text."""

    separator: str = ","
    quote: str = '"'
    escape: str = ""


def csv_rows(
    source: Source, labels: Sequence[str], marks: Marks, skip: bool, multi_line: bool
) -> DataFrame:
    """The cells as texts, null where empty, under these labels."""
    for file in source.files:
        if source.compression and not file.key.endswith((".gz", ".bz2", ".snappy")):
            refuse(
                f"compressionType for {file.uri}",
                "The key of a packed file ends in .gz, .bz2 or .snappy.",
            )
    texts = spark.StructType([spark.StructField(label, spark.StringType()) for label in labels])
    reader = source.session.read.schema(texts).options(
        sep=marks.separator,
        quote=marks.quote or "\0",
        escape=marks.escape or marks.quote or "\0",
        header=skip,
        multiLine=multi_line,
    )
    return _with_file(reader.csv(source.paths()))


def _first_row(file: ListedFile, marks: Marks, compression: str) -> list[str]:
    with opened(str(file.path), compression) as packed:
        lines = (line.decode("utf-8-sig", "replace") for line in packed)
        if marks.quote:
            rows = csv.reader(lines, delimiter=marks.separator, quotechar=marks.quote)
        else:
            rows = csv.reader(lines, delimiter=marks.separator, quoting=csv.QUOTE_NONE)
        return next((row for row in rows if row), [])


def typed_csv(source: Source, marks: Marks, skip: bool) -> Read:
    """The columns of a catalog's table, by their places. A cell that is no value of its column's
    type stays a text: the column is a choice then, as AWS's sample of ResolveChoice shows."""
    labels = [name for name, _ in source.columns]
    frame = csv_rows(source, labels, marks, skip, multi_line=False)
    kinds = {name: parse(kind) for name, kind in source.columns}
    bad = _not_of_their_type(frame, kinds)
    fields = [(name, _cell(column(name), kind, name in bad)) for name, kind in kinds.items()]
    schema = glue.StructType(glue.Field(name, value.kind) for name, value in fields)
    return Read(frame.select(*(value.column.alias(name) for name, value in fields), FILE), schema)


def _not_of_their_type(frame: DataFrame, kinds: Mapping[str, Any]) -> set[str]:
    checks = [
        F.max(
            F.col(f"`{name}`").isNotNull() & F.col(f"`{name}`").cast(to_spark(kind)).isNull()
        ).alias(name)
        for name, kind in kinds.items()
        if kind != _STRING
    ]
    if not checks:
        return set()
    row = frame.agg(*checks).collect()[0]
    return {name for name, bad in row.asDict().items() if bad}


def _cell(text: Any, kind: Any, choice: bool) -> Value:
    if kind == _STRING:
        return Value(F.coalesce(text, F.lit("")), kind)
    value = text.cast(to_spark(kind))
    if not choice:
        return Value(value, kind)
    both = F.struct(value.alias(kind.name), F.when(value.isNull(), text).alias("string"))
    return Value(F.when(text.isNotNull(), both), glue.ChoiceType([kind, _STRING]))


# JSON, XML, Avro: read in Python


_JSON = ("jsonPath", "multiLine", "multiline", "withSchema", "optimizePerformance")


def _json(source: Source) -> Read:
    options = source.options
    only("format_options of json", options, _JSON)
    path = options.get("jsonPath")
    if not path and any(begins_with_array(str(f.path), source.compression) for f in source.files):
        refuse("a JSON file that is one array, without jsonPath", 'Give "jsonPath": "$[*]".')
    lines = flag(options.get("multiLine", options.get("multiline", False)))
    schema = _with_schema(options)
    found = _in_python(source, json_reader(path, lines, source.compression), schema)
    return replace(found, sparse=True)


def _avro(source: Source) -> Read:
    only("format_options of avro", source.options, ("version",))
    version = str(source.options.get("version", "1.7"))
    if version not in avro_files.VERSIONS:
        raise ValueError(f"Avro's version is {version}; it is {' or '.join(avro_files.VERSIONS)}.")
    schema = glue.SCALARS["null"]
    for file in source.files:
        schema = glue.merge(schema, avro_files.schema_of(str(file.path), version))
    return _in_python(source, avro_files.reader(version), schema)


_XML = ("rowTag", "encoding", "excludeAttribute", "treatEmptyValuesAsNulls", "attributePrefix",
        "valueTag", "ignoreSurroundingSpaces", "withSchema")  # fmt: skip


def _xml(source: Source) -> Read:
    options = source.options
    only("format_options of xml", options, _XML)
    if not options.get("rowTag"):
        raise ValueError("The format xml needs rowTag, the name of the elements that are records.")
    rules = xml_records.Rules(
        str(options["rowTag"]),
        options.get("encoding"),
        not flag(options.get("excludeAttribute", False)),
        str(options.get("attributePrefix", "_")),
        str(options.get("valueTag", "_VALUE")),
        flag(options.get("treatEmptyValuesAsNulls", False)),
        flag(options.get("ignoreSurroundingSpaces", False)),
    )
    found = _in_python(source, xml_reader(rules, source.compression), _with_schema(options))
    return replace(found, sparse=True)


def _with_schema(options: Mapping[str, Any]) -> Any:
    """The schema that the option gives, in JSON; None without it."""
    if not options.get("withSchema"):
        return None
    import json

    return glue.from_json(json.loads(options["withSchema"]))


def _in_python(source: Source, reader: Callable[[Iterable[Any]], Any], schema: Any) -> Read:
    context = source.session.sparkContext
    places = context.parallelize(source.places(), min(len(source.files), 200))
    if schema is not None:
        schema = glue.StructType([*schema.fields, glue.Field(FILE, _STRING)])
    frame, found, errors = frame_of(source.session, places.mapPartitions(reader), schema)
    own = glue.StructType(field for field in found.fields if field.name != FILE)
    if not any(field.name == FILE for field in found.fields):  # no good record at all
        frame = frame.withColumn(FILE, F.lit(""))
    return Read(frame, own, (errors,))


READERS: dict[str, Callable[[Source], Read]] = {
    "csv": _csv,
    "json": _json,
    "parquet": _columnar("parquet"),
    "glueparquet": _columnar("parquet"),
    "orc": _columnar("orc"),
    "avro": _avro,
    "xml": _xml,
}
