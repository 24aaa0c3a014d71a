"""A recipe as one SQL query: each step a named part, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

from localaws.databrew.recipe import (
    aggregates,
    cleaning,
    columns,
    formatting,
    grouping,
    mathematics,
    nesting,
    privacy,
    quality,
    science,
    semantics,
    structure,
    texts,
    times,
    windows,
)
from localaws.databrew.recipe.shapes import Compile
from localaws.databrew.recipe.sql import ident, literal
from localaws.databrew.recipe.steps import Step, actions, read_steps
from localaws.databrew.recipe.table import ROW, Context, Table

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)  # a recipe that is only checked runs at no time
MODULES: tuple[ModuleType, ...] = (
    columns, cleaning, quality, semantics, privacy, structure, formatting, grouping, nesting,
    science, mathematics, aggregates, texts, times, windows,
)  # fmt: skip
OPERATIONS: dict[str, Compile] = {
    name: compile_step for module in MODULES for name, compile_step in module.OPERATIONS.items()
}
ORDERED: frozenset[str] = frozenset().union(*(module.ORDERED for module in MODULES))
Query = Callable[[str], list[tuple[Any, ...]]]
FIRST_OR_LAST = ("FIRST", "LAST")


@dataclass(frozen=True)
class Compiled:
    """`sql` gives the recipe's output over the view `input`; `columns` are its types in order."""

    sql: str
    columns: dict[str, str]


def parse(raw: Sequence[Mapping[str, Any]]) -> list[Step]:
    """The steps of an API request, checked as far as they can be without data.

    Raises RecipeError naming step and operation: not one of DataBrew's, not emulated, or wrong
    in its parameters.
    """
    steps = read_steps(raw, OPERATIONS)
    unknown = Table({}, open=True)
    compile_steps(steps, unknown, Context(EPOCH, dataset=lambda *_: unknown))
    return steps


def datasets_of(raw: Sequence[Mapping[str, Any]]) -> set[tuple[str, str]]:
    """The datasets that steps read besides their input: name and location, "" where not given.

    Raises RecipeError.
    """
    names: set[tuple[str, str]] = set()
    unknown = Table({}, open=True)

    def found(name: str, location: str) -> Table:
        names.add((name, location))
        return unknown

    compile_steps(read_steps(raw, OPERATIONS), unknown, Context(EPOCH, dataset=found))
    return names


def needs_order(steps: Sequence[Step]) -> bool:
    """Whether any step depends on the place of the rows in the input."""
    return any(
        step.operation in ORDERED
        or (
            step.operation in ("GROUP_BY", "PIVOT")
            and any(f'"{name}"' in str(dict(step.parameters)) for name in FIRST_OR_LAST)
        )
        for step in steps
    )


def compile_steps(
    steps: Sequence[Step],
    table: Table,
    context: Context,
    query: Query | None = None,
) -> Compiled:
    """The steps over `table`, whose name is readable in SQL, on a connection that has `functions`.

    `query` runs SQL for the steps whose columns depend on the data (PIVOT, ONE_HOT_ENCODING).
    Raises RecipeError naming the step that does not fit the data.
    """
    parts: list[Part] = []
    ordered = needs_order(steps)
    first = "SELECT *" + (f", row_number() OVER () AS {ROW}" if ordered else "")
    parts.append(Part("step_0", f"{first} FROM {table.name}"))
    current = Table(table.columns, "step_0", ordered, table.open, table.plain)
    for step in steps:
        if query is not None:
            _check_patterns(step, query)
        selected = OPERATIONS[step.operation](step, current, _asking(context, query, parts))
        _distinct_names(step, selected.columns)
        if selected.twice:
            parts[-1] = replace(parts[-1], twice=True)
        parts.append(Part(f"step_{step.number}", selected.sql))
        # No other step is known to leave the texts that it does not name as they are.
        plain: frozenset[str] = frozenset()
        if step.operation == "CHANGE_DATA_TYPE":
            plain = current.plain - {step.text("sourceColumn")}
        name = f"step_{step.number}"
        current = Table(selected.columns, name, ordered, table.open, plain)
    listed = ", ".join(ident(name) for name in current.columns) or "*"
    last = f"SELECT {listed} FROM {current.name}" + (f" ORDER BY {ROW}" if ordered else "")
    return Compiled(_with(parts) + last, current.columns)


def _check_patterns(step: Step, query: Query) -> None:
    """Fails the step for a text that is no regular expression."""
    import duckdb  # where there is data to ask; the server that reads recipes carries none

    for name, rule in actions()[step.operation]["parameters"].items():
        literally = step.operation == "MASK_CUSTOM" and not step.flag("regex")
        split = name == "pattern" and not step.flag("isText", default=True)
        if not step.has(name) or literally or not (rule["type"] == "regex" or split):
            continue
        try:
            query(f"SELECT regexp_matches('', {literal(step.text(name))})")
        except duckdb.Error as error:
            reason = str(error).splitlines()[0].partition(": ")[2]
            step.fail(f"{name} is no regular expression that localaws has: {reason}.")


def _distinct_names(step: Step, columns: Iterable[str]) -> None:
    """Spark and DuckDB take names that differ in case only for one column."""
    seen: dict[str, str] = {}
    for name in columns:
        other = seen.setdefault(name.lower(), name)
        if other != name:
            step.fail(f"the columns {other!r} and {name!r} would differ in case only.")


@dataclass(frozen=True)
class Part:
    """One named part of the query; `twice`: what follows reads it more than once."""

    name: str
    sql: str
    twice: bool = False


def _asking(context: Context, query: Query | None, parts: Sequence[Part]) -> Context:
    """The context of a step that may query the data as it stands after `parts`."""
    if query is None:
        return context
    before = _with(parts)
    return replace(context, query=lambda sql: query(before + sql))


def _with(parts: Sequence[Part]) -> str:
    written = ",\n".join(
        f"{part.name} AS {'MATERIALIZED' if part.twice else 'NOT MATERIALIZED'}"
        f" (\n    {part.sql}\n)"
        for part in parts
    )
    return f"WITH\n{written}\n"
