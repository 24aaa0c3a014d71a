"""The Trino type that a parsed type name stands for."""

from __future__ import annotations

from sqlglot import exp

from localaws.trino import types as t
from localaws.trino.errors import QueryError, not_emulated
from localaws.trino.types import Type

from .grammar import written
from .times import sized

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
    "TEXT": t.VARCHAR,
}


def from_trino(node: exp.DataType, literal: str | int | None = None) -> Type:
    """`literal` is the text of `DECIMAL '1.50'`, whose digits are the type's."""
    kind = node.this.value if hasattr(node.this, "value") else str(node.this)
    sizes = [part.this for part in node.expressions if isinstance(part, exp.DataTypeParam)]
    for size in sizes:
        if not isinstance(size, exp.Literal) or not size.name.isdigit():
            raise QueryError("SYNTAX_ERROR", f"mismatched input '{size.name}'", size)
    numbers = tuple(int(size.name) for size in sizes)
    if kind in _PLAIN:
        return _PLAIN[kind]
    if kind == "VARCHAR":
        return Type("varchar", numbers)
    if kind == "DECIMAL":
        if not numbers and isinstance(literal, str):
            digits = literal.lstrip("+-").lstrip("0")
            whole, _, fraction = digits.partition(".")
            return t.decimal(max(1, len(whole + fraction)), len(fraction))
        precision, scale = ((numbers or (38,)) + (0,))[:2]
        if not 1 <= precision <= 38:
            raise QueryError(
                "INVALID_FUNCTION_ARGUMENT", "DECIMAL precision must be in range [1, 38]", node
            )
        if scale > precision:
            raise QueryError(
                "INVALID_FUNCTION_ARGUMENT", "DECIMAL scale must be in range [0, precision]", node
            )
        return t.decimal(precision, scale)
    if kind == "TIMESTAMP":
        return sized("timestamp", *(numbers or (3,)))
    if kind == "TIMESTAMPTZ":
        return sized("timestamp with time zone", *(numbers or (3,)))
    if kind == "TIME":
        return sized("time", *(numbers or (3,)))
    if kind == "TIMETZ":
        return sized("time with time zone", *(numbers or (3,)))
    if kind == "CHAR":
        if numbers and numbers[0] > 65_536:
            raise QueryError(
                "INVALID_FUNCTION_ARGUMENT",
                f"CHAR length must be in range [0, 65536], got {numbers[0]}",
                node,
            )
        return Type("char", numbers or (1,))
    if kind in ("ARRAY", "MAP") and len(node.expressions) != (1 if kind == "ARRAY" else 2):
        raise QueryError("TYPE_NOT_FOUND", f"Unknown type: {written(node).lower()}", node)
    if kind == "ARRAY":
        return t.array(from_trino(node.expressions[0]))
    if kind == "MAP":
        return t.map_of(from_trino(node.expressions[0]), from_trino(node.expressions[1]))
    if kind == "STRUCT":
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
    raise not_emulated(f"the type {written(node)}", node)


def _field(node: exp.Identifier) -> str:
    """A field's name: only quotes keep its capital letters."""
    return node.name if node.args.get("quoted") else node.name.lower()
