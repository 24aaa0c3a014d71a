"""A line of 18 numbers into the page: the answer, what can be wrong, an API that is not well."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.model.trained import EXAMPLE_LINE, Trained
from tests.site.conftest import SITE
from training.features import WIRE_FEATURES


def ask(page: Page, line: str) -> None:
    page.get_by_role("tab", name="Paste a row").click()
    page.get_by_label("One line of 18 numbers").fill(line)
    page.get_by_role("button", name="Predict").click()


def test_example_is_answered_with_verdict_probability_threshold_and_model(
    page: Page, trained: Trained
) -> None:
    expect(page.locator("#status")).to_have_text("Model run-1 is answering")

    page.get_by_role("tab", name="Paste a row").click()
    page.get_by_role("button", name="Use the example").click()
    assert page.get_by_label("One line of 18 numbers").input_value() == EXAMPLE_LINE
    expect(page.locator("#count")).to_have_text("18 of 18 values")
    page.get_by_role("button", name="Predict").click()

    expect(page.locator("#verdict")).to_have_text(re.compile("^(Likely|Unlikely) to buy it again$"))
    expect(page.locator("#probability")).to_have_text(re.compile(r"^\d+\.\d+ %$"))
    threshold = trained.read("evaluation.json")["challenger"]["threshold"]
    expect(page.locator("#threshold")).to_have_text(re.compile(rf"^{threshold * 100:.1f} %$"))
    expect(page.locator("#model")).to_have_text("run-1")
    expect(page.locator("#problem")).to_be_hidden()


@pytest.mark.parametrize(
    ("row", "verdict"), [(0, "Unlikely to buy it again"), (-1, "Likely to buy it again")]
)
def test_least_and_most_likely_holdout_rows_get_their_verdicts(
    page: Page, trained: Trained, row: int, verdict: str
) -> None:
    golden = trained.read("golden.json")

    ask(page, ",".join(map(repr, golden["rows"][row])))

    expect(page.locator("#verdict")).to_have_text(verdict)
    digits = 2 if golden["probabilities"][row] < 0.1 else 1
    shown = f"{golden['probabilities'][row] * 100:.{digits}f} %"
    expect(page.locator("#probability")).to_have_text(shown)


def test_keyboard_alone_is_enough(page: Page) -> None:
    expect(page.locator("#customer-examples button")).to_have_count(3)
    page.keyboard.press("Tab")
    expect(page.get_by_label("Customer number")).to_be_focused()
    for _ in range(5):  # the button and three examples follow
        page.keyboard.press("Tab")
    expect(page.get_by_role("tab", name="Describe it")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Paste a row")).to_be_focused()
    for _ in range(5):  # the line follows; from the form it already holds the form's numbers
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "example":
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Predict")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#verdict")).to_be_visible()

    page.keyboard.press("Shift+Tab")
    expect(page.get_by_label("One line of 18 numbers")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#verdict")).to_be_visible()


def test_wrong_value_is_named_marked_and_found(page: Page) -> None:
    ask(page, EXAMPLE_LINE.replace("3418", "soon"))

    problem = page.get_by_role("alert")
    expect(problem).to_contain_text('Value 3, user_period, is "soon", not a number')
    expect(page.get_by_label("One line of 18 numbers")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("tr.wrong")).to_contain_text("user_period")
    expect(page.locator("#answered")).to_be_hidden()

    problem.get_by_role("button", name="Go to value 3").click()
    page.keyboard.type("3418")
    assert page.get_by_label("One line of 18 numbers").input_value() == EXAMPLE_LINE
    expect(problem).to_be_hidden()


def test_several_wrong_values_are_listed(page: Page) -> None:
    ask(page, EXAMPLE_LINE.replace("3418", "-1").replace("1599", "many"))

    expect(page.get_by_role("alert")).to_contain_text("2 values need another look:")
    expect(page.get_by_role("alert").get_by_role("listitem")).to_have_text(
        [
            "Value 3, user_period, is -1; accepted: a number from 0 to 36600.",
            'Value 11, prod_orders, is "many", not a number; '
            "accepted: a whole number from 0 to 1000000000.",
        ]
    )
    expect(page.locator("tr.wrong")).to_have_count(2)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "Enter 18 numbers, or use the example."),
        ("1,2,3", "Row 1 has 3 values; accepted: 18. The first missing one is 4"),
        (f'{EXAMPLE_LINE}\n1,"2', "A quotation mark is opened and never closed."),
        ("<img src=x onerror=alert(1)>" + ",1" * 17, "onerror"),
    ],
)
def test_lines_that_are_no_question_are_refused(page: Page, line: str, message: str) -> None:
    ask(page, line)

    expect(page.get_by_role("alert")).to_contain_text(message)
    expect(page.locator("#answered")).to_be_hidden()
    expect(page.locator("img")).to_have_count(0)


def test_api_that_is_down_is_said_and_asking_again_works(page: Page) -> None:
    page.route("**/predict*", lambda route: route.abort())
    ask(page, EXAMPLE_LINE)
    expect(page.get_by_role("alert")).to_contain_text("The API cannot be reached.")

    page.unroute("**/predict*")
    page.get_by_role("button", name="Predict").click()
    expect(page.locator("#verdict")).to_be_visible()
    expect(page.get_by_role("alert")).to_be_hidden()


def test_page_says_at_once_when_nothing_listens_at_the_api(
    browser: Any, site: tuple[str, Path]
) -> None:
    (site[1] / "config.json").write_text(json.dumps({"apiUrl": "http://127.0.0.1:9"}))
    page = browser.new_page()

    page.goto(site[0])

    expect(page.locator("#status")).to_have_text(
        "The API cannot be reached. Try again in a moment."
    )
    page.close()


def test_missing_endpoint_is_said_in_the_apis_words(
    browser: Any, site: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ENDPOINT_NAME")
    page = browser.new_page()

    page.goto(site[0])

    expect(page.locator("#status")).to_contain_text("ENDPOINT_NAME is not set")
    page.close()


def test_missing_config_is_said(browser: Any, site: tuple[str, Path]) -> None:
    (site[1] / "config.json").unlink()
    page = browser.new_page()

    page.goto(site[0])

    expect(page.locator("#status")).to_contain_text("config.json next to this page is missing")
    page.close()


def test_page_lists_the_features_in_the_order_of_the_line(page: Page) -> None:
    assert page.locator("#fields code").all_text_contents() == list(WIRE_FEATURES)


def test_slow_api_is_waited_for_and_said(page: Page) -> None:
    page.clock.install()
    held: list[Any] = []
    page.route("**/predict*", lambda route: held.append(route))
    ask(page, EXAMPLE_LINE)

    expect(page.get_by_role("button", name="Asking…")).to_have_attribute("aria-disabled", "true")
    page.clock.fast_forward(3_100)
    expect(page.locator("#progress-of-one")).to_contain_text("Still waiting")
    page.get_by_role("button", name="Asking…").click(force=True)  # asks nothing a second time
    assert len(held) == 1

    held[0].continue_()
    expect(page.locator("#verdict")).to_be_visible()
    expect(page.locator("#progress-of-one")).to_be_empty()
    expect(page.get_by_role("button", name="Predict")).to_be_visible()


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (429, '{"message": "Too Many Requests"}', "Too many requests at once. Wait a second"),
        (500, '{"message": "Internal Server Error"}', "The API failed. Try again in a moment."),
        (503, "<html>", "The API is busy. Try again in a moment."),
        (418, "", "The API answered 418 without saying more."),
        (
            502,
            '{"detail": "The model failed.", "request_id": "r-7", "status": 502}',
            "The model failed.",
        ),
    ],
)
def test_answers_that_are_no_prediction_are_said_in_words(
    page: Page, status: int, body: str, said: str
) -> None:
    page.route(
        "**/predict*",
        lambda route: route.fulfill(
            status=status, body=body, headers={"access-control-allow-origin": "*"}
        ),
    )
    ask(page, EXAMPLE_LINE)

    expect(page.get_by_role("alert")).to_contain_text(said)
    if "r-7" in body:
        expect(page.get_by_role("alert")).to_contain_text("Request r-7")
    expect(page.locator("#answered")).to_be_hidden()


def test_model_from_before_explanations_is_answered_without_one(page: Page) -> None:
    page.route(
        "**/predict?explain=true",
        lambda route: route.fulfill(
            status=501,
            body='{"detail": "too old", "status": 501}',
            headers={"access-control-allow-origin": "*"},
        ),
    )
    ask(page, EXAMPLE_LINE)

    expect(page.locator("#verdict")).to_be_visible()
    expect(page.locator("#why")).to_be_hidden()


def test_page_says_which_model_answers_when_and_on_what_it_was_trained(
    page: Page, trained: Trained
) -> None:
    about = page.get_by_role("region", name="About the model")
    expect(about).to_contain_text("run-1")
    rows = trained.read("evaluation.json")["rows"]["training"]
    expect(about).to_contain_text(f"{rows:,} customer–product pairs of 300 customers")
    expect(about).to_contain_text("UTC")
    expect(about).to_contain_text("XGBoost 3.0.5, 18 features")
    href = about.get_by_role("link", name="its description").get_attribute("href")
    assert href and page.request.get(href).json()["openapi"] == "3.1.0"


def test_site_takes_nothing_from_another_host() -> None:
    for file in SITE.iterdir():
        links = re.findall(r"https?://[^\s\"'*;)]+", file.read_text())
        assert [x for x in links if not x.startswith("http://www.w3.org/")] in (
            [],
            ["http://127.0.0.1:", "http://localhost:"],
            ["https://…"],
        ), file.name
