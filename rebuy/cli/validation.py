"""`rebuy validate`: what AWS would refuse, found out before."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from rebuy.cli.options import AsJson, MappingFile, connected, with_mapping

if TYPE_CHECKING:
    from configuration.connection import Connection
    from rebuy.validation.checks import Checked
    from rebuy.validation.product import Product

app = typer.Typer()


@app.command()
@connected
def validate(
    connection: Connection,
    mapping: MappingFile = None,
    in_account: Annotated[
        bool,
        typer.Option("--aws", help="Then ask the account what it can prove for nothing."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check the whole product without an account: data flow, requests, SQL, recipes, scripts,
    permissions, template for the region."""
    from configuration.settings import FILE
    from rebuy.validation import checks, stack
    from rebuy.validation.product import Product

    source = with_mapping(connection, mapping).settings.source
    product = Product.load(source, str(mapping or FILE))
    told = checks.validate(product, connection.settings.region or stack.REGION)
    if in_account:
        ask(connection, product, told, as_json)
        return
    if as_json:
        print(json.dumps([asdict(checked) for checked in told]))
    else:
        for line in lines(told):
            print(line)
    if any(checked.findings for checked in told):
        raise typer.Exit(1)


def lines(told: list[Checked]) -> list[str]:
    """What each check looked at, then every finding."""
    shown = [
        f"{checked.name:<16} {'ok  ' if not checked.findings else f'{len(checked.findings):<4}'} "
        f"{checked.looked_at}"
        for checked in told
    ]
    return shown + [finding.text() for checked in told for finding in checked.findings]


def ask(connection: Connection, product: Product, told: list[Checked], as_json: bool) -> None:
    """The checks, then every look as it is made, then what is left to a run."""
    from rebuy.validation import account

    made = []
    if not as_json:
        print("\n".join(lines(told)) + f"\n\nat {connection.where}:")
    for look in account.validate(connection, product):
        made.append(look)
        if not as_json:
            print("\n".join(look.text()), flush=True)
    if as_json:
        shown = {"checks": [asdict(one) for one in told], "looks": [asdict(one) for one in made]}
        print(json.dumps(shown | {"only_a_run": account.ONLY_A_RUN}))
    else:
        print("\nOnly a run can prove:")
        print("\n".join(f"  {line}" for line in account.ONLY_A_RUN))
    if any(checked.findings for checked in told) or any(look.wrong for look in made):
        raise typer.Exit(1)
