"""From a mapping of columns to the steps that Glue takes for a target.

The chains are those of recorded scripts: files of columns get choices as structs and lose fields
that are null alone, a database gets choices as columns, text files neither, and what goes into a
table of the catalog takes that table's columns and types.
"""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass

from localaws.errors import NotEmulated
from localaws.glue_code.graph import SINK, SOURCE, Argument, Node, invalid
from localaws.shapes import Json

COLUMNAR = ("parquet", "orc", "glueparquet")
# What a place of GetPlan may say: the arguments of a DataSink, as recorded graphs have them.
S3_ARGUMENTS = (
    "path", "partitionKeys", "compression",
    "connection_type", "connection_options", "format", "format_options",
)  # fmt: skip
JDBC_ARGUMENTS = ("catalog_connection", "connection_options", "dbtable", "database")
_NAMES = {"bigint": "long", "tinyint": "byte", "smallint": "short", "integer": "int"}
_TEXTS = ("char", "varchar")


Step = tuple[str, dict[str, str]]  # kind, arguments


@dataclass(frozen=True)
class Target:
    """A sink's arguments, and the steps before it."""

    arguments: dict[str, str]
    steps: tuple[Step, ...] = ()
    takes_columns: bool = False


def type_name(of_catalog: str) -> str:
    """A column's type as mappings have it: `long` for bigint, `array` for array<string>."""
    plain = of_catalog.strip().lower()
    outer = plain.partition("<")[0].partition("(")[0]
    if outer in _TEXTS:
        return "string"
    return plain if outer == "decimal" else _NAMES.get(outer, outer)


def columns(table: Json) -> list[Json]:
    """The columns of a table, and then its partition keys."""
    place = table.get("StorageDescriptor") or {}
    return [*(place.get("Columns") or []), *(table.get("PartitionKeys") or [])]


def mapping(source: Json, sink: Json | None) -> list[Json]:
    """Each column of the source to that of its name: of the sink, or of a new target."""
    known = {each["Name"].lower(): each for each in columns(sink)} if sink else None
    found = []
    for column in columns(source):
        to = column if known is None else known.get(column["Name"].lower())
        if to is not None:
            entry = {
                "SourceTable": source["Name"],
                "SourcePath": column["Name"],
                "SourceType": type_name(column["Type"]),
                "TargetTable": (sink or source)["Name"],
                "TargetPath": to["Name"],
                "TargetType": type_name(to["Type"]),
            }
            found.append(entry)
    return found


def table_target(table: Json) -> Target:
    place = {"database": _text(table["DatabaseName"]), "table_name": _text(table["Name"])}
    steps: list[Step] = [("ResolveChoice", {"choice": _text("MATCH_CATALOG"), **place})]
    kind = str((table.get("Parameters") or {}).get("classification", "")).lower()
    if kind in COLUMNAR:
        steps.append(("ResolveChoice", {"choice": _text("make_struct")}))
    return Target(place, tuple(steps), takes_columns=True)


def s3_target(given: list[Json]) -> Target:
    said = _said(given, "S3", S3_ARGUMENTS)
    options = said.pop("connection_options", None)
    if options is None:
        inner = {
            key: said.pop(key) for key in ("path", "partitionKeys", "compression") if key in said
        }
        if "path" not in inner:
            raise invalid("Location.S3 has no path.")
        options = "{" + ", ".join(f'"{key}": {value}' for key, value in inner.items()) + "}"
    arguments = {
        "connection_type": said.pop("connection_type", _text("s3")),
        "connection_options": options,
        "format": said.pop("format", _text("csv")),
        **said,
    }
    columnar = ast.literal_eval(arguments["format"]) in COLUMNAR
    return Target(arguments, _settled("make_struct") if columnar else ())


def jdbc_target(given: list[Json]) -> Target:
    said = _said(given, "Jdbc", JDBC_ARGUMENTS)
    inner = {key: said.pop(key) for key in ("dbtable", "database") if key in said}
    if inner:
        options = "{" + ", ".join(f'"{key}": {value}' for key, value in inner.items()) + "}"
        said.setdefault("connection_options", options)
    if not {"catalog_connection", "connection_options"} <= said.keys():
        raise invalid("Location.Jdbc has no catalog_connection, or no dbtable and database.")
    return Target(said, _settled("make_cols"))


def plan(source: Json, wanted: list[Json], target: Target) -> list[Node]:
    """The nodes from a table of the catalog (a CatalogEntry) over the mapping to the target."""
    tuples = [_mapped(each) for each in wanted]
    if not tuples:
        raise invalid("Mapping names no column.")
    place = {
        "database": _text(source["DatabaseName"]), "table_name": _text(source["TableName"])
    }  # fmt: skip
    chain = [
        (SOURCE, place),
        ("ApplyMapping", {"mapping": f"[{', '.join(tuples)}]"}),
        *((("SelectFields", {"paths": _paths(wanted)}),) if target.takes_columns else ()),
        *target.steps,
        (SINK, target.arguments),
    ]
    nodes: list[Node] = []
    for number, (kind, said) in enumerate(chain):
        inputs = (("frame", nodes[-1].name),) if nodes else ()
        arguments = tuple(Argument(name, value) for name, value in said.items())
        nodes.append(Node(f"{kind.lower()}{number}", kind, arguments, inputs))
    return nodes


def _settled(choice: str) -> tuple[Step, ...]:
    return ("ResolveChoice", {"choice": _text(choice)}), ("DropNullFields", {})


def _mapped(entry: Json) -> str:
    given = {"TargetPath": entry.get("SourcePath"), "TargetType": entry.get("SourceType"), **entry}
    parts = [given.get(key) for key in ("SourcePath", "SourceType", "TargetPath", "TargetType")]
    if not all(parts):
        raise invalid(f"An entry of Mapping has no SourcePath or no SourceType: {entry}.")
    return f"({', '.join(_text(str(part)) for part in parts)})"


def _paths(wanted: list[Json]) -> str:
    names = [_text(str(each.get("TargetPath") or each["SourcePath"])) for each in wanted]
    return f"[{', '.join(names)}]"


def _said(given: list[Json], place: str, known: tuple[str, ...]) -> dict[str, str]:
    """Names and source texts; what is no Python is taken as the text itself."""
    said = {}
    for each in given:
        if each["Name"] not in known:
            raise NotEmulated(
                "glue", "GetPlan", f"Location.{place} {each['Name']}", f"It has {', '.join(known)}."
            )
        said[each["Name"]] = each["Value"] if _is_literal(each["Value"]) else _text(each["Value"])
    return said


def _is_literal(value: str) -> bool:
    try:
        ast.literal_eval(value)
    except (SyntaxError, ValueError):
        return False
    return True


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
