"""`rebuy`: the commands. Each loads what it needs when it is called, so that help is quick."""

from __future__ import annotations

import json
import os
import shlex
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from configuration.errors import NoRegionError, RebuyError
from rebuy.cli import (
    costs,
    deployment,
    executions,
    manual,
    parity,
    proxies,
    redriving,
    replay,
    validation,
)
from rebuy.cli import data as data_commands
from rebuy.cli.options import (
    DEFAULT_HOME,
    AsJson,
    Home,
    MappingFile,
    Port,
    Yes,
    connected,
    read_mapping,
    settings,
)
from tasks.errors import DefinitionError

if TYPE_CHECKING:
    from configuration.connection import Connection

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: "
    + "; ".join(f"{code}: {said}" for code, said in manual.EXIT_CODES.items()),
)
local_app = typer.Typer(help="The local AWS on this machine.", no_args_is_help=True)
iam_app = typer.Typer(help="Permissions in the local AWS.", no_args_is_help=True)
app.add_typer(local_app, name="local")
app.add_typer(iam_app, name="iam")
app.add_typer(data_commands.app, name="data")


class Form(StrEnum):
    """What `rebuy definition` prints."""

    JSON = "json"
    SVG = "svg"
    MERMAID = "mermaid"
    DOT = "dot"


SUPPORT_MATRIX = Path(__file__).resolve().parents[2] / "docs" / "support-matrix.md"


@app.callback()
def rebuy(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=manual.print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Raw order files to a live purchase prediction, as one Step Functions workflow."""


def main() -> None:
    """The entry point: errors of ours are one message and exit code 1, without a traceback."""
    os.environ.update(proxies.passed_by(os.environ))
    try:
        app()
    except NoRegionError as error:
        print(f"rebuy: {error}{_local_aws()}", file=sys.stderr)
        sys.exit(1)
    except (RebuyError, DefinitionError) as error:
        print(f"rebuy: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("rebuy: interrupted", file=sys.stderr)
        sys.exit(130)
    except Exception as error:
        if not is_client_error(error):
            raise
        print(f"rebuy: {error}", file=sys.stderr)
        sys.exit(1)


def _local_aws() -> str:
    """What whoever meant the local AWS of this folder should do, where one runs."""
    from rebuy.cli import local, local_env

    if not DEFAULT_HOME.exists() or local.find(DEFAULT_HOME) is None:
        return ""
    line = local_env.evaluate(DEFAULT_HOME)
    return f"\nThe local AWS of this folder runs; commands reach it after\n  {line}"


def is_client_error(error: Exception) -> bool:
    """Whether AWS (or the way to it) refused: the message says all there is to say."""
    if "botocore" not in sys.modules:
        return False
    from botocore.exceptions import BotoCoreError, ClientError

    return isinstance(error, BotoCoreError | ClientError)


@app.command()
def demo(
    users: Annotated[int, typer.Option(help="Users of the generated data.")] = 2000,
    data: Annotated[Path | None, typer.Option(help="A folder of raw files instead.")] = None,
    mapping: MappingFile = None,
    serve: Annotated[
        bool, typer.Option("--serve/--no-serve", help="Leave the local AWS running.")
    ] = True,
    browser: Annotated[
        bool, typer.Option("--open/--no-open", help="Show the run in a browser, if there is one.")
    ] = True,
    as_json: AsJson = False,
    home: Home = DEFAULT_HOME,
    port: Port = None,
) -> None:
    """Run the whole chain on this machine: deploy, data, one execution, one prediction."""
    from rebuy.cli import demo as chain
    from rebuy.cli import local_env
    from rebuy.cli.console import err

    defaults = settings(endpoint_url="http://127.0.0.1", source=read_mapping(mapping))
    if defaults.source is not None and data is None:
        raise typer.BadParameter("a mapping needs --data, the files it is for", param_hint="--data")
    result = chain.run(defaults, home, port, users, data, serve, browser and not as_json)
    chain.show(result)
    if serve:
        err.print("The local AWS and the console go on running. Your shell reaches them after")
        err.print(f"  {local_env.evaluate(home)}", markup=False, soft_wrap=True)
        err.print(f"`rebuy local down{local_env.option(home)}` stops them.", soft_wrap=True)
    if as_json:
        print(json.dumps(result))


@app.command()
def definition(
    form: Annotated[
        Form, typer.Option("--format", help="As it is deployed, or as a picture of it.")
    ] = Form.JSON,
    file: Annotated[
        Path | None, typer.Option(help="Another definition in the Amazon States Language.")
    ] = None,
    states: Annotated[
        bool, typer.Option("--states", help="An SVG of every state, not of the stages.")
    ] = False,
    write: Annotated[
        bool, typer.Option("--write", help="Update the checked-in definition and its picture.")
    ] = False,
) -> None:
    """Print the workflow in the Amazon States Language, as it is deployed, or draw it."""
    from rebuy.cli import pictures
    from workflows import purchase_prediction as workflow

    if write and (file or states or form is not Form.JSON):
        raise typer.BadParameter("it goes with no other option", param_hint="--write")
    if states and form is not Form.SVG:
        raise typer.BadParameter("it goes with --format svg", param_hint="--states")
    content = file.read_bytes() if file else workflow.definition_bytes()
    if write:
        workflow.GOLDEN.write_bytes(content)
        print(f"{workflow.definition_sha256(content)}  {workflow.GOLDEN.name}")
        pictures.IMAGE.parent.mkdir(exist_ok=True)
        pictures.IMAGE.write_text(pictures.draw(content, Form.SVG))
        print(pictures.IMAGE.relative_to(SUPPORT_MATRIX.parents[1]))
    elif form is Form.JSON:
        sys.stdout.write(content.decode())
    else:
        sys.stdout.write(pictures.draw(content, form, states=states))


app.add_typer(deployment.app)
app.add_typer(executions.app)
app.add_typer(redriving.app)
app.add_typer(parity.app)
app.add_typer(replay.app)
app.add_typer(validation.app)
app.add_typer(costs.app)


@app.command()
@connected
def console(
    connection: Connection,
    port: Annotated[int, typer.Option(help="Of this page; 0: any free one.")] = 4580,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Look; start and stop nothing.")
    ] = False,
) -> None:
    """Serve a page on this machine to start, watch and understand executions."""
    from console.server import serve

    _ = connection.region  # says at once when there is none
    try:
        serve(
            connection.clients,
            port=port,
            read_only=read_only,
            ready=lambda url: print(url, flush=True),
        )
    except OSError as error:
        raise RebuyError(f"Port {port}: {error.strerror}; choose another with --port.") from error


@app.command()
def new(
    folder: Annotated[Path, typer.Argument(help="A folder to make; its name is the pipeline's.")],
) -> None:
    """Begin a workflow of your own: a crawler, a CTAS and a Glue job, with data and a test."""
    from rebuy.cli import new as own

    for file in own.make(folder):
        print(file)


@app.command()
def support(
    write: Annotated[
        bool, typer.Option("--write", help="Update docs/support-matrix.md of this checkout.")
    ] = False,
) -> None:
    """Print what the local AWS does and refuses: services, operations, parameters."""
    from localaws import support as matrix

    content = matrix.current()
    if write:
        SUPPORT_MATRIX.write_text(content)
        print(SUPPORT_MATRIX)
    else:
        sys.stdout.write(content)


@local_app.command("up")
def local_up(
    home: Home = DEFAULT_HOME,
    port: Port = None,
    wait_scale: Annotated[
        float, typer.Option(min=0, max=1, help="Multiplies the workflow's waits; 1: as on AWS.")
    ] = 1.0,
    open_to_all: Annotated[
        bool,
        typer.Option(
            "--open", help="Accept any credentials: whoever reaches the port may do everything."
        ),
    ] = False,
    policies: Annotated[
        str,
        typer.Option(
            help="What becomes of IAM's policies: `enforce` them, `observe` (refusals are noted"
            " for `rebuy iam report`, and not made), or `off`."
        ),
    ] = "enforce",
) -> None:
    """Start the local AWS in the background. Other clients: `eval "$(rebuy local env)"`."""
    from rebuy.cli import local
    from rebuy.cli.console import say

    server = local.up(home, port, wait_scale, accept_any_key=open_to_all, policies=policies)
    use = shlex.join(["rebuy", "local", "env", "--home", str(home.resolve())])
    print(f'{server.url}\neval "$({use})"')
    for sentence in local.troubles(server).sentences():
        say(sentence)
    if open_to_all:
        say("any credentials are accepted: every user of this machine may do everything in it")


@local_app.command("env")
def local_env_(
    home: Home = DEFAULT_HOME,
    form: Annotated[str, typer.Option("--format", help="sh, dotenv or powershell.")] = "sh",
    profile: Annotated[
        str | None, typer.Option(help="Write this profile to your AWS files instead.")
    ] = None,
) -> None:
    """What other clients need: `eval "$(rebuy local env)"`."""
    from rebuy.cli import local_env

    if profile is None:
        print(local_env.lines(home, form))
        return
    files = local_env.write_profile(home, profile)
    print(f"profile {profile}: " + ", ".join(str(file) for file in files))


@local_app.command("down")
def local_down(home: Home = DEFAULT_HOME) -> None:
    """Stop it, and everything it started; its state stays."""
    from rebuy.cli import console_process, local

    console_process.down(home)
    print("stopped" if local.down(home) else "was not running")


@local_app.command("status")
def local_status(home: Home = DEFAULT_HOME) -> None:
    """Whether it runs, and where."""
    from rebuy.cli import console_process, local

    console = console_process.find(home)
    about = local.describe(home)
    if about["running"]:
        about["console_url"] = console.url if console else None
    print(json.dumps(about))


@local_app.command("reset")
def local_reset(
    home: Home = DEFAULT_HOME,
    yes: Yes = False,
) -> None:
    """Stop it and delete its state: buckets, tables, models, executions."""
    from rebuy.cli import console_process, local

    if not yes:
        typer.confirm(f"Delete everything in {home}?", abort=True)
    console_process.down(home)
    local.reset(home)
    print(f"{home} holds what this local AWS did not make" if home.exists() else f"{home} is gone")


@local_app.command("save")
def local_save(
    file: Annotated[Path, typer.Argument(help="The file that is written.")],
    home: Home = DEFAULT_HOME,
) -> None:
    """Write a stopped home into one file, which another machine loads."""
    from rebuy.cli import snapshots

    print(snapshots.save(home, file))


@local_app.command("load")
def local_load(
    file: Annotated[Path, typer.Argument(help="What `rebuy local save FILE` wrote.")],
    home: Home = DEFAULT_HOME,
) -> None:
    """Make an empty folder the home that was saved; `rebuy local up` goes on from there."""
    from rebuy.cli import snapshots

    print(snapshots.load(file, home))


@iam_app.command("report")
def iam_report(
    home: Home = DEFAULT_HOME,
    role: Annotated[str | None, typer.Option(help="Only roles with this in their names.")] = None,
    as_json: AsJson = False,
) -> None:
    """What each role used, what it may do and never did, and what it was refused."""
    from rebuy.cli import iam

    roles = iam.report(home, role)
    if as_json:
        print(iam.as_json(roles))
        return
    for line in iam.lines(roles):
        print(line)


manual.arrange(app)
