"""How a table's files are written: its SerDe with the SerDe's properties, read once for everyone.

https://docs.aws.amazon.com/athena/latest/ug/supported-serdes.html. A property that would change
what is read and is not known here is refused by its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from localaws.shapes import Json
from localaws.tables.errors import TableError, not_emulated
from localaws.tables.grok import program
from localaws.trino.errors import Fault
from localaws.trino.regular_expressions import compiled

PARQUET = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
OPEN_CSV = "org.apache.hadoop.hive.serde2.OpenCSVSerde"
LAZY_SIMPLE = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
OPENX_JSON = "org.openx.data.jsonserde.JsonSerDe"
HIVE_JSON = "org.apache.hive.hcatalog.data.JsonSerDe"
REGEX = "org.apache.hadoop.hive.serde2.RegexSerDe"
GROK = "com.amazonaws.glue.serde.GrokSerDe"
ORC = "org.apache.hadoop.hive.ql.io.orc.OrcSerde"
AVRO = "org.apache.hadoop.hive.serde2.avro.AvroSerDe"
CLOUDTRAIL = "com.amazon.emr.hive.serde.CloudTrailSerde"

_TEXT_FILES = (
    "org.apache.hadoop.mapred.TextInputFormat",
    "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
)
_PARQUET_FILES = (
    "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
)


_ORC_FILES = (
    "org.apache.hadoop.hive.ql.io.orc.OrcInputFormat",
    "org.apache.hadoop.hive.ql.io.orc.OrcOutputFormat",
)
# CloudTrail's files: one object with a list, `Records`. Newer tables have them beside HIVE_JSON.
# https://docs.aws.amazon.com/athena/latest/ug/cloudtrail-logs.html
_CLOUDTRAIL_FILES = (
    "com.amazon.emr.cloudtrail.CloudTrailInputFormat",
    "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
)
_AVRO_FILES = (
    "org.apache.hadoop.hive.ql.io.avro.AvroContainerInputFormat",
    "org.apache.hadoop.hive.ql.io.avro.AvroContainerOutputFormat",
)


@dataclass(frozen=True)
class SerDe:
    """`format` is ours; `properties` are those that it reads, `inert` those that change nothing
    for a reader; a property that ends in `.` stands for all that begin with it."""

    library: str
    format: str
    files: tuple[str, str]  # Hadoop's input and output format
    properties: tuple[str, ...]
    inert: tuple[str, ...] = ("serialization.format", "path")  # path: Spark notes it in its tables


SERDES: dict[str, SerDe] = {
    serde.library: serde
    for serde in (
        SerDe(PARQUET, "parquet", _PARQUET_FILES, ("parquet.column.index.access",)),
        SerDe(
            OPEN_CSV,
            "open_csv",
            _TEXT_FILES,
            ("separatorChar", "quoteChar", "escapeChar", "use.null.for.invalid.data"),
        ),
        SerDe(
            LAZY_SIMPLE,
            "text",
            _TEXT_FILES,
            (
                "field.delim",
                "serialization.format",
                "escape.delim",
                "serialization.null.format",
                "serialization.last.column.takes.rest",
                "line.delim",
                "collection.delim",
                "colelction.delim",  # sic: Hive's own spelling
                "mapkey.delim",
            ),
            ("hive.serialization.extend.nesting.levels",),
        ),
        SerDe(
            OPENX_JSON,
            "json",
            _TEXT_FILES,
            (
                "ignore.malformed.json",
                "dots.in.keys",
                "case.insensitive",
                "mapping.",
                "use.null.for.invalid.data",
            ),
            # mapping: Athena's console gives it to every table of JSON, and the SerDe never asks.
            ("serialization.format", "path", "paths", "explicit.null", "mapping"),
        ),
        SerDe(HIVE_JSON, "json", _TEXT_FILES, ()),
        SerDe(
            REGEX,
            "regex",
            _TEXT_FILES,
            ("input.regex", "input.regex.case.insensitive"),
            ("serialization.format", "output.format.string"),
        ),
        SerDe(GROK, "grok", _TEXT_FILES, ("input.format", "input.grokCustomPatterns")),
        SerDe(CLOUDTRAIL, "json", _CLOUDTRAIL_FILES, ()),
        SerDe(ORC, "orc", _ORC_FILES, ("orc.column.index.access",)),
        SerDe(AVRO, "avro", _AVRO_FILES, ("avro.schema.literal",)),
    )
}
WRITTEN_BY = {"parquet": PARQUET, "textfile": LAZY_SIMPLE, "json": HIVE_JSON}
STORED_AS = {"parquet": PARQUET, "textfile": LAZY_SIMPLE, "orc": ORC, "avro": AVRO}
# Table properties that AWS documents with an effect on reading, and that have none here.
_REFUSED_PROPERTIES = ("skip.footer.line.count",)


@dataclass(frozen=True)
class Storage:
    """One SerDe with its properties. Which members count depends on the format: `parquet`, `orc`,
    `avro`, `open_csv` (OpenCSVSerDe), `text` (LazySimpleSerDe), `regex`, `grok` or `json` (one
    object a line)."""

    format: str
    header_lines: int = 0
    separator: str = ","
    quote: str = '"'
    escape: str = "\\"  # "": there is none
    null_text: str = "\\N"
    last_takes_rest: bool = False
    null_for_invalid: bool = False
    case_insensitive: bool = True
    dots_in_keys: bool = False
    ignore_malformed: bool = False
    hive_json: bool = False  # JSON as Hive's SerDe reads it: objects alone, numbers without quotes
    mapping: tuple[tuple[str, str], ...] = ()  # (column, JSON key)
    by_position: bool = False  # columns of Parquet and ORC, otherwise by name
    nesting: str = ""  # what is between the parts of nested values, a letter for each level
    regex: str = ""  # in Java's syntax, of a whole line; Grok's input.format
    patterns: str = ""  # Grok's own ones, a line each
    schema: str = ""  # Avro's, as JSON
    records: bool = False  # JSON: a file is one object, its list `Records` has the rows


def storage(descriptor: Json, table_parameters: Mapping[str, str], name: str) -> Storage:
    """What a StorageDescriptor says, in a table called `name`.

    Raises TableError (NOT_SUPPORTED) for a SerDe, an input format or a property that is not read.
    """
    kind = table_parameters.get("table_type")
    if kind:
        raise not_emulated(f"{kind} tables, and {name} is one")
    info = descriptor.get("SerdeInfo") or {}
    library = info.get("SerializationLibrary") or ""
    serde = SERDES.get(library)
    if serde is None:
        raise not_emulated(f"the SerDe {library or '(none)'} of table {name}")
    trail = descriptor.get("InputFormat") == _CLOUDTRAIL_FILES[0] and library in (
        HIVE_JSON, CLOUDTRAIL,
    )  # fmt: skip
    if not trail and descriptor.get("InputFormat") not in (None, "", serde.files[0]):
        raise not_emulated(f"the input format {descriptor['InputFormat']} of table {name}")
    for key in _REFUSED_PROPERTIES:
        if str(table_parameters.get(key, "0")).lower() not in ("0", "false"):
            raise not_emulated(f"the table property {key} of table {name}")
    given: dict[str, str] = info.get("Parameters") or {}
    check_properties(serde, given, name)
    header = table_parameters.get("skip.header.line.count") or (
        descriptor.get("Parameters") or {}
    ).get("skip.header.line.count", "0")
    read = _READ[library](given, _count(header, "skip.header.line.count", name), name)
    if trail or library == CLOUDTRAIL:  # which hands on what is nested in a record as its text
        return replace(read, records=True, hive_json=False)
    return read


def check_properties(serde: SerDe, given: Mapping[str, str], name: str) -> None:
    """Refuses the first SerDe property that would have an effect on AWS and has none here."""
    for key in given:
        known = (*serde.properties, *serde.inert)
        if not any(key == one or (one.endswith(".") and key.startswith(one)) for one in known):
            raise not_emulated(
                f"the SerDe property {key} of table {name}; "
                f"{serde.library.rpartition('.')[2]} has {', '.join(sorted(known))}"
            )


def _parquet(given: Mapping[str, str], header: int, name: str) -> Storage:
    return Storage("parquet", by_position=_flag(given, "parquet.column.index.access", False, name))


def _open_csv(given: Mapping[str, str], header: int, name: str) -> Storage:
    separator = (given.get("separatorChar") or ",")[0]
    quote = (given.get("quoteChar") or '"')[0]
    escape = (given.get("escapeChar") or "\\")[0]
    if escape == '"':  # Trino reads it as the default
        escape = "\\"
    if len({separator, quote, escape}) < 3 and not quote == escape == "\0":
        raise TableError(
            "HIVE_INVALID_METADATA",
            f"table {name}: separatorChar, quoteChar and escapeChar must differ; they are "
            f"{separator!r}, {quote!r} and {escape!r}",
        )
    return Storage(
        "open_csv",
        header,
        separator,
        quote.strip("\0"),
        escape.strip("\0"),
        null_for_invalid=_flag(given, "use.null.for.invalid.data", False, name),
    )


def _text(given: Mapping[str, str], header: int, name: str) -> Storage:
    if given.get("line.delim", "\n") not in ("\n", "10"):
        raise TableError(
            "HIVE_INVALID_METADATA",
            f"table {name}: LINES TERMINATED BY only supports newline, not {given['line.delim']!r}",
        )
    escape = given.get("escape.delim")
    return Storage(
        "text",
        header,
        delimiter(given.get("field.delim") or given.get("serialization.format") or "\x01"),
        quote="",
        escape="" if escape is None else delimiter(escape or "\\"),
        null_text=given.get("serialization.null.format", "\\N"),
        last_takes_rest=_flag(given, "serialization.last.column.takes.rest", False, name),
        nesting="".join(
            (
                delimiter(given.get("collection.delim") or given.get("colelction.delim") or "\x02"),
                delimiter(given.get("mapkey.delim") or "\x03"),
                "\x04\x05\x06\x07\x08",
            )
        ),
    )


def _regex(given: Mapping[str, str], header: int, name: str) -> Storage:
    written = given.get("input.regex")
    if not written:
        raise TableError(
            "HIVE_INVALID_METADATA", f"table {name}: RegexSerDe needs the property input.regex"
        )
    ignore_case = _flag(given, "input.regex.case.insensitive", False, name)
    regex = f"(?s{'i' if ignore_case else ''}){written}"
    try:
        compiled(regex)
    except Fault:
        raise TableError(
            "HIVE_INVALID_METADATA",
            f"table {name}: input.regex is no regular expression: {written}",
        ) from None
    return Storage("regex", header, regex=regex)


def _grok(given: Mapping[str, str], header: int, name: str) -> Storage:
    written, custom = given.get("input.format"), given.get("input.grokCustomPatterns", "")
    if not written or not written.strip():
        raise TableError(
            "HIVE_INVALID_METADATA", f"table {name}: GrokSerDe needs the property input.format"
        )
    program(written, custom)
    return Storage("grok", header, regex=written, patterns=custom)


def _orc(given: Mapping[str, str], header: int, name: str) -> Storage:
    return Storage("orc", by_position=_flag(given, "orc.column.index.access", True, name))


def _avro(given: Mapping[str, str], header: int, name: str) -> Storage:
    schema = given.get("avro.schema.literal")
    if not schema:
        raise TableError(
            "HIVE_INVALID_METADATA",
            f"table {name}: AvroSerDe needs the property avro.schema.literal",
        )
    return Storage("avro", schema=schema)


def _openx_json(given: Mapping[str, str], header: int, name: str) -> Storage:
    return Storage(
        "json",
        header,
        null_for_invalid=_flag(given, "use.null.for.invalid.data", False, name),
        case_insensitive=_flag(given, "case.insensitive", True, name),
        dots_in_keys=_flag(given, "dots.in.keys", False, name),
        ignore_malformed=_flag(given, "ignore.malformed.json", False, name),
        mapping=tuple(
            sorted(
                (key.removeprefix("mapping.").lower(), value)
                for key, value in given.items()
                if key.startswith("mapping.")
            )
        ),
    )


def _hive_json(given: Mapping[str, str], header: int, name: str) -> Storage:
    return Storage("json", header, hive_json=True)


_READ = {
    PARQUET: _parquet,
    OPEN_CSV: _open_csv,
    LAZY_SIMPLE: _text,
    OPENX_JSON: _openx_json,
    HIVE_JSON: _hive_json,
    CLOUDTRAIL: _hive_json,
    REGEX: _regex,
    GROK: _grok,
    ORC: _orc,
    AVRO: _avro,
}


def delimiter(written: str) -> str:
    """One character, or its number, as Hive's LazySimpleSerDe takes it: `9` is a tab."""
    try:
        number = int(written)
    except ValueError:
        return written[0]
    return chr(number % 256) if -128 <= number <= 127 else written[0]


def _flag(given: Mapping[str, str], key: str, default: bool, name: str) -> bool:
    value = given.get(key, str(default)).strip().lower()
    if value not in ("true", "false"):
        raise TableError(
            "HIVE_INVALID_METADATA",
            f"table {name}: the SerDe property {key} is {given[key]!r}; it is true or false",
        )
    return value == "true"


def _count(value: str, key: str, name: str) -> int:
    if not str(value).strip().isdigit():
        raise TableError(
            "HIVE_INVALID_METADATA", f"table {name}: {key} is {value!r}; it is a whole number"
        )
    return int(value)


def descriptor(
    library: str, serde_parameters: Mapping[str, str], columns: list[Json], location: str
) -> Json:
    """The StorageDescriptor of a table whose files the SerDe reads and writes."""
    reads, writes = SERDES[library].files
    return {
        "Columns": columns,
        "Location": location,
        "InputFormat": reads,
        "OutputFormat": writes,
        "Compressed": False,
        "NumberOfBuckets": -1,
        "SerdeInfo": {"SerializationLibrary": library, "Parameters": dict(serde_parameters)},
        "BucketColumns": [],
        "SortColumns": [],
        "Parameters": {},
        "StoredAsSubDirectories": False,
    }
