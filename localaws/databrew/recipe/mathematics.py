"""Mathematical functions into a new column; what is no number gives null, never an error."""

from __future__ import annotations

from localaws.databrew.recipe.shapes import Compile, add, flag, of_number
from localaws.databrew.recipe.sql import ident, is_integer, to_double
from localaws.databrew.recipe.steps import Step
from localaws.databrew.recipe.table import Context, Selected, Table


def _whole(text: str | None) -> bool:
    return text is not None and text.strip().lstrip("+-").isdigit()


def two_operands(step: Step, table: Table, side: str) -> tuple[str, bool]:
    """(SQL, whether it is whole) of `sourceColumn<side>` or `value<side>`."""
    parameter = f"sourceColumn{side}"
    if step.has(parameter):
        column = step.column(table, parameter)
        kind = step.kind(table, column)
        if is_integer(kind):
            return f"CAST({ident(column)} AS BIGINT)", True
        return to_double(ident(column), kind), False
    text = step.text(f"value{side}")
    if _whole(text):
        return f"CAST({int(text)} AS BIGINT)", True
    return step.number_text(f"value{side}"), False


def arithmetic(operator: str) -> Compile:
    """Whole operands give a whole result (BIGINT), all others a DOUBLE."""

    def compile_step(step: Step, table: Table, context: Context) -> Selected:
        left, left_whole = two_operands(step, table, "1")
        right, right_whole = two_operands(step, table, "2")
        kind = "BIGINT" if left_whole and right_whole else "DOUBLE"
        return add(step, table, f"({left} {operator} {right})", kind)

    return compile_step


def divide(step: Step, table: Table, context: Context) -> Selected:
    """A DOUBLE; division by zero is null, as in Spark."""
    left, _ = two_operands(step, table, "1")
    right, _ = two_operands(step, table, "2")
    return add(step, table, f"(CAST({left} AS DOUBLE) / nullif({right}, 0))", "DOUBLE")


def modulo(step: Step, table: Table, context: Context) -> Selected:
    left, left_whole = two_operands(step, table, "1")
    right, right_whole = two_operands(step, table, "2")
    kind = "BIGINT" if left_whole and right_whole else "DOUBLE"
    return add(step, table, f"({left} % nullif({right}, 0))", kind)


def parity(remainder: int) -> Compile:
    """Null stays null, a fraction is neither even nor odd."""

    def write(step: Step, number: str) -> str:
        odd = f"abs({number}) % 2 = {remainder}"
        answer = flag(step, f"{number} = floor({number}) AND {odd}")
        return f"CASE WHEN {number} IS NOT NULL THEN {answer} END"

    return of_number(write, "VARCHAR")


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
    "ABSOLUTE": of_number(lambda step, n: f"abs({n})"),
    "ADD": arithmetic("+"),
    "CEILING": of_number(lambda step, n: f"ceil({n})", "BIGINT"),
    "DEGREES": of_number(lambda step, n: f"degrees({n})"),
    "DIVIDE": divide,
    "EXPONENT": of_number(lambda step, n: f"exp({n})"),
    "FLOOR": of_number(lambda step, n: f"floor({n})", "BIGINT"),
    "IS_EVEN": parity(0),
    "IS_ODD": parity(1),
    "LN": of_number(lambda step, n: f"CASE WHEN {n} > 0 THEN ln({n}) END"),
    "LOG": of_number(logarithm),
    "MOD": modulo,
    "MULTIPLY": arithmetic("*"),
    "NEGATE": of_number(lambda step, n: f"(-{n})"),
    "PI": pi,
    "POWER": of_number(power),
    "RADIANS": of_number(lambda step, n: f"radians({n})"),
    "RANDOM": random,
    "RANDOM_BETWEEN": random_between,
    # Halves go up, as the page says; for negative halves it says nothing.
    "ROUND": of_number(lambda step, n: f"floor({n} + 0.5)"),
    "SIGN": of_number(lambda step, n: f"sign({n})", "INTEGER"),
    "SQUARE_ROOT": of_number(lambda step, n: f"CASE WHEN {n} >= 0 THEN sqrt({n}) END"),
    "SUBTRACT": arithmetic("-"),
}
ORDERED: frozenset[str] = frozenset()
