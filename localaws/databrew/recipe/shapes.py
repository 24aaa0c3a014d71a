"""Makers of compile functions for the common kinds of operation."""

from __future__ import annotations

from collections.abc import Callable

from localaws.databrew.recipe.conditions import condition_sql
from localaws.databrew.recipe.sql import ident, literal, to_double, to_text, to_time
from localaws.databrew.recipe.steps import Step
from localaws.databrew.recipe.table import Context, Selected, Table, with_changed, with_column

Compile = Callable[[Step, Table, Context], Selected]
Expression = Callable[[Step, str], str]  # (step, operand SQL) to SQL

OPERAND_COLUMNS = ("sourceColumn", "sourceColumn1")
OPERAND_VALUES = ("value", "value1")


def add(step: Step, table: Table, expression: str, kind: str) -> Selected:
    """The expression as the step's target column, under its conditions."""
    return with_column(table, step.new_column(table), expression, kind, condition_sql(step, table))


def change(step: Step, table: Table, column: str, expression: str, kind: str) -> Selected:
    """The expression in place of the column, or as a copy if the step names a `targetColumn`."""
    if step.has("targetColumn"):
        return add(step, table, expression, kind)
    return with_changed(table, column, expression, kind, condition_sql(step, table))


def text_in_place(expression: Expression) -> Compile:
    """A cleaning operation: the source column becomes text made of its text."""

    def compile_step(step: Step, table: Table, context: Context) -> Selected:
        column = step.column(table)
        operand = to_text(ident(column), step.kind(table, column))
        return change(step, table, column, expression(step, operand), "VARCHAR")

    return compile_step


def of_text(expression: Expression, kind: str = "VARCHAR") -> Compile:
    """A function of one text (column or fixed value) into a new column."""

    def compile_step(step: Step, table: Table, context: Context) -> Selected:
        operand = to_text(*step.operand(table, OPERAND_COLUMNS, OPERAND_VALUES))
        return add(step, table, expression(step, operand), kind)

    return compile_step


def of_number(expression: Expression, kind: str = "DOUBLE") -> Compile:
    """A function of one number (column or fixed value) into a new column."""

    def compile_step(step: Step, table: Table, context: Context) -> Selected:
        operand = to_double(*step.operand(table, OPERAND_COLUMNS, OPERAND_VALUES))
        return add(step, table, expression(step, operand), kind)

    return compile_step


def of_time(expression: Expression, kind: str) -> Compile:
    """A function of one point in time (column or fixed value) into a new column."""

    def compile_step(step: Step, table: Table, context: Context) -> Selected:
        operand = to_time(*step.operand(table, OPERAND_COLUMNS, OPERAND_VALUES))
        return add(step, table, expression(step, operand), kind)

    return compile_step


def flag(step: Step, condition: str) -> str:
    """`trueString`/`falseString` (default True/False) by a condition; null counts as false."""
    yes = literal(step.text("trueString", "True"))
    no = literal(step.text("falseString", "False"))
    return f"CASE WHEN {condition} THEN {yes} ELSE {no} END"
