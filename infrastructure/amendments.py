"""Other code for a version of the workflow whose executions failed: that which is deployed now.

A redrive ends with the version that the execution began with, so a mended script alone is of no
use to it. What AWS lets be changed of that version is changed, and told: its functions' aliases
(UpdateAlias) and its scripts' objects (PutObject). Statements, recipes and the order of the states
are of the version's definition, and cannot be.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from configuration.connection import Connection
from configuration.errors import InputError
from executions.paging import everything
from executions.releases import Release, amendments, of_definition
from infrastructure import names, releases
from infrastructure.deployables import FUNCTIONS
from infrastructure.stack import Say, deployed_parameters, stack_outputs

Json = dict[str, Any]
PARTS = ("functions", *releases.FILES)


@dataclass(frozen=True)
class Change:
    """What will be another one: `before` and `after` are SHA-256."""

    what: str
    before: str
    after: str
    apply: Callable[[], Any]

    def __str__(self) -> str:
        return f"{self.what}: {self.before[:16]} becomes {self.after[:16]}"


def plan(connection: Connection, execution: Json, parts: Sequence[str]) -> list[Change]:
    """What of the execution's version would be that of the deployed one; `execution` is
    DescribeExecution's answer.

    Raises InputError when a part is the same already, or when anything but failed executions
    would see it: one that runs, or triggers of a version that is live.
    """
    mine = _release(connection, execution["executionArn"])
    deployed = Release(mine.bucket, deployed_parameters(connection)["Release"])
    _nobody_else(connection, execution, mine, deployed)
    changes: list[Change] = []
    for part in parts:
        found = (
            _functions(connection, mine, deployed)
            if part == "functions"
            else _file(connection, mine, deployed, releases.FILES[part])
        )
        if not found:
            raise InputError(
                f"--with-code {part}: what is deployed now is what the execution has. Mend it,"
                " `rebuy deploy`, then redrive."
            )
        changes += found
    return changes


def amend(connection: Connection, execution: Json, changes: Sequence[Change], say: Say) -> None:
    """Does it; recorded first, so that nothing is ever other code without a word of it."""
    mine = _release(connection, execution["executionArn"])
    s3 = connection.client("s3")
    entry = {
        "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "execution": execution["executionArn"],
        "from_release": deployed_parameters(connection)["Release"],
        "changes": [
            {"what": one.what, "before": one.before, "after": one.after} for one in changes
        ],
    }
    body = json.dumps({"amendments": [*amendments(s3, mine), entry]}, indent=1).encode()
    s3.put_object(
        Bucket=mine.bucket,
        Key=mine.amendments_key,
        Body=body,
        ContentType="application/json",
        ExpectedBucketOwner=connection.account,
    )
    for change in changes:
        say(f"amend {change}")
        change.apply()


def _release(connection: Connection, execution_arn: str) -> Release:
    client = connection.client("stepfunctions")
    deployed = client.describe_state_machine_for_execution(executionArn=execution_arn)
    found = of_definition(deployed["definition"], names.named(names.CODE, connection))
    if found is None:
        raise InputError(f"{execution_arn} is of a version without names of its own; start anew.")
    return found


def _nobody_else(connection: Connection, execution: Json, mine: Release, deployed: Release) -> None:
    client, machine = connection.client("stepfunctions"), execution["stateMachineArn"]
    alias = client.describe_state_machine_alias(
        stateMachineAliasArn=stack_outputs(connection)["LiveAliasArn"]
    )
    live = [route["stateMachineVersionArn"] for route in alias["routingConfiguration"]]
    texts = [client.describe_state_machine(stateMachineArn=arn)["definition"] for arn in live]
    if mine == deployed or any(of_definition(text, mine.bucket) == mine for text in texts):
        raise InputError(
            "The execution is of the version that is live: what starts next would run other code"
            " than was deployed. Mend it, `rebuy deploy`, then redrive."
        )
    request = {"stateMachineArn": machine, "statusFilter": "RUNNING"}
    for one in everything(client, "list_executions", "executions", **request):
        if _release(connection, one["executionArn"]) == mine:
            raise InputError(
                f"{one['executionArn']} runs with the same version, and ends with the code that it"
                " began with. Wait for its end, or stop it."
            )


def _functions(connection: Connection, mine: Release, deployed: Release) -> list[Change]:
    """Those that both versions have, where they differ."""
    client, found = connection.client("lambda"), []
    for function in FUNCTIONS:
        if not function.in_workflow:
            continue
        name = names.named(f"${{AWS::StackName}}-{function.short_name}", connection)
        try:
            before, after = (
                client.get_function_configuration(FunctionName=name, Qualifier=one.alias)
                for one in (mine, deployed)
            )
        except client.exceptions.ResourceNotFoundException:  # not of both
            continue
        if before["CodeSha256"] != after["CodeSha256"]:
            found.append(_pointed(client, name, mine, before, after))
    return found


def _pointed(client: Any, name: str, mine: Release, before: Json, after: Json) -> Change:
    old, new = (base64.b64decode(one["CodeSha256"]).hex() for one in (before, after))
    request = {"FunctionName": name, "Name": mine.alias, "FunctionVersion": after["Version"]}
    return Change(f"function {name}", old, new, lambda: client.update_alias(**request))


def _file(connection: Connection, mine: Release, deployed: Release, name: str) -> list[Change]:
    s3, owner = connection.client("s3"), {"ExpectedBucketOwner": connection.account}
    old, new = (
        s3.get_object(Bucket=one.bucket, Key=one.key(name), **owner)["Body"].read()
        for one in (mine, deployed)
    )
    if old == new:
        return []
    digest = hashlib.sha256(new)
    request = {
        "Bucket": mine.bucket,
        "Key": mine.key(name),
        "Body": new,
        "ChecksumSHA256": base64.b64encode(digest.digest()).decode(),
        **owner,
    }
    before = hashlib.sha256(old).hexdigest()
    return [Change(name, before, digest.hexdigest(), lambda: s3.put_object(**request))]
