"""`rebuy demo`: the whole chain on this machine, from nothing to a prediction."""

from __future__ import annotations

import contextlib
import os
import sys
import time
import webbrowser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from configuration.connection import Connection
from configuration.errors import RunError
from configuration.settings import Settings
from executions.cause import message
from rebuy.cli import (
    console_process,
    following,
    local,
    prediction,
    raw_files,
    records,
    refusals,
    runs,
)
from rebuy.cli.console import heading, say, seconds

WAIT_SCALE = 0.02  # the workflow's waits are for AWS's pace: 15 s become 0.3 s
# The reference's example: a product bought once, 46 orders ago.
EXAMPLE = (
    "1,6.67578125,3418,209,0.595703125,514,10.0,11,57,11,1599,0.1498791297340854,"
    "1.2884770346494763,0.22388993120700437,9.017543859649123,0.017543859649122806,46,"
    "0.02127659574468085"
)

Json = dict[str, Any]


def run(
    settings: Settings,
    home: Path,
    port: int | None,
    users: int,
    data: Path | None,
    serve: bool,
    open_browser: bool = False,
) -> Json:
    """Everything, with progress on standard error; what `--json` prints.

    Raises RebuyError when any part was not done. Without `serve` a local AWS that was started
    here is stopped again, whatever happened; with it, the console stays as long as that does.
    """
    began = time.monotonic()
    if data is not None:
        raw_files.check_there(settings, data)
    already = local.find(home) is not None
    heading("Local AWS")
    server = local.up(home, port, WAIT_SCALE)
    say(f"{'runs already' if already else 'started'} at {server.url}, state in {home}")
    for sentence in local.troubles(server).sentences():
        say(sentence)
    try:
        connection = Connection(settings.model_copy(update={"endpoint_url": server.url}))
        console = console_process.up(home) if serve else None
        if console is not None:
            say(f"console at {console.url}")
        result = _chain(connection, home, users, data, console, open_browser)
    finally:
        if not serve and not already:
            local.down(home)
            say("local AWS stopped")
    result["seconds"] = round(time.monotonic() - began, 1)
    return result


def _chain(
    connection: Connection,
    home: Path,
    users: int,
    data: Path | None,
    console: console_process.ConsoleProcess | None,
    open_browser: bool,
) -> Json:
    from infrastructure import deploy

    heading("Deploy")
    # The demo starts its run itself, and its upload must not start a second one.
    deployment = deploy.deploy(_with_trigger(connection, "DISABLED"), say)
    outputs = deployment.outputs
    heading("Data")
    folder = (
        data if data is not None else raw_files.generate(users, home / "data" / f"users-{users}")
    )
    raw_files.upload(connection, folder, outputs["RawBucket"])
    heading("Run")
    arn = runs.start(
        connection, outputs["LiveAliasArn"], "{}", f"demo-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
    )
    if console is not None:
        watch_in_browser(console.of_execution(arn), open_browser)
    following.follow(connection, arn, outputs["LakeBucket"])
    execution = runs.describe(connection, arn)
    refused = refusals.told(connection, execution)
    if execution["status"] != "SUCCEEDED" or refused:
        failed = f"{execution.get('error')}: {message(execution.get('cause'))}"
        why = [*([failed] if "error" in execution else ()), *refused]
        raise RunError("\n".join([f"Execution {arn} is {execution['status']}.", *why]))
    record = records.find(connection, arn)
    gate, live = record.content["gate"], record.content["endpoint"]["after"]
    # A model that the gate keeps back, of few customers say, is not asked: nothing may be live.
    answer = prediction.predict(outputs["ApiUrl"], EXAMPLE) if live["endpoint_config"] else None
    if connection.settings.upload_trigger == "ENABLED":
        heading("Upload trigger")
        deploy.deploy(connection, say)  # from now on, new files below raw/ start a run
    return {
        "status": execution["status"],
        "execution_arn": arn,
        "seconds": 0.0,
        "definition_sha256": deployment.definition_sha256,
        "api_url": outputs["ApiUrl"],
        "site_url": outputs["SiteUrl"],
        "console_url": console and console.url,
        "metrics": record.content["metrics"]["challenger"] and _figures(record.content),
        "gate": gate and gate["reason"],
        "prediction": answer,
        "audit_uri": record.uri,
    }


def watch_in_browser(url: str, open_browser: bool) -> None:
    """Says where the execution can be watched, and opens it where a person sits before it."""
    say(f"watch it at {url}")
    if not open_browser or not sys.stderr.isatty():
        return
    if sys.platform == "linux" and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return
    with contextlib.suppress(webbrowser.Error, OSError):
        webbrowser.open(url)


def _with_trigger(connection: Connection, state: str) -> Connection:
    return Connection(connection.settings.model_copy(update={"upload_trigger": state}))


def _figures(record: Json) -> Json:
    """The scores without their curves."""
    return {
        name: value
        for name, value in record["metrics"]["challenger"].items()
        if isinstance(value, int | float)
    }


def show(result: Json) -> None:
    """The addresses, the model's figures and one prediction."""
    heading("Result")
    for name, value in result["metrics"].items():
        say(f"{name:<20} {value:.4f}")
    answer = result["prediction"]
    if answer is None:
        say(f"no prediction, since nothing is live. {result['gate']}")
    else:
        will = "will buy it again" if answer["will_buy"] else "will not buy it again"
        say(
            f"example: {will} (probability {answer['probability']:.4f},"
            f" threshold {answer['threshold']:.4f}, model {answer['model']})"
        )
    say(f"audit record         {result['audit_uri']}")
    say(f"API                  {result['api_url']}/predict")
    say(f"web page             {result['site_url']}")
    if result["console_url"]:
        say(f"console              {result['console_url']}")
    heading(f"{result['status']} in {seconds(result['seconds'])}")
