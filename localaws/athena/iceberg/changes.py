"""UPDATE, DELETE and MERGE as one SELECT each: what is done with which row, and its new columns.

A row of the result has `action` (see work.py), the `path` and `pos` of the row that goes, and the
table's columns c0, c1, ...
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlglot import exp

from localaws.athena import shaping
from localaws.athena.iceberg.source import DELETE, INSERT, POSITION, UPDATE
from localaws.athena.sql.queries import Query
from localaws.trino import types as t
from localaws.trino.errors import QueryError, not_emulated
from localaws.trino.types import Type

Columns = Sequence[tuple[str, Type]]
Compile = Callable[[Any], Query]
NOWHERE = "CAST(NULL AS VARCHAR) AS path, CAST(NULL AS BIGINT) AS pos"


def inserted(query: Query) -> str:
    """Of rows in the table's columns: all are new."""
    shown = [f"{column.sql} AS c{place}" for place, column in enumerate(query.columns)]
    return f"SELECT {INSERT} AS action, {', '.join([NOWHERE, *shown])} FROM ({query.sql})"


def deleted(tree: exp.Delete, columns: Columns, compile_: Compile) -> tuple[str, Query]:
    _only(tree, "this", "where")
    query = compile_(_rows(tree.this, [], tree.args.get("where")))
    path, pos = (column.sql for column in query.columns)
    empty = [f"CAST(NULL AS {t.duckdb(kind)}) AS c{n}" for n, (_, kind) in enumerate(columns)]
    shown = ", ".join([f"{path} AS path", f"{pos} AS pos", *empty])
    return f"SELECT {DELETE} AS action, {shown} FROM ({query.sql})", query


def updated(tree: exp.Update, columns: Columns, compile_: Compile) -> tuple[str, Query]:
    _only(tree, "this", "expressions", "where")
    new = _assignments(tree.expressions, columns, "UPDATE")
    given = [(label, new[label]) for label, _ in columns if label in new]
    kept = [label for label, _ in columns if label not in new]
    items = [value for _, value in given] + [exp.column(label, quoted=True) for label in kept]
    query = compile_(_rows(tree.this, items, tree.args.get("where")))
    path, pos, *rest = query.columns
    by_label = dict(zip([*(label for label, _ in given), *kept], rest, strict=True))
    wanted = dict(columns)
    values = [by_label[label].type for label, _ in given]
    types = [wanted[label] for label, _ in given]
    if not all(map(shaping.assigns, values, types)):
        raise QueryError(
            "TYPE_MISMATCH",
            "UPDATE table column types don't match SET expressions: "
            f"Table: [{', '.join(map(str, types))}], "
            f"Expressions: [{', '.join(map(str, values))}]",
        )
    shown = [
        f"{shaping.assigned(by_label[label].sql, by_label[label].type, kind)} AS c{number}"
        for number, (label, kind) in enumerate(columns)
    ]
    head = f"SELECT {UPDATE} AS action, {path.sql} AS path, {pos.sql} AS pos"
    return f"{head}, {', '.join(shown)} FROM ({query.sql})", query


def merged(tree: exp.Merge, columns: Columns, compile_: Compile) -> tuple[str, Query]:
    """The first clause whose condition is true counts; its expressions alone are evaluated."""
    _only(tree, "this", "using", "on", "whens")
    target: Any = tree.this
    qualifier = target.alias_or_name
    here = exp.Not(this=exp.Is(this=_column("$path", qualifier), expression=exp.Null()))
    away = exp.Is(this=_column("$path", qualifier), expression=exp.Null())
    conditions: list[Any] = []
    items: list[Any] = [_column("$path", qualifier), _column(POSITION, qualifier)]
    actions: list[int] = []
    places: list[dict[str, int]] = []  # of each clause: the items with its columns' values
    for when in tree.args["whens"].expressions:
        _only(when, "matched", "condition", "then")
        action, values = _clause(when, columns, qualifier)
        test: Any = (here if when.args.get("matched") else away).copy()
        if when.args.get("condition") is not None:
            own = when.args["condition"]
            test = exp.And(this=exp.Paren(this=test), expression=exp.Paren(this=own))
        before = [exp.If(this=c.copy(), true=exp.Null()) for c in conditions]
        conditions.append(test)
        actions.append(action)
        mine = {}
        for label, value in values.items():
            mine[label] = len(items)
            ifs = [*(one.copy() for one in before), exp.If(this=test.copy(), true=value)]
            items.append(exp.Case(ifs=ifs))
        places.append(mine)
    numbered = [
        exp.If(this=test.copy(), true=exp.Literal.number(number))
        for number, test in enumerate(conditions)
    ]
    items.append(exp.Case(ifs=numbered))
    join = exp.Join(this=target, side="LEFT", on=tree.args["on"])
    query = compile_(
        exp.Select(expressions=items, from_=exp.From(this=tree.args["using"]), joins=[join])
    )
    return _merge_sql(query, columns, actions, places), query


def _merge_sql(
    query: Query, columns: Columns, actions: list[int], places: list[dict[str, int]]
) -> str:
    path, pos, which = query.columns[0].sql, query.columns[1].sql, query.columns[-1].sql
    shown = []
    for number, (label, kind) in enumerate(columns):
        branches = []
        for clause, mine in enumerate(places):
            if label in mine:
                found = query.columns[mine[label]]
                if not shaping.assigns(found.type, kind):
                    raise QueryError(
                        "TYPE_MISMATCH",
                        f"MERGE table column types don't match for MERGE case {clause}, SET "
                        f"expressions: Table: [{kind}], Expressions: [{found.type}]",
                    )
                value = shaping.assigned(found.sql, found.type, kind)
                branches.append(f"WHEN {clause} THEN {value}")
        chosen = f"CASE {which} {' '.join(branches)} END" if branches else "NULL"
        shown.append(f"CAST({chosen} AS {t.duckdb(kind)}) AS c{number}")
    told = " ".join(f"WHEN {clause} THEN {action}" for clause, action in enumerate(actions))
    head = f"SELECT CASE {which} {told} END AS action, {path} AS path, {pos} AS pos"
    return f"{head}, {', '.join(shown)} FROM ({query.sql}) WHERE {which} IS NOT NULL"


def _clause(when: Any, columns: Columns, qualifier: str) -> tuple[int, dict[str, Any]]:
    """What is done, and the new values of the row's columns."""
    then, matched = when.args["then"], bool(when.args.get("matched"))
    if isinstance(then, exp.Var) and then.name.upper() == "DELETE" and matched:
        return DELETE, {}
    if isinstance(then, exp.Update) and matched:
        _only(then, "expressions")
        new = _assignments(then.expressions, columns, "MERGE")
        return UPDATE, {
            label: new[label] if label in new else _column(label, qualifier) for label, _ in columns
        }
    if isinstance(then, exp.Insert) and not matched:
        _only(then, "this", "expression")
        labels = [label for label, _ in columns]
        chosen = [part.name.lower() for part in then.this.expressions] if then.this else labels
        shaping.check_named(labels, chosen)
        values = list(then.expression.expressions)
        if len(values) != len(chosen):
            raise QueryError(
                "TYPE_MISMATCH",
                f"MERGE insert has {len(values)} values but {len(chosen)} columns",
            )
        return INSERT, dict(zip(chosen, values, strict=True))
    raise QueryError("SYNTAX_ERROR", "WHEN MATCHED updates or deletes, WHEN NOT MATCHED inserts")


def _assignments(given: Sequence[Any], columns: Columns, statement: str) -> dict[str, Any]:
    there, found = dict(columns), {}
    for one in given:
        if not isinstance(one, exp.EQ) or not isinstance(one.this, exp.Column):
            raise not_emulated(f"SET of {one.sql()}", one)
        label = one.this.name.lower()
        if label not in there:
            raise QueryError(
                "COLUMN_NOT_FOUND",
                f"The {statement} SET target column {label} doesn't exist",
                one.this,
            )
        if label in found:
            raise QueryError(
                "SYNTAX_ERROR", f"Multiple assignments for {statement} SET column {label}", one.this
            )
        found[label] = one.expression
    return found


def _rows(table: Any, items: list[Any], where: Any) -> exp.Select:
    name_ = table.alias_or_name
    return exp.Select(
        expressions=[_column("$path", name_), _column(POSITION, name_), *items],
        from_=exp.From(this=table),
        **({"where": where} if where is not None else {}),
    )


def _column(label: str, qualifier: str) -> exp.Column:
    return exp.column(label, table=qualifier, quoted=True)


def _only(node: Any, *read: str) -> None:
    """Refuses what of a statement is not read."""
    for argument, value in node.args.items():
        if argument not in read and value not in (None, False, [], ""):
            raise not_emulated(f"{argument.strip('_').upper()} in {type(node).__name__}", node)
