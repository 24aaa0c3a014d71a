"""`rebuy data`: raw order files, made, looked at, mapped and uploaded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rebuy.cli.options import (
    AsJson,
    MappingFile,
    connected,
    read_mapping,
    settings,
    stack_outputs,
    with_mapping,
)

if TYPE_CHECKING:
    from configuration.connection import Connection

app = typer.Typer(help="Raw order files.", no_args_is_help=True)


@app.command("generate")
def data_generate(
    out: Annotated[Path, typer.Option(help="The folder to write to.")],
    users: Annotated[int, typer.Option(help="206209 is the size of the original.")] = 2000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 7,
    days: Annotated[
        int | None,
        typer.Option(help="Of a shop without eval_set: what it sold before, and a file a day."),
    ] = None,
) -> None:
    """Write raw files in the Instacart shape."""
    from rebuy.cli import raw_files
    from rebuy.data import generate

    if days is not None:
        raw_files.generate_days(users, out, seed, days)
        return
    size = generate.generate(users, out, seed)
    rows = {"orders": size.orders, "prior lines": size.prior_lines, "train lines": size.train_lines}
    for name, count in {"users": size.users, "products": size.products, **rows}.items():
        print(f"{name:<12} {count:>12,}")


@app.command("check")
def data_check(
    folder: Annotated[
        Path, typer.Argument(help="Raw files, as published or in folders of their tables.")
    ],
    html: Annotated[
        Path | None, typer.Option(help="A page of findings and figures, to be sent on.")
    ] = None,
    mapping: MappingFile = None,
    as_json: AsJson = False,
) -> None:
    """Look at raw files before anything starts: offline, by the rules of a run.

    Ends with 0 if a run would take them, with 1 if there are findings.
    """
    from rebuy.cli import contract
    from rebuy.cli import mapping as own

    if not folder.is_dir():
        raise typer.BadParameter(f"{folder} is not a folder", param_hint="FOLDER")
    if (source := read_mapping(mapping) or settings().source) is not None:
        if html is not None:
            raise typer.BadParameter("there is no page of mapped files", param_hint="--html")
        if not own.check(source, folder, as_json=as_json):
            raise typer.Exit(1)
        return
    if not contract.run(folder, html, as_json=as_json):
        raise typer.Exit(1)


@app.command("map")
def data_map(
    folder: Annotated[
        Path | None, typer.Argument(help="Your files; a mapping of them is proposed.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write it to this file.")] = None,
    sql: Annotated[
        bool, typer.Option("--sql", help="Print the SQL that the mapping becomes.")
    ] = False,
    mapping: MappingFile = None,
) -> None:
    """Propose a mapping of your own files, and say why; or show one as SQL."""
    from rebuy.cli import mapping as commands

    commands.run(folder, out, sql, read_mapping(mapping) or settings().source)


@app.command("upload")
@connected
def data_upload(
    connection: Connection,
    folder: Annotated[
        Path,
        typer.Argument(
            help="The six raw files, or folders of their tables; or yours, by a mapping."
        ),
    ],
    mapping: MappingFile = None,
    allow_partial: Annotated[bool, typer.Option(help="Even if files are missing.")] = False,
) -> None:
    """Put raw files into their bucket; what is new there starts an execution a little later."""
    from infrastructure import stack
    from rebuy.cli import raw_files
    from rebuy.cli.console import say

    bucket = stack_outputs(connection)["RawBucket"]
    parameters = stack.deployed_parameters(connection)
    connection = with_mapping(connection, mapping)
    raw_files.check_deployed(connection, parameters)
    files = raw_files.upload(connection, folder, bucket, allow_partial=allow_partial)
    if all(file.unchanged for file in files):
        say("nothing is new, so nothing is started; `rebuy start` starts a run by hand")
    elif parameters["UploadTrigger"] == "DISABLED":
        say("the upload trigger is disabled: `rebuy start` starts a run by hand")
    else:
        say(f"a run starts when nothing more has come for {parameters['SettleSeconds']} s")
