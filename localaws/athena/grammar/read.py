"""Reads Athena's statements.

Grammar: https://docs.aws.amazon.com/athena/latest/ug/ddl-reference.html
"""

from __future__ import annotations

from collections.abc import Callable

from localaws.athena.grammar import iceberg, queries, showing, tables
from localaws.athena.grammar import statements as s
from localaws.athena.grammar.statements import Statement
from localaws.athena.grammar.words import Reader

_BEGINNINGS = (
    "ALTER", "CREATE", "DELETE", "DESCRIBE", "DROP", "EXPLAIN", "INSERT", "MERGE", "MSCK",
    "OPTIMIZE", "SELECT", "SHOW", "UNLOAD", "UPDATE", "VACUUM", "VALUES", "WITH",
)  # fmt: skip
_REFUSED = (
    "GRANT", "REVOKE", "USE", "SET", "ANALYZE",
    "CREATE", "ALTER", "CALL",
)  # fmt: skip


def read(sql: str) -> Statement:
    """The statement. Raises SyntaxMistake for one that does not parse."""
    reader = Reader(sql)
    for words, form in _FORMS:
        if reader.take(*words):
            return form(reader)
    if reader.next.upper in queries.QUERY_WORDS:
        return s.Select(sql)
    if reader.next.upper in _REFUSED:
        return s.Unsupported(
            " ".join(token.value for token in reader.tokens[reader.at : reader.at + 2])
        )
    raise reader.wrong(*_BEGINNINGS)


def _refused(words: str) -> Callable[[Reader], Statement]:
    return lambda reader: s.Unsupported(f"{words} {reader.next.raw or reader.next.value}")


# The first form whose words come next is taken.
_FORMS: tuple[tuple[tuple[str, ...], Callable[[Reader], Statement]], ...] = (
    (("CREATE", "EXTERNAL", "TABLE"), tables.create_table),
    (("CREATE", "DATABASE"), tables.create_database),
    (("CREATE", "SCHEMA"), tables.create_database),
    (("CREATE", "TABLE"), queries.create_table_as),
    (("CREATE", "OR", "REPLACE", "VIEW"), lambda reader: queries.view(reader, or_replace=True)),
    (("CREATE", "VIEW"), lambda reader: queries.view(reader, or_replace=False)),
    (("DROP", "DATABASE"), tables.drop_database),
    (("DROP", "SCHEMA"), tables.drop_database),
    (("DROP", "TABLE"), tables.drop(s.DropTable)),
    (("DROP", "VIEW"), tables.drop(s.DropView)),
    (("DROP",), _refused("DROP")),
    (("ALTER", "TABLE"), tables.alter),
    (("MSCK", "REPAIR", "TABLE"), showing.of_table(s.RepairTable)),
    (("SHOW", "DATABASES"), showing.show_databases),
    (("SHOW", "SCHEMAS"), showing.show_databases),
    (("SHOW", "TABLES"), showing.show_names(s.ShowTables)),
    (("SHOW", "VIEWS"), showing.show_names(s.ShowViews)),
    (("SHOW", "COLUMNS"), showing.show_columns),
    (("SHOW", "PARTITIONS"), showing.of_table(s.ShowPartitions)),
    (("SHOW", "CREATE", "TABLE"), showing.of_table(s.ShowCreateTable)),
    (("SHOW", "CREATE", "VIEW"), showing.of_table(s.ShowCreateView)),
    (("SHOW", "TBLPROPERTIES"), showing.of_table(s.ShowProperties)),
    (("SHOW",), _refused("SHOW")),
    (("DESCRIBE",), showing.describe),
    (("DESC",), showing.describe),
    (("EXPLAIN",), queries.explain),
    (("UNLOAD",), queries.unload),
    (("INSERT", "INTO"), queries.insert),
    (("UPDATE",), lambda reader: s.Update(reader.sql)),
    (("DELETE", "FROM"), lambda reader: s.Delete(reader.sql)),
    (("MERGE", "INTO"), lambda reader: s.Merge(reader.sql)),
    (("OPTIMIZE",), iceberg.optimize),
    (("VACUUM",), iceberg.vacuum),
    (("PREPARE",), queries.prepare),
    (("EXECUTE",), queries.execute),
    (("DEALLOCATE", "PREPARE"), lambda reader: s.Deallocate(reader.name())),
)
