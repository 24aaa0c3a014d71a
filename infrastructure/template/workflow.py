"""The state machine, with a version for each deployment."""

from __future__ import annotations

from executions import audit
from infrastructure import deployables, roles
from infrastructure.names import (
    ENDPOINT,
    FIVE_TABLES,
    LAKE,
    MADE,
    STATE_MACHINE,
    STATE_MACHINE_LOGS,
)
from infrastructure.regions import REGIONS
from infrastructure.template import functions
from infrastructure.template.protection import KEY
from infrastructure.words import Json, attribute, ref, resource, sub


def training_images() -> Json:
    """Region to account of the SageMaker XGBoost 3.0-5 image, from the SageMaker SDK's own list."""
    from sagemaker import image_uris

    registries = image_uris.config_for_framework("xgboost")["training"]["versions"]["3.0-5"][
        "registries"
    ]
    return {region: {"Account": registries[region]} for region in REGIONS}


def training_image() -> Json:
    return {
        "Fn::Sub": [
            "${Account}.dkr.ecr.${AWS::Region}.${AWS::URLSuffix}/sagemaker-xgboost:3.0-5",
            {"Account": {"Fn::FindInMap": ["TrainingImages", ref("AWS::Region"), "Account"]}},
        ]
    }


def state_machine() -> Json:
    """The workflow, with a version for each deployment and the alias that triggers start."""
    in_workflow = [function.name for function in deployables.FUNCTIONS if function.in_workflow]
    substitutions: Json = {
        "LakeBucket": ref("Lake"),
        "Database": ref("Database"),
        "RawDatabase": sub(FIVE_TABLES),
        "WorkGroup": ref("WorkGroup"),
        "CodeBucket": ref("CodeBucket"),
        "TrainingCodeKey": ref("TrainingCodeKey"),
        "InferenceCodeKey": ref("InferenceCodeKey"),
        "JoinFeaturesKey": ref("JoinFeaturesKey"),
        "TrainingImage": training_image(),
        "TrainingInstanceType": ref("TrainingInstanceType"),
        **{
            name: ref(name)
            for name in (
                *("EndpointKind", "EndpointInstanceType"),
                *("EndpointMemoryMegabytes", "EndpointConcurrency", "EndpointInstancesMin"),
            )
        },
        "NamePrefix": sub(MADE),
        "EndpointName": sub(ENDPOINT),
        "SageMakerRoleArn": attribute("SageMakerRole", "Arn"),
        "DataBrewRoleArn": attribute("DataBrewRole", "Arn"),
        "JoinFeaturesJob": ref("JoinFeaturesJob"),
        "RawOrdersDataset": ref("RawOrdersDataset"),
        "RawOrderProductsDataset": ref("RawOrderProductsDataset"),
        "PriorLinesDatasetName": sub(f"{MADE}prior-lines"),
        **{f"{name}Recipe": ref(f"{name}Recipe") for name in deployables.RECIPES},
        **{
            f"{name}Version": attribute(f"{name}Version", "Version") for name in deployables.RECIPES
        },
        **{
            f"{name}JobName": sub(f"{MADE}{recipe.replace('_', '-')}")
            for name, recipe in deployables.RECIPES.items()
        },
        **{f"{name}Arn": attribute("PublishedFunctions", name) for name in in_workflow},
    }
    return {
        "StateMachineRole": roles.state_machine_role(in_workflow),
        "StateMachineLogs": resource(
            "AWS::Logs::LogGroup",
            {
                # This prefix stays clear of the limit on the size of log resource policies.
                "LogGroupName": sub(STATE_MACHINE_LOGS),
                "RetentionInDays": functions.LOG_DAYS,
                "KmsKeyId": KEY,
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
