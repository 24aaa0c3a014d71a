"""What is deployed as code: every function with its size, and what it may do.

A new function is one entry here and one file in tasks/functions; its role, log group and name
follow.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from executions.releases import FOLDER
from infrastructure.grants import (
    CATALOG_READ,
    allow,
    athena,
    catalog,
    endpoint_arn,
    get,
    list_executions,
    list_models_of_runs,
    list_raw,
    pass_role,
    read,
    read_raw,
    remove,
    sagemaker_names,
    start_live_version,
    write,
)
from infrastructure.names import (
    CODE_ARN,
    CRAWLER,
    DATABASE,
    ENDPOINT_LOGS,
    FIVE_TABLES,
    JOIN_FEATURES,
    MADE,
    MODEL_PACKAGE_GROUP,
    NOTIFICATIONS,
    RAW_ARN,
    SETTLE,
    STATE_MACHINE,
    TRIGGER_TABLE,
    UNDELIVERED,
    WORK_GROUP,
    databrew_name,
)
from infrastructure.words import Json, arn


@dataclass(frozen=True)
class Function:
    """A Lambda function. `name` is its logical name; states know its ARN as `${<name>Arn}`."""

    name: str
    handler: str
    memory_megabytes: int
    timeout_seconds: int
    grants: tuple[Json, ...]
    scales: bool = False  # puts the endpoint's scaling on and off
    sets_alarms: bool = False  # of a new model, where it goes live by a canary
    reads_database: bool = False  # starts the job that does, where there is a database
    awswrangler: bool = False  # with AWS's managed layer
    in_workflow: bool = True  # a state calls it
    package: str = "FunctionsKey"  # the template's parameter that has the key of its code

    @property
    def short_name(self) -> str:
        """`receive-trigger`: as AWS sees it, behind the stack's name."""
        return re.sub(r"(?<!^)(?=[A-Z])", "-", self.name).lower()


# Logical name of a recipe to its file. The jobs that run them belong to the runs.
RECIPES = {
    "CleanOrders": "clean_orders",
    "CleanOrderProducts": "clean_order_products",
    "ProductFeatures": "product_features",
}


def recipe_name(recipe: str) -> str:
    """Of the file's name, as DataBrew has it."""
    return databrew_name(recipe.replace("_", "-"))


def recipe_arns() -> list[str]:
    return [arn("databrew", f"recipe/{recipe_name(recipe)}") for recipe in RECIPES.values()]


RESULTS = ["athena-results/"]
EXECUTIONS = arn("states", f"execution:{STATE_MACHINE}:*")
LOOKS = ["sagemaker:DescribeEndpoint"]

FUNCTIONS = (
    Function(
        "ReceiveTrigger",
        "tasks.functions.receive_trigger.handler",
        memory_megabytes=512,
        timeout_seconds=900,
        reads_database=True,
        grants=(
            *read_raw(),
            *read("audit/", "incoming/", "runs/"),
            write("incoming/", "runs/"),
            remove("incoming/"),
            catalog(["glue:GetTable"], DATABASE),
            list_executions(),
            allow(["databrew:ListJobs", "databrew:ListDatasets", "databrew:ListRulesets"], "*"),
            allow(["databrew:DeleteJob"], arn("databrew", f"job/{MADE}*")),
            allow(["databrew:DeleteRuleset"], arn("databrew", f"ruleset/{MADE}*")),
            allow(["databrew:DeleteDataset"], arn("databrew", f"dataset/{MADE}*")),
        ),
    ),
    Function(
        "CrawlRawData",
        "tasks.functions.crawl_raw_data.handler",
        memory_megabytes=256,
        timeout_seconds=60,
        grants=(
            allow(["glue:StartCrawler", "glue:GetCrawler"], arn("glue", f"crawler/{CRAWLER}")),
            catalog(
                [
                    "glue:GetTables",
                    "glue:UpdateTable",
                    "glue:GetPartitions",
                    "glue:BatchUpdatePartition",
                ],
                FIVE_TABLES,
            ),
        ),
    ),
    Function(
        "PlanMapping",
        "tasks.functions.plan_mapping.handler",
        memory_megabytes=1024,
        timeout_seconds=900,
        awswrangler=True,  # its pyarrow and numpy: the look at the files
        grants=(get("raw/", bucket=RAW_ARN), *read("runs/"), write("runs/")),
    ),
    Function(
        "CheckRawData",
        "tasks.functions.check_raw_data.handler",
        memory_megabytes=1024,
        timeout_seconds=900,
        awswrangler=True,
        grants=(
            *athena(),
            catalog(CATALOG_READ, FIVE_TABLES, DATABASE),
            catalog(["glue:BatchCreatePartition", "glue:BatchDeletePartition"], DATABASE),
            *read_raw(),
            *read("audit/", "incoming/", "runs/"),
            get(*RESULTS),
            write(*RESULTS, "runs/"),
            allow(  # take no resource
                ["databrew:CreateDataset", "databrew:CreateRuleset", "databrew:CreateProfileJob"],
                "*",
            ),
            allow(["databrew:DescribeDataset"], arn("databrew", f"dataset/{MADE}*")),
            allow(["databrew:DescribeRuleset"], arn("databrew", f"ruleset/{MADE}*")),
            pass_role("DataBrewRole", "databrew"),
        ),
    ),
    Function(
        "PinLiveModel",
        "tasks.functions.pin_live_model.handler",
        memory_megabytes=256,
        timeout_seconds=300,
        grants=(
            allow(LOOKS, endpoint_arn()),
            allow(
                ["sagemaker:DescribeEndpointConfig", "sagemaker:DescribeModel"],
                *sagemaker_names("endpoint-config", "model"),
            ),
            *read("models/", "runs/"),
            write("runs/"),
            catalog(["glue:GetTable"], DATABASE),
            allow(["logs:FilterLogEvents"], arn("logs", f"log-group:{ENDPOINT_LOGS}:*")),
        ),
    ),
    Function(
        "JudgeModel",
        "tasks.functions.judge_model.handler",
        memory_megabytes=256,
        timeout_seconds=60,
        grants=(
            *read("runs/"),
            allow(
                [
                    "sagemaker:CreateModelPackageGroup",
                    "sagemaker:CreateModelPackage",
                    "sagemaker:DescribeModelPackage",
                ],
                arn("sagemaker", f"model-package-group/{MODEL_PACKAGE_GROUP}"),
                arn("sagemaker", f"model-package/{MODEL_PACKAGE_GROUP}/*"),
            ),
        ),
    ),
    Function(
        "PutModelLive",
        "tasks.functions.put_model_live.handler",
        memory_megabytes=256,
        timeout_seconds=60,
        scales=True,
        sets_alarms=True,
        grants=(
            allow(
                [
                    *LOOKS,
                    "sagemaker:CreateEndpoint",
                    "sagemaker:UpdateEndpoint",
                    "sagemaker:DeleteEndpoint",
                ],
                endpoint_arn(),
                *sagemaker_names("endpoint-config"),
            ),
        ),
    ),
    Function(
        "SmokeTest",
        "tasks.functions.smoke_test.handler",
        memory_megabytes=256,
        timeout_seconds=300,
        grants=(
            *read("runs/"),
            allow(["sagemaker:InvokeEndpoint"], endpoint_arn()),
        ),
    ),
    Function(
        "RollBack",
        "tasks.functions.roll_back.handler",
        memory_megabytes=256,
        timeout_seconds=60,
        scales=True,
        grants=(
            *read("runs/"),
            catalog(["glue:GetTable", "glue:UpdateTable", "glue:DeleteTable"], DATABASE),
            allow(
                [*LOOKS, "sagemaker:UpdateEndpoint", "sagemaker:DeleteEndpoint"],
                endpoint_arn(),
                *sagemaker_names("endpoint-config"),
            ),
        ),
    ),
    Function(
        "WriteAudit",
        "tasks.functions.write_audit.handler",
        memory_megabytes=2048,
        timeout_seconds=900,
        awswrangler=True,
        grants=(
            *read("runs/", "models/", "audit/"),
            *read(FOLDER, bucket=CODE_ARN),
            write("audit/"),
            allow(
                [
                    "states:DescribeExecution",
                    "states:GetExecutionHistory",
                    "states:DescribeStateMachineForExecution",
                ],
                EXECUTIONS,
            ),
            allow(["states:DescribeStateMachine"], arn("states", f"stateMachine:{STATE_MACHINE}")),
            allow(["athena:GetQueryExecution"], arn("athena", f"workgroup/{WORK_GROUP}")),
            allow(["glue:GetJobRun"], arn("glue", f"job/{JOIN_FEATURES}")),
            allow(
                ["databrew:DescribeJobRun", "databrew:DescribeJob"],
                arn("databrew", f"job/{MADE}*"),
            ),
            allow(["databrew:DescribeRecipe"], *recipe_arns()),
            allow(["sagemaker:DescribeTrainingJob"], *sagemaker_names("training-job")),
            allow(
                [
                    "sagemaker:DescribeHyperParameterTuningJob",
                    "sagemaker:ListTrainingJobsForHyperParameterTuningJob",
                ],
                *sagemaker_names("hyper-parameter-tuning-job"),
            ),
            allow(LOOKS, endpoint_arn()),
            allow(
                ["sagemaker:DescribeEndpointConfig", "sagemaker:DescribeModel"],
                *sagemaker_names("endpoint-config", "model"),
            ),
        ),
    ),
    Function(
        "StartOnUpload",
        "tasks.functions.start_on_upload.handler",
        memory_megabytes=256,
        timeout_seconds=60,
        in_workflow=False,
        grants=(
            list_raw(),
            allow(
                ["dynamodb:GetItem", "dynamodb:UpdateItem"],
                arn("dynamodb", f"table/{TRIGGER_TABLE}"),
            ),
            start_live_version(),
            list_executions(),
            allow(["states:DescribeExecution"], EXECUTIONS),
            allow(
                ["scheduler:GetSchedule", "scheduler:UpdateSchedule"],
                arn("scheduler", f"schedule/default/{SETTLE}"),
            ),
            pass_role("SettleRole", "scheduler"),
        ),
    ),
    Function(
        "Notify",
        "tasks.functions.notify.handler",
        memory_megabytes=256,
        timeout_seconds=60,
        in_workflow=False,
        grants=(
            allow(["sns:Publish"], arn("sns", NOTIFICATIONS)),
            allow(["sqs:ReceiveMessage"], arn("sqs", UNDELIVERED)),
            allow(["states:GetExecutionHistory"], EXECUTIONS),
            list_executions(),
            list_raw(),
        ),
    ),
    Function(
        "ExpireRuns",
        "tasks.functions.expire_runs.handler",
        memory_megabytes=512,
        timeout_seconds=900,
        in_workflow=False,
        grants=(
            list_executions(),
            *read("audit/", "runs/"),
            list_models_of_runs(),
            remove("runs/", "models/"),
            catalog(["glue:GetTable", "glue:GetTables", "glue:BatchDeleteTable"], DATABASE),
            allow(["sagemaker:ListModels"], "*"),  # takes no resource
        ),
    ),
    Function(
        "CustomResources",
        "tasks.functions.custom_resources.handler",
        memory_megabytes=256,
        timeout_seconds=120,
        in_workflow=False,
        grants=(
            allow(
                [
                    "glue:GetClassifier",
                    "glue:CreateClassifier",
                    "glue:UpdateClassifier",
                    "glue:DeleteClassifier",
                ],
                "*",  # classifiers take no resource
            ),
            allow(
                [
                    "databrew:PublishRecipe",
                    "databrew:DescribeRecipe",
                    "databrew:ListRecipeVersions",
                    "databrew:BatchDeleteRecipeVersion",
                ],
                *recipe_arns(),
            ),
        ),
    ),
    Function(
        "Predict",
        "inference.api.handler",
        memory_megabytes=256,
        timeout_seconds=29,
        in_workflow=False,
        package="ApiKey",
        grants=(allow(["sagemaker:InvokeEndpoint", *LOOKS], endpoint_arn()),),
    ),
)


def named(name: str) -> Function:
    return next(function for function in FUNCTIONS if function.name == name)


def publishing() -> Json:
    """Publishing the functions that states call, and naming what was published."""
    names = [function.short_name for function in FUNCTIONS if function.in_workflow]
    return allow(
        ["lambda:PublishVersion", "lambda:CreateAlias", "lambda:UpdateAlias"],
        *(arn("lambda", f"function:${{AWS::StackName}}-{name}") for name in names),
    )
