"""Athena's statements as plain data, one class each.

`TYPE` is the API's StatementType, `SUBTYPE` its SubstatementType, `ENDING` what the result's key
ends with. Queries inside are text, at
their own lines and columns. `database` is None where the statement names none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

Pairs = dict[str, str]
Properties = dict[str, Any]  # name to text or list of texts
Columns = list[dict[str, str]]  # of the catalog: Name, Type, Comment


@dataclass(frozen=True)
class Statement:
    TYPE: ClassVar[str] = "DDL"
    SUBTYPE: ClassVar[str] = ""
    ENDING: ClassVar[str] = ".txt"


@dataclass(frozen=True)
class Unsupported(Statement):
    """What Athena has and localaws lacks."""

    what: str


# Queries, and what is written of them


@dataclass(frozen=True)
class Select(Statement):
    TYPE = "DML"
    SUBTYPE = "SELECT"
    ENDING = ".csv"
    query: str


@dataclass(frozen=True)
class Explain(Statement):
    """`form`: plan, analyze (ANALYZE) or validate (TYPE VALIDATE)."""

    TYPE = "DML"  # as recorded
    SUBTYPE = "EXPLAIN"
    query: str
    form: str = "plan"


@dataclass(frozen=True)
class CreateTableAs(Statement):
    SUBTYPE = "CREATE_TABLE_AS_SELECT"
    ENDING = ""
    database: str | None
    name: str
    query: str
    if_not_exists: bool = False
    properties: Properties = field(default_factory=dict)
    with_data: bool = True


@dataclass(frozen=True)
class Insert(Statement):
    TYPE = "DML"
    SUBTYPE = "INSERT"
    ENDING = ""
    database: str | None
    name: str
    query: str
    columns: list[str] | None = None


@dataclass(frozen=True)
class ChangeOfRows(Statement):
    TYPE = "DML"
    ENDING = ".csv"
    query: str


class Update(ChangeOfRows):
    SUBTYPE = "UPDATE"


class Delete(ChangeOfRows):
    SUBTYPE = "DELETE"


class Merge(ChangeOfRows):
    SUBTYPE = "MERGE"


@dataclass(frozen=True)
class Unload(Statement):
    TYPE = "DML"
    SUBTYPE = "UNLOAD"
    ENDING = ""
    query: str
    location: str
    properties: Properties


@dataclass(frozen=True)
class CreateView(Statement):
    SUBTYPE = "CREATE_VIEW"
    database: str | None
    name: str
    query: str
    or_replace: bool = False
    columns: list[str] | None = None


# Prepared statements


@dataclass(frozen=True)
class Prepare(Statement):
    SUBTYPE = "PREPARE"
    name: str
    query: str


@dataclass(frozen=True)
class Execute(Statement):
    TYPE = "DML"
    SUBTYPE = "EXECUTE"
    ENDING = ""
    name: str
    using: list[str]


@dataclass(frozen=True)
class ExecuteImmediate(Statement):
    TYPE = "DML"
    SUBTYPE = "EXECUTE"
    ENDING = ""
    query: str
    using: list[str]


@dataclass(frozen=True)
class Deallocate(Statement):
    SUBTYPE = "DEALLOCATE"
    name: str


# Databases


@dataclass(frozen=True)
class CreateDatabase(Statement):
    SUBTYPE = "CREATE_DATABASE"
    name: str
    if_not_exists: bool = False
    comment: str | None = None
    location: str | None = None
    properties: Pairs | None = None


@dataclass(frozen=True)
class DropDatabase(Statement):
    SUBTYPE = "DROP_DATABASE"
    name: str
    if_exists: bool = False
    cascade: bool = False


@dataclass(frozen=True)
class ShowDatabases(Statement):
    TYPE = "UTILITY"
    SUBTYPE = "SHOW_DATABASES"
    pattern: str | None = None


# Tables


@dataclass(frozen=True)
class Clustered:
    """CLUSTERED BY: `ordered` are columns and whether they descend."""

    columns: list[str]
    count: int
    ordered: list[tuple[str, bool]]


@dataclass(frozen=True)
class CreateTable(Statement):
    """`serde`, `formats`, `stored_as` are None where the statement says nothing; `delimited` are
    the SerDe properties of ROW FORMAT DELIMITED."""

    SUBTYPE = "CREATE_TABLE"
    database: str | None
    name: str
    columns: Columns
    if_not_exists: bool = False
    comment: str | None = None
    keys: Columns = field(default_factory=list)
    serde: str | None = None
    serde_parameters: Pairs = field(default_factory=dict)
    delimited: Pairs = field(default_factory=dict)
    formats: tuple[str, str] | None = None
    stored_as: str | None = None
    clustered: Clustered | None = None
    location: str | None = None
    properties: Pairs = field(default_factory=dict)


@dataclass(frozen=True)
class OfTable(Statement):
    """A statement about one table or view."""

    database: str | None
    name: str


Transforms = list[tuple[str, str, str]]  # the transform, its column, the partition field's name


@dataclass(frozen=True)
class CreateIcebergTable(Statement):
    SUBTYPE = "CREATE_TABLE"
    database: str | None
    name: str
    columns: Columns
    if_not_exists: bool = False
    comment: str | None = None
    partitioning: Transforms = field(default_factory=list)
    location: str | None = None
    properties: Pairs = field(default_factory=dict)


@dataclass(frozen=True)
class Optimize(OfTable):
    """OPTIMIZE t REWRITE DATA USING BIN_PACK [WHERE where]"""

    SUBTYPE = "CREATE_TABLE_AS_SELECT"  # as recorded
    ENDING = ""
    where: str | None = None


@dataclass(frozen=True)
class Vacuum(OfTable):
    TYPE = "DML"
    SUBTYPE = "VACUUM_TABLE"
    ENDING = ""


@dataclass(frozen=True)
class DropTable(OfTable):
    SUBTYPE = "DROP_TABLE"
    if_exists: bool = False


@dataclass(frozen=True)
class DropView(OfTable):
    SUBTYPE = "DROP_VIEW"
    if_exists: bool = False


@dataclass(frozen=True)
class AddColumns(OfTable):
    SUBTYPE = "ALTER_TABLE_ADD_COLUMN"
    columns: Columns


@dataclass(frozen=True)
class ReplaceColumns(OfTable):
    SUBTYPE = "ALTER_TABLE_REPLACE_COLUMN"
    columns: Columns


@dataclass(frozen=True)
class ChangeColumn(OfTable):
    """CHANGE old new type [COMMENT] [FIRST | AFTER column]; `after` is "" for FIRST."""

    SUBTYPE = "ALTER_TABLE_CHANGE_COLUMN"
    old: str
    column: dict[str, str]
    after: str | None = None


@dataclass(frozen=True)
class DropColumn(OfTable):
    SUBTYPE = "ALTER_TABLE_DROP_COLUMN"
    column: str
    column_at: int = 0  # of the word COLUMN, as Hive counts


@dataclass(frozen=True)
class RenameTable(OfTable):
    SUBTYPE = "ALTER_TABLE_RENAME"
    new: tuple[str | None, str]


@dataclass(frozen=True)
class UnsetProperties(OfTable):
    SUBTYPE = "ALTER_TABLE_PROPERTIES"
    keys: list[str]


@dataclass(frozen=True)
class SetLocation(OfTable):
    SUBTYPE = "ALTER_TABLE_SET_LOCATION"
    location: str
    partition: Pairs | None = None


@dataclass(frozen=True)
class SetProperties(OfTable):
    SUBTYPE = "ALTER_TABLE_PROPERTIES"
    properties: Pairs


@dataclass(frozen=True)
class AddPartitions(OfTable):
    SUBTYPE = "ALTER_TABLE_ADD_PARTITION"
    partitions: list[tuple[Pairs, str | None]]  # values by key, location
    if_not_exists: bool = False


@dataclass(frozen=True)
class DropPartitions(OfTable):
    SUBTYPE = "ALTER_TABLE_DROP_PARTITION"
    partitions: list[Pairs]
    if_exists: bool = False


@dataclass(frozen=True)
class RenamePartition(OfTable):
    SUBTYPE = "ALTER_TABLE_RENAME"
    old: Pairs
    new: Pairs


@dataclass(frozen=True)
class RepairTable(OfTable):
    SUBTYPE = "MSCK_REPAIR"


# Showing


@dataclass(frozen=True)
class ShowTables(Statement):
    TYPE = "UTILITY"
    SUBTYPE = "SHOW_TABLES"
    database: str | None = None
    pattern: str | None = None


@dataclass(frozen=True)
class ShowViews(Statement):
    TYPE = "UTILITY"
    SUBTYPE = "SHOW_VIEWS"
    database: str | None = None
    pattern: str | None = None


@dataclass(frozen=True)
class ShowColumns(OfTable):
    TYPE = "UTILITY"
    SUBTYPE = "SHOW_COLUMNS"


@dataclass(frozen=True)
class ShowPartitions(OfTable):
    TYPE = "UTILITY"
    SUBTYPE = "SHOW_PARTITIONS"


@dataclass(frozen=True)
class ShowCreateTable(OfTable):
    TYPE = "UTILITY"
    SUBTYPE = "SHOW_CREATE_TABLE"


@dataclass(frozen=True)
class ShowCreateView(OfTable):
    TYPE = "UTILITY"
    SUBTYPE = "SHOW_CREATE_VIEW"


@dataclass(frozen=True)
class ShowProperties(OfTable):
    TYPE = "UTILITY"
    SUBTYPE = "SHOW_TABLE_PROPERTIES"


@dataclass(frozen=True)
class Describe(OfTable):
    TYPE = "UTILITY"
    SUBTYPE = "DESCRIBE_TABLE"
