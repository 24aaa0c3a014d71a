"""The one CloudFormation template, as data: everything that stands between runs.

What a run makes (tables, DataBrew jobs, models, endpoint configurations, the endpoint) belongs to
the runs; the stack holds what they need. The same bytes go to an AWS account and to the local one.
"""

from __future__ import annotations

import json
from typing import Any

from infrastructure import roles
from infrastructure.names import ENDPOINT, FIVE_TABLES
from infrastructure.template import (
    alarms,
    api,
    buckets,
    catalog,
    database,
    expiry,
    explained,
    functions,
    jobs,
    notifications,
    protection,
    triggers,
    workflow,
)
from infrastructure.words import Json, attribute, ref, sub


def template() -> Json:
    """The whole template."""
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "rebuy: raw order files to a live purchase prediction endpoint",
        "Parameters": parameters(),
        "Conditions": {
            **buckets.conditions(),
            **api.conditions(),
            **alarms.conditions(),
            **notifications.conditions(),
            **protection.conditions(),
            **expiry.conditions(),
            **database.conditions(),
            "HasScaling": {
                "Fn::And": [
                    {"Fn::Equals": [ref("EndpointKind"), "instance"]},
                    {
                        "Fn::Not": [
                            {
                                "Fn::Equals": [
                                    ref("EndpointInstancesMin"),
                                    ref("EndpointInstancesMax"),
                                ]
                            }
                        ]
                    },
                ]
            },
            **{
                f"Has{name}": {"Fn::Not": [{"Fn::Equals": [ref(f"{parameter}Percent"), "0"]}]}
                for name, parameter in {"Canary": "EndpointCanary", "Capture": "Capture"}.items()
            },
            "HasBoundary": {"Fn::Not": [{"Fn::Equals": [ref("PermissionsBoundary"), ""]}]},
        },
        "Mappings": {"TrainingImages": workflow.training_images()},
        "Resources": explained.explained(
            {
                **buckets.buckets(),
                **catalog.catalog(),
                **roles.service_roles(),
                **jobs.databrew(),
                **protection.network(),
                **jobs.glue_job(),
                **database.database(),
                **functions.functions(),
                **workflow.state_machine(),
                **triggers.undelivered(
                    "UploadRule", "RunEndedRule", "RunFailedRule", "ModelJudgedRule"
                ),
                **triggers.triggers(),
                **notifications.notifications(),
                **expiry.expiry(),
                **api.api(),
                **alarms.alarms(),
            }
        ),
        "Outputs": outputs(),
    }


def template_bytes() -> bytes:
    return (json.dumps(template(), indent=1) + "\n").encode()


def parameters() -> Json:
    def text(description: str, **more: Any) -> Json:
        return {"Type": "String", "Description": description, **more}

    return {
        "CodeBucket": text("Bucket of the packages"),
        "DefinitionKey": text("Key of the workflow's definition"),
        "DefinitionSha256": text("SHA-256 of the definition as written in the repository"),
        "FunctionsKey": text("Key of the pipeline's functions"),
        "ApiKey": text("Key of the function behind the API"),
        "TrainingCodeKey": text("Key of the training script"),
        "InferenceCodeKey": text("Key of the inference script"),
        "JoinFeaturesKey": text("Key of the PySpark script"),
        "ReadDatabaseKey": text("Key of the script that reads a database"),
        "Release": text("What this deployment's functions and scripts are named by"),
        "DatabaseName": text(
            "Catalog database of the features; the raw tables stand in <name>_raw",
            Default="rebuy",
            AllowedPattern="[a-z0-9_]{1,100}",
        ),
        "FiveTables": text(
            "raw: the crawler's tables are the five; mapped: a mapping makes them",
            Default="raw",
            AllowedValues=["raw", "mapped"],
        ),
        "TrainingInstanceType": text("For training jobs", Default="ml.m5.xlarge"),
        "EndpointKind": text(
            "instance: a machine that stands; serverless: billed by the request",
            Default="instance",
            AllowedValues=["instance", "serverless"],
        ),
        "EndpointInstanceType": text("For an endpoint of instances", Default="ml.m5.large"),
        "EndpointMemoryMegabytes": text("For a serverless endpoint", Default="2048"),
        "EndpointConcurrency": text("Most requests at a time, serverless", Default="5"),
        "EndpointInstancesMin": text("Machines of an endpoint at least", Default="1"),
        "EndpointInstancesMax": text("At most; the same: it is not scaled", Default="1"),
        "EndpointRequestsPerMinute": text("That each machine is to answer", Default="1000"),
        "EndpointCanaryPercent": text("That a new model answers first; 0: all", Default="0"),
        "EndpointCanaryMinutes": text("So long alarms watch it", Default="15"),
        "CapturePercent": text("Of requests and answers that are kept; 0: none", Default="0"),
        "QueryLimitBytes": {
            "Type": "Number",
            "Description": "What one Athena statement may scan before it is cancelled",
            "MinValue": 10_000_000,
        },
        "PermissionsBoundary": text("Policy that bounds every role; empty: none"),
        **protection.parameters(),
        **expiry.parameters(),
        **database.parameters(),
        **buckets.parameters(),
        **api.parameters(),
        **triggers.parameters(),
        **notifications.parameters(),
    }


def outputs() -> Json:
    values: Json = {
        "ApiUrl": attribute("Api", "ApiEndpoint"),
        "RawBucket": ref("Raw"),
        "LakeBucket": ref("Lake"),
        "StateMachineArn": ref("StateMachine"),
        "StateMachineVersionArn": ref("StateMachineVersion"),
        "LiveAliasArn": ref("StateMachineAlias"),
        "EndpointName": sub(ENDPOINT),
        "Database": ref("Database"),
        "RawDatabase": sub(FIVE_TABLES),
        "WorkGroup": ref("WorkGroup"),
        "DefinitionSha256": ref("DefinitionSha256"),
    }
    of_site = {"SiteUrl": buckets.site_url(), "SiteBucket": ref("Site")}
    return {
        **{name: {"Value": value} for name, value in values.items()},
        **{name: {"Value": value, "Condition": "HasSite"} for name, value in of_site.items()},
    }
