"""What whoever deploys must be allowed: the policies of a role that has nothing else.

CloudFormation makes each resource with its caller's permissions. Which ones a type of resource
takes, its schema in CloudFormation's registry says, and cfn-lint brings those schemas along; what
`rebuy deploy`, `rollback` and `destroy` call besides is DIRECT. Both are held to what the stack is
called, where AWS knows a name at all.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from infrastructure.template.functions import AWSWRANGLER_ACCOUNT
from localaws.identity.actions.table import DATA

Json = dict[str, Any]

MOST_CHARACTERS = 6144  # of a managed policy, without blanks
# Prefix of actions to the ARNs that they are about; {A}ccount, {P}artition, {R}egion, {S}tack.
# Services that are not here are for what the template does not use (own keys, VPC, S3 tables).
PLACES: dict[str, tuple[str, ...]] = {
    "apigateway": ("arn:{P}:apigateway:{R}::/*",),
    "application-autoscaling": ("*",),
    "athena": ("arn:{P}:athena:{R}:{A}:workgroup/{S}",),
    "cloudformation": (
        "arn:{P}:cloudformation:{R}:{A}:stack/{S}/*",
        "arn:{P}:cloudformation:{R}:{A}:changeSet/rebuy-*",
    ),
    "cloudfront": ("*",),
    "cloudwatch": ("*",),  # alarms and dashboards alone
    "databrew": ("arn:{P}:databrew:{R}:{A}:*/{S}-*",),
    "dynamodb": ("arn:{P}:dynamodb:{R}:{A}:table/{S}-*",),
    "events": ("arn:{P}:events:{R}:{A}:rule/{S}-*",),
    "glue": (
        "arn:{P}:glue:{R}:{A}:catalog",
        "arn:{P}:glue:{R}:{A}:database/{D}*",
        "arn:{P}:glue:{R}:{A}:table/{D}*/*",
        "arn:{P}:glue:{R}:{A}:userDefinedFunction/{D}*/*",
        "arn:{P}:glue:{R}:{A}:crawler/{S}-*",
        "arn:{P}:glue:{R}:{A}:job/{S}-*",
    ),
    "iam": ("arn:{P}:iam::{A}:role/{S}-*",),
    "lakeformation": ("*",),
    "lambda": (
        "arn:{P}:lambda:{R}:{A}:function:{S}-*",
        f"arn:{{P}}:lambda:{{R}}:{AWSWRANGLER_ACCOUNT}:layer:*",
    ),
    "logs": ("arn:{P}:logs:{R}:{A}:log-group:*",),
    "s3": ("arn:{P}:s3:::{S}-*-{A}-{R}", "arn:{P}:s3:::{S}-*-{A}-{R}/*"),
    "sagemaker": ("arn:{P}:sagemaker:{R}:{A}:*/{S}", "arn:{P}:sagemaker:{R}:{A}:*/{S}-*"),
    "scheduler": ("arn:{P}:scheduler:{R}:{A}:schedule/default/{S}-*",),
    "servicequotas": ("*",),
    "sns": ("arn:{P}:sns:{R}:{A}:{S}-*",),
    "sqs": ("arn:{P}:sqs:{R}:{A}:{S}-*",),
    "states": (
        "arn:{P}:states:{R}:{A}:stateMachine:{S}-*",
        "arn:{P}:states:{R}:{A}:execution:{S}-*",
    ),
    "sts": ("*",),
}
# What the commands call themselves, and functions of theirs.
DIRECT: dict[str, tuple[str, ...]] = {
    "athena": ("GetWorkGroup",),
    "cloudformation": (
        *("CreateChangeSet", "DescribeChangeSet", "ExecuteChangeSet", "DeleteChangeSet"),
        *("DescribeStacks", "DescribeStackEvents", "ListStackResources", "GetTemplate"),
        *(
            "ValidateTemplate",
            "DeleteStack",
            "ContinueUpdateRollback",
            "UpdateTerminationProtection",
            "TagResource",
        ),
    ),
    "databrew": (
        *("DescribeRecipe", "ListRecipeVersions", "ListJobs", "ListDatasets"),
        *("DeleteJob", "DeleteDataset"),
    ),
    "dynamodb": ("DescribeTable",),
    "events": ("DescribeRule",),
    "glue": ("GetDatabase", "GetCrawler", "GetJob", "GetClassifier"),
    "lakeformation": ("GetDataLakeSettings",),
    "lambda": (
        *("GetFunction", "ListVersionsByFunction", "ListAliases", "DeleteAlias"),
        *("GetFunctionConfiguration", "UpdateAlias", "InvokeFunction"),
    ),
    "logs": ("DescribeLogGroups", "DeleteLogGroup"),
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
# Actions of which the reference says a resource that their requests do not name.
NAMELESS = {"sagemaker:ListModelPackages"}
# Services that a role of the stack may be handed to.
PASSED_TO = ("databrew", "glue", "lambda", "sagemaker", "scheduler", "states")


def policies(template: Json, *, stack: str, account: str, region: str) -> dict[str, Json]:
    """Name to document, each small enough for a managed policy."""
    partition = "aws-cn" if region.startswith("cn-") else "aws"
    names = {"A": account, "R": region, "S": stack, "P": partition, "D": stack.replace("-", "_")}
    documents: list[list[Json]] = []
    for statement in _statements(actions(template), names):
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
        found |= {one for one in handled().get(kind, ()) if one.split(":")[0] in PLACES}
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


def _statements(wanted: Iterable[str], names: dict[str, str]) -> Iterator[Json]:
    by_service: dict[str, list[str]] = {}
    nameless: list[str] = []
    for action in sorted(wanted):
        service = action.split(":")[0]
        anywhere = PLACES[service] == ("*",) or _takes_no_resource(action)
        (nameless if anywhere else by_service.setdefault(service, [])).append(action)
    for service, found in by_service.items():
        places = [place.format(**names) for place in PLACES[service]]
        yield {"Effect": "Allow", "Action": found, "Resource": places}
    yield {"Effect": "Allow", "Action": nameless, "Resource": "*"}
    yield {
        "Effect": "Allow",
        "Action": ["iam:PassRole"],
        "Resource": [place.format(**names) for place in PLACES["iam"]],
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
