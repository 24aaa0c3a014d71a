"""The roles that services take on: jobs, the state machine, the schedules."""

from __future__ import annotations

from infrastructure.grants import (
    CATALOG_READ,
    CATALOG_REMOVE,
    CATALOG_WRITE,
    allow,
    athena,
    bucket_of_jobs,
    canary_policy,
    capture_policy,
    catalog,
    code,
    logs,
    pass_role,
    raw_of_database,
    read,
    remove,
    role,
    sagemaker_names,
    start_live_version,
    write,
)
from infrastructure.names import (
    DATABASE,
    DATABASE_SECRET,
    FIVE_TABLES,
    JOIN_FEATURES,
    MADE,
    RAW_DATABASE,
    SOURCE_DATABASE,
    START_ON_UPLOAD,
    STATE_MACHINE_LOGS,
    UNDELIVERED,
)
from infrastructure.words import Json, arn


def service_roles() -> dict[str, Json]:
    """The roles that the jobs themselves take on."""
    return {
        "CrawlerRole": role(
            "glue",
            *read("incoming/"),
            bucket_of_jobs(),
            catalog([*CATALOG_WRITE, *CATALOG_REMOVE], RAW_DATABASE),
            logs("/aws-glue/*"),
        ),
        "DataBrewRole": role(
            "databrew",
            *read("incoming/", "runs/", "databrew-temporary/"),
            write("runs/", "databrew-temporary/"),
            remove("runs/", "databrew-temporary/"),
            bucket_of_jobs(),
            # AWS's own policy for it (AWSGlueDataBrewServiceRole) has these two as well.
            catalog(
                [*CATALOG_READ, "glue:GetDatabases", "glue:GetConnection"], FIVE_TABLES, DATABASE
            ),
            logs("/aws-glue-databrew/*"),
        ),
        "JoinFeaturesRole": role(
            "glue",
            *read("runs/"),
            write("runs/"),
            remove("runs/"),  # Spark clears its own temporary folders
            bucket_of_jobs(),
            code(),
            logs("/aws-glue/*"),
        ),
        "ReadDatabaseRole": {
            **role(
                "glue",
                *raw_of_database(),
                write("runs/"),
                code(),
                allow(
                    ["glue:GetConnection"],
                    arn("glue", "catalog"),
                    arn("glue", f"connection/{SOURCE_DATABASE}"),
                ),
                allow(["secretsmanager:GetSecretValue"], DATABASE_SECRET),
                logs("/aws-glue/*"),
            ),
            "Condition": "HasDatabase",
        },
        "SageMakerRole": role(
            "sagemaker",
            *read("runs/", "models/"),
            write("runs/", "models/"),
            code(),
            allow(["ecr:GetAuthorizationToken"], "*"),  # takes no resource
            allow(
                [
                    "ecr:BatchGetImage",
                    "ecr:GetDownloadUrlForLayer",
                    "ecr:BatchCheckLayerAvailability",
                ],
                "arn:${AWS::Partition}:ecr:${AWS::Region}:*:repository/sagemaker-xgboost",
            ),
            logs("/aws/sagemaker/*"),
            allow(
                ["cloudwatch:PutMetricData"],
                "*",  # takes no resource
                condition={"StringLike": {"cloudwatch:namespace": "/aws/sagemaker/*"}},
            ),
            more=[canary_policy(), capture_policy()],
        ),
    }


# Of whose ends EventBridge tells Step Functions, by rules of its own.
SAGEMAKER_JOBS = ("Training", "Tuning")
SAGEMAKER_KINDS = ("training-job", "hyper-parameter-tuning-job", "model", "endpoint-config")


def state_machine_role(function_names: list[str]) -> Json:
    """What Step Functions does itself, `.sync` included (which watches and cancels jobs)."""
    rules = [f"rule/StepFunctionsGetEventsForSageMaker{jobs}JobsRule" for jobs in SAGEMAKER_JOBS]
    return role(
        "states",
        # A version of the workflow calls the versions of the functions that it was deployed with.
        allow(["lambda:InvokeFunction"], *(f"${{{name}.Arn}}:*" for name in function_names)),
        *athena(),
        catalog(CATALOG_WRITE, DATABASE, FIVE_TABLES),
        *read("incoming/", "runs/", "athena-results/"),
        write("runs/", "athena-results/"),
        allow(
            ["glue:StartJobRun", "glue:GetJobRun", "glue:GetJobRuns", "glue:BatchStopJobRun"],
            arn("glue", f"job/{JOIN_FEATURES}"),
        ),
        allow(
            [
                "databrew:StartJobRun",
                "databrew:ListJobRuns",
                "databrew:DescribeJobRun",
                "databrew:StopJobRun",
            ],
            arn("databrew", f"job/{MADE}*"),
        ),
        allow(["databrew:CreateRecipeJob", "databrew:CreateDataset"], "*"),  # take no resource
        allow(
            [
                "sagemaker:CreateTrainingJob",
                "sagemaker:DescribeTrainingJob",
                "sagemaker:StopTrainingJob",
                "sagemaker:CreateHyperParameterTuningJob",
                "sagemaker:DescribeHyperParameterTuningJob",
                "sagemaker:StopHyperParameterTuningJob",
                "sagemaker:CreateModel",
                "sagemaker:CreateEndpointConfig",
                "sagemaker:AddTags",
                # docs.aws.amazon.com/step-functions/latest/dg/connect-sagemaker.html
                "sagemaker:ListTags",
            ],
            *sagemaker_names(*SAGEMAKER_KINDS),
        ),
        allow(
            ["events:PutTargets", "events:PutRule", "events:DescribeRule"],
            *(arn("events", rule) for rule in rules),
        ),
        pass_role("SageMakerRole", "sagemaker"),
        pass_role("DataBrewRole", "databrew"),
        allow(
            [
                "logs:CreateLogDelivery",
                "logs:GetLogDelivery",
                "logs:UpdateLogDelivery",
                "logs:DeleteLogDelivery",
                "logs:ListLogDeliveries",
                "logs:PutResourcePolicy",
                "logs:DescribeResourcePolicies",
                "logs:DescribeLogGroups",
            ],
            "*",  # log delivery takes no resource
        ),
        # docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
        allow(
            ["logs:CreateLogStream", "logs:PutLogEvents"],
            arn("logs", f"log-group:{STATE_MACHINE_LOGS}:*"),
        ),
    )


def schedule_role() -> Json:
    """Starts the workflow's live version, or says that it could not."""
    return role(
        "scheduler",
        start_live_version(),
        allow(["sqs:SendMessage"], arn("sqs", UNDELIVERED)),
    )


def settle_role() -> Json:
    """Calls the function that looks at raw/. It is named, not referred to: that function's own
    role passes this one on."""
    return role(
        "scheduler",
        allow(["lambda:InvokeFunction"], arn("lambda", f"function:{START_ON_UPLOAD}")),
        allow(["sqs:SendMessage"], arn("sqs", UNDELIVERED)),
    )


def calling_role(function: str) -> Json:
    """Calls a function by a schedule."""
    return role(
        "scheduler",
        allow(["lambda:InvokeFunction"], arn("lambda", f"function:{function}")),
        allow(["sqs:SendMessage"], arn("sqs", UNDELIVERED)),
    )
