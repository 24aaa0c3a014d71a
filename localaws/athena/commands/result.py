"""What every command answers with, and how it finds what it is about."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field
from typing import Any

from localaws.athena.formatting import column_info
from localaws.athena.session import Change, Session
from localaws.shapes import Json
from localaws.trino import types as t
from localaws.trino.errors import QueryError


@dataclass(frozen=True)
class CommandResult:
    """Lines, their ColumnInfos, and changes of the catalog."""

    lines: list[str] = field(default_factory=list)
    columns: list[Json] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    garbage: list[str] = field(default_factory=list)  # see Effect


NOTHING = CommandResult()


def changed(*changes: Change) -> CommandResult:
    return CommandResult(changes=list(changes))


_DDL_TASK = "Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask."


def failed(message: str) -> QueryError:
    return QueryError("FAILED", f"{_DDL_TASK} {message}")


class CatalogFailed(QueryError):
    """A failure that Athena tells as one of Glue's: recorded for CREATE DATABASE."""

    def __init__(self, message: str) -> None:
        super().__init__("FAILED", f"{_DDL_TASK} {message}")

    @property
    def kind(self) -> tuple[int, int]:
        return 1, 1502


def text_column(label: str, kind: str = "string") -> Json:
    """A column of SHOW and DESCRIBE: Hive's `string`, `varchar` where views are shown."""
    return column_info(label, t.VARCHAR) | {"Type": kind, "Precision": 0, "CaseSensitive": False}


def place_of(session: Session, statement: Any) -> tuple[str, str]:
    return statement.database or session.database, statement.name


def table_of(session: Session, statement: Any) -> Json:
    return session.tables.document(*place_of(session, statement))


def like(name: str, pattern: str | None) -> bool:
    """Hive's pattern: `*` for anything, `|` for or."""
    if pattern is None:
        return True
    return any(
        fnmatch.fnmatchcase(name, part.replace("%", "*").lower()) for part in pattern.split("|")
    )


def partition_keys(table: Json) -> list[str]:
    return [key["Name"] for key in table.get("PartitionKeys") or []]
