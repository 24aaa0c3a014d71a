"""The operations on a table's versions: what it was before each UpdateTable that kept it.

https://docs.aws.amazon.com/glue/latest/webapi/API_GetTableVersions.html
"""

from __future__ import annotations

from localaws.catalog.calls import check, each
from localaws.catalog.lists import page
from localaws.core.service import Call, Service
from localaws.shapes import Json
from localaws.tables.catalog import Catalog, no_version


class TableVersions:
    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def register(self, service: Service) -> None:
        take, table = service.operation, ("CatalogId", "DatabaseName", "TableName")
        take("GetTableVersions", *table, "NextToken", "MaxResults")(self.list)
        take("GetTableVersion", *table, "VersionId")(self.get)
        take("DeleteTableVersion", *table, "VersionId")(self.delete)
        take("BatchDeleteTableVersion", *table, "VersionIds")(self.delete_many)

    def list(self, call: Call) -> Json:
        """The newest first, the table as it is among them."""
        params = check(call)
        there = self._catalog.versions(params["DatabaseName"], params["TableName"])
        found, more = page(((-int(one["VersionId"]), _shown(one)) for one in there), params)
        return {"TableVersions": found, **more}

    def get(self, call: Call) -> Json:
        params = check(call)
        there = self._catalog.versions(params["DatabaseName"], params["TableName"])
        wanted = str(params.get("VersionId", there[0]["VersionId"]))
        for one in there:
            if one["VersionId"] == wanted:
                return {"TableVersion": _shown(one)}
        raise no_version(wanted)

    def delete(self, call: Call) -> Json:
        params = check(call)
        self._catalog.delete_version(
            params["DatabaseName"], params["TableName"], params["VersionId"]
        )
        return {}

    def delete_many(self, call: Call) -> Json:
        params = check(call)
        database, table = params["DatabaseName"], params["TableName"]
        errors = each(
            params["VersionIds"],
            lambda version: self._catalog.delete_version(database, table, version),
            lambda version: {"TableName": table, "VersionId": version},
        )
        return {"Errors": errors}


def _shown(table: Json) -> Json:
    return {"Table": table, "VersionId": table["VersionId"]}
