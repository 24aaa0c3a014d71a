"""The command line as a person finds it: groups of commands, an example of each, the version."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import metadata
from typing import Any

import typer

# group -> command -> examples
GROUPS: dict[str, dict[str, tuple[str, ...]]] = {
    "Try it": {
        "demo": ("rebuy demo", "rebuy demo --users 300 --no-serve --json"),
        "predict": (
            "rebuy predict 2,8.5,120,40,0.6,100,3.1,1,12,11,900,0.4,1.6,0.5,8.3,0.2,1,0.2",
        ),
        "baskets": ("rebuy baskets --customer 17 --top 10", "rebuy baskets --csv baskets.csv"),
        "models": (
            "rebuy models",
            "rebuy models --approve 3 --because 'looked at it'",
            "rebuy models --roll-back",
        ),
        "new": ("rebuy new my-pipeline",),
        "console": (
            "rebuy console --endpoint-url http://127.0.0.1:4566",
            "rebuy console --read-only",
        ),
    },
    "Build and deploy": {
        "validate": ("rebuy validate",),
        "cost": ("rebuy cost",),
        "definition": ("rebuy definition --format svg > workflow.svg", "rebuy definition --write"),
        "deploy": (
            "rebuy deploy --profile work --region eu-west-1",
            "rebuy deploy --permissions",
        ),
        "rollback": ("rebuy rollback --list", "rebuy rollback 3"),
        "destroy": ("rebuy destroy",),
    },
    "Executions": {
        "start": (
            "rebuy start --wait",
            """rebuy start --input '{"publish": "never"}'""",
            "rebuy start --inject 'Join features: Glue.ConcurrentRunsExceededException x2'",
        ),
        "status": ("rebuy status --limit 50 --status FAILED", "rebuy status latest --json"),
        "watch": ("rebuy watch", "rebuy watch latest --json | jq .state"),
        "stop": ("rebuy stop latest",),
        "redrive": (
            "rebuy redrive latest --wait",
            "rebuy redrive latest --with-code script --with-code functions",
        ),
        "replay": ("rebuy replay latest --definition changed.asl.json",),
        "parity": (
            "rebuy parity",
            "rebuy parity --profile work",
            "rebuy parity --guesses",
        ),
        "diff": ("rebuy diff monday tuesday", "rebuy diff monday latest --json"),
        "audit": ("rebuy audit latest --verify", "rebuy audit latest --html report.html"),
    },
    "Data and the local AWS": {
        "data": (),
        "local": (),
        "iam": (),
        "support": ("rebuy support",),
    },
}
EXIT_CODES = {
    0: "well",
    1: "refused, not reached, or an execution that did not succeed",
    2: "the command line itself is wrong; `audit --verify`: something was not reached",
    3: "`audit --verify`: a hash differs",
    130: "interrupted",
}


def arrange(app: typer.Typer) -> None:
    """Puts every command into its group, with its examples below its help."""
    place = {name: group for group, commands in GROUPS.items() for name in commands}
    examples = {name: each for commands in GROUPS.values() for name, each in commands.items()}
    for name, info in _commands(app):
        info.rich_help_panel = place.get(name, "Other")
        if examples.get(name):
            info.epilog = "\n\n".join(["For example:", *(f"  {line}" for line in examples[name])])


def _commands(app: typer.Typer) -> Iterator[tuple[str, Any]]:
    for command in app.registered_commands:
        function = command.callback
        yield command.name or getattr(function, "__name__", "").replace("_", "-"), command
    for group in app.registered_groups:
        if group.name:
            yield group.name, group
        elif group.typer_instance is not None:
            yield from _commands(group.typer_instance)


def version() -> str:
    """The package's version, and which workflow it holds."""
    from workflows import purchase_prediction

    digest = purchase_prediction.definition_sha256(purchase_prediction.GOLDEN.read_bytes())
    return f"rebuy {metadata.version('rebuy')}, definition {digest[:12]}"


def print_version(wanted: bool) -> None:
    if wanted:
        print(version())
        raise typer.Exit
