"""The command that holds a run in an account against one on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rebuy.cli.options import Execution, connected, stack_outputs

if TYPE_CHECKING:
    from configuration.connection import Connection

app = typer.Typer()
KIT = Path("parity.json")


@app.command()
@connected
def parity(
    connection: Connection,
    execution: Execution = "latest",
    kit: Annotated[Path, typer.Option(help="The local run's kit: a file.")] = KIT,
    compare: Annotated[
        bool | None,
        typer.Option(
            "--compare/--record",
            help="Hold the run against the kit, or write it. Default: what runs here is written,"
            " what runs in an account is compared.",
            show_default=False,
        ),
    ] = None,
    guesses: Annotated[
        bool, typer.Option("--guesses", help="List what the code had to guess of AWS.")
    ] = False,
) -> None:
    """Compare what a run in an account answered with a run here; exit code 1 on a difference."""
    from rebuy.cli import runs
    from rebuy.parity import differences
    from rebuy.parity import kit as kits
    from rebuy.parity.guesses import guesses as listed

    if guesses:
        for guess in listed():
            print(guess)
        return
    outputs = stack_outputs(connection)
    known = kits.read(kit) if compare or (compare is None and not connection.is_local) else None
    arn = runs.resolve(connection, outputs["StateMachineArn"], execution)
    found = kits.gather(connection, arn, outputs)
    if known is None:
        kit.write_text(found.model_dump_json(indent=1) + "\n")
        print(f"{kit}: {len(found.facts):,} facts of {arn}")
        return
    told = list(differences.compare(known, found))
    print(f"here: {known.execution} at {known.where}\nthere: {arn} at {found.where}\n")
    for one in told:
        print(f"{one}\n")
    print(f"{len(told):,} differences in {len(found.facts):,} facts")
    if told:
        raise typer.Exit(1)
