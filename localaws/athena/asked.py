"""The statement that a caller asks for, or the refusal at the start."""

from __future__ import annotations

from localaws.athena.grammar import statements as s
from localaws.athena.grammar.read import read
from localaws.athena.sql.parsing import SyntaxMistake, parse
from localaws.errors import AwsError, NotEmulated


def check(sql: str) -> s.Statement:
    """The statement. What does not parse, also in its query, is refused at once."""
    statement = read_statement(sql)
    query = getattr(statement, "query", None)
    if isinstance(statement, s.Prepare | s.ExecuteImmediate | s.Explain):
        check(statement.query)
    elif query is not None:
        try:
            parse(query)
        except SyntaxMistake as mistake:
            raise _no_sql(mistake) from None
    return statement


def read_statement(sql: str) -> s.Statement:
    """The statement; its query is parsed when it is planned. What is none here is refused."""
    try:
        statement = read(sql)
    except SyntaxMistake as mistake:
        raise _no_sql(mistake) from None
    if isinstance(statement, s.Unsupported):
        raise NotEmulated(
            "athena",
            "StartQueryExecution",
            "QueryString",
            f"The statement is {statement.what}.",
        )
    return statement


def _no_sql(mistake: SyntaxMistake) -> AwsError:
    return AwsError("InvalidRequestException", str(mistake))
