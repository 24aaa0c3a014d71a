"""JSON files: documents on lines, or (MultiLine) over several, in the types they are written in.

The types are those of all documents, not of a sample. A text that looks like a date stays a text,
as in Spark; values of several kinds under one name become texts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import duckdb

from localaws.databrew.inference import NUMBERS, infer, value
from localaws.databrew.recipe.sql import ident, literal
from localaws.databrew.source import InputError, Relation, Source
from localaws.tables import hive
from localaws.tables.codecs import codec
from localaws.tables.errors import not_emulated

Query = Callable[[str], list[tuple[Any, ...]]]

_NUMBERS = ("BIGINT", "UBIGINT", "HUGEINT", "DOUBLE")
_TEXTS = ("NULL", "JSON")  # nowhere filled; of several kinds


def _codec(uri: str) -> str:
    """Raises TableError for what DuckDB does not unpack."""
    kind = codec(uri)
    if kind == "snappy":
        raise not_emulated(f"the compression of {uri}")
    return kind


def relation(source: Source, raw: Collection[str], query: Query, folder: Path) -> Relation:
    """The dataset's rows. Raises InputError."""
    lines = not source.options.get("Json", {}).get("MultiLine", False)
    how = "newline_delimited" if lines else "auto"
    documents = " UNION ALL ".join(
        f"SELECT j FROM read_json({hive.paths([file])}, format = '{how}', records = false, "
        f"columns = {{j: 'JSON'}}, compression = {literal(_codec(file.uri))}, "
        "maximum_object_size = 67108864, hive_partitioning = false)"
        for file in source.files
    )
    try:
        ((found,),) = query(f"SELECT json_group_structure(j) FROM ({documents})")
        shape = json.loads(found) if found else {}
        if isinstance(shape, list) and len(shape) == 1:  # a document is an array of rows
            documents = f"SELECT unnest(CAST(j AS JSON[])) AS j FROM ({documents})"
            shape = shape[0]
        if not isinstance(shape, dict) or not shape:
            raise InputError(f"Dataset {source.name} has no JSON objects, and so no column.")
        _check_names(source.name, shape)
        return _typed(documents, shape, query)
    except duckdb.Error as error:
        message = re.sub(r'"[^"]*/([^/"]+)"', r"\1", str(error).splitlines()[0])
        raise InputError(f"Dataset {source.name}: {message}") from error


def _check_names(dataset: str, shape: Any) -> None:
    """Spark refuses keys that differ in case only, and no column can be without a name."""
    if isinstance(shape, list):
        for each in shape:
            _check_names(dataset, each)
    if not isinstance(shape, dict):
        return
    seen: dict[str, str] = {}
    for name, each in shape.items():
        if not name:
            raise InputError(f"Dataset {dataset} has an empty key, which no column is called.")
        other = seen.setdefault(name.lower(), name)
        if other != name:
            raise InputError(
                f"Dataset {dataset} has the keys {other!r} and {name!r}, which differ in case only."
            )
        _check_names(dataset, each)


def _typed(documents: str, shape: dict[str, Any], query: Query) -> Relation:
    cells = {f"c{number}": name for number, name in enumerate(shape)}
    read = {cell: _readable(shape[name]) for cell, name in cells.items()}
    numbers = {cell: NUMBERS for cell, name in cells.items() if shape[name] in _NUMBERS}
    read |= dict.fromkeys(numbers, "VARCHAR")  # with every digit, until its type is known
    structure = json.dumps({name: read[cell] for cell, name in cells.items()})
    shown = ", ".join(f"r.{ident(name)} AS {cell}" for cell, name in cells.items())
    rows = (
        f"SELECT {shown} FROM"
        f" (SELECT json_transform(j, {literal(structure)}) AS r FROM ({documents}))"
    )
    found = infer(rows, numbers, query) if numbers else {}
    values = [
        f"{value(cell, found[cell]) if cell in found else cell} AS {ident(name)}"
        for cell, name in cells.items()
    ]
    sql = f"SELECT {', '.join(values)} FROM ({rows})"
    return Relation(sql, {str(row[0]): str(row[1]) for row in query(f"DESCRIBE {sql}")})


def _readable(shape: Any) -> Any:
    """The structure that json_transform takes: what has no one kind is read as text."""
    if isinstance(shape, dict):
        return {name: _readable(each) for name, each in shape.items()}
    if isinstance(shape, list):
        return [_readable(each) for each in shape]
    return "VARCHAR" if shape in _TEXTS else shape
