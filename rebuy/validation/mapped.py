"""The statements of a shop's mapping, one after the other, up to the five tables they make."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from localaws.athena.rehearsal import Described, Name
from localaws.athena.rehearsal import Rehearsal as Athena
from localaws.trino import types as t
from localaws.trino.errors import QueryError, SyntaxMistake
from rebuy.validation.findings import Finding
from rebuy.validation.product import Product
from rebuy.validation.rehearsal import Rehearsal

Json = dict[str, Any]
DATABASE = "sample_mapped"
# What `Plan mapping`, and the state of a try, fill in.
NAMES = {
    "RawDatabase": DATABASE,
    "LakeBucket": "sample-lake",
    "SourcePlace": "sample-lake/incoming/source",
    "folder": "runs/run=sample/mapped",
    "try": "_1",
    "dropped": "''",
}
TAKEN_OVER = re.compile(r"\$\{was_\w+\}")
TEXTS = ("string", "varchar")
MEND = "`rebuy data map` proposes a mapping of your files; docs/mapping.md has every member."


def check(product: Product, rehearsal: Rehearsal) -> Iterator[Finding]:
    """Nothing to look at where the files are the five tables as they are."""
    statements, tables = product.mapping["statements"], dict[Name, Described]()
    for statement in statements:
        try:
            effect = _athena(tables).check(filled(statement["sql"]))
        except (SyntaxMistake, QueryError) as error:
            yield _refused(product, statement["name"], error)
            return  # what comes after reads what this would have made
        if effect.makes is not None:
            tables[effect.makes[0]] = effect.makes[1]
    for one in product.mapping["checks"]:
        try:
            _athena(tables).check(filled(one["sql"]))
        except (SyntaxMistake, QueryError) as error:
            yield _refused(product, one["check"], error)
    if statements:
        yield from _five(product, tables)


def filled(sql: str) -> str:
    for name, value in NAMES.items():
        sql = sql.replace(f"${{{name}}}", value)
    return TAKEN_OVER.sub("s3://sample-lake/runs/run=before/mapped/", sql)


def _athena(tables: dict[Name, Described]) -> Athena:
    return Athena(tables, frozenset({DATABASE}), DATABASE)


def _refused(product: Product, name: str, error: Exception) -> Finding:
    what = f"{name}: Athena would refuse the mapping's statement: {error}."
    return Finding(product.mapping_file, 0, what, MEND)


def _five(product: Product, tables: dict[Name, Described]) -> Iterator[Finding]:
    """Each of the five has the columns that every later statement reads, all text."""
    for table, columns in product.raw_tables.items():
        made = tables.get((DATABASE, table))
        there = dict(made.columns) if made is not None else {}
        for column in columns:
            kind = there.get(column)
            if kind is None or not t.hive(kind).startswith(TEXTS):
                found = "no such column" if kind is None else t.hive(kind)
                what = f"The mapped table {table} must have {column} as text; it has {found}."
                yield Finding(product.mapping_file, 0, what, MEND)
