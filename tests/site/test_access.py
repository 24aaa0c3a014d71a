"""For everybody: axe finds nothing, at any width, in light and dark, in every state of the page."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

VENDOR = Path(__file__).with_name("vendor")
AXE = VENDOR / "axe.min.js"
COLOURS = ["color-contrast", "link-in-text-block"]  # what the dark may change of a page


def answered(page: Page) -> None:
    page.get_by_role("button", name="A weekly staple").click()
    expect(page.locator("#verdict")).to_be_visible()


def unlikely(page: Page) -> None:
    page.get_by_role("button", name="Tried once, long ago").click()
    expect(page.locator("#verdict")).to_be_visible()


def wrong(page: Page) -> None:
    page.locator("#field-up_orders").fill("x")
    page.locator("#field-user_orders").fill("0")
    page.get_by_role("button", name="Predict").click()
    expect(page.get_by_role("alert")).to_be_visible()


def pasted(page: Page) -> None:
    page.get_by_role("tab", name="Paste a row").click()
    page.get_by_label("One line of 18 numbers").fill("1,2,x")
    page.get_by_role("button", name="Predict").click()
    expect(page.get_by_role("alert")).to_be_visible()


def table(page: Page) -> None:
    page.get_by_role("tab", name="Upload a file").click()
    page.get_by_role("button", name="Try it with a sample").click()
    page.get_by_role("button", name="Why? Row 1", exact=True).click()
    expect(page.locator("#verdict")).to_be_visible()


def basket(page: Page) -> None:
    page.locator("#customer-examples button").last.click()
    page.locator("#others > summary").click()
    page.locator(".product summary").first.click()
    expect(page.locator(".product table.chart").first).to_be_visible()


def no_customer(page: Page) -> None:
    page.get_by_label("Customer number").fill("7")
    page.keyboard.press("Enter")
    expect(page.locator("#customer-problem")).to_be_visible()


STATES: list[Callable[[Page], None]] = [
    basket,
    no_customer,
    answered,
    unlikely,
    wrong,
    pasted,
    table,
]


@pytest.mark.parametrize("width", [320, 1280])
def test_axe_finds_nothing_and_the_page_fits(browser, site, width: int) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, bypass_csp=True, reduced_motion="reduce"
    )
    page = context.new_page()
    for state in STATES:
        page.goto(site[0])
        expect(page.locator("#status")).to_have_attribute("data-state", "ready")
        state(page)
        page.add_script_tag(path=str(AXE))
        for scheme, options in (("light", {}), ("dark", {"runOnly": COLOURS})):
            page.emulate_media(color_scheme=scheme)
            found = page.evaluate("options => axe.run(options)", options)
            problems = [
                f"{violation['id']}: {node['target']} {node['failureSummary']}"
                for violation in found["violations"]
                for node in violation["nodes"]
            ]
            assert problems == [], f"{state.__name__}, {scheme}"
        page.emulate_media(color_scheme="light")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, state.__name__
    context.close()


def test_tabs_move_with_arrows_home_and_end(page: Page) -> None:
    tabs = page.get_by_role("tab")
    tabs.first.focus()
    for key, chosen in [("ArrowRight", 1), ("End", 2), ("ArrowRight", 0), ("ArrowLeft", 2)]:
        page.keyboard.press(key)
        expect(tabs.nth(chosen)).to_be_focused()
        expect(tabs.nth(chosen)).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("tabpanel")).to_have_count(1)


def test_axe_is_the_file_that_npm_has() -> None:
    digest = hashlib.sha256(AXE.read_bytes()).hexdigest()
    assert digest in (VENDOR / "README.md").read_text()
