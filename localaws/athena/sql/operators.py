"""Arithmetic and comparison with Trino's types.

Decimal rules: https://trino.io/docs/current/functions/decimal.html#decimal-operators
"""

from __future__ import annotations

from localaws.trino import types as t
from localaws.trino.errors import QueryError
from localaws.trino.types import Type
from localaws.trino.values import Value

from .casts import convert
from .equality import compare, key
from .times import CLOCK_ZONED, CLOCKS, MOMENTS, like, local, shifted

_INTERVALS = (t.DAY_INTERVAL, t.YEAR_INTERVAL)


def mismatch(operator: str, left: Value, right: Value) -> QueryError:
    return QueryError(
        "TYPE_MISMATCH", f"Cannot apply operator: {left.type} {operator} {right.type}"
    )


def arithmetic(operator: str, left: Value, right: Value) -> Value:
    """`left operator right` for + - * / %."""
    if t.UNKNOWN in (left.type, right.type):
        known = left.type if right.type == t.UNKNOWN else right.type
        result = t.INTEGER if known == t.UNKNOWN else known
        return Value(f"CAST(NULL AS {t.duckdb(result)})", result)
    if not (t.is_number(left.type) and t.is_number(right.type)):
        return _with_interval(operator, left, right)
    kind = t.common(left.type, right.type)
    assert kind is not None
    if kind.name == "decimal":
        return _decimal(operator, left, right)
    a, b = convert(left, kind).sql, convert(right, kind).sql
    if t.is_integer(kind) and operator == "%" and not b.isdigit():
        # Java's rest of the least number by -1 is 0, DuckDB's is an overflow.
        return Value(f"CASE WHEN {b} = -1 THEN {a} - {a} ELSE {a} % {b} END", kind)
    if t.is_integer(kind):
        sign = "//" if operator == "/" else operator
        return Value(f"({a} {sign} {b})", kind)
    if operator == "%":
        return Value(
            f"CASE WHEN {b} = 0 THEN CAST('NaN' AS {t.duckdb(kind)}) ELSE {a} % {b} END", kind
        )
    return Value(f"({a} {operator} {b})", kind)


def _decimal(operator: str, left: Value, right: Value) -> Value:
    first, second = t.as_decimal(left.type), t.as_decimal(right.type)
    (p1, s1), (p2, s2) = first.numbers, second.numbers
    scale = max(s1, s2)
    if operator in "+-":
        digits = max(p1 - s1, p2 - s2) + scale + 1
        kind = t.decimal(digits, scale)
        if digits > 38 and s1 != s2:  # one side may not fit, which is an overflow of the sum
            whole = f"({unscaled(left, s1, scale)} {operator} {unscaled(right, s2, scale)})"
            return Value(scaled(whole, kind), kind)
        # DuckDB's own result is a digit wider, or fails where 38 do not hold it: no need of a cast.
        a, b = convert(left, kind).sql, convert(right, kind).sql
        return Value(f"({a} {operator} {b})", kind)
    if operator == "*":
        kind = t.decimal(p1 + p2, s1 + s2)
        if s1 + s2 > 38:
            raise QueryError(
                "INVALID_FUNCTION_ARGUMENT", "DECIMAL scale must be in range [0, precision]"
            )
        if p1 <= 18 < p1 + p2:  # DuckDB's product of two of 18 digits has 18
            first = Type("decimal", (19, s1))
        a, b = convert(left, first).sql, convert(right, second).sql
        return Value(f"({a} * {b})", kind)  # overflow is an error
    if operator == "%":
        kind = t.decimal(min(p2 - s2, p1 - s1) + scale, scale)
        if max(p1 - s1, p2 - s2) + scale > 38:
            a, b = unscaled(left, s1, s1), unscaled(right, s2, s2)
            return Value(scaled(_wide("modulus", a, scale - s1, b, scale - s2), kind), kind)
        a, b = unscaled(left, s1, scale), unscaled(right, s2, scale)
        return Value(scaled(f"({a} % {b})", kind), kind)
    kind = t.decimal(p1 + s2 + max(s2 - s1, 0), scale)
    power, below = scale + s2 - s1, unscaled(right, s2, s2)
    above = unscaled(left, s1, s1)
    divided = _wide("divide", above, power, below, 0)
    if power <= 37:
        # Most values are small, whatever their type can hold. HUGEINT has 38 digits, twice one 37.
        quick = f"trino_decimal_divide({above} * {10**power}::HUGEINT, {below})"
        if max(p1 + power, p2) <= 37:
            divided = quick
        else:
            small = (
                f"abs({above}) < {10 ** (37 - power)}::HUGEINT AND abs({below}) < {10**37}::HUGEINT"
            )
            divided = f"CASE WHEN {small} THEN {quick} ELSE {divided} END"
    return Value(scaled(divided, kind), kind)


def _wide(what: str, above: str, above_power: int, below: str, below_power: int) -> str:
    """The whole quotient or rest of two whole numbers times ten to those powers, of any size."""
    a, b = (f"CAST({sql} AS VARCHAR)" for sql in (above, below))
    return f"CAST(trino_decimal_{what}_wide({a}, {above_power}, {b}, {below_power}) AS HUGEINT)"


def unscaled(value: Value, scale: int, wanted: int) -> str:
    """The decimal as a whole number of 10^-wanted."""
    if t.is_integer(value.type):
        return f"(CAST({value.sql} AS HUGEINT) * {10**wanted}::HUGEINT)"
    precision = value.type.numbers[0]
    wide = max(precision, 19) if precision + scale > 17 else precision
    held = f"CAST({value.sql} AS DECIMAL({wide},{scale}))"
    if wide + scale < 38:
        whole = f"CAST({held} * {10**scale}::DECIMAL({scale + 1},0) AS HUGEINT)"
    else:
        whole = f"CAST(replace(CAST({held} AS VARCHAR), '.', '') AS HUGEINT)"
    return f"({whole} * {10 ** (wanted - scale)}::HUGEINT)" if wanted > scale else whole


def scaled(whole: str, kind: Type, digits: int = 38) -> str:
    """The decimal whose unscaled value is `whole`, of `digits` at the most."""
    scale = kind.numbers[1]
    if scale == 0:
        return f"CAST({whole} AS {t.duckdb(kind)})"
    step = f"CAST('0.{'1'.zfill(scale)}' AS DECIMAL({scale},{scale}))"
    return f"CAST(CAST({whole} AS DECIMAL({digits},0)) * {step} AS {t.duckdb(kind)})"


def average(total: str, rows: str, kind: Type, *, window: bool) -> str:
    """avg of a decimal: the sum by the count, half up, in the scale of the argument. Of a group,
    a small sum is divided as a BIGINT: that takes a tenth of the time."""
    scale = kind.numbers[1]
    above = unscaled(Value(total, Type("decimal", (38, scale))), scale, scale)
    divided = scaled(f"trino_decimal_divide({above}, {rows}::HUGEINT)", kind)
    held = 17 - scale  # so that the sum without its point has 17 digits at the most
    if window or held - scale < 5:
        return f"CASE WHEN {rows} > 0 THEN {divided} END"
    most = 10 ** (held - scale) - 1
    small = (
        f"CAST(TRY_CAST({total} AS DECIMAL({held},{scale})) * {10**scale}::DECIMAL({scale + 1},0) "
        "AS BIGINT)"
    )
    sign = f"CASE WHEN {total} < 0 THEN -1 ELSE 1 END"
    quick = scaled(f"({sign}) * ((2 * abs({small}) + {rows}) // (2 * {rows}))", kind, 18)
    return (
        f"CASE WHEN {rows} = 0 THEN NULL WHEN {total} BETWEEN {-most} AND {most} THEN {quick} "
        f"ELSE {divided} END"
    )


def _with_interval(operator: str, left: Value, right: Value) -> Value:
    if right.type in _INTERVALS and left.type.name in (*MOMENTS, *CLOCKS) and operator in "+-":
        return moved(left, right, operator)
    if left.type in _INTERVALS and right.type.name in (*MOMENTS, *CLOCKS) and operator == "+":
        return moved(right, left, operator)
    if left.type == right.type and left.type in _INTERVALS and operator in "+-":
        return Value(f"({left.sql} {operator} {right.sql})", left.type)
    if operator == "*" and left.type not in _INTERVALS:
        left, right = right, left
    if operator in "*/" and left.type in _INTERVALS and t.is_number(right.type):
        kind, number = left.type, right.sql
        if operator == "*" and t.is_integer(right.type):
            return Value(f"CAST({left.sql} * {number} AS {t.duckdb(kind)})", kind)
        word = "multiply by" if operator == "*" else "divide by"
        by = f"trino_factor(CAST({number} AS DOUBLE), {operator == '/'}, '{word}')"
        sql = f"trunc(CAST({left.sql} AS DOUBLE) {operator} {by})"
        return Value(f"CAST({sql} AS {t.duckdb(kind)})", kind)
    if operator == "-":
        for times in (MOMENTS, CLOCKS):
            if left.type.name in times and right.type.name in times:
                return _between(left, right)
    raise mismatch(operator, left, right)


def moved(value: Value, interval: Value, operator: str) -> Value:
    """A moment plus or minus an interval."""
    amount = interval.sql if operator == "+" else f"(-{interval.sql})"
    if interval.type == t.YEAR_INTERVAL:
        if value.type.name in CLOCKS:
            raise mismatch(operator, value, interval)
        return like(f"({local(value).sql} + to_months({amount}))", value)
    if value.type.name == "date":
        days = f"trino_whole_days({amount})"
        return Value(f"CAST({value.sql} + to_days(CAST({days} AS INTEGER)) AS DATE)", t.DATE)
    return shifted(value, amount)


def _between(left: Value, right: Value) -> Value:
    """The time from `right` to `left`."""
    kind = t.common(left.type, right.type)
    assert kind is not None
    a, b = (key(convert(side, kind).sql, kind) for side in (left, right))
    if kind.name == "date":
        return Value(f"(CAST({a} - {b} AS BIGINT) * 86400000)", t.DAY_INTERVAL)
    if kind.name != CLOCK_ZONED:
        a, b = f"epoch_us({a})", f"epoch_us({b})"
    return Value(f"(trino_round_us({a} - {b}, 1000) // 1000)", t.DAY_INTERVAL)


def comparison(operator: str, left: Value, right: Value) -> Value:
    """= <> < <= > >= and IS [NOT] DISTINCT FROM."""
    kind = t.common(left.type, right.type)
    ordered = operator in ("<", "<=", ">", ">=")
    if kind is None or (kind.name in ("map", "json") and ordered):
        raise mismatch(operator, left, right)
    return Value(compare(operator, convert(left, kind), convert(right, kind)), t.BOOLEAN)


MACROS = (
    """CREATE MACRO trino_factor(number, divides, word) AS CASE
        WHEN isnan(number) OR (divides AND number = 0) THEN fail('INVALID_FUNCTION_ARGUMENT: '
            || 'Cannot ' || word || ' double ' || trino_double_text(number))
        ELSE number END""",
    """CREATE MACRO trino_whole_days(ms) AS CASE WHEN ms % 86400000 <> 0
        THEN fail('INVALID_FUNCTION_ARGUMENT: Cannot add hour, minutes or seconds to a date')
        ELSE ms // 86400000 END""",
)
