"""Functions whose result type or text depends on more than a signature says."""

from __future__ import annotations

from collections.abc import Callable

from localaws.trino import types as t
from localaws.trino.errors import QueryError, not_emulated
from localaws.trino.types import Type
from localaws.trino.values import NULL, Value, all_there, text
from localaws.trino.values import name as name_of

from .casts import convert, text_of
from .dates import DATES, unexpected
from .equality import equal
from .operators import arithmetic, scaled, unscaled
from .times import local

Special = Callable[[list[Value]], Value]


def unify(values: list[Value], what: str) -> tuple[list[Value], Type]:
    """The values converted to their common type; TYPE_MISMATCH when there is none."""
    kind = values[0].type
    for value in values[1:]:
        both = t.common(kind, value.type)
        if both is None:
            raise QueryError(
                "TYPE_MISMATCH",
                f"All {what} must be the same type or coercible to a common type. "
                f"Cannot find common type between {kind} and {value.type}",
            )
        kind = both
    return [convert(value, kind) for value in values], kind


def count(arguments: list[Value], name: str, *accepted: int) -> None:
    if len(arguments) not in accepted:
        shown = ", ".join(str(value.type) for value in arguments)
        raise QueryError(
            "FUNCTION_NOT_FOUND",
            f"Unexpected parameters ({shown}) for function {name}. "
            f"It takes {' or '.join(map(str, accepted))} arguments",
        )


def some(arguments: list[Value], name: str, least: int = 1) -> None:
    if len(arguments) < least:
        raise QueryError(
            "FUNCTION_NOT_FOUND", f"{name} takes at least {least} arguments, not {len(arguments)}"
        )


def constant(arguments: list[Value], place: int, name: str) -> str:
    """A text argument that has to be a literal here."""
    found = arguments[place].constant if place < len(arguments) else None
    if not isinstance(found, str):
        raise not_emulated(f"{name} with a text that is not a literal (argument {place + 1})")
    return found


def coalesce(arguments: list[Value]) -> Value:
    if len(arguments) < 2:
        raise QueryError(
            "INVALID_FUNCTION_ARGUMENT", "The 'coalesce' function must have at least two arguments"
        )
    values, kind = unify(arguments, "COALESCE operands")
    return Value(f"coalesce({', '.join(value.sql for value in values)})", kind)


def nullif(arguments: list[Value]) -> Value:
    count(arguments, "nullif", 2)
    (left, right), _ = unify(arguments, "NULLIF operands")
    kept = arguments[0]
    return Value(f"CASE WHEN {equal(left, right)} THEN NULL ELSE {kept.sql} END", kept.type)


def if_(arguments: list[Value]) -> Value:
    count(arguments, "if", 2, 3)
    if arguments[0].type not in (t.BOOLEAN, t.UNKNOWN):
        raise QueryError(
            "TYPE_MISMATCH", f"IF condition must evaluate to a boolean: {arguments[0].type}"
        )
    values, kind = unify([*arguments[1:], NULL][:2], "IF operands")
    return Value(
        f"CASE WHEN {arguments[0].sql} THEN {values[0].sql} ELSE {values[1].sql} END", kind
    )


def extreme(name: str) -> Special:
    def compile_extreme(arguments: list[Value]) -> Value:
        some(arguments, name)
        values, kind = unify(arguments, f"{name} operands")
        any_null = " OR ".join(f"{value.sql} IS NULL" for value in values)
        inside = ", ".join(value.sql for value in values)
        return Value(f"CASE WHEN {any_null} THEN NULL ELSE {name}({inside}) END", kind)

    return compile_extreme


def concat(arguments: list[Value]) -> Value:
    if len(arguments) < 2:
        raise QueryError(
            "INVALID_FUNCTION_ARGUMENT", "There must be two or more concatenation arguments"
        )
    if any(value.type.name == "array" for value in arguments):
        depth = max(_depth(value.type) for value in arguments)
        items = [
            value if _depth(value.type) == depth else Value(f"[{value.sql}]", t.array(value.type))
            for value in arguments
        ]
        values, kind = unify(items, "concat operands")
        sql = values[0].sql
        for value in values[1:]:
            sql = f"list_concat({sql}, {value.sql})"
        unknown = " OR ".join(f"{value.sql} IS NULL" for value in arguments)
        return Value(f"CASE WHEN NOT ({unknown}) THEN {sql} END", kind)
    sizes = [v.type.numbers[0] if v.type.numbers else 0 for v in arguments]
    if (
        any(v.type.name == "char" for v in arguments)
        and len(arguments) == 2
        and all(v.type.name in ("char", "varchar") and v.type.numbers for v in arguments)
    ):
        if sum(sizes) > 65_536:
            raise QueryError("TYPE_NOT_FOUND", f"Unknown type: char({sum(sizes)})")
        held = " || ".join(convert(v, Type("char", (size,))).sql if v.type.name == "char" else v.sql
                           for v, size in zip(arguments, sizes, strict=True))  # fmt: skip
        return Value(f"rpad({held}, {sum(sizes)}, ' ')", Type("char", (sum(sizes),)))
    arguments = [convert(v, t.VARCHAR) if v.type.name == "char" else v for v in arguments]
    for value in arguments:
        if value.type.name not in ("varchar", "unknown", "varbinary"):
            raise QueryError(
                "TYPE_MISMATCH",
                "Unexpected parameters "
                f"({', '.join(str(value.type) for value in arguments)}) for function concat. "
                "Expected: concat(varchar), concat(array)",
            )
    kind = t.VARBINARY if arguments[0].type == t.VARBINARY else t.VARCHAR
    return Value("(" + " || ".join(value.sql for value in arguments) + ")", kind)


def _depth(kind: Type) -> int:
    return 1 + _depth(kind.items[0]) if kind.name == "array" else 0


def numeric(name: str) -> Special:
    """abs, ceiling, floor, round, truncate, sign: the result keeps the argument's kind."""

    def compile_numeric(arguments: list[Value]) -> Value:
        count(arguments, name, 1, 2) if name in ("round", "truncate") else count(arguments, name, 1)
        value = arguments[0]
        kind = value.type
        if len(arguments) == 2 and not t.converts(arguments[1].type, t.BIGINT):
            raise unexpected(name, arguments)
        of_double = kind.name in ("real", "double") and len(arguments) == 2
        if not (t.is_number(kind) or kind == t.UNKNOWN) or (of_double and name == "truncate"):
            raise unexpected(name, arguments)
        places = arguments[1].sql if len(arguments) == 2 else None
        if kind.name in ("real", "double"):
            return _float_function(name, value, places)
        if t.is_integer(kind):
            return _integer_function(name, value, places)
        if kind == t.UNKNOWN:
            return Value("CAST(NULL AS DOUBLE)", t.DOUBLE)
        return _decimal_function(name, arguments)

    return compile_numeric


def _float_function(name: str, value: Value, places: str | None) -> Value:
    sql = {
        "abs": "abs({0})",
        "ceiling": "ceil({0})",
        "floor": "floor({0})",
        "round": "round({0})",
        "truncate": "trunc({0})",
        "sign": "CASE WHEN {0} = 0 OR isnan({0}) THEN {0} ELSE CAST(sign({0}) AS DOUBLE) END",
    }[name].format(value.sql)
    if places:
        number = f"CAST({value.sql} AS DOUBLE)"
        rounded = f"trino_round_double({number}, {places})"
        sql = f"CASE WHEN isfinite({number}) THEN {rounded} ELSE {number} END"
    return Value(f"CAST({sql} AS {t.duckdb(value.type)})", value.type)


def _integer_function(name: str, value: Value, places: str | None) -> Value:
    if name == "round" and places:
        sql = f"trino_round_whole({value.sql}, {places})"
    else:
        sql = {"abs": f"abs({value.sql})", "sign": f"sign({value.sql})"}.get(name, value.sql)
    return Value(f"CAST({sql} AS {t.duckdb(value.type)})", value.type)


def _decimal_function(name: str, arguments: list[Value]) -> Value:
    value = arguments[0]
    precision, scale = value.type.numbers
    if name == "abs":
        return Value(f"CAST(abs({value.sql}) AS {t.duckdb(value.type)})", value.type)
    if name == "sign":
        return Value(f"CAST(sign({value.sql}) AS DECIMAL(1,0))", t.decimal(1, 0))
    if len(arguments) == 2:
        places = arguments[1].constant
        if arguments[1].type == t.UNKNOWN:
            return Value(f"CAST(NULL AS {t.duckdb(value.type)})", value.type)
        if not isinstance(places, int):
            raise not_emulated(f"{name} of a decimal to places that are not a literal")
        if name == "truncate":
            return _cut(value, places)
        kind = t.decimal(precision + 1, scale)
        return Value(f"CAST(round({value.sql}, {arguments[1].sql}) AS {t.duckdb(kind)})", kind)
    kind = t.decimal(precision - scale + (1 if scale and name != "truncate" else 0) or 1, 0)
    function = {"ceiling": "ceil", "truncate": "trunc"}.get(name, name)
    return Value(f"CAST({function}({value.sql}) AS {t.duckdb(kind)})", kind)


def _cut(value: Value, places: int) -> Value:
    """truncate(decimal, places), of the same type."""
    precision, scale = value.type.numbers
    if places >= scale:
        return value
    step = 10 ** (scale - places)
    if places <= scale - precision:
        return Value(f"CAST({value.sql} * 0 AS {t.duckdb(value.type)})", value.type)
    return Value(scaled(f"(({unscaled(value, scale, scale)}) // {step} * {step})", value.type),
                 value.type)  # fmt: skip


def random(arguments: list[Value]) -> Value:
    count(arguments, "random", 0, 1, 2)
    if not arguments:
        return Value("random()", t.DOUBLE)
    values, kind = unify(arguments, "random bounds")
    if not t.is_integer(kind):
        raise QueryError("TYPE_MISMATCH", f"Unexpected parameters ({kind}) for function random")
    low = "0" if len(values) == 1 else values[0].sql
    return Value(f"CAST(trino_random({low}, {values[-1].sql}) AS {t.duckdb(kind)})", kind)


def typeof(arguments: list[Value]) -> Value:
    count(arguments, "typeof", 1)
    return Value(text(str(arguments[0].type)), t.VARCHAR)


def map_entries(arguments: list[Value]) -> Value:
    count(arguments, "map_entries", 1)
    kind = _kind(arguments[0], "map", "map_entries")
    pair = t.row(kind.items)
    return Value(
        f"list_transform(map_entries({arguments[0].sql}), "
        "lambda e: {'field0': e.key, 'field1': e.value})",
        t.array(pair),
    )


def map_from_entries(arguments: list[Value]) -> Value:
    count(arguments, "map_from_entries", 1)
    if arguments[0].type == t.UNKNOWN:
        return Value("CAST(NULL AS MAP(INTEGER, INTEGER))", t.map_of(t.UNKNOWN, t.UNKNOWN))
    pair = _kind(arguments[0], "array", "map_from_entries").items[0]
    if pair == t.UNKNOWN:
        null = "fail('INVALID_FUNCTION_ARGUMENT: map entry cannot be null')"
        sql = f"CASE WHEN len({arguments[0].sql}) > 0 THEN {null} ELSE MAP {{}} END"
        return Value(sql, t.map_of(t.UNKNOWN, t.UNKNOWN))
    if pair.name != "row" or len(pair.items) != 2:
        raise QueryError(
            "TYPE_MISMATCH", f"map_from_entries takes array(row(K, V)), not {arguments[0].type}"
        )
    first, second = t.field_name(pair, 0), t.field_name(pair, 1)
    keys = f'list_transform({arguments[0].sql}, lambda e: e."{first}")'
    items = f'list_transform({arguments[0].sql}, lambda e: e."{second}")'
    return Value(f"trino_map({keys}, {items})", t.map_of(*pair.items))


def multimap_from_entries(arguments: list[Value]) -> Value:
    count(arguments, "multimap_from_entries", 1)
    pair = _kind(arguments[0], "array", "multimap_from_entries").items[0]
    if pair.name != "row" or len(pair.items) != 2:
        raise QueryError(
            "TYPE_MISMATCH",
            f"multimap_from_entries takes array(row(K, V)), not {arguments[0].type}",
        )
    first, second = t.field_name(pair, 0), t.field_name(pair, 1)
    null = "fail('INVALID_FUNCTION_ARGUMENT: map entry cannot be null')"
    entry = (
        f"CASE WHEN e IS NULL THEN {null} ELSE "
        f"{{'key': e.{name_of(first)}, 'value': e.{name_of(second)}}} END"
    )
    return Value(
        f"trino_multimap(list_transform({arguments[0].sql}, lambda e: {entry}))",
        t.map_of(pair.items[0], t.array(pair.items[1])),
    )


def zip_(arguments: list[Value]) -> Value:
    some(arguments, "zip", 2)
    kinds = [_kind(value, "array", "zip").items[0] for value in arguments]
    lists = ", ".join(value.sql for value in arguments)
    fields = ", ".join(f"'field{i}': e[{i + 1}]" for i in range(len(kinds)))
    zipped = f"list_transform(list_zip({lists}), lambda e: {{{fields}}})"
    return Value(all_there(arguments, zipped), t.array(t.row(kinds)))


def _kind(value: Value, name: str, function: str) -> Type:
    if value.type.name != name:
        raise QueryError(
            "TYPE_MISMATCH", f"Unexpected parameters ({value.type}) for function {function}"
        )
    return value.type


def mod(arguments: list[Value]) -> Value:
    count(arguments, "mod", 2)
    return arithmetic("%", arguments[0], arguments[1])


def array_join(arguments: list[Value]) -> Value:
    """The items as CAST(... AS varchar) writes them; NULL is left out or replaced."""
    count(arguments, "array_join", 2, 3)
    item = _kind(arguments[0], "array", "array_join").items[0]
    if item.items:
        raise QueryError("OPERATOR_NOT_FOUND", f"Cannot cast {item} to varchar")
    if any(value.type.name not in ("varchar", "unknown") for value in arguments[1:]):
        shown = ", ".join(str(value.type) for value in arguments)
        raise QueryError(
            "TYPE_MISMATCH", f"Unexpected parameters ({shown}) for function array_join"
        )
    shown = f"list_transform({arguments[0].sql}, lambda e: {text_of(Value('e', item))})"
    if len(arguments) == 3:
        shown = f"list_transform({shown}, lambda e: coalesce(e, {arguments[2].sql}))"
    else:
        shown = f"list_filter({shown}, lambda e: e IS NOT NULL)"
    join = "array_to_string" if arguments[1].constant is not None else "trino_join"
    return Value(f"{join}({shown}, {arguments[1].sql})", t.VARCHAR)


def format_(arguments: list[Value]) -> Value:
    if len(arguments) < 2:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", "format requires two or more arguments")
    if arguments[0].type.name != "varchar":
        raise QueryError(
            "TYPE_MISMATCH",
            f"Type of first argument to format() must be VARCHAR (actual: {arguments[0].type})",
        )
    shown = ", ".join(f"CAST({_formatted(value)} AS VARCHAR)" for value in arguments[1:])
    kinds = ", ".join(text(value.type.name) for value in arguments[1:])
    return Value(f"trino_format_text({arguments[0].sql}, [{shown}], [{kinds}])", t.VARCHAR)


def _formatted(value: Value) -> str:
    """An argument of format() as Java's toString shows it."""
    shown = text_of(value)
    if value.type.name in ("double", "real"):
        return f"trino_number_text({value.sql}, CAST({value.sql} AS VARCHAR))"
    if value.type.name in ("timestamp", "time"):
        return f"trino_java_time({shown})"
    if value.type.name == "timestamp with time zone":
        zone = f"({value.sql}).zone"
        shift = f"trino_java_shift({value.sql})"
        named = f"CASE WHEN {zone} = 'UTC' THEN 'Z' ELSE {shift} || '[' || {zone} || ']' END"
        return f"(trino_java_time({text_of(local(value))}) || {named})"
    return shown


SPECIALS: dict[str, Special] = {
    "array_join": array_join,
    "format": format_,
    **DATES,
    "coalesce": coalesce,
    "nullif": nullif,
    "if": if_,
    "greatest": extreme("greatest"),
    "least": extreme("least"),
    "concat": concat,
    "mod": mod,
    **{n: numeric(n) for n in ("abs", "ceiling", "floor", "round", "truncate", "sign")},
    "random": random,
    "typeof": typeof,
    "map_entries": map_entries,
    "map_from_entries": map_from_entries,
    "multimap_from_entries": multimap_from_entries,
    "zip": zip_,
}
