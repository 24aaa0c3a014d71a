"""Statements of IAM policies: what a part may do, on the names it does it with."""

from __future__ import annotations

from collections.abc import Sequence

from infrastructure.names import (
    CAPTURED,
    ENDPOINT,
    LAKE_ARN,
    MADE,
    NETWORK,
    RAW_ARN,
    STATE_MACHINE,
    WORK_GROUP,
)
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
# Partitions and tables whose files are gone.
CATALOG_REMOVE = ["glue:DeletePartition", "glue:BatchDeletePartition", "glue:BatchDeleteTable"]
ATHENA = [
    "athena:StartQueryExecution",
    "athena:StopQueryExecution",
    "athena:GetQueryExecution",
    "athena:GetQueryResults",
    "athena:GetWorkGroup",
    "athena:GetDataCatalog",
]


# How a trust policy is held to this account. What says aws:SourceAccount has to, by its guide:
#   docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html
#   docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
#   docs.aws.amazon.com/sagemaker/latest/dg/security-confused-deputy-prevention.html
# The guides of Lambda, Glue and DataBrew have no trust policy with it, and users report that Lambda
# and Glue do not say it (github.com/prowler-cloud/prowler/issues/2810). There a StringEquals could
# refuse the service itself; this one refuses another account wherever one is named.
_SOURCE = {
    **dict.fromkeys(("states", "scheduler", "sagemaker"), "StringEquals"),
    **dict.fromkeys(("lambda", "glue", "databrew"), "StringEqualsIfExists"),
}


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


def role(service: str, *statements: Json, more: Sequence[Json] = ()) -> Json:
    """A role that the service takes on; `more` are further policies."""
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
                        "Condition": {
                            _SOURCE[service]: {"aws:SourceAccount": ref("AWS::AccountId")}
                        },
                    }
                ],
            },
            "PermissionsBoundary": when(
                "HasBoundary", ref("PermissionsBoundary"), ref("AWS::NoValue")
            ),
            "Policies": [
                _policy("work", *statements),
                *_of_key(statements),
                *_of_network(service),
                *more,
            ],
        },
    )


def _policy(name: str, *statements: Json) -> Json:
    return {
        "PolicyName": name,
        "PolicyDocument": {"Version": "2012-10-17", "Statement": list(statements)},
    }


# What who does this asks of the key that the data lies under, or the volume will.
_KEY_ACTIONS = {
    "s3:GetObject": ("kms:Decrypt",),
    "s3:PutObject": ("kms:Decrypt", "kms:GenerateDataKey"),
    "sns:Publish": ("kms:Decrypt", "kms:GenerateDataKey"),
    "sqs:SendMessage": ("kms:Decrypt", "kms:GenerateDataKey"),
    "sqs:ReceiveMessage": ("kms:Decrypt",),
    # docs.aws.amazon.com/sagemaker/latest/dg/api-permissions-reference.html
    **dict.fromkeys(
        (
            *("sagemaker:CreateTrainingJob", "sagemaker:CreateHyperParameterTuningJob"),
            *("sagemaker:CreateEndpointConfig", "sagemaker:CreateEndpoint"),
            "sagemaker:UpdateEndpoint",
        ),
        ("kms:CreateGrant", "kms:DescribeKey"),
    ),
}
# What services ask of EC2 with the role of a thing that stands in subnets:
# docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
# docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html
# docs.aws.amazon.com/glue/latest/dg/create-an-iam-role.html
_NETWORK_ACTIONS = {
    "lambda": (
        *("CreateNetworkInterface", "DescribeNetworkInterfaces", "DescribeSubnets"),
        *("DeleteNetworkInterface", "AssignPrivateIpAddresses", "UnassignPrivateIpAddresses"),
    ),
    "sagemaker": (
        *("CreateNetworkInterface", "CreateNetworkInterfacePermission", "DescribeSubnets"),
        *("DeleteNetworkInterface", "DeleteNetworkInterfacePermission", "DescribeVpcs"),
        *("DescribeNetworkInterfaces", "DescribeDhcpOptions", "DescribeSecurityGroups"),
    ),
    "glue": (
        *("CreateNetworkInterface", "DeleteNetworkInterface", "DescribeNetworkInterfaces"),
        *("DescribeSecurityGroups", "DescribeSubnets", "DescribeVpcAttribute"),
        *("DescribeVpcEndpoints", "DescribeRouteTables", "CreateTags", "DeleteTags"),
    ),
}


def _of_key(statements: tuple[Json, ...]) -> list[Json]:
    """The policy of a role that works with what lies under the settings' key."""
    asked = {action for statement in statements for action in statement["Action"]}
    actions = sorted({use for action in asked for use in _KEY_ACTIONS.get(action, ())})
    if not actions:
        return []
    statement = {"Effect": "Allow", "Action": actions, "Resource": ref("KmsKey")}
    return [when("HasKey", _policy("key", statement), ref("AWS::NoValue"))]


def _of_network(service: str) -> list[Json]:
    """The policy of a role whose work stands in the settings' subnets."""
    if service not in _NETWORK_ACTIONS:
        return []
    asked = [f"ec2:{name}" for name in _NETWORK_ACTIONS[service]]
    looks = [name for name in asked if name.startswith("ec2:Describe")]
    # Interfaces have ids that nobody knows before, and shared subnets another account.
    anything = "arn:${AWS::Partition}:ec2:${AWS::Region}:*:*/*"
    statements = [
        allow([name for name in asked if name not in looks], anything),
        allow(looks, "*"),
    ]
    if service == "glue":
        places = (arn("glue", "catalog"), arn("glue", f"connection/{NETWORK}"))
        statements.append(allow(["glue:GetConnection"], *places))
    return [when("HasNetwork", _policy("network", *statements), ref("AWS::NoValue"))]


def policy_when(condition: str, name: str, *statements: Json) -> Json:
    """A further policy of a role, of deployments for which the condition holds."""
    return when(condition, _policy(name, *statements), ref("AWS::NoValue"))


def scaling_policy() -> Json:
    """Of who puts the endpoint's scaling on and off. AWS names targets by ids of its own: the role
    is held to this deployment's by their tag.
    https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-prerequisites.html"""
    scaled = "sagemaker.application-autoscaling.amazonaws.com"
    of_service = (
        f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/aws-service-role/{scaled}/*"
    )
    targets, name = arn("application-autoscaling", "scalable-target/*"), sub(ENDPOINT)
    prefix = "application-autoscaling:"
    policy = _policy(
        "scaling",
        allow([f"{prefix}DescribeScalableTargets"], "*"),
        allow(
            [f"{prefix}RegisterScalableTarget", f"{prefix}TagResource"],
            targets,
            condition={"StringEquals": {"aws:RequestTag/endpoint": name}},
        ),
        allow(
            [f"{prefix}{verb}" for verb in
             ("RegisterScalableTarget", "DeregisterScalableTarget", "PutScalingPolicy")],
            targets,
            condition={"StringEquals": {"aws:ResourceTag/endpoint": name}},
        ),
        allow(["sagemaker:DescribeEndpoint", "sagemaker:UpdateEndpointWeightsAndCapacities"],
              endpoint_arn()),
        allow(
            ["cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms"],
            arn("cloudwatch", f"alarm:TargetTracking-endpoint/{ENDPOINT}/*"),
        ),
        _looks_at_alarms(),
        allow(
            ["iam:CreateServiceLinkedRole"],
            of_service,
            condition={"StringEquals": {"iam:AWSServiceName": scaled}},
        ),
    )  # fmt: skip
    return when("HasScaling", policy, ref("AWS::NoValue"))


def canary_policy() -> Json:
    """Of the execution role, with which SageMaker looks at the alarms of an update.
    https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html"""
    return policy_when("HasCanary", "canary", _looks_at_alarms())


def canary_alarms_policy() -> Json:
    """Of who has a new model go live, and watched."""
    return policy_when(
        "HasCanary",
        "canary",
        allow(
            ["cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms"],
            arn("cloudwatch", f"alarm:{MADE}*"),
        ),
        _looks_at_alarms(),
    )


def _looks_at_alarms() -> Json:
    """Names that are asked for are no names to a policy."""
    return allow(["cloudwatch:DescribeAlarms"], arn("cloudwatch", "alarm:*"))


def capture_policy() -> Json:
    """Of the execution role, with which SageMaker writes what it captures.
    https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html"""
    return policy_when("HasCapture", "capture", write(CAPTURED))


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
    """Raw files and their listing. What a database holds is
    written there (`raw_of_database`), nothing else."""
    return read("raw/", bucket=RAW_ARN)


def raw_of_database() -> list[Json]:
    """Files of what a database holds, written, read and taken away; no other raw file is."""
    tables = ("raw/orders/database_", "raw/order_products/database_")
    return [
        *read(*tables, bucket=RAW_ARN),
        allow(
            ["s3:PutObject", "s3:AbortMultipartUpload", "s3:DeleteObject"],
            *(f"{RAW_ARN}/{prefix}*" for prefix in tables),
        ),
    ]


def list_raw() -> Json:
    """The listing alone."""
    return read_raw()[1]


def list_models_of_runs() -> Json:
    """The listing of what jobs trained, alone."""
    return read("models/")[1]


def write(*prefixes: str) -> Json:
    return allow(
        ["s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
        *(f"{LAKE_ARN}/{prefix}*" for prefix in prefixes),
    )


def remove(*prefixes: str) -> Json:
    return allow(["s3:DeleteObject"], *(f"{LAKE_ARN}/{prefix}*" for prefix in prefixes))


def bucket_of_jobs() -> Json:
    """What Glue's workers ask of a bucket beside its objects, as AWS's own policy for them has it
    (docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSGlueServiceRole.html)."""
    return allow(["s3:GetBucketLocation", "s3:GetBucketAcl"], LAKE_ARN)


def code() -> Json:
    return allow(["s3:GetObject"], "arn:${AWS::Partition}:s3:::${CodeBucket}/*")


def logs(group: str) -> Json:
    """Of a group that the service makes itself, if it is not there."""
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
        allow(
            ATHENA,
            arn("athena", f"workgroup/{WORK_GROUP}"),
            arn("athena", "datacatalog/AwsDataCatalog"),
        ),
        allow(["glue:GetDatabase"], arn("glue", "catalog"), arn("glue", "database/default")),
        allow(["s3:GetBucketLocation", "s3:ListBucketMultipartUploads"], LAKE_ARN),
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
