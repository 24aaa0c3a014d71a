"""The commands about executions: start, look, stop, run again, account for."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rebuy.cli.options import (
    DEFAULT_HOME,
    AsJson,
    Execution,
    connected,
    names,
    stack_outputs,
)

if TYPE_CHECKING:
    from configuration.connection import Connection

app = typer.Typer()


@app.command()
@connected
def start(
    connection: Connection,
    text: Annotated[str, typer.Option("--input", help="The execution's input, JSON.")] = "{}",
    tune: Annotated[
        int | None, typer.Option(help="Look for better hyperparameters first, in so many trials.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="The execution's name.")] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Take nothing over from the last run: clean everything.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Follow it to its end.")] = False,
    inject: Annotated[
        list[str] | None,
        typer.Option(
            help="Local only: a failure on purpose, 'STATE: Error.Name x2', 'STATE: timeout',"
            " 'STATE: delay 30' or 'STATE: malformed'. May be given several times."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Start an execution of the live version; with --wait, exit code 1 if it does not succeed, or
    IAM refused something meanwhile."""
    from rebuy.cli import runs

    outputs = stack_outputs(connection)
    trials = None if tune is None else {"trials": tune}
    given = runs.with_options(text, {"tune": trials, "full": full or None})
    arn = runs.start(connection, outputs["LiveAliasArn"], given, name, inject or ())
    tell(as_json, arn, execution_arn=arn)
    tell_console(connection, arn)
    if wait:
        follow(connection, arn, outputs["LakeBucket"], as_json)


@app.command()
@connected
def status(
    connection: Connection,
    execution: Annotated[
        str | None,
        typer.Argument(
            help="ARN, name, or `latest`; default: the newest ones.", autocompletion=names
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many of the newest.")] = 10,
    only: Annotated[
        str | None, typer.Option("--status", help="Only those that are RUNNING, FAILED, ...")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show an execution, or the newest ones."""
    from executions.cause import message
    from rebuy.cli import listing, runs

    machine = stack_outputs(connection)["StateMachineArn"]
    if execution is None:
        if only is not None and only not in listing.STATUSES:
            accepted = ", ".join(listing.STATUSES)
            raise typer.BadParameter(f"{only!r} is none of {accepted}", param_hint="--status")
        entries = listing.newest(connection, machine, limit, only)
        if as_json:
            print(json.dumps(entries))
        elif entries:
            print("\n".join([listing.HEADER, *(listing.line(entry) for entry in entries)]))
        else:
            from rebuy.cli.console import say

            say("no execution yet; `rebuy start` begins one" if only is None else f"none {only}")
        return
    entry = runs.describe(connection, runs.resolve(connection, machine, execution))
    shown = ("status", "name", "executionArn", "startDate", "stopDate", "error", "cause", "input")
    if as_json:
        print(json.dumps({name: entry[name] for name in shown if name in entry}, default=str))
        return
    if entry.get("cause") is not None:
        entry["cause"] = message(entry["cause"])
    for name in shown:
        if entry.get(name) is not None:
            print(f"{name:<13} {entry[name]}")
    tell_console(connection, entry["executionArn"])


@app.command()
@connected
def watch(connection: Connection, execution: Execution = "latest", as_json: AsJson = False) -> None:
    """Follow an execution, state by state; exit code 1 when it does not succeed, or IAM refused
    something meanwhile.

    With --json a line for each state that ends, and one for the execution.
    """
    from rebuy.cli import runs

    outputs = stack_outputs(connection)
    arn = runs.resolve(connection, outputs["StateMachineArn"], execution)
    runs.describe(connection, arn)
    follow(connection, arn, outputs["LakeBucket"], as_json)


@app.command()
@connected
def stop(connection: Connection, execution: Execution = "latest", as_json: AsJson = False) -> None:
    """Stop an execution and the job it is waiting for."""
    from rebuy.cli import runs

    machine = stack_outputs(connection)["StateMachineArn"]
    arn = runs.resolve(connection, machine, execution)
    ended = runs.describe(connection, arn)["status"]
    if ended != "RUNNING":
        tell(as_json, f"{arn} has ended: {ended}", execution_arn=arn, stopped=False, status=ended)
        return
    connection.client("stepfunctions").stop_execution(
        executionArn=arn, error="StoppedByUser", cause="rebuy stop"
    )
    tell(as_json, f"stopped {arn}", execution_arn=arn, stopped=True, status="ABORTED")


@app.command("diff")
@connected
def compare(
    connection: Connection,
    one: Annotated[str, typer.Argument(help="An execution: its name, ARN, `latest`.")],
    other: Annotated[str, typer.Argument(help="The one beside it.")],
    every: Annotated[
        bool, typer.Option("--all", help="Also show what is the same in both.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Two runs side by side: rows, features, scores, hyperparameters, code, times and cost.

    From their audit records, so of runs that have ended.
    """
    from executions import comparison
    from rebuy.cli import comparing, records, runs
    from rebuy.cli.console import out

    found = []
    for named in (one, other):
        arn = named
        if not named.startswith("arn:"):
            arn = runs.resolve(connection, stack_outputs(connection)["StateMachineArn"], named)
        found.append(records.find(connection, arn).content)
    rows = comparison.compare(found[0], found[1])
    if as_json:
        print(json.dumps([row.as_json() for row in rows]))
        return
    names = (found[0]["execution"]["name"], found[1]["execution"]["name"])
    comparing.show(names, rows, out, every=every)


@app.command()
@connected
def audit(
    connection: Connection,
    execution: Execution = "latest",
    as_json: AsJson = False,
    verify: Annotated[bool, typer.Option("--verify", help="Recompute every hash.")] = False,
    html: Annotated[
        Path | None,
        typer.Option(help="Write a report to this file instead: one page, offline, verified."),
    ] = None,
) -> None:
    """Show an execution's audit record.

    With --verify, exit code 2 when something could not be reached, 3 when a hash differs.
    """
    from executions.audit import exit_code
    from executions.audit import verify as recompute
    from rebuy.cli import pictures, records, runs
    from rebuy.cli.console import out

    arn = execution
    if not execution.startswith("arn:"):  # an ARN may be of any state machine
        arn = runs.resolve(connection, stack_outputs(connection)["StateMachineArn"], execution)
    if html is not None:
        findings = pictures.write_report(connection, arn, html)
        print(f"{html}: {html.stat().st_size:,} bytes")
    else:
        record = records.find(connection, arn)
        findings = list(recompute(connection.clients, record)) if verify else []
        if as_json:
            print(json.dumps({**record.content, "verification": [asdict(f) for f in findings]}))
        else:
            records.show(record.content, out)
            if findings:
                records.show_findings(findings, out)
    if verify:
        raise typer.Exit(exit_code(findings))


@app.command()
@connected
def predict(
    connection: Connection,
    line: Annotated[str, typer.Argument(help="18 numbers, comma-separated.")],
) -> None:
    """Ask the live endpoint, through its API, whether one customer buys one product again."""
    from rebuy.cli import prediction

    print(json.dumps(prediction.predict(stack_outputs(connection)["ApiUrl"], line)))


@app.command()
@connected
def models(
    connection: Connection,
    last: Annotated[int, typer.Option(min=1, max=500, help="So many models.")] = 20,
    approve: Annotated[
        str | None, typer.Option(metavar="VERSION", help="Let a model that waits go live.")
    ] = None,
    reject: Annotated[
        str | None, typer.Option(metavar="VERSION", help="Keep a model that waits back.")
    ] = None,
    because: Annotated[str | None, typer.Option(help="Why, for the registry.")] = None,
    back: Annotated[
        bool, typer.Option("--roll-back", help="What was live before is live again.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """The models of all runs side by side: figures, who is live and since when."""
    from rebuy.cli import models as work
    from rebuy.cli.console import out

    if sum((approve is not None, reject is not None, back)) > 1:
        raise typer.BadParameter("one of them at a time", param_hint="--approve, --reject")
    outputs = stack_outputs(connection)
    for version, status in ((approve, "Approved"), (reject, "Rejected")):
        if version is not None:
            print(f"{status}: {work.decide(connection, version, status, because)}")
            return
    if back:
        told = work.roll_back(connection, outputs, wait_seconds=1800)
        print(f"Live again: {told['endpoint_config']}, instead of {told['run']}.")
        return
    found = work.listed(connection, outputs, last)
    if as_json:
        print(json.dumps(found))
    else:
        work.show(found, out)


@app.command()
@connected
def baskets(
    connection: Connection,
    customer: Annotated[int | None, typer.Option(min=0, help="One customer's products.")] = None,
    top: Annotated[
        int | None,
        typer.Option(min=1, help="So many products of each customer, instead of the chosen ones."),
    ] = None,
    file: Annotated[Path | None, typer.Option("--csv", help="Write the rows to a file.")] = None,
    as_json: AsJson = False,
) -> None:
    """What customers will buy next, as the live model expects; without options how many."""
    from rebuy.cli import baskets as work

    outputs = stack_outputs(connection)
    if file is not None:
        work.save(connection, outputs, file, customer, top)
        print(file)
        return
    if customer is None:
        if top is not None:
            raise typer.BadParameter("it goes with --customer or --csv", param_hint="--top")
        figures = work.summary(connection, outputs)
        print(
            json.dumps(figures)
            if as_json
            else "\n".join(f"{k:<24} {v}" for k, v in figures.items())
        )
        return
    rows = work.of_customer(connection, outputs, customer, top)
    if as_json:
        print(json.dumps(rows))
        return
    print(f"Customer {customer}, model {rows[0]['model']}")
    for row in rows:
        mark = "x" if row["chosen"] == "true" else " "
        probability = f"{float(row['probability']):.1%}"
        print(f"  [{mark}] {probability:>6}  {row['product_name']} ({row['product_id']})")


def tell_console(connection: Connection, arn: str) -> None:
    """Where the console shows the execution, when one runs beside this endpoint."""
    from rebuy.cli import console_process

    console = console_process.find(DEFAULT_HOME) if connection.is_local else None
    if console is not None and console.endpoint_url == connection.settings.endpoint_url:
        from rebuy.cli.console import say

        say(console.of_execution(arn))


def tell(as_json: bool, text: str, **members: str | bool | list[str]) -> None:
    print(json.dumps(members) if as_json else text)


def follow(
    connection: Connection, arn: str, lake: str, as_json: bool = False, after: int = 0
) -> None:
    from rebuy.cli import following, refusals, runs
    from rebuy.cli.console import err

    if as_json:
        for step in following.Follower(connection, arn, lake, after).steps():
            print(json.dumps(asdict(step)), flush=True)
    else:
        following.follow(connection, arn, lake, after)
    execution = runs.describe(connection, arn)
    ended = execution["status"]
    refused = refusals.told(connection, execution)
    for line in refused if not as_json else ():
        err.print(f"  {line}", style="red", markup=False, soft_wrap=True)
    tell(as_json, ended, execution_arn=arn, status=ended, refused=refused)
    if ended != "SUCCEEDED" or refused:
        raise typer.Exit(1)
