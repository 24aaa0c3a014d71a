"""Stages first: the boxes that a person sees, in the page, the timeline, reports and pictures."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Browser, Page, expect

from console import drawing
from console.report import report
from executions import audit
from executions.clients import Clients, Target
from tests.console import machines
from tests.console.conftest import client, violations
from tests.console.test_page import execution, run

Create = Callable[[str, str], str]
BUCKET = "console-stages"
SLOW = 60_000
TITLES = ["Begin", "Read the file", "Finish"]


@pytest.fixture(scope="session")
def s3(localaws: str) -> Any:
    s3 = client("s3", localaws)
    s3.create_bucket(Bucket=BUCKET)
    return s3


@pytest.fixture(scope="session")
def machine_arn(s3: Any, machine: Create) -> str:
    return machine("staged", machines.staged(BUCKET))


@pytest.fixture
def failed(s3: Any, machine_arn: str, step_functions: Any, request: Any) -> str:
    """An execution that failed in its second stage."""
    s3.delete_object(Bucket=BUCKET, Key="input.json")
    name = re.sub(r"\W+", "-", f"failed-{request.node.name}")[:80]
    return run(step_functions, machine_arn, name)


def box(page: Page, title: str) -> Any:
    return page.locator(".board .stage", has_text=title)


def test_boxes_come_first_and_open_their_states(
    page: Page, console: str, s3: Any, machine_arn: str, step_functions: Any
) -> None:
    s3.put_object(Bucket=BUCKET, Key="input.json", Body=b"{}")
    arn = run(step_functions, machine_arn, "all-well")
    page.goto(execution(console, arn))

    expect(page.locator(".stage-title")).to_have_text(TITLES, timeout=SLOW)
    for title in TITLES:
        expect(box(page, title)).to_contain_text("succeeded")
    expect(box(page, "Read the file")).to_contain_text(re.compile(r"S3 · 2 states.*\$0", re.S))
    expect(page.locator("[data-state]")).to_have_count(0)

    box(page, "Read the file").get_by_role("button").click()
    expect(page.locator("[data-state]")).to_have_count(2, timeout=SLOW)
    expect(page.get_by_role("button", name="To 3 Finish")).to_be_visible()
    page.get_by_role("button", name="To 3 Finish").click()
    expect(page.locator('[data-state="Tidy"]')).to_be_visible(timeout=SLOW)
    page.get_by_role("button", name="All states").click()
    expect(page.locator("[data-state]")).to_have_count(6, timeout=SLOW)
    assert violations(page) == []


def test_boxes_are_reached_by_keyboard(page: Page, console: str, machine_arn: str) -> None:
    page.goto(f"{console}/#/definition/{machine_arn}")
    first = box(page, "Begin").get_by_role("button")
    first.focus(timeout=SLOW)
    page.keyboard.press("ArrowRight")
    expect(box(page, "Read the file").get_by_role("button")).to_be_focused()
    page.keyboard.press("End")
    expect(box(page, "Finish").get_by_role("button")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator('[data-state="Both"]')).to_be_visible(timeout=SLOW)
    page.keyboard.press("Escape")
    expect(page.locator(".board")).to_be_visible()


def test_a_failed_stage_says_why_and_is_redriven_from_there(
    page: Page, console: str, s3: Any, failed: str, step_functions: Any
) -> None:
    page.goto(execution(console, failed))
    stage = box(page, "Read the file")
    expect(stage).to_contain_text("S3.NoSuchKeyException", timeout=SLOW)
    expect(stage).to_contain_text("in Read")
    expect(box(page, "Finish")).to_contain_text("not reached")

    s3.put_object(Bucket=BUCKET, Key="input.json", Body=b"{}")
    stage.get_by_role("button", name="Redrive").click()
    expect(stage).to_contain_text("succeeded", timeout=SLOW)
    expect(box(page, "Finish")).to_contain_text("succeeded", timeout=SLOW)
    expect(stage).to_contain_text("↻1")
    expect(page.locator(".title")).to_contain_text("redriven 1×")
    assert step_functions.describe_execution(executionArn=failed)["status"] == "SUCCEEDED"

    box(page, "Read the file").get_by_role("button").first.click()
    page.locator('[data-state="Read"]').click(timeout=SLOW)
    details = page.get_by_role("complementary", name="State Read")
    expect(details).to_contain_text("2 attempts")  # both tries, the failed one with its cause
    expect(details).to_contain_text("S3.NoSuchKeyException")


def test_no_view_of_stages_has_a_violation_that_axe_finds(
    page: Page, console: str, failed: str
) -> None:
    page.goto(execution(console, failed))
    expect(box(page, "Read the file")).to_contain_text("Redrive", timeout=SLOW)
    assert violations(page) == []
    page.get_by_role("tab", name="Timeline").click()
    expect(page.locator(".stage-row")).to_have_count(3, timeout=SLOW)
    assert violations(page) == []


def test_the_timeline_is_grouped_by_stage(page: Page, console: str, failed: str) -> None:
    page.goto(execution(console, failed, "?tab=timeline"))
    rows = page.locator(".row .time-row")
    expect(rows).to_have_count(3, timeout=SLOW)
    row = page.get_by_role("button", name="2 Read the file")
    row.click()
    expect(row).to_have_attribute("aria-expanded", "true")
    expect(rows).to_have_count(4)
    expect(page.get_by_role("button", name="Read", exact=True)).to_be_visible()
    page.get_by_label("Filter states").fill("begin")
    expect(rows).to_have_count(1)


def test_the_overview_never_lies_over_the_graph(
    page: Page, console: str, machine: Create, browser: Browser
) -> None:
    page.set_viewport_size({"width": 700, "height": 420})
    page.goto(f"{console}/#/definition/{machine('small', machines.small())}")
    page.locator(".overview").wait_for(timeout=SLOW)
    frame, overview, tools = (
        page.locator(name).bounding_box() for name in (".frame", ".overview", ".graph-tools")
    )
    assert frame and overview and tools
    assert frame["x"] + frame["width"] <= overview["x"]
    assert tools["y"] + tools["height"] <= frame["y"] + 1


def test_the_report_opens_the_stage_that_failed(
    failed: str, localaws: str, browser: Browser, tmp_path: Path
) -> None:
    file = tmp_path / "report.html"
    file.write_text(report(Clients(Target(localaws)), failed).text)
    page = browser.new_page()
    page.goto(file.as_uri())

    expect(page.locator(".board .stage-title")).to_have_text(TITLES)
    expect(page.locator(".board li.failed")).to_contain_text("S3.NoSuchKeyException")
    opened = page.locator("details.stage-states[open]")
    expect(opened.locator("summary").first).to_contain_text("2 Read the file")
    assert page.locator(".board a").nth(1).get_attribute("href") == "#stage-2"
    assert violations(page) == []
    page.close()


def test_a_picture_shows_the_stages_and_on_request_the_states() -> None:
    definition = machines.staged(BUCKET)
    texts = {
        states: ElementTree.fromstring(drawing.svg(definition, states=states)) for states in (0, 1)
    }
    words = ["".join(tree.itertext()).replace("\n", " ") for _, tree in sorted(texts.items())]

    assert all(title in words[0] for title in TITLES)
    assert "3 stages: 1 Begin; 2 Read the file; 3 Finish." in words[0]
    assert "Tidy" not in words[0] and "Tidy" in words[1]
    assert float(texts[0].get("width", "")) < 620  # readable where a page is narrow


def test_a_record_reads_as_a_document(
    page: Page, console: str, s3: Any, failed: str, machine_arn: str, step_functions: Any
) -> None:
    """Of an execution that failed: its record is found by the state machine's tag."""
    described = step_functions.describe_execution(executionArn=failed)
    raw = {"key": "raw/a.csv", "bytes": 1, "version_id": "v1", "sha256": "0" * 64}
    record = {
        "status": "FAILED", "outcome": "failed", "error": "S3.NoSuchKeyException",
        "cause": "gone", "failed_state": "Read", "execution": {"arn": failed},
        "trigger": {"kind": "schedule", "schedule": {"arn": "a:schedule/default/nightly"}},
        "tries": [
            {"number": 1, "status": "TIMED_OUT", "failed_state": "Read"},
            {"number": 2, "status": "FAILED", "failed_state": "Read", "error": "E"},
        ],
        "inputs": [raw], "outputs": [], "states": [], "previous": None,
        "gate": {"publish": False, "reason": "It was not better.",
                 "challenger": {"auc": 0.5}, "champion": {"auc": 0.6}},
        "profiles": [
            {"name": "orders", "uri": "s3://b/p.json", "rows": 1234, "columns": 7,
             "duplicate_rows": 0, "rules": ["A week has seven days"], "compared_with": "monday",
             "drift": [{"column": "order_dow", "what": "share of 0", "before": "14.0%",
                        "now": "34.0%"}]},
        ],
    }  # fmt: skip
    key = f"audit/{described['startDate'].astimezone():%Y%m%dT%H%M%S}_x.json"
    s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(record).encode())
    tag = {"key": audit.TAG, "value": f"s3://{BUCKET}/audit/"}
    step_functions.tag_resource(resourceArn=machine_arn, tags=[tag])

    page.goto(execution(console, failed, "?tab=audit"))
    document = page.get_by_role("article", name="Audit record")
    expect(document.get_by_role("heading")).to_have_text(
        [
            "What came in",
            "What was done to it",
            "What was measured",
            "What went live",
            "Who or what decided",
            "The seal",
        ],
        timeout=SLOW,
    )
    expect(document).to_contain_text("Started by the schedule nightly.")
    expect(document).to_contain_text("At “Read”: S3.NoSuchKeyException gone")
    expect(document).to_contain_text("The gate kept it back. It was not better.")
    expect(document.get_by_role("row", name="AUC")).to_contain_text("0.50000.6000")
    expect(document.get_by_role("region", name="Profiles")).to_contain_text("orders1,234701")
    drift = document.get_by_role("region", name="Drift")
    expect(drift).to_contain_text("ordersorder_dowshare of 014.0%34.0%")
    expect(document).to_contain_text("is the first of its chain")
    expect(document.get_by_role("listitem").filter(has_text="Try 1")).to_contain_text("timed out")
    page.get_by_role("button", name="Verify every hash").click()
    expect(page.get_by_role("status")).to_contain_text("1 could not be reached", timeout=SLOW)
    expect(page.get_by_role("region", name="Hashes by kind")).to_contain_text("raw file")
    assert violations(page) == []
