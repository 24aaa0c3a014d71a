"""The metastore that Iceberg's Spark catalogs ask, in the place of Iceberg's GlueCatalog.

On AWS a script's Iceberg catalog is `org.apache.iceberg.aws.glue.GlueCatalog`, which speaks to AWS
by a library of its own. Iceberg's HiveCatalog does the same work by a metastore; what it writes is
put down here as the GlueCatalog writes it: location, columns and the file of the table's metadata.
https://iceberg.apache.org/docs/latest/aws/#glue-catalog
"""

from __future__ import annotations

from botocore.exceptions import ClientError

from localaws.glue_jobs.metastore import translation
from localaws.glue_jobs.metastore.metastore import Metastore, Refusal
from localaws.glue_jobs.metastore.translation import Json

KIND = "table_type"
METADATA = "metadata_location"
_KEPT = (KIND, METADATA, "previous_metadata_location")
# A commit names the metadata that it stands on; another's in between refuses it.
_KEY, _VALUE = "expected_parameter_key", "expected_parameter_value"


class IcebergMetastore(Metastore):
    """Shows and takes Iceberg's tables alone."""

    def get_database(self, name: str) -> Json:
        """One without a location has its tables below the catalog's warehouse."""
        found = super().get_database(name)
        return {**found, "locationUri": found["locationUri"] or None}

    def create_database(self, database: Json) -> None:
        """The place below the warehouse, which HiveCatalog fills in, is none of its own."""
        place = (database.get("locationUri") or "").rstrip("/")
        if place.endswith(f"/{database['name']}.db"):
            database = {**database, "locationUri": None}
        super().create_database(database)

    def get_table(self, db_name: str, tbl_name: str) -> Json:
        return translation.table_to_hive(self._table(db_name, tbl_name))

    def create_table(self, tbl: Json, **unused: Json) -> None:
        self._glue.create_table(DatabaseName=tbl["dbName"], TableInput=_described(tbl))

    create_table_with_environment_context = create_table

    def alter_table(
        self, db_name: str, tbl_name: str, new_tbl: Json, environment_context: Json | None = None
    ) -> None:
        """A commit, which is refused where the table has changed meanwhile."""
        if (new_tbl["dbName"], new_tbl["tableName"]) != (db_name, tbl_name):
            raise Refusal(
                "InvalidOperationException",
                f"localaws does not emulate renaming {db_name}.{tbl_name}, an Iceberg table.",
            )
        asked = (environment_context or {}).get("properties") or {}
        before = self._table(db_name, tbl_name)
        there = (before.get("Parameters") or {}).get(asked.get(_KEY, ""))
        if _KEY in asked and there != asked.get(_VALUE):
            raise _modified(asked[_KEY], there, asked.get(_VALUE))
        try:
            self._glue.update_table(
                DatabaseName=db_name,
                TableInput=_described(new_tbl, before),
                VersionId=before["VersionId"],
                SkipArchive=True,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConcurrentModificationException":
                raise
            raise _modified(METADATA, "another", asked.get(_VALUE)) from error

    alter_table_with_environment_context = alter_table


def _modified(key: str, there: str | None, expected: str | None) -> Refusal:
    """In the words that HiveCatalog takes for a commit to be tried again."""
    return Refusal(
        "MetaException",
        f"The table has been modified. The parameter value for key '{key}' is '{there}'. The"
        f" expected was value '{expected}'",
    )


def _described(table: Json, before: Json | None = None) -> Json:
    given = translation.table_to_glue(table, before)
    place = given["StorageDescriptor"]
    kept = {name: value for name, value in given["Parameters"].items() if name in _KEPT}
    return {
        **given,
        "Parameters": {**kept, KIND: "ICEBERG"},
        "StorageDescriptor": {name: place[name] for name in ("Columns", "Location")},
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [],
    }
