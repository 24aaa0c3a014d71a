"""The query page: written, run, read, kept and stopped in a browser, over a real Athena engine."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.console.conftest import client, violations

SLOW = 60_000
ENDLESS = (
    "SELECT count(*) FROM UNNEST(sequence(1, 10000)) a(x) "
    "CROSS JOIN UNNEST(sequence(1, 10000)) b(y) CROSS JOIN UNNEST(sequence(1, 10000)) c(z) "
    "WHERE x * y % 7 = z % 3"
)


def opened(page: Page, console: str) -> Locator:
    page.goto(f"{console}/#/query")
    page.get_by_label("Database").select_option("shop")
    page.get_by_label("Work group").select_option("lake-readers")
    page.get_by_label("Tables").get_by_text("orders", exact=True).wait_for(timeout=SLOW)
    editor = page.get_by_role("textbox", name="SQL")
    editor.click(timeout=SLOW)
    return editor


def write(page: Page, editor: Locator, sql: str) -> None:
    editor.click()
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    page.keyboard.insert_text(sql)


def test_a_statement_is_completed_run_and_read(page: Page, console: str, filled: str) -> None:
    editor = opened(page, console)
    # A column is offered before its table is named, and a function.
    page.keyboard.type("SELECT cust", delay=30)
    expect(page.get_by_role("option", name="customerorders")).to_be_visible(timeout=SLOW)
    page.keyboard.press("Escape")
    page.keyboard.type(", array_ag", delay=30)
    expect(page.get_by_role("option", name="array_agg")).to_be_visible(timeout=SLOW)

    write(
        page,
        editor,
        "SELECT 'a;b?' AS t, CAST(NULL AS date) AS d, amount FROM orders WHERE order_id < ?"
        " ORDER BY amount; SELECT 1",
    )
    page.keyboard.press("Control+Home")
    expect(page.get_by_text("One of 2 statements")).to_be_visible()
    page.get_by_role("group", name=re.compile("Values for")).get_by_label("1").fill("3")
    editor.click(position={"x": 60, "y": 10})
    page.keyboard.press("Control+Enter")

    rows = page.get_by_role("region", name="Rows")
    expect(rows.locator("thead")).to_have_text(
        re.compile(r"t\s*varchar.*d\s*date.*amount\s*double"), timeout=SLOW
    )
    expect(rows.locator("tbody tr")).to_have_text(
        [re.compile(r"a;b\?\s*null\s*2\.5"), re.compile("4.5")]
    )
    panel = page.get_by_role("tabpanel", name="Result")
    expect(panel).to_contain_text("207 B scanned")
    expect(panel).to_contain_text("$0.00005 on AWS")
    with page.expect_download() as download:
        panel.get_by_role("link", name="CSV").click()
    assert download.value.path().read_text() == '"t","d","amount"\n"a;b?",,"2.5"\n"a;b?",,"4.5"\n'

    panel.get_by_role("button", name="Explain").click()
    expect(panel.locator("pre.plan")).to_contain_text(re.compile("order_id|Filter"), timeout=SLOW)
    assert violations(page) == []


def test_a_refused_statement_says_why_and_whose_fault_it_is(
    page: Page, console: str, filled: str
) -> None:
    editor = opened(page, console)
    write(page, editor, "SELECT colour FROM orders")
    page.get_by_role("button", name="Run", exact=True).click()

    problem = page.get_by_role("tabpanel", name="Result").get_by_role("alert")
    expect(problem).to_contain_text("COLUMN_NOT_FOUND", timeout=SLOW)
    expect(problem).to_contain_text("the query's fault")

    write(page, editor, "SELECT FROM FROM")  # does not start, and nothing of before is left
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("mismatched input", timeout=SLOW)
    expect(page.get_by_role("tabpanel", name="Result")).to_have_text(
        "The result of a statement stands here."
    )
    assert page.url.endswith("#/query")


def test_a_statement_that_takes_long_is_cancelled(page: Page, console: str, filled: str) -> None:
    editor = opened(page, console)
    write(page, editor, ENDLESS)
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_role("button", name="Cancel").click(timeout=SLOW)

    panel = page.get_by_role("tabpanel", name="Result")
    expect(panel.get_by_text("cancelled")).to_be_visible(timeout=SLOW)
    running = client("athena", filled).get_query_execution(
        QueryExecutionId=page.url.rsplit("/", 1)[1]
    )
    assert running["QueryExecution"]["Status"]["State"] == "CANCELLED"


def test_statements_of_before_and_saved_ones_come_back(
    page: Page, console: str, filled: str
) -> None:
    editor = opened(page, console)
    write(page, editor, "SELECT max(amount) AS most FROM orders")
    page.get_by_role("button", name="Save query").click()
    page.get_by_label("Name", exact=True).fill("Dearest order")
    page.get_by_label("What it is for").fill("For Ann")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved as Dearest order.")).to_be_visible(timeout=SLOW)
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_role("region", name="Rows").get_by_role("cell")).to_have_text(
        "24.5", timeout=SLOW
    )

    write(page, editor, "SELECT 1")
    page.get_by_role("tab", name="History").click()
    earlier = page.get_by_role("region", name="Earlier statements").locator("tbody tr").first
    expect(earlier).to_contain_text("succeeded", timeout=SLOW)
    earlier.get_by_role("button", name=re.compile("most")).click()
    expect(editor).to_contain_text("max(amount)")

    write(page, editor, "SELECT 1")
    page.get_by_role("tab", name="Saved").click()
    expect(page.get_by_role("region", name="Saved queries")).to_contain_text(
        "For Ann", timeout=SLOW
    )
    page.get_by_role("button", name="Dearest order", exact=True).click(timeout=SLOW)
    expect(editor).to_contain_text("max(amount)")
    page.reload()
    expect(page.get_by_role("textbox", name="SQL")).to_contain_text("max(amount)", timeout=SLOW)
    assert violations(page) == []

    page.get_by_role("tab", name="Saved").click()
    page.get_by_role("button", name="Delete Dearest order").click(timeout=SLOW)
    page.get_by_role("button", name="Delete Dearest order").click()
    expect(page.get_by_text("Nothing is saved in this work group.")).to_be_visible(timeout=SLOW)
    assert (
        client("athena", filled).list_named_queries(WorkGroup="lake-readers")["NamedQueryIds"] == []
    )


def test_functions_that_are_offered_are_those_that_are_answered() -> None:
    from console.page import STATIC
    from localaws.athena.sql.functions import AGGREGATES, ALIASES, SCALARS, WINDOWS
    from localaws.athena.sql.lambdas import LAMBDAS
    from localaws.athena.sql.special import SPECIALS

    text = (STATIC / "athenawords.js").read_text()
    offered = set(re.search(r"FUNCTIONS = `([^`]*)`", text)[1].split())  # type: ignore[index]
    syntax = {"cast", "coalesce", "grouping", "if", "listagg", "nullif", "row", "try", "try_cast"}
    tables: list[Any] = [AGGREGATES, ALIASES, SCALARS, WINDOWS, LAMBDAS, SPECIALS]

    assert offered == syntax | {name for table in tables for name in table if name.isidentifier()}
