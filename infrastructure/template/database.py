"""A database that orders are read from, where the settings name one: its connection and its job."""

from __future__ import annotations

from configuration.database import Database
from infrastructure.grants import allow, policy_when
from infrastructure.names import DATABASE_SECRET, READ_DATABASE, SOURCE_DATABASE
from infrastructure.template.protection import NOTHING
from infrastructure.words import Json, arn, attribute, ref, resource, sub, when

MINUTES = 60
DRIVER = str(Database.model_fields["driver"].default)


def parameters() -> Json:
    def text(description: str, default: str) -> Json:
        return {"Type": "String", "Description": description, "Default": default}

    return {
        "DatabaseUrl": text("JDBC address of a database with orders; empty: none", ""),
        "DatabaseSecret": text("Name of the secret with its user and password", "none"),
        "DatabaseOrders": text("Table or query of the orders", "orders"),
        "DatabaseOrderProducts": text("Table or query of their lines", "order_products"),
        "DatabaseTls": text("Whether the connection is encrypted", "true"),
        "DatabaseDriver": text("What pip installs for the job", DRIVER),
    }


def conditions() -> Json:
    return {"HasDatabase": {"Fn::Not": [{"Fn::Equals": [ref("DatabaseUrl"), ""]}]},
            "HasDatabaseTls": {"Fn::Equals": [ref("DatabaseTls"), "true"]}}  # fmt: skip


def reading_policy() -> Json:
    """Of the function that starts the job and asks how far it is."""
    actions = ["glue:StartJobRun", "glue:GetJobRuns"]
    return policy_when(
        "HasDatabase", "database", allow(actions, arn("glue", f"job/{READ_DATABASE}"))
    )


def database() -> Json:
    return {
        "SourceDatabase": resource(
            "AWS::Glue::Connection",
            {
                "CatalogId": ref("AWS::AccountId"),
                "ConnectionInput": {
                    "Name": sub(SOURCE_DATABASE),
                    "ConnectionType": "JDBC",
                    "ConnectionProperties": {
                        "JDBC_CONNECTION_URL": ref("DatabaseUrl"),
                        "SECRET_ID": sub(DATABASE_SECRET),
                        "JDBC_ENFORCE_SSL": when("HasDatabaseTls", "true", NOTHING),
                    },
                    "PhysicalConnectionRequirements": when(
                        "HasNetwork",
                        {
                            "SubnetId": ref("VpcFirstSubnet"),
                            "SecurityGroupIdList": ref("VpcSecurityGroups"),
                            "AvailabilityZone": ref("VpcAvailabilityZone"),
                        },
                        NOTHING,
                    ),
                },
            },
            Condition="HasDatabase",
        ),
        "ReadDatabaseJob": resource(
            "AWS::Glue::Job",
            {
                "Name": sub(READ_DATABASE),
                "Role": attribute("ReadDatabaseRole", "Arn"),
                "MaxCapacity": 0.0625,
                "Timeout": MINUTES,
                "ExecutionProperty": {"MaxConcurrentRuns": 1},
                "Connections": {"Connections": [ref("SourceDatabase")]},
                "Command": {
                    "Name": "pythonshell",
                    "PythonVersion": "3.9",
                    "ScriptLocation": sub("s3://${CodeBucket}/${ReadDatabaseKey}"),
                },
                "DefaultArguments": {
                    "--additional-python-modules": ref("DatabaseDriver"),
                    "--database_connection": sub(SOURCE_DATABASE),
                    "--raw_bucket": ref("Raw"),
                    "--lake_bucket": ref("Lake"),
                    "--orders": ref("DatabaseOrders"),
                    "--order_products": ref("DatabaseOrderProducts"),
                },
            },
            Condition="HasDatabase",
        ),
    }
