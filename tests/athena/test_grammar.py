"""Nothing of a query is dropped: what the compiler does not read, it refuses."""

from __future__ import annotations

import inspect
import json
import re
from operator import itemgetter
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from localaws.athena.sql import queries  # noqa: F401 - registers the rules
from localaws.athena.sql.compiler import _TAKES, refuse_unread
from localaws.athena.sql.errors import QueryError
from localaws.athena.sql.parsing import SyntaxMistake, parse
from tests.conftest import CASES, cases

ROOT = Path(__file__).parents[2]
KNOWN = json.loads((CASES / "athena_libraries.json").read_text())


def nodes() -> dict[str, list[str]]:
    return {
        name: sorted(kind.arg_types)
        for name, kind in inspect.getmembers(exp, inspect.isclass)
        if issubclass(kind, exp.Expr)
    }


def duckdb_functions() -> list[str]:
    found = duckdb.connect().execute(
        "SELECT DISTINCT function_name FROM duckdb_functions() WHERE internal ORDER BY 1"
    )
    return [name for (name,) in found.fetchall()]


def test_sqlglot_has_no_node_and_no_argument_that_was_not_looked_at() -> None:
    assert nodes() == KNOWN["sqlglot"], "look at what is new, then write the file anew"


def test_duckdb_has_no_function_that_was_not_looked_at() -> None:
    assert duckdb_functions() == KNOWN["duckdb"], "look at what is new, then write the file anew"


@pytest.mark.parametrize("package", [sqlglot, duckdb])
def test_the_pinned_version_is_the_one_that_runs(package: Any) -> None:
    pin = f"{package.__name__}=={package.__version__}"
    assert re.search(rf"^{re.escape(pin)}$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    assert f'"{pin}"' in (ROOT / "setup.py").read_text()


UNREAD = [
    (kind, argument)
    for kind, taken in _TAKES.items()
    for argument in sorted(set(kind.arg_types) - taken)
]


@pytest.mark.parametrize(("kind", "argument"), UNREAD, ids=lambda part: getattr(part, "key", part))
def test_an_argument_that_nobody_reads_is_refused_by_its_name(
    kind: type[exp.Expression], argument: str
) -> None:
    with pytest.raises(QueryError, match=f"NOT_SUPPORTED: .*{argument.strip('_').upper()}"):
        refuse_unread(kind(**{argument: True}))


@pytest.mark.parametrize("case", cases("athena_syntax"), ids=itemgetter("why"))
def test_what_is_no_trino_is_refused_with_its_error(case: dict[str, str]) -> None:
    with pytest.raises(SyntaxMistake) as caught:
        parse(case["sql"])
    assert str(caught.value).startswith(case["error"])
