"""The commands that change what is deployed: deploy, rollback, destroy."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from configuration.errors import InputError
from rebuy.cli.options import AsJson, MappingFile, Yes, connected, with_mapping

if TYPE_CHECKING:
    from configuration.connection import Connection

app = typer.Typer()


@app.command()
@connected
def deploy(
    connection: Connection,
    mapping: MappingFile = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="Say what would change, and change nothing.")
    ] = False,
    permissions: Annotated[
        bool,
        typer.Option(
            "--permissions", help="Print the policies that a deployer needs, and change nothing."
        ),
    ] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Create or update the stack: says what will change, asks (not on this machine), does it."""
    from infrastructure import deploy as deployment
    from rebuy.cli.console import say

    connection = with_mapping(connection, mapping)
    if permissions:
        from infrastructure.template import template
        from rebuy.validation import deployer

        where = {"account": connection.account, "region": connection.region}
        found = deployer.policies(template(), stack=connection.settings.stack_name, **where)
        print(json.dumps(found, indent=1))
        return
    if preview:
        for line in deployment.look_ahead(connection, say):
            print(line)
        return
    confirm = None if yes or connection.is_local else asked
    stack = deployment.deploy(connection, say, confirm)
    if as_json:
        print(json.dumps({"stack": stack.stack_name, "changed": stack.changed, **stack.outputs}))
        return
    print(f"{stack.stack_name}: {'deployed' if stack.changed else 'nothing to change'}")
    for name, value in stack.outputs.items():
        print(f"  {name:<18} {value}")


@app.command()
@connected
def destroy(
    connection: Connection,
    with_data: Annotated[
        bool,
        typer.Option("--with-data", help="Also raw files, runs, models and audit records."),
    ] = False,
    yes: Yes = False,
) -> None:
    """Delete all that a deployment consists of, and prove it; the data stays unless told."""
    from configuration.errors import DeploymentError
    from infrastructure import destroy as removal
    from rebuy.cli.console import say

    if not yes:
        for line in removal.plan(connection, with_data=with_data).lines():
            print(line)
        data = " AND ITS DATA" if with_data else ""
        if not asked(f"Delete {connection.settings.stack_name}{data} at {connection.where}?"):
            raise DeploymentError("Nothing was deleted.")
    done = removal.destroy(connection, say, with_data=with_data)
    print(f"nothing is left of: {', '.join(done.gone)}")
    for line in done.left:
        print(f"left: {line}")


@app.command()
@connected
def rollback(
    connection: Connection,
    version: Annotated[
        int | None, typer.Argument(help="Its number; default: the one before the live one.")
    ] = None,
    only_list: Annotated[
        bool, typer.Option("--list", help="Say which versions there are.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Have triggers start an earlier version; what runs ends with the one that it began with."""
    from configuration.errors import DeploymentError
    from infrastructure import versions

    if only_list:
        for one in versions.versions(connection):
            live = "live" if one.live else ""
            print(f"{one.number:>4}  {one.created}  {one.definition_sha256[:16]:<16}  {live}")
        return
    which = f"version {version}" if version is not None else "the version before"
    question = f"Have {connection.settings.stack_name} at {connection.where} start {which}?"
    if not (yes or connection.is_local or asked(question)):
        raise DeploymentError("Nothing was changed.")
    chosen = versions.rollback(connection, version)
    print(f"version {chosen.number} of {chosen.created} is live")


def asked(question: str) -> bool:
    """The answer of whoever sits there. Raises InputError where nobody can be asked."""
    if not sys.stdin.isatty():
        raise InputError(f"{question} Nobody is there to ask: say --yes.")
    return typer.confirm(question)
