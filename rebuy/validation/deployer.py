"""What whoever deploys must be allowed: the policies of a role that has nothing else.

CloudFormation makes each resource with its caller's permissions. Which ones a type of resource
takes, its schema in CloudFormation's registry says, and cfn-lint brings those schemas along; what
`rebuy deploy`, `rollback` and `destroy` call besides is DIRECT. Both are held to the names of this
stack, and to none that another could have, where AWS knows a name at all.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from infrastructure.names import filled
from infrastructure.service_logs import SHARED_LOGS
from infrastructure.template.functions import AWSWRANGLER_ACCOUNT
from localaws.identity.actions.table import DATA

Json = dict[str, Any]

MOST_CHARACTERS = 6144  # of a managed policy, without blanks
# Type of resource to the property that names it, and the ends of its ARNs with that name: whole
# names, since what begins with the name of stack `rebuy` may belong to stack `rebuy-dev`.
NAMED: dict[str, tuple[str, tuple[str, ...]]] = {
    "AWS::Athena::WorkGroup": ("Name", ("athena:{R}:{A}:workgroup/{}",)),
    "AWS::CloudWatch::Alarm": ("AlarmName", ("cloudwatch:{R}:{A}:alarm:{}",)),
    "AWS::CloudWatch::Dashboard": ("DashboardName", ("cloudwatch::{A}:dashboard/{}",)),
    "AWS::DataBrew::Dataset": ("Name", ("databrew:{R}:{A}:dataset/{}",)),
    "AWS::DataBrew::Recipe": ("Name", ("databrew:{R}:{A}:recipe/{}",)),
    "AWS::DynamoDB::Table": ("TableName", ("dynamodb:{R}:{A}:table/{}",)),
    "AWS::Events::Rule": ("Name", ("events:{R}:{A}:rule/{}",)),
    "AWS::Glue::Crawler": ("Name", ("glue:{R}:{A}:crawler/{}",)),
    "AWS::Glue::Job": ("Name", ("glue:{R}:{A}:job/{}",)),
    "AWS::Lambda::Function": (
        "FunctionName",
        ("lambda:{R}:{A}:function:{}", "lambda:{R}:{A}:function:{}:*"),
    ),
    "AWS::Logs::LogGroup": (
        "LogGroupName",
        ("logs:{R}:{A}:log-group:{}", "logs:{R}:{A}:log-group:{}:*"),
    ),
    "AWS::S3::Bucket": ("BucketName", ("s3:::{}", "s3:::{}/*")),
    "AWS::SNS::Topic": ("TopicName", ("sns:{R}:{A}:{}", "sns:{R}:{A}:{}:*")),
    "AWS::SQS::Queue": ("QueueName", ("sqs:{R}:{A}:{}",)),
    "AWS::Scheduler::Schedule": ("Name", ("scheduler:{R}:{A}:schedule/default/{}",)),
    "AWS::StepFunctions::StateMachine": (
        "StateMachineName",
        (
            *("states:{R}:{A}:stateMachine:{}", "states:{R}:{A}:stateMachine:{}:*"),
            "states:{R}:{A}:execution:{}:*",
        ),
    ),
}
# Beside these: what is no resource of the template, and what AWS names by an id of its own (APIs,
# distributions), where a policy can name no stack. {A}ccount, {R}egion, {S}tack, {D}atabase.
# Services that are in neither are for what the template does not use (S3 tables, file systems).
PLACES: dict[str, tuple[str, ...]] = {
    "apigateway": ("apigateway:{R}::/*",),
    "application-autoscaling": ("*",),
    "cloudformation": (
        "cloudformation:{R}:{A}:stack/{S}/*",
        "cloudformation:{R}:{A}:changeSet/rebuy-*",
    ),
    "cloudfront": ("*",),
    "cloudwatch": ("cloudwatch:{R}:{A}:alarm:{S}--*",),
    "databrew": ("databrew:{R}:{A}:*/{S}--*",),
    "glue": (
        "glue:{R}:{A}:catalog",
        *(f"glue:{{R}}:{{A}}:connection/{{S}}-{name}" for name in ("network", "database")),
        *(
            f"glue:{{R}}:{{A}}:{kind}"
            for database in ("{D}", "{D}_raw", "{D}_mapped")
            for kind in (
                *(f"database/{database}", f"table/{database}/*"),
                f"userDefinedFunction/{database}/*",
            )
        ),
    ),
    "ec2": ("*",),  # describes subnets and security groups
    "kms": ("kms:{R}:{A}:key/*",),
    "lakeformation": ("*",),
    "lambda": (f"lambda:{{R}}:{AWSWRANGLER_ACCOUNT}:layer:*",),
    "logs": (
        "logs:{R}:{A}:log-group:/aws/sagemaker/Endpoints/{S}",
        "logs:{R}:{A}:log-group:/aws/sagemaker/Endpoints/{S}:*",
        *(f"logs:{{R}}:{{A}}:log-group:{group}:*" for group in SHARED_LOGS),
    ),
    "s3": ("s3:::{S}-code-{A}-{R}", "s3:::{S}-code-{A}-{R}/*"),
    "sagemaker": (
        *("sagemaker:{R}:{A}:*/{S}", "sagemaker:{R}:{A}:*/{S}--*"),
        "sagemaker:{R}:{A}:model-package/{S}/*",
    ),
    "servicequotas": ("*",),
    "sts": ("*",),
}
SERVICES = {*PLACES, *(end.split(":")[0] for _, ends in NAMED.values() for end in ends), "iam"}
# What the commands call themselves, and functions of theirs.
DIRECT: dict[str, tuple[str, ...]] = {
    "application-autoscaling": (
        *("DescribeScalableTargets", "RegisterScalableTarget", "DeregisterScalableTarget"),
        *("PutScalingPolicy", "TagResource"),
    ),
    "athena": ("GetWorkGroup",),
    "cloudformation": (
        *("CreateChangeSet", "DescribeChangeSet", "ExecuteChangeSet", "DeleteChangeSet"),
        *("DescribeStacks", "DescribeStackEvents", "ListStackResources", "GetTemplate"),
        *(
            "ValidateTemplate",
            "DeleteStack",
            "ContinueUpdateRollback",
            "DetectStackResourceDrift",
            "UpdateTerminationProtection",
            "TagResource",
        ),
    ),
    "cloudwatch": ("DescribeAlarms", "DeleteAlarms"),
    "databrew": (
        *("DescribeRecipe", "ListRecipeVersions", "ListJobs", "ListDatasets"),
        *("ListRulesets", "DeleteJob", "DeleteRuleset", "DeleteDataset"),
    ),
    "dynamodb": ("DescribeTable",),
    "events": ("DescribeRule",),
    "glue": ("GetDatabase", "GetCrawler", "GetJob", "GetJobRuns", "GetClassifier"),
    "kms": ("DescribeKey",),
    "lakeformation": ("GetDataLakeSettings",),
    "lambda": (
        *("GetFunction", "ListVersionsByFunction", "ListAliases", "DeleteAlias"),
        *("GetFunctionConfiguration", "UpdateAlias", "InvokeFunction"),
    ),
    "logs": ("DescribeLogGroups", "DeleteLogGroup", "DescribeLogStreams", "DeleteLogStream"),
    "s3": (
        *("CreateBucket", "ListBucket", "PutBucketPublicAccessBlock"),
        *("PutBucketPolicy", "GetObject", "PutObject", "DeleteObject", "DeleteObjectVersion"),
        *("ListBucketVersions", "DeleteBucket", "GetAccountPublicAccessBlock"),
        *("AbortMultipartUpload", "ListBucketMultipartUploads"),
    ),
    "sagemaker": (
        *("DescribeEndpoint", "DeleteEndpoint", "ListEndpointConfigs", "DeleteEndpointConfig"),
        *("ListModels", "DescribeModel", "DeleteModel", "ListModelPackages"),
        *("DescribeModelPackageGroup", "DeleteModelPackage", "DeleteModelPackageGroup"),
    ),
    "scheduler": ("GetSchedule",),
    "servicequotas": ("ListServiceQuotas",),
    "sqs": ("GetQueueUrl",),
    "states": (
        *("ListExecutions", "StopExecution", "DescribeStateMachine", "ListStateMachineVersions"),
        *("DescribeStateMachineAlias", "UpdateStateMachineAlias", "DeleteStateMachineVersion"),
        *("DescribeExecution", "DescribeStateMachineForExecution", "RedriveExecution"),
        *("GetExecutionHistory",),
    ),
    "sts": ("GetCallerIdentity",),
}
# Actions of which the reference says a resource that their requests do not name, or not one alone.
NAMELESS = {
    *("sagemaker:ListModelPackages", "logs:DescribeLogGroups", "cloudwatch:DescribeAlarms"),
}
# Services that a role of the stack may be handed to.
PASSED_TO = ("databrew", "glue", "lambda", "sagemaker", "scheduler", "states")


def policies(template: Json, *, stack: str, account: str, region: str) -> dict[str, Json]:
    """Name to document, each small enough for a managed policy."""
    partition = "aws-cn" if region.startswith("cn-") else "aws"
    names = {"A": account, "R": region, "S": stack, "P": partition, "D": stack.replace("-", "_")}
    places = _places(template, names)
    documents: list[list[Json]] = []
    for statement in _statements(actions(template), places):
        if documents and _length([*documents[-1], statement]) <= MOST_CHARACTERS:
            documents[-1].append(statement)
        else:
            documents.append([statement])
    return {
        f"{stack}-deployer-{number}": {"Version": "2012-10-17", "Statement": statements}
        for number, statements in enumerate(documents, 1)
    }


def actions(template: Json) -> set[str]:
    """`prefix:Action`, of the types of resources and of the commands."""
    found = {f"{service}:{name}" for service, names in DIRECT.items() for name in names}
    for kind in {resource["Type"] for resource in template["Resources"].values()}:
        found |= {one for one in handled().get(kind, ()) if one.split(":")[0] in SERVICES}
    return found - {"iam:PassRole"}


@cache
def handled() -> dict[str, frozenset[str]]:
    """Type of resource to the actions that its handlers need, by CloudFormation's registry."""
    import cfnlint

    found: dict[str, set[str]] = {}
    folder = Path(cfnlint.__file__).parent / "data" / "schemas" / "resources"
    for file in folder.glob("*.json"):
        schema = json.loads(file.read_bytes())
        of_type = found.setdefault(schema["typeName"], set())
        for handler in schema.get("handlers", {}).values():
            of_type.update(_cased(one) for one in handler.get("permissions", ()))
    return {kind: frozenset(permissions) for kind, permissions in found.items()}


def _cased(action: str) -> str:
    prefix, _, name = action.partition(":")
    return f"{prefix.lower()}:{name}"


def _places(template: Json, names: dict[str, str]) -> dict[str, list[str]]:
    """Prefix of actions to the ARNs that they are about."""
    found: dict[str, list[str]] = {}

    def add(end: str, *own: str) -> None:
        arn = f"arn:{names['P']}:{end.format(*own, **names)}"
        found.setdefault(end.split(":")[0], []).append(arn)

    for logical, one in template["Resources"].items():
        if one["Type"] == "AWS::IAM::Role":  # CloudFormation adds an id of its own
            add("iam::{A}:role/{S}-{}-*", logical)
        member, ends = NAMED.get(one["Type"], ("", ()))
        for end in ends:
            text = one["Properties"][member]["Fn::Sub"]
            add(end, filled(text, names["S"], names["A"], names["R"]))
    for service, ends in PLACES.items():
        for end in ends:
            if end == "*":
                found.setdefault(service, []).append(end)
            else:
                add(end)
    return found


def _statements(wanted: Iterable[str], places: dict[str, list[str]]) -> Iterator[Json]:
    by_service: dict[str, list[str]] = {}
    nameless: list[str] = []
    for action in sorted(wanted):
        service = action.split(":")[0]
        anywhere = places[service] == ["*"] or _takes_no_resource(action)
        (nameless if anywhere else by_service.setdefault(service, [])).append(action)
    for service, found in by_service.items():
        yield {"Effect": "Allow", "Action": found, "Resource": places[service]}
    yield {"Effect": "Allow", "Action": nameless, "Resource": "*"}
    yield {
        "Effect": "Allow",
        "Action": ["iam:PassRole"],
        "Resource": places["iam"],
        "Condition": {
            "StringEquals": {"iam:PassedToService": [f"{one}.amazonaws.com" for one in PASSED_TO]}
        },
    }


@cache
def _reference() -> Json:
    """The Service Authorization Reference: per service, action to types of resources; None for
    an action that takes none."""
    return dict(json.loads(DATA.read_bytes()))


def _takes_no_resource(action: str) -> bool:
    service, _, name = action.partition(":")
    known = _reference().get(service, {})
    return action in NAMELESS or (name in known and known[name] is None)


def _length(statements: list[Json]) -> int:
    return len(
        json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))
    )
