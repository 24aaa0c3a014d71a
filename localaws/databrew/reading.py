"""A dataset as a DuckDB relation over the objects' own files.

Text in S3 (CSV, Excel) gets its types by inference, JSON has the types that it is written in, and
tables of the Data Catalog have those that the catalog says: they are read as every service reads
them (localaws.tables).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

from localaws.databrew import csv_files, excel_files, json_files
from localaws.databrew.recipe.sql import ident, literal, to_text
from localaws.databrew.recipe.steps import Step
from localaws.databrew.source import InputError, Relation, Source
from localaws.tables import hive
from localaws.tables.errors import TableError
from localaws.tables.rewritten import orc_as_parquet
from localaws.tables.snapshot import DataFile

Query = Callable[[str], list[tuple[Any, ...]]]


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


def relation(source: Source, raw: Collection[str], query: Query, folder: Path) -> Relation:
    """The dataset as SQL. `folder` takes files that have to be rewritten. Raises InputError."""
    try:
        if source.table is not None:
            sql = hive.relation(source.table, query, folder, lenient=True)
            return Relation(sql, _described(sql, query))
        if any(source.path_columns):
            return _with_path_columns(source, raw, query, folder)
        return _READERS[source.format](source, raw, query, folder)
    except TableError as error:
        raise InputError(str(error)) from error


def _with_path_columns(
    source: Source, raw: Collection[str], query: Query, folder: Path
) -> Relation:
    """Files of one key's texts at a time, those texts as last columns (inferred)."""
    groups: dict[tuple[tuple[str, str], ...], list[DataFile]] = {}
    for file, texts in zip(source.files, source.path_columns, strict=True):
        groups.setdefault(texts, []).append(file)

    def read(text: Collection[str]) -> list[Relation]:
        return [
            _READERS[source.format](
                replace(source, files=tuple(files), path_columns=()), text, query, folder
            )
            for files in groups.values()
        ]

    relations = read(raw)
    first = relations[0].columns
    for each in relations[1:]:
        if list(each.columns) != list(first):
            raise InputError(f"The files of dataset {source.name} have different columns.")
    mixed = {name for name in first if len({each.columns[name] for each in relations}) > 1}
    if mixed:  # a type has to be one of all files: those columns are texts in each
        relations = read({*raw, *mixed})
    columns = {
        name: "VARCHAR" if name in mixed else kind for name, kind in relations[0].columns.items()
    }
    parts = []
    for texts, each in zip(groups, relations, strict=True):
        own = [
            f"{to_text(ident(name), kind) if name in mixed else ident(name)} AS {ident(name)}"
            for name, kind in each.columns.items()
        ]
        shown = [f"{literal(text)} AS {ident(name)}" for name, text in texts]
        parts.append(f"SELECT {', '.join([*own, *shown])} FROM ({each.sql})")
    for name, _ in next(iter(groups)):
        if name in columns:
            raise InputError(f"The parameter {name!r} has the name of a column; give another.")
        columns[name] = "VARCHAR"
    return Relation(" UNION ALL ".join(parts), columns)


def _parquet(source: Source, raw: Collection[str], query: Query, folder: Path) -> Relation:
    sql = (
        f"SELECT * FROM read_parquet({hive.paths(source.files)}, union_by_name = true, "
        "hive_partitioning = false)"
    )
    return Relation(sql, _described(sql, query))


def _orc(source: Source, raw: Collection[str], query: Query, folder: Path) -> Relation:
    """DuckDB has no reader of ORC: each file becomes one of Parquet, stripe by stripe."""
    written = tuple(orc_as_parquet(file, folder) for file in source.files)
    return _parquet(replace(source, files=written), raw, query, folder)


_READERS: dict[str, Callable[[Source, Collection[str], Query, Path], Relation]] = {
    "CSV": csv_files.relation,
    "EXCEL": excel_files.relation,
    "JSON": json_files.relation,
    "ORC": _orc,
    "PARQUET": _parquet,
}
FORMATS = tuple(_READERS)


def _described(sql: str, query: Query) -> dict[str, str]:
    return {str(row[0]): str(row[1]) for row in query(f"DESCRIBE {sql}")}
