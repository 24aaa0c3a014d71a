"""What must hold of raw files and of the tables that the crawler made, before any SQL is paid."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import IO, Any

from executions.s3 import body_of
from tasks.functions import increments, storage
from tasks.functions.first_look import RULES, Finding, Look, Shape, look
from tasks.functions.raw_text import ESCAPE, OPEN_CSV, cells, lines_with, unpacked

Json = dict[str, Any]
SAMPLE = 5
READERS = 8  # objects that are read at once

# The public Instacart files; the order of the columns is the files'.
SHAPES = {
    "aisles": Shape(("aisle_id", "aisle")),
    "departments": Shape(("department_id", "department")),
    "products": Shape(("product_id", "product_name", "aisle_id", "department_id")),
    "orders": Shape(
        (
            "order_id",
            "user_id",
            "eval_set",
            "order_number",
            "order_dow",
            "order_hour_of_day",
            "days_since_prior_order",
        )
    ),
    "order_products": Shape(("order_id", "product_id", "add_to_cart_order", "reordered")),
}


def table_of(key: str) -> str | None:
    """The table that reads the object below raw/, if any does."""
    table = increments.table_of(key)
    return table if table in SHAPES else None


def stray_files(keys: Iterable[str]) -> list[Json]:
    """Files that no table would read: whoever uploaded them believes that they count."""
    stray = [key for key in keys if table_of(key) is None]
    if not stray:
        return []
    accepted = "below " + ", ".join(f"{storage.RAW_PREFIX}{table}/" for table in SHAPES)
    sample = [{"key": key, "accepted": accepted} for key in stray[:SAMPLE]]
    return [_violation("raw_files_belong_to_a_table", len(stray), sample)]


def look_at_objects(s3: Any, bucket: str, entries: Sequence[Json]) -> list[Look]:
    """A first look at every object of a table, in the version that the manifest names."""

    def one(entry: Json) -> Look:
        shape = SHAPES[str(table_of(entry["key"]))]
        content = body_of(s3, bucket, entry["key"], entry.get("version_id"))
        return look(entry["key"], content, shape)

    with ThreadPoolExecutor(READERS) as pool:
        return list(pool.map(one, [e for e in entries if table_of(e["key"]) is not None]))


def opened(
    s3: Any, bucket: str, entries: Iterable[Json], table: str
) -> Iterator[tuple[str, Callable[[], IO[bytes]]]]:
    """The objects of a table, to be read when their turn comes."""
    for entry in entries:
        if table_of(entry["key"]) == table:
            yield entry["key"], partial(body_of, s3, bucket, entry["key"], entry.get("version_id"))


def rows_of(looks: Iterable[Look], table: Callable[[str], str | None] = table_of) -> dict[str, int]:
    """The rows of each table: what Athena must find, and DataBrew must write."""
    rows: dict[str, int] = {}
    for seen in looks:
        name = str(table(seen.file))
        rows[name] = rows.get(name, 0) + seen.rows
    return rows


def among(
    looks: Sequence[Look],
    sha256: Mapping[str, str],
    table: Callable[[str], str | None] = table_of,
    before: Iterable[Json] = (),
) -> list[Finding]:
    """What is wrong with the files taken together: the same bytes twice, two ways of packing.
    `before`: partitions that are taken over, whose objects were looked at by an earlier run."""
    found = []
    first: dict[tuple[str | None, str], str] = {
        (one["table"], one["sha256"]): one["key"] for one in before if one["rows"]
    }
    packed: dict[str | None, Look] = {}
    for seen in looks:
        same = first.setdefault((table(seen.file), sha256[seen.file]), seen.file)
        if seen.rows and same != seen.file:
            found.append(
                Finding(
                    "raw_files_are_different", seen.file, None, same,
                    "it has the same bytes as another file, so each of its rows would count twice",
                    "delete one of the two",
                )
            )  # fmt: skip
        other = packed.setdefault(table(seen.file), seen)
        if other.compression != seen.compression:
            found.append(
                Finding(
                    "raw_files_are_packed_alike", seen.file, None, seen.compression,
                    f"{other.file} of the same table is packed otherwise ({other.compression}),"
                    " and a crawler makes two tables of that",
                    "pack all files of a table in the same way, or none",
                )
            )  # fmt: skip
    return found


def violations(findings: Iterable[Finding]) -> list[Json]:
    """The findings as broken checks, in the order of the rules."""
    by_rule: dict[str, list[Finding]] = {}
    for finding in findings:
        by_rule.setdefault(finding.rule, []).append(finding)
    return [
        _violation(
            rule,
            sum(finding.count for finding in by_rule[rule]),
            [finding.to_json() for finding in by_rule[rule][:SAMPLE]],
        )
        for rule in RULES
        if rule in by_rule
    ]


def unlike_tables(glue: Any, database: str, location: str) -> list[Json]:
    """What is missing or different among the tables that the crawler made: another SerDe or
    another type would read other rows than those that were looked at."""
    found = {
        table["Name"]: described(table)
        for page in glue.get_paginator("get_tables").paginate(DatabaseName=database)
        for table in page["TableList"]
    }
    sample = []
    for name, shape in SHAPES.items():
        wanted = expected(shape, f"{location}{name}/")
        if name not in found:
            sample.append({"table": name, "expected": wanted, "found": "no such table"})
        elif unlike := [member for member in wanted if found[name][member] != wanted[member]]:
            sample.append(
                {
                    "table": name,
                    "expected": {member: wanted[member] for member in unlike},
                    "found": {member: found[name][member] for member in unlike},
                }
            )
    return [_violation("raw_tables_are_as_expected", len(sample), sample)] if sample else []


def expected(shape: Shape, location: str) -> Json:
    return {
        "location": location,
        "columns": [f"{name} string" for name in shape.columns],
        "serde": OPEN_CSV,
        "separator": shape.separator,
        "quote": '"',
        "escape": ESCAPE,
        "header_lines": "1",
    }


def described(table: Json) -> Json:
    place = table["StorageDescriptor"]
    serde = place.get("SerdeInfo") or {}
    given = serde.get("Parameters") or {}
    return {
        "location": place.get("Location"),
        "columns": [f"{column['Name']} {column.get('Type')}" for column in place["Columns"]],
        "serde": serde.get("SerializationLibrary"),
        "separator": given.get("separatorChar", ","),
        "quote": given.get("quoteChar", '"'),
        "escape": given.get("escapeChar", "\\"),
        "header_lines": (table.get("Parameters") or {}).get("skip.header.line.count", "0"),
    }


def unlike_rows(looked: Mapping[str, int], found: Mapping[str, int], by: str) -> list[Json]:
    """Tables of which `by` has not the rows that stand in the files."""
    sample = [
        {"table": table, "rows_in_files": looked.get(table, 0), f"rows_of_{by}": rows}
        for table, rows in found.items()
        if rows != looked.get(table, 0)
    ]
    return [_violation(f"{by}_reads_every_row_once", len(sample), sample)] if sample else []


def sampled(select: str) -> str:
    """The SELECT of a check, as one of a sample of the rows that break it, with their whole number
    beside each."""
    return (
        "SELECT count(*) OVER () AS violation_count, violations.* FROM (\n"
        f"{select}\n) AS violations\nLIMIT {SAMPLE}"
    )


def violation(check: str, rows: list[Json], place: str | None = None) -> Json:
    """What breaks the check, out of the answer to `sampled`: {check, violations, sample}; the first
    row with its place."""
    sample = [{k: v for k, v in row.items() if k != "violation_count"} for row in rows]
    if place is not None:
        sample[0] = {"at": place, **sample[0]}
    # No rows: somebody has mended the file since, which does not make the first answer good.
    number = int(rows[0]["violation_count"]) if rows else 0
    return _violation(check, number, sample)


def place_of(
    row: Mapping[str, Any], shape: Shape, files: Iterable[tuple[str, Callable[[], IO[bytes]]]]
) -> str | None:
    """The file and line of a row of a check's answer, by the cells that it shows; None if it shows
    none of the table's own (how many rows break a rule, say)."""
    shown = {
        name: _written(row[name])
        for name in shape.columns
        if name in row and str(row[name]) not in ("None", "nan", "<NA>", "")
    }
    # What stands in the file as it is: a quote within a cell is doubled there.
    needle = max((text for text in shown.values() if '"' not in text), key=len, default="").encode()
    if not needle:
        return None
    for name, opened in files:
        for number, line in lines_with(unpacked(name, opened()), needle):
            given = dict(zip(shape.columns, cells(line, shape.separator), strict=False))
            if number > 1 and all(_same(given.get(c, ""), text) for c, text in shown.items()):
                return f"{name}, line {number}"
    return None


def _written(value: Any) -> str:
    """A whole number as files have it: pandas makes some of them floats."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


_NUMBER = re.compile(r"[0-9]+(\.0+)?")


def _same(cell: str, text: str) -> bool:
    if cell == text or cell.strip() == text:
        return True
    numbers = _NUMBER.fullmatch(cell.strip()) and _NUMBER.fullmatch(text)
    return bool(numbers) and float(cell) == float(text)


def _violation(check: str, number: int, sample: list[Json]) -> Json:
    return {"check": check, "violations": number, "sample": sample}
