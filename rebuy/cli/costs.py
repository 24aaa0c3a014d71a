"""`rebuy cost`: what runs, a month and predictions cost on AWS, before and after."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from configuration.errors import InputError
from rebuy.cli.options import AsJson, connected, stack_outputs

if TYPE_CHECKING:
    from configuration.connection import Connection
    from configuration.settings import Settings
    from executions.costs.of_plan import Plan
    from executions.costs.prices import Line

app = typer.Typer()
# The public files' sizes, in MB: what is estimated for when nothing else is said.
PUBLIC = {"order_products": 551 + 24.7, "orders": 104.2, "products": 2.2, "aisles": 0.003}


@app.command()
@connected
def cost(
    connection: Connection,
    execution: Annotated[
        str | None,
        typer.Argument(help="Of this run, from its audit record; else an estimate before one."),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="A folder of raw files; default: the public set's sizes.")
    ] = None,
    runs: Annotated[float, typer.Option(min=0, help="Runs a month.")] = 30,
    predictions: Annotated[int, typer.Option(min=0, help="Predictions a month.")] = 100_000,
    tune: Annotated[int, typer.Option(min=0, help="Trials of a tuning job, in every run.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Estimate what a run, a month and a thousand predictions cost, by public list prices."""
    from executions.costs import of_plan, of_record, prices

    if execution is not None:
        from rebuy.cli import records
        from rebuy.cli import runs as executed

        machine = stack_outputs(connection)["StateMachineArn"]
        record = records.find(connection, executed.resolve(connection, machine, execution)).content
        told = of_record.lines(record)
        if as_json:
            print(json.dumps({"lines": [asdict(line) for line in told], "prices": prices.dated()}))
            return
        show("This run", told)
    else:
        costs = of_plan.costs(plan(connection.settings, data, runs, predictions, tune))
        if as_json:
            shown: dict[str, Any] = {**asdict(costs), "of_run": costs.of_run}
            shown |= {"of_month": costs.of_month, "advice": costs.advice()}
            print(json.dumps({**shown, "prices": prices.dated()}))
            return
        show("One run", costs.run)
        show("A month, without its runs", costs.month)
        show("A thousand predictions, at a standing endpoint", costs.thousand_predictions)
        print(f"\nA month with {runs:g} runs: {costs.of_month:,.2f} USD")
        for line in [*costs.advice(), *besides(connection.settings)]:
            print(f"  {line}")
        for kind in costs.unknown:
            print(f"  No price of {kind} is known here: it is counted as nothing.")
    about = prices.dated()
    print(f"\nPrices of {about['region']}, {about['date']}. {about['note']}")


def plan(
    given: Settings, data: Path | None, runs: float, predictions: int, trials: int = 0
) -> Plan:
    """The product's own numbers, for these raw files."""
    from executions.costs.of_plan import Plan
    from infrastructure import deployables
    from infrastructure.template import jobs
    from tasks import check_statements, databrew, sql
    from tasks.states import every_state
    from workflows import purchase_prediction as workflow

    sizes = table_bytes(data)
    raw = sum(sizes.values())
    scans = []
    for statement in check_statements.of_project():
        read = [size for table, size in sizes.items() if f".{table}" in statement["sql"]]
        scans.append(sum(read))
    states = [state for _, state in every_state(workflow.definition()["States"])]
    functions = [one for one in states if str(one.get("Resource", "")).endswith("lambda:invoke")]
    worker = jobs.glue_job()["JoinFeaturesJob"]["Properties"]
    return Plan(
        raw_bytes=raw,
        scans=tuple(scans),
        joins=len(sql.read_folder("features")),
        recipe_jobs=len(deployables.RECIPES),
        nodes=databrew.MAX_NODES,
        glue_dpus=int(worker["NumberOfWorkers"]),
        transitions=len(states) + 100,  # and the loops that wait for the crawl and the endpoint
        functions=len(functions),
        training_instance=given.training_instance_type,
        endpoint_instance=given.endpoint_instance_type,
        serverless_megabytes=(
            given.endpoint_memory_megabytes if given.endpoint == "serverless" else None
        ),
        runs_a_month=runs,
        predictions_a_month=predictions,
        trials=trials,
        crawled=given.source is None,
    )


def besides(given: Settings) -> Iterator[str]:
    """What settings add that no figure above counts."""
    if given.endpoint_canary_percent:
        minutes = 2 * given.endpoint_canary_minutes
        yield (
            f"endpoint_canary_percent: publishing takes twice the machines, {minutes} min, and two"
            " alarms stay."
        )
    if given.capture_percent:
        yield "capture_percent: S3's PUT requests, and 30 days of storage, are not counted here."


def table_bytes(folder: Path | None) -> dict[str, int]:
    """Bytes by table. InputError for a folder without CSV files."""
    if folder is None:
        return {table: int(megabytes * 1e6) for table, megabytes in PUBLIC.items()}
    found: dict[str, int] = {}
    for file in sorted(folder.glob("*.csv*")):
        table = file.name.split(".")[0].split("__")[0]
        found[table] = found.get(table, 0) + file.stat().st_size
    if not found:
        raise InputError(f"{folder} has no CSV file.")
    return found


def show(title: str, lines: list[Line]) -> None:
    print(f"\n{title}: {sum(line.dollars for line in lines):,.4f} USD")
    for line in sorted(lines, key=lambda one: -one.dollars):
        print(f"  {line.service:<20} {line.dollars:>9.4f}  {line.quantity}")
