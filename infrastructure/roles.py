"""IAM roles: each may do what its part of the workflow does, on the names it does it with."""

from __future__ import annotations

from infrastructure.names import (
    CRAWLER,
    DATABASE,
    ENDPOINT,
    JOIN_FEATURES,
    LAKE_ARN,
    NOTIFICATIONS,
    NOTIFY,
    RAW_DATABASE,
    RUNS_DATABREW,
    SETTLE,
    START_ON_UPLOAD,
    STATE_MACHINE,
    TRIGGER_TABLE,
    UNDELIVERED,
    WORK_GROUP,
    Json,
    arn,
    databrew_name,
    resource,
    sub,
)

CATALOG_READ = [
    "glue:GetDatabase",
    "glue:GetTable",
    "glue:GetTables",
    "glue:GetPartition",
    "glue:GetPartitions",
    "glue:BatchGetPartition",
]
CATALOG_WRITE = [
    *CATALOG_READ,
    "glue:CreateTable",
    "glue:UpdateTable",
    "glue:DeleteTable",
    "glue:BatchCreatePartition",
    "glue:CreatePartition",
    "glue:UpdatePartition",
]
ATHENA = [
    "athena:StartQueryExecution",
    "athena:StopQueryExecution",
    "athena:GetQueryExecution",
    "athena:GetQueryResults",
    "athena:GetWorkGroup",
]


def allow(actions: list[str], *resources: str, condition: Json | None = None) -> Json:
    """One statement; resources are `Fn::Sub` texts."""
    statement: Json = {
        "Effect": "Allow",
        "Action": actions,
        "Resource": [sub(text) if "${" in text else text for text in resources],
    }
    if condition:
        statement["Condition"] = condition
    return statement


def role(service: str, *statements: Json) -> Json:
    return resource(
        "AWS::IAM::Role",
        {
            "AssumeRolePolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": f"{service}.amazonaws.com"},
                        "Action": "sts:AssumeRole",
                    }
                ],
            },
            "Policies": [
                {
                    "PolicyName": "work",
                    "PolicyDocument": {"Version": "2012-10-17", "Statement": list(statements)},
                }
            ],
        },
    )


def read(*prefixes: str) -> list[Json]:
    """Objects below prefixes of the lake, and their listing."""
    return [
        allow(
            ["s3:GetObject", "s3:GetObjectVersion"],
            *(f"{LAKE_ARN}/{prefix}*" for prefix in prefixes),
        ),
        allow(
            ["s3:ListBucket"],
            LAKE_ARN,
            condition={"StringLike": {"s3:prefix": [f"{prefix}*" for prefix in prefixes]}},
        ),
        allow(["s3:GetBucketLocation"], LAKE_ARN),
    ]


def write(*prefixes: str) -> Json:
    return allow(
        ["s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
        *(f"{LAKE_ARN}/{prefix}*" for prefix in prefixes),
    )


def remove(*prefixes: str) -> Json:
    return allow(["s3:DeleteObject"], *(f"{LAKE_ARN}/{prefix}*" for prefix in prefixes))


def code() -> Json:
    return allow(["s3:GetObject"], "arn:${AWS::Partition}:s3:::${CodeBucket}/*")


def logs(group: str) -> Json:
    return allow(
        ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
        arn("logs", f"log-group:{group}:*"),
    )


def catalog(actions: list[str], *databases: str) -> Json:
    names = [f"database/{database}" for database in databases]
    names += [f"table/{database}/*" for database in databases]
    return allow(actions, arn("glue", "catalog"), *(arn("glue", name) for name in names))


def athena() -> Json:
    return allow(ATHENA, arn("athena", f"workgroup/{WORK_GROUP}"))


def pass_role(name: str, service: str) -> Json:
    return {
        "Effect": "Allow",
        "Action": ["iam:PassRole"],
        "Resource": [{"Fn::GetAtt": [name, "Arn"]}],
        "Condition": {"StringEquals": {"iam:PassedToService": f"{service}.amazonaws.com"}},
    }


def start_live_version() -> Json:
    """StartExecution on the alias `live`. AWS authorises it against the state machine's own ARN;
    the alias is a condition
    (https://docs.aws.amazon.com/step-functions/latest/dg/auth-version-alias.html)."""
    return allow(
        ["states:StartExecution"],
        arn("states", f"stateMachine:{STATE_MACHINE}"),
        condition={"StringEquals": {"states:StateMachineQualifier": "live"}},
    )


def list_executions() -> Json:
    return allow(["states:ListExecutions"], arn("states", f"stateMachine:{STATE_MACHINE}"))


def sagemaker_names(*kinds: str) -> list[str]:
    """Jobs, models and configurations that runs make: all begin with `rebuy-`."""
    return [arn("sagemaker", f"{kind}/rebuy-*") for kind in kinds]


def endpoint_arn() -> str:
    return arn("sagemaker", f"endpoint/{ENDPOINT}")


def service_roles() -> dict[str, Json]:
    """The roles that the jobs themselves take on."""
    return {
        "CrawlerRole": role(
            "glue",
            *read("raw/"),
            catalog(CATALOG_WRITE, RAW_DATABASE),
            logs("/aws-glue/*"),
        ),
        "DataBrewRole": role(
            "databrew",
            *read("raw/", "runs/", "databrew-temporary/"),
            write("runs/", "databrew-temporary/"),
            remove("runs/", "databrew-temporary/"),
            catalog(CATALOG_READ, RAW_DATABASE, DATABASE),
            logs("/aws-glue-databrew/*"),
        ),
        "JoinFeaturesRole": role(
            "glue",
            *read("runs/"),
            write("runs/"),
            remove("runs/"),  # Spark clears its own temporary folders
            code(),
            logs("/aws-glue/*"),
        ),
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
        ),
    }


def function_roles() -> dict[str, Json]:
    """One role a function."""
    results = ["athena-results/"]
    executions = arn("states", f"execution:{STATE_MACHINE}:*")
    looks = ["sagemaker:DescribeEndpoint"]
    return {
        "ReceiveTrigger": role(
            "lambda",
            *read("raw/", "audit/"),
            write("runs/"),
            list_executions(),
            allow(["databrew:ListJobs", "databrew:ListDatasets"], "*"),  # lists take no resource
            allow(["databrew:DeleteJob"], arn("databrew", f"job/{RUNS_DATABREW}*")),
            allow(["databrew:DeleteDataset"], arn("databrew", f"dataset/{RUNS_DATABREW}*")),
            _function_logs("receive-trigger"),
        ),
        "StartOnUpload": role(
            "lambda",
            allow(["s3:ListBucket"], LAKE_ARN, condition={"StringLike": {"s3:prefix": ["raw/*"]}}),
            allow(
                ["dynamodb:GetItem", "dynamodb:UpdateItem"],
                arn("dynamodb", f"table/{TRIGGER_TABLE}"),
            ),
            start_live_version(),
            list_executions(),
            allow(["states:DescribeExecution"], executions),
            allow(
                ["scheduler:GetSchedule", "scheduler:UpdateSchedule"],
                arn("scheduler", f"schedule/default/{SETTLE}"),
            ),
            pass_role("SettleRole", "scheduler"),
            _function_logs("start-on-upload"),
        ),
        "CrawlRawData": role(
            "lambda",
            allow(["glue:StartCrawler", "glue:GetCrawler"], arn("glue", f"crawler/{CRAWLER}")),
            _function_logs("crawl-raw-data"),
        ),
        "CheckRawData": role(
            "lambda",
            athena(),
            catalog(CATALOG_READ, RAW_DATABASE),
            *read("raw/", "runs/", *results),
            write(*results),
            _function_logs("check-raw-data"),
        ),
        "PinLiveModel": role(
            "lambda",
            allow(looks, endpoint_arn()),
            allow(
                ["sagemaker:DescribeEndpointConfig", "sagemaker:DescribeModel"],
                *sagemaker_names("endpoint-config", "model"),
            ),
            *read("models/", "runs/"),
            write("runs/"),
            catalog(["glue:GetTable"], DATABASE),
            _function_logs("pin-live-model"),
        ),
        "PutModelLive": role(
            "lambda",
            allow(
                [
                    *looks,
                    "sagemaker:CreateEndpoint",
                    "sagemaker:UpdateEndpoint",
                    "sagemaker:DeleteEndpoint",
                ],
                endpoint_arn(),
                *sagemaker_names("endpoint-config"),
            ),
            _function_logs("put-model-live"),
        ),
        "RollBack": role(
            "lambda",
            *read("runs/"),
            catalog(["glue:GetTable", "glue:UpdateTable", "glue:DeleteTable"], DATABASE),
            allow(
                [*looks, "sagemaker:UpdateEndpoint", "sagemaker:DeleteEndpoint"],
                endpoint_arn(),
                *sagemaker_names("endpoint-config"),
            ),
            _function_logs("roll-back"),
        ),
        "JudgeModel": role("lambda", *read("runs/"), _function_logs("judge-model")),
        "SmokeTest": role(
            "lambda",
            *read("runs/"),
            allow(["sagemaker:InvokeEndpoint"], endpoint_arn()),
            _function_logs("smoke-test"),
        ),
        "WriteAudit": role(
            "lambda",
            *read("raw/", "runs/", "models/", "audit/"),
            write("audit/"),
            allow(
                [
                    "states:DescribeExecution",
                    "states:GetExecutionHistory",
                    "states:DescribeStateMachineForExecution",
                ],
                executions,
            ),
            allow(["athena:GetQueryExecution"], arn("athena", f"workgroup/{WORK_GROUP}")),
            allow(["glue:GetJobRun"], arn("glue", f"job/{JOIN_FEATURES}")),
            allow(
                ["databrew:DescribeJobRun", "databrew:DescribeJob"],
                arn("databrew", f"job/{databrew_name('*')}"),
            ),
            allow(["databrew:DescribeRecipe"], arn("databrew", f"recipe/{databrew_name('*')}")),
            allow(["sagemaker:DescribeTrainingJob"], *sagemaker_names("training-job")),
            allow(looks, endpoint_arn()),
            allow(
                ["sagemaker:DescribeEndpointConfig", "sagemaker:DescribeModel"],
                *sagemaker_names("endpoint-config", "model"),
            ),
            _function_logs("write-audit"),
        ),
        "Notify": role(
            "lambda",
            allow(["sns:Publish"], arn("sns", NOTIFICATIONS)),
            allow(["sqs:ReceiveMessage"], arn("sqs", UNDELIVERED)),
            allow(["states:GetExecutionHistory"], executions),
            list_executions(),
            allow(["s3:ListBucket"], LAKE_ARN, condition={"StringLike": {"s3:prefix": ["raw/*"]}}),
            _function_logs("notify"),
        ),
        "CustomResources": role(
            "lambda",
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
                arn("databrew", f"recipe/{databrew_name('*')}"),
            ),
            _function_logs("custom-resources"),
        ),
        "Predict": role(
            "lambda",
            allow(["sagemaker:InvokeEndpoint", *looks], endpoint_arn()),
            _function_logs("predict"),
        ),
    }


def _function_logs(name: str) -> Json:
    return allow(
        ["logs:CreateLogStream", "logs:PutLogEvents"],
        arn("logs", f"log-group:/aws/lambda/${{AWS::StackName}}-{name}:*"),
    )


def state_machine_role(function_names: list[str]) -> Json:
    """What Step Functions does itself, `.sync` included (which watches and cancels jobs)."""
    training_rule = "rule/StepFunctionsGetEventsForSageMakerTrainingJobsRule"
    return role(
        "states",
        allow(["lambda:InvokeFunction"], *(f"${{{name}.Arn}}" for name in function_names)),
        athena(),
        catalog(CATALOG_WRITE, DATABASE, RAW_DATABASE),
        *read("raw/", "runs/", "athena-results/"),
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
                "databrew:CreateRecipeJob",
            ],
            arn("databrew", f"job/{RUNS_DATABREW}*"),
        ),
        allow(["databrew:CreateDataset"], arn("databrew", f"dataset/{RUNS_DATABREW}*")),
        allow(
            [
                "sagemaker:CreateTrainingJob",
                "sagemaker:DescribeTrainingJob",
                "sagemaker:StopTrainingJob",
                "sagemaker:CreateModel",
                "sagemaker:CreateEndpointConfig",
                "sagemaker:AddTags",
            ],
            *sagemaker_names("training-job", "model", "endpoint-config"),
        ),
        allow(
            ["events:PutTargets", "events:PutRule", "events:DescribeRule"],
            arn("events", training_rule),
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


def watch_role() -> Json:
    """Calls the function that tells, every hour."""
    return role(
        "scheduler",
        allow(["lambda:InvokeFunction"], arn("lambda", f"function:{NOTIFY}")),
        allow(["sqs:SendMessage"], arn("sqs", UNDELIVERED)),
    )
