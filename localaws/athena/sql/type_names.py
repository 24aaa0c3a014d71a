"""The Trino type that a parsed type name stands for."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from localaws.trino import types as t
from localaws.trino.errors import QueryError, not_emulated
from localaws.trino.types import Type

from .grammar import written
from .times import sized

Sized = Callable[[exp.DataType, tuple[int, ...]], Type]
_PLAIN = {
    "BOOLEAN": t.BOOLEAN,
    "TINYINT": t.TINYINT,
    "SMALLINT": t.SMALLINT,
    "INT": t.INTEGER,
    "BIGINT": t.BIGINT,
    "FLOAT": t.REAL,
    "DOUBLE": t.DOUBLE,
    "VARBINARY": t.VARBINARY,
    "DATE": t.DATE,
    "JSON": t.JSON,
    "UUID": t.UUID,
    "UNKNOWN": t.UNKNOWN,
}

# Types that Trino has beside those of its grammar: https://trino.io/docs/current/language/types.html
_LACKED = frozenset(
    """
    bingtile color kdbtree objectid p4hyperloglog qdigest setdigest sphericalgeography tdigest
    """.split()  # noqa: SIM905 - a list of quoted words reads worse
)


def from_trino(node: exp.DataType, literal: str | int | None = None) -> Type:
    """`literal` is the text of `DECIMAL '1.50'`, whose digits are the type's."""
    kind = node.this.value if hasattr(node.this, "value") else str(node.this)
    if kind in _PLAIN:
        return _PLAIN[kind]
    if kind == "DECIMAL" and not node.expressions and isinstance(literal, str):
        return _decimal_of(literal)
    if kind in _SIZED:
        return _SIZED[kind](node, _numbers(node))
    if kind in _NESTED:
        return _NESTED[kind](node)
    told = str(node.args.get("kind") or written(node))
    if node.this == exp.DType.USERDEFINED and told.partition("(")[0].strip().lower() not in _LACKED:
        raise QueryError("TYPE_NOT_FOUND", f"Unknown type: {told}", node)
    raise not_emulated(f"the type {told}", node)


def _numbers(node: exp.DataType) -> tuple[int, ...]:
    sizes = [part.this for part in node.expressions if isinstance(part, exp.DataTypeParam)]
    for size in sizes:
        if not isinstance(size, exp.Literal) or not size.name.isdigit():
            raise QueryError("SYNTAX_ERROR", f"mismatched input '{size.name}'", size)
    return tuple(int(size.name) for size in sizes)


def _decimal_of(literal: str) -> Type:
    whole, _, fraction = literal.lstrip("+-").lstrip("0").partition(".")
    return t.decimal(max(1, len(whole + fraction)), len(fraction))


def _outside(message: str, node: exp.DataType) -> QueryError:
    return QueryError("INVALID_FUNCTION_ARGUMENT", message, node)


def _decimal(node: exp.DataType, numbers: tuple[int, ...]) -> Type:
    precision, scale = ((numbers or (38,)) + (0,))[:2]
    if not 1 <= precision <= 38:
        raise _outside("DECIMAL precision must be in range [1, 38]", node)
    if scale > precision:
        raise _outside("DECIMAL scale must be in range [0, precision]", node)
    return t.decimal(precision, scale)


def _varchar(node: exp.DataType, numbers: tuple[int, ...]) -> Type:
    return Type("varchar", numbers)


def _char(node: exp.DataType, numbers: tuple[int, ...]) -> Type:
    if numbers and numbers[0] > 65_536:
        raise _outside(f"CHAR length must be in range [0, 65536], got {numbers[0]}", node)
    return Type("char", numbers or (1,))


def _time(name: str) -> Sized:
    return lambda node, numbers: sized(name, *(numbers or (3,)))


_SIZED: dict[str, Sized] = {
    "DECIMAL": _decimal,
    "VARCHAR": _varchar,
    "CHAR": _char,
    "TIMESTAMP": _time("timestamp"),
    "TIMESTAMPTZ": _time("timestamp with time zone"),
    "TIME": _time("time"),
    "TIMETZ": _time("time with time zone"),
}


def _items(node: exp.DataType, count: int) -> list[Type]:
    if len(node.expressions) != count:
        raise QueryError("TYPE_NOT_FOUND", f"Unknown type: {written(node).lower()}", node)
    return [from_trino(part) for part in node.expressions]


def _row(node: exp.DataType) -> Type:
    fields = [
        (_field(part.this), from_trino(part.args["kind"]))
        if isinstance(part, exp.ColumnDef)
        else (None, from_trino(part))
        for part in node.expressions
    ]
    named = [name.lower() for name, _ in fields if name is not None]
    if len(set(named)) < len(named):
        raise not_emulated(f"the type {written(node)}: two fields of one name", node)
    return t.row((item for _, item in fields), (name for name, _ in fields))


_NESTED: dict[str, Callable[[exp.DataType], Type]] = {
    "ARRAY": lambda node: t.array(*_items(node, 1)),
    "MAP": lambda node: t.map_of(*_items(node, 2)),
    "STRUCT": _row,
}


def _field(node: exp.Identifier) -> str:
    """A field's name: only quotes keep its capital letters."""
    return node.name if node.args.get("quoted") else node.name.lower()
