"""What the page shows of the work and of the lake: of real queries, recipes and training."""

from __future__ import annotations

import asyncio
import gzip
import http.client
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import Page, expect

from console import samples
from console.uploads import WAITING_CHUNKS, Pipe
from tests.console import lake, machines
from tests.console.conftest import client, running, violations
from tests.console.test_page import execution, run

Create = Callable[[str, str], str]
SLOW = 60_000


@pytest.fixture(scope="session")
def worked(filled: str, step_functions: Any, machine: Create) -> str:
    arn = run(step_functions, machine("works", lake.workflow()), "worked")
    found = step_functions.describe_execution(executionArn=arn)
    assert found["status"] == "SUCCEEDED", found
    return arn


def open_work(page: Page, console: str, arn: str, state: str) -> Any:
    page.goto(execution(console, arn, f"?state={quote(state)}"))
    details = page.get_by_role("complementary", name=f"State {state}")
    details.get_by_role("tab", name="Work").click(timeout=SLOW)
    return details


def test_model_is_drawn_beside_the_live_one(page: Page, console: str, worked: str) -> None:
    details = open_work(page, console, worked, "Train")

    for title in ("ROC curve", "Precision and recall", "Calibration", "Learning curve"):
        expect(details.get_by_role("img", name=title)).to_be_visible(timeout=SLOW)
    roc = details.get_by_role("img", name="ROC curve")
    expect(roc.locator("path.series")).to_have_count(2)
    expect(roc.locator(".mark-point text")).to_have_text("threshold 0.25")
    row = details.get_by_role("region", name="Figures").get_by_role("row", name="AUC")
    expect(row).to_contain_text(re.compile(r"0\.8100.*0\.7900.*better"))
    expect(details.get_by_role("row", name="Log loss")).to_contain_text("worse")
    importance = details.locator("figure", has_text="Feature importance")
    expect(importance.locator(".bar-item")).to_have_text(
        [re.compile("recency"), re.compile("freq")]
    )
    importance.get_by_text("Numbers").click()
    expect(importance.get_by_role("cell", name="8.5")).to_be_visible()
    assert violations(page) == []


def test_query_is_explained_on_request_only(
    page: Page, console: str, worked: str, filled: str
) -> None:
    athena = client("athena", filled)
    before = athena.list_query_executions(WorkGroup="lake-readers")["QueryExecutionIds"]
    details = open_work(page, console, worked, "Count orders")
    expect(details).to_contain_text("CREATE TABLE shop.large AS", timeout=SLOW)
    details.get_by_role("button", name="Explain").wait_for()
    after_looking = athena.list_query_executions(WorkGroup="lake-readers")["QueryExecutionIds"]
    assert after_looking == before

    details.get_by_role("button", name="Explain").click()
    # DuckDB's own plan: the filter of the query stands in it.
    expect(details.locator("pre.plan")).to_contain_text(re.compile("amount|Filter"), timeout=SLOW)


def test_recipe_shows_rows_before_and_after(page: Page, console: str, worked: str) -> None:
    details = open_work(page, console, worked, "Tidy")
    before = details.get_by_role("region", name="Rows before")
    after = details.get_by_role("region", name="Rows after")

    expect(before.locator("tbody tr").first).to_contain_text(" Ann 1 ", timeout=SLOW)
    expect(before.locator("tbody tr")).to_have_count(10)
    assert after.locator("tbody tr td:nth-child(2)").first.text_content() == "Ann 1"
    expect(after.locator("th.marked", has_text="euros")).to_contain_text("new")
    expect(before.locator("th.marked", has_text="amount")).to_contain_text("not after")
    expect(before.locator("th.marked", has_text="customer")).to_contain_text("changed")


def test_rows_of_a_packed_file_are_its_rows(filled: str) -> None:
    s3 = client("s3", filled)
    packed = gzip.compress(lake.ORDERS.encode())
    s3.put_object(Bucket=lake.BUCKET, Key="packed/orders.csv.gz", Body=packed)

    sample = samples.rows_of(s3, lake.BUCKET, "packed/", "CSV")

    assert sample["columns"] == ["order_id", "customer", "amount"]
    assert sample["rows"][0] == ["1", " Ann 1 ", "2.5"]
    assert len(sample["rows"]) == samples.ROWS


def test_endpoint_shows_its_latencies(
    page: Page, console: str, filled: str, machine: Create, step_functions: Any
) -> None:
    name = lake.serve(filled)
    arn = run(step_functions, machine("looks", lake.look_at_endpoint()), "looked")
    details = open_work(page, console, arn, "Look")
    expect(details.locator(".problem")).to_contain_text("no invocation of echo", timeout=SLOW)

    runtime = client("sagemaker-runtime", filled)
    for _ in range(5):
        runtime.invoke_endpoint(EndpointName=name, Body=b"1,2", ContentType="text/csv")
    page.reload()
    details.get_by_role("tab", name="Work").click(timeout=SLOW)
    expect(details).to_contain_text("5 invocations of live", timeout=SLOW)
    expect(details.get_by_role("img", name="Latency").locator(".dot").first).to_be_visible()
    client("sagemaker", filled).delete_endpoint(EndpointName=name)


def test_cost_in_list_header_and_by_state(page: Page, console: str, worked: str) -> None:
    page.goto(execution(console, worked, "?tab=cost"))
    by_state = page.get_by_role("region", name="Cost by state")
    expect(by_state.get_by_role("row", name="Count orders")).to_contain_text("$0.00005")
    expect(by_state.get_by_role("row", name="Tidy")).to_contain_text("$0.040")
    expect(by_state.get_by_role("row", name="Train")).to_contain_text("ml.m5.xlarge")
    expect(page.locator(".costs")).to_contain_text("AWS list prices of us-east-1")
    expect(page.locator(".title")).to_contain_text("≈ $0.04")

    page.get_by_role("link", name="works").click()
    row = page.locator(".list-row", has=page.get_by_role("link", name="worked"))
    expect(row.get_by_role("cell").last).to_contain_text("$0.04", timeout=SLOW)


def test_table_shows_schema_partitions_and_rows(page: Page, console: str, filled: str) -> None:
    page.goto(f"{console}/#/lake/shop/orders")
    expect(page.get_by_role("heading", name="orders", exact=True)).to_be_visible(timeout=SLOW)
    expect(page.get_by_role("region", name="Columns")).to_contain_text("double")
    expect(page.get_by_role("region", name="Partitions")).to_contain_text("2026-11-22")
    page.get_by_role("button", name="First 20 rows").click()
    expect(page.get_by_role("region", name="First rows").locator("tbody tr")).to_have_count(
        12, timeout=SLOW
    )
    expect(page.locator(".lake .bar")).to_contain_text("work group lake-readers")


def test_files_are_uploaded_where_a_crawler_looks(
    page: Page, console: str, filled: str, machine: Create, step_functions: Any, tmp_path: Path
) -> None:
    again, other = tmp_path / "orders.csv", tmp_path / "customers.csv"
    again.write_text(lake.ORDERS)
    other.write_bytes(b"name\n" + b"Ann\n" * 3_000_000)  # more than one part
    page.goto(f"{console}/#/lake")
    page.get_by_label("Files to upload").set_input_files([again, other], timeout=SLOW)

    # The one that is there already is replaced where it lies; the other goes below the prefix.
    expect(page.get_by_label("Key of orders.csv")).to_have_value("raw/orders/orders.csv")
    expect(page.locator("tr", has_text="orders.csv")).to_contain_text("replaces")
    page.get_by_label("Key of customers.csv").fill("raw/customers/customers.csv")
    page.get_by_role("button", name="Upload 2 files").click()
    expect(page.get_by_role("region", name="Files").get_by_text("uploaded")).to_have_count(
        2, timeout=SLOW
    )
    size = client("s3", filled).head_object(Bucket=lake.BUCKET, Key="raw/customers/customers.csv")
    assert size["ContentLength"] == other.stat().st_size

    # Whatever starts an execution now, the page shows it.
    step_functions.start_execution(
        stateMachineArn=machine("small", machines.small()), name="after-upload"
    )
    expect(page.get_by_role("link", name="after-upload")).to_be_visible(timeout=SLOW)


def test_dropped_files_keep_to_the_prefix(page: Page, console: str, filled: str) -> None:
    page.goto(f"{console}/#/lake")
    page.locator(".drop").wait_for(timeout=SLOW)
    dropped = page.evaluate_handle(
        """() => {
            const given = new DataTransfer();
            given.items.add(new File(["a,b\\n1,2\\n"], "new.csv"));
            given.items.add(new File(["x"], ".hidden"));
            return given;
        }"""
    )
    page.dispatch_event(".drop", "drop", {"dataTransfer": dropped})
    key = page.get_by_label("Key of new.csv")
    expect(key).to_have_value("raw/new.csv", timeout=SLOW)
    expect(page.locator("table.files tbody tr")).to_have_count(1)
    page.get_by_label("Below").fill("raw/later/")
    expect(key).to_have_value("raw/later/new.csv")


@pytest.mark.parametrize(
    ("key", "headers", "status"),
    [
        ("elsewhere/a.csv", {}, 403),
        ("raw/../secret.csv", {}, 400),
        ("raw/", {}, 400),
        ("raw/a.csv", {"origin": "http://elsewhere.example"}, 403),
        ("raw/a.csv", {"origin": None}, 403),
        ("raw/a.csv", {"content-type": "multipart/form-data"}, 403),
    ],
)
def test_uploads_are_taken_from_the_page_and_for_the_lake_only(
    console: str, filled: str, key: str, headers: dict[str, str | None], status: int
) -> None:
    given = {"origin": console, "content-type": "application/octet-stream", **headers}
    answer = httpx.put(
        f"{console}/api/upload",
        params={"bucket": lake.BUCKET, "key": key},
        content=b"x",
        headers={name: value for name, value in given.items() if value},
    )

    assert answer.status_code == status
    listed = client("s3", filled).list_objects_v2(Bucket=lake.BUCKET, Prefix=key)
    assert key in ("raw/", "elsewhere/a.csv") or listed["KeyCount"] == 0


def test_an_upload_waits_for_whoever_reads_it_and_for_nobody_who_has_gone() -> None:
    chunks = [bytes([number]) * 100 for number in range(3 * WAITING_CHUNKS)]

    async def send(pipe: Pipe) -> None:
        for chunk in (*chunks, None):
            await pipe.put(chunk)

    slow, gone = Pipe(), Pipe()
    with ThreadPoolExecutor(1) as pool:
        sent = pool.submit(asyncio.run, send(slow))
        with pytest.raises(TimeoutError):
            sent.result(timeout=0.2)
        assert slow.read() == b"".join(chunks)
        sent.result(timeout=60)
        gone.close()
        # Not in this thread, which may have Playwright's loop.
        pool.submit(asyncio.run, send(gone)).result(timeout=60)


def test_a_file_too_large_is_refused_before_it_is_sent(console: str, filled: str) -> None:
    connection = http.client.HTTPConnection(console.removeprefix("http://"), timeout=30)
    connection.putrequest("PUT", f"/api/upload?bucket={lake.BUCKET}&key=raw/a.csv")
    for name, value in (
        ("origin", console),
        ("content-type", "application/octet-stream"),
        ("content-length", str(51 * 1000**3)),
    ):
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()

    assert answer.status == 413
    assert b"up to 50 GB" in answer.read()
    connection.close()


def test_schedule_says_when_and_is_switched(
    page: Page, console: str, filled: str, machine: Create
) -> None:
    scheduler, events = client("scheduler", filled), client("events", filled)
    target = {
        "Arn": machine("small", machines.small()),
        "RoleArn": machines.ROLE,
        "Input": '{"why": "the morning"}',
        "RetryPolicy": {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 600},
    }
    scheduler.create_schedule(
        Name="every-morning",
        Description="Kept as it is",
        ScheduleExpression="cron(30 8 1 1 ? *)",
        ScheduleExpressionTimezone="Europe/Berlin",
        FlexibleTimeWindow={"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15},
        Target=target,
    )
    events.put_rule(Name="on-upload", EventPattern='{"source": ["aws.s3"]}')
    events.put_targets(
        Rule="on-upload", Targets=[{"Id": "1", "Arn": target["Arn"], "RoleArn": machines.ROLE}]
    )
    before = scheduler.get_schedule(Name="every-morning")
    page.goto(f"{console}/#/schedules")
    card = page.get_by_role("article", name="Schedule every-morning")
    expect(card.locator("ol.times li")).to_have_count(5, timeout=SLOW)
    expect(card.locator("ol.times li").first).to_contain_text(re.compile("1 Jan.*08:30"))
    expect(card).to_contain_text("within 15 min")
    expect(card.get_by_role("link", name="small")).to_be_visible()

    card.get_by_role("switch").click()
    expect(card.get_by_role("switch")).to_have_attribute("aria-checked", "false")
    after = scheduler.get_schedule(Name="every-morning")
    changing = ("State", "LastModificationDate", "ResponseMetadata")
    kept = [{k: v for k, v in s.items() if k not in changing} for s in (before, after)]
    assert kept[0] == kept[1]
    assert after["State"] == "DISABLED"

    rule = page.get_by_role("article", name="Rule on-upload")
    rule.get_by_role("switch").click()
    expect(rule.get_by_role("switch")).to_have_attribute("aria-checked", "false")
    assert events.describe_rule(Name="on-upload")["State"] == "DISABLED"
    assert violations(page) == []


def test_read_only_console_switches_uploads_and_queries_nothing(filled: str) -> None:
    with running("console", "--endpoint-url", filled, "--port", "0", "--read-only") as url:
        for verb in ("switch", "preview", "plan", "run", "cancel", "save", "forget"):
            assert httpx.post(f"{url}/api/{verb}", json={}).status_code == 403
        answer = httpx.put(
            f"{url}/api/upload",
            params={"bucket": lake.BUCKET, "key": "raw/no.csv"},
            content=b"x",
            headers={"origin": url, "content-type": "application/octet-stream"},
        )
        assert "read-only" in answer.json()["error"]["message"]


def test_no_view_of_work_or_lake_has_a_violation_that_axe_finds(
    page: Page, console: str, worked: str
) -> None:
    found = []
    arn = quote(worked, safe="")
    machine = quote(worked.replace(":execution:", ":stateMachine:").rsplit(":", 1)[0], safe="")
    for place, ready in (
        ("#/lake", ".drop"),
        ("#/lake/shop/orders", ".lake table"),
        ("#/schedules", ".schedules h1"),
        (f"#/execution/{arn}?tab=cost", ".costs table"),
        (f"#/execution/{arn}?tab=audit", "main .quiet.centred"),
        (f"#/execution/{arn}?state=Tidy", ".canvas"),
        (f"#/definition/{machine}", ".canvas"),
        (f"#/compare/{arn}/{arn}", "table.pair"),
    ):
        page.goto(f"{console}/{place}")
        page.reload()
        page.locator(ready).first.wait_for(timeout=SLOW)
        found += [f"{place}: {line}" for line in violations(page)]
        if place.endswith("Tidy"):
            page.get_by_role("tab", name="Work").click()
            page.get_by_role("region", name="Rows after").wait_for()
            found += violations(page)

    assert found == []


def test_what_is_not_there_is_a_note(page: Page, console: str, worked: str, filled: str) -> None:
    s3 = client("s3", filled)
    kept = s3.get_object(Bucket=lake.BUCKET, Key="evaluation/evaluation.json")["Body"].read()
    s3.delete_object(Bucket=lake.BUCKET, Key="evaluation/evaluation.json")
    try:
        details = open_work(page, console, worked, "Train")
        expect(details.locator(".problem")).to_contain_text(
            "wrote no evaluation.json", timeout=SLOW
        )
        expect(details).to_contain_text("ml.m5.xlarge")
    finally:
        s3.put_object(Bucket=lake.BUCKET, Key="evaluation/evaluation.json", Body=kept)
