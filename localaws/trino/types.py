"""Trino's types: how they are written in Trino, Hive and DuckDB, and how they convert.

Rules: https://trino.io/docs/current/language/types.html and, for the implicit conversions,
Trino's TypeCoercion (numbers widen, varchar(n) widens, date becomes timestamp, nothing else).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from localaws.trino.errors import QueryError


@dataclass(frozen=True)
class Type:
    """A Trino type. `numbers` are its sizes (decimal(10,2), varchar(5), timestamp(3)), `items`
    the types inside an array, map or row, `names` the row's field names (None if unnamed)."""

    name: str
    numbers: tuple[int, ...] = ()
    items: tuple[Type, ...] = ()
    names: tuple[str | None, ...] = ()

    def __str__(self) -> str:
        if self.name == "row":
            fields = (
                f'"{name}" {item}' if name else str(item)
                for name, item in zip(self.names, self.items, strict=True)
            )
            return f"row({', '.join(fields)})"
        if self.name.endswith(" with time zone"):
            return f"{self.name.split()[0]}({self.numbers[0]}) with time zone"
        inside = [str(item) for item in self.items] + [str(number) for number in self.numbers]
        joiner = ", " if self.items else ","
        return f"{self.name}({joiner.join(inside)})" if inside else self.name


BOOLEAN, TINYINT, SMALLINT = Type("boolean"), Type("tinyint"), Type("smallint")
INTEGER, BIGINT, REAL, DOUBLE = Type("integer"), Type("bigint"), Type("real"), Type("double")
VARCHAR, VARBINARY, JSON, UNKNOWN = (
    Type("varchar"),
    Type("varbinary"),
    Type("json"),
    Type("unknown"),
)
DATE, TIMESTAMP = Type("date"), Type("timestamp", (3,))
TIMESTAMP_TZ = Type("timestamp with time zone", (3,))
TIME = Type("time", (3,))
UUID = Type("uuid")
DAY_INTERVAL = Type("interval day to second")
YEAR_INTERVAL = Type("interval year to month")
INTEGERS = ("tinyint", "smallint", "integer", "bigint")
_DIGITS = {"tinyint": 3, "smallint": 5, "integer": 10, "bigint": 19}
_MOMENTS = ("date", "timestamp", "timestamp with time zone")
_CLOCKS = ("time", "time with time zone")
_ORDER = {
    "tinyint": 0,
    "smallint": 1,
    "integer": 2,
    "bigint": 3,
    "decimal": 4,
    "real": 5,
    "double": 6,
}


def decimal(precision: int, scale: int) -> Type:
    return Type("decimal", (min(38, precision), scale))


def array(item: Type) -> Type:
    return Type("array", items=(item,))


def map_of(key: Type, value: Type) -> Type:
    return Type("map", items=(key, value))


def row(items: Iterable[Type], names: Iterable[str | None] | None = None) -> Type:
    types = tuple(items)
    return Type("row", items=types, names=tuple(names) if names else (None,) * len(types))


def is_integer(kind: Type) -> bool:
    return kind.name in INTEGERS


def is_orderable(kind: Type) -> bool:
    """Whether values of the type have an order: not maps, not JSON, nor what holds them."""
    return kind.name not in ("map", "json") and all(is_orderable(item) for item in kind.items)


def is_number(kind: Type) -> bool:
    return kind.name in _ORDER


def is_timestamp(kind: Type) -> bool:
    return kind.name in ("timestamp", "timestamp with time zone")


def as_decimal(kind: Type) -> Type:
    """The decimal that holds every value of an integer type; a decimal as it is."""
    return Type("decimal", (_DIGITS[kind.name], 0)) if is_integer(kind) else kind


def common(left: Type, right: Type) -> Type | None:
    """The type both convert to without being asked (CASE branches, UNION, comparison), or None."""
    if left == right or right == UNKNOWN:
        return left
    if left == UNKNOWN:
        return right
    if is_number(left) and is_number(right):
        return _common_number(left, right)
    if left.name == right.name == "varchar":
        if not left.numbers or not right.numbers:
            return VARCHAR
        return Type("varchar", (max(left.numbers[0], right.numbers[0]),))
    for times in (_MOMENTS, _CLOCKS):
        if left.name in times and right.name in times:
            later = max(left, right, key=lambda kind: times.index(kind.name))
            sizes = [kind.numbers[0] for kind in (left, right) if kind.numbers]
            return Type(later.name, (max(sizes),)) if sizes else later
    if left.name == right.name == "char":
        return max(left, right, key=lambda kind: kind.numbers)
    if {left.name, right.name} == {"char", "varchar"}:
        # A char is compared with a varchar as a char of the longer length.
        long, short = (left, right) if left.name == "varchar" else (right, left)
        return Type("char", (max(long.numbers[0], short.numbers[0]),)) if long.numbers else VARCHAR
    if left.name == right.name and len(left.items) == len(right.items) and left.items:
        inner = [common(a, b) for a, b in zip(left.items, right.items, strict=True)]
        if None in inner:
            return None
        names = left.names if left.names == right.names else (None,) * len(left.names)
        return Type(left.name, items=tuple(item for item in inner if item), names=names)
    return None


def _common_number(left: Type, right: Type) -> Type:
    if "decimal" in (left.name, right.name) and {"real", "double"}.isdisjoint(
        (left.name, right.name)
    ):
        (p1, s1), (p2, s2) = as_decimal(left).numbers, as_decimal(right).numbers
        scale = max(s1, s2)
        return decimal(max(p1 - s1, p2 - s2) + scale, scale)
    return max(left, right, key=lambda kind: _ORDER[kind.name])


def converts(given: Type, wanted: Type) -> bool:
    """Whether a value of type `given` is accepted where `wanted` is asked for."""
    if given in (wanted, UNKNOWN):
        return True
    if given.name == wanted.name == "varchar":
        return not wanted.numbers or bool(given.numbers and given.numbers[0] <= wanted.numbers[0])
    return common(given, wanted) == wanted


_DUCKDB = {
    "real": "REAL",
    "varbinary": "BLOB",
    "unknown": "INTEGER",
    "char": "VARCHAR",
    "timestamp with time zone": "STRUCT(utc TIMESTAMP, zone VARCHAR)",
    "time with time zone": "STRUCT(us BIGINT, shift INTEGER)",
    "interval day to second": "BIGINT",
    "interval year to month": "INTEGER",
}


def duckdb(kind: Type) -> str:
    """How DuckDB holds the type."""
    if kind.name == "decimal":
        return f"DECIMAL({kind.numbers[0]},{kind.numbers[1]})"
    if kind.name == "array":
        return f"{duckdb(kind.items[0])}[]"
    if kind.name == "map":
        return f"MAP({duckdb(kind.items[0])}, {duckdb(kind.items[1])})"
    if kind.name == "row":
        fields = (
            f'"{field_name(kind, index)}" {duckdb(item)}' for index, item in enumerate(kind.items)
        )
        return f"STRUCT({', '.join(fields)})"
    return _DUCKDB.get(kind.name, kind.name.upper())


def field_name(kind: Type, index: int) -> str:
    """The name of a row's field in DuckDB, where none may be empty."""
    return (kind.names[index] or f"field{index}").lower().replace('"', '""')


def hive(kind: Type) -> str:
    """How the Glue Data Catalog writes the type of a column that Athena made.

    Raises QueryError (NOT_SUPPORTED) for types a Hive table cannot have.
    """
    plain = {"integer": "int", "real": "float", "varchar": "string", "varbinary": "binary"}
    if kind.name == "varchar" and kind.numbers:
        return f"varchar({kind.numbers[0]})"
    if kind.name == "timestamp":
        return "timestamp"
    if kind.name == "decimal":
        return f"decimal({kind.numbers[0]},{kind.numbers[1]})"
    if kind.name == "array":
        return f"array<{hive(kind.items[0])}>"
    if kind.name == "map":
        return f"map<{hive(kind.items[0])},{hive(kind.items[1])}>"
    if kind.name == "row":
        fields = (f"{field_name(kind, i)}:{hive(item)}" for i, item in enumerate(kind.items))
        return f"struct<{','.join(fields)}>"
    if kind.name in plain:
        return plain[kind.name]
    if kind.name in ("boolean", "tinyint", "smallint", "bigint", "double", "date"):
        return kind.name
    raise QueryError("NOT_SUPPORTED", f"Unsupported Hive type: {kind}")


_FROM_HIVE = {
    "int": INTEGER,
    "integer": INTEGER,
    "float": REAL,
    "real": REAL,
    "string": VARCHAR,
    "binary": VARBINARY,
    "timestamp": TIMESTAMP,
    "double precision": DOUBLE,
    "decimal": decimal(10, 0),
}


def from_hive(text: str) -> Type:
    """The Trino type of a catalog column type such as `array<struct<a:int,b:string>>`.

    Raises ValueError for a type that Athena does not know.
    """
    kind, rest = _read_hive(text.strip().lower())
    if rest:
        raise ValueError(f"type {text!r}: nothing may follow {text[: len(text) - len(rest)]!r}")
    return kind


def _read_hive(text: str) -> tuple[Type, str]:
    end = 0
    while end < len(text) and text[end] not in "<>(),:":
        end += 1
    name, rest = text[:end].strip(), text[end:]
    if rest.startswith("<"):
        return _read_nested(name, rest[1:])
    numbers: tuple[int, ...] = ()
    if rest.startswith("("):
        inside, _, rest = rest[1:].partition(")")
        numbers = tuple(int(number) for number in inside.split(","))
    if name in ("decimal", "numeric") and numbers:
        return Type("decimal", (numbers[0], numbers[1] if len(numbers) > 1 else 0)), rest
    if name == "varchar" and numbers:
        return Type("varchar", numbers), rest
    if name == "char" and numbers:
        return Type("char", numbers), rest
    if name in _FROM_HIVE:
        return _FROM_HIVE[name], rest
    if name in ("boolean", "tinyint", "smallint", "bigint", "double", "date", "varchar"):
        return Type(name), rest
    raise ValueError(
        f"column type {name!r} is not one of tinyint, smallint, int, bigint, boolean, float, "
        "double, decimal(p,s), string, varchar(n), char(n), binary, date, timestamp, array<>, "
        "map<>, struct<>"
    )


def _read_nested(name: str, rest: str) -> tuple[Type, str]:
    items: list[Type] = []
    names: list[str | None] = []
    while True:
        if name == "struct":
            field, _, rest = rest.partition(":")
            names.append(field.strip(" `"))
        item, rest = _read_hive(rest.lstrip())
        items.append(item)
        rest = rest.lstrip()
        if rest.startswith(","):
            rest = rest[1:]
            continue
        if not rest.startswith(">"):
            raise ValueError(f"type {name}<...>: expected ',' or '>' before {rest!r}")
        rest = rest[1:]
        break
    if name == "array" and len(items) == 1:
        return array(items[0]), rest
    if name == "map" and len(items) == 2:
        return map_of(items[0], items[1]), rest
    if name == "struct":
        return row(items, names), rest
    raise ValueError(f"type {name}<...> with {len(items)} inner types")
