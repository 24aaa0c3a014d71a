"""Statements of IAM policies: what a part may do, on the names it does it with."""

from __future__ import annotations

from infrastructure.names import ENDPOINT, LAKE_ARN, MADE, RAW_ARN, STATE_MACHINE, WORK_GROUP
from infrastructure.words import Json, arn, ref, resource, sub, when

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
# Partitions whose files are gone.
CATALOG_REMOVE = ["glue:DeletePartition", "glue:BatchDeletePartition"]
ATHENA = [
    "athena:StartQueryExecution",
    "athena:StopQueryExecution",
    "athena:GetQueryExecution",
    "athena:GetQueryResults",
    "athena:GetWorkGroup",
]


def over_tls(*resources: str | Json) -> Json:
    """Nobody, whatever they may, speaks with these in the clear: a bucket and its objects."""
    return {
        "Sid": "OnlyOverTls",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": list(resources),
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


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
                        # Not on behalf of anybody else's jobs.
                        # GUESSED: Lambda, Glue, DataBrew, Scheduler, API Gateway, SageMaker and
                        #     Step Functions all say aws:SourceAccount when they take a role on.
                        "Condition": {"StringEquals": {"aws:SourceAccount": ref("AWS::AccountId")}},
                    }
                ],
            },
            "PermissionsBoundary": when(
                "HasBoundary", ref("PermissionsBoundary"), ref("AWS::NoValue")
            ),
            "Policies": [
                {
                    "PolicyName": "work",
                    "PolicyDocument": {"Version": "2012-10-17", "Statement": list(statements)},
                }
            ],
        },
    )


def get(*prefixes: str, bucket: str = LAKE_ARN) -> Json:
    """Objects below prefixes of the lake by their keys."""
    return allow(
        ["s3:GetObject", "s3:GetObjectVersion"],
        *(f"{bucket}/{prefix}*" for prefix in prefixes),
    )


def read(*prefixes: str, bucket: str = LAKE_ARN) -> list[Json]:
    """Objects below prefixes of the lake, and their listing."""
    return [
        get(*prefixes, bucket=bucket),
        allow(
            ["s3:ListBucket"],
            bucket,
            condition={"StringLike": {"s3:prefix": [f"{prefix}*" for prefix in prefixes]}},
        ),
    ]


def read_raw() -> list[Json]:
    """Raw files and their listing. Nothing grants writing there."""
    return read("raw/", bucket=RAW_ARN)


def list_raw() -> Json:
    """The listing alone."""
    return read_raw()[1]


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


def athena() -> list[Json]:
    """Statements in the work group. Whoever starts one needs the database `default` too,
    whatever the statement reads
    (https://docs.aws.amazon.com/athena/latest/ug/fine-grained-access-to-glue-resources.html)."""
    return [
        allow(ATHENA, arn("athena", f"workgroup/{WORK_GROUP}")),
        allow(["glue:GetDatabase"], arn("glue", "catalog"), arn("glue", "database/default")),
        allow(["s3:GetBucketLocation"], LAKE_ARN),
    ]


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
    """Jobs, models and configurations that runs of this stack make."""
    return [arn("sagemaker", f"{kind}/{MADE}*") for kind in kinds]


def endpoint_arn() -> str:
    return arn("sagemaker", f"endpoint/{ENDPOINT}")


def function_logs(name: str) -> Json:
    return allow(
        ["logs:CreateLogStream", "logs:PutLogEvents"],
        arn("logs", f"log-group:/aws/lambda/${{AWS::StackName}}-{name}:*"),
    )
