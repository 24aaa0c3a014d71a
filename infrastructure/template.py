"""The one CloudFormation template, as data: everything that stands between runs.

What a run makes (tables, models, endpoint configurations, the endpoint) belongs to the runs; the
stack holds what they need. The same bytes go to an AWS account and to the local one.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from executions import audit, hashes
from infrastructure import notifications, roles, triggers
from infrastructure.names import (
    CRAWLER,
    DATABASE,
    ENDPOINT,
    JOIN_FEATURES,
    LAKE,
    RAW_DATABASE,
    RUNS_DATABREW,
    SITE,
    STATE_MACHINE,
    WORK_GROUP,
    Json,
    attribute,
    databrew_name,
    ref,
    resource,
    sub,
)

RECIPES = Path(__file__).resolve().parent.parent / "databrew_recipes"
LOG_DAYS = 90
AWSWRANGLER_ACCOUNT = "336392948345"  # AWS's own, for its managed layers
AWSWRANGLER_VERSION = "30"

# logical name: (handler, memory in MB, seconds, with the awswrangler layer)
FUNCTIONS: dict[str, tuple[str, int, int, bool]] = {
    "ReceiveTrigger": ("receive_trigger", 512, 900, False),
    "CrawlRawData": ("crawl_raw_data", 256, 60, False),
    "CheckRawData": ("check_raw_data", 1024, 900, True),
    "PinLiveModel": ("pin_live_model", 256, 300, False),
    "JudgeModel": ("judge_model", 256, 60, False),
    "PutModelLive": ("put_model_live", 256, 60, False),
    "SmokeTest": ("smoke_test", 256, 300, False),
    "RollBack": ("roll_back", 256, 60, False),
    "WriteAudit": ("write_audit", 2048, 900, True),
    "StartOnUpload": ("start_on_upload", 256, 60, False),
    "Notify": ("notify", 256, 60, False),
    "CustomResources": ("custom_resources", 256, 120, False),
}
BESIDE_WORKFLOW = ("StartOnUpload", "Notify", "CustomResources")  # no state calls these
# logical name: recipe. The jobs that run them belong to the runs.
RECIPE_JOBS = {
    "CleanOrders": "clean_orders",
    "CleanOrderProducts": "clean_order_products",
    "ProductFeatures": "product_features",
}


OWN_ENVIRONMENT = {
    "StartOnUpload": triggers.environment,
    "Notify": notifications.environment,
}


def template() -> Json:
    """The whole template."""
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "rebuy: raw order files to a live purchase prediction endpoint",
        "Parameters": parameters(),
        "Conditions": notifications.conditions(),
        "Mappings": {"TrainingImages": training_images()},
        "Resources": {
            **buckets(),
            **catalog(),
            **roles.service_roles(),
            **databrew(),
            **glue_job(),
            **functions(),
            **state_machine(),
            **triggers.triggers(),
            **notifications.notifications(),
            **api(),
        },
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
        "DatabaseName": text(
            "Catalog database of the features; the raw tables stand in <name>_raw",
            Default="rebuy",
            AllowedPattern="[a-z0-9_]{1,100}",
        ),
        "TrainingInstanceType": text("For training jobs", Default="ml.m5.xlarge"),
        "EndpointInstanceType": text("For the endpoint", Default="ml.m5.large"),
        **triggers.parameters(),
        **notifications.parameters(),
    }


def training_images() -> Json:
    """Region to account of the SageMaker XGBoost 3.0-5 image, from the SageMaker SDK's own list."""
    from sagemaker import image_uris

    registries = image_uris.config_for_framework("xgboost")["training"]["versions"]["3.0-5"][
        "registries"
    ]
    return {region: {"Account": account} for region, account in sorted(registries.items())}


def training_image() -> Json:
    return {
        "Fn::Sub": [
            "${Account}.dkr.ecr.${AWS::Region}.${AWS::URLSuffix}/sagemaker-xgboost:3.0-5",
            {"Account": {"Fn::FindInMap": ["TrainingImages", ref("AWS::Region"), "Account"]}},
        ]
    }


def buckets() -> Json:
    closed = {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    }
    encrypted = {
        "ServerSideEncryptionConfiguration": [
            {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
        ]
    }
    return {
        "Lake": resource(
            "AWS::S3::Bucket",
            {
                "BucketName": sub(LAKE),
                "BucketEncryption": encrypted,
                "PublicAccessBlockConfiguration": closed,
                # The audit names versions of raw files, and they must still be there.
                "VersioningConfiguration": {"Status": "Enabled"},
                "NotificationConfiguration": {
                    "EventBridgeConfiguration": {"EventBridgeEnabled": True}
                },
                "LifecycleConfiguration": {
                    "Rules": [
                        _expire("results", "athena-results/", 7),
                        _expire("databrew", "databrew-temporary/", 1),
                    ]
                },
            },
            # The data outlives the stack, but a stack that could not be created leaves nothing.
            DeletionPolicy="RetainExceptOnCreate",
            UpdateReplacePolicy="Retain",
        ),
        "Site": resource(
            "AWS::S3::Bucket",
            {
                "BucketName": sub(SITE),
                "BucketEncryption": encrypted,
                "WebsiteConfiguration": {
                    "IndexDocument": "index.html",
                    "ErrorDocument": "index.html",
                },
                # A website endpoint serves what everybody may read; nothing else lies here.
                "PublicAccessBlockConfiguration": {
                    "BlockPublicAcls": True,
                    "BlockPublicPolicy": False,
                    "IgnorePublicAcls": True,
                    "RestrictPublicBuckets": False,
                },
            },
        ),
        "SitePolicy": resource(
            "AWS::S3::BucketPolicy",
            {
                "Bucket": ref("Site"),
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": "*",
                            "Action": "s3:GetObject",
                            "Resource": sub("${Site.Arn}/*"),
                        }
                    ],
                },
            },
        ),
    }


def _expire(name: str, prefix: str, days: int) -> Json:
    return {
        "Id": name,
        "Prefix": prefix,
        "Status": "Enabled",
        "ExpirationInDays": days,
        "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
    }


def catalog() -> Json:
    """Databases, the crawler with its CSV classifier, the Athena work group."""
    databases = {
        name: resource(
            "AWS::Glue::Database",
            {"CatalogId": ref("AWS::AccountId"), "DatabaseInput": {"Name": sub(database)}},
        )
        for name, database in (("RawDatabase", RAW_DATABASE), ("Database", DATABASE))
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
                "Targets": {
                    "S3Targets": [
                        {"Path": sub("s3://${Lake}/raw/"), "Exclusions": ["_*", "**/_*", "**/.*"]}
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
                    "ResultConfiguration": {"OutputLocation": sub("s3://${Lake}/athena-results/")},
                    "EngineVersion": {"SelectedEngineVersion": "Athena engine version 3"},
                },
            },
        ),
    }


def read_recipe(name: str) -> list[Json]:
    """The steps of `databrew_recipes/<name>.json`, as DataBrew takes them."""
    steps: list[Json] = json.loads((RECIPES / f"{name}.json").read_text())
    return steps


def recipe_sha256(name: str) -> str:
    """The recipe's hash without regard to spacing, as the audit record has it."""
    return hashes.of_document(read_recipe(name))


def databrew() -> Json:
    """The datasets of the raw tables, and the recipes with their published versions."""
    found: Json = {
        name: resource(
            "AWS::DataBrew::Dataset",
            {
                "Name": sub(databrew_name(dataset)),
                "Input": {
                    "DataCatalogInputDefinition": {
                        "CatalogId": ref("AWS::AccountId"),
                        "DatabaseName": ref(database),
                        "TableName": table,
                    }
                },
            },
        )
        for name, dataset, database, table in (
            ("RawOrdersDataset", "raw-orders", "RawDatabase", "orders"),
            ("RawOrderProductsDataset", "raw-order-products", "RawDatabase", "order_products"),
        )
    }
    for name, recipe in RECIPE_JOBS.items():
        found |= _recipe(name, recipe)
    return found


def _recipe(name: str, recipe: str) -> Json:
    recipe_name = databrew_name(recipe.replace("_", "-"))
    return {
        f"{name}Recipe": resource(
            "AWS::DataBrew::Recipe", {"Name": sub(recipe_name), "Steps": read_recipe(recipe)}
        ),
        f"{name}Version": resource(
            "Custom::PublishedRecipe",
            {
                "ServiceToken": attribute("CustomResources", "Arn"),
                "RecipeName": ref(f"{name}Recipe"),
                "Hash": recipe_sha256(recipe),  # another text, another version
            },
        ),
    }


def glue_job() -> Json:
    return {
        "JoinFeaturesJob": resource(
            "AWS::Glue::Job",
            {
                "Name": sub(JOIN_FEATURES),
                "Role": attribute("JoinFeaturesRole", "Arn"),
                "GlueVersion": "5.1",
                "WorkerType": "G.1X",
                "NumberOfWorkers": 2,
                "Timeout": 120,
                "ExecutionProperty": {"MaxConcurrentRuns": 3},
                "Command": {
                    "Name": "glueetl",
                    "PythonVersion": "3",
                    "ScriptLocation": sub("s3://${CodeBucket}/${JoinFeaturesKey}"),
                },
            },
        )
    }


def functions() -> Json:
    """The pipeline's functions, each with its role and log group."""
    environment = {
        "LAKE_BUCKET": ref("Lake"),
        "RAW_DATABASE": sub(RAW_DATABASE),
        "DATABASE": sub(DATABASE),
        "CRAWLER": sub(CRAWLER),
        "DATABREW_PREFIX": sub(RUNS_DATABREW),
        "WORK_GROUP": ref("WorkGroup"),
        "ENDPOINT_NAME": sub(ENDPOINT),
        "DEFINITION_SHA256": ref("DefinitionSha256"),
    }
    found: Json = {}
    function_roles = roles.function_roles()
    for name, (module, memory, seconds, layer) in FUNCTIONS.items():
        found |= _function(
            name,
            module.replace("_", "-"),
            f"tasks.functions.{module}.handler",
            "FunctionsKey",
            function_roles[name],
            OWN_ENVIRONMENT[name]() if name in OWN_ENVIRONMENT else environment,
            memory,
            seconds,
            layer,
        )
    found |= _function(
        "Predict",
        "predict",
        "inference.api.handler",
        "ApiKey",
        function_roles["Predict"],
        {"ENDPOINT_NAME": sub(ENDPOINT)},
        256,
        29,
        False,
    )
    return found


def _function(
    name: str,
    short: str,
    handler: str,
    key: str,
    role: Json,
    environment: Json,
    memory: int,
    seconds: int,
    layer: bool,
) -> Json:
    properties: Json = {
        "FunctionName": sub("${AWS::StackName}-" + short),
        "Runtime": "python3.11",
        "Handler": handler,
        "Role": attribute(f"{name}Role", "Arn"),
        "Code": {"S3Bucket": ref("CodeBucket"), "S3Key": ref(key)},
        "MemorySize": memory,
        "Timeout": seconds,
        "Environment": {"Variables": environment},
    }
    if layer:
        properties["Layers"] = [
            sub(
                f"arn:${{AWS::Partition}}:lambda:${{AWS::Region}}:{AWSWRANGLER_ACCOUNT}:layer:"
                f"AWSSDKPandas-Python311:{AWSWRANGLER_VERSION}"
            )
        ]
    return {
        f"{name}Role": role,
        f"{name}Logs": resource(
            "AWS::Logs::LogGroup",
            {
                "LogGroupName": sub("/aws/lambda/${AWS::StackName}-" + short),
                "RetentionInDays": LOG_DAYS,
            },
        ),
        name: resource("AWS::Lambda::Function", properties, DependsOn=[f"{name}Logs"]),
    }


def state_machine() -> Json:
    """The workflow, with a version for each deployment and the alias that triggers start."""
    in_workflow = [name for name in FUNCTIONS if name not in BESIDE_WORKFLOW]
    substitutions: Json = {
        "LakeBucket": ref("Lake"),
        "Database": ref("Database"),
        "WorkGroup": ref("WorkGroup"),
        "CodeBucket": ref("CodeBucket"),
        "TrainingCodeKey": ref("TrainingCodeKey"),
        "InferenceCodeKey": ref("InferenceCodeKey"),
        "TrainingImage": training_image(),
        "TrainingInstanceType": ref("TrainingInstanceType"),
        "EndpointInstanceType": ref("EndpointInstanceType"),
        "EndpointName": sub(ENDPOINT),
        "SageMakerRoleArn": attribute("SageMakerRole", "Arn"),
        "DataBrewRoleArn": attribute("DataBrewRole", "Arn"),
        "JoinFeaturesJob": ref("JoinFeaturesJob"),
        "RawOrdersDataset": ref("RawOrdersDataset"),
        "RawOrderProductsDataset": ref("RawOrderProductsDataset"),
        "PriorLinesDatasetName": sub(f"{RUNS_DATABREW}prior-lines"),
        **{f"{name}Recipe": ref(f"{name}Recipe") for name in RECIPE_JOBS},
        **{f"{name}Version": attribute(f"{name}Version", "Version") for name in RECIPE_JOBS},
        **{
            f"{name}JobName": sub(f"{RUNS_DATABREW}{recipe.replace('_', '-')}")
            for name, recipe in RECIPE_JOBS.items()
        },
        **{f"{name}Arn": attribute(name, "Arn") for name in in_workflow},
    }
    return {
        "StateMachineRole": roles.state_machine_role(in_workflow),
        "StateMachineLogs": resource(
            "AWS::Logs::LogGroup",
            {
                # This prefix stays clear of the limit on the size of log resource policies.
                "LogGroupName": sub("/aws/vendedlogs/states/${AWS::StackName}"),
                "RetentionInDays": LOG_DAYS,
            },
        ),
        "StateMachine": resource(
            "AWS::StepFunctions::StateMachine",
            {
                "StateMachineName": sub(STATE_MACHINE),
                "StateMachineType": "STANDARD",
                "RoleArn": attribute("StateMachineRole", "Arn"),
                # Where whoever looks at an execution finds its record.
                "Tags": [{"Key": audit.TAG, "Value": sub(f"s3://{LAKE}/audit/")}],
                "DefinitionS3Location": {"Bucket": ref("CodeBucket"), "Key": ref("DefinitionKey")},
                "DefinitionSubstitutions": substitutions,
                "LoggingConfiguration": {
                    "Level": "ERROR",
                    "IncludeExecutionData": False,
                    "Destinations": [
                        {
                            "CloudWatchLogsLogGroup": {
                                "LogGroupArn": attribute("StateMachineLogs", "Arn")
                            }
                        }
                    ],
                },
            },
        ),
        "StateMachineVersion": resource(
            "AWS::StepFunctions::StateMachineVersion",
            {
                "StateMachineArn": ref("StateMachine"),
                "StateMachineRevisionId": attribute("StateMachine", "StateMachineRevisionId"),
                "Description": ref("DefinitionSha256"),
            },
            # Executions of earlier versions can still be looked at.
            DeletionPolicy="Retain",
            UpdateReplacePolicy="Retain",
        ),
        "StateMachineAlias": resource(
            "AWS::StepFunctions::StateMachineAlias",
            {
                "Name": "live",
                "RoutingConfiguration": [
                    {"StateMachineVersionArn": ref("StateMachineVersion"), "Weight": 100}
                ],
            },
        ),
    }


def api() -> Json:
    """The HTTP API before the endpoint."""
    routes = {
        "PredictRoute": "POST /predict",
        "HealthRoute": "GET /health",
        "ModelRoute": "GET /model",
        "OpenApiRoute": "GET /openapi.json",
    }
    return {
        "Api": resource(
            "AWS::ApiGatewayV2::Api",
            {
                "Name": sub("${AWS::StackName}"),
                "ProtocolType": "HTTP",
                "CorsConfiguration": {
                    "AllowOrigins": [attribute("Site", "WebsiteURL")],
                    "AllowMethods": ["GET", "POST", "OPTIONS"],
                    "AllowHeaders": ["content-type", "accept"],
                    "MaxAge": 3600,
                },
            },
        ),
        "ApiIntegration": resource(
            "AWS::ApiGatewayV2::Integration",
            {
                "ApiId": ref("Api"),
                "IntegrationType": "AWS_PROXY",
                "IntegrationUri": attribute("Predict", "Arn"),
                "PayloadFormatVersion": "2.0",
            },
        ),
        **{
            name: resource(
                "AWS::ApiGatewayV2::Route",
                {
                    "ApiId": ref("Api"),
                    "RouteKey": key,
                    "Target": sub("integrations/${ApiIntegration}"),
                },
            )
            for name, key in routes.items()
        },
        "ApiStage": resource(
            "AWS::ApiGatewayV2::Stage",
            {
                "ApiId": ref("Api"),
                "StageName": "$default",
                "AutoDeploy": True,
                "DefaultRouteSettings": {"ThrottlingBurstLimit": 100, "ThrottlingRateLimit": 50},
            },
        ),
        "ApiPermission": resource(
            "AWS::Lambda::Permission",
            {
                "Action": "lambda:InvokeFunction",
                "FunctionName": ref("Predict"),
                "Principal": "apigateway.amazonaws.com",
                "SourceArn": sub(
                    "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*/*"
                ),
            },
        ),
    }


def outputs() -> Json:
    values: Json = {
        "ApiUrl": attribute("Api", "ApiEndpoint"),
        "SiteUrl": attribute("Site", "WebsiteURL"),
        "SiteBucket": ref("Site"),
        "LakeBucket": ref("Lake"),
        "StateMachineArn": ref("StateMachine"),
        "LiveAliasArn": ref("StateMachineAlias"),
        "EndpointName": sub(ENDPOINT),
        "Database": ref("Database"),
        "RawDatabase": ref("RawDatabase"),
        "WorkGroup": ref("WorkGroup"),
        "DefinitionSha256": ref("DefinitionSha256"),
    }
    return {name: {"Value": value} for name, value in values.items()}
