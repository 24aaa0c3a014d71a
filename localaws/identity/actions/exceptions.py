"""Services whose operations are authorised otherwise than by their own names: one function each.

A function answers None for an operation that is as usual. The rules are those of the Service
Authorization Reference, https://docs.aws.amazon.com/service-authorization/latest/reference/, and
of the page named beside them.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from localaws.identity.actions.asked import Asked, Place
from localaws.identity.policy.request import Value
from localaws.shapes import Json

Answer = list[Asked] | None
VERBS = {"Create": "POST", "Get": "GET", "Update": "PATCH", "Delete": "DELETE"}
COLLECTIONS = {
    **{"Route": "routes", "Integration": "integrations", "Stage": "stages"},
    **{"Deployment": "deployments", "Api": ""},
}


def functions(operation: str, params: Json, place: Place) -> Answer:
    """Invoke is asked on the function as it is addressed, with version or alias.

    https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
    """
    action = f"lambda:{'InvokeFunction' if operation == 'Invoke' else operation}"
    if "FunctionName" not in params and operation != "Invoke":
        return None
    name = str(params.get("FunctionName", "*"))
    if name.startswith("arn:"):
        name = name.split(":", 6)[6]
    elif ":function:" in name:  # ACCOUNT:function:NAME
        name = name.partition(":function:")[2]
    plain, _, qualifier = name.partition(":")
    qualifier = str(params.get("Qualifier") or qualifier)
    tail = f"function:{plain}" + (f":{qualifier}" if qualifier else "")
    keys: dict[str, Value] = {}
    if operation in ("AddPermission", "RemovePermission") and "Principal" in params:
        keys["lambda:principal"] = str(params["Principal"])
    return [Asked(action, place.arn("lambda", tail), keys)]


MACHINE = re.compile(r"(arn:[^:]*:states:[^:]*:[^:]*:stateMachine:[^:/]+)(?:/[^:]*)?(?::(.+))?")
MACHINE_MEMBERS = ("stateMachineArn", "stateMachineVersionArn", "stateMachineAliasArn")


def state_machines(operation: str, params: Json, place: Place) -> Answer:
    """A version or an alias is asked as its state machine; which one it is, is a condition.

    https://docs.aws.amazon.com/step-functions/latest/dg/auth-version-alias.html
    """
    action = f"states:{operation}"
    if operation == "CreateStateMachine":
        arn = place.arn("states", f"stateMachine:{params.get('name', '*')}")
        more = [Asked("states:PublishStateMachineVersion", arn)] if params.get("publish") else []
        return [Asked(action, arn), *more]
    if operation == "CreateStateMachineAlias":
        routes = params.get("routingConfiguration") or [{}]
        given: object = routes[0].get("stateMachineVersionArn")
    else:
        given = next((params[name] for name in MACHINE_MEMBERS if params.get(name)), None)
    match = MACHINE.fullmatch(str(given)) if given else None
    if match is None:
        return None
    keys: dict[str, Value] = {}
    if match[2]:
        keys["states:statemachinequalifier"] = (match[2],)
    found = [Asked(action, match[1], keys)]
    if operation == "UpdateStateMachine" and params.get("publish"):
        found.append(Asked("states:PublishStateMachineVersion", match[1]))
    return found


def tables(operation: str, params: Json, place: Place) -> Answer:
    """Batches and transactions are asked table by table; queries of an index on the index."""

    def on(table: object, action: str, keys: dict[str, Value] | None = None) -> Asked:
        name = str(table)
        arn = name if name.startswith("arn:") else place.arn("dynamodb", f"table/{name}")
        return Asked(f"dynamodb:{action}", arn, keys or {})

    if operation in ("BatchGetItem", "BatchWriteItem"):
        return [on(table, operation) for table in params.get("RequestItems", {})]
    if operation in ("TransactGetItems", "TransactWriteItems"):
        verbs = {"Get": "GetItem", "Put": "PutItem", "Update": "UpdateItem"}
        verbs |= {"Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}
        return [
            on(item["TableName"], verbs[verb], {"dynamodb:enclosingoperation": operation})
            for one in params.get("TransactItems", [])
            for verb, item in one.items()
        ]
    if operation in ("Query", "Scan") and params.get("IndexName"):
        table = on(params["TableName"], operation)
        return [Asked(table.action, f"{table.resource}/index/{params['IndexName']}")]
    return None


def queues(operation: str, params: Json, place: Place) -> Answer:
    """A batch is asked as the single action."""
    if not operation.endswith("Batch"):
        return None
    name = str(params.get("QueueUrl", "*")).rpartition("/")[2]
    return [Asked(f"sqs:{operation.removesuffix('Batch')}", place.arn("sqs", name))]


def alarms(operation: str, params: Json, place: Place) -> Answer:
    """Several names are asked one by one; whoever describes alarms names none to policies."""
    action = f"cloudwatch:{operation}"
    if operation == "DescribeAlarms":
        return [Asked(action, place.arn("cloudwatch", "alarm:*"))]
    if operation == "DeleteDashboards":
        ends = [f"dashboard/{name}" for name in params.get("DashboardNames", [])]
        return [Asked(action, f"arn:aws:cloudwatch::{place.account}:{end}") for end in ends]
    if "AlarmNames" in params:
        names = params["AlarmNames"]
        return [Asked(action, place.arn("cloudwatch", f"alarm:{name}")) for name in names]
    return None


def events(operation: str, params: Json, place: Place) -> Answer:
    """Rules of a bus of one's own have it in their ARN."""
    action = f"events:{operation}"
    if operation == "PutEvents":
        return [
            Asked(
                action,
                _bus(str(entry.get("EventBusName", "default")), place),
                {
                    "events:source": str(entry.get("Source", "")),
                    "events:detail-type": str(entry.get("DetailType", "")),
                },
            )
            for entry in params.get("Entries", [])
        ]
    if operation.endswith("Connection"):
        return [Asked(action, place.arn("events", f"connection/{params['Name']}"))]
    rule = params.get("Rule") or (params.get("Name") if operation.endswith("Rule") else None)
    if rule is None:
        return None
    bus = str(params.get("EventBusName", "default")).rpartition("/")[2]
    arn = place.arn("events", f"rule/{rule}" if bus == "default" else f"rule/{bus}/{rule}")
    if operation == "PutTargets":
        targets = tuple(str(target.get("Arn", "")) for target in params.get("Targets", []))
        return [Asked(action, arn, {"events:targetarn": targets})]
    return [Asked(action, arn)]


def _bus(name: str, place: Place) -> str:
    return name if name.startswith("arn:") else place.arn("events", f"event-bus/{name}")


def schedules(operation: str, params: Json, place: Place) -> Answer:
    if not operation.endswith("Schedule"):
        return None
    name = f"schedule/{params.get('GroupName', 'default')}/{params.get('Name', '*')}"
    return [Asked(f"scheduler:{operation}", place.arn("scheduler", name))]


def logs(operation: str, params: Json, place: Place) -> Answer:
    """Events are written to a stream; policies that say `log-group:NAME:*` mean the group too.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
    """
    if operation in ("DescribeLogGroups", "PutResourcePolicy", "DescribeResourcePolicies"):
        return [Asked(f"logs:{operation}")]
    group = params.get("logGroupName")
    if group is None:
        return None
    tail = f"log-group:{group}"
    if operation in ("CreateLogStream", "PutLogEvents", "DeleteLogStream", "GetLogEvents"):
        return [
            Asked(
                f"logs:{operation}",
                place.arn("logs", f"{tail}:log-stream:{params.get('logStreamName', '')}"),
            )
        ]
    return [Asked(f"logs:{operation}", place.arn("logs", f"{tail}:*"))]


SCALED = "sagemaker.application-autoscaling.amazonaws.com"


def scaling(operation: str, params: Json, place: Place) -> Answer:
    """A target is known by its tags alone; those of a new one are asked for as well. Whoever scales
    must be allowed what is done to the variant and to its alarms, and for an account's first target
    to make the service's own role.
    https://docs.aws.amazon.com/autoscaling/application/userguide/security_iam_service-with-iam.html,
    .../security_iam_id-based-policy-examples.html and
    https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-prerequisites.html"""
    if operation.startswith("Describe"):
        return None
    arn = place.arn("application-autoscaling", "scalable-target/*")
    tags = params.get("resource_tags") or {}
    keys: dict[str, Value] = {f"aws:resourcetag/{key}".lower(): tags[key] for key in tags}
    found = [Asked(f"application-autoscaling:{operation}", arn, keys)]
    if params.get("Tags"):
        found.append(Asked("application-autoscaling:TagResource", arn))
    # GUESSED: which of them each operation asks for.
    of_target = str(params.get("ResourceId", "*"))
    if operation == "RegisterScalableTarget":
        endpoint = place.arn("sagemaker", of_target.partition("/variant/")[0])
        found += [
            Asked(f"sagemaker:{each}", endpoint)
            for each in ("DescribeEndpoint", "UpdateEndpointWeightsAndCapacities")
        ]
        if params.get("first_target"):
            keys = {"iam:awsservicename": SCALED}
            found.append(Asked("iam:CreateServiceLinkedRole", linked_role(place.account), keys))
    elif operation == "PutScalingPolicy":
        alarm = place.arn("cloudwatch", f"alarm:TargetTracking-{of_target}-AlarmHigh")
        found += [
            Asked("cloudwatch:PutMetricAlarm", alarm),
            Asked("cloudwatch:DescribeAlarms", place.arn("cloudwatch", "alarm:*")),
        ]
    else:
        alarm = place.arn("cloudwatch", f"alarm:TargetTracking-{of_target}-AlarmHigh")
        found.append(Asked("cloudwatch:DeleteAlarms", alarm))
    return found


def linked_role(account: str) -> str:
    """The ARN of the role with which endpoints are scaled."""
    name = "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
    return f"arn:aws:iam::{account}:role/aws-service-role/{SCALED}/{name}"


MADE = {
    "CreateTrainingJob": ("training-job", "TrainingJobName"),
    "CreateHyperParameterTuningJob": (
        "hyper-parameter-tuning-job",
        "HyperParameterTuningJobName",
    ),
    "CreateTransformJob": ("transform-job", "TransformJobName"),
    "CreateModel": ("model", "ModelName"),
    "CreateEndpointConfig": ("endpoint-config", "EndpointConfigName"),
    "CreateEndpoint": ("endpoint", "EndpointName"),
}


def sagemaker(operation: str, params: Json, place: Place) -> Answer:
    """A model version is asked for with its group, whose name is part of its ARN; tags that are
    given when something is made need AddTags as well."""
    if "ModelPackage" in operation and not operation.startswith("List"):
        wanted = params.get("ModelPackageArn") or params.get("ModelPackageName")
        group = params.get("ModelPackageGroupName")
        kind = "model-package-group" if operation.endswith("Group") else "model-package"
        name = str(wanted) if wanted else f"{group}/*" if kind == "model-package" else str(group)
        arn = name if name.startswith("arn:") else place.arn("sagemaker", f"{kind}/{name}")
        return [Asked(f"sagemaker:{operation}", arn)]
    # https://docs.aws.amazon.com/sagemaker/latest/dg/api-permissions-reference.html
    key = params.get("KmsKeyId") or (params.get("ResourceConfig") or {}).get("VolumeKmsKeyId")
    if operation not in MADE or not (params.get("Tags") or key):
        return None
    kind, member = MADE[operation]
    arn = place.arn("sagemaker", f"{kind}/{params.get(member)}")
    found = [Asked(f"sagemaker:{operation}", arn)]
    found += [Asked("sagemaker:AddTags", arn)] if params.get("Tags") else []
    found += [Asked("kms:CreateGrant", str(key))] if key else []
    if operation == "CreateEndpoint":
        config = place.arn("sagemaker", f"endpoint-config/{params.get('EndpointConfigName')}")
        found.append(Asked("sagemaker:CreateEndpoint", config))
    return found


def stacks(operation: str, params: Json, place: Place) -> Answer:
    if operation == "DescribeStacks" and "StackName" not in params:
        return [Asked("cloudformation:DescribeStacks"), Asked("cloudformation:ListStacks")]
    given = str(params.get("StackName", ""))
    if not given or given.startswith("arn:"):
        return None
    keys: dict[str, Value] = {}
    if "RoleARN" in params:
        keys["cloudformation:rolearn"] = str(params["RoleARN"])
    if "TemplateURL" in params:
        keys["cloudformation:templateurl"] = str(params["TemplateURL"])
    if "ChangeSetName" in params:
        keys["cloudformation:changesetname"] = str(params["ChangeSetName"])
    arn = place.arn("cloudformation", f"stack/{given}/*")
    return [Asked(f"cloudformation:{operation}", arn, keys)]


def parameters(operation: str, params: Json, place: Place) -> Answer:
    names = params.get("Names") or ([params["Name"]] if "Name" in params else [])
    return [Asked(f"ssm:{operation}", _parameter(str(name), place)) for name in names] or None


def _parameter(name: str, place: Place) -> str:
    """By its name alone, whichever version or label stands after it.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssystemsmanager.html
    """
    name = name.strip(" ")
    arn = name if name.startswith("arn:") else place.arn("ssm", f"parameter/{name.lstrip('/')}")
    return ":".join(arn.split(":")[:6])


def secrets(operation: str, params: Json, place: Place) -> Answer:
    """By the secret's ARN; a new one's ends in six letters that nobody knows yet.

    https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_examples.html
    """
    given = params.get("SecretId")
    if given is None and "Name" in params:
        given = place.arn("secretsmanager", f"secret:{params['Name']}-??????")
    return None if given is None else [Asked(f"secretsmanager:{operation}", str(given))]


def http_apis(operation: str, params: Json, place: Place) -> Answer:
    """HTTP methods on paths.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/security_iam_service-with-iam.html
    """
    base = f"arn:aws:apigateway:{place.region}::"
    if "ResourceArn" in params:
        verb = {"TagResource": "POST", "UntagResource": "DELETE"}.get(operation, "GET")
        return [Asked(f"apigateway:{verb}", f"{base}/tags/{quote(params['ResourceArn'], safe='')}")]
    verb = next((verb for word, verb in VERBS.items() if operation.startswith(word)), "GET")
    what = re.sub(r"^(Create|Get|Update|Delete)", "", operation)
    path = "/apis" + (f"/{params['ApiId']}" if "ApiId" in params else "")
    if what == "CorsConfiguration":
        return [Asked(f"apigateway:{verb}", f"{base}{path}/cors")]
    if kind := COLLECTIONS.get(what.removesuffix("s"), ""):
        path += f"/{kind}"
        one = params.get(f"{what}Id") or params.get(f"{what}Name")
        if one and verb != "POST":
            path += f"/{one}"
    return [Asked(f"apigateway:{verb}", base + path)]


def tokens(operation: str, params: Json, place: Place) -> Answer:
    """GetCallerIdentity and GetSessionToken need no permission; a role's trust policy decides on
    AssumeRole, where the role is known.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    """
    if operation in ("GetCallerIdentity", "GetSessionToken", "AssumeRole"):
        return []
    return None
