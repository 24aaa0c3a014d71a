"""Partition projection: partitions computed from a table's properties, not kept in the catalog.

https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html; what the
guide leaves open is as in Trino's io.trino.plugin.hive.metastore / projection.
"""

from __future__ import annotations

import calendar
import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlglot
from sqlglot import exp

from localaws.shapes import Json
from localaws.tables.errors import TableError, not_emulated
from localaws.tables.java_dates import JavaDates
from localaws.tables.partitions import folder
from localaws.tables.snapshot import Columns

Value = tuple[str, str]  # the value as the catalog would have it, and as the location shows it
# (keys, their values, conditions) to the places of the values that satisfy the conditions
Prune = Callable[[Columns, tuple[tuple[str, ...], ...], tuple[str, ...]], list[int]]

MAXIMUM_PARTITIONS = 1_000_000
_UNITS = ("YEARS", "MONTHS", "WEEKS", "DAYS", "HOURS", "MINUTES", "SECONDS", "MILLISECONDS")
_NOW = re.compile(
    r"\s*NOW\s*(?:([+-])\s*([0-9]+)\s*((?:YEAR|MONTH|WEEK|DAY|HOUR|MINUTE|SECOND)S?)\s*)?",
    re.IGNORECASE,
)
_REFERENCE = re.compile(r"'(?:[^']|'')*'|(?:(\w+)\.)?\"((?:[^\"]|\"\")*)\"")


def enabled(table: Json) -> bool:
    """Raises TableError for what is neither true nor false: rows would be missing in silence."""
    value = str((table.get("Parameters") or {}).get("projection.enabled", "false"))
    if value.strip().lower() not in ("true", "false"):
        raise TableError(
            "INVALID_TABLE_PROPERTY",
            f"projection.enabled is true or false, not '{value}' "
            f"(table {table['DatabaseName']}.{table['Name']})",
        )
    return value.strip().lower() == "true"


@dataclass(frozen=True)
class Projection:
    """The projection of one table, at one time of a query."""

    table: Json
    now: datetime  # UTC

    @property
    def _name(self) -> str:
        return f"{self.table['DatabaseName']}.{self.table['Name']}"

    def partitions(self, alias: str, conditions: Sequence[str], prune: Prune) -> list[Json]:
        """The partitions that can satisfy the conditions, in the shape of the catalog's.

        Raises TableError: for a property that is missing or wrong, an injected column without a
        static condition, and more partitions than one scan may have.
        """
        keys = tuple(
            (key["Name"].lower(), key.get("Type") or "string")
            for key in self.table["PartitionKeys"]
        )
        self._check_configured([key for key, _ in keys])
        read = {condition: _columns_of(condition, alias) for condition in conditions}
        lists = []
        for key, kind in keys:
            own = tuple(condition for condition, columns in read.items() if columns == {key})
            values = self._values(key, kind, alias, conditions)
            texts: tuple[tuple[str, ...], ...] = tuple((value,) for value, _ in values)
            kept = prune(((key, kind),), texts, own) if own else range(len(values))
            lists.append([values[place] for place in kept])
        count = 1
        for values in lists:
            count *= len(values)
        if count > MAXIMUM_PARTITIONS:
            raise TableError(
                "HIVE_EXCEEDED_PARTITION_LIMIT",
                f"Query over table '{self._name}' can potentially read more than "
                f"{MAXIMUM_PARTITIONS} partitions",
            )
        chosen = list(itertools.product(*lists))
        rest = tuple(condition for condition, columns in read.items() if len(columns) > 1)
        if rest and chosen:
            texts = tuple(tuple(value for value, _ in row) for row in chosen)
            chosen = [chosen[place] for place in prune(keys, texts, rest)]
        names = [key for key, _ in keys]
        return [
            {
                "Values": [value for value, _ in row],
                "StorageDescriptor": {
                    "Location": self._location(names, [shown for _, shown in row])
                },
            }
            for row in chosen
        ]

    def _property(self, key: str, name: str) -> str | None:
        wanted = f"projection.{key}.{name}"
        parameters = self.table.get("Parameters") or {}
        return next((str(v) for k, v in parameters.items() if k.lower() == wanted), None)

    def _needed(self, key: str, name: str) -> str:
        value = self._property(key, name)
        if value is None:
            raise self._wrong(key, f"the property projection.{key}.{name} is missing")
        return value

    def _wrong(self, key: str, reason: str) -> TableError:
        return TableError(
            "INVALID_TABLE_PROPERTY",
            f"Column projection for column '{key}' failed. {reason} (table {self._name})",
        )

    def _check_configured(self, keys: list[str]) -> None:
        missing = [key for key in keys if self._property(key, "type") is None]
        if missing:
            raise TableError(
                "HIVE_METASTORE_ERROR",
                f"Table {self._name} is configured for partition projection, but the following "
                f"partition columns are missing projection configuration: [{', '.join(missing)}] "
                f"(table {self._name})",
            )

    def _location(self, keys: list[str], values: list[str]) -> str:
        template = (self.table.get("Parameters") or {}).get("storage.location.template")
        if not template:
            root = self.table["StorageDescriptor"]["Location"].rstrip("/")
            return f"{root}/{folder(keys, values)}"
        location = str(template)
        for key, value in zip(keys, values, strict=True):
            if f"${{{key}}}" not in template:
                raise self._wrong(key, f"storage.location.template has no ${{{key}}}: {template}")
            location = location.replace(f"${{{key}}}", value)
        return location

    # values by type

    def _values(self, key: str, kind: str, alias: str, conditions: Sequence[str]) -> list[Value]:
        written = self._needed(key, "type").strip().lower()
        if written == "enum":
            values = [value.strip() for value in self._needed(key, "values").split(",")]
            return [(value, value) for value in values if value]
        if written == "integer":
            return self._integers(key)
        if written == "date":
            return self._dates(key, kind)
        if written == "injected":
            return self._injected(key, alias, conditions)
        raise self._wrong(key, f"The type {written!r} is not one of enum, integer, date, injected")

    def _integers(self, key: str) -> list[Value]:
        low, high = self._range(key)
        try:
            first, last = int(low), int(high)
            step = int(self._property(key, "interval") or 1)
            digits = int(self._property(key, "digits") or 0)
        except ValueError as error:
            raise self._wrong(key, f"{error}") from None
        if first > last or step < 1:
            raise self._wrong(key, f"The range {low},{high} by {step} is empty")
        if (last - first) // step >= MAXIMUM_PARTITIONS:
            raise self._wrong(key, f"The range {low},{high} has more than {MAXIMUM_PARTITIONS}")
        shown = (f"{value:0{digits + (value < 0)}d}" for value in range(first, last + 1, step))
        return [(text, text) for text in shown]

    def _range(self, key: str) -> tuple[str, str]:
        bounds = self._needed(key, "range").split(",")
        if len(bounds) != 2:
            raise self._wrong(key, f"The range {','.join(bounds)!r} has not two bounds")
        return bounds[0], bounds[1]

    def _dates(self, key: str, kind: str) -> list[Value]:
        pattern = self._needed(key, "format")
        try:
            dates = JavaDates(pattern)
        except ValueError as error:
            raise not_emulated(f"the date format {pattern!r} of column {key}: {error}") from None
        low, high = (self._bound(key, dates, bound) for bound in self._range(key))
        if low > high:
            raise self._wrong(key, f"The left bound {low} is after the right one, {high}")
        unit, step = self._interval(key, dates)
        found: list[Value] = []
        for number in itertools.count():
            moment = _later(low, unit, step * number)
            if moment > high:
                return found
            if len(found) == MAXIMUM_PARTITIONS:
                raise self._wrong(key, f"The range has more than {MAXIMUM_PARTITIONS} values")
            shown = dates.write(moment)
            value = shown
            if kind.lower() == "date":
                value = moment.date().isoformat()
            elif kind.lower() == "timestamp":
                value = moment.isoformat(" ")
            found.append((value, shown))
        raise AssertionError("unreachable")

    def _bound(self, key: str, dates: JavaDates, written: str) -> datetime:
        relative = _NOW.fullmatch(written)
        try:
            if relative is None:
                return dates.read(written)
            moment = self.now.replace(tzinfo=None)
            if relative[1]:
                count = int(relative[2]) * (-1 if relative[1] == "-" else 1)
                moment = _later(moment, relative[3].upper().rstrip("S") + "S", count)
            return dates.read(dates.write(moment))
        except (ValueError, OverflowError) as error:
            raise self._wrong(key, f"The bound {written!r}: {error}") from None

    def _interval(self, key: str, dates: JavaDates) -> tuple[str, int]:
        unit, step = self._property(key, "interval.unit"), self._property(key, "interval")
        if dates.finer_than_days and (unit is None or step is None):
            raise self._wrong(
                key,
                f"projection.{key}.interval and .interval.unit are needed for the format "
                f"{dates.pattern!r}",
            )
        unit = (unit or ("DAYS" if dates.has_days else "MONTHS")).strip().upper()
        if unit not in _UNITS:
            raise self._wrong(key, f"The unit {unit!r} is not one of {', '.join(_UNITS)}")
        if not (step or "1").strip().isdigit() or int(step or 1) < 1:
            raise self._wrong(key, f"The interval {step!r} is no positive whole number")
        return unit, int(step or 1)

    def _injected(self, key: str, alias: str, conditions: Sequence[str]) -> list[Value]:
        for condition in conditions:
            found = _equalities(sqlglot.parse_one(condition, read="duckdb"), alias, key)
            if found:
                return [(value, value) for value in sorted(found)]
        raise TableError(
            "CONSTRAINT_VIOLATION",
            f"For the injected projected partition column {key}, the WHERE clause must contain "
            "only static equality conditions, and at least one such condition must be present.",
        )


def _columns_of(condition: str, alias: str) -> set[str]:
    return {
        label.replace('""', '"') for owner, label in _REFERENCE.findall(condition) if owner == alias
    }


def _equalities(node: Any, alias: str, key: str) -> set[str]:
    """The texts that the column is compared with, if the condition is nothing but that."""

    def is_key(side: Any) -> bool:
        while isinstance(side, exp.Cast | exp.Paren):
            side = side.this
        return isinstance(side, exp.Column) and side.table == alias and side.name == key

    def text(side: Any) -> str | None:
        while isinstance(side, exp.Cast | exp.Paren):
            side = side.this
        return str(side.this) if isinstance(side, exp.Literal) else None

    if isinstance(node, exp.Paren):
        return _equalities(node.this, alias, key)
    if isinstance(node, exp.Or):
        left = _equalities(node.this, alias, key)
        right = _equalities(node.expression, alias, key)
        return left | right if left and right else set()
    found: list[str | None] = []
    if isinstance(node, exp.EQ):
        if is_key(node.this):
            found = [text(node.expression)]
        elif is_key(node.expression):
            found = [text(node.this)]
    elif isinstance(node, exp.In) and is_key(node.this):
        found = [text(item) for item in node.expressions]
    return {value for value in found if value is not None} if None not in found else set()


def _later(moment: datetime, unit: str, count: int) -> datetime:
    """`count` units after the moment; a day that a month has not is its last one, as in Java."""
    if unit in ("YEARS", "MONTHS"):
        months = moment.year * 12 + moment.month - 1 + count * (12 if unit == "YEARS" else 1)
        year, month = divmod(months, 12)
        last = calendar.monthrange(year, month + 1)[1]
        return moment.replace(year=year, month=month + 1, day=min(moment.day, last))
    return moment + timedelta(**{unit.lower(): count})
