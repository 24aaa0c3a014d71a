"""Where a run's result goes besides plain S3: tables of the Data Catalog and of databases.

Found in the job role's name when the run starts, so that a worker knows places only.
"""

from __future__ import annotations

import json
from datetime import datetime

from botocore.exceptions import ClientError

from localaws.core.aws import LocalAws
from localaws.databrew import databases
from localaws.databrew.source import InputError
from localaws.s3.names import split_uri
from localaws.shapes import Json

PARQUET = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
_INPUT = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
_OUTPUT = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"


def resolve(aws: LocalAws, job: Json, when: datetime) -> list[Json]:
    """All of the job's outputs as a worker takes them: first those of S3, databases last.

    Raises InputError for a table or connection that is not there, or is of another kind.
    """
    in_catalog = [_catalog(aws, output, when) for output in job.get("DataCatalogOutputs", [])]
    in_databases = [
        _database(aws, output["GlueConnectionName"], output["DatabaseOptions"], when)
        for output in job.get("DatabaseOutputs", [])
    ]
    # Databases last: a recipe or a file that fails has made no table.
    found = [*job.get("Outputs", []), *in_catalog, *in_databases]
    return sorted(found, key=lambda output: "Database" in output)


def _catalog(aws: LocalAws, output: Json, when: datetime) -> Json:
    database, name = output["DatabaseName"], output["TableName"]
    table = _table(aws, database, name)
    if "DatabaseOptions" in output:
        connection = (table or {}).get("Parameters", {}).get("connectionName")
        if connection is None:
            raise InputError(
                f"Table {database}.{name}: DatabaseOptions need a table of the catalog that names"
                " its connection (the table's parameter connectionName)."
            )
        return _database(aws, connection, output["DatabaseOptions"], when)
    found = {
        "Format": "PARQUET",
        "CompressionFormat": "SNAPPY",
        "PartitionColumns": [],
        "Overwrite": output.get("Overwrite", False),
        "Table": {"DatabaseName": database, "Name": name},
    }
    if table is None:
        place = output.get("S3Options", {}).get("Location")
        if place is None:
            raise InputError(
                f"Table {database}.{name} is not there; S3Options.Location makes a new one."
            )
        return {**found, "Location": place, "New": True}
    columns = _columns(database, name, table)
    bucket, key = split_uri(table["StorageDescriptor"]["Location"])
    if found["Overwrite"] and not key.strip("/"):
        raise InputError(f"Table {database}.{name}: Overwrite would delete the whole bucket.")
    # The table's own place is the one that its readers look at.
    return {**found, "Location": {"Bucket": bucket, "Key": key}, "Columns": columns}


def _columns(database: str, name: str, table: Json) -> list[list[str]]:
    """(name, type) of a table that Parquet files can be added to."""
    storage = table["StorageDescriptor"]
    serde = storage.get("SerdeInfo", {}).get("SerializationLibrary", "")
    if serde != PARQUET:
        raise InputError(
            f"Table {database}.{name} is of {serde or 'no SerDe'}; localaws writes into tables of"
            " Parquet files."
        )
    if table.get("PartitionKeys"):
        raise InputError(
            f"Table {database}.{name} has partitions; localaws writes into tables without."
        )
    return [[column["Name"], column["Type"]] for column in storage["Columns"]]


def define(aws: LocalAws, output: Json, columns: list[list[str]]) -> None:
    """The catalog's table over files that have just been written. Raises InputError."""
    place = output["Location"]
    table = {
        "Name": output["Table"]["Name"],
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"classification": "parquet", "typeOfData": "file"},
        "StorageDescriptor": {
            "Columns": [{"Name": name.lower(), "Type": kind} for name, kind in columns],
            "Location": f"s3://{place['Bucket']}/{place.get('Key', '').strip('/')}/",
            "InputFormat": _INPUT,
            "OutputFormat": _OUTPUT,
            "SerdeInfo": {"SerializationLibrary": PARQUET},
        },
    }
    database = output["Table"]["DatabaseName"]
    try:
        aws.client("glue").create_table(DatabaseName=database, TableInput=table)
    except ClientError as error:
        raise InputError(f"Table {database}.{table['Name']}: {_message(error)}") from error


def _table(aws: LocalAws, database: str, name: str) -> Json | None:
    """Raises InputError for a database that is not there."""
    glue = aws.client("glue")
    try:
        glue.get_database(Name=database)
        found: Json = glue.get_table(DatabaseName=database, Name=name)["Table"]
    except ClientError as error:
        missing = error.response["Error"]["Code"] == "EntityNotFoundException"
        if missing and error.operation_name == "GetTable":
            return None
        raise InputError(f"Table {database}.{name}: {_message(error)}") from error
    return found


def _database(aws: LocalAws, connection: str, options: Json, when: datetime) -> Json:
    try:
        found = aws.client("glue").get_connection(Name=connection)["Connection"]
        given = found.get("ConnectionProperties", {})
        user, password = given.get("USERNAME"), given.get("PASSWORD")
        if "SECRET_ID" in given:
            manager = aws.client("secretsmanager")
            kept = manager.get_secret_value(SecretId=given["SECRET_ID"])["SecretString"]
            user, password = (json.loads(kept).get(each) for each in ("username", "password"))
    except ClientError as error:
        raise InputError(f"Connection {connection}: {_message(error)}") from error
    except ValueError:
        raise InputError(f"Connection {connection}: its secret is no JSON.") from None
    url = given.get("JDBC_CONNECTION_URL")
    if url is None:
        raise InputError(f"Connection {connection} has no JDBC_CONNECTION_URL.")
    name = databases.name_of(options["TableName"], when)
    target = {"url": url, "user": user, "password": password, "table": name}
    return {"Database": target, "Connection": connection}


def _message(error: ClientError) -> str:
    return str(error.response["Error"]["Message"])
