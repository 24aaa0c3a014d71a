"""How a mapped shop grows: what of its files and of its mapped rows is taken over, as SQL.

`staged_<kind>` holds the columns that the mapping takes of each raw object: of new ones out of the
files, of the others out of the last good run's Parquet. The mapping's SELECTs read nothing else, so
what depends on a customer's whole history is the same whatever was taken over.

A mapped order or line belongs to a raw object (of several, the first by name). The rows of one
object are a part, named after the object and a digest of these rows: `parts_<table>`. What is
cleaned, `orders` and `order_products`, are the parts that the last good run has not cleaned.
"""

from __future__ import annotations

from configuration.mapping import columns as c
from configuration.mapping.model import Mapping
from configuration.mapping.reading import DATABASE, OBJECT, listed, source_table, staged

FROM_PATH = "regexp_extract(\"$path\", '/object=([^/]+)/', 1)"


def previous(table: str, columns: dict[str, str]) -> str:
    """The last good run's `table`: a folder without files where nothing is taken over."""
    rows = ",\n".join(f"    `{name}` {kind}" for name, kind in columns.items())
    return (
        f"CREATE EXTERNAL TABLE {DATABASE}.previous_{table} (\n{rows}\n)\n"
        f"STORED AS PARQUET\nLOCATION '${{was_{table}}}'\n"
    )


def staged_columns(mapping: Mapping, kind: str) -> dict[str, str]:
    """Name to type of what the mapping takes of a kind of file, and the raw object."""
    files = mapping.files[kind]
    used = {column for _, file, column in mapping.used() if file == kind}
    taken = [column for column in files.columns if column in used]
    return {c.name_of(files, column): files.type_of(column) for column in taken} | {
        OBJECT: "string"
    }


def stage(mapping: Mapping, kind: str) -> str:
    """New objects out of the files, the others as they were read before."""
    names = [f'"{name}"' for name in staged_columns(mapping, kind) if name != OBJECT]
    new = listed({name: name for name in names} | {OBJECT: FROM_PATH}, 4)
    known = listed({name: name for name in (*names, OBJECT)}, 4)
    return (
        f"SELECT\n{new}\nFROM {DATABASE}.{source_table(kind, mapping.files[kind])}\n"
        f"UNION ALL\nSELECT\n{known}\nFROM {DATABASE}.previous_{staged(kind)}\n"
        f"WHERE {OBJECT} NOT IN (${{dropped}})\n"
    )


PARTS = {"object": "string", OBJECT: "string", "rows_found": "bigint", "is_new": "boolean"}


def parts(table: str, names: list[str]) -> str:
    """One row a part: its name, its raw object and rows, and whether it is to be cleaned. One is in
    any case, the smallest: a recipe takes no table without rows."""
    row = f"sha256(to_utf8(array_join(ARRAY[{', '.join(names)}], chr(1), chr(2))))"
    numbers = (f"from_big_endian_64(substr({row}, {at}, 8))" for at in (1, 9))
    sums = (f"CAST(sum(CAST({one} AS decimal(38, 0))) AS varchar)" for one in numbers)
    return f"""WITH

digests AS (

    SELECT
        {OBJECT},
        count(*) AS rows_found,
        {" || '/' || ".join([OBJECT, *sums])} AS said
    FROM {DATABASE}.whole_{table}
    GROUP BY {OBJECT}

),

parts AS (

    SELECT
        'm' || substr(lower(to_hex(sha256(to_utf8(said)))), 1, 24) AS object,
        {OBJECT},
        rows_found
    FROM digests

),

known AS (

    SELECT
        parts.object,
        parts.{OBJECT},
        parts.rows_found,
        previous.object IS NOT NULL AS is_known
    FROM parts
    LEFT JOIN {DATABASE}.previous_parts_{table} AS previous ON previous.object = parts.object

)

SELECT
    object,
    {OBJECT},
    rows_found,
    NOT is_known OR row_number() OVER (ORDER BY is_known, rows_found, object) = 1 AS is_new
FROM known
"""


def new_parts(table: str, names: list[str]) -> str:
    """What is to be cleaned: rows of new parts, with the part's name."""
    rows = listed({f"whole.{name}": f"whole.{name}" for name in names}, 4)
    return (
        f"SELECT\n{rows},\n    parts.object\nFROM {DATABASE}.whole_{table} AS whole\n"
        f"INNER JOIN {DATABASE}.parts_{table} AS parts ON parts.{OBJECT} = whole.{OBJECT}\n"
        "WHERE parts.is_new\n"
    )
