"""The first minute in an account: what it can prove for nothing, and what only a run can.

Each look asks AWS itself and changes nothing that stays: a change set is deleted again, EXPLAIN
reads no data, a simulation does nothing. A look that may not be made is told as not made.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from configuration.connection import Connection
from configuration.errors import DeploymentError, RebuyError
from infrastructure import code_bucket, deploy, drift, looks, names, preview, requests, stack
from rebuy.validation import recorded_calls
from rebuy.validation import stack as sample
from rebuy.validation.product import Product
from tasks import check_statements

Json = dict[str, Any]
QUERY_SECONDS = 120
IMAGE = re.compile(r"\.dkr\.ecr\.[^/\s\"]+/([\w/-]+):([\w.-]+)")
# What nothing but a run shows.
ONLY_A_RUN = (
    "that roles made a moment ago can be assumed at once",
    "what crawler, DataBrew and Glue make of the real files, and how long they take",
    "that training and endpoint machines are to be had in this minute (quotas say how many may be)",
    "what the published image and layer contain: they are looked up, not run",
    "what each task answers",
)


@dataclass
class Look:
    """`proved` in words; `wrong` what AWS would refuse; `not_made` why nobody could look."""

    name: str
    proved: str = ""
    wrong: list[str] = field(default_factory=list)
    not_made: str = ""

    def text(self) -> list[str]:
        if self.not_made:
            return [f"{self.name:<16} not looked at: {self.not_made}"]
        if self.wrong:
            return [f"{self.name:<16} {len(self.wrong)} wrong", *(f"  {one}" for one in self.wrong)]
        return [f"{self.name:<16} ok   {self.proved}"]


def validate(connection: Connection, product: Product) -> Iterator[Look]:
    """Every look, as it is made."""
    for name, rule in LOOKS.items():
        told = Look(name)
        try:
            told.proved = rule(connection, product, told)
        except (ClientError, BotoCoreError, RebuyError) as error:
            told.not_made = str(error)
        yield told


def account(connection: Connection, product: Product, told: Look) -> str:
    """Who asks, where; then every look of a deployment: region, quotas, buckets, settings."""
    try:
        looks.look(connection, told.wrong.append)
    except DeploymentError as error:
        told.wrong += str(error).splitlines()[1:]
    told.wrong = [line.strip() for line in told.wrong]
    return f"{connection.account} in {connection.region}: region, bucket names, quotas, settings"


def definition(connection: Connection, product: Product, told: Look) -> str:
    """ValidateStateMachineDefinition, in AWS's own words."""
    answer = connection.client("stepfunctions").validate_state_machine_definition(
        definition=json.dumps(product.filled), type="STANDARD"
    )
    told.wrong += [
        f"{one.get('location', '')} {one['message']}".strip()
        for one in answer["diagnostics"]
        if one["severity"] == "ERROR"
    ]
    return f"ValidateStateMachineDefinition: {answer['result']}"


def change_set(connection: Connection, product: Product, told: Look) -> str:
    """ValidateTemplate, and a change set that is looked at and deleted."""
    bucket = names.named(names.CODE, connection)
    if not code_bucket.exists(connection.client("s3"), bucket, connection.account):
        raise DeploymentError(
            f"the template is too large to be sent, and s3://{bucket} is not there yet;"
            " `rebuy deploy --preview` makes it"
        )
    cloudformation = connection.client("cloudformation")
    _, stack_template, request = requests.prepared(connection)
    code_bucket.upload(connection, bucket, [stack_template], lambda _: None)
    cloudformation.validate_template(TemplateURL=request["TemplateURL"])
    planned = deploy.plan(cloudformation, request)
    if planned is None:
        return "ValidateTemplate; the stack is as the template says"
    preview.discard(cloudformation, planned.arn, planned.stack_id)
    return f"ValidateTemplate; a change set of {len(planned.changes)} resources, deleted again"


def simulated(connection: Connection, product: Product, told: Look) -> str:
    """What runs asked, evaluated by IAM: the deployed roles, else the template's policies."""
    iam = connection.client("iam")
    deployed = physical_roles(connection)
    asked = 0
    for role, calls in grouped().items():
        if role not in product.template["Resources"]:
            continue
        for keys, actions, resources in calls:
            request: Json = {
                "ActionNames": actions,
                "ResourceArns": [own_names(connection, one) for one in resources],
                "ContextEntries": [entry(key, value, connection) for key, value in keys],
            }
            if role in deployed:
                answer = iam.simulate_principal_policy(PolicySourceArn=deployed[role], **request)
            else:
                answer = iam.simulate_custom_policy(
                    PolicyInputList=policies_of(connection, product, role), **request
                )
            for one in answer["EvaluationResults"]:
                asked += 1
                if one["EvalDecision"] != "allowed":
                    told.wrong.append(
                        f"{role}: {one['EvalActionName']} on {one['EvalResourceName']} is"
                        f" {one['EvalDecision']}"
                    )
    what = "SimulatePrincipalPolicy of the roles" if deployed else "SimulateCustomPolicy"
    return f"{what}: {asked} calls of a run are allowed"


def grouped() -> dict[str, list[tuple[tuple[Any, ...], list[str], list[str]]]]:
    """Role to (condition keys, actions, resources): calls that one simulation can ask together."""
    found: dict[str, dict[tuple[Any, ...], set[str]]] = {}
    for role, uses in recorded_calls.read(lambda name: name).items():
        for use in uses:
            group = found.setdefault(role, {}).setdefault((use.keys, use.resource), set())
            group.add(use.action)
    together: dict[str, dict[tuple[Any, ...], list[str]]] = {}
    for role, groups in found.items():
        for (keys, resource), actions in groups.items():
            key = (keys, tuple(sorted(actions)))
            together.setdefault(role, {}).setdefault(key, []).append(resource)
    return {
        role: [(keys, list(actions), resources) for (keys, actions), resources in groups.items()]
        for role, groups in together.items()
    }


def entry(key: str, value: Any, connection: Connection) -> Json:
    values = list(value) if isinstance(value, tuple) else [value]
    kind = "stringList" if isinstance(value, tuple) else "string"
    return {
        "ContextKeyName": key,
        "ContextKeyType": kind,
        "ContextKeyValues": [own_names(connection, one) for one in values],
    }


def own_names(connection: Connection, text: str) -> str:
    """A name of the recording as this account, region and stack have it."""
    plain = text.replace(sample.ACCOUNT, connection.account)
    return plain.replace(sample.REGION, connection.region)


def policies_of(connection: Connection, product: Product, role: str) -> list[str]:
    properties = product.stack.of_type("AWS::IAM::Role")[role]
    return [
        own_names(connection, json.dumps(policy["PolicyDocument"]))
        for policy in properties.get("Policies", [])
    ]


def physical_roles(connection: Connection) -> dict[str, str]:
    """Logical name to ARN of the stack's roles, if the stack is there and has the name that the
    recording has; else nothing."""
    cloudformation = connection.client("cloudformation")
    name = connection.settings.stack_name
    if name != sample.NAME or stack.find_stack(cloudformation, name) is None:
        return {}
    return {
        role: f"arn:aws:iam::{connection.account}:role/{physical}"
        for physical, role in drift.roles(connection).items()
    }


def as_deployed(connection: Connection, product: Product, told: Look) -> str:
    """Whether the roles have what was deployed: by CloudFormation's drift detection."""
    stack.stack_outputs(connection)
    roles = drift.roles(connection)
    told.wrong += [one.words for one in drift.lost_statements(connection, roles.values())]
    return f"{len(roles)} have every statement that was deployed"


def statements(connection: Connection, product: Product, told: Look) -> str:
    """EXPLAIN of every check, where the raw tables are there."""
    outputs = stack.stack_outputs(connection)
    database, group = outputs["RawDatabase"], outputs["WorkGroup"]
    pages = connection.client("glue").get_paginator("get_tables").paginate(DatabaseName=database)
    there = {table["Name"] for page in pages for table in page["TableList"]}
    lacking = sorted(set(product.raw_tables) - there)
    if lacking:
        raise DeploymentError(f"{database} has no {', '.join(lacking)} yet: no run has crawled")
    athena = connection.client("athena")
    composed = check_statements.of_project()
    for statement in composed:
        text = "EXPLAIN " + statement["sql"].replace("${RawDatabase}", database)
        reason = failure(athena, text, database, group)
        if reason:
            told.wrong.append(f"sql/checks/{statement['checks'][0]}.sql: {reason}")
    return f"EXPLAIN of {len(composed)} statements over {database}"


def failure(athena: Any, text: str, database: str, group: str) -> str:
    """Why the query failed, "" if it did not."""
    query = athena.start_query_execution(
        QueryString=text, QueryExecutionContext={"Database": database}, WorkGroup=group
    )["QueryExecutionId"]
    deadline = time.monotonic() + QUERY_SECONDS
    while time.monotonic() < deadline:
        status = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
        if status["State"] in ("SUCCEEDED", "FAILED", "CANCELLED"):
            return "" if status["State"] == "SUCCEEDED" else status["StateChangeReason"]
        time.sleep(0.5)
    return f"no answer within {QUERY_SECONDS} seconds"


def layers(connection: Connection, product: Product, told: Look) -> str:
    """The versions of the layers that the functions name, as Lambda has them in this region."""
    functions = connection.client("lambda")
    wanted = {
        own_names(connection, layer)
        for properties in product.stack.of_type("AWS::Lambda::Function").values()
        for layer in properties.get("Layers", [])
    }
    for layer in sorted(wanted):
        found = functions.get_layer_version_by_arn(Arn=layer)
        runtimes = found.get("CompatibleRuntimes", [])
        if runtimes and "python3.11" not in runtimes:
            told.wrong.append(f"{layer} is for {', '.join(runtimes)}")
    return ", ".join(sorted(wanted)) or "no function has a layer"


def images(connection: Connection, product: Product, told: Look) -> str:
    """The images that training and endpoint name, as the registry of this region has them."""
    registries, digests = product.template["Mappings"]["TrainingImages"], []
    account = registries[connection.region]["Account"]
    for name, tag in sorted(set(IMAGE.findall(json.dumps(product.filled)))):
        answer = connection.client("ecr").batch_get_image(
            registryId=account, repositoryName=name, imageIds=[{"imageTag": tag}]
        )
        told.wrong += [f"{name}:{tag}: {one['failureReason']}" for one in answer["failures"]]
        digests += [f"{name}:{tag} is {one['imageId']['imageDigest']}" for one in answer["images"]]
    return ", ".join(digests)


Rule = Callable[[Connection, Product, Look], str]
LOOKS: dict[str, Rule] = {
    "account": account,
    "definition": definition,
    "template": change_set,
    "permissions": simulated,
    "roles": as_deployed,
    "SQL": statements,
    "layers": layers,
    "images": images,
}
