"""A CSV file into the page: a table that sorts, one row's reasons, and a CSV file back."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.model.trained import EXAMPLE_LINE, Trained
from training.features import WIRE_FEATURES

VALUES = EXAMPLE_LINE.split(",")


def upload(page: Page, text: str, name: str = "rows.csv") -> None:
    page.get_by_role("tab", name="Upload a file").click()
    page.locator("#file").set_input_files(
        {"name": name, "mimeType": "text/csv", "buffer": text.encode()}
    )


def downloaded(page: Page, button: str) -> list[list[str]]:
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    return list(csv.reader(io.StringIO(download.value.path().read_text())))


def golden_file(trained: Trained, rows: int) -> tuple[str, list[float]]:
    """A file with a header in another order, ids, and a quoted cell; and the probabilities."""
    golden = trained.read("golden.json")
    names = list(reversed(WIRE_FEATURES))
    lines = [f"customer,{','.join(names)},note"]
    expected = []
    for index in range(rows):
        at = index % len(golden["rows"])
        row = dict(zip(WIRE_FEATURES, golden["rows"][at], strict=True))
        lines.append(f'C{index},{",".join(repr(row[n]) for n in names)},"one, ""two"""')
        expected.append(golden["probabilities"][at])
    return "\r\n".join(lines), expected


def test_hundreds_of_rows_are_answered_sorted_and_saved(page: Page, trained: Trained) -> None:
    text, expected = golden_file(trained, 620)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    upload(page, text)

    results = page.locator("#results")
    expect(results.get_by_role("heading")).to_have_text("rows.csv: 620 rows")
    assert len([url for url in requests if url.endswith("/predict")]) == 2
    table = page.locator("#table")
    expect(table.locator("tbody tr")).to_have_count(100)
    page.get_by_role("button", name="Show more (520 rows left)").click()
    expect(table.locator("tbody tr")).to_have_count(600)

    table.get_by_role("button", name="Probability").click()
    expect(table.locator("th[aria-sort]")).to_have_attribute("aria-sort", "descending")
    expect(table.get_by_role("button", name="Probability")).to_be_focused()
    most = max(expected)
    digits = 2 if most < 0.1 else 1
    expect(table.locator("tbody .number").first).to_have_text(f"{most * 100:.{digits}f} %")
    table.get_by_role("button", name="Probability").click()
    expect(table.locator("th[aria-sort]")).to_have_attribute("aria-sort", "ascending")
    table.get_by_role("button", name="customer").click()
    expect(table.locator("tbody tr").nth(1).locator("td").nth(1)).to_have_text("C1")

    header, *rows = downloaded(page, "Download as CSV")
    assert header[:2] == ["customer", "note"]
    assert header[2:20] == list(WIRE_FEATURES)
    assert header[20:] == ["probability", "will_buy", "threshold", "model", "problem"]
    assert [row[0] for row in rows] == [f"C{index}" for index in range(620)]
    assert rows[0][1] == 'one, "two"'
    assert [float(row[20]) for row in rows] == expected


def test_wrong_rows_are_set_aside_and_the_others_answered(page: Page) -> None:
    bad = ",".join(["x", *VALUES[1:]])
    upload(page, f"{EXAMPLE_LINE}\n{bad}\n\n1,2\n{EXAMPLE_LINE}\n")

    expect(page.locator("#results-words")).to_contain_text("2 not answered")
    rows = page.locator("#table tbody tr")
    expect(rows.nth(1)).to_contain_text("Not asked: up_orders is “x”, not a number; accepted:")
    expect(rows.nth(2)).to_contain_text("Not asked: has 2 values instead of 18.")
    expect(rows.nth(3)).to_contain_text("Why?")
    saved = downloaded(page, "Download as CSV")
    assert saved[2][-1].startswith("up_orders is “x”")
    assert saved[3][:18] == ["1", "2", *[""] * 16]


def test_why_explains_one_row_of_the_table(page: Page) -> None:
    page.get_by_role("tab", name="Upload a file").click()
    page.get_by_role("button", name="Try it with a sample").click()
    page.get_by_role("button", name="Why? Row 3", exact=True).click()

    expect(page.locator("#answer-of")).to_have_text("Row 3: Customer 3, Product A")
    expect(page.locator("#chart tbody tr")).to_have_count(9)
    expect(page.locator("#answer")).to_be_focused()
    expect(page.locator("#results")).to_be_visible()


def test_template_comes_back_as_a_file_that_is_answered(page: Page) -> None:
    page.get_by_role("tab", name="Upload a file").click()
    rows = downloaded(page, "Download a template")
    assert rows[0] == ["customer", "product", *WIRE_FEATURES]

    upload(page, "\n".join(",".join(row) for row in rows))
    expect(page.locator("#results-title")).to_have_text("rows.csv: 3 rows")


def test_pasted_lines_are_answered_as_a_table(page: Page) -> None:
    page.get_by_role("tab", name="Paste a row").click()
    page.get_by_label("One line of 18 numbers").fill(f"{EXAMPLE_LINE}\n{EXAMPLE_LINE}")
    expect(page.locator("#count")).to_have_text("Several lines: they are answered as a table.")
    page.get_by_role("button", name="Predict").click()

    expect(page.locator("#results-title")).to_have_text("Pasted rows: 2 rows")


def test_spreadsheets_with_semicolons_and_a_byte_order_mark_are_read(page: Page) -> None:
    upload(page, "\ufeff" + ";".join(WIRE_FEATURES) + "\r\n" + ";".join(VALUES))

    expect(page.locator("#results-title")).to_have_text("rows.csv: 1 row")
    expect(page.locator("#table tbody tr")).to_contain_text("Why?")


def test_dropped_files_are_read(page: Page) -> None:
    page.get_by_role("tab", name="Upload a file").click()
    transfer = page.evaluate_handle(
        """(text) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([text], "dropped.csv", { type: "text/csv" }));
          return transfer;
        }""",
        EXAMPLE_LINE,
    )
    page.dispatch_event("#drop", "drop", {"dataTransfer": transfer})

    expect(page.locator("#results-title")).to_have_text("dropped.csv: 1 row")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "rows.csv: The file is empty."),
        (",".join(WIRE_FEATURES), "The file has a header and no rows."),
        ("a,b,c\n1,2,3", "The first line names none of the 18 features."),
        (",".join(WIRE_FEATURES[1:]) + "\n1", "The header lacks up_orders."),
        ('"1,2', "A quotation mark is opened and never closed."),
        ("1\n" * 10_001, "The file has 10,001 rows; at most 10,000 are answered."),
    ],
)
def test_files_that_are_none_are_refused_in_words(page: Page, text: str, said: str) -> None:
    upload(page, text)

    expect(page.get_by_role("alert")).to_contain_text(said)
    expect(page.locator("#results")).to_be_hidden()


def test_cells_are_shown_as_text_never_as_markup(page: Page) -> None:
    evil = "<img src=x onerror=alert(1)>"
    upload(page, f"{evil},{','.join(WIRE_FEATURES)}\n{evil},{EXAMPLE_LINE}")

    expect(page.locator("#table tbody")).to_contain_text(evil)
    assert page.locator("#table img").count() == 0


def test_api_that_fails_half_way_leaves_what_it_had_answered(page: Page, trained: Trained) -> None:
    asked: list[Any] = []

    def fail_later(route: Any) -> None:
        asked.append(route)
        if len(asked) == 1:
            route.continue_()
        else:
            headers = {"access-control-allow-origin": "*"}
            body = json.dumps({"message": "Too Many Requests"})
            route.fulfill(status=429, body=body, headers=headers)

    page.route("**/predict", fail_later)
    upload(page, golden_file(trained, 700)[0])

    expect(page.get_by_role("alert")).to_contain_text("500 of 700 rows were answered before.")
    expect(page.locator("#results-words")).to_contain_text("200 not answered")
