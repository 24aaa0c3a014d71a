"""Basic column operations: types, names, positions, order of rows."""

from __future__ import annotations

from localaws.databrew.recipe.shapes import Compile
from localaws.databrew.recipe.sql import TYPES, cast, ident, is_integer, is_text, literals, to_text
from localaws.databrew.recipe.steps import Step
from localaws.databrew.recipe.table import ROW, Context, Selected, Table, with_changed, with_only


def change_data_type(step: Step, table: Table, context: Context) -> Selected:
    """Re-types a column; what does not fit becomes null instead of failing the job."""
    column = step.column(table)
    target = TYPES[step.choice("columnDataType", list(TYPES))]
    kind = step.kind(table, column)
    if column in table.plain and is_text(kind) and is_integer(target):
        expression = f"TRY_CAST({ident(column)} AS {target})"
    else:
        expression = cast(ident(column), kind, target)
    return with_changed(table, column, expression, target, None)


def to_type(target: str) -> Compile:
    """The older single-purpose forms of CHANGE_DATA_TYPE."""

    def compile_step(step: Step, table: Table, context: Context) -> Selected:
        column = step.column(table)
        expression = cast(ident(column), step.kind(table, column), target)
        return with_changed(table, column, expression, target, None)

    return compile_step


def delete(step: Step, table: Table, context: Context) -> Selected:
    gone = step.columns(table) if step.has("sourceColumns") else [step.column(table)]
    kept = [name for name in table.columns if name not in gone]
    if not kept and not table.open:
        step.fail("it would delete every column.")
    return with_only(table, kept)


def duplicate(step: Step, table: Table, context: Context) -> Selected:
    column = step.column(table)
    target = step.new_column(table)
    kind = step.kind(table, column)
    return Selected(
        f"SELECT *, {ident(column)} AS {ident(target)} FROM {table.name}",
        table.columns | {target: kind},
    )


def rename(step: Step, table: Table, context: Context) -> Selected:
    column = step.column(table)
    target = step.text("targetColumn")
    if target.lower() != column.lower():
        step.new_column(table)
    columns = {target if name == column else name: kind for name, kind in table.columns.items()}
    return Selected(
        f"SELECT * RENAME ({ident(column)} AS {ident(target)}) FROM {table.name}",
        columns if not table.open else columns | {target: step.kind(table, column)},
    )


def _moved(step: Step, table: Table, column: str, position: int) -> Selected:
    others = [name for name in table.columns if name != column]
    return with_only(table, [*others[:position], column, *others[position:]])


def move_to_start(step: Step, table: Table, context: Context) -> Selected:
    return _moved(step, table, step.column(table), 0)


def move_to_end(step: Step, table: Table, context: Context) -> Selected:
    return _moved(step, table, step.column(table), len(table.columns))


def move_to_index(step: Step, table: Table, context: Context) -> Selected:
    """To the 0-based position."""
    return _moved(step, table, step.column(table), step.integer("targetIndex", at_least=0))


def move_beside(offset: int) -> Compile:
    def compile_step(step: Step, table: Table, context: Context) -> Selected:
        column = step.column(table)
        anchor = step.column(table, "targetColumn")
        if anchor == column:
            step.fail("sourceColumn and targetColumn are the same column.")
        others = [name for name in table.columns if name != column]
        place = others.index(anchor) + offset if anchor in others else 0
        return _moved(step, table, column, place)

    return compile_step


def sort(step: Step, table: Table, context: Context) -> Selected:
    """Orders the rows; values that a customOrder does not list come last."""
    keys = []
    for item in step.json("expressions", list):
        if not isinstance(item, dict) or "sourceColumn" not in item:
            step.fail("each of 'expressions' must be an object with a sourceColumn.")
        column = step.existing(table, str(item["sourceColumn"]))
        key = ident(column)
        if item.get("customOrder"):
            wanted = [str(value) for value in item["customOrder"]]
            text = to_text(key, step.kind(table, column))
            if not item.get("isCustomOrderCaseSensitive", True):
                wanted, text = [value.lower() for value in wanted], f"lower({text})"
            key = f"coalesce(list_position({literals(wanted)}, {text}), 2147483647)"
        ordering = str(item.get("ordering", "ASCENDING"))
        if ordering not in ("ASCENDING", "DESCENDING"):
            step.fail(f"ordering is {ordering!r}; it must be ASCENDING or DESCENDING.")
        descending = ordering == "DESCENDING"
        nulls = str(item.get("nullsOrdering", "NULLS_BOTTOM" if descending else "NULLS_TOP"))
        if nulls not in ("NULLS_TOP", "NULLS_BOTTOM"):
            step.fail(f"nullsOrdering is {nulls!r}; it must be NULLS_TOP or NULLS_BOTTOM.")
        keys.append(
            f"{key} {'DESC' if descending else 'ASC'} NULLS"
            f" {'FIRST' if nulls == 'NULLS_TOP' else 'LAST'}"
        )
    if not keys:
        step.fail("'expressions' is empty.")
    return Selected(
        f"SELECT * REPLACE (row_number() OVER (ORDER BY {', '.join(keys)}, {ROW}) AS {ROW})"
        f" FROM {table.name}",
        dict(table.columns),
    )


OPERATIONS: dict[str, Compile] = {
    "CHANGE_DATA_TYPE": change_data_type,
    "TO_BOOLEAN_COLUMN": to_type("BOOLEAN"),
    "TO_DOUBLE_COLUMN": to_type("DOUBLE"),
    "TO_NUMBER_COLUMN": to_type("DOUBLE"),
    "TO_STRING_COLUMN": to_type("VARCHAR"),
    "DELETE": delete,
    "DUPLICATE": duplicate,
    "RENAME": rename,
    "MOVE_AFTER": move_beside(1),
    "MOVE_BEFORE": move_beside(0),
    "MOVE_TO_START": move_to_start,
    "MOVE_TO_END": move_to_end,
    "MOVE_TO_INDEX": move_to_index,
    "SORT": sort,
}
ORDERED = frozenset({"SORT"})
