"""A customer's basket on the page, in a real browser."""

from __future__ import annotations

import json
from typing import Any

import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Page, expect

from tests.model.trained import Trained

CUSTOMER = 610  # one of those that the trained fixture scores


def basket_of(trained: Trained, customer: int) -> list[dict[str, Any]]:
    table = pq.read_table(trained.folder / "checkpoints/next_baskets", partitioning="hive")
    rows = table.sort_by("rank").to_pylist()
    return [row for row in rows if row["user_id"] == customer and row["chosen"]]


def test_keyboard_alone_finds_a_customer_and_a_reason(page: Page, trained: Trained) -> None:
    page.get_by_label("Customer number").focus()
    page.keyboard.type(str(CUSTOMER))
    page.keyboard.press("Enter")

    basket = basket_of(trained, CUSTOMER)
    title = page.locator("#basket-title")
    expect(title).to_contain_text(f"Customer {CUSTOMER} will most likely buy")
    expect(page.locator("#basket-products > li")).to_have_count(len(basket))
    for row, item in zip(basket, page.locator("#basket-products > li").all(), strict=True):
        expect(item.locator("strong")).to_have_text(row["product_name"])
        expect(item).to_contain_text("12 days ago")
    page.locator("#others > summary").focus()
    page.keyboard.press("Enter")
    first = page.locator("#other-products > li").first
    first.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(first.locator("table.chart tbody tr")).to_have_count(9)  # 8 features and the rest


def test_an_example_shows_its_basket(page: Page) -> None:
    example = page.locator("#customer-examples button").last
    number = example.locator("strong").inner_text().removeprefix("Customer ")
    example.click()

    expect(page.locator("#basket-title")).to_contain_text(f"Customer {number} ")
    expect(page.get_by_label("Customer number")).to_have_value(number)


def test_numbers_are_suggested_as_they_are_typed(page: Page) -> None:
    page.get_by_label("Customer number").press_sequentially("62")

    options = page.locator("#customers option")
    expect(options).to_have_count(10)
    assert options.first.get_attribute("value") == "620"


@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("", "Enter a customer's number"),
        ("Ann", "Enter a customer's number"),
        ("7", "Customer 7 is not among"),
    ],
)
def test_a_customer_who_is_none_is_said_in_words(page: Page, number: str, said: str) -> None:
    page.get_by_label("Customer number").fill(number)
    page.get_by_role("button", name="Show the basket").click()

    expect(page.locator("#customer-problem")).to_contain_text(said)
    expect(page.locator("#basket")).to_be_hidden()


def test_names_are_shown_as_text_and_days_in_words(page: Page) -> None:
    product = {
        "product_id": 1, "product": "<b>Bread</b>", "aisle": "bread", "department": "bakery",
        "probability": 0.5, "will_buy": True, "rank": 1, "in_basket": True,
        "days_between_purchases": 1.2, "days_since_last_purchase": 0.0, "orders_with_product": 4,
        "reasons": [], "explanation": {"bias": 0, "contributions": {"up_orders": 0.1}},
        "features": {"up_orders": None},
    }  # fmt: skip
    once = {**product, "rank": 2, "days_between_purchases": None, "days_since_last_purchase": 9.0}
    answer = {
        "customer_id": 5, "basket_size": 2, "products_known": 2, "products": [product, once],
        "threshold": 0.2, "model": "m",
    }  # fmt: skip
    headers = {"access-control-allow-origin": "*", "content-type": "application/json"}
    page.route(
        "**/next-basket?*", lambda route: route.fulfill(headers=headers, body=json.dumps(answer))
    )
    page.get_by_label("Customer number").fill("5")
    page.keyboard.press("Enter")

    items = page.locator("#basket-products > li")
    expect(items.first.locator("strong")).to_have_text("<b>Bread</b>")
    expect(items.first).to_contain_text("Buys it every day, last the same day.")
    expect(items.last).to_contain_text("Bought it once, 9 days ago.")


def test_a_model_from_before_customers_leaves_the_other_ways(page: Page) -> None:
    headers = {"access-control-allow-origin": "*", "content-type": "application/problem+json"}
    page.route(
        "**/customers?*",
        lambda route: route.fulfill(status=501, headers=headers, body='{"detail": "too old"}'),
    )
    page.reload()

    expect(page.locator("#customer-hint")).to_contain_text(
        "from before customers could be looked up"
    )
    page.locator("#examples button").first.click()
    expect(page.locator("#verdict")).to_be_visible()
