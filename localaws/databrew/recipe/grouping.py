"""Data structure: GROUP_BY, JOIN, UNION, PIVOT, UNPIVOT, nesting and unnesting."""

from __future__ import annotations

import re

from localaws.databrew.recipe.shapes import Compile
from localaws.databrew.recipe.sql import TYPES, cast, ident, literal, to_double, to_text
from localaws.databrew.recipe.steps import Step
from localaws.databrew.recipe.table import ROW, Context, Selected, Table, with_only

MAXIMUM_PIVOT_VALUES = 10

# name: (SQL over c, the column, and n, the column as a number; the type, None for the column's).
# The guide has no list of function names: these are those of its examples and console.
AGGREGATES: dict[str, tuple[str, str | None]] = {
    "COUNT": ("count({c})", "BIGINT"),
    "COUNT_DISTINCT": ("count(DISTINCT {c})", "BIGINT"),
    "SUM": ("sum({n})", "DOUBLE"),
    "AVERAGE": ("avg({n})", "DOUBLE"),
    "MEAN": ("avg({n})", "DOUBLE"),
    "MEDIAN": ("median({n})", "DOUBLE"),
    "MIN": ("min({c})", None),
    "MAX": ("max({c})", None),
    "MODE": ("mode({c})", None),
    "STANDARD_DEVIATION": ("stddev_samp({n})", "DOUBLE"),
    "VARIANCE": ("var_samp({n})", "DOUBLE"),
    "FIRST": ("first({c} ORDER BY __row)", None),
    "LAST": ("last({c} ORDER BY __row)", None),
}


def _aggregate(step: Step, table: Table, function: str, column: str) -> tuple[str, str]:
    if function not in AGGREGATES:
        step.fail(f"unknown function {function!r}. localaws has {', '.join(AGGREGATES)}.")
    kind = step.kind(table, column)
    template, result = AGGREGATES[function]
    quoted = ident(column)
    return template.format(c=quoted, n=to_double(quoted, kind)), result or kind


def group_by(step: Step, table: Table, context: Context) -> Selected:
    """useNewDataFrame true (or absent): one row per group; false: aggregates on every row.

    Null keys form a group. Each aggregate gets its targetColumnDataType.
    """
    keys = step.columns(table)
    alone = step.flag("useNewDataFrame", default=True)
    columns = {key: step.kind(table, key) for key in keys} if alone else dict(table.columns)
    window = "" if alone else f" OVER (PARTITION BY {', '.join(ident(key) for key in keys)})"
    made = []
    options = step.json("groupByAggFunctionOptions", list)
    for option in options:
        if not isinstance(option, dict):
            step.fail("each of groupByAggFunctionOptions must be an object.")
        for name in ("sourceColumnName", "targetColumnName", "functionName"):
            if not option.get(name):
                step.fail(f"groupByAggFunctionOptions needs {name}.")
        source = step.existing(table, str(option["sourceColumnName"]))
        target = str(option["targetColumnName"])
        if target.lower() in (name.lower() for name in columns):
            step.fail(f"the column {target!r} would be there twice.")
        sql, kind = _aggregate(step, table, str(option["functionName"]), source)
        wanted = str(option.get("targetColumnDataType", "unsupported")).lower()
        if wanted not in TYPES and wanted != "unsupported":
            step.fail(f"targetColumnDataType is {wanted!r}; it must be one of {', '.join(TYPES)}.")
        result = TYPES.get(wanted, kind)
        made.append(f"{cast(sql + window, kind, result)} AS {ident(target)}")
        columns[target] = result
    listed = ", ".join(ident(key) for key in keys)
    if not alone:
        return Selected(f"SELECT *, {', '.join(made)} FROM {table.name}", columns)
    row = [f"row_number() OVER (ORDER BY min({ROW})) AS {ROW}"] if table.ordered else []
    return Selected(
        f"SELECT {', '.join([listed, *made, *row])} FROM {table.name} GROUP BY {listed}", columns
    )


_JOINS = {
    "INNER_JOIN": "INNER JOIN",
    "LEFT_JOIN": "LEFT JOIN",
    "RIGHT_JOIN": "RIGHT JOIN",
    "OUTER_JOIN": "FULL JOIN",
    "LEFT_EXCLUDING_JOIN": "LEFT JOIN",
    "RIGHT_EXCLUDING_JOIN": "RIGHT JOIN",
    "OUTER_EXCLUDING_JOIN": "FULL JOIN",
}


def _second(step: Step, context: Context, name: str) -> Table:
    try:
        return context.dataset(name)
    except LookupError as error:
        step.fail(str(error))


def join(step: Step, table: Table, context: Context) -> Selected:
    """Only the listed columns survive; equal names on both sides are an error."""
    if step.has("secondInputLocation") and not step.has("secondaryDatasetName"):
        step.fail("secondInputLocation is not emulated by localaws; use secondaryDatasetName.")
    right = _second(step, context, step.text("secondaryDatasetName"))
    kind = step.choice("joinType", list(_JOINS))
    keys = []
    for pair in step.json("joinKeys", list):
        if not isinstance(pair, dict) or not {"key", "value"} <= set(pair):
            step.fail("each of joinKeys must be an object with key (left) and value (right).")
        left_key = step.existing(table, str(pair["key"]))
        right_key = step.existing(right, str(pair["value"]))
        a = f"l.{ident(left_key)}"
        b = f"r.{ident(right_key)}"
        if step.kind(table, left_key) != step.kind(right, right_key):
            a, b = to_text(a, step.kind(table, left_key)), to_text(b, step.kind(right, right_key))
        keys.append((a, b))
    if not keys:
        step.fail("'joinKeys' is empty.")
    left_columns = step.columns(table, "leftColumns") if step.texts("leftColumns") else []
    right_columns = step.columns(right, "rightColumns") if step.texts("rightColumns") else []
    both = set(left_columns) & set(right_columns)
    if both:
        step.fail(f"leftColumns and rightColumns both have {', '.join(sorted(both))}.")
    columns = {name: step.kind(table, name) for name in left_columns}
    columns |= {name: step.kind(right, name) for name in right_columns}
    listed = [f"l.{ident(name)}" for name in left_columns]
    listed += [f"r.{ident(name)}" for name in right_columns]
    if table.ordered:
        listed.append(f"row_number() OVER (ORDER BY l.{ROW} NULLS LAST) AS {ROW}")
    on = " AND ".join(f"{a} = {b}" for a, b in keys)
    where = {
        "LEFT_EXCLUDING_JOIN": "WHERE r.__here IS NULL",
        "RIGHT_EXCLUDING_JOIN": "WHERE l.__here IS NULL",
        "OUTER_EXCLUDING_JOIN": "WHERE l.__here IS NULL OR r.__here IS NULL",
    }.get(kind, "")
    return Selected(
        f"SELECT {', '.join(listed)} FROM (SELECT *, 1 AS __here FROM {table.name}) AS l"
        f" {_JOINS[kind]} (SELECT *, 1 AS __here FROM {right.name}) AS r ON {on} {where}".rstrip(),
        columns,
    )


def union(step: Step, table: Table, context: Context) -> Selected:
    """Stacks datasets by the position of the listed columns; duplicates stay."""
    if step.has("secondaryInputs") and step.json("secondaryInputs", list):
        step.fail("secondaryInputs is not emulated by localaws; use secondaryDatasetNames.")
    tables = [
        table,
        *(_second(step, context, name) for name in step.texts("secondaryDatasetNames")),
    ]
    targets = step.texts("targetColumnNames")
    listed = step.json("datasetsColumns", list)
    if len(listed) != len(tables) or any(
        not isinstance(names, list) or len(names) != len(targets) for names in listed
    ):
        step.fail(
            f"datasetsColumns must have {len(tables)} lists of {len(targets)} columns,"
            " one list per dataset, the current one first."
        )
    kinds = []
    for place in range(len(targets)):
        used = {
            step.kind(each, step.existing(each, str(names[place])))
            for each, names in zip(tables, listed, strict=True)
            if names[place] is not None
        }
        kinds.append(used.pop() if len(used) == 1 else "VARCHAR")
    selects = []
    for number, (each, names) in enumerate(zip(tables, listed, strict=True)):
        cells = []
        for name, target, kind in zip(names, targets, kinds, strict=True):
            value = "NULL" if name is None else ident(str(name))
            cells.append(f"CAST({value} AS {kind}) AS {ident(target)}")
        if table.ordered:
            row = ROW if number == 0 else "row_number() OVER ()"
            cells.append(f"{number}::BIGINT << 40 | {row} AS {ROW}")
        selects.append(f"SELECT {', '.join(cells)} FROM {each.name}")
    return Selected(" UNION ALL ".join(selects), dict(zip(targets, kinds, strict=True)))


def _distinct(step: Step, table: Table, context: Context, column: str) -> list[str]:
    text = to_text(ident(column), step.kind(table, column))
    rows = context.query(
        f"SELECT DISTINCT {text} FROM {table.name} WHERE {text} IS NOT NULL ORDER BY 1"
        f" LIMIT {MAXIMUM_PIVOT_VALUES + 1}"
    )
    if len(rows) > MAXIMUM_PIVOT_VALUES:
        step.fail(
            f"column {column!r} has more than {MAXIMUM_PIVOT_VALUES} different values,"
            " the most that DataBrew allows."
        )
    return [str(row[0]) for row in rows]


def pivot(step: Step, table: Table, context: Context) -> Selected:
    """A column for each value of the source column, named by it; grouped by all other columns."""
    column = step.column(table)
    value_column = step.column(table, "valueColumn")
    function = step.text("aggregateFunction")
    values = _distinct(step, table, context, column)
    keys = [name for name in table.columns if name not in (column, value_column)]
    columns = {key: step.kind(table, key) for key in keys}
    text = to_text(ident(column), step.kind(table, column))
    sql, kind = _aggregate(step, table, function, value_column)
    made = [ident(key) for key in keys]
    for value in values:
        if value in columns:
            step.fail(f"the new column {value!r} is there already.")
        columns[value] = kind
        made.append(f"{sql} FILTER (WHERE {text} = {literal(value)}) AS {ident(value)}")
    if table.ordered:
        made.append(f"row_number() OVER (ORDER BY min({ROW})) AS {ROW}")
    group = f" GROUP BY {', '.join(ident(key) for key in keys)}" if keys else ""
    return Selected(f"SELECT {', '.join(made)} FROM {table.name}{group}", columns, twice=True)


def one_hot_encoding(step: Step, table: Table, context: Context) -> Selected:
    """`<column>_<value>` is 1 where the column has the value, else 0 (also where it is null)."""
    column = step.column(table)
    text = to_text(ident(column), step.kind(table, column))
    columns = dict(table.columns)
    made = []
    for value in _distinct(step, table, context, column):
        name = f"{column}_{value}"
        columns[name] = "INTEGER"
        made.append(
            f"CAST({text} IS NOT DISTINCT FROM {literal(value)} AS INTEGER) AS {ident(name)}"
        )
    return Selected(f"SELECT {', '.join(['*', *made])} FROM {table.name}", columns, twice=True)


def unpivot(step: Step, table: Table, context: Context) -> Selected:
    """Several columns become (name, value) rows; nulls stay. Different types become text."""
    sources = step.columns(table)
    name_column, value_column = step.text("unpivotColumn"), step.text("valueColumn")
    kinds = {step.kind(table, name) for name in sources}
    kind = kinds.pop() if len(kinds) == 1 else "VARCHAR"
    keys = [name for name in table.columns if name not in sources]
    pairs = ", ".join(
        f"{{'k': {literal(name)}, 'v': {cast(ident(name), step.kind(table, name), kind)}}}"
        for name in sources
    )
    listed = [ident(name) for name in keys]
    listed += [f"__pair.k AS {ident(name_column)}", f"__pair.v AS {ident(value_column)}"]
    if table.ordered:
        listed.append(f"row_number() OVER (ORDER BY {ROW}) AS {ROW}")
    return Selected(
        f"SELECT {', '.join(listed)} FROM"
        f" (SELECT *, unnest([{pairs}]) AS __pair FROM {table.name})",
        {name: table.columns[name] for name in keys} | {name_column: "VARCHAR", value_column: kind},
    )


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
        columns = table.columns | {target: kind}
        sql = f"SELECT *, {value} AS {ident(target)} FROM {table.name}"
        if not step.flag("removeSourceColumns"):
            return Selected(sql, columns)
        kept = {name: each for name, each in columns.items() if name not in sources}
        listed = with_only(Table(kept, f"({sql})", table.ordered), list(kept))
        return Selected(listed.sql, kept)

    return compile_step


OPERATIONS: dict[str, Compile] = {
    "GROUP_BY": group_by,
    "JOIN": join,
    "UNION": union,
    "PIVOT": pivot,
    "UNPIVOT": unpivot,
    "ONE_HOT_ENCODING": one_hot_encoding,
    "NEST_TO_ARRAY": nest("array"),
    "NEST_TO_MAP": nest("map"),
    "NEST_TO_STRUCT": nest("struct"),
}
ORDERED = frozenset({"UNPIVOT", "UNION"})
