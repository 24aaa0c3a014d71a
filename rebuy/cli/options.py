"""What the commands share: their options, and what they are connected to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rebuy.connection import Connection
    from rebuy.settings import Settings

EndpointUrl = Annotated[
    str | None, typer.Option("--endpoint-url", help="Where the AWS API is; default: AWS itself.")
]
Profile = Annotated[str | None, typer.Option("--profile", help="Profile of the AWS credentials.")]
Region = Annotated[str | None, typer.Option("--region", help="AWS region.")]
Home = Annotated[Path, typer.Option("--home", help="State folder of the local AWS.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Execution = Annotated[str, typer.Argument(help="ARN, name, or `latest`.")]
Port = Annotated[
    int | None,
    typer.Option(help="Port of the local AWS; 0: any free one. Default: its last one, or 4566."),
]
DEFAULT_HOME = Path(".localaws")


def settings(**flags: Any) -> Settings:
    from rebuy.settings import read

    return read(**flags)


def connect(endpoint_url: str | None, profile: str | None, region: str | None) -> Connection:
    from rebuy.connection import Connection

    return Connection(settings(endpoint_url=endpoint_url, profile=profile, region=region))


def stack_outputs(connection: Connection) -> dict[str, str]:
    from infrastructure.stack import stack_outputs as outputs

    return outputs(connection)
