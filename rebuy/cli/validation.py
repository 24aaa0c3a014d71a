"""`rebuy validate`: what AWS would refuse, found out before."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from rebuy.cli.options import AsJson

if TYPE_CHECKING:
    from rebuy.validation.checks import Checked

app = typer.Typer()


@app.command()
def validate(
    region: Annotated[str, typer.Option(help="Where it is to be deployed.")] = "us-east-1",
    as_json: AsJson = False,
) -> None:
    """Check the whole product without an account: data flow, requests, SQL, recipes, scripts,
    permissions, template."""
    from rebuy.validation import checks
    from rebuy.validation.product import Product

    told = checks.validate(Product.load(), region)
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
