"""Executions: started, found, described, run again; over the AWS API, wherever it is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from configuration.connection import Connection
from configuration.errors import InputError, RunError
from tasks.functions import run_options, run_plan

INJECT = "X-Localaws-Inject"  # the header that the local AWS knows, and AWS does not


def start(
    connection: Connection,
    state_machine: str,
    text: str,
    name: str | None,
    inject: Sequence[str] = (),
) -> str:
    """Starts an execution; its ARN. `text` is the input as JSON.

    An input that the workflow's first state would refuse is refused here, with its words, and so
    is `inject` (failures on purpose) anywhere but in a local home: AWS would not know of it.
    """
    if inject and not connection.is_local:
        raise InputError(f"--inject is for a local AWS; {connection.where} would ignore it.")
    try:
        _, chosen = run_plan.recognise(json.loads(text))
        run_options.options(chosen)
    except run_options.InvalidInput as error:
        raise InputError(f"--input: {error}") from error
    except ValueError as error:
        raise InputError(f"--input is no JSON: {error}") from error
    request = {"stateMachineArn": state_machine, "input": text}
    request["name"] = name or f"manual-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
    client = connection.client("stepfunctions")
    with _injecting(client, inject):
        return str(client.start_execution(**request)["executionArn"])


def with_options(text: str, chosen: dict[str, Any]) -> str:
    """The input, with these options but for those that are None. InputError when it has one."""
    chosen = {name: value for name, value in chosen.items() if value is not None}
    if not chosen:
        return text
    try:
        given = json.loads(text)
    except ValueError as error:
        raise InputError(f"--input is no JSON: {error}") from error
    for name in chosen:
        if not isinstance(given, dict) or name in given:
            raise InputError(f"--{name} goes with an --input that is an object without {name}.")
    return json.dumps({**given, **chosen})


@contextmanager
def _injecting(client: Any, inject: Sequence[str]) -> Iterator[None]:
    """Sends the failures on purpose along; the local AWS says what is wrong with them."""
    if not inject:
        yield
        return

    def add(request: Any, **_: Any) -> None:
        request.headers[INJECT] = json.dumps(list(inject))

    event = "before-sign.sfn.StartExecution"
    client.meta.events.register(event, add)
    try:
        yield
    except client.exceptions.ClientError as error:
        message = error.response["Error"]["Message"]
        if INJECT not in message:
            raise
        raise InputError(f"--inject: {message.removeprefix(f'{INJECT}: ')}") from error
    finally:
        client.meta.events.unregister(event, add)


def resolve(connection: Connection, state_machine: str, execution: str) -> str:
    """An execution's ARN from its ARN, its name, or `latest`."""
    if execution.startswith("arn:"):
        return execution
    if execution != "latest":
        return f"{state_machine.replace(':stateMachine:', ':execution:')}:{execution}"
    newest = connection.client("stepfunctions").list_executions(
        stateMachineArn=state_machine, maxResults=1
    )["executions"]
    if not newest:
        raise InputError(f"{state_machine} has no execution yet; `rebuy start` begins one.")
    return str(newest[0]["executionArn"])


def redrive(connection: Connection, arn: str) -> int:
    """Runs a failed, stopped or timed out execution again from the state that did not succeed;
    the id of the last event before that.

    Raises InputError, with the reason AWS gives, for one that cannot be redriven: it runs, it
    succeeded, or it is older than 14 days.
    """
    redrivable(connection, arn)
    client = connection.client("stepfunctions")
    last = client.get_execution_history(executionArn=arn, reverseOrder=True, maxResults=1)
    client.redrive_execution(executionArn=arn)
    return int(last["events"][0]["id"])


def redrivable(connection: Connection, arn: str) -> dict[str, Any]:
    """DescribeExecution's answer. InputError, as above, for an execution that AWS would not
    redrive."""
    description = describe(connection, arn)
    if description["redriveStatus"] != "REDRIVABLE":
        reason = description.get("redriveStatusReason", description["redriveStatus"])
        raise InputError(f"{arn} is {description['status']}: {reason}.")
    return description


def describe(connection: Connection, arn: str) -> dict[str, Any]:
    """DescribeExecution's answer; RunError when there is no such execution."""
    client = connection.client("stepfunctions")
    try:
        description: dict[str, Any] = client.describe_execution(executionArn=arn)
    except client.exceptions.ExecutionDoesNotExist as error:
        raise RunError(f"There is no execution {arn}; `rebuy status` lists them.") from error
    return description
