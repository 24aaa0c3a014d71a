"""Options that several commands share, and what they are connected to."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, ParamSpec, TypeVar

import typer

if TYPE_CHECKING:
    from configuration.connection import Connection
    from configuration.mapping import Mapping
    from configuration.settings import Settings

P = ParamSpec("P")
R = TypeVar("R")

EndpointUrl = Annotated[
    str | None, typer.Option("--endpoint-url", help="Where the AWS API is; default: AWS itself.")
]
Profile = Annotated[str | None, typer.Option("--profile", help="Profile of the AWS credentials.")]
Region = Annotated[
    str | None, typer.Option("--region", help="AWS region; default: the profile's own.")
]
Stage = Annotated[
    str | None,
    typer.Option(
        "--stage", help="A stage that rebuy.toml has, as stages.NAME; default: $REBUY_STAGE."
    ),
]
Home = Annotated[Path, typer.Option("--home", help="State folder of the local AWS.")]
MappingFile = Annotated[
    Path | None,
    typer.Option("--mapping", help="How your own files are read; default: `source` in rebuy.toml."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of executions for the shell's completion; none where there is no way to them."""
    try:
        connection = connect(**{name: ctx.params.get(name) for name in CONNECTION})
        newest = connection.client("stepfunctions").list_executions(
            stateMachineArn=stack_outputs(connection)["StateMachineArn"], maxResults=100
        )
        known = ["latest", *(each["name"] for each in newest["executions"])]
    except Exception:
        known = ["latest"]  # a shell that waits for words has no use for an error
    return [name for name in known if name.startswith(incomplete)]


Execution = Annotated[str, typer.Argument(help="ARN, name, or `latest`.", autocompletion=names)]
Port = Annotated[
    int | None,
    typer.Option(help="Port of the local AWS; 0: any free one. Default: its last one, or 4566."),
]
DEFAULT_HOME = Path(".localaws")
CONNECTION = {
    "stage": Stage,
    "endpoint_url": EndpointUrl,
    "profile": Profile,
    "region": Region,
}


def connected(command: Callable[Concatenate[Connection, P], R]) -> Callable[..., R]:
    """A command with --stage, --endpoint-url, --profile and --region: its first parameter is the
    connection that they make."""
    hints = typing.get_type_hints(command, localns={"Connection": Any}, include_extras=True)
    _, *own = inspect.signature(command).parameters.values()

    @functools.wraps(command)
    def run(**values: Any) -> R:
        connection = connect(**{name: values.pop(name) for name in CONNECTION})
        return command(connection, **values)  # type: ignore[call-arg]

    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [p.replace(kind=keyword, annotation=hints[p.name]) for p in own] + [
        inspect.Parameter(name, keyword, default=None, annotation=option)
        for name, option in CONNECTION.items()
    ]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    return run


def settings(**flags: Any) -> Settings:
    from configuration.settings import read

    return read(**flags)


def with_mapping(connection: Connection, file: Path | None) -> Connection:
    """The same connection, with the mapping of `file`, if there is one."""
    from configuration.connection import Connection

    if file is None:
        return connection
    return Connection(connection.settings.model_copy(update={"source": read_mapping(file)}))


def read_mapping(file: Path | None) -> Mapping | None:
    from configuration.mapping import load

    return None if file is None else load(file)


def connect(**flags: str | None) -> Connection:
    from configuration.connection import Connection

    return Connection(settings(**flags))


def stack_outputs(connection: Connection) -> dict[str, str]:
    from infrastructure import stack

    return stack.stack_outputs(connection)
