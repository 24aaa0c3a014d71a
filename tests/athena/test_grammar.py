"""Nothing of a query is dropped: what the compiler does not read, it refuses."""

from __future__ import annotations

import inspect
import json
import re
from operator import itemgetter
from pathlib import Path
from typing import Any

import duckdb
import pyiceberg
import pytest
import sqlglot
from sqlglot import exp

from localaws.athena.sql import grammar, queries
from localaws.athena.sql.compiler import _TAKES, refuse_unread, words
from localaws.athena.sql.parsing import SyntaxMistake, parse
from localaws.trino.errors import QueryError
from tests.athena.test_sql import NoTables, answer, connection
from tests.conftest import CASES, cases

__all__ = ["connection"]  # the fixture
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


@pytest.mark.parametrize("package", [sqlglot, duckdb, pyiceberg])
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
    with pytest.raises(QueryError, match=f"NOT_SUPPORTED: .*{words(argument, True)}"):
        refuse_unread(kind(**{argument: True}))


@pytest.mark.parametrize("case", cases("athena_syntax"), ids=itemgetter("why"))
def test_what_is_no_trino_is_refused_with_its_error(case: dict[str, str]) -> None:
    with pytest.raises(SyntaxMistake) as caught:
        parse(case["sql"])
    assert str(caught.value).startswith(case["error"])


# Words of the engine and of the parser, and local paths: none of them is anybody's business.
IDIOMS = re.compile(
    r"DuckDB|(Binder|Catalog|Parser|Conversion|Not implemented|Invalid Input|INTERNAL) Error"
    r"|VARCHAR\[\]|STRUCT\(|LINE \d+:|Candidate functions|read_parquet|read_csv|UDF|sqlglot"
    r"|<class|Required keyword|tokenizing|Traceback|HUGEINT|INT(32|64|128)\b|trino_\w+\(|/tmp/"
    r"|/home/"
)


def test_no_message_has_the_engines_words_or_a_path(connection: Any) -> None:
    """Also of what nobody wrote a case for: every case, cut off and with its values exchanged."""
    told = []
    for case in cases("athena_sql") + cases("athena_functions") + cases("athena_syntax"):
        sql = case["sql"]
        for changed in (sql[: len(sql) * 2 // 3], re.sub(r"\b\d+\b", "'x'", sql)):
            try:
                answer(connection, changed)
            except (QueryError, SyntaxMistake) as error:
                told.append(str(error))
    assert len(told) > 400
    assert [message for message in told if IDIOMS.search(message)] == []


class Watched(dict[str, Any]):
    """A node's arguments, and which of them were asked for by name."""

    def __init__(self, given: dict[str, Any]) -> None:
        super().__init__(given)
        self.read: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.read.add(key)
        return super().get(key, default)

    def __getitem__(self, key: str) -> Any:
        self.read.add(key)
        return super().__getitem__(key)


# What the parser notes of its own dialect, whatever is written.
NOTES = {
    ("Div", "typed"), ("TryCast", "safe"), ("TryCast", "requires_string"), ("DPipe", "safe"),
    ("DataType", "nested"), ("Identifier", "quoted"), ("Literal", "is_string"),
    ("Window", "over"), ("Fetch", "direction"), ("LimitOptions", "rows"),
}  # fmt: skip


# What stands in no case here: tables have tests of their own.
ELSEWHERE = {
    ("Table", "db"), ("Table", "catalog"), ("Table", "alias"), ("Column", "catalog"),
    ("Table", "version"), ("Version", "this"), ("Version", "expression"), ("Version", "kind"),
}  # fmt: skip
# Read to be refused in Trino's words.
REFUSED = {("Join", "method"), ("DataType", "kind")}
ANSWERED = [c for c in cases("athena_sql") + cases("athena_functions") if "rows" in c]


def test_every_argument_that_is_taken_stands_in_a_case() -> None:
    there = {
        (type(node).__name__, argument)
        for case in ANSWERED
        for node in grammar.nodes(parse(case["sql"]))
        for argument, value in node.args.items()
        if value not in (None, False, [], "")
    }
    taken = {(kind.__name__, argument) for kind, some in _TAKES.items() for argument in some}
    assert taken - there - ELSEWHERE - REFUSED - NOTES == set()


@pytest.mark.parametrize("case", ANSWERED, ids=itemgetter("why"))
def test_every_argument_of_every_node_is_read(case: dict[str, Any]) -> None:
    """What a rule says that it takes, it reads: nothing of a statement is dropped."""
    tree = parse(case["sql"])
    watched = [(node, Watched(node.args)) for node in grammar.nodes(tree)]
    for node, arguments in watched:
        node.args = arguments

    queries.Queries(NoTables(), "shop").compile(tree)

    unread = {
        (type(node).__name__, argument)
        for node, arguments in watched
        for argument, value in arguments.items()
        if value not in (None, False, [], "") and argument not in arguments.read
    }
    assert unread <= NOTES
