"""Date and time functions into a new column; what is no date gives null."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from localaws.databrew.recipe.dates import DEFAULT, UNITS, strftime
from localaws.databrew.recipe.shapes import Compile, add, of_number, of_time
from localaws.databrew.recipe.sql import ident, literal, to_double, to_time
from localaws.databrew.recipe.steps import Step
from localaws.databrew.recipe.table import Context, Selected, Table


def _layout(step: Step, default: str = DEFAULT) -> str:
    return literal(strftime(step, step.text("dateTimeFormat", default)))


def _zone(step: Step, parameter: str) -> str:
    name = step.text(parameter, "UTC")
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        step.fail(f"parameter {parameter!r} is {name!r}, which is no time zone.")
    return name


def _date_add(step: Step, moment: str) -> str:
    unit = UNITS[step.choice("units", list(UNITS))]
    amount = step.integer("dateAddValue")
    days = {"week": 7, "quarter": 3}.get(unit, 1)
    unit = {"week": "day", "quarter": "month"}.get(unit, unit)
    return f"strftime({moment} + INTERVAL ({amount * days}) {unit}, {_layout(step)})"


def date_diff(step: Step, table: Table, context: Context) -> Selected:
    """Whole units from the first date to the second; negative when the second is earlier."""
    left = to_time(*step.operand(table, ["sourceColumn1"], ["value1"]))
    right = to_time(*step.operand(table, ["sourceColumn2"], ["value2"]))
    unit = UNITS[step.choice("units", list(UNITS))]
    return add(step, table, f"datesub('{unit}', {left}, {right})", "BIGINT")


def _part(step: Step, table: Table, parts: dict[str, object], name: str, default: str) -> str:
    given = parts.get(name)
    if given is None:
        return default
    if not isinstance(given, dict):
        step.fail(f"dateTimeParameters.{name} must be an object with sourceColumn or value.")
    if "sourceColumn" in given:
        column = step.existing(table, str(given["sourceColumn"]))
        number = to_double(ident(column), step.kind(table, column))
    else:
        number = step.double(str(given.get("value", "")), f"dateTimeParameters.{name}")
    return f"TRY_CAST(trunc({number}) AS BIGINT)"


def from_parts(layout: str) -> Compile:
    """A date, timestamp or time as text, built of its parts; an impossible one gives null."""

    def compile_step(step: Step, table: Table, context: Context) -> Selected:
        parts = step.json("dateTimeParameters", dict)
        year, month, day = (
            _part(step, table, parts, name, default)
            for name, default in (("year", "1970"), ("month", "1"), ("day", "1"))
        )
        hour, minute, second = (
            _part(step, table, parts, name, "0") for name in ("hour", "minute", "second")
        )
        moment = (
            f"TRY(make_timestamp({year}, {month}, {day}, {hour}, {minute},"
            f" CAST({second} AS DOUBLE)))"
        )
        return add(step, table, f"strftime({moment}, {_layout(step, layout)})", "VARCHAR")

    return compile_step


def _convert_timezone(step: Step, moment: str) -> str:
    source, target = _zone(step, "fromTimeZone"), _zone(step, "toTimeZone")
    shifted = f"timezone({literal(target)}, timezone({literal(source)}, {moment}))"
    return f"strftime({shifted}, {_layout(step)})"


def current(layout: str) -> Compile:
    """The time at which the job runs, the same in every row."""

    def compile_step(step: Step, table: Table, context: Context) -> Selected:
        local = context.now.astimezone(ZoneInfo(_zone(step, "timeZone")))
        return add(step, table, literal(local.strftime(layout)), "VARCHAR")

    return compile_step


def part(function: str, kind: str = "INTEGER") -> Compile:
    return of_time(lambda step, moment: f"{function}({moment})", kind)


OPERATIONS: dict[str, Compile] = {
    "CONVERT_TIMEZONE": of_time(_convert_timezone, "VARCHAR"),
    "DATE": from_parts("yyyy-mm-dd"),
    "DATE_ADD": of_time(_date_add, "VARCHAR"),
    "DATE_DIFF": date_diff,
    "DATE_FORMAT": of_time(lambda step, m: f"strftime({m}, {_layout(step)})", "VARCHAR"),
    "DATE_TIME": from_parts(DEFAULT),
    "DAY": part("day"),
    "HOUR": part("hour"),
    "MILLISECOND": of_time(lambda step, m: f"millisecond({m}) % 1000", "INTEGER"),
    "MINUTE": part("minute"),
    "MONTH": part("month"),
    "MONTH_NAME": part("monthname", "VARCHAR"),
    "NOW": current("%Y-%m-%d %H:%M:%S"),
    "QUARTER": part("quarter"),
    "SECOND": part("second"),
    "TIME": from_parts("HH:MM:SS"),
    "TODAY": current("%Y-%m-%d"),
    "UNIX_TIME": of_time(lambda step, m: f"floor(epoch({m}))", "BIGINT"),
    "UNIX_TIME_FORMAT": of_number(
        lambda step, n: (
            f"strftime(TRY(make_timestamp(TRY_CAST({n} * 1000000 AS BIGINT))), {_layout(step)})"
        ),
        "VARCHAR",
    ),
    # Numbered as Spark's dayofweek: 1 is Sunday.
    "WEEK_DAY": of_time(lambda step, m: f"dayofweek({m}) + 1", "INTEGER"),
    "WEEK_NUMBER": part("week"),
    "YEAR": part("year"),
}
ORDERED: frozenset[str] = frozenset()
