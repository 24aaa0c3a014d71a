"""Mathematical functions into a new column; what is no number gives null, never an error."""

from __future__ import annotations

from collections.abc import Callable

from localaws.databrew.recipe.shapes import (
    OPERAND_COLUMNS,
    OPERAND_VALUES,
    Compile,
    add,
    flag,
    of_number,
)
from localaws.databrew.recipe.sql import (
    ident,
    is_exact,
    literal,
    to_double,
    to_number,
    to_numbers,
)
from localaws.databrew.recipe.steps import Step
from localaws.databrew.recipe.table import Context, Selected, Table


def _whole(text: str | None) -> bool:
    return text is not None and text.strip().lstrip("+-").isdigit()


def _operand(step: Step, table: Table, side: str) -> tuple[str, str]:
    """(SQL, type) of `sourceColumn<side>` or `value<side>`."""
    parameter = f"sourceColumn{side}"
    if step.has(parameter):
        column = step.column(table, parameter)
        return ident(column), step.kind(table, column)
    text = step.text(f"value{side}")
    if _whole(text):
        return literal(text.strip()), "BIGINT" if len(text.strip()) < 19 else "HUGEINT"
    return step.number_text(f"value{side}"), "DOUBLE"


def two_operands(step: Step, table: Table) -> tuple[str, str, str]:
    """(left, right, their type): whole operands are exact, all others DOUBLE."""
    (left, right), kind = to_numbers([_operand(step, table, "1"), _operand(step, table, "2")])
    if is_exact(kind):
        return left, right, kind
    return to_double(left, kind), to_double(right, kind), "DOUBLE"


def arithmetic(operator: str) -> Compile:
    """Whole operands give a whole result, null where it is too large; all others a DOUBLE."""

    def compile_step(step: Step, table: Table, context: Context) -> Selected:
        left, right, kind = two_operands(step, table)
        value = f"({left} {operator} {right})"
        return add(step, table, f"TRY({value})" if is_exact(kind) else value, kind)

    return compile_step


def divide(step: Step, table: Table, context: Context) -> Selected:
    """A DOUBLE; division by zero is null, as in Spark."""
    left, right, _ = two_operands(step, table)
    return add(step, table, f"(CAST({left} AS DOUBLE) / nullif({right}, 0))", "DOUBLE")


def modulo(step: Step, table: Table, context: Context) -> Selected:
    left, right, kind = two_operands(step, table)
    return add(step, table, f"({left} % nullif({right}, 0))", kind)


def exact(expression: Callable[[str], str]) -> Compile:
    """A function of a number that keeps its type; null where the result has no place in it."""

    def compile_step(step: Step, table: Table, context: Context) -> Selected:
        number, kind = to_number(*step.operand(table, OPERAND_COLUMNS, OPERAND_VALUES))
        return add(step, table, f"TRY({expression(number)})", kind)

    return compile_step


def to_whole(expression: Callable[[str], str], kind: str) -> Compile:
    """A whole number near the number, of type `kind`; whole numbers stay as they are."""

    def compile_step(step: Step, table: Table, context: Context) -> Selected:
        number, own = to_number(*step.operand(table, OPERAND_COLUMNS, OPERAND_VALUES))
        if is_exact(own):
            return add(step, table, number, own)
        return add(step, table, f"TRY_CAST({expression(number)} AS {kind})", kind)

    return compile_step


def parity(remainder: int) -> Compile:
    """Null stays null, a fraction is neither even nor odd."""

    def compile_step(step: Step, table: Table, context: Context) -> Selected:
        number, _ = to_number(*step.operand(table, OPERAND_COLUMNS, OPERAND_VALUES))
        answer = flag(step, f"{number} % 2 IN ({remainder}, {-remainder})")
        return add(step, table, f"CASE WHEN {number} IS NOT NULL THEN {answer} END", "VARCHAR")

    return compile_step


def logarithm(step: Step, number: str) -> str:
    base = step.number_text("base", "10")
    return (
        f"CASE WHEN {number} > 0 AND {base} > 0 AND {base} <> 1 THEN ln({number}) / ln({base}) END"
    )


def power(step: Step, number: str) -> str:
    exponent = step.number_text("exponent")
    # A fraction of a negative number is no real number; zero to a negative power is infinite.
    defined = f"NOT ({number} < 0 AND {exponent} <> floor({exponent}))"
    return f"CASE WHEN {defined} THEN pow({number}, {exponent}) END"


def pi(step: Step, table: Table, context: Context) -> Selected:
    return add(step, table, "pi()", "DOUBLE")


def random(step: Step, table: Table, context: Context) -> Selected:
    return add(step, table, "random()", "DOUBLE")


def random_between(step: Step, table: Table, context: Context) -> Selected:
    """A whole random number; both bounds can occur."""
    low, high = step.number_text("lowerBound"), step.number_text("upperBound")
    return add(step, table, f"floor(random() * ({high} - {low} + 1)) + {low}", "BIGINT")


OPERATIONS: dict[str, Compile] = {
    "ABSOLUTE": exact(lambda n: f"abs({n})"),
    "ADD": arithmetic("+"),
    "CEILING": to_whole(lambda n: f"ceil({n})", "BIGINT"),
    "DEGREES": of_number(lambda step, n: f"degrees({n})"),
    "DIVIDE": divide,
    "EXPONENT": of_number(lambda step, n: f"exp({n})"),
    "FLOOR": to_whole(lambda n: f"floor({n})", "BIGINT"),
    "IS_EVEN": parity(0),
    "IS_ODD": parity(1),
    "LN": of_number(lambda step, n: f"CASE WHEN {n} > 0 THEN ln({n}) END"),
    "LOG": of_number(logarithm),
    "MOD": modulo,
    "MULTIPLY": arithmetic("*"),
    "NEGATE": exact(lambda n: f"(-{n})"),
    "PI": pi,
    "POWER": of_number(power),
    "RADIANS": of_number(lambda step, n: f"radians({n})"),
    "RANDOM": random,
    "RANDOM_BETWEEN": random_between,
    # Halves go up, as the page says; for negative halves it says nothing.
    "ROUND": to_whole(
        lambda n: f"CASE WHEN {n} - floor({n}) >= 0.5 THEN ceil({n}) ELSE floor({n}) END", "DOUBLE"
    ),
    "SIGN": of_number(lambda step, n: f"sign({n})", "INTEGER"),
    "SQUARE_ROOT": of_number(lambda step, n: f"CASE WHEN {n} >= 0 THEN sqrt({n}) END"),
    "SUBTRACT": arithmetic("-"),
}
ORDERED: frozenset[str] = frozenset()
