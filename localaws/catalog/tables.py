"""The operations on databases and tables."""

from __future__ import annotations

from localaws.catalog import tags
from localaws.catalog.calls import check, each
from localaws.catalog.lists import page
from localaws.core.service import Call, Service
from localaws.errors import AwsError
from localaws.expressions import BadExpression, Expression
from localaws.shapes import Json
from localaws.tables.catalog import Catalog

_PAGES = ("NextToken", "MaxResults")
_TABLE_INPUT = tuple(
    f"TableInput.{name}"
    for name in (
        "Name", "Description", "Owner", "LastAccessTime", "LastAnalyzedTime", "Retention",
        "StorageDescriptor", "PartitionKeys", "ViewOriginalText", "ViewExpandedText", "TableType",
        "Parameters",
    )
)  # fmt: skip
_DATABASE_INPUT = tuple(
    f"DatabaseInput.{name}" for name in ("Name", "Description", "LocationUri", "Parameters")
)


def _pattern(expression: str) -> str:
    """`*` alone, which is no regular expression, is what clients send for every table."""
    return ".*" if expression == "*" else expression


class Databases:
    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def register(self, service: Service) -> None:
        take = service.operation
        take("CreateDatabase", "CatalogId", "Tags", *_DATABASE_INPUT)(self.create)
        take("GetDatabase", "CatalogId", "Name")(self.get)
        take("GetDatabases", "CatalogId", *_PAGES, "ResourceShareType", "AttributesToGet")(
            self.list
        )
        take("UpdateDatabase", "CatalogId", "Name", *_DATABASE_INPUT)(self.update)
        take("DeleteDatabase", "CatalogId", "Name")(self.delete)

    def create(self, call: Call) -> Json:
        given = check(call)["DatabaseInput"]
        aws = self._catalog.aws
        with aws.documents.transaction():
            self._catalog.create_database(given)
            place = tags.arn(aws, "database", given["Name"].lower())
            tags.write(aws, place, call.params.get("Tags") or {})
        return {}

    def get(self, call: Call) -> Json:
        return {"Database": self._catalog.database(check(call)["Name"])}

    def list(self, call: Call) -> Json:
        there = ((one["Name"], one) for one in self._catalog.databases())
        found, more = page(there, check(call))
        return {"DatabaseList": found, **more}

    def update(self, call: Call) -> Json:
        params = check(call)
        self._catalog.update_database(params["Name"], params["DatabaseInput"])
        return {}

    def delete(self, call: Call) -> Json:
        self._catalog.delete_database(check(call)["Name"])
        return {}


class Tables:
    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def register(self, service: Service) -> None:
        take, database = service.operation, ("CatalogId", "DatabaseName")
        take("CreateTable", *database, *_TABLE_INPUT)(self.create)
        take("GetTable", *database, "Name")(self.get)
        take("GetTables", *database, "Expression", *_PAGES)(self.list)
        take("UpdateTable", *database, "SkipArchive", "VersionId", *_TABLE_INPUT)(self.update)
        take("DeleteTable", *database, "Name")(self.delete)
        take("BatchDeleteTable", *database, "TablesToDelete")(self.delete_many)

    def create(self, call: Call) -> Json:
        params = check(call)
        self._catalog.create_table(
            params["DatabaseName"], params["TableInput"], created_by=call.caller.arn
        )
        return {}

    def get(self, call: Call) -> Json:
        params = check(call)
        return {"Table": self._catalog.table(params["DatabaseName"], params["Name"])}

    def list(self, call: Call) -> Json:
        params = check(call)
        try:
            wanted = Expression(_pattern(params.get("Expression") or "*"))
            there = self._catalog.tables(params["DatabaseName"])
            matching = [(one["Name"], one) for one in there
                        if wanted.fullmatch(one["Name"]) is not None]  # fmt: skip
        except BadExpression as error:
            raise AwsError("InvalidInputException", f"Expression {error}") from None
        found, more = page(matching, params)
        return {"TableList": found, **more}

    def update(self, call: Call) -> Json:
        params = check(call)
        self._catalog.update_table(
            *(params["DatabaseName"], params["TableInput"], params.get("VersionId")),
            archive=not params.get("SkipArchive"),
        )
        return {}

    def delete(self, call: Call) -> Json:
        params = check(call)
        self._catalog.delete_table(params["DatabaseName"], params["Name"])
        return {}

    def delete_many(self, call: Call) -> Json:
        params = check(call)
        errors = each(
            params["TablesToDelete"],
            lambda name: self._catalog.delete_table(params["DatabaseName"], name),
            lambda name: {"TableName": name},
        )
        return {"Errors": errors}
