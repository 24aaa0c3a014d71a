"""Databases, the crawler with its CSV classifier, the Athena work group."""

from __future__ import annotations

import json

from infrastructure.names import CRAWLER, DATABASE, MAPPED_DATABASE, RAW_DATABASE, WORK_GROUP
from infrastructure.template.functions import SERVICE_SECONDS
from infrastructure.words import Json, attribute, ref, resource, sub


def catalog() -> Json:
    """Databases, the crawler with its CSV classifier, the Athena work group."""
    databases = {
        name: resource(
            "AWS::Glue::Database",
            {"CatalogId": ref("AWS::AccountId"), "DatabaseInput": {"Name": sub(database)}},
        )
        for name, database in (
            ("RawDatabase", RAW_DATABASE),
            ("MappedDatabase", MAPPED_DATABASE),
            ("Database", DATABASE),
        )
    }
    configuration = {
        "Version": 1.0,
        "Grouping": {
            "TableGroupingPolicy": "CombineCompatibleSchemas",
            "TableLevelConfiguration": 3,
        },
    }
    return {
        **databases,
        # AWS::Glue::Classifier cannot name a SerDe.
        "OrderFiles": resource(
            "Custom::CsvClassifier",
            {
                "ServiceToken": attribute("CustomResources", "Arn"),
                "ServiceTimeout": SERVICE_SECONDS,
                "Classifier": {
                    "Name": sub("${AWS::StackName}-order-files"),
                    "Delimiter": ",",
                    "QuoteSymbol": '"',
                    "ContainsHeader": "PRESENT",
                    # Product names hold commas and quotes, which the default SerDe cannot read.
                    "Serde": "OpenCSVSerDe",
                    # Raw columns stay text: what is no number is found by the checks, not lost.
                    "CustomDatatypeConfigured": True,
                    "CustomDatatypes": ["STRING"],
                },
            },
        ),
        "Crawler": resource(
            "AWS::Glue::Crawler",
            {
                "Name": sub(CRAWLER),
                "Role": attribute("CrawlerRole", "Arn"),
                "DatabaseName": ref("RawDatabase"),
                "Classifiers": [ref("OrderFiles")],
                # The raw files that a run reads anew (tasks/functions/increments.py).
                # A shop's own files are below source/, of which its mapping makes tables.
                "Targets": {
                    "S3Targets": [
                        {"Path": sub("s3://${Lake}/incoming/"), "Exclusions": ["source/**"]}
                    ]
                },
                "SchemaChangePolicy": {
                    "UpdateBehavior": "UPDATE_IN_DATABASE",
                    # A table whose files are gone must not look as if they were there.
                    "DeleteBehavior": "DELETE_FROM_DATABASE",
                },
                "RecrawlPolicy": {"RecrawlBehavior": "CRAWL_EVERYTHING"},
                "Configuration": json.dumps(configuration, separators=(",", ":")),
            },
        ),
        "WorkGroup": resource(
            "AWS::Athena::WorkGroup",
            {
                "Name": sub(WORK_GROUP),
                "RecursiveDeleteOption": True,
                "WorkGroupConfiguration": {
                    # Enforcing would forbid the CTAS statements' own locations.
                    "EnforceWorkGroupConfiguration": False,
                    "PublishCloudWatchMetricsEnabled": True,
                    "BytesScannedCutoffPerQuery": ref("QueryLimitBytes"),
                    "ResultConfiguration": {"OutputLocation": sub("s3://${Lake}/athena-results/")},
                    "EngineVersion": {"SelectedEngineVersion": "Athena engine version 3"},
                },
            },
        ),
    }
