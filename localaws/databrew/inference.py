"""Types of columns that come as text: as Spark infers them, over every row, with nothing lost.

A column has a type only when each of its filled cells is a value of it, and is that value without
losing a digit. So one late `n/a` makes a text; what Spark leaves as text (yes and no, 31.12.2020)
stays text, and so does what it would change (007, +5, a double of 20 digits). DataBrew's own rules
are not documented: keeping the text is the only reading of them that loses nothing.
"""

# GUESSED: a text column has a type only where each filled cell is a value of it, unchanged.
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from localaws.databrew.recipe.sql import literal

Query = Callable[[str], list[tuple[Any, ...]]]

SAMPLE_ROWS = 4_096  # every candidate is tried on these: enough to tell, and soon done
CELL = "{c}"


@dataclass(frozen=True)
class Candidate:
    """A type, as SQL over CELL: whether a cell is written as one of its values, and the value."""

    kind: str
    fits: str
    value: str


def _same(kind: str) -> str:
    """The text of the value is the cell, but for blanks around it (trim is dear: only then)."""
    text = f"CAST(TRY_CAST({CELL} AS {kind}) AS VARCHAR)"
    return f"CASE WHEN {text} = {CELL} THEN true ELSE {text} = trim({CELL}) END"


def _candidate(kind: str, fits: str) -> Candidate:
    return Candidate(kind, fits, f"TRY_CAST({CELL} AS {kind})")


_NUMBER = r"\s*-?((0|[1-9]\d*)(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*"
_MOMENT = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?Z?"

_AS_DOUBLE = f"TRY_CAST({CELL} AS DOUBLE)"
# A double always gives 15 digits back; most texts are what it is written as, which is soon seen.
_DOUBLE = (
    f"CASE WHEN CAST({_AS_DOUBLE} AS VARCHAR) = {CELL} THEN isfinite({_AS_DOUBLE})"
    f" ELSE regexp_full_match({CELL}, {literal(_NUMBER)}) AND isfinite({_AS_DOUBLE})"
    f" AND (length({CELL}) <= 15 OR {_same('DOUBLE')})"
    f" AND NOT ({_AS_DOUBLE} = 0 AND regexp_matches({CELL}, '^[^eE]*[1-9]')) END"
)

TEXT = Candidate("VARCHAR", "true", CELL)
# In their order.
EMPTY = Candidate("VARCHAR", "false", CELL)  # no cell is filled
CANDIDATES = (
    EMPTY,
    _candidate("BIGINT", _same("BIGINT")),
    _candidate("DECIMAL(38,0)", _same("DECIMAL(38,0)")),
    _candidate("DOUBLE", _DOUBLE),
    _candidate("BOOLEAN", f"lower({CELL}) IN ('true', 'false')"),
    _candidate("DATE", _same("DATE")),
    _candidate(
        "TIMESTAMP",
        f"regexp_full_match({CELL}, {literal(_MOMENT)})"
        f" AND TRY_CAST({CELL} AS TIMESTAMP) IS NOT NULL",
    ),
)
NUMBERS = CANDIDATES[1:4]
Columns = Mapping[
    str, tuple[Candidate, ...]
]  # the types that a column may have: the first is taken


def value(cell: str, kind: Candidate) -> str:
    """The cell as a value of the type; a blank cell of a column that is no text is NULL."""
    return kind.value.replace(CELL, cell)


def infer(rows: str, columns: Columns, query: Query) -> dict[str, Candidate]:
    """The type of each of `columns`, which are texts of the SELECT `rows`; TEXT if none fits.

    The first rows say which type is worth a look at all rows; only where that one does not last
    are they read once more.
    """
    count, found = _likely(rows, columns, query)
    if count >= SAMPLE_ROWS:
        likely = {cell: candidates for cell, candidates in found.items() if candidates}
        _, found = _fitting(rows, {cell: likely[cell][:1] for cell in likely}, query)
        second = {cell: likely[cell][1:] for cell in likely if not found[cell]}
        found = {**found, **(_fitting(rows, second, query)[1] if second else {})}
    return {cell: next(iter(found.get(cell, ())), TEXT) for cell in columns}


def _likely(rows: str, columns: Columns, query: Query) -> tuple[int, Columns]:
    """As `_fitting`, of the first rows. All columns share one expression for a candidate: one for
    each column would take minutes to plan where there are hundreds."""
    tests = ", ".join(
        f"count(*) FILTER (cell <> '' AND ({candidate.fits.replace(CELL, 'cell')}) IS NOT TRUE)"
        for candidate in CANDIDATES
    )
    counts = query(
        f"WITH part AS MATERIALIZED (FROM ({rows}) LIMIT {SAMPLE_ROWS})"
        f" SELECT name, {tests}"
        f" FROM (UNPIVOT part ON {', '.join(columns)} INTO NAME name VALUE cell) GROUP BY name"
        f" UNION ALL SELECT NULL, count(*){', 0' * (len(CANDIDATES) - 1)} FROM part"
    )
    misfits = {name: dict(zip(CANDIDATES, found, strict=True)) for name, *found in counts}
    rows_read = misfits.pop(None)[CANDIDATES[0]]
    return rows_read, {
        cell: tuple(each for each in candidates if not misfits.get(cell, {}).get(each))
        for cell, candidates in columns.items()
    }


def _fitting(rows: str, columns: Columns, query: Query) -> tuple[int, Columns]:
    """The number of rows, and of each column the candidates that all its filled cells fit."""
    tests = ["count(*)"]
    for cell, candidates in columns.items():
        for candidate in candidates:
            fits = candidate.fits.replace(CELL, cell)
            tests.append(f"count(*) FILTER ({cell} <> '' AND ({fits}) IS NOT TRUE)")
    (counts,) = query(f"SELECT {', '.join(tests)} FROM ({rows})")
    misfits = iter(counts[1:])
    found = {
        cell: tuple(candidate for candidate in candidates if not next(misfits))
        for cell, candidates in columns.items()
    }
    return int(counts[0]), found
