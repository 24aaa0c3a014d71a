"""Values as Athena writes them into its result files."""

from __future__ import annotations

from localaws.athena.sql.casts import decimal_text
from localaws.athena.sql.queries import Query
from localaws.athena.sql.times import CLOCKS, MOMENTS
from localaws.athena.sql.times import written as time_text
from localaws.shapes import Json
from localaws.trino import types as t
from localaws.trino.types import Type
from localaws.trino.values import name, text


def result_query(query: Query) -> str:
    """The query with every value as the text of the result file, under its column's name."""
    taken: list[str] = []
    shown = []
    for column in query.columns:
        label = column.name
        taken.append(label)
        unique = label if taken.count(label) == 1 else f"{label} {taken.count(label)}"
        shown.append(f"{written(column.sql, column.type)} AS {name(unique)}")
    return f"SELECT {', '.join(shown)} FROM ({query.sql})"


def written(sql: str, kind: Type) -> str:
    """DuckDB text for a value as Athena prints it (doubles as Java does, rows as {a=1})."""
    if kind.name in ("double", "real"):
        plain = f"CAST({sql} AS VARCHAR)"
        return (
            f"CASE WHEN {sql} = 0 OR (abs({sql}) >= 0.001 AND abs({sql}) < 10000000) THEN {plain} "
            f"ELSE trino_scientific(CAST({sql} AS DOUBLE), {plain}) END"
        )
    if kind.name in (*MOMENTS, *CLOCKS) or kind in (t.DAY_INTERVAL, t.YEAR_INTERVAL):
        return time_text(sql, kind)
    if kind.name == "decimal":
        return decimal_text(sql, kind)
    if kind.name == "varbinary":
        return f"lower(rtrim(regexp_replace(hex({sql}), '(..)', '\\1 ', 'g')))"
    if kind.name == "array":
        inside = f"list_transform({sql}, lambda e: {_inside('e', kind.items[0])})"
        return f"CASE WHEN {sql} IS NOT NULL THEN '[' || array_to_string({inside}, ', ') || ']' END"
    if kind.name == "map":
        key, item = _inside("e.k", kind.items[0]), _inside("e.v", kind.items[1])
        pairs = f"list_transform(map_entries({sql}), lambda e: {{'k': e.key, 'v': e.value}})"
        inside = f"list_transform(list_sort({pairs}), lambda e: {key} || '=' || {item})"
        return (
            f"CASE WHEN {sql} IS NOT NULL THEN '{{' || array_to_string({inside}, ', ') || '}}' END"
        )
    if kind.name == "row":
        fields = " || ', ' || ".join(
            (text(f"{kind.names[i]}=") + " || " if kind.names[i] else "")
            + _inside(f"({sql}).{name(t.field_name(kind, i))}", item)
            for i, item in enumerate(kind.items)
        )
        return f"CASE WHEN {sql} IS NOT NULL THEN '{{' || {fields} || '}}' END"
    return f"CAST({sql} AS VARCHAR)"


def _inside(sql: str, kind: Type) -> str:
    return f"coalesce({written(sql, kind)}, 'null')"


_SIZES = {
    "boolean": (0, 0), "tinyint": (3, 0), "smallint": (5, 0), "integer": (10, 0),
    "bigint": (19, 0), "real": (17, 0), "double": (17, 0), "timestamp": (3, 0),
    "timestamp with time zone": (3, 0), "time": (3, 0), "time with time zone": (3, 0),
    "varchar": (2147483647, 0), "varbinary": (1073741824, 0),
}  # fmt: skip


def column_info(label: str, kind: Type) -> Json:
    """A ColumnInfo of GetQueryResults."""
    precision, scale = _SIZES.get(kind.name, (0, 0))
    if kind.name == "decimal":
        precision, scale = kind.numbers
    elif kind.name in ("varchar", "char") and kind.numbers:
        precision = kind.numbers[0]
    return {
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": label,
        "Label": label,
        "Type": "float" if kind.name == "real" else kind.name,
        "Precision": precision,
        "Scale": scale,
        "Nullable": "UNKNOWN",
        "CaseSensitive": kind.name in ("varchar", "char"),
    }
