"""The form: examples, fields with limits, numbers that follow from others, and the reasons."""

from __future__ import annotations

import json
import math
import re

import pytest
from playwright.sync_api import Page, expect

from inference import features
from tests.model.trained import EXAMPLE_LINE, Trained
from tests.site.conftest import SITE


def field(page: Page, name: str):
    return page.locator(f"#field-{name}")


def test_clicking_an_example_fills_the_form_and_answers(page: Page) -> None:
    page.get_by_role("button", name="A weekly staple").click()

    expect(page.locator("#verdict")).to_have_text("Likely to buy it again")
    expect(page.locator("#words")).to_have_text(re.compile(r"^About \d+ in 100 such customers"))
    expect(field(page, "up_orders")).to_have_value("16")
    expect(page.locator("#mark-label")).to_have_text(re.compile(r"^likely from \d+\.\d %$"))


def test_defaults_are_sensible_enough_to_be_answered_at_once(page: Page) -> None:
    page.get_by_role("button", name="Predict").click()

    expect(page.locator("#verdict")).to_be_visible()
    expect(page.get_by_role("alert")).to_be_hidden()


def test_chart_shows_the_models_own_contributions(page: Page, trained: Trained) -> None:
    with page.expect_response("**/predict?explain=true") as answered:
        page.get_by_role("button", name="Tried once, long ago").click()
    told = answered.value.json()
    sizes = sorted(told["explanation"]["contributions"].values(), key=abs, reverse=True)

    expect(page.locator("#chart tbody tr")).to_have_count(9)  # eight, and the others together
    shown = page.locator("#chart td.factor").all_text_contents()
    for text, size in zip(shown[:8], sizes[:8], strict=True):
        sign = "×" if size > 0 else "÷"
        times = math.exp(abs(size))
        assert text == ("none" if times < 1.005 else f"{sign} {times:.2f}")
    classes = page.locator("#chart rect").evaluate_all("all => all.map(r => r.className.baseVal)")
    assert classes[:8] == ["up" if size > 0 else "down" for size in sizes[:8]]
    start = 1 / (1 + math.exp(-told["explanation"]["bias"]))
    expect(page.locator("#why-words")).to_contain_text(f"says {start * 100:.1f} %.")


def test_numbers_that_follow_from_others_are_worked_out(page: Page) -> None:
    field(page, "up_orders").fill("5")

    expect(field(page, "up_order_rate")).to_have_value("0.25")
    expect(field(page, "up_order_rate")).not_to_be_editable()
    page.get_by_label("Work these four out for me").uncheck()
    field(page, "up_order_rate").fill("0.5")
    with page.expect_request("**/predict*") as asked:
        page.get_by_role("button", name="Predict").click()
    assert asked.value.post_data.split(",")[15] == "0.5"


def test_wrong_field_is_named_in_place_and_focused(page: Page) -> None:
    field(page, "user_reorder_ratio").fill("1.5")
    page.get_by_role("button", name="Predict").click()

    wrong = field(page, "user_reorder_ratio")
    expect(wrong).to_be_focused()
    expect(wrong).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#wrong-user_reorder_ratio")).to_have_text(
        "This is 1.5; accepted: a number from 0 to 1."
    )
    expect(page.get_by_role("alert")).to_contain_text("Customer's repeat share is 1.5")
    wrong.fill("0.5")
    expect(page.get_by_role("alert")).to_be_hidden()
    expect(wrong).not_to_have_attribute("aria-invalid", "true")


def test_numbers_that_contradict_each_other_are_noted(page: Page) -> None:
    field(page, "up_last_order").fill("21")

    expect(page.locator("#contradictions")).to_contain_text(
        "The last order with the product comes after the customer's latest."
    )
    page.get_by_role("button", name="Predict").click()
    expect(page.get_by_role("alert")).to_contain_text(
        "Orders since the last time cannot be worked out from the others."
    )


def test_complete_line_goes_along_between_form_and_paste(page: Page) -> None:
    page.get_by_role("tab", name="Paste a row").click()
    line = page.get_by_label("One line of 18 numbers")
    assert len(line.input_value().split(",")) == 18
    line.fill(EXAMPLE_LINE)
    page.get_by_role("tab", name="Describe it").click()

    expect(field(page, "user_period")).to_have_value("3418")
    with page.expect_request("**/predict*") as asked:
        page.get_by_role("button", name="Predict").click()
    assert asked.value.post_data == EXAMPLE_LINE


@pytest.mark.parametrize("key", ["low", "high", "whole"])
def test_limits_of_the_form_are_those_of_the_api(page: Page, key: str) -> None:
    told = page.evaluate(
        """async (key) => {
          const { FIELDS } = await import("./fields.js");
          return FIELDS.map((field) => [field.name, field[key]]);
        }""",
        key,
    )

    assert told == [[feature.name, getattr(feature, key)] for feature in features.FEATURES]


def test_every_field_says_what_it_means_and_in_which_unit(page: Page) -> None:
    for feature in features.FEATURES:
        unit, help_id = field(page, feature.name).get_attribute("aria-describedby").split()
        assert page.locator(f"#{unit}.unit").inner_text()
        assert len(page.locator(f"#{help_id}").inner_text()) > 20
    assert page.locator(".unit").count() == 18


def test_example_that_the_references_know_is_the_last_one() -> None:
    text = (SITE / "fields.js").read_text()
    found = "".join(json.loads(part) for part in re.findall(r'^ +("[\d.,]+")', text, re.M))
    assert found == EXAMPLE_LINE
