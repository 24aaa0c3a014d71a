"""The functions of deployables.py, each with its role and log group."""

from __future__ import annotations

from executions import hashes
from infrastructure import deployables
from infrastructure.deployables import FUNCTIONS, Function
from infrastructure.grants import canary_alarms_policy, function_logs, role, scaling_policy
from infrastructure.names import (
    CRAWLER,
    DATABASE,
    ENDPOINT,
    FIVE_TABLES,
    MADE,
    MODEL_PACKAGE_GROUP,
)
from infrastructure.template import database, expiry, notifications, triggers
from infrastructure.template.protection import KEY, of_functions
from infrastructure.words import Json, attribute, ref, resource, sub, when

LOG_DAYS = 90
SERVICE_SECONDS = 300  # that CloudFormation waits for a custom resource's answer, and no hour
AWSWRANGLER_ACCOUNT = "336392948345"  # AWS's own, for its managed layers
AWSWRANGLER_VERSION = "30"


def functions() -> Json:
    resources: Json = {}
    for function in FUNCTIONS:
        resources |= _function(function, environment(function.name))
    return {**resources, **_published(resources)}


def _published(resources: Json) -> Json:
    """A version of each function that states call, by the release's alias. Whatever makes a
    function another one is among the properties, so that a change publishes anew."""
    names = [function.name for function in FUNCTIONS if function.in_workflow]
    changing = {name: resources[name]["Properties"] for name in names}
    return {
        "PublishedFunctions": resource(
            "Custom::PublishedFunctions",
            {
                "ServiceToken": attribute("CustomResources", "Arn"),
                "ServiceTimeout": SERVICE_SECONDS,
                "Functions": {name: ref(name) for name in names},
                "Release": ref("Release"),
                "Code": ref("FunctionsKey"),
                "Variables": environment(names[0]),
                "Hash": hashes.of_document(changing),
            },
        )
    }


def environment(name: str) -> Json:
    """What the functions of the workflow are told; some have an environment of their own."""
    if name == "StartOnUpload":
        return triggers.environment()
    if name == "ExpireRuns":
        return expiry.environment()
    if name == "Notify":
        return notifications.environment()
    if name == "Predict":
        return {"ENDPOINT_NAME": sub(ENDPOINT)}
    own: Json = {}
    if name == "ReceiveTrigger":
        own["READ_DATABASE_JOB"] = when("HasDatabase", ref("ReadDatabaseJob"), ref("AWS::NoValue"))
    return {
        **own,
        "CODE_BUCKET": ref("CodeBucket"),
        "LAKE_BUCKET": ref("Lake"),
        "MODEL_PACKAGE_GROUP": sub(MODEL_PACKAGE_GROUP),
        "RAW_BUCKET": ref("Raw"),
        "RAW_DATABASE": sub(FIVE_TABLES),
        "DATABASE": sub(DATABASE),
        "CRAWLER": sub(CRAWLER),
        "DATABREW_PREFIX": sub(MADE),
        "DATABREW_ROLE": attribute("DataBrewRole", "Arn"),
        "WORK_GROUP": ref("WorkGroup"),
        "ENDPOINT_NAME": sub(ENDPOINT),
        "ENDPOINT_KIND": ref("EndpointKind"),
        "ENDPOINT_INSTANCES_MIN": ref("EndpointInstancesMin"),
        "ENDPOINT_INSTANCES_MAX": ref("EndpointInstancesMax"),
        "ENDPOINT_REQUESTS_PER_MINUTE": ref("EndpointRequestsPerMinute"),
        "ENDPOINT_CANARY_PERCENT": ref("EndpointCanaryPercent"),
        "ENDPOINT_CANARY_MINUTES": ref("EndpointCanaryMinutes"),
        "DEFINITION_SHA256": ref("DefinitionSha256"),
    }


def _function(function: Function, variables: Json) -> Json:
    name, short = function.name, function.short_name
    grants = [*function.grants]
    if name == "CustomResources":  # which is one of them itself
        grants.append(deployables.publishing())
    properties: Json = {
        "FunctionName": sub("${AWS::StackName}-" + short),
        "Runtime": "python3.11",
        "Handler": function.handler,
        "Role": attribute(f"{name}Role", "Arn"),
        "Code": {"S3Bucket": ref("CodeBucket"), "S3Key": ref(function.package)},
        "MemorySize": function.memory_megabytes,
        "Timeout": function.timeout_seconds,
        "Environment": {"Variables": variables},
        "VpcConfig": of_functions(),
    }
    if function.name == "Predict":
        properties["ReservedConcurrentExecutions"] = when(
            "HasApiConcurrency", ref("ApiConcurrency"), ref("AWS::NoValue")
        )
    if function.awswrangler:
        properties["Layers"] = [
            sub(
                f"arn:${{AWS::Partition}}:lambda:${{AWS::Region}}:{AWSWRANGLER_ACCOUNT}:layer:"
                f"AWSSDKPandas-Python311:{AWSWRANGLER_VERSION}"
            )
        ]
    return {
        f"{name}Role": role(
            "lambda",
            *grants,
            function_logs(short),
            more=[
                *([scaling_policy()] if function.scales else []),
                *([canary_alarms_policy()] if function.sets_alarms else []),
                *([database.reading_policy()] if function.reads_database else []),
            ],
        ),
        f"{name}Logs": resource(
            "AWS::Logs::LogGroup",
            {
                "LogGroupName": sub("/aws/lambda/${AWS::StackName}-" + short),
                "RetentionInDays": LOG_DAYS,
                "KmsKeyId": KEY,
            },
        ),
        name: resource("AWS::Lambda::Function", properties, DependsOn=[f"{name}Logs"]),
    }
