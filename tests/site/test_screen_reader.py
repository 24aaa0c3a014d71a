"""What a screen reader is given: Chromium's accessibility tree, in reading order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Page, expect

from inference.features import MORE_MEANINGS, NAMES

Json = dict[str, Any]


def read(page: Page) -> list[Json]:
    """{role, name, description, live} of every node that is told, in order."""
    told = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    nodes = {node["nodeId"]: node for node in told}

    def walk(node: Json) -> Iterator[Json]:
        if not node.get("ignored"):
            texts = {name: node.get(name, {}).get("value") for name in ("role", "name")}
            kept = {item["name"]: item["value"].get("value") for item in node.get("properties", [])}
            yield {
                **texts,
                "description": node.get("description", {}).get("value", ""),
                "live": kept.get("live"),
                "expanded": kept.get("expanded"),
            }
        for child in node.get("childIds", []):
            if child in nodes:
                yield from walk(nodes[child])

    return list(walk(told[0]))


def named(nodes: list[Json], *roles: str) -> list[tuple[str, str]]:
    return [(node["role"], node["name"]) for node in nodes if node["role"] in roles]


def texts(page: Page, selector: str) -> list[str]:
    return page.locator(selector).all_inner_texts()


def ask(page: Page) -> str:
    """Shows the last example's basket; its title."""
    page.locator("#customer-examples button").last.click()
    expect(page.locator("#basket-title")).to_be_visible()
    return page.locator("#basket-title").inner_text()


def test_a_basket_is_announced_once_and_read_as_a_named_list(page: Page) -> None:
    title = ask(page)
    names = texts(page, "#basket-products strong")
    nodes = read(page)

    # One short sentence is spoken; the list is there to be read, and not read out in a go.
    spoken = [node for node in nodes if node["live"] in ("polite", "assertive")]
    assert {node["role"] for node in spoken} == {"status", "region"}
    assert [node["name"] for node in spoken if node["role"] == "region"] == ["The answer"]
    assert page.locator("#why").get_attribute("aria-live") == "off"  # nor the chart of an answer
    assert page.locator("#customer-progress").inner_text() == title
    assert page.locator("[aria-live] .product, [role=status] .product").count() == 0

    landmarks = named(nodes, "banner", "main", "search", "region")
    assert [role for role, _ in landmarks[:4]] == ["banner", "main", "region", "search"]
    assert ("region", title) in landmarks
    headings = [name for _, name in named(nodes, "heading")]
    assert headings[:3] == ["Will they buy it again?", "What will a customer buy next?", title]
    assert ("list", title) in named(nodes, "list")
    reasons = [n["name"] for n in nodes if n["role"] == "DisclosureTriangle"]
    assert reasons[: len(names)] == [f"Why? {name}" for name in names]
    assert reasons[len(names)] == "Other products to try"
    told = [name.strip() for _, name in named(nodes, "StaticText")]
    assert told.count("likely") >= len(names)


def test_a_reason_is_a_table_with_headers(page: Page) -> None:
    ask(page)
    page.locator("#basket .why > summary").first.click()
    nodes = read(page)

    assert ("table", "What each feature does to the odds") in named(nodes, "table")
    headers = [name for _, name in named(nodes, "columnheader")]
    assert headers[:3] == ["Feature", "against for", "Odds"]
    assert len(named(nodes, "rowheader")) == 9  # 8 features and the rest
    open_ones = [n for n in nodes if n["role"] == "DisclosureTriangle" and n["expanded"]]
    assert len(open_ones) == 1


def test_every_field_and_button_has_a_name_and_a_number_its_unit(page: Page) -> None:
    expect(page.locator("#customer-hint")).to_contain_text("can be looked up")
    nodes = read(page)

    for role in ("button", "combobox", "textbox", "checkbox", "tab", "link"):
        found = named(nodes, role)
        assert found and all(name for _, name in found), role
    fields = {node["name"]: node["description"] for node in nodes if node["role"] == "textbox"}
    assert len(fields) == len(NAMES)
    assert fields["Customer for"].startswith("days From the customer's first order")
    search = next(node for node in nodes if node["role"] == "combobox")
    assert "customers can be looked up" in search["description"]


def test_a_wrong_number_is_an_alert_that_the_field_names(page: Page) -> None:
    page.get_by_label("Customer number").fill("Ann")
    page.keyboard.press("Enter")
    expect(page.locator("#customer-problem")).to_be_visible()
    nodes = read(page)

    assert [node["live"] for node in nodes if node["role"] == "alert"] == ["assertive"]
    search = next(node for node in nodes if node["role"] == "combobox")
    assert search["description"].startswith("Enter a customer's number")
    expect(page.get_by_label("Customer number")).to_be_focused()


def test_every_feature_that_a_reason_may_name_has_words(page: Page) -> None:
    told = page.evaluate(
        "async (names) => { const { reason } = await import('./fields.js');"
        " return names.map((name) => reason(name)); }",
        [*NAMES, *MORE_MEANINGS],
    )
    assert all(told)
    labels = [one["label"] for one in told]
    assert len(set(labels)) == len(labels)
    assert not [label for label in labels if "_" in label]
