"""The report of an execution and the notebook's graph, opened as people open them: from a file."""

from __future__ import annotations

import ast
import re
import time
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from console.drawing import DrawingError
from console.notebook import Graph
from console.report import MOST_PAYLOAD_CHARACTERS, report
from executions.clients import Clients, Target
from tests.console import machines
from tests.console.conftest import violations

Create = Callable[[str, str], str]
# A history of 10,000 events: what a browser opens at once, and well below what a ticket takes.
MOST_REPORT_BYTES = 5_000_000


@pytest.fixture
def offline(browser: Browser) -> Iterator[Page]:
    """A page without scripts and without a network: asking for anything fails the test."""
    context = browser.new_context(java_script_enabled=False)
    asked: list[str] = []
    context.on("request", lambda made: asked.append(made.url))
    yield context.new_page()
    context.close()
    assert [url for url in asked if not url.startswith("file:")] == []


def execution(step_functions: Any, machine: str, given: str = "{}", *, ended: bool = True) -> str:
    arn: str = step_functions.start_execution(stateMachineArn=machine, input=given)["executionArn"]
    deadline = time.monotonic() + 120
    while ended and step_functions.describe_execution(executionArn=arn)["status"] == "RUNNING":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return arn


def opened(page: Page, text: str, folder: Path) -> Page:
    (folder / "report.html").write_text(text)
    page.goto(f"file://{folder}/report.html")
    return page


def test_failed_execution_tells_its_cause_before_anything_else(
    offline: Page, localaws: str, step_functions: Any, machine: Create, tmp_path: Path
) -> None:
    arn = execution(
        step_functions, machine("lost", machines.failing("never-there")), '{"a": "<b>&"}'
    )

    page = opened(offline, report(Clients(Target(localaws)), arn).text, tmp_path)

    assert page.locator("h1 .pill").inner_text() == "failed"
    assert page.locator("h2").first.inner_text() == "Why it ended"
    first = page.locator(".failure").first.inner_text()
    assert "S3.NoSuchBucketException" in first and "does not exist" in first
    page.get_by_role("link", name="Read").click()
    state = page.locator("details.state[open]")
    assert "Read" in state.locator("summary").first.inner_text()
    assert '"a": "<b>&"' in page.locator("#data ~ details pre").first.inner_text()
    assert page.locator(".drawing .failed .box").count() == 1
    page.emulate_media(media="print")
    assert page.get_by_role("navigation").count() == 0


def test_succeeded_execution_shows_passes_retries_and_handled_errors(
    offline: Page, localaws: str, step_functions: Any, machine: Create, tmp_path: Path
) -> None:
    arn = execution(step_functions, machine("small", machines.small()))

    page = opened(offline, report(Clients(Target(localaws)), arn).text, tmp_path)

    told = {
        item.split("\n")[0] for item in page.locator("details.state > summary").all_inner_texts()
    }
    assert any(re.search(r"failed, handled Read nothing .* 1 retries", item) for item in told)
    assert any(re.search(r"Rest Wait .* 3 passes", item) for item in told)
    assert page.locator(".lanes rect.succeeded").count() >= 10
    # It took every way but the one from "Read nothing" to "Done".
    ways = page.locator(".drawing .line")
    assert ways.count() - page.locator(".drawing .line.taken").count() == 1
    page.get_by_text(re.compile(r"^\d+ events$")).click()
    assert page.locator(".events tbody tr").last.inner_text().split("\t")[3] == "ExecutionSucceeded"


def test_running_execution_says_that_it_goes_on(
    offline: Page, localaws: str, step_functions: Any, machine: Create, tmp_path: Path
) -> None:
    arn = execution(step_functions, machine("slow", machines.slow()), ended=False)
    page = opened(offline, report(Clients(Target(localaws)), arn).text, tmp_path)
    step_functions.stop_execution(executionArn=arn)

    assert page.locator("h1 .pill").inner_text() == "running"
    assert "the execution goes on" in page.locator("header").inner_text()


def test_ten_thousand_events_and_large_payloads_stay_a_file_that_opens(
    browser: Browser, localaws: str, step_functions: Any, machine: Create, tmp_path: Path
) -> None:
    large = '{"text": "' + "x" * 200_000 + '"}'
    arn = execution(step_functions, machine("long", machines.long_loop(2400)), large)

    text = report(Clients(Target(localaws)), arn).text

    assert text.count("<tr") > 9_600
    assert len(text.encode()) < MOST_REPORT_BYTES
    assert f"first {MOST_PAYLOAD_CHARACTERS:,} of 200,012 characters" in text
    page = browser.new_page()
    opened(page, text, tmp_path).get_by_role("heading", name="Events").wait_for()
    page.close()


def test_report_has_no_violation_that_axe_finds(
    browser: Browser, localaws: str, step_functions: Any, machine: Create
) -> None:
    arn = execution(step_functions, machine("small", machines.small()))
    text = report(Clients(Target(localaws)), arn).text.replace("<details", "<details open")
    page = browser.new_page()
    page.set_content(re.sub(r'<meta http-equiv="content-security-policy"[^>]*>', "", text))
    found = violations(page)
    page.close()

    assert found == []


class Tags(HTMLParser):
    """Which elements a text has, and where its attributes lead."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.leads: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.leads += [value or "" for name, value in attrs if name in ("href", "src")]


def test_notebook_shows_an_execution_in_colour_and_offline(
    localaws: str, step_functions: Any, machine: Create
) -> None:
    arn = execution(step_functions, machine("small", machines.small()))

    shown = Graph.of_execution(arn, endpoint_url=localaws, region="us-east-1")._repr_html_()

    tags = Tags(shown)
    assert "svg" in tags.names and "script" not in tags.names and tags.leads == []
    assert "SUCCEEDED</title>" in shown
    assert shown.count('class="succeeded state"') == 10 and 'class="caught state"' in shown


def test_notebook_shows_what_the_sdk_builds() -> None:
    from stepfunctions.workflow import Workflow

    from workflows import purchase_prediction as workflow

    built = Workflow("purchase", workflow.sdk.Chain([workflow.states()]), "arn:aws:iam::1:role/x")

    assert Graph(built, states=True).svg().count("<title") > 40
    assert Graph(workflow.definition()).svg() == Graph(workflow.GOLDEN).svg()
    with pytest.raises(DrawingError, match="int is no definition"):
        Graph(3)


def test_example_in_the_docs_runs(
    localaws: str, step_functions: Any, machine: Create, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Path(__file__).parents[2]
    monkeypatch.chdir(root)
    (example,) = re.findall(
        r"^```python\n(.*?)^```$", (root / "docs" / "console.md").read_text(), re.S | re.M
    )
    arn = execution(step_functions, machine("lost", machines.failing("never-there")))
    own = re.sub(r'"arn:[^"]*"', repr(arn), example).replace("http://127.0.0.1:4566", localaws)
    *_, last = ast.parse(own).body
    assert isinstance(last, ast.Expr)

    names: dict[str, Any] = {}
    exec(own, names)
    shown = eval(compile(ast.Expression(last.value), "console.md", "eval"), names)

    assert "FAILED</title>" in shown._repr_html_()


def test_two_graphs_of_one_document_keep_their_styles_apart() -> None:
    first, second = (Graph(text).svg() for text in (machines.small(), machines.failing()))

    ids = [set(re.findall(r' id="([^"]+)"', text)) for text in (first, second)]
    assert ids[0] and ids[0].isdisjoint(ids[1])
