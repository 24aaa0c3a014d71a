"""A real local AWS in a process of its own, the console over it, and a headless browser."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from playwright.sync_api import Browser, Page

from executions.endpoint_key import local_keys
from tests.console.machines import ROLE

START_SECONDS = 90


@contextmanager
def running(module: str, *arguments: str) -> Iterator[str]:
    """`python -m module arguments` until the block ends; gives the URL that it prints."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
    )
    timer = threading.Timer(START_SECONDS, process.kill)
    timer.start()
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        timer.cancel()
        found = re.search(r"http://\S+", line)
        assert found, f"python -m {module} said {line!r}"
        yield found[0].rstrip(",/")
    finally:
        timer.cancel()
        process.terminate()
        process.wait(30)
        if process.stdout is not None:
            process.stdout.close()


@pytest.fixture(scope="session")
def localaws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("console") / "home"
    with running(
        "localaws", "--home", str(home), "--port", "0", "--wait-scale", "0.3", "--policies", "off"
    ) as url:
        yield url


@pytest.fixture(scope="session")
def console(localaws: str) -> Iterator[str]:
    with running("console", "--endpoint-url", localaws, "--port", "0") as url:
        yield url


@pytest.fixture(scope="session")
def filled(localaws: str) -> str:
    """The local AWS with the lake of tests/console/lake.py in it."""
    from tests.console import lake

    lake.fill(localaws)
    return localaws


def client(service: str, endpoint: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name="us-east-1",
        **local_keys(endpoint),
    )


@pytest.fixture(scope="session")
def step_functions(localaws: str) -> Any:
    return client("stepfunctions", localaws)


@pytest.fixture(scope="session")
def machine(step_functions: Any) -> Callable[[str, str], str]:
    """Creates a state machine; the same name again gives the same one."""
    made: dict[str, str] = {}

    def create(name: str, definition: str) -> str:
        if name not in made:
            answer = step_functions.create_state_machine(
                name=name, definition=definition, roleArn=ROLE
            )
            made[name] = answer["stateMachineArn"]
        return made[name]

    return create


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page whose errors, violations of the content security policy among them, fail the test."""
    context = browser.new_context(viewport={"width": 1360, "height": 850})
    context.set_default_timeout(60_000)
    opened = context.new_page()
    problems: list[str] = []
    # What AWS refuses the console answers with 502, which the browser notes as an error.
    refused = "status of 502" if "refused" in request.node.name else None

    def note(message: Any) -> None:
        if message.type == "error" and not (refused and refused in message.text):
            problems.append(message.text)

    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on("console", note)
    yield opened
    context.close()
    assert problems == []


AXE = Path(__file__).parent / "vendor/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
COLOURS = ["color-contrast", "link-in-text-block"]  # what the dark may change of a page


def violations(page: Page) -> list[str]:
    """What axe finds against WCAG 2 A and AA, in the light and in the dark, one line a rule."""
    page.evaluate(AXE.read_text())
    found = []
    for scheme, asked in (("light", RULES), ("dark", COLOURS)):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        told = page.evaluate("asked => axe.run(document, {runOnly: asked})", asked)
        for item in told["violations"]:
            places = [node["html"][:160] for node in item["nodes"][:3]]
            found.append(f"{scheme}: {item['id']}: {item['help']}: {places}")
    page.emulate_media(color_scheme="light")
    return found
