"""The command that has a failed execution go on, with other code where that is what was mended."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rebuy.cli.deployment import asked
from rebuy.cli.executions import follow, tell
from rebuy.cli.options import AsJson, Execution, Yes, connected, stack_outputs

if TYPE_CHECKING:
    from configuration.connection import Connection

app = typer.Typer()


class Part(StrEnum):
    """Of the code of a version, what can be another one (infrastructure/amendments.py)."""

    functions = "functions"
    script = "script"
    training = "training"


@app.command()
@connected
def redrive(
    connection: Connection,
    execution: Execution = "latest",
    with_code: Annotated[
        list[Part] | None,
        typer.Option(
            help="First give its version this part of the code that is deployed now. May be given"
            " several times; the audit record tells it."
        ),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Follow it to its end.")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Run an execution that did not succeed again, from the state where it ended."""
    from rebuy.cli import runs

    outputs = stack_outputs(connection)
    arn = runs.resolve(connection, outputs["StateMachineArn"], execution)
    if with_code:
        _amend(connection, runs.redrivable(connection, arn), with_code, yes)
    last = runs.redrive(connection, arn)
    tell(as_json, f"redriven {arn}", execution_arn=arn)
    if wait:
        follow(connection, arn, outputs["LakeBucket"], as_json, after=last)


def _amend(connection: Connection, execution: dict[str, Any], parts: list[Part], yes: bool) -> None:
    from configuration.errors import DeploymentError
    from infrastructure import amendments
    from rebuy.cli.console import say

    changes = amendments.plan(connection, execution, parts)
    if not (yes or connection.is_local):
        for change in changes:
            print(change)
        if not asked(f"Amend the version of {execution['name']} at {connection.where}?"):
            raise DeploymentError("Nothing was amended.")
    amendments.amend(connection, execution, changes, say)
