"""The commands about executions: start, look, stop, run again, account for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rebuy.cli.options import (
    DEFAULT_HOME,
    AsJson,
    EndpointUrl,
    Execution,
    Profile,
    Region,
    connect,
    stack_outputs,
)

if TYPE_CHECKING:
    from rebuy.connection import Connection

app = typer.Typer()


@app.command()
def start(
    given: Annotated[str, typer.Option("--input", help="The execution's input, JSON.")] = "{}",
    name: Annotated[str | None, typer.Option(help="The execution's name.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Follow it to its end.")] = False,
    endpoint_url: EndpointUrl = None,
    profile: Profile = None,
    region: Region = None,
) -> None:
    """Start an execution of the live version."""
    from rebuy.cli import runs

    connection = connect(endpoint_url, profile, region)
    outputs = stack_outputs(connection)
    arn = runs.start(connection, outputs["LiveAliasArn"], given, name)
    print(arn)
    tell_console(connection, arn)
    if wait:
        _follow(connection, arn, outputs["LakeBucket"])


@app.command()
def status(
    execution: Annotated[
        str | None, typer.Argument(help="ARN, name, or `latest`; default: the last ten.")
    ] = None,
    endpoint_url: EndpointUrl = None,
    profile: Profile = None,
    region: Region = None,
) -> None:
    """Show an execution, or the newest ones."""
    from rebuy.cli import runs

    connection = connect(endpoint_url, profile, region)
    machine = stack_outputs(connection)["StateMachineArn"]
    if execution is None:
        found = connection.client("stepfunctions").list_executions(
            stateMachineArn=machine, maxResults=10
        )["executions"]
        for entry in found:
            print(f"{entry['status']:<10} {entry['startDate']:%Y-%m-%d %H:%M:%S}  {entry['name']}")
        return
    entry = runs.describe(connection, runs.resolve(connection, machine, execution))
    shown = ("status", "name", "executionArn", "startDate", "stopDate", "error", "cause", "input")
    for name in shown:
        if entry.get(name) is not None:
            print(f"{name:<13} {entry[name]}")
    tell_console(connection, entry["executionArn"])


@app.command()
def watch(
    execution: Execution = "latest",
    endpoint_url: EndpointUrl = None,
    profile: Profile = None,
    region: Region = None,
) -> None:
    """Follow an execution, state by state; exit code 1 when it does not succeed."""
    from rebuy.cli import runs

    connection = connect(endpoint_url, profile, region)
    outputs = stack_outputs(connection)
    arn = runs.resolve(connection, outputs["StateMachineArn"], execution)
    runs.describe(connection, arn)
    _follow(connection, arn, outputs["LakeBucket"])


@app.command()
def stop(
    execution: Execution = "latest",
    endpoint_url: EndpointUrl = None,
    profile: Profile = None,
    region: Region = None,
) -> None:
    """Stop an execution and the job it is waiting for."""
    from rebuy.cli import runs

    connection = connect(endpoint_url, profile, region)
    machine = stack_outputs(connection)["StateMachineArn"]
    arn = runs.resolve(connection, machine, execution)
    ended = runs.describe(connection, arn)["status"]
    if ended != "RUNNING":
        print(f"{arn} has ended: {ended}")
        return
    connection.client("stepfunctions").stop_execution(
        executionArn=arn, error="StoppedByUser", cause="rebuy stop"
    )
    print(f"stopped {arn}")


@app.command()
def redrive(
    execution: Execution = "latest",
    wait: Annotated[bool, typer.Option("--wait", help="Follow it to its end.")] = False,
    endpoint_url: EndpointUrl = None,
    profile: Profile = None,
    region: Region = None,
) -> None:
    """Run an execution that did not succeed again, from the state where it ended."""
    from rebuy.cli import runs

    connection = connect(endpoint_url, profile, region)
    outputs = stack_outputs(connection)
    arn = runs.resolve(connection, outputs["StateMachineArn"], execution)
    last = runs.redrive(connection, arn)
    print(f"redriven {arn}")
    if wait:
        _follow(connection, arn, outputs["LakeBucket"], after=last)


@app.command()
def audit(
    execution: Execution = "latest",
    as_json: AsJson = False,
    verify: Annotated[bool, typer.Option("--verify", help="Recompute every hash.")] = False,
    html: Annotated[
        Path | None,
        typer.Option(help="Write a report to this file instead: one page, offline, verified."),
    ] = None,
    endpoint_url: EndpointUrl = None,
    profile: Profile = None,
    region: Region = None,
) -> None:
    """Show an execution's audit record; with --verify, exit code 1 when a hash differs."""
    from rebuy.cli import audit as records
    from rebuy.cli import pictures, runs
    from rebuy.cli.console import out

    connection = connect(endpoint_url, profile, region)
    if html is not None and execution.startswith("arn:"):  # of any state machine
        print(pictures.write_report(connection, execution, html))
        return
    outputs = stack_outputs(connection)
    arn = runs.resolve(connection, outputs["StateMachineArn"], execution)
    if html is not None:
        print(pictures.write_report(connection, arn, html))
        return
    _, record = records.find(connection, outputs["LakeBucket"], arn)
    findings = list(records.verify(connection, outputs["LakeBucket"], record)) if verify else []
    if as_json:
        print(json.dumps({**record, "verification": [f.__dict__ for f in findings]}))
    else:
        records.show(record, out)
        if findings:
            records.show_findings(findings, out)
    if any(finding.ok is False for finding in findings):
        raise typer.Exit(1)


@app.command()
def predict(
    line: Annotated[str, typer.Argument(help="18 numbers, comma-separated.")],
    endpoint_url: EndpointUrl = None,
    profile: Profile = None,
    region: Region = None,
) -> None:
    """Ask the live endpoint, through its API, whether one customer buys one product again."""
    from rebuy.cli import demo as work

    outputs = stack_outputs(connect(endpoint_url, profile, region))
    print(json.dumps(work.predict(outputs["ApiUrl"], line)))


def tell_console(connection: Connection, arn: str) -> None:
    """Where the console shows the execution, when one runs beside this endpoint."""
    from rebuy.cli import console_process
    from rebuy.cli.console import say

    console = console_process.find(DEFAULT_HOME) if connection.is_local else None
    if console is not None and console.endpoint_url == connection.settings.endpoint_url:
        say(console.of_execution(arn))


def _follow(connection: Connection, arn: str, lake: str, after: int = 0) -> None:
    from rebuy.cli import demo as work
    from rebuy.cli import runs

    work.follow(connection, arn, lake, after)
    found = runs.describe(connection, arn)
    print(found["status"])
    if found["status"] != "SUCCEEDED":
        raise typer.Exit(1)
