"""Row-wise functions over several columns: nulls and non-numbers are skipped."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from localaws.databrew.recipe.quality import MODES
from localaws.databrew.recipe.shapes import Compile, add
from localaws.databrew.recipe.sql import blank_null, ident, to_numbers, to_text
from localaws.databrew.recipe.steps import Step
from localaws.databrew.recipe.table import Context, Selected, Table


def _filled(cells: Iterable[str]) -> str:
    return f"list_filter([{', '.join(cells)}], lambda __x: __x IS NOT NULL)"


def _numbers(step: Step, table: Table) -> tuple[str, str]:
    """(the row's numbers as a list, their type)."""
    columns = step.columns(table)
    cells, kind = to_numbers([(ident(name), step.kind(table, name)) for name in columns])
    return _filled(cells), kind


def filled_texts(step: Step, table: Table) -> list[str]:
    """Each cell as text, null where it is missing."""
    return [
        blank_null(to_text(ident(name), step.kind(table, name)), "VARCHAR")
        for name in step.columns(table)
    ]


def over_numbers(write: Callable[[Step, str], str], kind: str | None = None) -> Compile:
    """`write(step, numbers)`, of the numbers' own type or of `kind`."""

    def compile_step(step: Step, table: Table, context: Context) -> Selected:
        numbers, own = _numbers(step, table)
        return add(step, table, write(step, numbers), kind or own)

    return compile_step


def over_texts(write: Callable[[str], str], kind: str) -> Compile:
    def compile_step(step: Step, table: Table, context: Context) -> Selected:
        return add(step, table, write(_filled(filled_texts(step, table))), kind)

    return compile_step


def first_filled(step: Step, table: Table, context: Context) -> Selected:
    """The first cell that is filled; one type is kept, several become text."""
    columns = step.columns(table)
    kinds = {step.kind(table, name) for name in columns}
    if len(kinds) == 1 and "VARCHAR" not in kinds:
        cells = ", ".join(ident(name) for name in columns)
        return add(step, table, f"coalesce({cells})", kinds.pop())
    cells = ", ".join(filled_texts(step, table))
    return add(step, table, f"coalesce({cells})", "VARCHAR")


def _mode(step: Step, table: Table, context: Context) -> Selected:
    numbers, kind = _numbers(step, table)
    pick = {"MAXIMUM": "list_max", "AVERAGE": "list_avg"}.get(
        step.choice("modeType", MODES, "NONE"), "list_min"
    )
    occurrences = f"lambda __x: len(list_filter({numbers}, lambda __y: __y = __x))"
    most = f"list_max(list_transform({numbers}, {occurrences}))"
    alike = f"len(list_filter({numbers}, lambda __y: __y = __z))"
    winners = f"list_filter({numbers}, lambda __z: {alike} = {most})"
    value = f"{pick}(list_distinct({winners}))"
    return add(step, table, value, "DOUBLE" if pick == "list_avg" else kind)


def _sum(step: Step, table: Table, context: Context) -> Selected:
    numbers, kind = _numbers(step, table)
    return add(step, table, f"TRY_CAST(coalesce(list_sum({numbers}), 0) AS {kind})", kind)


def _kth(numbers: str, step: Step) -> str:
    return f"list_reverse_sort({numbers})[{step.integer('value', at_least=1)}]"


OPERATIONS: dict[str, Compile] = {
    "ANY": first_filled,
    "AVERAGE": over_numbers(lambda step, numbers: f"list_avg({numbers})", "DOUBLE"),
    "COALESCE": first_filled,
    "COUNT": over_texts(lambda cells: f"len({cells})", "INTEGER"),
    "COUNT_DISTINCT": over_texts(lambda cells: f"len(list_distinct({cells}))", "INTEGER"),
    "KTH_LARGEST": over_numbers(lambda step, numbers: _kth(numbers, step)),
    "KTH_LARGEST_UNIQUE": over_numbers(
        lambda step, numbers: _kth(f"list_distinct({numbers})", step)
    ),
    "MAX": over_numbers(lambda step, numbers: f"list_max({numbers})"),
    "MEDIAN": over_numbers(lambda step, numbers: f"list_median({numbers})", "DOUBLE"),
    "MIN": over_numbers(lambda step, numbers: f"list_min({numbers})"),
    "MODE": _mode,
    "STANDARD_DEVIATION": over_numbers(
        lambda step, numbers: f"list_stddev_pop({numbers})", "DOUBLE"
    ),
    "SUM": _sum,
    "VARIANCE": over_numbers(lambda step, numbers: f"list_var_pop({numbers})", "DOUBLE"),
}
ORDERED: frozenset[str] = frozenset()
