"""The Data Catalog as Athena's API shows it: the catalog, its databases, their tables."""

from __future__ import annotations

from localaws.athena.executions import ATHENA
from localaws.athena.lists import page
from localaws.core.aws import LocalAws
from localaws.core.service import Call, Service
from localaws.errors import AwsError
from localaws.expressions import BadExpression, Expression
from localaws.shapes import Json
from localaws.tables.acting import ActingCatalog

CATALOG = "AwsDataCatalog"


class Metadata:
    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws

    def register(self, service: Service) -> None:
        database = ("CatalogName", "DatabaseName", "WorkGroup")
        pages = ("NextToken", "MaxResults")
        service.operation("GetDataCatalog", "Name", "WorkGroup")(self.catalog)
        service.operation("ListDataCatalogs", *pages, "WorkGroup")(self.catalogs)
        service.operation("GetDatabase", *database)(self.database)
        service.operation("ListDatabases", "CatalogName", *pages, "WorkGroup")(self.databases)
        service.operation("GetTableMetadata", *database, "TableName")(self.table)
        service.operation("ListTableMetadata", *database, "Expression", *pages)(self.tables)

    def catalog(self, call: Call) -> Json:
        _check(call)
        parameters = {"catalog-id": self._aws.account}
        return {"DataCatalog": {"Name": CATALOG, "Type": "GLUE", "Parameters": parameters}}

    def catalogs(self, call: Call) -> Json:
        return {"DataCatalogsSummary": [{"CatalogName": CATALOG, "Type": "GLUE"}]}

    def database(self, call: Call) -> Json:
        params = _check(call)
        try:
            return {"Database": _database(self._acting(call).database(params["DatabaseName"]))}
        except AwsError as error:
            raise _missing(error) from None

    def databases(self, call: Call) -> Json:
        params = _check(call)
        there = ((one["Name"], one) for one in self._acting(call).databases())
        found, more = page(there, params)
        return {"DatabaseList": [_database(one) for one in found], **more}

    def table(self, call: Call) -> Json:
        params = _check(call)
        try:
            found = self._acting(call).table(params["DatabaseName"], params["TableName"])
        except AwsError as error:
            raise _missing(error) from None
        return {"TableMetadata": _table(found)}

    def tables(self, call: Call) -> Json:
        params = _check(call)
        try:
            wanted = Expression(params.get("Expression") or ".*")
            there = self._acting(call).tables(params["DatabaseName"])
            matching = [
                (one["Name"], one) for one in there if wanted.fullmatch(one["Name"]) is not None
            ]
        except AwsError as error:
            raise _missing(error) from None
        except BadExpression as error:
            raise AwsError("InvalidRequestException", f"Expression {error}") from None
        found, more = page(matching, params)
        return {"TableMetadataList": [_table(one) for one in found], **more}

    def _acting(self, call: Call) -> ActingCatalog:
        return ActingCatalog(self._aws.acting(call.caller.on_behalf(ATHENA)))


def _check(call: Call) -> Json:
    given = call.params.get("CatalogName") or call.params.get("Name") or CATALOG
    if given.lower() != CATALOG.lower():
        raise AwsError(
            "InvalidRequestException", f"Data catalog {given} was not found; there is {CATALOG}."
        )
    return call.params


def _missing(error: AwsError) -> AwsError:
    return AwsError("MetadataException", error.message)


def _database(document: Json) -> Json:
    return {k: document[k] for k in ("Name", "Description", "Parameters") if k in document}


def _table(document: Json) -> Json:
    storage = document.get("StorageDescriptor") or {}
    parameters = dict(document.get("Parameters") or {})
    serde = storage.get("SerdeInfo") or {}
    parameters |= {
        "location": storage.get("Location", ""),
        "inputformat": storage.get("InputFormat", ""),
        "outputformat": storage.get("OutputFormat", ""),
        "serde.serialization.lib": serde.get("SerializationLibrary", ""),
        **{f"serde.param.{key}": value for key, value in (serde.get("Parameters") or {}).items()},
    }
    return {
        "Name": document["Name"],
        "CreateTime": document["CreateTime"],
        "TableType": document.get("TableType", ""),
        "Columns": storage.get("Columns") or [],
        "PartitionKeys": document.get("PartitionKeys") or [],
        "Parameters": parameters,
    }
