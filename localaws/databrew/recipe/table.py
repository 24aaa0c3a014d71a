"""The data as it stands before a step, and the three shapes most steps have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from localaws.databrew.recipe.sql import ident

ROW = "__row"  # hidden: the place of the row, for steps that look at neighbours or keep the first


@dataclass(frozen=True)
class Table:
    """Columns with their DuckDB types, in order, and the SQL name of the data.

    `open` is a table of unknown columns, each taken as text: for checking a recipe that has no
    dataset yet. `ordered` says that the hidden column `ROW` is there. `plain` are texts in which
    DuckDB reads no whole number that Spark would not.
    """

    columns: dict[str, str]
    name: str = "input"
    ordered: bool = False
    open: bool = False
    plain: frozenset[str] = frozenset()

    @property
    def visible(self) -> list[str]:
        return list(self.columns)

    def renamed(self, name: str) -> Table:
        return replace(self, name=name)


@dataclass(frozen=True)
class Selected:
    """One step as SQL: the SELECT over the table it was given, and the columns it makes.

    `twice`: the SQL reads its source more than once, so it is worth keeping in memory.
    """

    sql: str
    columns: dict[str, str]
    twice: bool = False


def _no_dataset(name: str, location: str) -> Table:
    raise LookupError(f"There is no dataset {name!r} here.")


@dataclass
class Context:
    """What a step may ask for besides its table.

    `query` runs a SELECT over the data before the step (for steps whose columns depend on the
    data); without one the answer is empty. `dataset` finds the second table of JOIN and UNION, by
    its name or, "" if not given, its location in S3.
    """

    now: datetime
    query: Callable[[str], list[tuple[Any, ...]]] = field(default=lambda _: [])
    dataset: Callable[[str, str], Table] = field(default=_no_dataset)


def with_column(table: Table, name: str, expression: str, kind: str, when: str | None) -> Selected:
    """A new last column; null in the rows that do not meet the step's conditions."""
    value = f"CASE WHEN {when} THEN {expression} END" if when else expression
    return Selected(
        f"SELECT *, CAST({value} AS {kind}) AS {ident(name)} FROM {table.name}",
        table.columns | {name: kind},
    )


def with_changed(table: Table, name: str, expression: str, kind: str, when: str | None) -> Selected:
    """The column changed in place; rows that do not meet the conditions keep their value."""
    value = f"CASE WHEN {when} THEN {expression} ELSE {ident(name)} END" if when else expression
    return Selected(
        f"SELECT * REPLACE (CAST({value} AS {kind}) AS {ident(name)}) FROM {table.name}",
        table.columns | {name: kind},
    )


def with_only(table: Table, names: list[str]) -> Selected:
    """These columns in this order."""
    hidden = [ROW] if table.ordered else []
    listed = ", ".join(ident(name) for name in [*names, *hidden])
    return Selected(
        f"SELECT {listed} FROM {table.name}",
        {name: table.columns.get(name, "VARCHAR") for name in names},
    )


def with_rows(table: Table, condition: str) -> Selected:
    """The rows for which the condition is true."""
    return Selected(f"SELECT * FROM {table.name} WHERE {condition}", dict(table.columns))
