"""Who the console's server answers, what it refuses, and that it needs nothing but the AWS API."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import Page, expect
from starlette.testclient import TestClient

from console.server import application
from executions.clients import Clients, Target
from executions.events import Events, let_wait
from tests.console import machines
from tests.console.conftest import client, running

Create = Callable[[str, str], str]
STATIC = Path(__file__).parents[2] / "console" / "static"


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({"host": "rebound.example:80"}, "Host"),
        ({"origin": "http://elsewhere.example"}, "Origin"),
        ({"sec-fetch-site": "cross-site"}, "Another site"),
    ],
)
def test_other_sites_are_refused(console: str, headers: dict[str, str], why: str) -> None:
    answer = httpx.get(f"{console}/api/connection", headers=headers)

    assert answer.status_code == 403
    assert why in answer.json()["error"]["message"]


def test_a_form_cannot_start_anything(console: str) -> None:
    answer = httpx.post(f"{console}/api/start", data={"machine": "x"})

    assert answer.status_code == 403
    assert "Only JSON" in answer.json()["error"]["message"]


def test_a_navigation_cannot_start_anything(console: str) -> None:
    """A form may claim to send JSON; a browser says that it navigates."""
    answer = httpx.post(
        f"{console}/api/start", json={"machine": "x"}, headers={"sec-fetch-mode": "navigate"}
    )

    assert answer.status_code == 403
    assert answer.json()["error"]["message"] == "Only JSON is taken."


@pytest.mark.parametrize(
    ("verb", "body", "words"),
    [
        ("preview", {"database": "shop"}, "table is missing; it is a str."),
        ("switch", {"kind": "rule", "name": "n", "group": "g", "on": 1}, "on is 1"),
        ("origins", {"arns": "arn"}, "arns is 'arn'; it is a list."),
        ("start", [1], "no JSON object"),
    ],
)
def test_a_request_of_another_form_is_refused_by_name(
    console: str, verb: str, body: Any, words: str
) -> None:
    answer = httpx.post(f"{console}/api/{verb}", json=body)

    assert answer.status_code == 400
    assert words in answer.json()["error"]["message"]


class OddClients(Clients):
    """An AWS whose tables lack a member that the console reads: a fault of the console."""

    def __call__(self, service: str) -> Any:
        class Odd:
            def get_tables(self, **_: Any) -> dict[str, Any]:
                return {"TableList": [{"StorageDescriptor": {"Columns": [{}]}}]}

        return Odd()


def test_a_fault_of_the_console_is_500_and_logged_not_refused(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = application(OddClients(Target(region="us-east-1")))
    visitor = TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False)

    answer = visitor.get("/api/tables", params={"database": "shop"})

    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "InternalError"
    with pytest.raises(KeyError):  # the server above gets the error itself, to log it
        TestClient(app, base_url="http://127.0.0.1").get("/api/tables?database=shop")


def test_page_may_load_from_here_only(console: str) -> None:
    policy = httpx.get(console).headers["content-security-policy"]

    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


def test_errors_of_aws_are_handed_on(console: str) -> None:
    answer = httpx.get(
        f"{console}/api/execution",
        params={"arn": "arn:aws:states:us-east-1:000000000000:execution:none:none"},
    )

    assert answer.status_code == 502
    assert answer.json()["error"]["code"] == "ExecutionDoesNotExist"


def test_read_only_console_starts_and_stops_nothing(localaws: str) -> None:
    with running("console", "--endpoint-url", localaws, "--port", "0", "--read-only") as url:
        for verb in ("start", "stop", "redrive"):
            answer = httpx.post(f"{url}/api/{verb}", json={"machine": "x", "execution": "x"})
            assert answer.status_code == 403
            assert "read-only" in answer.json()["error"]["message"]


def test_events_arrive_soon_after_they_happen(
    console: str, machine: Create, step_functions: Any
) -> None:
    started = step_functions.start_execution(stateMachineArn=machine("small", machines.small()))
    arn = started["executionArn"]
    seen, status = [], None
    with httpx.stream("GET", f"{console}/api/watch", params={"arn": arn}, timeout=60) as stream:
        for line in stream.iter_lines():
            if line.startswith("data: ["):
                seen += [event["id"] for event in json.loads(line[6:])]
            if line.startswith("data: {"):
                status = json.loads(line[6:]).get("status", status)

    assert status == "SUCCEEDED"
    assert seen == list(range(1, len(seen) + 1))


def test_local_endpoint_tells_of_news_without_being_polled(
    localaws: str, machine: Create, step_functions: Any
) -> None:
    waiting = {"StartAt": "Rest", "States": {"Rest": {"Type": "Wait", "Seconds": 3, "End": True}}}
    started = step_functions.start_execution(
        stateMachineArn=machine("waiting", json.dumps(waiting))
    )
    asked = client("stepfunctions", localaws)
    let_wait(asked)
    history = Events(asked, started["executionArn"])
    history.look(0)
    while history.events[-1]["type"] != "WaitStateEntered":
        history.look(0)

    assert history.wait(60)
    history.look(0)
    assert history.events[-1]["type"] == "ExecutionSucceeded"


def test_libraries_are_the_published_files() -> None:
    folder = STATIC / "vendor"
    listed = dict(
        reversed(line.split("  ", 1)) for line in (folder / "SHA256SUMS").read_text().splitlines()
    )
    found = {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.iterdir()
        if file.suffix in (".js", ".mjs")
    }

    assert found == listed


@pytest.fixture
def moto() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def test_page_works_over_another_endpoint(page: Page, moto: str) -> None:
    steps = client("stepfunctions", moto)
    arn = steps.create_state_machine(
        name="small", definition=machines.small(), roleArn=machines.ROLE.replace("0" * 12, "1" * 12)
    )["stateMachineArn"]
    started = steps.start_execution(stateMachineArn=arn, name="elsewhere")["executionArn"]
    with running("console", "--endpoint-url", moto, "--port", "0") as url:
        page.goto(url)
        page.get_by_role("link", name="elsewhere").wait_for()
        page.goto(f"{url}/#/execution/{quote(started, safe='')}")
        expect(page.locator('[data-state="Both"]')).to_be_visible(timeout=60_000)
        for tab in ("Timeline", "Events", "Input and output"):
            page.get_by_role("tab", name=tab).click()
        expect(page.locator(".problem")).to_have_count(0)
        page.goto(f"{url}/#/lake")
        expect(page.locator("main")).to_contain_text("The catalog has no database yet")
        page.goto(f"{url}/#/schedules")
        expect(page.locator("main")).to_contain_text("No schedule in this account")
        expect(page.locator(".problem")).to_have_count(0)
        page.goto("about:blank")  # moto leaves it running: stop watching before the server goes


def test_long_history_stays_usable(
    page: Page, console: str, machine: Create, step_functions: Any
) -> None:
    arn = step_functions.start_execution(
        stateMachineArn=machine("long", machines.long_loop(2400)), name="long"
    )["executionArn"]
    deadline = time.monotonic() + 120
    while step_functions.describe_execution(executionArn=arn)["status"] == "RUNNING":
        assert time.monotonic() < deadline
        time.sleep(0.2)
    began = time.monotonic()
    page.goto(f"{console}/#/execution/{quote(arn, safe='')}?tab=events")
    expect(page.locator(".events .bar")).to_contain_text("of 9,6", timeout=60_000)
    all_there = time.monotonic() - began
    rows = page.locator(".event-row[role=row]").count()
    page.locator(".events .scroll").evaluate("box => box.scrollTo(0, box.scrollHeight)")
    expect(page.locator(".row .event-row").last).to_contain_text("ExecutionSucceeded")
    print(f"9,600 events shown after {all_there:.2f} s")

    assert rows < 100


def test_page_names_every_module_that_it_loads(page: Page, console: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.removeprefix(console)))
    page.goto(console, wait_until="networkidle")
    expect(page.locator("header.top")).to_have_count(1)
    named = re.findall(r'"modulepreload" href="([^"]+)"', httpx.get(console).text)

    assert sorted(path for path in asked if path.endswith(("js", ".mjs"))) == sorted(named)
