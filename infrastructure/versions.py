"""Versions of what is deployed: each deployment's workflow goes on as it was, with the functions,
scripts, recipes and packages that it names, until nobody can want it any more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from configuration.connection import Connection
from configuration.errors import InputError
from executions.paging import everything
from executions.releases import FOLDER
from infrastructure import names
from infrastructure.deployables import FUNCTIONS
from infrastructure.stack import Say, deployed_parameters, stack_outputs

KEPT = 10  # the newest, beside the one that is live and those that run


@dataclass(frozen=True)
class Version:
    """One version of the workflow; `definition_sha256` is that of the repository's text."""

    number: int
    arn: str
    created: str
    definition_sha256: str
    live: bool


def versions(connection: Connection) -> list[Version]:
    """Newest first."""
    client, outputs = connection.client("stepfunctions"), stack_outputs(connection)
    live = {route["stateMachineVersionArn"] for route in _routing(client, outputs["LiveAliasArn"])}
    found = []
    for arn in _arns(client, outputs["StateMachineArn"]):
        about = client.describe_state_machine(stateMachineArn=arn)
        found.append(
            Version(
                int(arn.rsplit(":", 1)[1]),
                arn,
                f"{about['creationDate']:%Y-%m-%d %H:%M:%S}",
                about.get("description", ""),
                arn in live,
            )
        )
    return sorted(found, key=lambda version: version.number, reverse=True)


def rollback(connection: Connection, number: int | None = None) -> Version:
    """Has triggers start the version `number` from now on; None: the one before the live one.
    What runs goes on with the version that it began with.

    Raises InputError when there is no such version.
    """
    found = versions(connection)
    live = next((version for version in found if version.live), None)
    if number is None:
        older = [one for one in found if live is None or one.number < live.number]
        if not older:
            raise InputError("There is no version before the live one.")
        chosen = older[0]
    else:
        chosen_or_none = next((one for one in found if one.number == number), None)
        if chosen_or_none is None:
            known = ", ".join(str(one.number) for one in found)
            raise InputError(f"There is no version {number}; there are {known}.")
        chosen = chosen_or_none
    _route(connection, chosen.arn)
    return chosen


def go_live(connection: Connection, say: Say) -> None:
    """What was deployed is what starts, also after a rollback."""
    outputs = stack_outputs(connection)
    deployed = outputs["StateMachineVersionArn"]
    routing = _routing(connection.client("stepfunctions"), outputs["LiveAliasArn"])
    before = [route["stateMachineVersionArn"] for route in routing]
    if before != [deployed]:
        number, was = deployed.rsplit(":", 1)[1], before[0].rsplit(":", 1)[1]
        say(f"version {number} is live again; version {was} had been rolled back to")
        _route(connection, deployed)


def prune(connection: Connection, say: Say, template_key: str) -> None:
    """Takes away versions that are neither among the newest nor live nor running, then the versions
    of functions and the packages that no workflow names any more."""
    client = connection.client("stepfunctions")
    found = versions(connection)
    kept = [one for one in found if one.live] + found[:KEPT]
    for one in found:
        if one not in kept and not _runs(client, one.arn):
            say(f"delete version {one.number} of the workflow")
            client.delete_state_machine_version(stateMachineVersionArn=one.arn)
    text = "\n".join(_definitions(connection))
    _prune_functions(connection, text)
    text += "\n".join([*deployed_parameters(connection).values(), template_key])
    _prune_packages(connection, text)


def _prune_functions(connection: Connection, text: str) -> None:
    client = connection.client("lambda")
    for function in FUNCTIONS:
        if not function.in_workflow:
            continue
        name = names.named(f"${{AWS::StackName}}-{function.short_name}", connection)
        kept = {"$LATEST"}
        for alias in everything(client, "list_aliases", "Aliases", FunctionName=name):
            # With the quotation mark: version 1 is no beginning of version 10.
            if f'{alias["AliasArn"]}"' in text:
                kept.add(alias["FunctionVersion"])
            else:
                client.delete_alias(FunctionName=name, Name=alias["Name"])
        for one in everything(client, "list_versions_by_function", "Versions", FunctionName=name):
            if one["Version"] not in kept and f'{one["FunctionArn"]}"' not in text:
                client.delete_function(FunctionName=name, Qualifier=one["Version"])


def _prune_packages(connection: Connection, text: str) -> None:
    s3, bucket = connection.client("s3"), names.named(names.CODE, connection)
    place: dict[str, Any] = {"Bucket": bucket, "ExpectedBucketOwner": connection.account}
    keys = [one["Key"] for one in everything(s3, "list_objects_v2", "Contents", **place)]
    unnamed = [key for key in keys if _wanted(key) not in text]
    if any(key.endswith("inference.tar.gz") for key in unnamed):
        text += _of_models(connection)
    for key in unnamed:
        if _wanted(key) not in text:
            s3.delete_object(Key=key, **place)


def _wanted(key: str) -> str:
    """What a text must hold for the object to stay: its key, or the release that it is of."""
    return f"{key.rpartition('/')[0]}/" if key.startswith(FOLDER) else key


def _of_models(connection: Connection) -> str:
    """The code that models of runs name: an instance that is replaced, or added, reads it again."""
    client, made = connection.client("sagemaker"), names.named(names.MADE, connection)
    models = everything(client, "list_models", "Models", NameContains=made)
    described = [client.describe_model(ModelName=one["ModelName"]) for one in models]
    return "\n".join(str(one["PrimaryContainer"].get("Environment")) for one in described)


def _definitions(connection: Connection) -> Iterator[str]:
    """Of the workflow as it is and of each version, with every name filled in."""
    client, machine = connection.client("stepfunctions"), stack_outputs(connection)
    for arn in (machine["StateMachineArn"], *_arns(client, machine["StateMachineArn"])):
        yield client.describe_state_machine(stateMachineArn=arn)["definition"]


def _arns(client: Any, machine: str) -> list[str]:
    found: list[str] = []
    more: dict[str, str] = {}
    while True:
        page = client.list_state_machine_versions(stateMachineArn=machine, **more)
        found += [one["stateMachineVersionArn"] for one in page["stateMachineVersions"]]
        if not page.get("nextToken"):
            return found
        more = {"nextToken": page["nextToken"]}


def _runs(client: Any, version: str) -> bool:
    found = client.list_executions(stateMachineArn=version, statusFilter="RUNNING", maxResults=1)
    return bool(found["executions"])


def _routing(client: Any, alias: str) -> list[dict[str, Any]]:
    found = client.describe_state_machine_alias(stateMachineAliasArn=alias)
    return list(found["routingConfiguration"])


def _route(connection: Connection, version: str) -> None:
    connection.client("stepfunctions").update_state_machine_alias(
        stateMachineAliasArn=stack_outputs(connection)["LiveAliasArn"],
        routingConfiguration=[{"stateMachineVersionArn": version, "weight": 100}],
    )
