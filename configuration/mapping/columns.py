"""One column of a shop's file as an expression of Athena's SQL: trimmed text, ids, times."""

from __future__ import annotations

import hashlib
import re

from configuration.mapping.model import Files, Key, Mapping
from tasks.functions import source_files

# JavaScript and JSON's readers keep whole numbers exactly up to 2^53. Orders, of which there are
# most and which no page shows, get 59 bits: 18 digits, as the checks have it.
ID_BITS = {"order_id": 59}
DEFAULT_ID_BITS = 53
WHOLE_NUMBERS = ("tinyint", "smallint", "int", "bigint")
ABSENT = "(none)"  # the aisle or department of a product that has none
# What the look at a file takes for a time is one here.
ISO, ZONED = (f"^{known.pattern}$" for known in (source_files.ISO, source_files.ZONED))


def quoted(text: str) -> str:
    """A literal of Athena's SQL."""
    return "'" + text.replace("'", "''") + "'"


def name_of(files: Files, column: str) -> str:
    """The column's name in the source's table: its own in Parquet; else in plain letters, and with
    its number, so that no two are alike."""
    if files.format == "parquet":
        return column.lower()
    number = list(files.columns).index(column) + 1
    plain = re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_")[:40]
    return f"c{number}_{plain}".rstrip("_")


def text(files: Files, column: str) -> str:
    """Trimmed; null when empty."""
    name = f'"{name_of(files, column)}"'
    if files.type_of(column) != "string":
        name = f"CAST({name} AS varchar)"
    return f"nullif(trim({name}), '')"


def key(files: Files, columns: Key, between: str = "|") -> str:
    """Several columns as one text; null if any of them is."""
    if isinstance(columns, str):
        return text(files, columns)
    return f" || {quoted(between)} || ".join(text(files, column) for column in columns)


def words(files: Files, columns: Key) -> str:
    """Several columns one after the other, without those that are empty."""
    if isinstance(columns, str):
        return text(files, columns)
    parts = ", ".join(text(files, column) for column in columns)
    return f"nullif(array_join(ARRAY[{parts}], ' '), '')"


def written(kind: str, files: Files, columns: Key, mapping: Mapping) -> str:
    """An id as it is written; a number without leading zeros. What is no number stays as it is,
    for the check that refuses it."""
    found = key(files, columns)
    if kind in mapping.text_ids or files.type_of(_first(columns)) in WHOLE_NUMBERS:
        return found
    return f"coalesce(CAST(TRY_CAST({found} AS bigint) AS varchar), {found})"


def identity(kind: str, expression: str, mapping: Mapping, *, always: bool = False) -> str:
    """What is written as text of digits: itself, or the text's number."""
    if always or kind in mapping.text_ids:
        return f"CAST({number_of(kind, expression)} AS varchar)"
    return expression


def _first(columns: Key) -> str:
    return columns if isinstance(columns, str) else columns[0]


def number_of(kind: str, expression: str) -> str:
    """The number of a text: of its SHA-256. It needs no list of numbers given out before, so it is
    the same in every run; two texts with one number are found by a check."""
    digest = f"from_big_endian_64(substr(sha256(to_utf8({expression})), 1, 8))"
    return f"bitwise_and({digest}, {mask(kind)})"


def number(kind: str, value: str) -> int:
    """The same, of one text, without Athena."""
    digest = int.from_bytes(hashlib.sha256(value.encode()).digest()[:8], "big", signed=True)
    return digest & mask(kind)


def mask(kind: str) -> int:
    return int(2 ** ID_BITS.get(kind, DEFAULT_ID_BITS) - 1)


def time(files: Files, column: str, form: str, zone: str | None) -> str:
    """The shop's own time as a timestamp; null for what is no time."""
    kind = files.type_of(column)
    name = f'"{name_of(files, column)}"'
    if kind in ("timestamp", "date"):
        plain = f"CAST({name} AS timestamp)"
        return plain if zone is None else _moved(f"with_timezone({plain}, 'UTC')", zone)
    said = text(files, column)
    if form.startswith("epoch"):
        divisor = 1000 if form == "epoch_milliseconds" else 1
        seconds = f"TRY_CAST({said} AS double) / {divisor}"
        return _moved(f"from_unixtime({seconds})", zone or "UTC")
    if form != "iso":
        plain = f"TRY(date_parse({said}, {quoted(form)}))"
        return plain if zone is None else _moved(f"with_timezone({plain}, 'UTC')", zone)
    if zone is not None:
        known = f"CASE WHEN regexp_like({said}, '{ZONED}') THEN {said} END"
        return _moved(f"from_iso8601_timestamp({known})", zone)
    # As the file's own clock has it: whatever stands behind the seconds is left out.
    return (
        f"TRY_CAST(CASE WHEN regexp_like({said}, '{ISO}')"
        f" THEN replace(substr({said}, 1, 19), 'T', ' ') END AS timestamp)"
    )


def _moved(moment: str, zone: str) -> str:
    return f"CAST({moment} AT TIME ZONE {quoted(zone)} AS timestamp)"


def kept(name: str) -> str:
    """A further column's name in the mapped table."""
    return "extra_" + re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
