"""`rebuy replay`: a recorded execution over another definition, offline."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from configuration.errors import RunError
from rebuy.cli.options import Execution, connected, stack_outputs

if TYPE_CHECKING:
    from configuration.connection import Connection

app = typer.Typer()
SHOWN_CHARACTERS = 200  # of one step


@app.command()
@connected
def replay(
    connection: Connection,
    execution: Execution = "latest",
    definition: Annotated[
        Path | None,
        typer.Option(help="A definition as JSON; default: the state machine's present one."),
    ] = None,
) -> None:
    """Run a recorded execution over a changed definition, with its tasks' recorded answers."""
    from executions.events import all_events
    from localaws.stepfunctions import replay as engine
    from rebuy.cli import runs

    client = connection.client("stepfunctions")
    machine = stack_outputs(connection)["StateMachineArn"]
    arn = runs.resolve(connection, machine, execution)
    recorded = runs.describe(connection, arn)
    if recorded["status"] == "RUNNING":
        raise RunError(f"{arn} still runs; it can be replayed once it has ended.")
    if definition is None:
        text = client.describe_state_machine(stateMachineArn=machine)["definition"]
    else:
        text = definition.read_text()
    events = list(all_events(client, arn))
    replayed = engine.replay(
        text,
        recorded["input"],
        engine.recorded_tasks(events),
        machine=recorded["stateMachineArn"].rsplit(":", 1)[1],
        name=recorded["name"],
    )
    print(f"recorded: {recorded['status']}, replayed: {replayed.status}")
    before = [step[:SHOWN_CHARACTERS] for step in engine.steps_of(events)]
    after = [step[:SHOWN_CHARACTERS] for step in replayed.steps]
    changes = list(difflib.unified_diff(before, after, "recorded", "replayed", lineterm="", n=0))
    print("\n".join(changes) if changes else "every state did the same")
    for note in replayed.notes:
        print(f"note: {note}")
    if replayed.status != "SUCCEEDED":
        raise RunError(f"The replay ended {replayed.status}: {replayed.error}: {replayed.cause}")
