"""Data structure: GROUP_BY, JOIN, UNION, PIVOT, UNPIVOT, TRANSPOSE."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from localaws.databrew.recipe import moments
from localaws.databrew.recipe.shapes import Compile
from localaws.databrew.recipe.sql import (
    TYPES,
    alike,
    cast,
    ident,
    is_exact,
    is_number,
    literal,
    to_double,
    to_number,
    to_text,
)
from localaws.databrew.recipe.steps import Step
from localaws.databrew.recipe.table import ROW, Context, Selected, Table

MAXIMUM_PIVOT_VALUES = 10

# name: (SQL over c, the column, n, the column as a number, and w, what follows an aggregate: its
# window or filter; the type, None for the column's). The guide has no list of function names: these
# are those of its examples, of the console, and of the aggregates it has elsewhere.
AGGREGATES: dict[str, tuple[str, str | None]] = {
    "ANY": ("any_value({c}){w}", None),
    "AVERAGE": ("avg({n}){w}", "DOUBLE"),
    "COLLECT_LIST": (moments.FILLED, "[]"),
    "COUNT": ("count({c}){w}", "BIGINT"),
    "COUNT_DISTINCT": ("count(DISTINCT {c}){w}", "BIGINT"),
    "FIRST": ("first({c} ORDER BY __row){w}", None),
    "KURTOSIS": (moments.KURTOSIS, "DOUBLE"),
    "LAST": ("last({c} ORDER BY __row){w}", None),
    "MAX": ("max({c}){w}", None),
    "MEAN": ("avg({n}){w}", "DOUBLE"),
    "MEAN_ABSOLUTE_DEVIATION": (moments.MEAN_ABSOLUTE_DEVIATION, "DOUBLE"),
    "MEDIAN": ("median({n}){w}", "DOUBLE"),
    "MIN": ("min({c}){w}", None),
    "MODE": (moments.MODE, None),
    "PRODUCT": ("product({n}){w}", "DOUBLE"),
    "SKEWNESS": (moments.SKEWNESS, "DOUBLE"),
    "STANDARD_DEVIATION": ("stddev_samp({n}){w}", "DOUBLE"),
    "STANDARD_ERROR_OF_MEAN": (moments.STANDARD_ERROR_OF_MEAN, "DOUBLE"),
    "SUM": ("sum({n}){w}", "DOUBLE"),
    "VARIANCE": ("var_samp({n}){w}", "DOUBLE"),
}


def _only_once(step: Step, names: Iterable[str]) -> None:
    seen = set()
    for name in names:
        if name in seen:
            step.fail(f"the column {name!r} would be there twice.")
        seen.add(name)


def _aggregate(
    step: Step, table: Table, function: str, column: str, following: str = ""
) -> tuple[str, str]:
    if function not in AGGREGATES:
        step.fail(f"unknown function {function!r}. localaws has {', '.join(AGGREGATES)}.")
    kind = step.kind(table, column)
    template, result = AGGREGATES[function]
    quoted = ident(column)
    if function == "SUM" and is_exact(kind):  # a DOUBLE would round it
        number, own = to_number(quoted, kind)
        return f"TRY_CAST(sum({number}){following} AS {own})", own
    sql = template.format(c=quoted, n=to_double(quoted, kind), w=following)
    return sql, f"{kind}[]" if result == "[]" else result or kind


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
        sql, kind = _aggregate(step, table, str(option["functionName"]), source, window)
        wanted = str(option.get("targetColumnDataType", "unsupported")).lower()
        if wanted not in TYPES and wanted != "unsupported":
            step.fail(f"targetColumnDataType is {wanted!r}; it must be one of {', '.join(TYPES)}.")
        # A number is one already; the guide has COUNT as a number.
        result = kind if wanted == "number" and is_number(kind) else TYPES.get(wanted, kind)
        made.append(f"{cast(sql, kind, result)} AS {ident(target)}")
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


def _second(step: Step, context: Context, name: str, location: str = "") -> Table:
    """The other dataset: by its name, or where there is none of that name, by its location."""
    try:
        return context.dataset(name, location)
    except LookupError as error:
        step.fail(str(error))


def join(step: Step, table: Table, context: Context) -> Selected:
    """Only the listed columns survive; equal names on both sides are an error."""
    if not step.has("secondInputLocation") and not step.has("secondaryDatasetName"):
        step.fail("one of secondaryDatasetName, secondInputLocation is needed.")
    right = _second(
        step,
        context,
        step.text("secondaryDatasetName", ""),
        step.text("secondInputLocation", ""),
    )
    kind = step.choice("joinType", list(_JOINS))
    keys = []
    for pair in step.json("joinKeys", list):
        if not isinstance(pair, dict) or not {"key", "value"} <= set(pair):
            step.fail("each of joinKeys must be an object with key (left) and value (right).")
        left_key = step.existing(table, str(pair["key"]))
        right_key = step.existing(right, str(pair["value"]))
        a, b = f"l.{ident(left_key)}", f"r.{ident(right_key)}"
        left_kind, right_kind = step.kind(table, left_key), step.kind(right, right_key)
        keys.append((a, b) if left_kind == right_kind else alike(a, left_kind, b, right_kind))
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


def _location(step: Step, given: Any) -> str:
    place = given.get("S3InputDefinition") if isinstance(given, dict) else None
    if not isinstance(place, dict) or not place.get("Bucket"):
        step.fail("each of secondaryInputs must be an object with S3InputDefinition.")
    return f"s3://{place['Bucket']}/{place.get('Key', '')}"


def union(step: Step, table: Table, context: Context) -> Selected:
    """Stacks datasets by the position of the listed columns; duplicates stay."""
    names = step.texts("secondaryDatasetNames") if step.has("secondaryDatasetNames") else []
    places = [
        _location(step, each)
        for each in (step.json("secondaryInputs", list) if step.has("secondaryInputs") else [])
    ]
    if not names and not places:
        step.fail("one of secondaryDatasetNames, secondaryInputs is needed.")
    if names and places and len(names) != len(places):
        step.fail("secondaryDatasetNames and secondaryInputs are not of the same length.")
    both = zip(names or [""] * len(places), places or [""] * len(names), strict=True)
    tables = [table, *(_second(step, context, name, place) for name, place in both)]
    targets = step.texts("targetColumnNames")
    _only_once(step, targets)
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
    made = [ident(key) for key in keys]
    for value in values:
        if value in columns:
            step.fail(f"the new column {value!r} is there already.")
        only = f" FILTER (WHERE {text} = {literal(value)})"
        sql, columns[value] = _aggregate(step, table, function, value_column, only)
        made.append(f"{sql} AS {ident(value)}")
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
        _only_once(step, [*columns, name])
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
    _only_once(step, [*keys, name_column, value_column])
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


def transpose(step: Step, table: Table, context: Context) -> Selected:
    """The value columns become rows, named in `newColumn`; each value of the pivot column a column.

    With COLLECT_LIST, which means no aggregation, a cell holds the one value that it has; several
    fail the step (inferred).
    """
    pivots = step.columns(table, "pivotColumns")
    if len(pivots) != 1:
        step.fail("localaws transposes by one pivot column.")
    sources, target = step.columns(table, "valueColumns"), step.text("newColumn")
    function = step.text("aggregateFunction")
    values = _distinct(step, table, context, pivots[0])
    pivot_text = to_text(ident(pivots[0]), step.kind(table, pivots[0]))
    kinds = {step.kind(table, name) for name in sources}
    kind = kinds.pop() if len(kinds) == 1 else "VARCHAR"
    pairs = ", ".join(
        f"{{'n': {number}, 'k': {literal(name)},"
        f" 'v': {cast(ident(name), step.kind(table, name), kind)}}}"
        for number, name in enumerate(sources)
    )
    long = (
        f"SELECT {pivot_text} AS __pivot, __pair.n AS __n, __pair.k AS __k, __pair.v AS __v"
        f"{f', {ROW}' if table.ordered else ''}"
        f" FROM (SELECT *, unnest([{pairs}]) AS __pair FROM {table.name})"
    )
    if target in values:
        step.fail(f"the new column {target!r} is there already.")
    columns, made = {target: "VARCHAR"}, [f"__k AS {ident(target)}"]
    single = function == "COLLECT_LIST"
    if single and context.query(
        f"SELECT 1 FROM {table.name} WHERE {pivot_text} IS NOT NULL GROUP BY {pivot_text}"
        " HAVING count(*) > 1 LIMIT 1"
    ):
        step.fail(
            f"a value of {pivots[0]!r} stands in several rows; name an aggregateFunction that"
            " makes one cell of theirs."
        )
    inner = Table({"__v": kind}, "long")
    for value in values:
        only = f" FILTER (WHERE __pivot = {literal(value)})"
        chosen = "ANY" if single else function
        sql, columns[value] = _aggregate(step, inner, chosen, "__v", only)
        made.append(f"{sql} AS {ident(value)}")
    if table.ordered:
        made.append(f"row_number() OVER (ORDER BY __n) AS {ROW}")
    return Selected(
        f"SELECT {', '.join(made)} FROM ({long}) GROUP BY __n, __k ORDER BY __n",
        columns,
        twice=True,
    )


OPERATIONS: dict[str, Compile] = {
    "GROUP_BY": group_by,
    "JOIN": join,
    "UNION": union,
    "PIVOT": pivot,
    "UNPIVOT": unpivot,
    "ONE_HOT_ENCODING": one_hot_encoding,
    "TRANSPOSE": transpose,
}
ORDERED = frozenset({"UNPIVOT", "UNION"})
