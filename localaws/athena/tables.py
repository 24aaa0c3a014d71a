"""The catalog as the query compiler asks for it, and views as Athena keeps them."""

from __future__ import annotations

import base64
import json

from sqlglot import exp

from localaws.athena import catalog_views
from localaws.athena.iceberg import described
from localaws.athena.iceberg.lookup import IcebergTables
from localaws.athena.iceberg.state import is_iceberg
from localaws.athena.sql.queries import Query
from localaws.athena.sql.sources import AsOf, Found, no_schema, no_table, no_versions
from localaws.athena.sql.type_names import from_trino
from localaws.errors import AwsError
from localaws.shapes import Json
from localaws.tables.catalog import Catalog
from localaws.trino import types as t
from localaws.trino.errors import QueryError
from localaws.trino.types import Type

_VIEW = "/* Presto View: "


class CatalogTables:
    """Finds tables and views for the compiler, with Athena's messages for those that are not."""

    def __init__(self, catalog: Catalog, iceberg: IcebergTables) -> None:
        self.catalog = catalog
        self.iceberg = iceberg

    def find(
        self, database: str, table: str, node: exp.Expression | None, as_of: AsOf | None = None
    ) -> Found:
        if database == catalog_views.INFORMATION_SCHEMA:
            found = catalog_views.information_schema(self.catalog, table)
            if found is None:
                raise no_table(database, table, node)
            return found
        base, _, inner = table.rpartition("$")
        if base and inner in described.KINDS:
            of = self.document(database, base, node)
            if is_iceberg(of):
                return self.iceberg.metadata_table(of, inner, as_of, node)
            if inner == catalog_views.PARTITIONS and as_of is None:
                return self._partitions(database, table, of, node)
            raise no_table(database, table, node)
        document = self.document(database, table, node)
        if is_iceberg(document):
            return self.iceberg.rows(document, as_of, node)
        if as_of is not None:
            raise no_versions(node)
        if document.get("TableType") == "VIRTUAL_VIEW":
            view = read_view(document)
            columns = tuple((c["name"].lower(), trino_type(c["type"])) for c in view["columns"])
            return Found((), view=view["originalSql"], view_columns=columns)
        place = document.get("StorageDescriptor") or {}
        columns = _typed(document, place.get("Columns"))
        keys = _typed(document, document.get("PartitionKeys"))
        return Found((*columns, *keys), frozenset(label for label, _ in keys))

    def _partitions(
        self, database: str, table: str, document: Json, node: exp.Expression | None
    ) -> Found:
        keys = _typed(document, document.get("PartitionKeys"))
        if not keys:
            raise no_table(database, table, node)
        return catalog_views.partitions(self.catalog, document, keys)

    def document(self, database: str, table: str, node: exp.Expression | None = None) -> Json:
        """The catalog's entry. Raises QueryError (SCHEMA_NOT_FOUND, TABLE_NOT_FOUND)."""
        try:
            self.catalog.database(database)
        except AwsError as error:
            _check_allowed(error)
            raise no_schema(database, node) from None
        try:
            return self.catalog.table(database, table)
        except AwsError as error:
            _check_allowed(error)
            raise no_table(database, table, node) from None


def _check_allowed(error: AwsError) -> None:
    """A table that may not be looked at is another error than one that is not there."""
    if error.is_refusal:
        raise error


def _typed(table: Json, columns: list[Json] | None) -> tuple[tuple[str, Type], ...]:
    """Raises QueryError (HIVE_INVALID_METADATA) for a type that Athena does not know."""
    try:
        return tuple(
            (column["Name"].lower(), t.from_hive(column.get("Type") or "string"))
            for column in columns or []
        )
    except ValueError as error:
        raise QueryError("HIVE_INVALID_METADATA", f"table {table['Name']}: {error}") from None


def trino_type(text: str) -> Type:
    return from_trino(exp.DataType.build(text, dialect="trino"))


def read_view(document: Json) -> Json:
    """{"originalSql", "catalog", "schema", "columns": [{"name", "type"}]}"""
    original = document.get("ViewOriginalText") or ""
    if not original.startswith(_VIEW):
        raise QueryError(
            "INVALID_VIEW", f"View {document['Name']} is not an Athena view (no Presto view text)"
        )
    decoded: Json = json.loads(base64.b64decode(original[len(_VIEW) :].removesuffix(" */")))
    return decoded


def view_input(database: str, name: str, sql: str, labels: list[str], query: Query) -> Json:
    """TableInput of a view with the columns `labels`. https://docs.aws.amazon.com/athena/latest/ug/views.html"""
    text = json.dumps(
        {
            "originalSql": sql,
            "catalog": "awsdatacatalog",
            "schema": database,
            "columns": [
                {"name": label, "type": str(column.type)}
                for label, column in zip(labels, query.columns, strict=True)
            ],
        }
    )
    return {
        "Name": name,
        "TableType": "VIRTUAL_VIEW",
        "ViewOriginalText": f"{_VIEW}{base64.b64encode(text.encode()).decode()} */",
        "ViewExpandedText": "/* Presto View */",
        "Parameters": {"presto_view": "true", "comment": "Presto View"},
        "StorageDescriptor": {
            "Columns": [
                {"Name": label, "Type": _view_type(column.type)}
                for label, column in zip(labels, query.columns, strict=True)
            ],
            "Location": "",
            "SerdeInfo": {},
        },
    }


def _view_type(kind: Type) -> str:
    try:
        return t.hive(kind)
    except QueryError:
        return str(kind)
