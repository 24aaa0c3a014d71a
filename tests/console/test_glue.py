"""The page Glue in a browser: a table becomes files by a script that Glue writes and Spark runs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from console.glue import save, script
from console.web import Refused
from tests.console.conftest import client, violations
from tests.console.lake import BUCKET
from tests.console.machines import ROLE

SLOW = 60_000
RUN = 300_000  # a start of Spark on a busy machine


def from_orders(page: Page, console: str) -> None:
    page.goto(f"{console}/#/glue")
    page.get_by_role("combobox", name="Database").select_option("shop", timeout=SLOW)
    page.get_by_role("combobox", name="Table").select_option("orders")


def test_a_table_becomes_files_without_writing_code(page: Page, console: str, filled: str) -> None:
    from_orders(page, console)
    page.get_by_label("Folder").fill(f"s3://{BUCKET}/sales/")
    page.get_by_label("Format").select_option("json")
    mapping = page.get_by_role("region", name="Mapping")
    expect(mapping.get_by_role("rowheader")).to_have_text(["order_id", "customer", "amount", "day"])
    mapping.get_by_label("Take day").uncheck()
    mapping.get_by_label("New name of order_id").fill("number")
    mapping.get_by_label("New type of order_id").select_option("int")
    assert violations(page) == []
    page.get_by_role("button", name="Write the script").click()
    shown = page.get_by_label("Script", exact=True)
    expect(shown).to_contain_text('("order_id", "long", "number", "int")', timeout=SLOW)
    page.get_by_label("Name of the job").fill("sales")
    expect(page.get_by_label("Script in S3")).to_have_value(f"s3://{BUCKET}/scripts/sales.py")
    page.get_by_label("Role that the job runs as").fill(ROLE)
    page.get_by_role("button", name="Save and run").click()
    expect(page.get_by_text("The run has succeeded")).to_be_visible(timeout=RUN)
    assert violations(page) == []

    s3 = client("s3", filled)
    rows: list[Any] = []
    for found in s3.list_objects_v2(Bucket=BUCKET, Prefix="sales/")["Contents"]:
        body = s3.get_object(Bucket=BUCKET, Key=found["Key"])["Body"].read()
        rows += [json.loads(line) for line in body.splitlines()]
    assert sorted(rows, key=lambda row: int(row["number"])) == [
        {"number": n, "customer": f" Ann {n} ", "amount": n * 2 + 0.5} for n in range(1, 13)
    ]
    graph = client("glue", filled).get_dataflow_graph(PythonScript=shown.inner_text())
    assert [node["NodeType"] for node in graph["DagNodes"]] == [
        "DataSource",
        "ApplyMapping",
        "DataSink",
    ]


def test_the_columns_of_a_table_that_is_written_into_are_its_own(
    page: Page, console: str, filled: str
) -> None:
    glue = client("glue", filled)
    glue.create_table(
        DatabaseName="shop",
        TableInput={
            "Name": "ledger",
            "StorageDescriptor": {
                "Columns": [{"Name": "AMOUNT", "Type": "decimal(9,2)"}],
                "Location": f"s3://{BUCKET}/ledger/",
            },
        },
    )
    from_orders(page, console)
    page.get_by_role("button", name="A table").click()
    page.get_by_label("Database of the target").select_option("shop")
    page.get_by_label("Table of the target").select_option("ledger")
    mapping = page.get_by_role("region", name="Mapping")
    expect(mapping.get_by_role("rowheader")).to_have_text(["amount"])
    page.get_by_role("button", name="Write the script").click()
    shown = page.get_by_label("Script", exact=True)
    expect(shown).to_contain_text('("amount", "double", "AMOUNT", "decimal(9,2)")', timeout=SLOW)
    expect(shown).to_contain_text('choice = "MATCH_CATALOG", database = "shop"')
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("orders-job is saved.")).to_be_visible(timeout=SLOW)
    assert violations(page) == []
    command = glue.get_job(JobName="orders-job")["Job"]["Command"]
    assert command["ScriptLocation"] == f"s3://{BUCKET}/scripts/orders-job.py"


def test_a_job_of_another_script_is_not_touched(filled: str) -> None:
    glue = client("glue", filled)
    command = {"Name": "glueetl", "ScriptLocation": f"s3://{BUCKET}/other.py"}
    glue.create_job(Name="taken", Role=ROLE, Command=command)
    given = {"name": "taken", "role": ROLE, "uri": f"s3://{BUCKET}/mine.py", "script": "pass"}

    with pytest.raises(Refused, match=r"There is a job taken of another script, s3://.*/other.py"):
        save(glue, client("s3", filled), given)


@pytest.mark.parametrize(
    ("target", "says"),
    [({"uri": "lake/"}, "no address in S3"), ({"uri": "s3://lake/", "format": "xml"}, "no format")],
)
def test_a_target_that_is_none(target: dict[str, str], says: str) -> None:
    with pytest.raises(Refused, match=says):
        script(None, {"source": {}, "target": target, "mapping": [{"source": "a"}]})
