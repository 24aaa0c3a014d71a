"""A rehearsed statement is refused in the words that its execution fails with."""

from __future__ import annotations

import pytest

from localaws.athena.rehearsal import Described, Rehearsal
from localaws.trino import types as t
from localaws.trino.errors import QueryError

STATE = Rehearsal(
    {
        ("shop", "t"): Described((("a", t.INTEGER), ("b", t.VARCHAR))),
        ("shop", "v"): Described((("a", t.INTEGER),), view="SELECT a FROM shop.t"),
    },
    frozenset({"shop"}),
    "shop",
)


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        # Trino: StatementAnalyzer.visitCreateView, visitInsert
        ("CREATE VIEW w (x) AS SELECT a, b FROM t",
         "MISMATCHED_COLUMN_ALIASES: Column alias list has 1 entries but relation has 2 columns"),
        ("CREATE VIEW w (x, x) AS SELECT a, b FROM t",
         "DUPLICATE_COLUMN_NAME: Column name 'x' specified more than once"),
        ("CREATE VIEW w AS SELECT a, a FROM t",
         "DUPLICATE_COLUMN_NAME: Column name 'a' specified more than once"),
        ("INSERT INTO v SELECT a FROM t",
         "NOT_SUPPORTED: Inserting into views is not supported"),
        ("UNLOAD (SELECT a FROM t) TO 's3://lake/x/' WITH (compression = 'none')",
         "INVALID_UNLOAD_PROPERTY: UNLOAD needs the property format"),
    ],
)  # fmt: skip
def test_what_the_execution_refuses_the_rehearsal_refuses(sql: str, error: str) -> None:
    with pytest.raises(QueryError) as caught:
        STATE.check(sql)
    assert str(caught.value) == error


def test_a_view_has_the_names_that_it_is_given() -> None:
    made = STATE.check("CREATE VIEW w (x, y) AS SELECT a, b FROM t").makes
    assert made is not None
    assert [label for label, _ in made[1].columns] == ["x", "y"]
