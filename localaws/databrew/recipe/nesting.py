"""Nested columns: packed into arrays, maps and structs, taken apart again, and read from JSON."""

from __future__ import annotations

import json
import re
from typing import Any

from localaws.databrew.recipe.cleaning import extract_value
from localaws.databrew.recipe.shapes import Compile
from localaws.databrew.recipe.sql import cast, ident, literal, to_text
from localaws.databrew.recipe.steps import Step
from localaws.databrew.recipe.table import ROW, Context, Selected, Table, with_only


def _type(kind: str) -> Any:
    """DuckDB's description of a type. The server reads recipes too, and carries no DuckDB."""
    import duckdb

    return duckdb.sqltype(kind)


def _plain(name: str) -> str:
    """A field's name as DuckDB writes it in a type."""
    return name if re.fullmatch("[a-z_][a-z0-9_]*", name) else ident(name)


def nest(write: str) -> Compile:
    """Packs columns into one array, map or struct column."""

    def compile_step(step: Step, table: Table, context: Context) -> Selected:
        sources = step.columns(table)
        target = step.new_column(table)
        kinds = [step.kind(table, name) for name in sources]
        if write == "struct":
            fields = ", ".join(f"{ident(name)} := {ident(name)}" for name in sources)
            inner = ", ".join(
                f"{_plain(name)} {kind}" for name, kind in zip(sources, kinds, strict=True)
            )
            value, kind = f"struct_pack({fields})", f"STRUCT({inner})"
        else:
            common = kinds[0] if len(set(kinds)) == 1 else "VARCHAR"
            cells = [
                cast(ident(name), each, common) for name, each in zip(sources, kinds, strict=True)
            ]
            if write == "array":
                value, kind = f"[{', '.join(cells)}]", f"{common}[]"
            else:
                pairs = ", ".join(
                    f"{literal(name)}: {cell}" for name, cell in zip(sources, cells, strict=True)
                )
                value, kind = f"MAP {{{pairs}}}", f"MAP(VARCHAR, {common})"
        gone = sources if step.flag("removeSourceColumns") else []
        return _with(table, {target: (value, kind)}, gone)

    return compile_step


def _with(table: Table, made: dict[str, tuple[str, str]], gone: list[str]) -> Selected:
    """The table with new last columns (SQL, type), without some of its own."""
    kept = {name: kind for name, kind in table.columns.items() if name not in gone}
    listed = ", ".join(["*", *(f"{value} AS {ident(name)}" for name, (value, _) in made.items())])
    columns = kept | {name: kind for name, (_, kind) in made.items()}
    sql = f"SELECT {listed} FROM {table.name}"
    if not gone:
        return Selected(sql, columns)
    return Selected(
        with_only(Table(columns, f"({sql})", table.ordered), list(columns)).sql, columns
    )


def _parts(step: Step, table: Table, column: str, wanted: str) -> dict[str, str]:
    """The fields of a column's type, by name; fails for a column of another kind."""
    kind = step.kind(table, column)
    parsed = _type(kind)
    if parsed.id != wanted:
        step.fail(f"column {column!r} is {kind}, no {wanted}.")
    return {str(name): str(part) for name, part in parsed.children}


def _new(step: Step, table: Table, names: list[str], gone: list[str]) -> None:
    there = {name.lower() for name in table.columns if name not in gone}
    for name in names:
        if name.lower() in there:
            step.fail(f"the new column {name!r} is there already.")
        there.add(name.lower())


def _gone(step: Step, columns: list[str]) -> list[str]:
    return columns if step.flag("removeSourceColumn") else []


def unnest_struct(step: Step, table: Table, context: Context) -> Selected:
    """A column for each field, named by it; after `targetColumn` and a period where that is given
    (inferred)."""
    column = step.column(table)
    if table.open:
        return Selected(f"SELECT * FROM {table.name}", dict(table.columns))
    prefix = f"{step.text('targetColumn')}." if step.has("targetColumn") else ""
    made = {
        prefix + name: (f"{ident(column)}.{ident(name)}", kind)
        for name, kind in _parts(step, table, column, "struct").items()
    }
    gone = _gone(step, [column])
    _new(step, table, list(made), gone)
    return _with(table, made, gone)


def _selected(step: Step, table: Table, wanted: str) -> list[str]:
    """The sourceColumns, or the columns of a kind whose names the regexColumnSelector matches."""
    if step.has("sourceColumns"):
        return step.columns(table)
    try:
        pattern = re.compile(step.text("regexColumnSelector"))
    except re.error as error:
        step.fail(f"regexColumnSelector is no regular expression: {error}.")
    return [
        name
        for name, kind in table.columns.items()
        if pattern.fullmatch(name) and _type(kind).id == wanted
    ]


def unnest_struct_n(step: Step, table: Table, context: Context) -> Selected:
    """A column for each field, `unnestLevel` structs deep (all without it), named by its path."""
    columns = _selected(step, table, "struct")
    if table.open:
        return Selected(f"SELECT * FROM {table.name}", dict(table.columns))
    levels = step.integer("unnestLevel", 100, at_least=1)
    delimiter = step.text("delimiter", ".")
    made: dict[str, tuple[str, str]] = {}

    def fields(sql: str, kind: str, path: str, level: int) -> None:
        parsed = _type(kind)
        if parsed.id != "struct" or level == levels:
            made[path] = (sql, kind)
            return
        for name, part in parsed.children:
            fields(f"{sql}.{ident(name)}", str(part), f"{path}{delimiter}{name}", level + 1)

    for column in columns:
        _parts(step, table, column, "struct")
        fields(ident(column), step.kind(table, column), column, 0)
    gone = _gone(step, columns)
    _new(step, table, list(made), gone)
    return _with(table, made, gone)


def _rows(table: Table, inner: str, columns: dict[str, str], shown: dict[str, str]) -> Selected:
    """The rows of `inner`, which has several for one of the table, in their order."""
    listed = [f"{shown.get(name, ident(name))} AS {ident(name)}" for name in columns]
    if table.ordered:
        listed.append(f"row_number() OVER (ORDER BY {ROW}) AS {ROW}")
    return Selected(f"SELECT {', '.join(listed)} FROM ({inner})", columns)


def unnest_array(step: Step, table: Table, context: Context) -> Selected:
    """A row for each element; a row without elements stays, with null (inferred)."""
    column, target = step.column(table), step.text("targetColumn")
    if table.open:
        return Selected(f"SELECT * FROM {table.name}", dict(table.columns))
    kind = _parts(step, table, column, "list")["child"]
    if target != column:
        step.new_column(table)
    name = ident(column)
    elements = f"CASE WHEN len({name}) > 0 THEN {name} ELSE [CAST(NULL AS {kind})] END"
    inner = f"SELECT *, unnest({elements}) AS __element FROM {table.name}"
    return _rows(table, inner, table.columns | {target: kind}, {target: "__element"})


def unnest_map(step: Step, table: Table, context: Context) -> Selected:
    """A row for each entry, as `<prefix>_key` and `<prefix>_value` (inferred)."""
    column = step.column(table)
    if table.open:
        return Selected(f"SELECT * FROM {table.name}", dict(table.columns))
    parts = _parts(step, table, column, "map")
    prefix = step.text("targetColumn", column)
    key, value = f"{prefix}_key", f"{prefix}_value"
    gone = _gone(step, [column])
    _new(step, table, [key, value], gone)
    name = ident(column)
    entries = f"CASE WHEN cardinality({name}) > 0 THEN map_entries({name}) ELSE [NULL] END"
    inner = f"SELECT *, unnest({entries}) AS __entry FROM {table.name}"
    columns = {each: kind for each, kind in table.columns.items() if each not in gone}
    columns |= {key: parts["key"], value: parts["value"]}
    return _rows(table, inner, columns, {key: "__entry.key", value: "__entry.value"})


def _limited(shape: Any, levels: int) -> Any:
    """The structure of JSON documents to a depth; what is deeper, or of no one kind, is a text."""
    if isinstance(shape, dict):
        if not levels:
            return "VARCHAR"
        return {name: _limited(part, levels - 1) for name, part in shape.items()}
    if isinstance(shape, list):
        return [_limited(part, levels) for part in shape]
    return {"NULL": "VARCHAR", "JSON": "VARCHAR", "UBIGINT": "BIGINT"}.get(shape, shape)


def json_to_structs(step: Step, table: Table, context: Context) -> Selected:
    """JSON texts as structs, of the most general structure that all of them have.

    In place with removeSourceColumn, else beside it as `<column>_struct` (inferred).
    """
    columns = _selected(step, table, "varchar")
    if table.open:
        return Selected(f"SELECT * FROM {table.name}", dict(table.columns))
    levels = step.integer("unnestLevel", 100, at_least=1)
    result = dict(table.columns)
    replaced, added = [], []
    for column in columns:
        text = to_text(ident(column), step.kind(table, column))
        document = f"CASE WHEN json_valid({text}) THEN CAST({text} AS JSON) END"
        bad = context.query(
            f"SELECT {text} FROM {table.name} WHERE {text} <> '' AND NOT json_valid({text}) LIMIT 1"
        )
        if bad:
            step.fail(f"column {column!r} has a cell that is no JSON: {str(bad[0][0])[:100]!r}.")
        found = context.query(f"SELECT json_group_structure({document}) FROM {table.name}")
        shape = _limited(json.loads(found[0][0]) if found and found[0][0] else "NULL", levels)
        value = f"json_transform({document}, {literal(json.dumps(shape))})"
        of_none = value.replace(document, "j")
        some = "(SELECT CAST('{}' AS JSON) AS j)"
        kind = str(context.query(f"SELECT typeof({of_none}) FROM {some}")[0][0])
        if step.flag("removeSourceColumn"):
            replaced.append(f"{value} AS {ident(column)}")
            result[column] = kind
        else:
            _new(step, table, [f"{column}_struct"], [])
            added.append(f", {value} AS {ident(f'{column}_struct')}")
            result[f"{column}_struct"] = kind
    star = f"* REPLACE ({', '.join(replaced)})" if replaced else "*"
    return Selected(f"SELECT {star}{''.join(added)} FROM {table.name}", result, twice=True)


OPERATIONS: dict[str, Compile] = {
    "JSON_TO_STRUCTS": json_to_structs,
    "NEST_TO_ARRAY": nest("array"),
    "NEST_TO_MAP": nest("map"),
    "NEST_TO_STRUCT": nest("struct"),
    "UNNEST_ARRAY": unnest_array,
    "UNNEST_MAP": unnest_map,
    "UNNEST_SPECIFIC_KEY": extract_value,
    "UNNEST_STRUCT": unnest_struct,
    "UNNEST_STRUCT_N": unnest_struct_n,
}
ORDERED = frozenset({"UNNEST_ARRAY", "UNNEST_MAP"})
