"""The page in a real browser over a real local AWS: list, start, watch, look, stop, redrive."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.console import machines
from tests.console.conftest import client, violations

Create = Callable[[str, str], str]
SLOW = 60_000


def ended(step_functions: Any, arn: str) -> str:
    import time

    for _ in range(600):
        status: str = step_functions.describe_execution(executionArn=arn)["status"]
        if status != "RUNNING":
            return status
        time.sleep(0.1)
    raise AssertionError(f"{arn} does not end")


def run(step_functions: Any, machine: str, name: str, given: str = "{}") -> str:
    arn: str = step_functions.start_execution(stateMachineArn=machine, name=name, input=given)[
        "executionArn"
    ]
    ended(step_functions, arn)
    return arn


@pytest.fixture(scope="session")
def finished(step_functions: Any, machine: Create) -> str:
    return run(step_functions, machine("small", machines.small()), "finished", '{"why": "a test"}')


def execution(console: str, arn: str, query: str = "") -> str:
    return f"{console}/#/execution/{quote(arn, safe='')}{query}"


def state(page: Page, name: str) -> Any:
    return page.locator(f'[data-state="{name}"]')


def test_start_from_the_form_and_watch_to_the_end(
    page: Page, console: str, machine: Create
) -> None:
    arn = machine("small", machines.small())
    page.goto(f"{console}/#/machine/{quote(arn, safe='')}")
    page.get_by_role("button", name="Start execution").click()

    text = page.get_by_role("textbox", name="Input")
    text.fill('{"a": 1,\n "b": }')
    expect(page.locator("#input-note")).to_contain_text("Not JSON, line 2")
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_disabled()
    text.fill('{"a": 1}')
    page.get_by_role("button", name="Start", exact=True).click()

    expect(state(page, "Rest")).to_be_visible(timeout=SLOW)
    expect(page.locator("h1 .pill")).to_have_text("succeeded", timeout=SLOW)
    expect(state(page, "Done")).to_have_class(re.compile("succeeded"), timeout=SLOW)


def test_graph_says_how_every_state_went(page: Page, console: str, finished: str) -> None:
    page.goto(execution(console, finished))

    rest = state(page, "Rest")
    expect(rest).to_contain_text(re.compile("succeeded.*3 passes"), timeout=SLOW)
    handled = state(page, "Read nothing")
    expect(handled).to_contain_text(re.compile("failed, handled.*1 retries"))
    expect(state(page, "Each")).to_contain_text("2/2")
    for name in ("Begin", "Left", "Right end", "One", "Handled", "Done"):
        expect(state(page, name)).to_have_class(re.compile("succeeded"))


def test_state_shows_passes_attempts_errors_and_data(
    page: Page, console: str, finished: str
) -> None:
    page.goto(execution(console, finished))
    state(page, "Read nothing").click(timeout=SLOW)
    details = page.get_by_role("complementary", name="State Read nothing")

    expect(details.locator(".attempts li")).to_have_count(2)
    expect(details.locator(".failure").first).to_contain_text("NoSuchBucket")
    details.get_by_role("tab", name="Request").click()
    expect(details).to_contain_text("no-such-bucket-anywhere")
    details.get_by_role("tab", name="Input").click()
    expect(details).to_contain_text("round")
    details.get_by_role("tab", name="Definition").click()
    expect(details).to_contain_text("MaxAttempts")

    page.get_by_role("button", name="Fit").click()
    state(page, "Count").click()
    passes = page.get_by_label("Pass", exact=True)
    expect(passes.locator("option")).to_have_count(3)
    page.keyboard.press("Escape")
    expect(page.get_by_role("complementary")).to_have_count(0)


def test_keyboard_goes_from_state_to_state(page: Page, console: str, finished: str) -> None:
    page.goto(execution(console, finished))
    state(page, "Begin").wait_for(timeout=SLOW)
    state(page, "Begin").focus()
    page.keyboard.press("ArrowDown")
    expect(state(page, "Rest")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("complementary", name="State Rest")).to_be_visible()


def test_events_are_filtered_and_opened(page: Page, console: str, finished: str) -> None:
    page.goto(execution(console, finished, "?tab=events"))
    page.get_by_role("button", name="Problems").click()
    expect(page.locator(".event-row.bad")).to_have_count(2, timeout=SLOW)
    page.get_by_role("searchbox", name="Filter events").fill("TaskFailed")
    page.locator(".event-row.bad button").first.click()
    expect(page.get_by_role("complementary")).to_contain_text("taskFailedEventDetails")


def test_timeline_has_a_bar_for_every_pass(page: Page, console: str, finished: str) -> None:
    page.goto(execution(console, finished, "?tab=timeline"))
    page.get_by_role("searchbox", name="Filter states").fill("Rest")
    expect(page.locator(".row .span")).to_have_count(3, timeout=SLOW)


def test_running_execution_is_stopped(
    page: Page, console: str, machine: Create, step_functions: Any
) -> None:
    started = step_functions.start_execution(
        stateMachineArn=machine("slow", machines.slow()), name="to-stop"
    )
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(execution(console, started["executionArn"]))
    expect(state(page, "Sleep")).to_have_class(re.compile("running"), timeout=SLOW)
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("h1 .pill")).to_have_text("aborted", timeout=SLOW)
    expect(state(page, "Sleep")).to_have_class(re.compile("aborted"))


def test_failed_execution_is_redriven(
    page: Page, console: str, machine: Create, step_functions: Any, localaws: str
) -> None:
    arn = run(step_functions, machine("failing", machines.failing()), "to-redrive")
    page.goto(execution(console, arn))
    expect(state(page, "Read")).to_have_class(re.compile("failed"), timeout=SLOW)
    expect(page.locator(".ended")).to_contain_text("NoSuchBucket")

    s3 = client("s3", localaws)
    s3.create_bucket(Bucket="to-come")
    s3.put_object(Bucket="to-come", Key="later.txt", Body=b"here")
    page.get_by_role("button", name="Redrive").click()
    expect(page.locator("h1 .pill")).to_have_text("succeeded", timeout=SLOW)
    expect(state(page, "Read")).to_have_class(re.compile("succeeded"))


def test_two_executions_are_compared(
    page: Page, console: str, machine: Create, step_functions: Any, finished: str
) -> None:
    other = run(step_functions, machine("small", machines.small()), "other", '{"why": "another"}')
    page.goto(f"{console}/#/compare/{quote(finished, safe='')}/{quote(other, safe='')}")
    table = page.get_by_role("region", name="Comparison")
    expect(table.locator("tr.differs")).to_contain_text("another", timeout=SLOW)
    expect(table).to_contain_text("the same")
    expect(page.get_by_text("There is no audit record of finished and of other")).to_be_visible()


def test_no_view_has_a_violation_that_axe_finds(page: Page, console: str, finished: str) -> None:
    found = []
    page.goto(f"{console}/#/machine/{quote(machine_of(finished), safe='')}")
    page.get_by_role("link", name="finished", exact=True).wait_for()
    found += violations(page)
    page.get_by_role("button", name="Start execution").click()
    found += violations(page)
    for query in ("?state=Read nothing", "?tab=timeline", "?tab=events", "?tab=data"):
        page.goto(execution(console, finished, query))
        page.reload()
        page.locator(".canvas, .timeline .row, .events .row, .columns").first.wait_for()
        found += violations(page)

    assert found == []


def machine_of(execution_arn: str) -> str:
    return ":".join(execution_arn.replace(":execution:", ":stateMachine:").split(":")[:7])
